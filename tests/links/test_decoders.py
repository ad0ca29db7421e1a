"""Decoders against worked examples, brute force and a transcription of the published rule."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.links.decoders.itermax import ItermaxSettings
from analysis.links.decoders.softmax import SoftmaxSettings
from analysis.registry import registered
from analysis.settings import parse_settings

pytestmark = pytest.mark.fast

DECODERS = registered("decoders")
SIMILARITIES = arrays(
    np.float64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.floats(-1, 1, allow_nan=False)
)


# Rules that treat the two sides alike, ties included, and those that do where the best links are unique.
EXACTLY_SYMMETRIC = ["argmax", "entmax", "itermax", "softmax"]
SYMMETRIC = [*EXACTLY_SYMMETRIC, "edge_cover", "match", "ot_balanced", "ot_partial", "ot_unbalanced"]


def test_the_decoders_are_registered():
    assert {*SYMMETRIC, "grow_diag"} <= set(DECODERS)


def test_argmax_links_mutual_best_words_only():
    similarity = np.array([[0.9, 0.8, 0.1], [0.7, 0.6, 0.2]])
    links = DECODERS["argmax"].decode(similarity)
    assert links.sure == {(0, 0)}
    assert links.scores == {(0, 0): 0.9}


def test_argmax_gives_ties_to_the_lowest_index():
    assert DECODERS["argmax"].decode(np.ones((3, 4))).sure == {(0, 0)}


@given(SIMILARITIES)
def test_argmax_equals_its_definition(similarity):
    expected = {
        (i, j)
        for i, j in np.ndindex(*similarity.shape)
        if list(similarity[i]).index(max(similarity[i])) == j
        and list(similarity[:, j]).index(max(similarity[:, j])) == i
    }
    assert DECODERS["argmax"].decode(similarity).sure == expected


@given(arrays(np.float64, (4, 4), elements=st.floats(-1, 1)))
def test_match_has_the_weight_of_the_best_permutation(similarity):
    best = max(sum(similarity[i, p[i]] for i in range(4)) for p in itertools.permutations(range(4)))
    links = DECODERS["match"].decode(similarity).sure
    assert len(links) == len({i for i, _ in links}) == len({j for _, j in links}) == 4
    assert sum(similarity[i, j] for i, j in links) == pytest.approx(best)


def test_match_covers_the_shorter_side():
    similarity = np.random.default_rng(0).random((3, 5))
    assert {i for i, _ in DECODERS["match"].decode(similarity).sure} == {0, 1, 2}


def published_itermax(similarity, rounds, alpha):
    """Rounds of mutual argmax with explicit loops, as the paper's algorithm 1 goes."""
    weights = (similarity + 1) / 2
    m, n = weights.shape
    links = set()
    for number in range(rounds):
        taken_rows, taken_columns = {i for i, _ in links}, {j for _, j in links}
        if number and (min(m, n) <= 2 or len(taken_rows) == m or len(taken_columns) == n):
            break
        current = np.zeros((m, n))
        for i, j in np.ndindex(m, n):
            count = (i in taken_rows) + (j in taken_columns)
            current[i, j] = weights[i, j] * (1.0, alpha, 0.0)[count]
        new = {
            (i, j)
            for i, j in np.ndindex(m, n)
            if np.argmax(current[i]) == j
            and np.argmax(current[:, j]) == i
            and not (i in taken_rows and j in taken_columns)
        }
        if not new:
            break
        links |= new
    return links


@given(SIMILARITIES, st.integers(1, 4), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_itermax_equals_explicit_loops(similarity, rounds, alpha):
    found = DECODERS["itermax"].decode(similarity, ItermaxSettings(rounds, alpha)).sure
    assert found == published_itermax(similarity, rounds, alpha)


def test_itermax_adds_a_word_that_argmax_leaves_free():
    similarity = np.array([[0.9, 0.2, 0.1], [0.8, 0.3, 0.1], [0.1, 0.4, 0.35]])
    assert DECODERS["argmax"].decode(similarity).sure == {(0, 0), (2, 1)}
    # Mapped to (cos + 1) / 2, free word 1 prefers linked word 0: 0.9 * 0.9 = 0.81, and free column 2 linked word 2:
    # 0.9 * 0.675 = 0.6075 against 0.55.
    assert DECODERS["itermax"].decode(similarity).sure == {(0, 0), (2, 1), (1, 0), (2, 2)}


@given(SIMILARITIES)
def test_itermax_keeps_every_argmax_link(similarity):
    first = DECODERS["itermax"].decode(similarity, ItermaxSettings(iterations=1)).sure
    assert first <= DECODERS["itermax"].decode(similarity).sure


def test_softmax_on_a_worked_example():
    # exp(1) / (exp(1) + exp(0)) = 0.731 both ways on the diagonal, 0.269 elsewhere.
    similarity = np.eye(2)
    strict, loose = (SoftmaxSettings(threshold=t, temperature=1) for t in (0.5, 0.2))
    assert DECODERS["softmax"].decode(similarity, strict).sure == {(0, 0), (1, 1)}
    assert DECODERS["softmax"].decode(similarity, loose).sure == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_softmax_needs_both_directions():
    similarity = np.array([[5.0, 0.0], [5.0, 5.0]])
    settings = SoftmaxSettings(threshold=0.4, temperature=1)
    # Column 0 shares its mass, row 1 shares its mass: cell (1, 0) has 0.5 both ways, (0, 0) 0.99 and 0.5.
    assert DECODERS["softmax"].decode(similarity, settings).sure == {(0, 0), (1, 0), (1, 1)}
    assert DECODERS["softmax"].decode(similarity, SoftmaxSettings(0.6, 1)).sure == set()


def test_softmax_by_the_mean_lets_one_sure_direction_make_up_for_the_other():
    """The second row has nobody but the first column, which has a better one: 0.99 and 0.27 of the probability."""
    similarity = np.array([[5.0, 0.0], [4.0, -1.0]])
    both = SoftmaxSettings(threshold=0.5, temperature=1)
    assert DECODERS["softmax"].decode(similarity, both).sure == {(0, 0)}
    mean = SoftmaxSettings(threshold=0.5, temperature=1, agreement="mean")
    assert DECODERS["softmax"].decode(similarity, mean).sure == {(0, 0), (1, 0)}
    strict = SoftmaxSettings(threshold=0.7, temperature=1, agreement="mean")
    assert DECODERS["softmax"].decode(similarity, strict).sure == {(0, 0)}


def test_softmax_does_not_overflow():
    similarity = np.array([[1e4, -1e4], [-1e4, 1e4]])
    assert DECODERS["softmax"].decode(similarity, SoftmaxSettings(temperature=1e-3)).sure == {(0, 0), (1, 1)}


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_empty_sides_give_no_links(name, shape):
    assert not DECODERS[name].decode(np.empty(shape)).possible


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_words_without_a_number_are_never_linked(name):
    similarity = np.array([[0.9, np.nan, 0.1], [np.nan, np.nan, np.nan], [0.2, np.nan, 0.8]])
    links = DECODERS[name].decode(similarity)
    assert links.sure == {(0, 0), (2, 2)}
    assert not DECODERS[name].decode(np.full((2, 2), np.nan)).sure


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(similarity=SIMILARITIES)
def test_links_point_at_words_carry_scores_and_leave_the_input_alone(name, similarity):
    before = similarity.copy()
    links = DECODERS[name].decode(similarity)
    assert links.inside(*similarity.shape)
    assert set(links.scores) == set(links.sure)
    assert all(links.scores[i, j] == similarity[i, j] for i, j in links.sure)
    assert np.array_equal(before, similarity)
    assert links == DECODERS[name].decode(similarity)


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(similarity=SIMILARITIES)
def test_a_rule_gives_a_mask_of_the_shape_of_the_matrix(name, similarity):
    for tried in DECODERS[name].tried:
        found = DECODERS[name].choose(similarity, parse_settings(DECODERS[name].settings, tried))
        assert found.dtype == bool
        assert found.shape == similarity.shape


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (3, 3), (2, 5)])
@pytest.mark.parametrize("value", [-1.0, 0.0, 0.7, 1.0])
def test_equal_similarities_break_no_rule(name, shape, value):
    links = DECODERS[name].decode(np.full(shape, value))
    assert links.inside(*shape)
    # With many words alike, softmax, entmax and transport may find no link sure enough; a lone pair always is.
    assert links.sure == {(0, 0)} or shape != (1, 1)


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(similarity=SIMILARITIES, data=st.data())
def test_cells_without_a_number_leave_the_words_that_have_one(name, similarity, data):
    similarity = np.where(data.draw(arrays(bool, similarity.shape)), np.nan, similarity)
    finite = np.isfinite(similarity)
    links = DECODERS[name].decode(similarity)
    assert all(finite[i].any() and finite[:, j].any() for i, j in links.sure)


@pytest.mark.parametrize("name", EXACTLY_SYMMETRIC)
@given(similarity=SIMILARITIES)
def test_the_transpose_gives_the_flipped_links(name, similarity):
    assert DECODERS[name].decode(similarity.T) == DECODERS[name].decode(similarity).flipped()


@pytest.mark.parametrize("name", SYMMETRIC)
@given(m=st.integers(1, 8), n=st.integers(1, 8), seed=st.integers(0, 10_000))
def test_the_transpose_gives_the_flipped_links_where_nothing_is_tied(name, m, n, seed):
    similarity = np.random.default_rng(seed).uniform(-1, 1, (m, n))
    for tried in DECODERS[name].tried:
        settings = parse_settings(DECODERS[name].settings, tried)
        expected = DECODERS[name].decode(similarity, settings).flipped()
        assert DECODERS[name].decode(similarity.T, settings) == expected
