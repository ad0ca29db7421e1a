"""The best match of every unit in the other language, in both directions at once: what retrieval accuracy needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.contenders import Contenders, blocks
from analysis.neighbours.exact import Score
from analysis.neighbours.rows import has_direction, normalise_rows

ROWS = 512
COLUMNS = 4096


@dataclass(frozen=True)
class BothWays:
    """The best match of every query of both sides.

    Attributes:
        forward: (queries of the source,) int64 rows of the target, -1 where there is none.
        backward: (queries of the target,) int64 rows of the source, -1 where there is none.
    """

    forward: np.ndarray
    backward: np.ndarray


def mutual_first(
    source: np.ndarray,
    target: np.ndarray,
    *,
    source_index: np.ndarray | None = None,
    target_index: np.ndarray | None = None,
    source_pool: np.ndarray | None = None,
    target_pool: np.ndarray | None = None,
    csls_k: int = 10,
    scores: Iterable[Score | str] = (Score.COSINE,),
    block: int = COLUMNS,
) -> dict[Score, BothWays]:
    """The nearest candidate of every query of both sides, from one product of blocks for both directions.

    The same answers as `first_matches` in each direction. The cosine costs one matrix product; CSLS costs a
    second one, since all neighbourhoods must be known before anything is ranked by them. Memory grows with the
    number of rows, not with its square.

    Args:
        source: (n, dim) vectors of the first language; not changed.
        target: (m, dim) vectors of the second language; not changed.
        source_index: the rows of the source that are queries, each counted once; all if None.
        target_index: the rows of the target that are queries; all if None.
        source_pool: the rows of the source that are candidates of the target's queries; all if None.
        target_pool: the rows of the target that are candidates of the source's queries; all if None.
        csls_k: size of the neighbourhoods of CSLS; a candidate's is taken among the queries of the other side.
        scores: what to rank by.
        block: target rows compared at once; results do not depend on it.

    Returns:
        For each score one `BothWays`, in the order of the indices. Of candidates that tie (within rounding) the
        lowest row is taken. A row without a direction (all zeros, or not finite) finds nothing and is not found.

    Raises:
        InputError: sides of different width, csls_k below 1, or an index that is not a row.

    Source: Conneau et al. 2018, Word translation without parallel data, section 2.3 (CSLS).
    """
    wanted = list(dict.fromkeys(Score(score) for score in scores))
    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1]:
        raise InputError(f"source {source.shape} and target {target.shape} must be (n, dim) of one width")
    if csls_k < 1:
        raise InputError(f"csls_k={csls_k} is out of range; valid: at least 1")
    asked = _rows("source_index", source_index, source), _rows("target_index", target_index, target)
    left = _arrange(source, asked[0], _rows("source_pool", source_pool, source))
    right = _arrange(target, asked[1], _rows("target_pool", target_pool, target))
    found = {}
    near = csls_k if Score.CSLS in wanted else 0
    best, penalties = _sweep(left, right, left.rows.shape[1] - 2, Score.COSINE in wanted, near, block)
    if Score.COSINE in wanted:
        found[Score.COSINE] = best
    if Score.CSLS in wanted:
        # The inner product becomes cos(x, y) - r(x) / 2 - r(y) / 2, half of CSLS, for both directions at once.
        left.rows[:, -2:] = np.stack([-penalties[0] / 2, np.ones(len(left.rows))], axis=1)
        right.rows[:, -2:] = np.stack([np.ones(len(right.rows)), -penalties[1] / 2], axis=1)
        found[Score.CSLS], _ = _sweep(left, right, left.rows.shape[1], True, 0, block)
    places = [np.full(len(side), -1, dtype=np.int64) for side in (source, target)]
    answers = {}
    for score in wanted:
        for place, side, names in zip(places, (left, right), found[score], strict=True):
            place[side.names[: side.asking]] = names
        answers[score] = BothWays(*(place[rows] for place, rows in zip(places, asked, strict=True)))
    return answers


@dataclass(frozen=True)
class _Side:
    """The rows of one side that take part: those that only ask, those that do both, those that are only offered.

    Attributes:
        rows: (n, dim + 2) float32, of length 1 and then two columns for the penalties of CSLS.
        names: (n,) which row of the input each one is.
        offered: the first row that is a candidate; all behind it are.
        asking: the number of rows that are queries, the first ones.
    """

    rows: np.ndarray
    names: np.ndarray
    offered: int
    asking: int

    def cuts(self, size: int) -> Iterator[slice]:
        """Blocks of rows that take part in the same way."""
        ends = (0, self.offered, self.asking, len(self.rows))
        for start, end in pairwise(ends):
            yield from (slice(start + part.start, start + part.stop) for part in blocks(end - start, size))

    def asks(self, part: slice) -> bool:
        """Whether the rows of a block are queries."""
        return part.start < self.asking

    def offers(self, part: slice) -> bool:
        """Whether the rows of a block are candidates."""
        return part.start >= self.offered


class _Seekers:
    """A block of rows of one side that looks for its best candidate, and for the queries that it is near to."""

    def __init__(self, own: _Side, part: slice, other: _Side, width: int, best: bool, near: int) -> None:
        """Begin the search; `near` is how many nearest queries are wanted, 0 for none."""
        near = min(near, other.asking) if own.offers(part) else 0
        best = best and own.asks(part) and other.offered < len(other.rows)
        rows, across = own.rows[part, :width], other.rows[:, :width]
        alike = other.offered == 0 and other.asking == len(other.rows)
        self._other, self.part = other, part
        self.near = Contenders(rows, across, near, names=other.names) if near else None
        if best and alike and self.near:
            self.best: Contenders | None = self.near
        else:
            self.best = Contenders(rows, across, 1, names=other.names) if best else None

    def need(self, other: slice) -> bool:
        """Whether a block of the other side matters."""
        return bool((self.best and self._other.offers(other)) or (self.near and self._other.asks(other)))

    def add(self, products: np.ndarray, other: slice) -> None:
        """Take in the inner products with a block of the other side."""
        if self.best and self._other.offers(other):
            self.best.add(products, other.start)
        if self.near and self.near is not self.best and self._other.asks(other):
            self.near.add(products, other.start)

    def settle(self, names: np.ndarray, penalty: np.ndarray) -> None:
        """Write down the best candidate of each row and its mean cosine with the nearest queries."""
        if self.best:
            names[self.part] = self.best.best()
        if self.near:
            penalty[self.part] = self.near.means()


def _sweep(
    left: _Side, right: _Side, width: int, best: bool, near: int, block: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """One pass over all blocks of inner products of both sides.

    Gives, for each side, the best candidate of each row that asks (its name, -1 without one) and the mean inner
    product of each row with the `near` nearest queries of the other side (0 where none was asked for).
    """
    names = [np.full(side.asking, -1, dtype=np.int64) for side in (left, right)]
    penalties = [np.zeros(len(side.rows), dtype=np.float32) for side in (left, right)]
    columns = [_Seekers(right, part, left, width, best, near) for part in right.cuts(block)]
    for part in left.cuts(ROWS):
        rows = _Seekers(left, part, right, width, best, near)
        for column in columns:
            if rows.need(column.part) or column.need(part):
                products = left.rows[part, :width] @ right.rows[column.part, :width].T
                rows.add(products, column.part)
                column.add(products.T, part)
        rows.settle(names[0], penalties[0])
    for column in columns:
        column.settle(names[1], penalties[1])
    return names, penalties


def _arrange(vectors: np.ndarray, asked: np.ndarray, pool: np.ndarray) -> _Side:
    """The rows that take part and have a direction, in the order of `_Side`."""
    asks, offered = (np.zeros(len(vectors), dtype=bool) for _ in range(2))
    asks[asked], offered[pool] = True, True
    usable = has_direction(vectors)
    groups = [np.flatnonzero(usable & group) for group in (asks & ~offered, asks & offered, offered & ~asks)]
    names = np.concatenate(groups)
    rows = np.zeros((len(names), vectors.shape[1] + 2), dtype=np.float32)
    for part in blocks(len(names), COLUMNS):
        rows[part, :-2] = normalise_rows(vectors[names[part]])
    return _Side(rows, names, len(groups[0]), len(groups[0]) + len(groups[1]))


def _rows(name: str, index: np.ndarray | None, vectors: np.ndarray) -> np.ndarray:
    """An index as positions of rows, all of them for None."""
    if index is None:
        return np.arange(len(vectors))
    index = np.asarray(index, dtype=np.int64)
    if index.ndim != 1 or (len(index) and not 0 <= index.min() <= index.max() < len(vectors)):
        raise InputError(f"{name} must name some of {len(vectors)} rows, each from 0 to {len(vectors) - 1}")
    return index
