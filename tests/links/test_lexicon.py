"""A dictionary out of word links, counted by hand."""

import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.links.aligner import Aligner
from analysis.links.lexicon import lexicon_from_links, make_links
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast


def bitext(pairs, languages=("en", "de"), links=True):
    """Sentence pairs whose word n is linked with word n."""
    sides = [tuple(Sentence.from_words(pair[n].split(), languages[n]) for pair in pairs) for n in (0, 1)]
    made = tuple(Links(frozenset((k, k) for k in range(len(a.spans)))) for a in sides[0])
    return Bitext("test", languages, *sides, made if links else None)


# dog-Hund twice, dog-Köter once, hound-Hund once, a-ein three times, the full stop and the number four times.
PAIRS = [("a Dog . 7", "ein Hund . 7"), ("a dog . 7", "ein Hund . 7"), ("a dog . 7", "ein Köter . 7"),
         ("hound . 7", "Hund . 7")]  # fmt: skip


def test_the_pairs_that_are_each_others_most_frequent_partner():
    (found,) = lexicon_from_links([bitext(PAIRS)])
    assert found.languages == ("en", "de")
    assert found.entries == (("a", "ein"), ("dog", "Hund"))
    assert found.origin == "word links of test"
    assert lexicon_from_links([bitext(PAIRS)], min_count=3)[0].entries == (("a", "ein"),)


def test_a_share_keeps_several_translations():
    # dog has 3 links and Hund 3; dog-Köter and hound-Hund are a third of the larger total.
    third = lexicon_from_links([bitext(PAIRS)], min_share=0.33)[0].entries
    assert third == (("a", "ein"), ("dog", "Hund"), ("dog", "Köter"), ("hound", "Hund"))
    assert lexicon_from_links([bitext(PAIRS)], min_share=0.6)[0].entries == (("a", "ein"), ("dog", "Hund"))


def test_bitexts_of_one_pair_are_counted_together_whichever_way_round():
    first, second = bitext(PAIRS[:1]), bitext([("Köter ein", "dog a")] * 2, ("de", "en"))
    (found,) = lexicon_from_links([first, second])
    assert found.entries == (("a", "ein"), ("dog", "Köter"))
    apart = lexicon_from_links([first, bitext([("chien", "dog")], ("fr", "en"))])
    assert [one.languages for one in apart] == [("en", "de"), ("fr", "en")]


def test_given_links_go_before_the_bitexts_own():
    one = bitext([("a b", "x y")])
    crossed = [Links(frozenset({(0, 1), (1, 0)}))]
    assert lexicon_from_links([one], [crossed])[0].entries == (("a", "y"), ("b", "x"))
    twice = [Links(frozenset({(0, 0), (0, 1), (1, 1)}))]
    with pytest.raises(InputError, match=r"no two words of test \(en-de\) are linked 1 times or more"):
        lexicon_from_links([one], [twice])
    with pytest.raises(InputError, match="test has no word links; name an encoder to make them, or give --links FILE"):
        lexicon_from_links([bitext(PAIRS, links=False)])


def test_links_are_made_in_parts_and_said(tiny, monkeypatch):
    monkeypatch.setattr("analysis.links.lexicon.CHUNK", 2)
    text = bitext([("the quick fox", "the quick fox"), ("lazy dog", "lazy dog"), ("bank", "bank")], links=False)
    told = []
    found = make_links(text, Aligner.choose(load_encoder(tiny)), progress=lambda *now: told.append(now))
    assert [one.sure for one in found] == [one.sure for one in bitext(
        [("a b c", "a b c"), ("a b", "a b"), ("a", "a")]).links]  # fmt: skip
    assert told == [(2, 3), (3, 3)]
    linked = bitext(PAIRS)
    assert make_links(linked, None) is linked.links
