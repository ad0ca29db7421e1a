"""The inverted softmax and the globally corrected ranking against their definitions in loops."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.neighbours import corrected
from analysis.neighbours.corrected import Correction, corrected_nearest, globally_corrected, inverted_softmax
from analysis.neighbours.exact import nearest
from analysis.neighbours.rows import distinct_rows, normalise_rows

pytestmark = pytest.mark.fast


def draw(q, c, dim, seed=0):
    """Queries and candidates with a direction in common, so that there are hubs."""
    generator = np.random.default_rng(seed)
    return tuple(generator.standard_normal((n, dim)).astype(np.float32) + 0.4 for n in (q, c))


def cosines(queries, candidates):
    """The full (q, c) cosine matrix in float64."""
    unit = [x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1)[:, None] for x in (queries, candidates)]
    return unit[0] @ unit[1].T


def probabilities(queries, candidates, b):
    """P(query | candidate) as its definition reads, one candidate at a time."""
    cosine = cosines(queries, candidates)
    return np.stack([np.exp(b * column) / sum(np.exp(b * other) for other in column) for column in cosine.T], axis=1)


def gc_by_loops(queries, candidates):
    """For each query its candidates by (place in the candidate's list, minus cosine, index)."""
    cosine = cosines(queries, candidates)
    lists = []
    for x in range(len(queries)):
        keys = []
        for y in range(len(candidates)):
            place = 1 + sum(cosine[other, y] > cosine[x, y] + 1e-9 for other in range(len(queries)))
            keys.append((place, -cosine[x, y], y))
        lists.append(sorted(keys))
    return lists


@pytest.mark.parametrize("b", [0.5, 10, 30, 3000])
def test_the_inverted_softmax_is_the_chance_to_translate_back(b):
    queries, candidates = draw(12, 23, 6)
    with np.errstate(over="ignore", invalid="ignore"):
        every = probabilities(queries, candidates, b) if b < 500 else None
    found = inverted_softmax(queries, candidates, k=23, inverse_temperature=b)
    if every is not None:
        assert np.array_equal(found.indices, np.argsort(-every, axis=1))
        assert np.allclose(np.exp(found.scores), -np.sort(-every, axis=1), rtol=2e-4)
    back = np.zeros((12, 23))
    np.put_along_axis(back, found.indices, np.exp(found.scores.astype(np.float64)), axis=1)
    assert np.allclose(back.sum(axis=0), 1, atol=5e-3)


@pytest.mark.parametrize(("q", "c", "k"), [(1, 1, 1), (9, 14, 3), (14, 9, 9), (5, 30, 2)])
def test_the_globally_corrected_ranking_equals_loops(q, c, k):
    queries, candidates = draw(q, c, 5)
    found = globally_corrected(queries, candidates, k=k)
    wanted = gc_by_loops(queries, candidates)
    assert found.indices.tolist() == [[y for _, _, y in keys[:k]] for keys in wanted]
    assert found.scores.tolist() == [[-place for place, _, _ in keys[:k]] for keys in wanted]


def test_equal_queries_share_a_place_and_push_the_next_one_back():
    queries, candidates = draw(6, 8, 4)
    queries[3] = queries[1]
    wanted = gc_by_loops(queries, candidates)
    found = globally_corrected(queries, candidates, k=8)
    assert found.scores.tolist() == [[-place for place, _, _ in keys] for keys in wanted]
    assert np.array_equal(found.indices[3], found.indices[1])


def test_a_hub_is_the_first_of_all_by_cosine_and_of_few_when_corrected():
    generator = np.random.default_rng(0)
    queries = generator.standard_normal((200, 20)) + 0.5
    candidates = queries + 3 * generator.standard_normal((200, 20))
    candidates[7] = queries.mean(axis=0)
    often = {c: (corrected_nearest(queries, candidates, k=1, correction=c).indices == 7).sum() for c in Correction}
    assert often[Correction.COSINE] > 20
    assert all(often[c] < often[Correction.COSINE] / 2 for c in Correction if c is not Correction.COSINE)


@given(st.integers(0, 999), st.sampled_from(["inverted_softmax", "globally_corrected"]))
@settings(max_examples=30)
def test_blocks_order_and_a_rotation_change_nothing(seed, name):
    generator = np.random.default_rng(seed)
    queries, candidates = draw(30, 40, 8, seed)
    plain = corrected_nearest(queries, candidates, k=5, correction=name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corrected, "QUERIES", 7)
        parts = (
            inverted_softmax(queries, candidates, k=5, block=3)
            if name == "inverted_softmax"
            else globally_corrected(queries, candidates, k=5, cells=100)
        )
    np.testing.assert_array_equal(parts.indices, plain.indices)
    np.testing.assert_allclose(parts.scores, plain.scores, atol=1e-4)
    a, b = generator.permutation(30), generator.permutation(40)
    mixed = corrected_nearest(queries[a], candidates[b], k=5, correction=name)
    np.testing.assert_array_equal(b[mixed.indices], plain.indices[a])
    turn = np.linalg.qr(generator.standard_normal((8, 8)))[0]
    turned = corrected_nearest(3 * queries @ turn, candidates @ turn, k=5, correction=name)
    assert np.mean(turned.indices == plain.indices) > 0.95


@pytest.mark.parametrize("correction", list(Correction))
def test_rows_without_a_direction_and_too_few_candidates(correction):
    queries, candidates = draw(5, 6, 4)
    queries[1], candidates[2], candidates[3] = 0, np.nan, candidates[0]
    found = corrected_nearest(queries, candidates, k=7, correction=correction)
    assert found.indices.shape == (5, 7)
    assert (found.indices[1] == -1).all()
    assert (found.indices[[0, 2, 3, 4], :5] >= 0).all()
    assert (found.indices[:, 5:] == -1).all()
    assert np.isnan(found.scores[:, 5:]).all()
    assert 2 not in found.indices
    # Equal candidates stand side by side, the lower one first.
    at = [row.tolist().index(0) for row in found.indices[[0, 2, 3, 4]]]
    assert [row[n + 1] for row, n in zip(found.indices[[0, 2, 3, 4]], at, strict=True)] == [3] * 4
    assert (corrected_nearest(queries, candidates[:0], k=1, correction=correction).indices == -1).all()
    assert corrected_nearest(queries[:0], candidates, k=1, correction=correction).indices.shape == (0, 1)


def test_the_plain_rankings_are_those_of_nearest():
    queries, candidates = draw(9, 20, 5)
    for name in ("cosine", "csls"):
        found = corrected_nearest(queries, candidates, k=4, correction=name, csls_k=3)
        wanted = nearest(queries, candidates, k=4, score=name, csls_k=3)
        assert np.array_equal(found.indices, wanted.indices)
        assert np.array_equal(found.scores, wanted.scores)


@pytest.mark.parametrize("correction", list(Correction))
def test_memory_does_not_grow_with_the_square_of_the_rows(correction, monkeypatch):
    monkeypatch.setattr(corrected.globally_corrected, "__kwdefaults__", {"cells": 2**18})
    queries, candidates = draw(6000, 6000, 8)
    tracemalloc.start()
    corrected_nearest(queries, candidates, k=10, correction=correction)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6000 * 6000 * 4 / 2


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match="inverse_temperature=0 is out of range; valid: above 0"):
        inverted_softmax(np.eye(2), np.eye(2), k=1, inverse_temperature=0)
    with pytest.raises(InputError, match="k=0 is out of range"):
        globally_corrected(np.eye(2), np.eye(2), k=0)
    with pytest.raises(InputError, match="one width"):
        globally_corrected(np.eye(2), np.eye(3), k=1)
    with pytest.raises(ValueError, match="euclid"):
        corrected_nearest(np.eye(2), np.eye(2), k=1, correction="euclid")


def test_distinct_rows_are_numbered_by_their_first():
    rows = normalise_rows(np.array([[1, 0], [0, 2], [3, 0], [-0.0, 1], [0, 0]]))
    first, kind = distinct_rows(rows)
    assert first.tolist() == [0, 1, 4]
    assert kind.tolist() == [0, 1, 0, 1, 2]
    assert [len(part) for part in distinct_rows(rows[:0])] == [0, 0]
