"""Word retrieval on worked examples, against brute force, and under what must not change it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures.word_retrieval import SPEC, WordRetrievalSettings
from analysis.records import compare, resamples
from analysis.text.pharaoh import Links
from tests.measures.spaces import bitext, diagonal, noisy_words, word_space

pytestmark = pytest.mark.fast


def worked():
    """Two pairs; the word `c` finds its own other occurrence, everything else is right."""
    text = bitext(["a b", "c d"], ["A B", "C D"], diagonal(2, 2))
    source = np.eye(4)
    target = np.eye(4)
    target[2] = [0.9, 0, 0.5, 0]  # C is nearer to a than to c
    return text, source, target


def test_a_worked_example():
    result = SPEC.compute(word_space(*worked()))
    # Forward all four are right: c's nearest is C (0.49) and a's nearest is A (1.0). Backward C finds a.
    assert result.parts["forward"] == 100
    assert result.parts["backward"] == 75
    assert result.score == 87.5
    assert result.n == 4
    wrong = [k for k, hit in enumerate(result.items["cosine_hit"]) if not hit]
    assert [(result.items["word"][k], result.items["gold"][k], result.items["found"][k]) for k in wrong] == [
        ("C", "c", "a")
    ]
    assert [(result.items["row"][k], result.items["found_row"][k]) for k in wrong] == [(1, 0)]


def test_another_occurrence_of_the_same_word_is_a_miss():
    text = bitext(["x", "x"], ["X", "X"], diagonal(2, 1))
    same = np.array([[1.0, 0], [1.0, 0]])
    result = SPEC.compute(word_space(text, same, same))
    assert result.score == 50  # both queries of a direction find the first occurrence


def by_brute_force(space, csls_k=None):
    """Percent of hits, mean of both directions, with plain loops over queries."""
    unit = [
        x / np.linalg.norm(x, axis=1, keepdims=True) for x in (space.source.astype(float), space.target.astype(float))
    ]
    links = [(n, i, j) for n, pair in enumerate(space.links) for i, j in sorted(pair.one_to_one())]
    at = lambda units, n, k: int(np.flatnonzero((units.sentence == n) & (units.position == k))[0])
    pairs = [(at(space.source_units, n, i), at(space.target_units, n, j)) for n, i, j in links]
    hits = 0
    for one, other, x, y in ((0, 1, *unit), (1, 0, *unit[::-1])):
        cosine = x[[pair[one] for pair in pairs]] @ y.T
        score = cosine if csls_k is None else 2 * cosine - -np.sort(-cosine, axis=0)[:csls_k].mean(axis=0)
        hits += sum(int(np.argmax(score[q])) == pair[other] for q, pair in enumerate(pairs))
    return 100 * hits / (2 * len(pairs))


@pytest.mark.parametrize("noise", [0.3, 0.8, 1.5])
def test_both_scores_equal_brute_force(noise):
    space = noisy_words(rows=30, noise=noise)
    result = SPEC.compute(space, WordRetrievalSettings(csls_k=3))
    assert result.score == pytest.approx(by_brute_force(space))
    assert result.parts["csls"] == pytest.approx(by_brute_force(space, 3))
    csls = SPEC.compute(space, WordRetrievalSettings(score="csls", csls_k=3))
    assert csls.score == pytest.approx(result.parts["csls"])
    assert csls.parts["cosine"] == pytest.approx(result.score)


def test_words_in_several_links_are_candidates_but_no_queries():
    text = bitext(["a b c"], ["A B"], [Links(frozenset({(0, 0), (1, 1), (2, 1)}))])
    space = word_space(text, np.eye(3), np.array([[0.1, 1, 0], [0, 1, 0]]))
    result = SPEC.compute(space)
    assert result.n == 1
    assert result.parts["forward"] == 100
    assert result.parts["backward"] == 0  # A finds b, which is a candidate
    aligned = SPEC.compute(space, WordRetrievalSettings(pool_candidates="aligned"))
    assert aligned.score == 100


def test_possible_links_make_no_queries():
    text = bitext(["a b"], ["A B"], [Links(frozenset({(0, 0)}), frozenset({(1, 1)}))])
    assert SPEC.compute(word_space(text, np.eye(2), np.eye(2))).n == 1


def test_identical_strings_are_counted_and_dropped():
    text = bitext(["2024 b", "c d"], ["2024 B", "C D"], diagonal(2, 2))
    target = np.eye(4)[[0, 2, 1, 3]]
    space = word_space(text, np.eye(4), target)
    result = SPEC.compute(space)
    assert result.parts["identical_share"] == 25
    assert (result.score, result.parts["without_identical"]) == (50, pytest.approx(100 / 3))
    dropped = SPEC.compute(space, WordRetrievalSettings(drop_identical=True))
    assert dropped.score == pytest.approx(result.parts["without_identical"])
    assert (dropped.n, dropped.parts["with_identical"]) == (3, None)
    everything = bitext(["a"], ["a"], diagonal(1, 1))
    none = SPEC.compute(word_space(everything, np.eye(1), np.eye(1)), WordRetrievalSettings(drop_identical=True))
    assert none.score is None
    assert none.note


@given(st.integers(0, 999))
@settings(max_examples=15, deadline=None)
def test_a_joint_rotation_and_scales_change_nothing(seed):
    space = noisy_words(seed=seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((8, 8)))[0]
    turned = replace(space, source=2 * space.source @ turn, target=0.1 * space.target @ turn)
    plain, rotated = SPEC.compute(space), SPEC.compute(turned)
    assert rotated.score == pytest.approx(plain.score, abs=100 / plain.n)
    assert rotated.parts["csls"] == pytest.approx(plain.parts["csls"], abs=100 / plain.n)


def test_the_order_of_units_changes_nothing():
    space = noisy_words()
    order = np.random.default_rng(5).permutation(len(space.source_units))
    shuffled = replace(space, source=space.source[order], source_units=space.source_units.take(order))
    assert SPEC.compute(shuffled).score == SPEC.compute(space).score
    assert SPEC.compute(shuffled).items["cosine_hit"] == SPEC.compute(space).items["cosine_hit"]


def test_exchanging_the_sides_exchanges_the_directions():
    space = noisy_words()
    flipped = replace(
        space, source=space.target, source_units=space.target_units, target=space.source,
        target_units=space.source_units, links=tuple(pair.flipped() for pair in space.links),
    )  # fmt: skip
    there, back = SPEC.compute(space), SPEC.compute(flipped)
    assert there.score == pytest.approx(back.score)
    assert there.parts["forward"] == back.parts["backward"]


def test_the_interval_is_that_of_sentences_drawn_again():
    space = noisy_words(rows=25)
    result = SPEC.compute(space, seed=7)
    rows, hits = np.array(result.items["row"]), np.array(result.items["cosine_hit"])
    replicates = []
    for counts in resamples(space.rows, 7).astype(int):
        drawn = np.repeat(np.arange(space.rows), counts)
        replicates.append(100 * np.mean(np.concatenate([hits[rows == row] for row in drawn])))
    assert np.allclose(result.replicates, replicates, atol=1e-3)
    assert (result.low, result.high) == pytest.approx(tuple(np.quantile(replicates, [0.025, 0.975])), abs=1e-3)
    assert result.low < result.score < result.high


def test_a_better_encoder_wins_the_paired_test():
    bad, good = SPEC.compute(noisy_words(rows=60, noise=1.5)), SPEC.compute(noisy_words(rows=60, noise=0.3))
    good = replace(good, provenance=bad.provenance)
    comparison = compare(bad, good)
    assert comparison.difference == pytest.approx(good.score - bad.score)
    assert comparison.significant
    assert not compare(bad, bad).significant


def test_words_without_a_vector_miss_and_are_named():
    space = noisy_words(rows=5, noise=0)
    source = space.source.copy()
    source[0], source[1] = 0, np.nan
    result = SPEC.compute(replace(space, source=source))
    assert result.n == 20
    assert result.score == 90
    assert "2 of 20 links have a word without a vector" in result.note


def test_nothing_to_score_is_a_note():
    text = bitext(["a"], ["A"], [Links()])
    result = SPEC.compute(word_space(text, np.eye(1), np.eye(1)))
    assert (result.score, result.low) == (None, None)
    assert "no one-to-one links" in result.note


def test_one_pair_has_no_interval():
    result = SPEC.compute(word_space(bitext(["a"], ["A"], diagonal(1, 1)), np.eye(1), np.eye(1)))
    assert (result.score, result.low, result.high) == (100, None, None)
    assert "one sentence pair gives no interval" in result.note


def test_missing_needs_are_named():
    space = noisy_words()
    with pytest.raises(InputError, match="no word links: pass --links FILE"):
        SPEC.compute(replace(space, links=None))
    with pytest.raises(InputError, match="word_retrieval needs vectors of word units, got subword"):
        SPEC.compute(replace(space, unit=Unit.SUBWORD))
    with pytest.raises(InputError, match="unknown score 'euclid'"):
        SPEC.compute(space, WordRetrievalSettings(score="euclid"))


def test_links_to_words_that_are_not_there_are_left_out():
    text = bitext(["a b"], ["A B"], [Links(frozenset({(0, 0), (1, 7)}))])
    result = SPEC.compute(word_space(text, np.eye(2), np.eye(2)))
    assert result.n == 1
    assert "1 links point at words that are not there" in result.note
