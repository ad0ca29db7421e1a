"""The twin of a language: other letters, the same words, links that hold."""

import unicodedata

import pytest

from analysis.errors import InputError
from analysis.text.bitexts import file_bitexts
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.text.segment import segment
from analysis.text.twin import aligned_lines, make_twin, plain

pytestmark = pytest.mark.fast
TEXTS = [
    plain(line)
    for line in (
        "The quick brown fox isn’t lazy.", "It costs 3,500.75 dollars (or so)!", "Été, café; déjà-vu: 100 %?",
        "Wait... what? \"No\", he said.", "e-mail_address and 10:30 a.m. €5 + 2",
    )
]  # fmt: skip


def test_plain_text_is_lower_case_with_single_spaces():
    assert plain(" The  ﬁrst\u200b “Dog’s”\tＡ ") == "the first “dog's” a"


@pytest.mark.parametrize("order", ["same", "inverted", "permuted"])
def test_every_word_has_its_twin_and_every_link_holds(order):
    twin = make_twin(TEXTS, "en", order=order, seed=4)
    assert twin.tag == "en-Cans-x-twin"
    for number, text in enumerate(TEXTS):
        source, target, links = twin.pair(text, number)
        assert (source.language, target.language) == ("en", twin.tag)
        assert len(links.sure) == len(source.words) == len(target.words)
        assert {i for i, _ in links.sure} == {j for _, j in links.sure} == set(range(len(source.words)))
        for i, j in links.sure:
            assert target.words[j] == twin.spell(source.words[i]) != source.words[i]
        assert target.spans == segment(target.text, twin.tag), "it is read as it was written"
        places = [j for _, j in sorted(links.sure)]
        if order != "permuted":
            assert places == list(range(len(places)))[:: 1 if order == "same" else -1]


def test_permutations_hang_on_seed_and_sentence():
    texts = [" ".join("abcdefghij")]
    places = lambda seed, number: make_twin(texts, "en", order="permuted", seed=seed).pair(texts[0], number)[2]
    assert places(1, 0) == places(1, 0)
    assert places(1, 0) != places(1, 1)
    assert places(1, 0) != places(2, 0)


def test_images_are_of_the_class_of_their_characters_and_shared_by_none():
    twin = make_twin(TEXTS, "en-GB")
    images = list(twin.alphabet.values())
    assert len(set(images)) == len(images)
    assert not set(images) & set(twin.alphabet)
    for char, image in twin.alphabet.items():
        if char.isalpha() or char.isdigit():
            assert (char.isalpha(), char.isdigit()) == (image.isalpha(), image.isdigit())
        elif unicodedata.category(char)[0] == "P":
            assert unicodedata.category(image)[0] == "P", "BERT's tokenizer cuts at both"
    assert twin.spell("zz top") == "zz " + twin.spell("top") or "z" in twin.alphabet


def test_lines_are_read_again_as_sentence_pairs_with_links():
    twin = make_twin(TEXTS, "en", order="inverted")
    pairs = [twin.pair(text, n) for n, text in enumerate(TEXTS)]
    written = "".join(aligned_lines(pairs)).encode()
    found = file_bitexts(Source.of(written), ("en", twin.tag), None, False, Problems())[0]
    assert found.languages == ("en", twin.tag)
    assert [side.words for side in found.target] == [target.words for _, target, _ in pairs]
    assert [one.sure for one in found.links] == [links.sure for _, _, links in pairs]


def test_what_has_no_alphabet_is_refused_in_one_line():
    ideographs = "".join(chr(0x4E00 + n) for n in range(800))
    with pytest.raises(InputError, match="800 letters") as refused:
        make_twin([ideographs], "zh")
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="valid: same, inverted, permuted"):
        make_twin(TEXTS, "en", order="mixed")
    with pytest.raises(InputError, match="stray"):
        make_twin(["ᐁ a"], "en")
