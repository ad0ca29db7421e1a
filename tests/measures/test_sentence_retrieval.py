"""Sentence retrieval on worked examples and against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures.sentence_retrieval import SPEC, SentenceRetrievalSettings
from tests.measures.spaces import bitext, sentence_space

pytestmark = pytest.mark.fast


def noisy(rows=40, dim=6, noise=0.8, seed=0):
    """Sentence pairs, the target's vectors those of the source with noise."""
    generator = np.random.default_rng(seed)
    text = bitext([f"s {n}" for n in range(rows)], [f"t {n}" for n in range(rows)])
    values = generator.standard_normal((rows, dim))
    return sentence_space(text, values, values + noise * generator.standard_normal(values.shape))


def test_scores_equal_brute_force():
    space = noisy()
    x, y = (v.astype(float) / np.linalg.norm(v, axis=1, keepdims=True) for v in (space.source, space.target))
    cosine = x @ y.T
    gold = np.arange(len(x))
    result = SPEC.compute(space)
    assert result.parts["forward"] == pytest.approx(100 * np.mean(cosine.argmax(1) == gold))
    assert result.parts["backward"] == pytest.approx(100 * np.mean(cosine.argmax(0) == gold))
    assert result.score == pytest.approx((result.parts["forward"] + result.parts["backward"]) / 2)
    forward = [1 / (1 + sum(cosine[n] > cosine[n, n])) for n in gold]
    backward = [1 / (1 + sum(cosine[:, n] > cosine[n, n])) for n in gold]
    assert result.parts["mrr"] == pytest.approx(np.mean(forward + backward))
    others = cosine[~np.eye(len(x), dtype=bool)]
    assert result.parts["margin"] == pytest.approx(np.diag(cosine).mean() - others.mean(), abs=1e-6)
    penalty = -np.sort(-cosine, axis=0)[:10].mean(axis=0)
    ahead = np.mean((2 * cosine - penalty).argmax(1) == gold)
    penalty = -np.sort(-cosine, axis=1)[:, :10].mean(axis=1)
    back = np.mean((2 * cosine.T - penalty).argmax(1) == gold)
    assert result.parts["csls"] == pytest.approx(50 * (ahead + back))
    assert SPEC.compute(space, SentenceRetrievalSettings(score="csls")).score == pytest.approx(result.parts["csls"])


def test_a_repeated_sentence_is_one_candidate():
    text = bitext(["yes", "yes", "no"], ["ja", "ja", "nein"])
    values = np.array([[1.0, 0], [1.0, 0], [0, 1.0]])
    result = SPEC.compute(sentence_space(text, values, values))
    assert result.score == 100
    assert result.parts["candidates_forward"] == 2
    assert result.items["found_row"][:3] == [0, 0, 2]
    assert "2 repeated sentences" in result.note


def test_rows_with_an_empty_side_are_left_out():
    space = noisy(rows=6, noise=0)
    kept = np.array([0, 1, 3, 4, 5])
    result = SPEC.compute(replace(space, target=space.target[kept], target_units=space.target_units.take(kept)))
    assert (result.n, result.score, result.clusters) == (5, 100, 6)
    nothing = replace(space, target=space.target[:0], target_units=space.target_units.take(kept[:0]))
    assert SPEC.compute(nothing).score is None


def test_a_sentence_without_a_vector_misses():
    space = noisy(rows=4, noise=0)
    source = space.source.copy()
    source[2] = np.nan
    result = SPEC.compute(replace(space, source=source))
    assert result.score == 75
    assert "1 of 4 pairs" in result.note


def test_word_vectors_are_refused():
    with pytest.raises(InputError, match="needs vectors of sentence units, got word"):
        SPEC.compute(replace(noisy(), unit=Unit.WORD))


def by_loops(score, x, y, k):
    """Scores of every pair, with plain formulas."""
    if score == "euclidean":
        return -((x[:, None] - y) ** 2).sum(axis=2)
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y)]
    cosine = unit[0] @ unit[1].T
    near = lambda matrix: -np.sort(-matrix, axis=1)[:, :k].mean(axis=1)
    return cosine / ((near(cosine)[:, None] + near(cosine.T)) / 2)


@pytest.mark.parametrize("score", ["euclidean", "ratio_margin"])
def test_other_scores_equal_plain_loops(score):
    space = noisy(noise=0.6)
    space = replace(space, source=space.source + 1, target=space.target + 1)
    result = SPEC.compute(space, SentenceRetrievalSettings(score=score))
    x, y = space.source.astype(float), space.target.astype(float)
    ahead, back = by_loops(score, x, y, 4), by_loops(score, y, x, 4)
    gold = np.arange(len(x))
    assert result.parts["forward"] == pytest.approx(100 * np.mean(ahead.argmax(1) == gold))
    assert result.parts["backward"] == pytest.approx(100 * np.mean(back.argmax(1) == gold))
    assert result.parts[score] == pytest.approx(result.score)
    places = [1 + (matrix > np.diag(matrix)[:, None]).sum(axis=1) for matrix in (ahead, back)]
    assert result.items["rank"] == [int(rank) for both in places for rank in both]
    assert result.parts["recall_at_5"] == pytest.approx(100 * np.mean([np.mean(rank <= 5) for rank in places]))
    plain = SPEC.compute(space)
    assert (result.parts["cosine"], result.parts["csls"]) == (plain.parts["cosine"], plain.parts["csls"])
    assert score not in plain.parts


def test_distance_minds_length_and_cosine_does_not():
    text = bitext(["a", "b"], ["A", "B"])
    space = sentence_space(text, np.array([[1.0, 0], [0, 1.0]]), np.array([[9.0, 1], [0, 1.0]]))
    assert SPEC.compute(space).score == 100
    euclid = SPEC.compute(space, SentenceRetrievalSettings(score="euclidean"))
    assert euclid.parts["forward"] == 50  # a is nearer to B than to A


def test_recall_at_k_with_what_chance_gives():
    result = SPEC.compute(noisy(rows=40, noise=1.5))
    ranks = np.array(result.items["rank"])
    for k in (1, 5, 10, 20):
        assert result.parts[f"recall_at_{k}"] == pytest.approx(100 * np.mean(ranks <= k))
        assert result.parts[f"chance_at_{k}"] == pytest.approx(100 * k / 40)
    assert result.parts["recall_at_1"] == pytest.approx(result.score)
    assert result.parts["recall_at_50"] is None  # of 40 candidates nothing can be missed
    assert result.parts["mrr"] == pytest.approx(np.mean(1 / ranks))


def test_chance_is_what_unrelated_vectors_reach():
    space = noisy(rows=200, noise=0)
    other = np.random.default_rng(9).standard_normal(space.target.shape).astype(np.float32)
    parts = SPEC.compute(replace(space, target=other)).parts
    assert parts["recall_at_20"] == pytest.approx(parts["chance_at_20"], abs=6)


@pytest.mark.parametrize("score", ["cosine", "csls", "euclidean", "ratio_margin"])
def test_centring_undoes_what_tells_languages_apart(score):
    space = noisy(rows=60, noise=0.3)
    shifted = replace(space, target=space.target + np.arange(6, dtype=np.float32))
    plain = SPEC.compute(space, SentenceRetrievalSettings(score=score, centre=True))
    centred = SPEC.compute(shifted, SentenceRetrievalSettings(score=score, centre=True))
    assert centred.score == pytest.approx(plain.score)
    assert centred.parts["uncentred"] == SPEC.compute(shifted, SentenceRetrievalSettings(score=score)).score
    assert centred.parts["uncentred"] < centred.score


def test_one_sentence_is_its_own_mean_and_has_no_direction():
    text = bitext(["a"], ["A"])
    result = SPEC.compute(sentence_space(text, [[1.0, 2]], [[3.0, 1]]), SentenceRetrievalSettings(centre=True))
    assert result.score == 0
    assert "1 of 1 pairs" in result.note


@given(st.integers(0, 999), st.sampled_from(["cosine", "csls", "euclidean", "ratio_margin"]))
@settings(max_examples=12, deadline=None)
def test_a_joint_rotation_and_one_scale_change_nothing(seed, score):
    space = noisy(rows=20, seed=seed)
    turn = 3 * np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 6)))[0]
    turned = replace(space, source=space.source @ turn, target=space.target @ turn)
    plain, moved = (SPEC.compute(one, SentenceRetrievalSettings(score=score)) for one in (space, turned))
    assert moved.score == pytest.approx(plain.score, abs=100 / plain.n)
