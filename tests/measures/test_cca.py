"""Canonical correlation against statsmodels and scipy, its invariances, and where it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.measures._parts.canonical import canonical, principal_side
from analysis.measures.cca import SPEC, CcaSettings
from analysis.scoring.resampled import half_samples
from tests.measures.geometry import noisy_sentences, rotation, sentences, spread_against_width, with_vectors
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast
LOOSE = {"per_dimension": 5}


def pair(n=80, dim_x=5, dim_y=7, noise=1.0, seed=0):
    """Two related representations of n items, away from the origin, of unequal spread."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, dim_x)) * np.linspace(0.2, 3, dim_x) + 2
    return x, x @ generator.standard_normal((dim_x, dim_y)) + noise * generator.standard_normal((n, dim_y)) - 3


def sides(x, y):
    return principal_side(x), principal_side(y)


def by_statsmodels(x, y):
    """Correlations and PWCCA by the canonical vectors of statsmodels."""
    from statsmodels.multivariate.cancorr import CanCorr

    x, y = x - x.mean(0), y - y.mean(0)
    fit = CanCorr(y, x)
    weighted = []
    for side, vectors in ((x, fit.x_cancoef), (y, fit.y_cancoef)):
        # One unit-length variate a column; its weight is the sum of absolute inner products with all neurons.
        weights = np.abs((side @ vectors).T @ side).sum(axis=1)[: len(fit.cancorr)]
        weighted.append(weights @ fit.cancorr / weights.sum())
    return fit.cancorr, np.mean(weighted)


@pytest.mark.parametrize(("dim_x", "dim_y"), [(5, 7), (7, 5), (6, 6), (1, 3)])
def test_correlations_and_weights_equal_statsmodels_and_scipy(dim_x, dim_y):
    from scipy.linalg import subspace_angles

    x, y = pair(dim_x=dim_x, dim_y=dim_y)
    found = canonical(*sides(x, y))
    correlations, weighted = by_statsmodels(x, y)
    assert found.correlations == pytest.approx(correlations, abs=1e-9)
    angles = np.sort(subspace_angles(x - x.mean(0), y - y.mean(0)))
    assert found.correlations == pytest.approx(np.cos(angles), abs=1e-9)
    assert found.projection_weighted == pytest.approx(weighted, abs=1e-9)
    assert found.weights_x.sum() == pytest.approx(1)


def test_svcca_is_cca_of_the_components_with_most_variance():
    x, y = pair(dim_x=8, dim_y=8, noise=0.5)
    reduced = []
    for side in (x, y):
        rows = side - side.mean(0)
        _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
        kept = 1 + int(np.argmax(np.cumsum(sizes**2) / np.sum(sizes**2) >= 0.9))
        reduced.append(rows @ axes[:kept].T)
    result = SPEC.compute(sentences(x, y), CcaSettings(variance=0.9, **LOOSE))
    assert result.score == pytest.approx(by_statsmodels(*reduced)[0].mean(), abs=1e-5)
    assert (result.parts["kept_source"], result.parts["kept_target"]) == tuple(side.shape[1] for side in reduced)
    assert result.parts["components_source"] == 8
    assert result.parts["kept_source"] < 8


@pytest.mark.parametrize("kind", ["mean", "pwcca"])
def test_the_measure_is_cca_of_linked_words(kind):
    space = noisy_words()
    result = SPEC.compute(space, CcaSettings(kind=kind))
    correlations, weighted = by_statsmodels(space.source.astype(float), space.target.astype(float))
    assert result.score == pytest.approx(correlations.mean() if kind == "mean" else weighted, abs=1e-5)
    assert result.items["correlation"] == pytest.approx(correlations, abs=1e-5)
    assert result.low < result.score < result.high
    assert (result.n, result.parts["n"], result.clusters) == (80, 80, 20)


@given(st.integers(0, 999), st.floats(0.01, 100))
@settings(max_examples=25)
def test_any_linear_map_of_either_side_changes_nothing(seed, scale):
    x, y = pair(60, 4, 5, seed=seed)
    generator = np.random.default_rng(seed)
    maps = [rotation(d, seed) @ np.diag(generator.uniform(0.3, 3, d)) @ rotation(d, seed + 1) for d in (4, 5)]
    before = canonical(*sides(x, y)).correlations
    after = canonical(*sides(scale * x @ maps[0] + 5, y @ maps[1] - 1)).correlations
    assert after == pytest.approx(before, abs=1e-7)
    order = generator.permutation(60)
    assert canonical(*sides(x[order], y[order])).correlations == pytest.approx(before, abs=1e-9)
    assert canonical(*sides(y, x)).correlations == pytest.approx(before, abs=1e-9)
    assert canonical(*sides(x, x @ maps[0])).correlations == pytest.approx(1)


@given(st.integers(0, 999), st.floats(0.01, 100))
@settings(max_examples=15)
def test_svcca_ignores_a_rotation_and_a_scale_of_one_side(seed, scale):
    space = noisy_sentences(seed=seed)
    turned = with_vectors(space, target=(scale * space.target @ rotation(6, seed)).astype(np.float32))
    before, after = (SPEC.compute(s, CcaSettings(variance=0.8)) for s in (space, turned))
    assert after.score == pytest.approx(before.score, abs=1e-4)
    assert after.parts["kept_target"] == before.parts["kept_target"]


def test_too_few_pairs_agree_by_construction_and_are_refused():
    x, y = np.random.default_rng(0).standard_normal((2, 13, 6))
    from scipy.linalg import subspace_angles

    assert np.cos(subspace_angles(x[:7] - x[:7].mean(0), y[:7] - y[:7].mean(0))) == pytest.approx(np.ones(6))
    for kind in ("mean", "pwcca"):
        result = SPEC.compute(sentences(x, y), CcaSettings(kind=kind))
        assert result.score is None
        assert "needs at least 60 pairs for 6 dimensions (10 each), got 13" in result.note
        assert "kind=svcca" in result.note
        assert SPEC.compute(sentences(x, y), CcaSettings(kind=kind, per_dimension=2)).score is not None
    with pytest.raises(InputError, match="per_dimension=1 is out of range"):
        SPEC.compute(sentences(x, y), CcaSettings(per_dimension=1))


def test_svcca_keeps_as_many_components_as_pairs_allow():
    x, y = np.random.default_rng(0).standard_normal((2, 33, 6))
    result = SPEC.compute(sentences(x, y))
    assert (result.parts["kept_source"], result.parts["kept_target"]) == (3, 3)
    assert "33 pairs allow 3 components (10 pairs each)" in result.note
    enough = SPEC.compute(noisy_sentences(80))
    assert enough.parts["kept_source"] == 6
    assert "allow" not in enough.note
    few = SPEC.compute(noisy_sentences(5))
    assert few.parts["kept_source"] == 1
    assert 0 <= few.score <= 1


def test_the_floor_falls_as_pairs_get_more():
    few, many = (SPEC.compute(noisy_sentences(rows), CcaSettings(kind="mean")) for rows in (60, 600))
    assert many.parts["shuffled"] < few.parts["shuffled"] / 2
    assert few.parts["shuffled"] > 0.15


def test_neurons_that_repeat_each_other_are_one():
    x, y = pair(dim_x=4, dim_y=4)
    wide = np.hstack([x, 2 * x[:, :2], np.full((80, 1), 3.0)])
    found = canonical(*sides(wide, y))
    assert len(found.correlations) == 4
    assert found.correlations == pytest.approx(canonical(*sides(x, y)).correlations, abs=1e-9)


@pytest.mark.parametrize("kind", ["svcca", "mean", "pwcca"])
def test_replicates_are_cca_of_halves_moved_onto_the_estimate(kind):
    space = noisy_sentences(80)
    result = SPEC.compute(space, CcaSettings(kind=kind, variance=1.0), seed=5)
    direct = []
    for half in half_samples(80, 5):
        correlations, weighted = by_statsmodels(*(side[half].astype(float) for side in (space.source, space.target)))
        direct.append(weighted if kind == "pwcca" else correlations.mean())
    assert np.allclose(result.replicates, result.score + np.array(direct) - np.mean(direct), atol=1e-5)


@pytest.mark.parametrize("kind", ["svcca", "mean", "pwcca"])
def test_the_width_of_the_interval_is_about_right(kind):
    options = CcaSettings(kind=kind, **LOOSE)
    ratio = spread_against_width(
        lambda space: SPEC.compute(space, options), lambda seed: noisy_sentences(100, 4, 1.2, seed)
    )
    assert 0.7 < ratio < 1.5
