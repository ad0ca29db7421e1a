"""Exact search against brute force in float64, independent of blocks, with defined ties and edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.neighbours import exact
from analysis.neighbours.exact import Score, mean_top_k, nearest, ranks
from analysis.neighbours.first import first_matches, legacy_matches, top_means
from analysis.neighbours.rows import has_direction, normalise_rows

pytestmark = pytest.mark.fast


def cosines(queries, candidates):
    """The full (q, c) cosine matrix in float64."""
    unit = [
        x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
        for x in (queries, candidates)
    ]
    return unit[0] @ unit[1].T


def csls_by_loops(queries, candidates, k):
    """CSLS as its definition reads, one pair at a time."""
    cosine = cosines(queries, candidates)
    result = np.empty_like(cosine)
    for x in range(len(queries)):
        near_x = sorted(cosine[x], reverse=True)[:k]
        for y in range(len(candidates)):
            near_y = sorted(cosine[:, y], reverse=True)[:k]
            result[x, y] = 2 * cosine[x, y] - sum(near_x) / len(near_x) - sum(near_y) / len(near_y)
    return result


def draw(q, c, dim, seed=0):
    """Random queries and candidates with some common direction, so that there are hubs."""
    generator = np.random.default_rng(seed)
    return (generator.standard_normal((n, dim)).astype(np.float32) + 0.3 for n in (q, c))


@pytest.mark.parametrize(("q", "c", "k"), [(7, 5, 1), (3, 40, 4), (30, 1000, 10), (1, 9000, 3)])
def test_cosine_equals_a_full_sort(q, c, k):
    queries, candidates = draw(q, c, 16)
    full = cosines(queries, candidates)
    found = nearest(queries, candidates, k=k)
    assert np.array_equal(found.indices, np.argsort(-full, axis=1, kind="stable")[:, :k])
    assert np.allclose(found.scores, -np.sort(-full, axis=1)[:, :k], atol=1e-6)


@pytest.mark.parametrize("csls_k", [1, 3, 50])
def test_csls_equals_the_definition_in_loops(csls_k):
    queries, candidates = draw(12, 23, 8)
    full = csls_by_loops(queries, candidates, csls_k)
    found = nearest(queries, candidates, k=5, score=Score.CSLS, csls_k=csls_k)
    assert np.array_equal(found.indices, np.argsort(-full, axis=1)[:, :5])
    assert np.allclose(found.scores, -np.sort(-full, axis=1)[:, :5], atol=1e-5)


def test_csls_of_one_query_takes_its_penalty_from_the_background():
    queries, candidates = draw(20, 30, 8)
    every = nearest(queries, candidates, k=3, score="csls")
    one = nearest(queries[4:5], candidates, k=3, score="csls", background=queries)
    assert np.array_equal(one.indices[0], every.indices[4])
    assert np.allclose(one.scores[0], every.scores[4], atol=1e-6)


@given(st.integers(1, 700), st.integers(1, 60), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_results_do_not_depend_on_the_block(block, k, seed):
    queries, candidates = draw(9, 333, 6, seed)
    candidates[100:200] = candidates[:100]
    for score in Score:
        whole = nearest(queries, candidates, k=k, score=score)
        parts = nearest(queries, candidates, k=k, score=score, block=block)
        assert np.array_equal(whole.indices, parts.indices)
        assert np.array_equal(whole.scores, parts.scores)


def test_results_do_not_depend_on_the_blocks_of_queries(monkeypatch):
    queries, candidates = draw(50, 80, 6)
    whole = nearest(queries, candidates, k=5)
    monkeypatch.setattr(exact, "QUERIES", 7)
    assert np.array_equal(nearest(queries, candidates, k=5).indices, whole.indices)


@given(st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_a_rotation_of_both_sides_changes_nothing(seed):
    queries, candidates = draw(10, 60, 12, seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((12, 12)))[0]
    for score in Score:
        plain = nearest(queries, candidates, k=4, score=score)
        turned = nearest(3 * queries @ turn, candidates @ turn, k=4, score=score)
        assert np.allclose(plain.scores, turned.scores, atol=1e-4)
        assert np.mean(plain.indices == turned.indices) > 0.95


def test_ties_go_to_the_lowest_index():
    candidates = np.tile(np.random.default_rng(0).standard_normal((1, 7)), (500, 1)).astype(np.float32)
    candidates[3] = -candidates[3]
    found = nearest(candidates[:2], candidates, k=5, block=64)
    assert found.indices.tolist() == [[0, 1, 2, 4, 5]] * 2
    first = first_matches(candidates[4:6], candidates, block=64)
    assert first[Score.COSINE].tolist() == [0, 0]
    assert ranks(candidates[:1], candidates, np.array([6])).tolist() == [6]


def test_permuting_the_candidates_permutes_the_answer():
    queries, candidates = draw(8, 50, 9)
    order = np.random.default_rng(1).permutation(50)
    assert np.array_equal(
        order[nearest(queries, candidates[order], k=3).indices], nearest(queries, candidates, k=3).indices
    )


@pytest.mark.parametrize("score", list(Score))
@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_a_direction_are_never_retrieved_and_find_nothing(score, bad):
    queries, candidates = draw(4, 6, 5)
    candidates[2], queries[1] = bad, bad
    found = nearest(queries, candidates, k=6, score=score)
    assert 2 not in found.indices
    assert (found.indices[1] == -1).all()
    assert (found.indices[0] >= 0).sum() == 5
    assert np.isnan(found.scores[0, 5])
    assert first_matches(queries, candidates)[score][1] == -1
    assert 2 not in first_matches(queries, candidates)[score]


def test_more_neighbours_than_candidates_and_empty_sides():
    queries, candidates = draw(3, 2, 4)
    found = nearest(queries, candidates, k=5)
    assert found.indices.shape == (3, 5)
    assert (found.indices[:, 2:] == -1).all()
    assert np.isnan(found.scores[:, 2:]).all()
    assert (nearest(queries, candidates[:0], k=2).indices == -1).all()
    assert nearest(queries[:0], candidates, k=2).indices.shape == (0, 2)
    assert (first_matches(queries, candidates[:0])[Score.CSLS] == -1).all()
    assert mean_top_k(queries, candidates[:0], 3).tolist() == [0, 0, 0]


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match="k=0 is out of range"):
        nearest(np.eye(2), np.eye(2), k=0)
    with pytest.raises(InputError, match="one width"):
        nearest(np.eye(2), np.eye(3), k=1)
    with pytest.raises(InputError, match="gold must name one of 2"):
        ranks(np.eye(2), np.eye(2), np.array([0, 2]))


def test_mean_top_k_equals_a_full_sort():
    queries, candidates = draw(11, 200, 7)
    full = -np.sort(-cosines(queries, candidates), axis=1)
    assert np.allclose(mean_top_k(queries, candidates, 10), full[:, :10].mean(axis=1), atol=1e-6)
    assert np.allclose(
        mean_top_k(queries, candidates[:3], 10), cosines(queries, candidates[:3]).mean(axis=1), atol=1e-6
    )


@given(st.integers(1, 400), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_top_means_equal_a_full_sort(width, k, seed):
    scores = np.random.default_rng(seed).standard_normal((5, width)).astype(np.float32)
    expected = -np.sort(-scores, axis=1)[:, :k]
    assert np.allclose(top_means(scores, k), expected.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("score", list(Score))
@pytest.mark.parametrize("block", [1, 16, 8192])
def test_ranks_equal_places_in_a_full_sort(score, block):
    queries, candidates = draw(15, 40, 8)
    gold = np.random.default_rng(2).integers(0, 40, 15)
    full = cosines(queries, candidates) if score is Score.COSINE else csls_by_loops(queries, candidates, 10)
    expected = [int((full[n] > full[n, gold[n]]).sum()) + 1 for n in range(15)]
    assert ranks(queries, candidates, gold, score=score, block=block).tolist() == expected


def test_a_gold_candidate_without_a_direction_is_last():
    queries, candidates = draw(2, 5, 4)
    candidates[3] = 0
    assert ranks(queries, candidates, np.array([3, 1]))[0] == 5


@pytest.mark.parametrize("block", [1, 37, 256])
def test_first_matches_equal_the_nearest(block):
    queries, candidates = draw(60, 150, 10)
    found = first_matches(queries, candidates, csls_k=5, block=block)
    for score in Score:
        assert np.array_equal(found[score], nearest(queries, candidates, k=1, score=score, csls_k=5).indices[:, 0])


@pytest.mark.parametrize("block", [1, 37, 256])
def test_legacy_matches_equal_their_definition_in_loops(block):
    queries, candidates = draw(40, 90, 6)
    queries, candidates = queries * np.linspace(0.2, 3, 40)[:, None], candidates * np.linspace(3, 0.2, 90)[:, None]
    all_x, all_y = queries / np.linalg.norm(queries), candidates / np.linalg.norm(candidates)
    penalty = [np.mean(sorted(all_x @ y)[-5:]) for y in all_y]
    expected = [np.argmax(2 * all_y @ (x / np.linalg.norm(x)) - penalty) for x in queries]
    assert legacy_matches(queries, candidates, csls_k=5, block=block).tolist() == expected


def test_legacy_matches_of_empty_sides():
    assert legacy_matches(np.eye(2), np.zeros((3, 2))).tolist() == [-1, -1]
    assert legacy_matches(np.empty((0, 2)), np.eye(2)).shape == (0,)


def test_rows_of_any_size_are_normalised():
    rows = np.array([[3.0, 4], [0, 0], [np.nan, 1], [3e-30, 4e-30], [3e30, 4e30]])
    assert np.allclose(normalise_rows(rows), [[0.6, 0.8], [0, 0], [0, 0], [0.6, 0.8], [0.6, 0.8]])
    assert has_direction(rows).tolist() == [True, False, False, True, True]
    assert normalise_rows(np.empty((0, 3))).shape == (0, 3)


def test_inputs_are_not_changed():
    queries, candidates = draw(5, 9, 4)
    before = queries.copy(), candidates.copy()
    for score in Score:
        nearest(queries, candidates, k=2, score=score)
        ranks(queries, candidates, np.zeros(5, dtype=int), score=score)
    first_matches(queries, candidates)
    assert np.array_equal(before[0], queries)
    assert np.array_equal(before[1], candidates)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 999))
@settings(max_examples=40)
def test_ranks_count_what_is_better_and_what_ties_before(candidates_n, block, seed):
    generator = np.random.default_rng(seed)
    queries, candidates = generator.standard_normal((7, 3)), generator.integers(-1, 2, (candidates_n, 3)) + 0.01
    gold = generator.integers(0, candidates_n, 7)
    full = cosines(queries, candidates)
    own = full[np.arange(7), gold][:, None]
    before = np.arange(candidates_n) < gold[:, None]
    expected = 1 + ((full > own + 1e-6) | ((np.abs(full - own) <= 1e-6) & before)).sum(axis=1)
    assert ranks(queries, candidates, gold, block=block).tolist() == expected.tolist()
