"""Sentence retrieval on worked examples and against brute force."""

from dataclasses import replace

import numpy as np
import pytest

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
