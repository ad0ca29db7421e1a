"""Corpora cut down for pages, and text made fit for a browser."""

import pytest

from analysis.text.corpus import Corpus, Sentence
from analysis.text.display import displayable, displayable_corpus
from analysis.text.pharaoh import Links
from analysis.text.sample import first_words, sample_rows

pytestmark = pytest.mark.fast


def make(count):
    rows = tuple(
        {"en": Sentence.from_words(["a", str(n)], "en"), "de": Sentence.from_words([str(n)], "de")}
        for n in range(count)
    )
    links = {("en", "de"): tuple(Links(frozenset({(1, 0)})) for _ in range(count))}
    return Corpus("c", "C", rows, tuple(f"r{n}" for n in range(count)), tuple(str(n % 2) for n in range(count)), links)


def test_a_sample_of_rows_keeps_what_belongs_to_them():
    corpus = make(40)
    sample = sample_rows(corpus, 10)
    assert len(sample) == 10 == len(sample.links["en", "de"])
    for row_id, row, category in zip(sample.row_ids, sample.rows, sample.categories, strict=True):
        number = int(row_id[1:])
        assert row["en"].words[1] == str(number)
        assert category == str(number % 2)
    assert list(sample.row_ids) == sorted(sample.row_ids, key=lambda name: int(name[1:]))
    assert sample_rows(corpus, 10) == sample
    assert sample_rows(corpus, 40) is corpus


def test_a_sentence_is_cut_behind_a_word():
    sentence = Sentence("one two, three", "en", ((0, 3), (4, 7), (9, 14)), (1, 2, 3))
    cut = first_words(sentence, 2)
    assert cut.text == "one two"
    assert cut.words == ("one", "two")
    assert cut.concepts == (1, 2)
    assert first_words(sentence, 3) is sentence
    assert first_words(sentence, 0).words == ()


def test_lone_surrogates_are_replaced_and_offsets_stay():
    assert displayable("a\ud800b\U0001f600") == "a\ufffdb\U0001f600"
    odd = Corpus("o", "O", ({"en": Sentence("x \udfff y", "en", ((0, 1), (2, 3), (4, 5)))},), ("1",))
    shown = displayable_corpus(odd)
    assert shown.rows[0]["en"].words == ("x", "\ufffd", "y")
    shown.rows[0]["en"].text.encode("utf-8")
    corpus = make(2)
    assert displayable_corpus(corpus) is corpus
