"""Shared frames: what a rotation hides, what it must not hide, and units without vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.projection.pca import shared_pca

pytestmark = pytest.mark.fast


def cloud(n=60, dim=6, seed=0):
    """Vectors with two strong directions."""
    return np.random.default_rng(seed).standard_normal((n, dim)) * np.array([5, 3, *[0.5] * (dim - 2)])


def turn(dim, seed=0):
    """A random orthogonal map."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]


def test_one_encoder_equals_the_svd_of_centred_unit_rows():
    vectors = cloud()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    frame = shared_pca(vectors)
    assert frame.b is None
    assert np.allclose(np.abs(frame.a), np.abs(u[:, :2] * s[:2]), atol=1e-6)
    assert frame.explained_a == pytest.approx((s[:2] ** 2).sum() / (s**2).sum(), abs=1e-6)


def test_equal_encoders_fall_on_top_of_each_other():
    vectors = cloud()
    frame = shared_pca(vectors, 3 * vectors)
    assert frame.joint
    assert np.allclose(frame.a, frame.b, atol=1e-6)
    assert frame.explained_a == pytest.approx(frame.explained_b)


def test_a_moved_word_moves_in_the_joint_frame():
    a = cloud()
    b = a.copy()
    b[7] = -b[7]
    moved = np.linalg.norm(shared_pca(a, b).a - shared_pca(a, b).b, axis=1)
    assert moved.argmax() == 7
    assert moved[7] > 5 * np.delete(moved, 7).max()


@given(st.integers(0, 999))
@settings(max_examples=15, deadline=None)
def test_a_rotated_copy_of_another_width_falls_on_the_original(seed):
    a = cloud(dim=6, seed=seed)
    b = np.hstack([a, np.zeros((len(a), 3))]) @ turn(9, seed)
    frame = shared_pca(a, b)
    assert not frame.joint
    assert np.allclose(frame.a, frame.b, atol=1e-5)
    assert frame.scale == pytest.approx(1, abs=1e-5)


def test_unrelated_encoders_of_one_width_can_be_turned():
    a = cloud()
    b = a @ turn(6, 1)
    assert not np.allclose(shared_pca(a, b).a, shared_pca(a, b).b, atol=0.1)
    apart = shared_pca(a, b, joint=False)
    assert np.allclose(apart.a, apart.b, atol=1e-5)


def test_the_frame_is_deterministic_and_follows_the_order_of_units():
    a, b = cloud(seed=1), cloud(seed=2)
    order = np.random.default_rng(0).permutation(60)
    whole, shuffled = shared_pca(a, b), shared_pca(a[order], b[order])
    assert np.allclose(whole.a[order], shuffled.a, atol=1e-8)
    assert np.allclose(whole.b[order], shuffled.b, atol=1e-8)


def test_units_without_a_vector_have_no_place():
    a, b = cloud(), cloud(dim=8)
    a[3], b[5] = 0, np.nan
    frame = shared_pca(a, b)
    for side in (frame.a, frame.b):
        assert np.flatnonzero(np.isnan(side).any(axis=1)).tolist() == [3, 5]
        assert np.isfinite(np.delete(side, [3, 5], axis=0)).all()


@pytest.mark.parametrize(("n", "dims"), [(0, (3, 4)), (1, (3, 3)), (2, (3, 5)), (5, (1, 4)), (5, (1, 1))])
def test_tiny_input_has_a_frame(n, dims):
    generator = np.random.default_rng(0)
    frame = shared_pca(*(generator.standard_normal((n, dim)) for dim in dims))
    assert frame.a.shape == frame.b.shape == (n, 2)
    assert np.isfinite(frame.a).all()
    assert 0 <= frame.explained_a <= 1 + 1e-9


def test_inputs_are_not_changed_and_mismatches_named():
    a, b = cloud(), cloud(dim=8)
    before = a.copy()
    shared_pca(a, b)
    assert np.array_equal(a, before)
    with pytest.raises(InputError, match="A has 60 and B 59"):
        shared_pca(a, b[:-1])
    with pytest.raises(InputError, match="pass joint=False"):
        shared_pca(a, b, joint=True)
