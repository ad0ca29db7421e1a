"""Entmax against the package of its authors, a worked example and its limits."""

import entmax as package
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.links.decoders.entmax import SPEC, EntmaxSettings, entmax

pytestmark = pytest.mark.fast
LOGITS = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=st.floats(-20, 20, width=32))


@given(LOGITS)
def test_sorting_gives_what_the_package_gives(logits):
    given_to_package = torch.from_numpy(logits)
    np.testing.assert_allclose(entmax(logits, 1.5), package.entmax15(given_to_package, dim=1).numpy(), atol=1e-6)
    np.testing.assert_allclose(entmax(logits, 2), package.sparsemax(given_to_package, dim=1).numpy(), atol=1e-6)


@given(LOGITS, st.sampled_from([1.1, 1.3, 1.7, 2.5]))
def test_halving_gives_what_the_package_gives(logits, alpha):
    expected = package.entmax_bisect(torch.from_numpy(logits), alpha=alpha, dim=1, n_iter=60).numpy()
    np.testing.assert_allclose(entmax(logits, alpha), expected, atol=1e-6)


@given(LOGITS)
def test_halving_agrees_with_sorting(logits):
    for alpha in (1.5, 2.0):
        np.testing.assert_allclose(entmax(logits, alpha), entmax(logits, alpha + 1e-9), atol=1e-5)


@given(LOGITS, st.sampled_from([1.2, 1.5, 2.0, 3.0]), st.floats(-1e6, 1e6))
def test_rows_are_probabilities_that_a_shift_does_not_change(logits, alpha, shift):
    found = entmax(logits, alpha)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(entmax(logits + shift, alpha), found, atol=1e-4)


def test_a_worked_example():
    # Halved and shifted the logits are 0 and -1/2; with t = -cut, t^2 + (t - 1/2)^2 = 1 gives t = (1 + sqrt 7) / 4.
    t = (1 + np.sqrt(7)) / 4
    np.testing.assert_allclose(entmax(np.array([[1.0, 0.0]]), 1.5), [[t**2, (t - 0.5) ** 2]])
    np.testing.assert_allclose(entmax(np.array([[0.3, 0.1]]), 2), [[0.6, 0.4]])


@pytest.mark.parametrize("alpha", [1.05, 1.5, 2.0, 3.0])
def test_far_logits_get_exactly_nothing_and_never_overflow(alpha):
    assert entmax(np.array([[1e8, 0.0, -1e8]]), alpha).tolist() == [[1.0, 0.0, 0.0]]


def test_both_directions_must_give_some_probability():
    # Row 1 gives column 0 half of its mass, but column 0 gives row 1 nothing.
    similarity = np.array([[0.9, 0.2], [0.5, 0.5]])
    assert SPEC.decode(similarity).sure == {(0, 0), (1, 1)}
    flat = EntmaxSettings(temperature=1)
    assert SPEC.decode(similarity, flat).sure == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert SPEC.decode(similarity, EntmaxSettings(temperature=1, threshold=0.5)).sure == {(0, 0)}
