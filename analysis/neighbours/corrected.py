"""Rankings that are corrected for hubs: CSLS, the inverted softmax and the globally corrected ranking."""

from enum import StrEnum

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.contenders import blocks
from analysis.neighbours.exact import CANDIDATES, QUERIES, Neighbours, check_sides, nearest, top_products
from analysis.neighbours.rows import distinct_rows, has_direction, normalise_rows

CELLS = 2**22  # cells of a block of the globally corrected ranking, which sorts all queries at once


class Correction(StrEnum):
    """How a ranking is corrected for hubs, the plain cosine among them."""

    COSINE = "cosine"
    CSLS = "csls"
    INVERTED_SOFTMAX = "inverted_softmax"
    GLOBALLY_CORRECTED = "globally_corrected"


def corrected_nearest(
    queries: np.ndarray,
    candidates: np.ndarray,
    *,
    k: int,
    correction: Correction | str,
    csls_k: int = 10,
    inverse_temperature: float = 30.0,
) -> Neighbours:
    """Find the k nearest candidates of every query by one of the corrected rankings.

    Args:
        queries: (q, dim) vectors; not changed. The corrections look at all of them.
        candidates: (c, dim) vectors; not changed.
        k: number of neighbours, at least 1.
        correction: how to rank.
        csls_k: size of the neighbourhoods of CSLS.
        inverse_temperature: that of the inverted softmax.

    Returns:
        The neighbours, as `nearest` gives them.

    Raises:
        InputError: k below 1, sides of different width, or an inverse temperature that is not above 0.
    """
    correction = Correction(correction)
    if correction is Correction.INVERTED_SOFTMAX:
        return inverted_softmax(queries, candidates, k=k, inverse_temperature=inverse_temperature)
    if correction is Correction.GLOBALLY_CORRECTED:
        return globally_corrected(queries, candidates, k=k)
    return nearest(queries, candidates, k=k, score=str(correction), csls_k=csls_k)


def inverted_softmax(
    queries: np.ndarray,
    candidates: np.ndarray,
    *,
    k: int,
    inverse_temperature: float = 30.0,
    block: int = CANDIDATES,
) -> Neighbours:
    """Rank candidates by the probability that they translate back into the query.

    P(x | y) = exp(b cos(x, y)) / sum over all queries x' of exp(b cos(x', y)): a hub is near to many queries, so
    its probability is spread over them. As b grows it becomes 1 for the nearest query of each candidate.

    Args:
        queries: (q, dim) vectors; the sum is over all of them.
        candidates: (c, dim) vectors.
        k: number of neighbours, at least 1.
        inverse_temperature: b; the paper fits it to a dictionary, others set it to 30.
        block: candidates compared at once; memory grows with it.

    Returns:
        The neighbours; scores are natural logarithms of the probability.

    Raises:
        InputError: k below 1, sides of different width, or an inverse temperature that is not above 0.

    Source: Smith et al. 2017, Offline bilingual word vectors, orthogonal transformations and the inverted
    softmax, the section on the inverted softmax; Conneau et al. 2018, section 2.3, for 30.
    """
    if not inverse_temperature > 0:
        raise InputError(f"inverse_temperature={inverse_temperature} is out of range; valid: above 0")
    result, asked, usable, left, right = _begin(queries, candidates, k)
    found = min(k, len(usable))
    if not found or not len(asked):
        return result
    first, kind = distinct_rows(right)
    spread = _log_mean_exp(left, right[first], inverse_temperature, block)[kind]
    ones = np.ones((len(left), 1), dtype=np.float32)
    top, values = top_products(np.hstack([left, ones]), np.hstack([right, -spread[:, None]]), found, block=block)
    result.indices[asked, :found] = usable[top]
    result.scores[asked, :found] = inverse_temperature * values - np.log(len(left))
    return result


def globally_corrected(queries: np.ndarray, candidates: np.ndarray, *, k: int, cells: int = CELLS) -> Neighbours:
    """Rank candidates by how high the query stands among all queries in the candidate's own list.

    Each candidate ranks all queries by the cosine. A query's best candidate is the one in whose list it stands
    highest; where it stands equally high in several, the cosine decides. A hub has one first place to give, like
    every other candidate.

    Args:
        queries: (q, dim) vectors; equal ones share a place.
        candidates: (c, dim) vectors.
        k: number of neighbours, at least 1.
        cells: how many cosines are sorted at once; memory grows with it.

    Returns:
        The neighbours; scores are minus the place of the query in the candidate's list, so -1 at best.

    Raises:
        InputError: k below 1, or sides of different width.

    Source: Dinu, Lazaridou and Baroni 2015, Improving zero-shot learning by mitigating the hubness problem, the
    globally corrected retrieval (GC).
    """
    result, asked, usable, left, right = _begin(queries, candidates, k)
    found = min(k, len(usable))
    if not found or not len(asked):
        return result
    first, kind = distinct_rows(left)
    counts = np.bincount(kind)
    lists = _Shortest(len(first), found)
    for part in blocks(len(right), max(1, cells // len(first))):
        cosine = right[part] @ left[first].T
        lists.add(_places(cosine, counts).T, cosine.T, part.start)
    top, place = lists.settle()
    result.indices[asked, :found], result.scores[asked, :found] = usable[top][kind], -place[kind]
    return result


class _Shortest:
    """The k candidates in whose lists each query stands highest, kept while blocks of candidates come in."""

    def __init__(self, queries: int, k: int) -> None:
        """Begin with no candidates."""
        self._k, self._bound = k, np.full(queries, np.inf)
        self._row = self._column = np.empty(0, dtype=np.int64)
        self._key = np.empty(0)

    def add(self, place: np.ndarray, cosine: np.ndarray, start: int) -> None:
        """Take in the (queries, width) places in the lists of the candidates from `start` on."""
        # Places are whole numbers, so a quarter of the cosine decides between equal places and nothing else.
        key = place - cosine.astype(np.float64) / 4
        row, column = np.nonzero(key < self._bound[:, None])
        if not len(row):
            return
        self._row = np.concatenate([self._row, row])
        self._column = np.concatenate([self._column, column + start])
        self._key = np.concatenate([self._key, key[row, column]])
        order = np.lexsort((self._column, self._key, self._row))
        row = self._row[order]
        at = np.arange(len(row)) - np.searchsorted(row, row)
        kept = order[at < self._k]
        last = order[at == self._k - 1]
        self._bound[self._row[last]] = self._key[last]
        self._row, self._column, self._key = self._row[kept], self._column[kept], self._key[kept]

    def settle(self) -> tuple[np.ndarray, np.ndarray]:
        """(queries, k) candidates, best first, and the place of the query in their lists."""
        shape = (len(self._bound), self._k)
        return self._column.reshape(shape), np.round(self._key).reshape(shape)


def _places(cosine: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The place of each distinct query in each candidate's list: (candidates, queries), 1 for the first."""
    order = np.argsort(-cosine, axis=1)
    ahead = counts[order]
    np.cumsum(ahead, axis=1, out=ahead)
    ahead[:, 1:] = ahead[:, :-1].copy()
    ahead[:, 0] = 0
    places = np.empty_like(ahead)
    np.put_along_axis(places, order, ahead + 1, axis=1)
    return places


def _log_mean_exp(queries: np.ndarray, candidates: np.ndarray, b: float, block: int) -> np.ndarray:
    """For each candidate y, log of the mean over queries x of exp(b cos(x, y)), divided by b: (c,) float32."""
    result = np.empty(len(candidates), dtype=np.float32)
    for part in blocks(len(candidates), block):
        greatest = np.full(part.stop - part.start, -np.inf)
        total = np.zeros(part.stop - part.start)
        for rows in blocks(len(queries), QUERIES):
            cosine = candidates[part] @ queries[rows].T
            higher = np.maximum(greatest, cosine.max(axis=1))
            total *= np.exp(b * (greatest - higher))
            total += np.exp(np.float32(b) * (cosine - higher[:, None].astype(np.float32))).sum(axis=1, dtype=np.float64)
            greatest = higher
        result[part] = greatest + np.log(total / len(queries)) / b
    return result


def _begin(
    queries: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[Neighbours, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """An empty answer, the rows of both sides that have a direction, and these rows of length 1."""
    check_sides(queries, candidates, k)
    asked, usable = np.flatnonzero(has_direction(queries)), np.flatnonzero(has_direction(candidates))
    empty = Neighbours(
        np.full((len(queries), k), -1, dtype=np.int64), np.full((len(queries), k), np.nan, dtype=np.float32)
    )
    return empty, asked, usable, normalise_rows(queries[asked]), normalise_rows(candidates[usable])
