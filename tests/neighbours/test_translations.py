"""Neighbours of one word: by hand, against the exact search, and under changes that must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.errors import InputError
from analysis.neighbours.exact import nearest, ranks
from analysis.neighbours.movers import pick_movers, rank_moves
from analysis.neighbours.rows import normalise_rows
from analysis.neighbours.translations import (
    Candidates,
    corpus_words,
    hubness,
    list_neighbours,
    rank_words,
    telling_position,
    telling_row,
    translations_of,
)
from analysis.text.corpus import Corpus, Sentence
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast


def candidates(vectors, texts=None, language="es"):
    n = len(vectors)
    texts = tuple(texts or (f"w{i}" for i in range(n)))
    return Candidates(language, normalise_rows(np.array(vectors, float)), np.arange(n), np.zeros(n, int), texts)


def marked(words, language, concepts, senses=()):
    sentence = Sentence.from_words(words, language)
    return Sentence(sentence.text, language, sentence.spans, tuple(concepts), tuple(senses))


@pytest.fixture
def corpus():
    rows = (
        {
            "en": marked(["the", "bank", "closed"], "en", [0, 1, 2], ["", "bank (money)", "close"]),
            "es": marked(["cerró", "el", "banco"], "es", [2, 0, 1], ["close", "", "bank (money)"]),
        },
        {"en": marked(["a", "word"], "en", [0, 0])},
        {"en": marked(["green", "bank"], "en", [1, 2]), "es": marked(["orilla", "del", "río"], "es", [2, 2, 2])},
    )
    return Corpus("t", "T", rows, ("a", "b", "c"), links_origin="made")


def vectors_of(sentences, values):
    sentence = np.array([n for n, s in enumerate(sentences) for _ in s.spans], np.int32)
    position = np.array([p for s in sentences for p in range(len(s.spans))], np.int32)
    texts = tuple(word for s in sentences for word in s.words)
    n = len(texts)
    units = Units(sentence, position, texts, position, position, ("x",) * n, np.zeros(n, bool))
    return Vectors(np.array(values, np.float32)[None], (3,), units, Unit.WORD)


def test_ranks_by_hand():
    found = rank_words(np.array([2.0, 0]), candidates([[1, 1], [1, 0], [0, 1], [-1, 0]]))
    assert found.order.tolist() == [1, 0, 2, 3]
    assert found.scores.tolist() == pytest.approx([1.0, 0.7071, 0.0, -1.0], abs=1e-4)
    assert found.ranks.tolist() == [2, 1, 3, 4]
    assert found.best_rank([0, 3]) == 2
    assert found.best_rank([]) is None


def test_a_word_type_has_the_rank_of_its_best_occurrence():
    words = candidates([[0, 1], [1, 0], [1, 1], [1, 0.1]], ["Bank", "rio", "bank", "del"])
    found = rank_words(np.array([1.0, 0]), words, once=True)
    assert [words.text[n] for n in found.order] == ["rio", "del", "bank"]
    assert found.ranks.tolist() == [3, 1, 3, 2]
    assert len(found) == 3


def test_words_without_a_vector_and_words_left_out_have_no_rank():
    words = candidates([[0, 0], [1, 0], [1, 1]])
    found = rank_words(np.array([1.0, 0]), words, leave_out=[1])
    assert found.order.tolist() == [2]
    assert found.ranks.tolist() == [0, 0, 1]
    assert found.best_rank([0, 1]) is None
    assert len(rank_words(np.zeros(2), words)) == 0


def test_equal_vectors_tie_to_the_lowest_index():
    row = np.random.default_rng(0).normal(size=16)
    assert rank_words(row, candidates([row] * 40)).order.tolist() == list(range(40))


@pytest.mark.parametrize("csls", [False, True])
def test_agrees_with_the_exact_search(csls):
    generator = np.random.default_rng(1)
    source, target = generator.normal(size=(30, 8)), generator.normal(size=(50, 8))
    here, there = candidates(source, language="en"), candidates(target)
    penalty = hubness(there, here, csls_k=5) if csls else None
    score = "csls" if csls else "cosine"
    exact = nearest(source, target, k=50, score=score, csls_k=5)
    places = ranks(source, target, np.arange(30), score=score, csls_k=5)
    for n in range(30):
        found = rank_words(source[n], there, penalty=penalty, csls_k=5)
        assert found.order.tolist() == exact.indices[n].tolist()
        np.testing.assert_allclose(found.scores, exact.scores[n], atol=2e-6)
        assert found.best_rank([n]) == places[n]


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_neither_scale_nor_order_matters(seed, scale):
    generator = np.random.default_rng(seed)
    vectors, query = generator.normal(size=(12, 4)), generator.normal(size=4)
    order = generator.permutation(12)
    plain = rank_words(query, candidates(vectors))
    other = rank_words(scale * query, candidates(3 * vectors[order]))
    assert order[other.order].tolist() == plain.order.tolist()
    assert sorted(plain.ranks.tolist()) == list(range(1, 13))


def test_hubness_of_many_words_is_drawn_with_a_seed(monkeypatch):
    monkeypatch.setattr("analysis.neighbours.translations.BACKGROUND", 10)
    generator = np.random.default_rng(2)
    here, there = candidates(generator.normal(size=(40, 4))), candidates(generator.normal(size=(5, 4)))
    once, again = hubness(there, here, seed=1), hubness(there, here, seed=1)
    assert (once == again).all()
    assert (once != hubness(there, here, seed=2)).any()


def test_lines_know_the_other_rank_and_the_translation():
    words = candidates([[1, 0], [0, 1], [1, 1]], ["uno", "dos", "tres"])
    a, b = rank_words(np.array([0.0, 1]), words), rank_words(np.array([1.0, 0]), words)
    lines = list_neighbours(b, words, k=2, other=a, translations=[2])
    assert [(line.rank, line.text, line.other_rank, line.translation) for line in lines] == [
        (1, "uno", 3, False), (2, "tres", 2, True),
    ]  # fmt: skip
    assert [line.other_rank for line in list_neighbours(a, words, k=1)] == [None]


def test_corpus_words_stand_in_their_rows(corpus):
    sentences = corpus.sentences("es")
    found = corpus_words(corpus, vectors_of(sentences, np.eye(6)), language="es", layer=3)
    assert found.row.tolist() == [0, 0, 0, 2, 2, 2]
    assert found.find(2, [0, 2]) == (3, 5)
    assert found.find(1, [0]) == ()
    wrong = vectors_of([*sentences, sentences[0]], np.eye(9))
    with pytest.raises(InputError, match="not of the 2 sentences of es"):
        corpus_words(corpus, wrong, language="es", layer=3)


def test_translations_share_a_concept_or_a_listed_link(corpus):
    assert translations_of(corpus, 0, "en", 1, "es") == (2,)
    assert translations_of(corpus, 0, "en", 0, "es") == ()
    assert translations_of(corpus, 2, "en", 1, "es") == (0, 1, 2)
    assert translations_of(corpus, 1, "en", 1, "es") == ()
    listed = Corpus(
        "l", "L", tuple({"en": Sentence.from_words(["a", "b"]), "de": Sentence.from_words(["x", "y"])} for _ in "1"),
        ("1",), links={("en", "de"): (Links(frozenset({(0, 1), (0, 0)})),)},
    )  # fmt: skip
    assert translations_of(listed, 0, "en", 0, "de") == (0, 1)
    assert translations_of(listed, 0, "de", 1, "en") == (0,)
    assert translations_of(listed, 0, "de", 5, "en") == ()


def test_terms_of_one_word_translate_each_other():
    rows = ({"en": Sentence.from_words(["May"]), "de": Sentence.from_words(["Mai"])},
            {"en": Sentence.from_words(["South", "Africa"]), "de": Sentence.from_words(["Südafrika"])})  # fmt: skip
    terms = Corpus("p", "P", rows, ("1", "2"), unit="phrase")
    assert translations_of(terms, 0, "en", 0, "de") == (0,)
    assert translations_of(terms, 1, "en", 0, "de") == ()


def test_a_telling_word_is_found(corpus):
    assert (telling_row(corpus, "en"), telling_position(corpus.rows[0]["en"])) == (0, 1)
    plain = Corpus("p", "P", ({"en": Sentence("", "en")}, {"en": Sentence.from_words(["x"])}), ("1", "2"))
    assert (telling_row(plain, "en"), telling_position(plain.rows[1]["en"])) == (1, 0)
    with pytest.raises(InputError, match="no sentence of fr"):
        telling_row(plain, "fr")


def test_movers_are_ranked_by_the_ratio_of_ranks(corpus):
    english, spanish = corpus.sentences("en"), corpus.sentences("es")
    a_en = corpus_words(corpus, vectors_of(english, np.eye(7)), language="en", layer=3)
    a_es = corpus_words(corpus, vectors_of(spanish, np.eye(7)[:6]), language="es", layer=3)
    perfect = np.eye(7)[[0, 2, 1, 0, 0, 4, 3]]  # each word where its Spanish translation lies
    perfect[[1, 2]] = np.eye(7)[[2, 0]]
    perfect[6] = np.eye(7)[3]
    b_en = corpus_words(corpus, vectors_of(english, perfect), language="en", layer=3)
    moves = rank_moves(corpus, (a_en, b_en), (a_es, a_es))
    assert [(move.row, move.position) for move in moves] == [(0, 1), (0, 2), (2, 1)]
    assert [move.after for move in moves] == [1, 1, 1]
    assert moves[0].before == 3
    assert moves[0].change == pytest.approx(np.log2(3))
    same = rank_moves(corpus, (a_en, a_en), (a_es, a_es))
    assert pick_movers(same) == []
    back = rank_moves(corpus, (b_en, a_en), (a_es, a_es))
    assert all(move.change < 0 for move in pick_movers(back))
    assert len(rank_moves(corpus, (a_en, b_en), (a_es, a_es), limit=2)) == 2
