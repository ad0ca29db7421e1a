"""Which units a picture shows, which translate each other, and how far languages mix."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.projection.mixing import language_mixing
from analysis.projection.units import choose_units, example_concepts, find_text, gather, sentence_of, translation_lines
from analysis.text.corpus import Corpus, Sentence

pytestmark = pytest.mark.fast


def sentence(text, tag, concepts=(), senses=()):
    made = Sentence.from_words(text.split(), tag)
    return Sentence(made.text, tag, made.spans, concepts, senses)


@pytest.fixture
def corpus():
    rows = (
        {
            "en": sentence("the bank opened", "en", (0, 1, 2), ("", "bank (money)", "open")),
            "de": sentence("die Bank öffnete", "de", (0, 1, 2), ("", "bank (money)", "open")),
            "fr": sentence("la banque ouvrit", "fr", (0, 1, 2), ("", "bank (money)", "open")),
        },
        {
            "de": sentence("Ufer", "de", (1,), ("bank (river)",)),
            "fr": sentence("une rive", "fr", (0, 1), ("", "bank (river)")),
        },
    )
    return Corpus("made", "Made", rows, ("r1", "r2"), ("x", "y"))


def test_units_point_into_the_vectors_of_their_language(corpus):
    shown = choose_units(corpus, ["en", "de", "fr", "xx"])
    assert len(shown) == shown.total == 12
    vectors = {
        tag: np.array(
            [[hash(word) % 97, n] for n, word in enumerate(w for s in corpus.sentences(tag) for w in s.words)]
        )
        for tag in ("en", "de", "fr")
    }
    found = gather(shown, vectors)
    for number, text in enumerate(shown.text):
        assert found[number, 0] == hash(text) % 97
        assert sentence_of(corpus, shown, number).words[shown.position[number]] == text


def test_lines_join_a_row_s_first_language_to_the_others(corpus):
    shown = choose_units(corpus, ["en", "de", "fr"], concepts_only=True)
    lines = {frozenset((shown.text[a], shown.text[b])) for a, b in translation_lines(corpus, shown, ["en", "de", "fr"])}
    assert lines == {
        frozenset(pair)
        for pair in (
            ("bank", "Bank"),
            ("bank", "banque"),
            ("opened", "öffnete"),
            ("opened", "ouvrit"),
            ("Ufer", "rive"),
        )
    }


def test_sentences_are_joined_by_their_row(corpus):
    shown = choose_units(corpus, ["en", "de", "fr"], unit="sentence")
    lines = translation_lines(corpus, shown, ["en", "de", "fr"], unit="sentence")
    assert sorted((shown.language[a], shown.language[b], int(shown.row[a])) for a, b in lines) == [
        ("de", "fr", 1), ("en", "de", 0), ("en", "fr", 0),
    ]  # fmt: skip


def test_a_sample_keeps_whole_rows_and_is_the_same_every_time():
    rows = tuple({tag: sentence("a b c", tag) for tag in ("en", "de")} for _ in range(50))
    corpus = Corpus("many", "Many", rows, tuple(map(str, range(50))))
    shown = choose_units(corpus, ["en", "de"], limit=100)
    assert 90 < len(shown) <= 100
    assert shown.total == 300
    assert set(np.bincount(shown.row).tolist()) == {0, 6}
    assert np.array_equal(shown.row, choose_units(corpus, ["en", "de"], limit=100).row)
    single = choose_units(Corpus("one", "One", rows[:1], ("0",)), ["en", "de"], limit=4)
    assert len(single) == 4
    assert sorted(single.language) == ["de", "de", "en", "en"]


def test_a_corpus_without_the_languages_is_bad_input(corpus):
    with pytest.raises(InputError, match="has none of xx"):
        choose_units(corpus, ["xx"])


def test_finding_a_word_finds_its_translations(corpus):
    shown = choose_units(corpus, ["en", "de", "fr"])
    lines = translation_lines(corpus, shown, ["en", "de", "fr"])
    found = lambda query: {shown.text[n] for n in np.flatnonzero(find_text(shown, lines, query))}
    assert found("BANQUE") == {"bank", "Bank", "banque"}
    assert found("bank (river)") == {"Ufer", "rive"}
    assert found("ouv") == {"opened", "öffnete", "ouvrit"}
    assert found("<b>") == set()


def test_examples_are_ambiguous_senses_first(corpus):
    shown = choose_units(corpus, ["en", "de", "fr"])
    lines = translation_lines(corpus, shown, ["en", "de", "fr"])
    chosen = example_concepts(shown, lines, 1)
    assert {shown.text[n] for n in np.flatnonzero(chosen)} == {"bank", "Bank", "banque"}


def test_mixing_counts_neighbours_in_other_languages():
    languages, rows = ["en"] * 3 + ["de"] * 3, np.array([0, 1, 2, 0, 1, 2])
    apart = np.array([[1, 0.0], [1, 0.01], [1, -0.01], [-1, 0.0], [-1, 0.01], [-1, -0.01]])
    result = language_mixing(apart, languages, rows, k=2)
    assert result.score == 0
    assert result.parts["chance"] == pytest.approx(60)
    # Each word's nearest two: its translation, on the same spot, and one more of either language.
    together = np.array([[1, 0], [0, 1], [-1, 0], [1, 0], [0, 1], [-1, 0]], dtype=float)
    assert language_mixing(together, languages, rows, k=2).score >= 50
    assert language_mixing(apart[:3], languages[:3], rows[:3]).score is None
    assert language_mixing(np.full((6, 2), np.nan), languages, rows).score is None
