"""Maps between languages against scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures._parts.linear_maps import least_squares, procrustes, procrustes_residual

pytestmark = pytest.mark.fast


def sides(n=60, dim=7, seed=0, noise=0.3):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, dim)) * np.linspace(0.5, 3, dim) + 2
    y = x @ generator.standard_normal((dim, dim)) + 5 + noise * generator.standard_normal((n, dim))
    return x.astype(np.float32), y.astype(np.float32)


@pytest.mark.parametrize("n", [60, 5])
def test_least_squares_is_that_of_scikit_learn(n):
    from sklearn.linear_model import LinearRegression

    x, y = sides(n)
    new = sides(seed=3)[0]
    known = LinearRegression().fit(x.astype(float), y.astype(float))
    np.testing.assert_allclose(least_squares(x, y)(new), known.predict(new.astype(float)), rtol=1e-6, atol=1e-6)


def test_least_squares_of_one_pair_is_its_image():
    found = least_squares(np.ones((1, 3)), np.array([[1.0, 2, 3]]))
    assert found(np.zeros((2, 3))).tolist() == [[1, 2, 3]] * 2


@pytest.mark.parametrize("rows", ["raw", "centred", "centred_unit"])
def test_procrustes_is_that_of_scipy(rows):
    from scipy.linalg import orthogonal_procrustes

    x, y = (side.astype(float) for side in sides())
    a, b = (x, y) if rows == "raw" else (x - x.mean(axis=0), y - y.mean(axis=0))
    if rows == "centred_unit":
        a, b = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (a, b))
    found = procrustes(x, y, rows)
    np.testing.assert_allclose(found.weight, orthogonal_procrustes(a, b)[0], atol=1e-9)
    np.testing.assert_allclose(found.weight.T @ found.weight, np.eye(7), atol=1e-12)
    if rows != "raw":
        np.testing.assert_allclose(found(x).mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(found.meet(y).mean(axis=0), 0, atol=1e-9)


def test_the_residual_is_the_disparity_of_scipy():
    from scipy.spatial import procrustes as disparity

    x, y = sides()
    assert procrustes_residual(x, y) == pytest.approx(disparity(x.astype(float), y.astype(float))[2])


@given(st.integers(0, 999), st.floats(0.01, 100))
def test_the_residual_minds_neither_rotation_nor_scale_nor_place(seed, scale):
    x, y = sides(seed=seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((7, 7)))[0]
    assert procrustes_residual(x, scale * (x @ turn) - 3) == pytest.approx(0, abs=1e-5)
    assert procrustes_residual(scale * (x @ turn), y) == pytest.approx(procrustes_residual(x, y), abs=1e-5)


def test_a_side_that_does_not_vary_has_no_residual():
    x, _ = sides()
    assert procrustes_residual(x, np.full_like(x, 0.1)) is None
