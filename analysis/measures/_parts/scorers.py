"""Scores that retrieval can rank by, block by block, and the ranks of one or several right answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.contenders import TIE
from analysis.neighbours.exact import mean_top_k
from analysis.neighbours.rows import has_direction, normalise_rows

BLOCK = 256
SMALLEST = 1e-6  # mean similarities of the ratio margin count as at least this


@dataclass(frozen=True)
class Scorer:
    """The scores of queries with candidates, some queries at a time.

    Attributes:
        queries: number of queries.
        candidates: number of candidates.
        block: gives the (width, candidates) float64 scores of the queries in a slice, more is nearer; minus infinity
            where the query or the candidate has no direction.
        tie: scores that differ by no more are the same score.
    """

    queries: int
    candidates: int
    block: Callable[[slice], np.ndarray]
    tie: float


def make_scorer(
    score: str, queries: np.ndarray, candidates: np.ndarray, *, k: int = 10, background: np.ndarray | None = None
) -> Scorer:
    """A scorer by name.

    Args:
        score: `cosine`; `csls`, 2 cos(x, y) - r(y) (r(x) is the same for all candidates of a query); `ratio_margin`,
            2 cos(x, y) / (r(x) + r(y)); `euclidean`, the negative squared distance, up to |x| squared.
        queries: (q, dim) vectors; not changed.
        candidates: (c, dim) vectors; not changed.
        k: number of nearest neighbours behind r, the mean cosine with them.
        background: (b, dim) vectors of the queries' side among which r(y) looks; the queries if None.

    Raises:
        InputError: an unknown score.

    Source: Conneau et al. 2018, Word translation without parallel data, section 2.3 (csls); Artetxe and Schwenk 2019,
    Margin-based parallel corpus mining with multilingual sentence embeddings, section 3 (ratio margin).
    """
    valid = has_direction(queries), has_direction(candidates)
    make = {"cosine": _cosine, "csls": _csls, "ratio_margin": _ratio_margin, "euclidean": _euclidean}.get(score)
    if make is None:
        raise InputError(f"no scorer {score!r}; valid: cosine, csls, euclidean, ratio_margin")
    plain, tie = make(queries, candidates, k, queries if background is None else background)

    def block(part: slice) -> np.ndarray:
        """Scores, with what has no direction out of the running."""
        found = plain(part)
        found[:, ~valid[1]] = -np.inf
        found[~valid[0][part]] = -np.inf
        return found

    return Scorer(len(queries), len(candidates), block, tie)


def rank_golds(scorer: Scorer, golds: Sequence[Sequence[int]] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each query finds, and the rank of the best of its right answers.

    Args:
        scorer: scores of queries with candidates.
        golds: for each query the candidates that are right, at least one, or (queries,) indices of the one.

    Returns:
        (queries,) int64 best candidates, -1 where there is none, and (queries,) int64 ranks, 1 for the best, the
        number of candidates where the query or all right answers have no direction. Of candidates that tie the
        lowest index comes first.
    """
    found = np.full(scorer.queries, -1, dtype=np.int64)
    rank = np.full(scorer.queries, scorer.candidates, dtype=np.int64)
    for start in range(0, scorer.queries, BLOCK):
        part = slice(start, min(start + BLOCK, scorer.queries))
        scores = scorer.block(part)
        best = scores.max(axis=1)
        known = np.isfinite(best)
        first = (scores >= (best - scorer.tie)[:, None]).argmax(axis=1)
        found[part] = np.where(known, first, -1)
        place = np.array([_best_of(row, golds[start + n], scorer.tie) for n, row in enumerate(scores)])
        own = scores[np.arange(len(scores)), place][:, None]
        with np.errstate(invalid="ignore"):
            tied = (scores >= own - scorer.tie) & (scores <= own + scorer.tie)
        ahead = (scores > own + scorer.tie) | (tied & (np.arange(scorer.candidates) < place[:, None]))
        there = np.isfinite(own[:, 0])
        rank[part][there] = 1 + ahead.sum(axis=1)[there]
    return found, rank


def _best_of(scores: np.ndarray, gold: Sequence[int] | int, tie: float) -> int:
    """The right candidate with the greatest score of one query, the lowest index of those that tie."""
    right = np.sort(np.atleast_1d(gold))
    with np.errstate(invalid="ignore"):
        return int(right[(scores[right] >= scores[right].max() - tie).argmax()])


Block = tuple[Callable[[slice], np.ndarray], float]


def _unit(queries: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of length 1, as float64."""
    return normalise_rows(queries).astype(np.float64), normalise_rows(candidates).astype(np.float64)


def _cosine(queries: np.ndarray, candidates: np.ndarray, k: int, background: np.ndarray) -> Block:
    """The cosine."""
    x, y = _unit(queries, candidates)
    return lambda part: x[part] @ y.T, TIE


def _csls(queries: np.ndarray, candidates: np.ndarray, k: int, background: np.ndarray) -> Block:
    """Twice the cosine less what the candidate is to everything."""
    x, y = _unit(queries, candidates)
    penalty = mean_top_k(candidates, background, k)
    return lambda part: 2 * (x[part] @ y.T) - penalty, 2 * TIE


def _ratio_margin(queries: np.ndarray, candidates: np.ndarray, k: int, background: np.ndarray) -> Block:
    """The cosine over the mean cosine of both with their neighbours."""
    x, y = _unit(queries, candidates)
    own, other = mean_top_k(queries, candidates, k), mean_top_k(candidates, background, k)

    def block(part: slice) -> np.ndarray:
        """Ratios; neighbourhoods of vectors that point away from everything count as tiny."""
        return (x[part] @ y.T) / np.maximum((own[part, None] + other) / 2, SMALLEST)

    return block, TIE


def _euclidean(queries: np.ndarray, candidates: np.ndarray, k: int, background: np.ndarray) -> Block:
    """2 x·y - |y| squared, from the candidates' mean so that large common parts cost no digits."""
    x, y = (np.where(has_direction(rows)[:, None], rows, 0).astype(np.float64) for rows in (queries, candidates))
    middle = y.mean(axis=0) if len(y) else 0.0
    x, y = x - middle, y - middle
    lengths = np.einsum("nd,nd->n", y, y)
    return lambda part: 2 * (x[part] @ y.T) - lengths, TIE * float(lengths.mean() if len(y) else 1.0)
