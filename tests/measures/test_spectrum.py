"""Effective rank and IsoScore against numpy and the package IsoScore, and how variance is resampled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures import effective_rank, isoscore
from analysis.measures._parts.spectrum import effective_dimensions, participation, resampled_variances, spectrum_of
from analysis.measures.effective_rank import EffectiveRankSettings, rank_of
from analysis.measures.isoscore import isoscore_of
from analysis.records import resamples
from tests.measures.geometry import noisy_sentences, rotation, sentences, spread_against_width, with_vectors
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast
RANK, ISOSCORE = effective_rank.SPEC, isoscore.SPEC


def cloud(n, dim, seed=0, low=0.1):
    """Vectors away from the origin with unequal spread."""
    generator = np.random.default_rng(seed)
    return (generator.standard_normal((n, dim)) * np.linspace(low, 3, dim)) @ rotation(dim, seed) + 4


def rank_by_svd(x, squared=False):
    sizes = np.linalg.svd(x - x.mean(0), compute_uv=False)
    shares = sizes ** (2 if squared else 1)
    shares = shares[shares > 1e-9 * shares.max()] / shares.sum()
    return np.exp(-np.sum(shares * np.log(shares)))


@pytest.mark.parametrize(("n", "dim"), [(50, 8), (6, 20), (9, 9), (300, 2)])
def test_a_spectrum_holds_the_eigenvalues_and_axes_of_the_covariance(n, dim):
    x = cloud(n, dim)
    found = spectrum_of(x)
    expected = np.linalg.eigvalsh(np.atleast_2d(np.cov(x.T, bias=True)))[::-1]
    assert found.variances == pytest.approx(expected, abs=1e-9)
    assert len(found.axes) == min(n - 1, dim)
    assert np.allclose(found.axes @ found.axes.T, np.eye(len(found.axes)), atol=1e-7)
    assert ((x - x.mean(0)) @ found.axes.T).var(axis=0) == pytest.approx(found.variances[: len(found.axes)], rel=1e-6)
    assert found.share(1) == pytest.approx(expected[0] / expected.sum())
    assert found.share(dim) == pytest.approx(1)


def test_nothing_varies_in_one_vector_or_equal_ones():
    for x in (np.ones((1, 3)), np.full((9, 3), 0.1, np.float32), np.full((2, 7), 1e-20)):
        found = spectrum_of(x)
        assert not found.variances.any()
        assert np.isnan(found.share(1))
        assert np.isnan(rank_of(found.variances))
        assert np.isnan(participation(found.variances))


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_k_directions_used_alike_have_rank_k_and_their_isoscore(dim):
    ball = np.zeros((2 * dim, 7))
    ball[np.arange(2 * dim), np.repeat(np.arange(dim), 2)] = np.tile([1, -1], dim)
    variances = spectrum_of(ball @ rotation(7) + 3).variances
    assert rank_of(variances) == pytest.approx(dim)
    assert rank_of(variances, "eigenvalues") == pytest.approx(dim)
    assert isoscore_of(variances, 7) == pytest.approx((dim - 1) / 6, abs=1e-9)


def test_weights_that_are_all_zero_have_no_rank():
    assert np.isnan(effective_dimensions(np.zeros((2, 3)))).all()
    assert effective_dimensions(np.array([[2.0, 2, 0], [1, 0, 0]])) == pytest.approx([2, 1])


@pytest.mark.parametrize("squared", [False, True])
def test_the_measure_is_the_entropy_of_normalised_singular_values(squared):
    space = sentences(cloud(40, 6), cloud(40, 6, seed=1))
    result = RANK.compute(space, EffectiveRankSettings(of="eigenvalues" if squared else "singular values"))
    x, y = space.source.astype(float), space.target.astype(float)
    assert result.score == pytest.approx(rank_by_svd(np.vstack([x, y]), squared), rel=1e-5)
    assert result.parts["source"] == pytest.approx(rank_by_svd(x, squared), rel=1e-5)
    assert result.parts["target"] == pytest.approx(rank_by_svd(y, squared), rel=1e-5)
    variances = np.linalg.eigvalsh(np.cov(x.T))
    assert result.parts["top1_source"] == pytest.approx(variances.max() / variances.sum(), rel=1e-5)
    assert result.parts["top10_pooled"] == pytest.approx(1)
    assert sum(result.items["pooled"]) == pytest.approx(1)
    assert result.items["component"] == [1, 2, 3, 4, 5, 6]
    assert 1 <= result.score <= 6


@pytest.mark.parametrize(("n", "dim"), [(50, 8), (8, 20), (200, 3)])
def test_isoscore_equals_the_package(n, dim):
    from IsoScore.IsoScore import IsoScore

    x, y = cloud(n, dim), cloud(n, dim, seed=1)
    result = ISOSCORE.compute(sentences(x, y))
    # The package takes square roots of the dimension in single precision.
    assert result.score == pytest.approx(IsoScore(np.vstack([x, y])).item(), abs=1e-5)
    assert result.parts["source"] == pytest.approx(IsoScore(x).item(), abs=1e-5)
    assert result.parts["target"] == pytest.approx(IsoScore(y).item(), abs=1e-5)


@pytest.mark.parametrize("measure", [RANK, ISOSCORE], ids=lambda measure: measure.name)
@given(st.integers(0, 999), st.floats(0.01, 100))
@settings(max_examples=20)
def test_rotation_scale_shift_and_order_change_nothing(measure, seed, scale):
    space = sentences(cloud(30, 5, seed), cloud(30, 5, seed + 1))
    turn = scale * rotation(5, seed)
    before = measure.compute(space)
    after = measure.compute(with_vectors(space, space.source @ turn + 7, space.target @ turn + 7))
    assert after.score == pytest.approx(before.score, rel=1e-4)
    assert after.parts["source"] == pytest.approx(before.parts["source"], rel=1e-4)
    order = np.random.default_rng(seed).permutation(30)
    again = measure.compute(sentences(space.source[order], space.target[order]))
    assert again.score == pytest.approx(before.score, rel=1e-6)


def test_resampled_variances_are_those_along_the_axes_of_the_whole():
    x = cloud(24, 4)
    cluster = np.repeat(np.arange(12), 2)
    spectrum = spectrum_of(x)
    found = resampled_variances(spectrum, x, cluster, 12, seed=3)
    for k in range(0, 1000, 250):
        drawn = np.repeat(np.arange(24), resamples(12, 3)[k].astype(int)[cluster])
        assert found[k] == pytest.approx((x[drawn] @ spectrum.axes.T).var(axis=0), rel=1e-6)


@pytest.mark.parametrize("score", [rank_of, lambda variances: isoscore_of(variances, 5)], ids=["rank", "isoscore"])
def test_keeping_the_axes_moves_replicates_as_new_axes_do(score):
    x = cloud(150, 5, low=0.5)
    kept = score(resampled_variances(spectrum_of(x), x, np.arange(150), 150))[:200]
    drawn = [np.repeat(np.arange(150), counts.astype(int)) for counts in resamples(150)[:200]]
    direct = np.array([score(spectrum_of(x[index]).variances) for index in drawn])
    assert np.corrcoef(kept, direct)[0, 1] > 0.9
    assert np.std(kept) == pytest.approx(np.std(direct), rel=0.25)


@pytest.mark.parametrize("measure", [RANK, ISOSCORE], ids=lambda measure: measure.name)
def test_too_few_vectors_for_the_space_are_a_note(measure):
    assert "14 vectors span at most 13 of 20 dimensions" in measure.compute(noisy_sentences(7, 20)).note
    assert "span" not in measure.compute(noisy_words()).note
    assert measure.higher_is_better is None


def test_one_dimension_has_no_isoscore():
    assert "two dimensions" in ISOSCORE.compute(noisy_sentences(9, 1)).note
    assert RANK.compute(noisy_sentences(9, 1)).score == pytest.approx(1)


@pytest.mark.parametrize("measure", [RANK, ISOSCORE], ids=lambda measure: measure.name)
def test_the_width_of_the_interval_is_about_right(measure):
    def make(seed):
        generator = np.random.default_rng(seed)
        return sentences(*(generator.standard_normal((2, 80, 5)) * np.linspace(0.5, 3, 5)))

    assert 0.7 < spread_against_width(measure.compute, make) < 1.5
