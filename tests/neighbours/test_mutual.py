"""Both directions at once: equal to one direction at a time and to loops, whatever the blocks and the order."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.neighbours import contenders, mutual
from analysis.neighbours.contenders import Contenders
from analysis.neighbours.exact import Score, nearest
from analysis.neighbours.first import first_matches
from analysis.neighbours.mutual import mutual_first

pytestmark = pytest.mark.fast
BOTH = list(Score)


def draw(n, m, dim, seed=0):
    """Two sides with a direction in common, so that there are hubs."""
    generator = np.random.default_rng(seed)
    return tuple(generator.standard_normal((size, dim)).astype(np.float32) + 0.4 for size in (n, m))


def loops(queries, candidates, k):
    """The best candidate of each query by cosine and by CSLS, one pair at a time in float64."""
    unit = [x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1)[:, None] for x in (queries, candidates)]
    found = {score: [] for score in Score}
    penalty = [np.mean(sorted((float(x @ y) for x in unit[0]), reverse=True)[:k]) for y in unit[1]]
    for x in unit[0]:
        cosine = [float(x @ y) for y in unit[1]]
        found[Score.COSINE].append(int(np.argmax(cosine)))
        found[Score.CSLS].append(int(np.argmax([2 * c - p for c, p in zip(cosine, penalty, strict=True)])))
    return found


def expected(source, target, roles, k):
    """What `first_matches` finds in each direction for the same queries and candidates."""
    asks, pool = (roles["source_index"], roles["target_index"]), (roles["source_pool"], roles["target_pool"])
    ways = ((source[asks[0]], target, pool[1]), (target[asks[1]], source, pool[0]))
    found = [
        {s: np.where(index >= 0, offered[index], -1) if len(offered) else index for s, index in matches.items()}
        for queries, candidates, offered in ways
        for matches in [first_matches(queries, candidates[offered], csls_k=k)]
    ]
    return {score: (found[0][score], found[1][score]) for score in Score}


def agree(found, wanted):
    """Whether both directions are the same for each score."""
    for score, both in found.items():
        np.testing.assert_array_equal(both.forward, wanted[score][0])
        np.testing.assert_array_equal(both.backward, wanted[score][1])


def roles_of(generator, n, m, share=0.6):
    """Queries and candidates of both sides, each a random part of the rows in ascending order."""
    some = lambda size: np.flatnonzero(generator.random(size) < share)
    return {"source_index": some(n), "target_index": some(m), "source_pool": some(n), "target_pool": some(m)}


@pytest.mark.parametrize(("n", "m", "k"), [(1, 1, 1), (14, 9, 3), (5, 60, 10)])
def test_both_scores_equal_their_definitions_in_loops(n, m, k):
    source, target = draw(n, m, 6)
    found = mutual_first(source, target, csls_k=k, scores=BOTH)
    there, back = loops(source, target, k), loops(target, source, k)
    agree(found, {score: (there[score], back[score]) for score in Score})


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 12), st.integers(0, 9999), st.booleans())
@settings(max_examples=60)
def test_each_direction_is_that_of_first_matches(n, m, k, seed, everything):
    generator = np.random.default_rng(seed)
    source, target = draw(n, m, 5, seed)
    roles = roles_of(generator, n, m, 2 if everything else 0.6)
    agree(mutual_first(source, target, csls_k=k, scores=BOTH, **roles), expected(source, target, roles, k))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 6), st.integers(0, 9999))
@settings(max_examples=60)
def test_ties_and_rows_without_a_direction_are_treated_alike(n, m, k, seed):
    generator = np.random.default_rng(seed)
    # Few distinct directions, some rows of zeros, some not finite: most scores tie.
    source, target = (generator.integers(-1, 2, (size, 2)).astype(np.float32) for size in (n, m))
    source[generator.random(n) < 0.1] = np.nan
    roles = roles_of(generator, n, m)
    agree(mutual_first(source, target, csls_k=k, scores=BOTH, **roles), expected(source, target, roles, k))
    found = mutual_first(source, target, csls_k=k, scores=BOTH)
    for score in Score:
        there = nearest(source, target, k=1, score=score, csls_k=k).indices[:, 0]
        assert ((found[score].forward == -1) == (there == -1)).all()


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 999))
@settings(max_examples=40)
def test_results_do_not_depend_on_the_blocks(rows, block, seed):
    generator = np.random.default_rng(seed)
    source, target = draw(60, 50, 4, seed)
    target[25:] = target[:25]
    roles = roles_of(generator, 60, 50, 0.8)
    whole = mutual_first(source, target, csls_k=4, scores=BOTH, **roles)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutual, "ROWS", rows)
        patch.setattr(contenders, "GROUP", 1 + seed % 7)
        parts = mutual_first(source, target, csls_k=4, scores=BOTH, block=block, **roles)
    agree(parts, {score: (both.forward, both.backward) for score, both in whole.items()})


@given(st.integers(0, 999))
@settings(max_examples=20)
def test_the_order_of_rows_is_the_order_of_the_answer(seed):
    generator = np.random.default_rng(seed)
    source, target = draw(40, 50, 8, seed)
    a, b = generator.permutation(40), generator.permutation(50)
    plain, mixed = (mutual_first(*sides, csls_k=5, scores=BOTH) for sides in ((source, target), (source[a], target[b])))
    for score in Score:
        np.testing.assert_array_equal(b[mixed[score].forward], plain[score].forward[a])
        np.testing.assert_array_equal(a[mixed[score].backward], plain[score].backward[b])
    index = generator.permutation(40)[:10]
    some = mutual_first(source, target, source_index=index)[Score.COSINE]
    np.testing.assert_array_equal(some.forward, plain[Score.COSINE].forward[index])


@given(st.integers(0, 999), st.floats(0.01, 100))
@settings(max_examples=20)
def test_a_joint_rotation_and_scales_change_nothing(seed, scale):
    source, target = draw(30, 40, 12, seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((12, 12)))[0]
    plain = mutual_first(source, target, csls_k=4, scores=BOTH)
    turned = mutual_first(scale * source @ turn, target @ turn, csls_k=4, scores=BOTH)
    for score in Score:
        assert np.mean(plain[score].forward == turned[score].forward) > 0.95
        assert np.mean(plain[score].backward == turned[score].backward) > 0.95


def test_only_what_is_asked_for_is_computed(monkeypatch):
    passes = []
    sweep = mutual._sweep
    monkeypatch.setattr(mutual, "_sweep", lambda *given: passes.append(given[3:5]) or sweep(*given))
    source, target = draw(20, 30, 4)
    assert list(mutual_first(source, target)) == [Score.COSINE]
    assert passes == [(True, 0)]
    assert list(mutual_first(source, target, scores=["csls"])) == [Score.CSLS]
    assert passes[1:] == [(False, 10), (True, 0)]
    assert mutual_first(source, target, scores=[]) == {}


def test_many_equal_rows_are_thinned_and_the_lowest_wins(monkeypatch):
    thinned = []
    thin = Contenders._thin
    monkeypatch.setattr(Contenders, "_thin", lambda self: thinned.append(len(self._row)) or thin(self))
    side = np.tile(np.random.default_rng(0).standard_normal((3, 16)).astype(np.float32), (700, 1))
    found = mutual_first(side, side, scores=BOTH)
    assert thinned
    for both in found.values():
        assert both.forward.tolist() == both.backward.tolist() == [0, 1, 2] * 700
    neighbours = nearest(side[:9], side, k=3)
    assert neighbours.indices.tolist() == [[n, n + 3, n + 6] for n in (0, 1, 2)] * 3


def test_memory_does_not_grow_with_the_square_of_the_rows():
    source, target = draw(9000, 9000, 16)
    tracemalloc.start()
    mutual_first(source, target, scores=BOTH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9000 * 9000 * 4 / 5
    assert peak < 60e6


def test_inputs_are_not_changed_and_may_be_of_any_type():
    source, target = (side.astype(np.float64) for side in draw(9, 8, 4))
    before = source.copy(), target.copy()
    double = mutual_first(source, target, scores=BOTH)
    np.testing.assert_array_equal(source, before[0])
    np.testing.assert_array_equal(target, before[1])
    half = mutual_first(source.astype(np.float32), target.astype(np.float32), scores=BOTH)
    agree(half, {score: (both.forward, both.backward) for score, both in double.items()})


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_empty_sides_find_nothing(shape):
    source, target = draw(*shape, 3)
    for both in mutual_first(source, target, scores=BOTH).values():
        assert both.forward.tolist() == [-1] * shape[0]
        assert both.backward.tolist() == [-1] * shape[1]


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match="one width"):
        mutual_first(np.eye(2), np.eye(3))
    with pytest.raises(InputError, match="csls_k=0 is out of range"):
        mutual_first(np.eye(2), np.eye(2), csls_k=0)
    with pytest.raises(InputError, match="target_pool must name some of 2 rows, each from 0 to 1"):
        mutual_first(np.eye(3, 2), np.eye(2), target_pool=np.array([2]))
