"""The minibatch estimator of CKA against a published package, its invariances, and CKA of many subsets at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures._parts import cka_batches
from analysis.measures._parts.cka_batches import cka_of_subsets, minibatch_cka, random_batches
from analysis.measures._parts.hsic import Estimator, linear_cka
from analysis.measures.cka import SPEC, CkaSettings
from analysis.scoring.resampled import half_samples
from tests.measures.geometry import noisy_sentences, rotation, spread_against_width
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast


def pair(n=40, dim_x=5, dim_y=6, noise=1.0, seed=0):
    """Two related representations of n items, far from the origin."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, dim_x)) + 2
    return x, x @ generator.standard_normal((dim_x, dim_y)) + noise * generator.standard_normal((n, dim_y)) - 3


def by_package(x, y, batches):
    """The same ratio of sums with HSIC1 of the package pytorch-cka."""
    import torch
    from cka import hsic

    sums = np.zeros(3)
    for batch in batches:
        a, b = (torch.tensor(side[batch])[None] for side in (x, y))
        both, own_x, own_y = hsic(a @ a.transpose(1, 2), b @ b.transpose(1, 2))
        sums += [both.item(), own_x.item(), own_y.item()]
    return sums[0] / np.sqrt(sums[1] * sums[2])


@pytest.mark.parametrize(("n", "size"), [(40, 8), (37, 10), (4, 4), (60, 256)])
def test_minibatch_cka_equals_the_package(n, size):
    x, y = pair(n)
    batches = random_batches(n, size)
    assert minibatch_cka(x, y, batches) == pytest.approx(by_package(x, y, batches), rel=1e-9)


def test_one_batch_is_debiased_cka_and_the_package_clips_it():
    import torch
    from cka import cka_from_features

    x, y = pair()
    package = cka_from_features(torch.tensor(x), torch.tensor(y)).item()
    assert minibatch_cka(x, y, [np.arange(40)]) == pytest.approx(package, rel=1e-9)
    assert minibatch_cka(x, y, [np.arange(40)]) == pytest.approx(linear_cka(x, y), rel=1e-9)
    # The package cuts what is below 0 off, which pushes the mean over unrelated vectors up; here nothing is cut off.
    below = next(
        p for p in (np.random.default_rng(s).standard_normal((2, 20, 9)) for s in range(99)) if linear_cka(*p) < 0
    )
    assert cka_from_features(*map(torch.tensor, below)).item() == 0
    assert minibatch_cka(*below, [np.arange(20)]) < 0


def test_it_is_a_ratio_of_sums_and_not_clipped():
    values, means = [], []
    for seed in range(300):
        x, y = np.random.default_rng(seed).standard_normal((2, 20, 12))
        batches = random_batches(20, 5, seed)
        values.append(minibatch_cka(x, y, batches))
        means.append(np.mean([minibatch_cka(x, y, [batch]) for batch in batches]))
    assert abs(np.nanmean(values)) < 0.03
    assert np.nanmin(values) < -0.1
    assert not np.allclose(values, means, atol=0.05)


def test_more_batches_estimate_the_same_as_one():
    x, y = pair(400, noise=3)
    whole = linear_cka(x, y)
    values = [minibatch_cka(x, y, random_batches(400, 16, seed)) for seed in range(60)]
    assert np.mean(values) == pytest.approx(whole, abs=4 * np.std(values) / np.sqrt(60))


@given(st.integers(0, 999), st.floats(0.01, 100), st.integers(4, 30))
@settings(max_examples=30)
def test_rotation_scale_shift_and_order_change_nothing(seed, scale, size):
    x, y = pair(24, seed=seed)
    batches = random_batches(24, size, seed)
    generator = np.random.default_rng(seed)
    inside = [generator.permutation(batch) for batch in batches]
    before = minibatch_cka(x, y, batches)
    same = {"rel": 1e-6, "abs": 1e-9}
    assert minibatch_cka(scale * x @ rotation(5, seed) + 3, y, batches) == pytest.approx(before, **same)
    assert minibatch_cka(y, x, batches) == pytest.approx(before, **same)
    assert minibatch_cka(x, y, inside[::-1]) == pytest.approx(before, **same)
    assert minibatch_cka(x, scale * x @ rotation(5, seed), batches) == pytest.approx(1)
    order = generator.permutation(24)
    place = np.argsort(order)
    assert minibatch_cka(x[order], y[order], [place[batch] for batch in batches]) == pytest.approx(before, **same)


@given(st.integers(4, 500), st.integers(4, 64), st.integers(0, 9))
def test_batches_hold_every_item_once_and_enough_of_them(n, size, seed):
    batches = random_batches(n, size, seed)
    assert sorted(np.concatenate(batches)) == list(range(n))
    sizes = [len(batch) for batch in batches]
    assert min(sizes) >= 4
    assert max(sizes) <= max(size, 7)
    assert max(sizes) - min(sizes) <= 1


def test_nothing_to_compare_is_nan():
    assert np.isnan(minibatch_cka(np.ones((8, 2)), np.ones((8, 2)), random_batches(8, 4)))
    assert np.isnan(minibatch_cka(np.ones((3, 2)), np.eye(3), [np.arange(3)]))
    assert np.isnan(minibatch_cka(np.ones((0, 2)), np.ones((0, 2)), []))


@pytest.mark.parametrize("estimator", list(Estimator))
@pytest.mark.parametrize("block", [1, 7, 256])
def test_subsets_are_cka_of_each_subset_whatever_the_block(estimator, block, monkeypatch):
    monkeypatch.setattr(cka_batches, "BLOCK", block)
    x, y = pair(30)
    chosen = half_samples(30, 1)[:9]
    found = cka_of_subsets(x, y, chosen, estimator, [np.arange(30)])
    assert found == pytest.approx([linear_cka(x[c], y[c], estimator=estimator) for c in chosen], rel=1e-8)


def test_subsets_of_batches_leave_out_batches_that_got_too_small():
    x, y = pair(30)
    batches = random_batches(30, 10, 0)
    chosen = half_samples(30, 1)
    found = cka_of_subsets(x, y, chosen, Estimator.DEBIASED, batches)
    left_out = 0
    for half, value in zip(chosen, found):
        inside = [batch[half[batch]] for batch in batches]
        kept = [batch for batch in inside if len(batch) >= 4]
        left_out += len(inside) - len(kept)
        assert value == pytest.approx(minibatch_cka(x, y, kept), rel=1e-8)
    assert left_out
    assert np.isnan(cka_of_subsets(x, y, np.zeros((1, 30), bool), Estimator.DEBIASED, batches)).all()


def test_the_measure_takes_minibatches():
    space = noisy_words()
    result = SPEC.compute(space, CkaSettings(estimator="minibatch", batch_size=16), seed=3)
    assert result.score == result.parts["minibatch"]
    assert result.score == pytest.approx(minibatch_cka(space.source, space.target, random_batches(80, 16, 3)), rel=1e-6)
    assert result.low < result.score < result.high
    assert abs(result.parts["shuffled"]) < 0.15
    assert result.parts["debiased"] == SPEC.compute(space, seed=3).score
    whole = SPEC.compute(space, CkaSettings(estimator="minibatch"), seed=3)
    assert whole.score == pytest.approx(whole.parts["debiased"], rel=1e-9)


def test_the_width_of_the_interval_is_about_right():
    options = CkaSettings(estimator="minibatch", batch_size=16)
    ratio = spread_against_width(
        lambda space: SPEC.compute(space, options), lambda seed: noisy_sentences(64, noise=1, seed=seed)
    )
    assert 0.7 < ratio < 1.5
