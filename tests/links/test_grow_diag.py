"""Symmetrisation against a worked example and against the published loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.links.decoders.grow_diag import HEURISTICS, SPEC, GrowDiagSettings, symmetrise

pytestmark = pytest.mark.fast
FORWARD = {(0, 0), (1, 1), (2, 4), (3, 5)}
BACKWARD = {(0, 0), (2, 1), (0, 2), (2, 3), (1, 4)}
# (1, 1) touches (0, 0) at a corner and brings (2, 1) below it and (0, 2) at its corner. Of the rest, (2, 4) and
# (2, 3) link one free word, (3, 5) links two; (1, 4) links none once (2, 4) is there.
GROWN = {(0, 0), (1, 1), (2, 1), (0, 2)}
WORKED = {
    "intersection": {(0, 0)},
    "grow": {(0, 0)},
    "grow-diag": GROWN,
    "grow-diag-final": GROWN | {(2, 4), (3, 5), (2, 3)},
    "grow-diag-final-and": GROWN | {(3, 5)},
    "union": FORWARD | BACKWARD,
}


def mask(points, shape):
    found = np.zeros(shape, dtype=bool)
    for point in points:
        found[point] = True
    return found


def points(found):
    return {(int(i), int(j)) for i, j in zip(*np.nonzero(found))}


@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_a_worked_example(heuristic):
    found = symmetrise(mask(FORWARD, (4, 6)), mask(BACKWARD, (4, 6)), heuristic)
    assert points(found) == WORKED[heuristic]


def published(forward, backward, heuristic):
    """The loops of Koehn et al. 2005 over all words, on sets of points."""
    forward_points, backward_points = points(forward), points(backward)
    union, links = forward_points | backward_points, forward_points & backward_points
    if heuristic in ("union", "intersection"):
        return union if heuristic == "union" else links
    cells = list(np.ndindex(*forward.shape))
    while published_round(links, union, cells, diagonal=heuristic != "grow"):
        pass
    enough = all if heuristic.endswith("and") else any
    for directed in (forward_points, backward_points) if "final" in heuristic else ():
        for cell in cells:
            if cell in directed and enough(free(cell, links)):
                links.add(cell)
    return links


def published_round(links, union, cells, *, diagonal):
    """One pass of growing over all cells; says whether it added a link."""
    before = len(links)
    steps = [(-1, 0), (0, -1), (1, 0), (0, 1), *([(-1, -1), (-1, 1), (1, -1), (1, 1)] if diagonal else [])]
    for i, j in cells:
        for down, right in steps if (i, j) in links else ():
            new = (i + down, j + right)
            if new in union and any(free(new, links)):
                links.add(new)
    return len(links) > before


def free(cell, links):
    """Whether the row and whether the column of a cell has no link."""
    return all(i != cell[0] for i, _ in links), all(j != cell[1] for _, j in links)


@given(st.data(), st.integers(1, 6), st.integers(1, 6), st.sampled_from(HEURISTICS))
def test_any_two_alignments_are_joined_as_the_published_loops_do(data, m, n, heuristic):
    forward, backward = (data.draw(arrays(bool, (m, n))) for _ in range(2))
    before = forward.copy(), backward.copy()
    assert points(symmetrise(forward, backward, heuristic)) == published(forward, backward, heuristic)
    assert np.array_equal(forward, before[0])
    assert np.array_equal(backward, before[1])


@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1, 1)))
def test_heuristics_are_nested(similarity):
    found = {name: SPEC.decode(similarity, GrowDiagSettings(name)).sure for name in HEURISTICS}
    assert found["intersection"] <= found["grow"] <= found["union"]
    assert found["intersection"] <= found["grow-diag"] <= found["grow-diag-final-and"] <= found["union"]
    assert found["grow-diag"] <= found["grow-diag-final"] <= found["union"]


@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1, 1)))
def test_what_does_not_depend_on_the_order_turns_with_the_matrix(similarity):
    for heuristic in ("intersection", "union"):
        settings = GrowDiagSettings(heuristic)
        assert SPEC.decode(similarity.T, settings) == SPEC.decode(similarity, settings).flipped()
