"""The few candidates that can be among the k nearest of a query, gathered from blocks of inner products."""

from collections.abc import Iterator

import numpy as np

from analysis.neighbours.rows import row_products

GROUP = 32
PAIRS = 2048
ROUNDING = 4e-6  # more than float32 matrix products of unit rows (CSLS: of twice unit rows) can be off by
TIE = 1e-6  # scores of unit rows that differ by less are the same score
SPREAD = 8.0  # more than the scores of one query can differ by


class Contenders:
    """Pairs of a query and a candidate that can be among the k nearest of the query.

    Blocks of inner products come in by `add`, in any order. What they rank within rounding of the k-th place is
    kept and at the end scored again, pair by pair, so that no answer depends on the blocks.
    """

    def __init__(self, queries: np.ndarray, candidates: np.ndarray, k: int, *, names: np.ndarray | None = None) -> None:
        """Begin with no pairs.

        Args:
            queries: (q, dim) rows.
            candidates: (c, dim) rows, at least one; inner products lie between -4 and 4.
            k: how many nearest candidates are wanted, at most c.
            names: (c,) what candidates are called in the answer, where the lowest name wins ties; their places if
                None.
        """
        self._queries, self._candidates, self._k = queries, candidates, k
        self._names = np.arange(len(candidates)) if names is None else names
        self._bound = np.full(len(queries), -np.inf, dtype=np.float32)
        self._row = self._column = np.empty(0, dtype=np.int32)
        self._value = np.empty(0, dtype=np.float32)
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._limit = 4 * k * len(queries) + 2**16

    def add(self, products: np.ndarray, start: int) -> None:
        """Take in a block.

        Args:
            products: (q, width) float32 inner products of all queries with the candidates from `start` on.
            start: the first of these candidates.
        """
        row, column = _above(products, self._bound, self._k)
        if not len(row):
            return
        found = row.astype(np.int32), (column + start).astype(np.int32), products[row, column]
        self._waiting.append(found)
        # A bound that is a little out of date lets more pairs through, which costs less than sorting each time.
        if sum(len(part[0]) for part in self._waiting) > len(self._row) // 2 or not np.isfinite(self._bound).all():
            self._merge()

    def best(self) -> np.ndarray:
        """The nearest candidate of each query, (q,) names: the lowest of those within `TIE` of the greatest score."""
        self._finish()
        first = np.searchsorted(self._row, np.arange(len(self._queries)))
        near = self._value >= self._value[first][self._row] - TIE
        result = np.full(len(self._queries), np.iinfo(np.int64).max)
        np.minimum.at(result, self._row[near], self._names[self._column[near]])
        return result

    def top(self) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest candidates of each query, best first: (q, k) names and (q, k) float32 scores."""
        self._finish()
        first = _place_in_row(self._row) < self._k
        shape = (len(self._queries), self._k)
        return self._names[self._column[first]].reshape(shape), self._value[first].reshape(shape)

    def means(self) -> np.ndarray:
        """The mean score of each query with its k nearest candidates: (q,) float64."""
        return self.top()[1].mean(axis=1, dtype=np.float64)

    def _finish(self) -> None:
        """Score every pair again and sort them by query, best first, equal scores by name."""
        if self._waiting:
            self._merge()
        self._value = _products_of_pairs(self._queries, self._candidates, self._row, self._column)
        self._keep(np.lexsort((self._names[self._column], -self._value, self._row)))

    def _merge(self) -> None:
        """Take in the waiting pairs and drop those that the k-th best of their query has left behind."""
        parts = [(self._row, self._column, self._value), *self._waiting]
        self._row, self._column, self._value = (np.concatenate(part) for part in zip(*parts, strict=True))
        self._waiting = []
        self._keep(np.argsort(SPREAD * self._row - self._value))
        kth = _place_in_row(self._row) == self._k - 1
        self._bound[self._row[kth]] = self._value[kth] - ROUNDING
        self._keep(np.flatnonzero(self._value >= self._bound[self._row]))
        if len(self._row) > self._limit:
            self._thin()
            self._limit = max(self._limit, 2 * len(self._row))

    def _thin(self) -> None:
        """Of many that tie keep those that can still be an answer: the k best, and who beats all lower names."""
        self._finish()
        among = _place_in_row(self._row) < self._k
        by_name = np.lexsort((self._names[self._column], self._row))
        raised = SPREAD * self._row[by_name] + self._value[by_name]
        beaten = np.zeros(len(raised), dtype=bool)
        beaten[1:] = raised[1:] <= np.maximum.accumulate(raised)[:-1]
        among[by_name[~beaten]] = True
        self._keep(np.flatnonzero(among))

    def _keep(self, which: np.ndarray) -> None:
        """Go on with these pairs, in this order."""
        self._row, self._column, self._value = self._row[which], self._column[which], self._value[which]


def blocks(length: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover 0 to length."""
    return (slice(start, min(start + size, length)) for start in range(0, length, max(size, 1)))


def _above(products: np.ndarray, bound: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells that may be among the k best of their row, given a lower bound of the k-th best so far.

    Columns are looked at in groups by their greatest value: one cheap pass decides where the few cells that
    matter can be. The k-th greatest group value is itself a lower bound of the k-th best cell.
    """
    rows, width = products.shape
    groups = width // GROUP
    if groups <= k:
        every_row, every_column = np.nonzero(products >= bound[:, None])
        return every_row, every_column
    head = products[:, : groups * GROUP].reshape(rows, GROUP, groups)
    greatest = head.max(axis=1)
    if not np.isfinite(bound).all():
        kth = np.partition(greatest, groups - k, axis=1)[:, groups - k]
        bound = np.maximum(bound, kth - ROUNDING)
    row, group = np.nonzero(greatest >= bound[:, None])
    cells = group[:, None] + groups * np.arange(GROUP)
    at, member = np.nonzero(products[row[:, None], cells] >= bound[row, None])
    tail_row, tail_column = np.nonzero(products[:, groups * GROUP :] >= bound[:, None])
    columns = np.concatenate([cells[at, member], tail_column + groups * GROUP])
    return np.concatenate([row[at], tail_row]), columns


def _products_of_pairs(queries: np.ndarray, candidates: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """The inner product of each pair, computed the same way wherever the pair stands."""
    value = np.empty(len(row), dtype=np.float32)
    for part in blocks(len(row), PAIRS):
        value[part] = row_products(queries[row[part]], candidates[column[part]])
    return value


def _place_in_row(row: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... within each run of equal values of a sorted array."""
    return np.arange(len(row)) - np.searchsorted(row, row)
