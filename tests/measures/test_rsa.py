"""Representational similarity against scipy, its invariances, and the interval from halves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures.rsa import SPEC, RsaSettings, cosine_matrix
from analysis.scoring.resampled import half_samples
from tests.measures.geometry import noisy_sentences, rotation, sentences, spread_against_width, with_vectors
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast


def by_scipy(x, y):
    """Spearman and Pearson correlation of the cosine distances of all pairs of rows."""
    from scipy.spatial.distance import pdist
    from scipy.stats import pearsonr, spearmanr

    a, b = (pdist(side.astype(float), "cosine") for side in (x, y))
    return spearmanr(a, b).statistic, pearsonr(a, b).statistic


@pytest.mark.parametrize("make", [noisy_words, noisy_sentences])
def test_it_is_the_rank_correlation_of_scipy(make):
    space = make()
    spearman, pearson = by_scipy(space.source, space.target)
    result = SPEC.compute(space)
    n = len(space.source)
    assert result.score == result.parts["spearman"] == pytest.approx(spearman, abs=1e-6)
    assert result.parts["pearson"] == pytest.approx(pearson, abs=1e-6)
    assert (result.parts["n"], result.parts["similarities"]) == (n, n * (n - 1) // 2)
    other = SPEC.compute(space, RsaSettings(correlation="pearson"))
    assert other.score == result.parts["pearson"]
    assert other.parts["spearman"] == result.parts["spearman"]
    assert len(result.items["row"]) == n


def test_ties_share_their_rank():
    space = noisy_sentences(rows=12)
    source = np.repeat(space.source[:4], 3, axis=0)
    spearman = by_scipy(np.round(source, 3), space.target)[0]
    assert SPEC.compute(with_vectors(space, source=np.round(source, 3))).score == pytest.approx(spearman, abs=1e-3)
    above = cosine_matrix(source)[np.triu_indices(12, 1)]
    assert len(np.unique(above)) == 7  # six between the four vectors, and 1 within


@given(st.integers(0, 999), st.sampled_from(["spearman", "pearson"]))
@settings(max_examples=25)
def test_each_side_may_be_rotated_and_each_vector_scaled(seed, kind):
    space = noisy_sentences(rows=20, seed=seed)
    generator = np.random.default_rng(seed)
    lengths = generator.uniform(0.1, 10, (2, 20, 1))
    turned = with_vectors(
        space, lengths[0] * space.source @ rotation(6, seed), lengths[1] * space.target @ rotation(6, seed + 1)
    )
    options = RsaSettings(correlation=kind)
    before = SPEC.compute(space, options)
    after = SPEC.compute(turned, options)
    assert after.score == pytest.approx(before.score, abs=1e-3)
    assert after.parts["shuffled"] == pytest.approx(before.parts["shuffled"], abs=1e-3)
    order = generator.permutation(20)
    again = SPEC.compute(sentences(space.source[order], space.target[order]), options)
    assert again.score == pytest.approx(before.score, abs=1e-9)
    assert SPEC.compute(sentences(space.target, space.source), options).score == pytest.approx(before.score, abs=1e-9)


def test_the_same_geometry_scores_one_and_an_opposite_one_less_than_zero():
    x = np.random.default_rng(0).standard_normal((20, 5))
    assert SPEC.compute(sentences(x, 3 * x @ rotation(5))).score == pytest.approx(1, abs=1e-6)
    near, far = (np.array(angles)[:, None] for angles in ([0, 0.1, 1.5, 1.6], [0, 1.5, 0.1, 1.6]))
    planes = [np.hstack([np.cos(angle), np.sin(angle)]) for angle in (near, far)]
    assert SPEC.compute(sentences(*planes)).score < 0


@pytest.mark.parametrize("kind", ["spearman", "pearson"])
def test_replicates_are_the_correlation_within_each_half(kind):
    space = noisy_words(rows=12, words=3)
    result = SPEC.compute(space, RsaSettings(correlation=kind), seed=5)
    direct = []
    for half in half_samples(12, 5):
        items = half[space.source_units.sentence]
        direct.append(by_scipy(space.source[items], space.target[items])[0 if kind == "spearman" else 1])
    moved = result.score + np.array(direct) - np.mean(direct)
    # A half keeps the ranks of the whole, which are a little finer than its own.
    assert np.allclose(result.replicates, moved, atol=1e-5 if kind == "pearson" else 0.05)
    assert np.corrcoef(result.replicates, moved)[0, 1] > 0.98
    assert np.std(result.replicates) == pytest.approx(np.std(moved), rel=0.1)


def test_similarities_that_are_all_alike_have_no_score():
    space = noisy_sentences(rows=5, dim=5)
    result = SPEC.compute(with_vectors(space, source=np.eye(5, dtype=np.float32)))
    assert result.score is None
    assert "the similarities of one side do not vary" in result.note.replace("does", "do")


@pytest.mark.parametrize("kind", ["spearman", "pearson"])
def test_the_width_of_the_interval_is_about_right(kind):
    ratio = spread_against_width(
        lambda space: SPEC.compute(space, RsaSettings(correlation=kind)),
        lambda seed: noisy_words(rows=40, words=2, noise=1, seed=seed),
    )
    assert 0.7 < ratio < 1.5
