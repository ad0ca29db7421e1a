"""The best candidate of every query by cosine and by CSLS in one go: what retrieval accuracy needs."""

import numpy as np

from analysis.neighbours.contenders import TIE
from analysis.neighbours.exact import Score
from analysis.neighbours.rows import has_direction, normalise_rows

BLOCK = 256


def first_matches(
    queries: np.ndarray, candidates: np.ndarray, *, csls_k: int = 10, block: int = BLOCK
) -> dict[Score, np.ndarray]:
    """The nearest candidate of every query by cosine and by CSLS, from one pass over their similarities.

    The same answer as `nearest(..., k=1)` for both scores, at the price of one matrix product.

    Args:
        queries: (q, dim) vectors; not changed.
        candidates: (c, dim) vectors; not changed.
        csls_k: size of the neighbourhoods of CSLS, taken among the queries.
        block: candidates compared at once; results do not depend on it.

    Returns:
        For each score (q,) int64 indices of candidates; ties (within rounding) go to the lowest index, -1
        where the query has no direction or no candidate has one.
    """
    asked, usable = np.flatnonzero(has_direction(queries)), np.flatnonzero(has_direction(candidates))
    left, right = normalise_rows(queries[asked]), normalise_rows(candidates[usable])
    found = _search(left, right, np.ones(len(left), dtype=np.float32), csls_k, block)
    return {score: _place(index, asked, usable, len(queries)) for score, index in found.items()}


def legacy_matches(queries: np.ndarray, candidates: np.ndarray, *, csls_k: int = 10, block: int = BLOCK) -> np.ndarray:
    """The best candidate of every query by CSLS as public copies of one retrieval script compute it.

    They divide what they are given by its one norm: a query by its own, but a matrix by its Frobenius norm. So
    candidates keep their lengths, and the penalty, a product of two matrices, shrinks against the similarity:
    the ranking is close to that of raw dot products.

    Args:
        queries: (q, dim) vectors; not changed.
        candidates: (c, dim) vectors; not changed.
        csls_k: size of the neighbourhoods of CSLS, taken among the queries.
        block: candidates compared at once.

    Returns:
        (q,) int64 indices of candidates, -1 where there is none.
    """
    asked, usable = np.flatnonzero(has_direction(queries)), np.flatnonzero(has_direction(candidates))
    left, right = (
        (rows / (np.linalg.norm(rows.astype(np.float64)) or 1.0)).astype(np.float32)
        for rows in (queries[asked], candidates[usable])
    )
    found = _search(left, right, 1 / np.linalg.norm(left, axis=1), csls_k, block)
    return _place(found[Score.CSLS], asked, usable, len(queries))


def _search(left: np.ndarray, right: np.ndarray, gains: np.ndarray, csls_k: int, block: int) -> dict[Score, np.ndarray]:
    """The best row of `right` for each row of `left` by inner product, and by 2 gain product - penalty."""
    index = {score: np.full(len(left), -1, dtype=np.int64) for score in Score}
    if not len(left) or not len(right):
        return index
    value = {score: np.full(len(left), -np.inf, dtype=np.float32) for score in Score}
    slack = TIE * float(np.linalg.norm(right, axis=1).max())
    lengths = np.linalg.norm(left, axis=1)
    for start in range(0, len(right), block):
        scores = right[start : start + block] @ left.T
        penalty = top_means(scores, csls_k)
        _improve(value[Score.COSINE], index[Score.COSINE], scores, start, slack * lengths)
        scores *= 2 * gains
        scores -= penalty[:, None]
        _improve(value[Score.CSLS], index[Score.CSLS], scores, start, 2 * slack * gains * lengths)
    return index


def _place(index: np.ndarray, asked: np.ndarray, usable: np.ndarray, queries: int) -> np.ndarray:
    """Indices among usable candidates as indices among all, -1 for queries that were not asked."""
    found = np.full(queries, -1, dtype=np.int64)
    found[asked] = usable[index] if len(usable) else -1
    return found


def _improve(value: np.ndarray, index: np.ndarray, scores: np.ndarray, start: int, slack: np.ndarray) -> None:
    """Bring the best value and index of each query up to date with a (candidates, queries) block, in place."""
    best = scores.max(axis=0)
    better = np.flatnonzero(best > value + slack)
    # The first row within rounding of the greatest; columns that do not improve need no search.
    near = scores[:, better] >= best[better] - slack[better]
    index[better] = start + near.argmax(axis=0)
    np.maximum(value, best, out=value)


def top_means(scores: np.ndarray, k: int) -> np.ndarray:
    """Mean of the k greatest values of each row (of all, where there are fewer).

    The k greatest values lie in the k groups of columns with the greatest maxima, so only these are sorted.

    Args:
        scores: (rows, width) float32 with at least one column.
        k: how many values count.

    Returns:
        (rows,) float32.
    """
    rows, width = scores.shape
    k, size = min(k, width), 16
    groups = width // size
    if groups > 2 * k:
        head = scores[:, : groups * size].reshape(rows, size, groups)
        top = np.argpartition(head.max(axis=1), groups - k, axis=1)[:, groups - k :]
        kept = np.take_along_axis(head, top[:, None, :], axis=2).reshape(rows, -1)
        scores = np.hstack([kept, scores[:, groups * size :]])
    best = np.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    return best.mean(axis=1, dtype=np.float64).astype(np.float32)
