"""Transport decoders against POT itself, a linear programme, plain iterations and worked examples."""

import warnings

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from analysis.links.decoders import ot_balanced, ot_partial, ot_unbalanced
from analysis.links.decoders.ot_balanced import BalancedSettings
from analysis.links.decoders.ot_partial import PartialSettings
from analysis.links.decoders.ot_unbalanced import UnbalancedSettings
from analysis.links.transport import link_costs, links_by_mass

pytestmark = pytest.mark.fast
SIMILARITIES = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1, 1))
EXACT = BalancedSettings(regularisation=0)


def sample(m, n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (m, n))


def marginals(cells):
    """The (m + n, m * n) matrix that sums a flat plan over rows, then over columns."""
    m, n = cells
    sums = np.zeros((m + n, m * n))
    for i, j in np.ndindex(m, n):
        sums[[i, m + j], i * n + j] = 1
    return sums


def test_costs_run_from_the_best_pair_to_the_worst():
    np.testing.assert_allclose(link_costs(np.array([[0.9, 0.7], [0.8, 0.5]])), [[0, 0.5], [0.25, 1]])
    assert not link_costs(np.full((2, 3), 0.7)).any()


def test_the_threshold_is_a_share_of_the_lesser_mass():
    plan = np.array([[0.3, 0.2, 0.0], [0.04, 0.13, 0.33]])
    found = links_by_mass(plan, np.full(2, 1 / 2), np.full(3, 1 / 3), 0.5)
    assert found.tolist() == [[True, True, False], [False, False, True]]


def test_balanced_transport_splits_a_word_between_two():
    # Words have mass 1/2 and 1/3. Columns 0 and 2 take 1/3 from the row that suits them, column 1 takes what is left.
    similarity = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]])
    expected = [[1 / 3, 1 / 6, 0], [0, 1 / 6, 1 / 3]]
    np.testing.assert_allclose(ot_balanced.move(similarity, 0), expected, atol=1e-12)
    assert ot_balanced.SPEC.decode(similarity, BalancedSettings(0.4, 0)).sure == {(0, 0), (0, 1), (1, 1), (1, 2)}
    assert ot_balanced.SPEC.decode(similarity, BalancedSettings(0.6, 0)).sure == {(0, 0), (1, 2)}


@given(SIMILARITIES)
def test_exact_balanced_transport_is_the_linear_programme(similarity):
    m, n = similarity.shape
    plan, cost = ot_balanced.move(similarity, 0), link_costs(similarity)
    np.testing.assert_allclose(plan.sum(axis=1), 1 / m, atol=1e-9)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / n, atol=1e-9)
    masses = np.r_[np.full(m, 1 / m), np.full(n, 1 / n)]
    assert (plan * cost).sum() == pytest.approx(
        linprog(cost.ravel(), A_eq=marginals((m, n)), b_eq=masses).fun, abs=1e-7
    )


@pytest.mark.parametrize("regularisation", [0.05, 0.1, 1.0])
def test_entropic_balanced_transport_is_what_plain_iterations_give(regularisation):
    similarity = sample(5, 7)
    kernel = np.exp(-link_costs(similarity) / regularisation)
    v = np.ones(7)
    for _ in range(20_000):
        u = (1 / 5) / (kernel @ v)
        v = (1 / 7) / (kernel.T @ u)
    np.testing.assert_allclose(ot_balanced.move(similarity, regularisation), u[:, None] * kernel * v, atol=1e-5)


def test_a_tiny_regularisation_comes_near_exact_transport():
    similarity = sample(4, 4, 3)
    np.testing.assert_allclose(ot_balanced.move(similarity, 0.004), ot_balanced.move(similarity, 0), atol=0.02)


def test_partial_transport_takes_the_best_pairs_first():
    similarity = np.array([[0.9, 0.5, 0.1], [0.5, 0.7, 0.1], [0.1, 0.2, 0.3]])
    links = [ot_partial.SPEC.decode(similarity, PartialSettings(share)).sure for share in (0.33, 0.66, 1.0)]
    assert links == [{(0, 0)}, {(0, 0), (1, 1)}, {(0, 0), (1, 1), (2, 2)}]


@given(SIMILARITIES, st.floats(0.05, 1))
def test_partial_transport_moves_its_share_and_nothing_cheaper_does(similarity, share):
    m, n = similarity.shape
    plan, cost, mass = ot_partial.move(similarity, share), link_costs(similarity), share * min(m, n)
    assert plan.sum() == pytest.approx(mass, abs=1e-9)
    assert plan.sum(axis=1).max() <= 1 + 1e-9
    assert plan.sum(axis=0).max() <= 1 + 1e-9
    expected = linprog(
        cost.ravel(), A_ub=marginals((m, n)), b_ub=np.ones(m + n), A_eq=np.ones((1, m * n)), b_eq=[mass]
    ).fun
    assert (plan * cost).sum() == pytest.approx(expected, abs=1e-7)


def test_unbalanced_transport_is_that_of_pot():
    similarity = sample(5, 3)
    expected = ot.unbalanced.sinkhorn_unbalanced(
        np.ones(5), np.ones(3), link_costs(similarity), reg=0.1, reg_m=0.5, reg_type="kl", numItermax=5000, stopThr=1e-12
    )  # fmt: skip
    np.testing.assert_allclose(ot_unbalanced.move(similarity, 0.5, 0.1), expected, atol=1e-4)


def test_unbalanced_transport_of_two_words_has_a_closed_form():
    # One pair at cost 0 moves all; at cost c the plan x of a lone pair solves c + (2 penalty + regularisation) ln x = 0.
    assert ot_unbalanced.move(np.array([[0.7]]), 0.3, 0.05) == pytest.approx(1)
    far = np.array([[1.0, -40.0], [-40.0, 0.0]])  # off the diagonal costs are 1, (1, 1) costs 1 / 41
    plan = ot_unbalanced.move(far, 0.1, 0.01)
    assert plan[1, 1] == pytest.approx(np.exp(-1 / 41 / 0.21), abs=0.01)


def test_a_word_without_a_match_stays_free_in_unbalanced_transport_only():
    similarity = np.array([[0.9, 0.1], [0.1, 0.12]])
    assert ot_balanced.SPEC.decode(similarity, EXACT).sure == {(0, 0), (1, 1)}
    assert ot_unbalanced.SPEC.decode(similarity).sure == {(0, 0)}


def test_a_high_penalty_is_balanced_transport():
    similarity = sample(4, 4, 1)
    plan = ot_unbalanced.move(similarity, 100, 0.1)
    np.testing.assert_allclose(plan, 4 * ot_balanced.move(similarity, 0.1), atol=0.02)


@pytest.mark.parametrize("module", [ot_balanced, ot_partial, ot_unbalanced])
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_the_scale_of_similarities_does_not_matter(module, seed, scale, shift):
    similarity = sample(4, 6, seed)
    assert module.SPEC.decode(scale * similarity + shift).sure == module.SPEC.decode(similarity).sure


@pytest.mark.parametrize(
    ("module", "settings"),
    [
        (ot_balanced, BalancedSettings()), (ot_balanced, EXACT), (ot_balanced, BalancedSettings(regularisation=0.001)),
        (ot_partial, PartialSettings()), (ot_partial, PartialSettings(share=0.01)),
        (ot_unbalanced, UnbalancedSettings()), (ot_unbalanced, UnbalancedSettings(0.1, 0.001, 0.02)),
        (ot_unbalanced, UnbalancedSettings(0.1, 1, 0.02)),
    ],
)  # fmt: skip
@given(similarity=SIMILARITIES)
def test_no_setting_breaks_a_solver(module, settings, similarity):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = module.SPEC.choose(similarity, settings)
    assert found.dtype == bool
    assert found.shape == similarity.shape


def test_one_word_against_a_very_long_sentence_overflows_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for similarity in (np.zeros((1, 400)), sample(2, 400)):
            plan = ot_unbalanced.move(similarity, 1, 0.02)
            assert np.isfinite(plan).all()
            assert plan.sum() > 0


@pytest.mark.parametrize("module", [ot_balanced, ot_partial, ot_unbalanced])
def test_a_lone_pair_is_linked(module):
    assert module.SPEC.decode(np.array([[-0.3]])).sure == {(0, 0)}
