"""Scores beside cosine and CSLS, and ranks of several right answers, against plain loops and the search itself."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.measures._parts.scorers import make_scorer, rank_golds
from analysis.neighbours.exact import nearest, ranks

pytestmark = pytest.mark.fast


def sides(n=40, m=60, dim=8, seed=0):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((n, dim)) + 0.5, generator.standard_normal((m, dim)) + 0.5


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def top_mean(cosine, k):
    return np.sort(cosine, axis=1)[:, -k:].mean(axis=1)


def by_hand(score, x, y, k):
    cosine = unit(x) @ unit(y).T
    if score == "cosine":
        return cosine
    if score == "csls":
        return 2 * cosine - top_mean(cosine.T, k)
    if score == "ratio_margin":
        return cosine / ((top_mean(cosine, k)[:, None] + top_mean(cosine.T, k)) / 2)
    return -((x[:, None] - y) ** 2).sum(axis=2)


@pytest.mark.parametrize("score", ["cosine", "csls", "ratio_margin", "euclidean"])
def test_order_and_ranks_equal_plain_loops(score):
    x, y = sides()
    wanted = by_hand(score, x, y, 4)
    gold = np.random.default_rng(1).integers(0, len(y), len(x))
    found, rank = rank_golds(make_scorer(score, x, y, k=4), gold)
    assert found.tolist() == wanted.argmax(axis=1).tolist()
    assert rank.tolist() == [1 + int(np.sum(row > row[g])) for row, g in zip(wanted, gold, strict=True)]


@pytest.mark.parametrize("score", ["cosine", "csls"])
def test_the_search_of_the_house_says_the_same(score):
    x, y = sides(300, 300)
    gold = np.arange(300)
    found, rank = rank_golds(make_scorer(score, x, y, k=5), gold)
    assert found.tolist() == nearest(x, y, k=1, score=score, csls_k=5).indices[:, 0].tolist()
    assert rank.tolist() == ranks(x, y, gold, score=score, csls_k=5).tolist()


def test_the_best_of_several_right_answers_counts():
    x, y = np.eye(3)[:1], np.array([[0.1, 1, 0], [1, 0.1, 0], [1, 0, 0], [1, 0.5, 0]])
    scorer = make_scorer("cosine", x, y)
    assert [array.tolist() for array in rank_golds(scorer, [[0, 3]])] == [[2], [3]]
    assert rank_golds(scorer, [[0, 1, 2]])[1].tolist() == [1]


def test_ties_go_to_the_lowest_index():
    y = np.eye(2)[[0, 0, 1, 0]]
    scorer = make_scorer("cosine", np.eye(2), y)
    found, rank = rank_golds(scorer, np.array([3, 2]))
    assert (found.tolist(), rank.tolist()) == ([0, 2], [3, 1])


@pytest.mark.parametrize("score", ["cosine", "csls", "ratio_margin", "euclidean"])
def test_rows_without_a_direction_take_no_part(score):
    x, y = sides(4, 5)
    x[1], y[2], y[3] = np.nan, 0, np.inf
    found, rank = rank_golds(make_scorer(score, x, y, k=2), np.array([0, 1, 2, 4]))
    assert found[1] == -1
    assert not set(found.tolist()) & {2, 3}
    assert rank[1] == rank[2] == 5


def test_a_background_is_where_neighbourhoods_are_taken():
    x, y = sides()
    penalty = top_mean(unit(y) @ unit(x).T, 3)
    wanted = (2 * unit(x[:5]) @ unit(y).T - penalty).argmax(axis=1)
    found, _ = rank_golds(make_scorer("csls", x[:5], y, k=3, background=x), np.zeros(5, dtype=int))
    assert found.tolist() == wanted.tolist()


def test_a_common_shift_costs_the_distance_no_digits():
    x, y = sides()
    gold = np.arange(len(x))
    plain = rank_golds(make_scorer("euclidean", x, y), gold)[1]
    assert rank_golds(make_scorer("euclidean", x + 1e4, y + 1e4), gold)[1].tolist() == plain.tolist()


def test_unknown_scores_are_named():
    with pytest.raises(InputError, match="no scorer 'dot'"):
        make_scorer("dot", *sides())
