"""Rotation from a dictionary: types are means over text, pairs come from the lexicon, and a known map is found again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.alignment.method import AlignmentData
from analysis.alignment.pairs import PairSettings
from analysis.alignment.rotation import procrustes
from analysis.alignment.run import align
from analysis.alignment.types import type_means, word_pairs
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.settings import parse_settings
from analysis.text.corpus import Bitext, Sentence
from analysis.text.dictionary import Dictionary
from tests.tiny import TEXT

pytestmark = pytest.mark.fast
EN = ["the quick fox", "a bank account", "the lazy Dog jumps", "brown river bank", "The dog"]
ES = ["el perro salta", "la cuenta", "el rápido zorro", "el banco"]
LEXICON = (("perro", "dog"), ("zorro", "fox"), ("el", "the"), ("banco", "bank"), ("gato", "cat"), ("salta", "jumps"))


def sentences(texts, language):
    return tuple(Sentence.from_words(text.split(), language) for text in texts)


def data(entries=LEXICON, languages=("es", "en"), **options):
    """Monolingual text in both languages with a dictionary."""
    text = {"en": sentences(EN, "en"), "es": sentences(ES, "es")}
    lexicon = Dictionary(languages, tuple(entries), "words.tsv")
    return replace(AlignmentData(monolingual=text, dictionaries=(lexicon,)), **options)


def occurrences(encoder, texts, language, word, layer):
    """The vectors of a word wherever it stands, one by one."""
    found = encoder.words(sentences(texts, language))
    return found.layer(layer)[[n for n, text in enumerate(found.units.text) if text.casefold() == word]]


def test_a_type_is_the_mean_of_its_occurrences(tiny, cache, monkeypatch):
    monkeypatch.setattr("analysis.alignment.types.CHUNK", 2)
    encoder = load_encoder(tiny)
    found = type_means(encoder, sentences(EN, "en"), ["the", "bank", "dog", "cat"], [1, 3])
    assert list(found.rows) == ["bank", "dog", "the"]
    assert found.counts.tolist() == [2, 2, 3]
    assert found.vectors.shape == (2, 3, 16)
    for word, row in found.rows.items():
        for slot, layer in enumerate((1, 3)):
            by_hand = occurrences(encoder, EN, "en", word, layer).mean(axis=0)
            np.testing.assert_allclose(found.vectors[slot, row], by_hand, atol=1e-5)


def test_only_sentences_with_a_wanted_word_are_encoded_and_only_once(tiny, cache, monkeypatch):
    encoder, seen = load_encoder(tiny), []
    whole = encoder.words

    def words(some, **options):
        seen.extend(one.text for one in some)
        assert not options["cache"]
        return whole(some, **options)

    monkeypatch.setattr(encoder, "words", words)
    first = type_means(encoder, sentences(EN, "en"), ["bank"], [3])
    again = type_means(encoder, sentences(EN, "en"), ["bank"], [3])
    assert seen == ["a bank account", "brown river bank"]
    np.testing.assert_array_equal(first.vectors, again.vectors)


def test_pairs_come_from_the_lexicon_in_its_order(tiny, cache):
    encoder = load_encoder(tiny)
    told = []
    with Job.temporary(tick=lambda *now: told.append(now)) as job:
        ((language, found),) = word_pairs(encoder, data(), PairSettings(layers="2"), seed=0, say=str, job=job)
    assert language == "es"
    kept = [pair for pair in LEXICON if pair[0] != "gato"]
    assert found.source.shape == (1, len(kept), 16)
    for n, (a, b) in enumerate(kept):
        for side, texts, tag, word in ((found.source, ES, "es", a), (found.target, EN, "en", b)):
            by_hand = occurrences(encoder, texts, tag, word, 2).mean(axis=0)
            np.testing.assert_allclose(side[0, n], by_hand, atol=1e-5)
    assert told[-1] == (3, 3, "averaging word types over the text")
    # The other way round, the same dictionary gives the same pairs.
    flipped = data([(b, a) for a, b in LEXICON], ("en", "es"))
    ((_, same),) = word_pairs(encoder, flipped, PairSettings(layers="2"), seed=0, say=str)
    np.testing.assert_array_equal(same.source, found.source)


def test_filters(tiny, cache):
    encoder = load_encoder(tiny)

    def count(entries=LEXICON, **options):
        ((_, found),) = word_pairs(encoder, data(entries), PairSettings(**options), seed=0, say=str)
        return found.source.shape[1] if found else None

    assert count() == 5
    with pytest.raises(InputError, match="has 1 word pair of es whose words both occur in the text, too few"):
        count(min_count=2)  # only el and the occur twice
    both = (*LEXICON, ("el", "bank"), ("el", "the"), ("EL", "The"))
    assert count(both) == 6
    assert count(both, min_count=2) == 2
    text = {"en": sentences(["dog fox bar"], "en"), "es": sentences(["perro zorro bar"], "es")}
    same = data((("bar", "Bar"), ("perro", "dog"), ("zorro", "fox")), monolingual=text)
    ((_, found),) = word_pairs(encoder, same, PairSettings(drop_identical=True), seed=0, say=str)
    assert found.source.shape[1] == 2


def test_a_dictionary_makes_sentence_pairs_text_like_any_other(tiny, cache):
    encoder = load_encoder(tiny)
    pairs = Bitext("p", ("es", "en"), sentences(ES, "es"), sentences(EN[:4], "en"))
    split = data(bitexts=(pairs,), monolingual={"en": sentences(EN[4:], "en")})
    ((_, found),) = word_pairs(encoder, split, PairSettings(), seed=0, say=str)
    ((_, wanted),) = word_pairs(encoder, data(), PairSettings(), seed=0, say=str)
    np.testing.assert_allclose(found.source, wanted.source, atol=1e-5)
    told = []
    french = Bitext("f", ("fr", "en"), sentences(["le chien"], "fr"), sentences(["the dog"], "en"))
    list(word_pairs(encoder, data(bitexts=(french,)), PairSettings(), seed=0, say=told.append))
    assert told == ["fr: no dictionary, no map"]


class Turned:
    """A tiny encoder in which Spanish is English, rotated and moved."""

    def __init__(self, base, rotation, shift):
        self.base, self.rotation, self.shift = base, rotation, shift
        self.name, self.revision, self.dim, self.depth = "turned", "1", base.dim, base.depth
        self.check_layers = base.check_layers

    def words(self, some, **options):
        found = self.base.words(some, **options)
        spanish = np.array(found.units.language) == "es"
        values = found.values.copy()
        values[:, spanish] = values[:, spanish] @ self.rotation + self.shift
        return replace(found, values=values)


@pytest.mark.parametrize("method", ["rotation", "clbt"])
def test_a_known_rotation_is_found_again(tiny, cache, method):
    rng = np.random.default_rng(0)
    rotation, shift = procrustes(rng.normal(size=(40, 16)), rng.normal(size=(40, 16))), rng.normal(size=16)
    texts = [TEXT[0], TEXT[1], TEXT[2], TEXT[4], TEXT[6], *EN]
    words = sorted({word for text in texts for word in text.split()})
    known = AlignmentData(
        monolingual={tag: sentences(texts, tag) for tag in ("en", "es")},
        dictionaries=(Dictionary(("es", "en"), tuple((word, word) for word in words), "same"),),
    )
    spec = find("methods", method)
    chosen = ["layers=3", "precision=float32", *(["solver=svd"] if method == "clbt" else [])]
    turned = Turned(load_encoder(tiny), rotation, shift if method == "rotation" else 0)
    fitted = spec.fit(turned, known, parse_settings(spec.settings, chosen), say=str)
    np.testing.assert_allclose(fitted.tensors["es/3/weight"], rotation.T, atol=1e-4)
    if method == "rotation":
        moved = (fitted.tensors["es/3/mean"] - fitted.tensors["es/3/shift"] @ rotation) - shift
        np.testing.assert_allclose(moved, 0, atol=1e-4)


def test_the_new_encoder_maps_and_its_card_names_the_dictionary(tiny, cache, tmp_path):
    spec, known = find("methods", "rotation"), data()
    folder = align(
        spec, load_encoder(tiny), [], out=tmp_path / "new", settings=parse_settings(spec.settings, ["rank=2"]),
        monolingual=known.monolingual, dictionaries=known.dictionaries, say=str,
    )  # fmt: skip
    card = json.loads((folder / "isogloss.json").read_text())
    assert card["languages"] == ["es"]
    assert card["dictionaries"][0]["sha256"] == known.dictionaries[0].digest
    assert "word pairs, origin not stated (licence not stated; SHA-256 " in (folder / "README.md").read_text()
    plain, mapped = (load_encoder(name).words(sentences(ES, "es")).layer(3) for name in (tiny, str(folder)))
    assert not np.allclose(plain, mapped)


@pytest.mark.parametrize(("options", "settings", "says"), [
    ({"monolingual": {}}, {}, "a dictionary has words and no vectors; give text in es and en, one sentence a line: "
                              "--monolingual FILE"),
    ({"monolingual": {"en": sentences(EN, "en")}}, {}, "dictionary words.tsv is es-en, and there is no text in es but "
     "in en; add --monolingual FILE:es"),
    ({"dictionaries": (Dictionary(("es", "en"), (("gato", "cat"),), "d"),)}, {}, "dictionary d (1 entries, es-en) "
     "covers no word pair of the text, which is in en, es; give text in es and en with"),
    ({}, {"min_count": 50}, "covers no word pair of the text 50 times or more"),
    ({}, {"languages": "de"}, "unknown language of the dictionaries 'de'; valid: es"),
    ({"anchor": "de"}, {}, "words.tsv is es-en and lacks the anchor 'de'"),
    ({"dictionaries": ()}, {}, "--monolingual is of use here only with a dictionary; add --dictionary FILE"),
])  # fmt: skip
def test_refusals(tiny, cache, options, settings, says):
    with pytest.raises(InputError) as caught:
        list(word_pairs(load_encoder(tiny), data(**options), PairSettings(**settings), seed=0, say=str))
    assert str(caught.value).startswith(says) or says in str(caught.value)
    assert "\n" not in str(caught.value)
