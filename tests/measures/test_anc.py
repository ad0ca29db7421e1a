"""Average neuron-wise correlation against numpy and scipy, and what it does and does not ignore."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures import anc
from analysis.measures.anc import SPEC, AncSettings, neuron_correlations
from analysis.records import resamples
from tests.measures.geometry import noisy_sentences, rotation, sentences, spread_against_width, with_vectors
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast


def by_corrcoef(x, y):
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(x.T.astype(float), y.T.astype(float))])


@pytest.mark.parametrize("make", [noisy_words, noisy_sentences])
def test_it_is_the_mean_pearson_correlation_of_each_neuron(make):
    from scipy.stats import pearsonr

    space = make()
    expected = by_corrcoef(space.source, space.target)
    assert expected[0] == pytest.approx(pearsonr(space.source[:, 0], space.target[:, 0]).statistic, rel=1e-5)
    result = SPEC.compute(space)
    assert result.items["correlation"] == pytest.approx(expected, abs=1e-6)
    assert result.score == result.parts["signed"] == pytest.approx(expected.mean(), abs=1e-6)
    assert result.parts["absolute"] == pytest.approx(np.abs(expected).mean(), abs=1e-6)
    assert result.parts["neurons"] == len(expected)
    assert result.items["neuron"] == list(range(len(expected)))


def test_signs_count_unless_absolute_is_wanted():
    space = noisy_sentences(noise=0.2)
    flipped = with_vectors(space, target=space.target * np.array([1, -1, 1, -1, 1, -1], dtype=np.float32))
    assert abs(SPEC.compute(flipped).score) < 0.1
    absolute = SPEC.compute(flipped, AncSettings(absolute=True))
    assert absolute.score == absolute.parts["absolute"] > 0.9
    assert absolute.parts["shuffled"] > SPEC.compute(flipped).parts["shuffled"]


@given(st.integers(0, 999), st.floats(0.01, 100), st.floats(-50, 50))
@settings(max_examples=25)
def test_each_neuron_may_be_stretched_and_shifted_and_both_sides_reordered(seed, scale, shift):
    x, y = np.random.default_rng(seed).standard_normal((2, 20, 5))
    generator = np.random.default_rng(seed)
    before = neuron_correlations(x, y)
    assert neuron_correlations(scale * x + shift, y * generator.uniform(0.1, 9, 5)) == pytest.approx(before, abs=1e-7)
    rows, neurons = generator.permutation(20), generator.permutation(5)
    assert neuron_correlations(x[rows], y[rows]) == pytest.approx(before, abs=1e-9)
    assert neuron_correlations(y, x) == pytest.approx(before, abs=1e-12)
    assert neuron_correlations(x[:, neurons], y[:, neurons]) == pytest.approx(before[neurons], abs=1e-12)
    assert neuron_correlations(x, -x) == pytest.approx(-1)


@given(st.integers(0, 999))
@settings(max_examples=25)
def test_a_rotation_of_one_side_is_not_ignored(seed):
    space = noisy_sentences(noise=0.3, dim=8, seed=seed)
    turned = with_vectors(space, target=space.target @ rotation(8, seed).astype(np.float32))
    assert SPEC.compute(turned).score < SPEC.compute(space).score - 0.2


def test_a_joint_rotation_is_another_number():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((60, 6)) * np.linspace(0.1, 3, 6)
    space = sentences(x, x + generator.standard_normal((60, 6)))
    turn = rotation(6)
    turned = with_vectors(space, (space.source @ turn).astype("f4"), (space.target @ turn).astype("f4"))
    assert abs(SPEC.compute(turned).score - SPEC.compute(space).score) > 0.05


def test_neurons_that_do_not_vary_are_left_out():
    space = noisy_sentences()
    source, target = space.source.copy(), space.target.copy()
    source[:, 1], target[:, 4] = 0.1, 1e6
    result = SPEC.compute(with_vectors(space, source, target))
    kept = [0, 2, 3, 5]
    assert result.score == pytest.approx(by_corrcoef(source[:, kept], target[:, kept]).mean(), abs=1e-6)
    assert result.parts["neurons"] == 4
    assert result.items["correlation"][1] is None
    assert "2 of 6 neurons do not vary" in result.note
    source[:, kept] = 3
    source[:, 4] = np.arange(60)
    assert "along any one neuron" in SPEC.compute(with_vectors(space, source, target)).note


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("block", [1, 4, 64])
def test_replicates_are_the_score_of_each_resample_whatever_the_block(absolute, block, monkeypatch):
    monkeypatch.setattr(anc, "NEURONS", block)
    space = noisy_words(rows=12, words=3)
    result = SPEC.compute(space, AncSettings(absolute=absolute), seed=4)
    for k in range(0, 1000, 100):
        drawn = np.repeat(np.arange(36), resamples(12, 4)[k].astype(int)[space.source_units.sentence])
        direct = by_corrcoef(space.source[drawn], space.target[drawn])
        expected = np.abs(direct).mean() if absolute else direct.mean()
        assert result.replicates[k] == pytest.approx(expected, abs=1e-5)


def test_the_width_of_the_interval_is_about_right():
    assert 0.7 < spread_against_width(SPEC.compute, lambda seed: noisy_words(rows=40, noise=1, seed=seed)) < 1.5
