"""Centring leaves alone what has no direction."""

import numpy as np
import pytest

from analysis.measures._parts.centring import centre_rows, side_mean

pytestmark = pytest.mark.fast


def test_by_hand():
    rows = np.array([[1.0, 2], [3, 4], [0, 0], [np.nan, 1]])
    assert side_mean(rows).tolist() == [2, 3]
    assert centre_rows(rows).tolist() == [[-1, -1], [1, 1], [0, 0], [0, 0]]
    assert centre_rows(rows, np.array([1.0, 1])).tolist() == [[0, 1], [2, 3], [0, 0], [0, 0]]


def test_equal_rows_are_their_mean_and_not_noise():
    rows = np.full((7, 3), 0.1, dtype=np.float32) * np.array([1, 3, 7], dtype=np.float32)
    assert not centre_rows(rows).any()


def test_nothing_has_mean_zero():
    assert side_mean(np.zeros((2, 3))).tolist() == [0, 0, 0]
    assert centre_rows(np.empty((0, 3))).shape == (0, 3)
