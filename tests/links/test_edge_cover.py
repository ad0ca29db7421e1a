"""The edge cover against every cover there is, and against a linear programme."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from analysis.links.decoders.edge_cover import SPEC, EdgeCoverSettings, choose, costs

pytestmark = pytest.mark.fast
TINY = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 3)), elements=st.floats(-1, 1))


def cheapest_cover(cost):
    """The least total cost of all sets of links that touch every word."""
    m, n = cost.shape
    best = np.inf
    for kept in itertools.product([False, True], repeat=m * n):
        mask = np.array(kept).reshape(m, n)
        if mask.any(axis=1).all() and mask.any(axis=0).all():
            best = min(best, cost[mask].sum())
    return best


@given(TINY, st.sampled_from([0.0, 1e-5, 0.5]))
def test_no_cover_is_cheaper(similarity, distance):
    settings = EdgeCoverSettings(distance)
    links, cost = choose(similarity, settings), costs(similarity, settings)
    assert links.dtype == bool
    assert links.any(axis=1).all()
    assert links.any(axis=0).all()
    assert cost[links].sum() == pytest.approx(cheapest_cover(cost), abs=1e-9)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1000))
def test_larger_covers_cost_what_the_linear_programme_says(m, n, seed):
    similarity = np.random.default_rng(seed).uniform(-1, 1, (m, n))
    settings = EdgeCoverSettings()
    cost = costs(similarity, settings)
    touches = np.zeros((m + n, m * n))
    for i, j in np.ndindex(m, n):
        touches[[i, m + j], i * n + j] = 1
    # The constraints of a bipartite cover are totally unimodular: the relaxed optimum is the whole-numbered one.
    expected = linprog(cost.ravel(), A_ub=-touches, b_ub=-np.ones(m + n), bounds=(0, 1)).fun
    assert cost[choose(similarity, settings)].sum() == pytest.approx(expected, abs=1e-7)


def test_costs_are_those_of_the_paper():
    similarity = np.array([[1.0, 0.5, 0.0], [0.2, 0.3, 0.4]])
    expected = [[1.0, 1.5 + 0.1 / 3, 2.0 + 0.2 / 3], [1.8 + 0.1 / 3, 1.7, 1.6 + 0.1 / 3]]
    np.testing.assert_allclose(costs(similarity, EdgeCoverSettings(distance=0.1)), expected)


def test_a_word_takes_two_links_where_that_is_cheapest():
    similarity = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]])
    assert SPEC.decode(similarity).sure == {(0, 0), (0, 1), (1, 2)}


def test_ties_go_to_the_words_that_stand_at_the_same_place():
    assert SPEC.decode(np.full((4, 4), 0.5)).sure == {(k, k) for k in range(4)}
