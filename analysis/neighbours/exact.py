"""Exact nearest neighbours by cosine and CSLS, block by block in bounded memory.

A row without a direction (all zeros, or not finite) is never retrieved. Ties go to the lowest index, and no
result depends on the size of the blocks: what a matrix product ranks within rounding of the k-th place is
scored again, row by row, before it is sorted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.rows import has_direction, normalise_rows, row_products

QUERIES = 512
CANDIDATES = 8192
GROUP = 32
ROUNDING = 4e-6  # more than float32 matrix products of unit rows (CSLS: of twice unit rows) can be off by
TIE = 1e-6  # scores of unit rows that differ by less are the same score


class Score(StrEnum):
    """How closeness is scored."""

    COSINE = "cosine"
    CSLS = "csls"


@dataclass(frozen=True)
class Neighbours:
    """The nearest candidates of each query, best first.

    Attributes:
        indices: (queries, k) int64 positions in the candidates; -1 where there is none.
        scores: (queries, k) float32; NaN where there is none.
    """

    indices: np.ndarray
    scores: np.ndarray


def nearest(
    queries: np.ndarray,
    candidates: np.ndarray,
    *,
    k: int,
    score: Score | str = Score.COSINE,
    csls_k: int = 10,
    background: np.ndarray | None = None,
    block: int = CANDIDATES,
) -> Neighbours:
    """Find the k nearest candidates of every query.

    CSLS is 2 cos(x, y) - r(x) - r(y), where r(y) is the mean cosine of y with its `csls_k` nearest queries and
    r(x) that of x with its nearest candidates: it lowers candidates that are close to everything (hubs).

    Args:
        queries: (q, dim) vectors; not changed.
        candidates: (c, dim) vectors; not changed.
        k: number of neighbours, at least 1.
        score: `cosine` or `csls`.
        csls_k: size of the neighbourhoods of CSLS.
        background: (b, dim) vectors of the queries' side from which r(y) is computed; the queries themselves
            if None. Needed where a single query is looked up.
        block: candidates compared at once; memory grows with it, results do not depend on it.

    Returns:
        The neighbours; fewer than k candidates leave -1 and NaN at the end of a row.

    Raises:
        InputError: k below 1, or sides of different width.

    Source: Conneau et al. 2018, Word translation without parallel data, section 2.3 (CSLS).
    """
    score = Score(score)
    _check(queries, candidates, k)
    usable, asked = np.flatnonzero(has_direction(candidates)), np.flatnonzero(has_direction(queries))
    indices = np.full((len(queries), k), -1, dtype=np.int64)
    scores = np.full((len(queries), k), np.nan, dtype=np.float32)
    found = min(k, len(usable))
    if not found or not len(asked):
        return Neighbours(indices, scores)
    left, right = normalise_rows(queries[asked]), normalise_rows(candidates[usable])
    if score is Score.CSLS:
        own = mean_top_k(left, right, csls_k, block=block)
        left, right = _with_penalty(left, right, left if background is None else background, csls_k, block)
    top, values = _top_products(left, right, found, block)
    if score is Score.CSLS:
        values = values - own[:, None].astype(np.float32)
    indices[asked, :found], scores[asked, :found] = usable[top], values
    return Neighbours(indices, scores)


def mean_top_k(queries: np.ndarray, candidates: np.ndarray, k: int, *, block: int = CANDIDATES) -> np.ndarray:
    """Mean cosine of every query with its k nearest candidates: the r of CSLS.

    Args:
        queries: (q, dim) vectors.
        candidates: (c, dim) vectors; all of them count where there are fewer than k.
        k: size of the neighbourhood.
        block: candidates compared at once.

    Returns:
        (q,) float64; 0 where the query has no direction or there is no candidate.
    """
    scores = nearest(queries, candidates, k=k, block=block).scores.astype(np.float64)
    counts = np.isfinite(scores).sum(axis=1)
    return np.nansum(scores, axis=1) / np.maximum(counts, 1)


def ranks(
    queries: np.ndarray,
    candidates: np.ndarray,
    gold: np.ndarray,
    *,
    score: Score | str = Score.COSINE,
    csls_k: int = 10,
    block: int = CANDIDATES,
) -> np.ndarray:
    """The rank of one given candidate for every query.

    Args:
        queries: (q, dim) vectors.
        candidates: (c, dim) vectors.
        gold: (q,) the candidate whose rank is asked for.
        score: `cosine` or `csls`.
        csls_k: size of the neighbourhoods of CSLS.
        block: candidates compared at once.

    Returns:
        (q,) int64, 1 for the best. Of candidates that tie (within rounding) the lowest index comes first.
        A query or a gold candidate without a direction takes the last place.

    Raises:
        InputError: sides of different width, or one gold candidate a query is not given.
    """
    score, gold = Score(score), np.asarray(gold, dtype=np.int64)
    _check(queries, candidates, 1)
    if gold.shape != (len(queries),) or (len(gold) and not 0 <= gold.min() <= gold.max() < len(candidates)):
        raise InputError(f"gold must name one of {len(candidates)} candidates for each of {len(queries)} queries")
    valid = has_direction(candidates)
    asked = np.flatnonzero(has_direction(queries) & valid[gold])
    result = np.full(len(queries), len(candidates), dtype=np.int64)
    left, right = normalise_rows(queries[asked]), normalise_rows(candidates[valid])
    place = (np.cumsum(valid) - 1)[gold[asked]]
    if score is Score.CSLS and len(asked):
        left, right = _with_penalty(left, right, left, csls_k, block)
    for rows in _blocks(len(asked), QUERIES):
        result[asked[rows]] = 1 + _count_better(left[rows], right, place[rows], block)
    return result


def _count_better(queries: np.ndarray, candidates: np.ndarray, place: np.ndarray, block: int) -> np.ndarray:
    """How many candidates stand before the one at `place`, for each query."""
    own = row_products(queries, candidates[place])[:, None]
    tie = TIE * max(1.0, float(np.linalg.norm(queries, axis=1).max(initial=0)))
    count = np.zeros(len(queries), dtype=np.int64)
    for columns in _blocks(len(candidates), block):
        products = queries @ candidates[columns].T
        above = products > own + tie
        before = np.arange(columns.start, columns.start + products.shape[1]) < place[:, None]
        count += (above | ((products >= own - tie) & before)).sum(axis=1)
    return count


def _with_penalty(
    queries: np.ndarray, candidates: np.ndarray, background: np.ndarray, csls_k: int, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """Queries and candidates with one more column, so that their inner product is 2 cos(x, y) - r(y)."""
    penalty = mean_top_k(candidates, background, csls_k, block=block).astype(np.float32)
    ones = np.ones((len(queries), 1), dtype=np.float32)
    return np.hstack([2 * queries, ones]), np.hstack([candidates, -penalty[:, None]])


def _top_products(queries: np.ndarray, candidates: np.ndarray, k: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """The k candidates of greatest inner product for each query: (q, k) indices and scores, best first."""
    indices = np.empty((len(queries), k), dtype=np.int64)
    scores = np.empty((len(queries), k), dtype=np.float32)
    for rows in _blocks(len(queries), QUERIES):
        mine = queries[rows]
        row, column = _contenders(mine, candidates, k, max(block, 1))
        value = _products_of_pairs(mine, candidates, row, column)
        order = np.lexsort((column, -value, row))
        first = order[_place_in_row(row[order]) < k]
        indices[rows] = column[first].reshape(-1, k)
        scores[rows] = value[first].reshape(-1, k)
    return indices, scores


def _contenders(queries: np.ndarray, candidates: np.ndarray, k: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (query, candidate) that hold the k best of every query and what ties with the k-th within rounding."""
    row = np.empty(0, dtype=np.int64)
    column = np.empty(0, dtype=np.int64)
    value = np.empty(0, dtype=np.float32)
    bound = np.full(len(queries), -np.inf, dtype=np.float32)
    for columns in _blocks(len(candidates), block):
        products = queries @ candidates[columns].T
        new_row, new_column = _above(products, bound, k)
        if not len(new_row):
            continue
        row = np.concatenate([row, new_row])
        column = np.concatenate([column, new_column + columns.start])
        value = np.concatenate([value, products[new_row, new_column]])
        order = np.lexsort((-value, row))
        row, column, value = row[order], column[order], value[order]
        kth = _place_in_row(row) == k - 1
        bound[row[kth]] = value[kth] - ROUNDING
        keep = value >= bound[row]
        row, column, value = row[keep], column[keep], value[keep]
    return row, column


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
    for part in _blocks(len(row), 16384):
        value[part] = row_products(queries[row[part]], candidates[column[part]])
    return value


def _place_in_row(row: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... within each run of equal values of a sorted array."""
    return np.arange(len(row)) - np.searchsorted(row, row)


def _blocks(length: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover 0 to length."""
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


def _check(queries: np.ndarray, candidates: np.ndarray, k: int) -> None:
    """Raise unless both sides have one width and k is a number of neighbours."""
    if k < 1:
        raise InputError(f"k={k} is out of range; valid: at least 1")
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise InputError(f"queries {queries.shape} and candidates {candidates.shape} must be (n, dim) of one width")
