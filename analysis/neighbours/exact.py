"""Exact nearest neighbours by cosine and CSLS, block by block in bounded memory.

A row without a direction (all zeros, or not finite) is never retrieved. Ties go to the lowest index, and no
result depends on the size of the blocks: what a matrix product ranks within rounding of the k-th place is
scored again, row by row, before it is sorted.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.contenders import TIE, Contenders, blocks
from analysis.neighbours.rows import has_direction, normalise_rows, row_products

QUERIES = 512
CANDIDATES = 4096
BYTES = 128  # so many cells can be counted in one byte


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
    check_sides(queries, candidates, k)
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
    top, values = top_products(left, right, found, block=block)
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
    check_sides(queries, candidates, 1)
    if gold.shape != (len(queries),) or (len(gold) and not 0 <= gold.min() <= gold.max() < len(candidates)):
        raise InputError(f"gold must name one of {len(candidates)} candidates for each of {len(queries)} queries")
    valid = has_direction(candidates)
    asked = np.flatnonzero(has_direction(queries) & valid[gold])
    result = np.full(len(queries), len(candidates), dtype=np.int64)
    left, right = normalise_rows(queries[asked]), normalise_rows(candidates[valid])
    place = (np.cumsum(valid) - 1)[gold[asked]]
    if score is Score.CSLS and len(asked):
        left, right = _with_penalty(left, right, left, csls_k, block)
    for rows in blocks(len(asked), QUERIES):
        result[asked[rows]] = 1 + _count_better(left[rows], right, place[rows], block)
    return result


def _count_better(queries: np.ndarray, candidates: np.ndarray, place: np.ndarray, block: int) -> np.ndarray:
    """How many candidates stand before the one at `place`, for each query."""
    own = row_products(queries, candidates[place])[:, None]
    tie = TIE * max(1.0, float(np.linalg.norm(queries, axis=1).max(initial=0)))
    count = np.zeros(len(queries), dtype=np.int64)
    for columns in blocks(len(candidates), block):
        products = queries @ candidates[columns].T
        above, near = _count_true(products > own + tie), _count_true(products >= own - tie)
        count += above
        # Few queries have a candidate that ties with theirs: only there does the order of candidates matter.
        here = (columns.start <= place) & (place < columns.stop)
        tied = np.flatnonzero(near > above + here)
        before = np.arange(columns.start, columns.stop) < place[tied, None]
        within = (products[tied] >= own[tied] - tie) & (products[tied] <= own[tied] + tie)
        count[tied] += (within & before).sum(axis=1)
    return count


def _count_true(mask: np.ndarray) -> np.ndarray:
    """How many cells of each row are true, in bytes first: several times as fast as a sum."""
    rows, width = mask.shape
    groups = width // BYTES
    if not groups:
        return np.count_nonzero(mask, axis=1)
    head = mask[:, : groups * BYTES].view(np.uint8).reshape(rows, BYTES, groups).sum(axis=1, dtype=np.uint8)
    return head.sum(axis=1, dtype=np.int64) + np.count_nonzero(mask[:, groups * BYTES :], axis=1)


def _with_penalty(
    queries: np.ndarray, candidates: np.ndarray, background: np.ndarray, csls_k: int, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """Queries and candidates with one more column, so that their inner product is 2 cos(x, y) - r(y)."""
    penalty = mean_top_k(candidates, background, csls_k, block=block).astype(np.float32)
    ones = np.ones((len(queries), 1), dtype=np.float32)
    return np.hstack([2 * queries, ones]), np.hstack([candidates, -penalty[:, None]])


def top_products(
    queries: np.ndarray, candidates: np.ndarray, k: int, *, block: int = CANDIDATES
) -> tuple[np.ndarray, np.ndarray]:
    """The k candidates of greatest inner product for each query.

    Args:
        queries: (q, dim) float32 rows.
        candidates: (c, dim) float32 rows; inner products lie between -4 and 4.
        k: how many, at most c.
        block: candidates compared at once.

    Returns:
        (q, k) indices and (q, k) float32 inner products, best first; ties go to the lowest index.
    """
    indices = np.empty((len(queries), k), dtype=np.int64)
    scores = np.empty((len(queries), k), dtype=np.float32)
    for rows in blocks(len(queries), QUERIES):
        contenders = Contenders(queries[rows], candidates, k)
        for columns in blocks(len(candidates), block):
            contenders.add(queries[rows] @ candidates[columns].T, columns.start)
        indices[rows], scores[rows] = contenders.top()
    return indices, scores


def check_sides(queries: np.ndarray, candidates: np.ndarray, k: int) -> None:
    """Raise unless both sides have one width and k is a number of neighbours.

    Args:
        queries: (q, dim) vectors.
        candidates: (c, dim) vectors.
        k: number of neighbours.

    Raises:
        InputError: k below 1, or sides of different width.
    """
    if k < 1:
        raise InputError(f"k={k} is out of range; valid: at least 1")
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise InputError(f"queries {queries.shape} and candidates {candidates.shape} must be (n, dim) of one width")
