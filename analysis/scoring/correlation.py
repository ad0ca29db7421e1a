"""Correlations with bootstrap replicates: many resamples at once, each given by how often it draws each item."""

from enum import StrEnum

import numpy as np

BLOCK = 2_000_000  # cells of replicates by items in memory at once
LEAST = 3  # fewer items than this have no correlation to speak of


class Kind(StrEnum):
    """Which correlation."""

    SPEARMAN = "spearman"
    PEARSON = "pearson"


def correlation(x: np.ndarray, y: np.ndarray, kind: Kind | str) -> float:
    """Spearman's or Pearson's correlation, NaN where one side does not vary.

    Args:
        x: (n,) finite numbers.
        y: (n,) finite numbers.
        kind: which one.
    """
    return float(correlations(x, y, np.ones((1, len(x))), kind)[0])


def correlations(x: np.ndarray, y: np.ndarray, counts: np.ndarray, kind: Kind | str) -> np.ndarray:
    """The correlation of each resample.

    Spearman's is Pearson's of the midranks that the items have within the resample, so a replicate is what it would
    be if its items were written out (ties included).

    Args:
        x: (n,) finite numbers.
        y: (n,) finite numbers.
        counts: (replicates, n) how often each item is drawn.
        kind: which one.

    Returns:
        (replicates,) float64, NaN where one side does not vary in a resample.
    """
    found = np.empty(len(counts))
    step = max(1, BLOCK // max(1, len(x)))
    sides = [_Ranked(side) if Kind(kind) is Kind.SPEARMAN else side.astype(np.float64) for side in (x, y)]
    for start in range(0, len(counts), step):
        weights = counts[start : start + step].astype(np.float64)
        a, b = (side.midranks(weights) if isinstance(side, _Ranked) else side[None] for side in sides)
        found[start : start + step] = _weighted(a, b, weights)
    return found


class _Ranked:
    """One side of pairs, sorted once."""

    def __init__(self, values: np.ndarray) -> None:
        distinct, self.group = np.unique(values, return_inverse=True)
        self.order = np.argsort(self.group, kind="stable")
        self.first = np.searchsorted(self.group[self.order], np.arange(len(distinct)))

    def midranks(self, weights: np.ndarray) -> np.ndarray:
        """(replicates, n) midrank of each item within each resample."""
        drawn = np.add.reduceat(weights[:, self.order], self.first, axis=1)
        return (np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, self.group]


def _weighted(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's correlation of (replicates or 1, n) values under (replicates, n) weights."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = weights.sum(axis=1, keepdims=True)
        a = x - (weights * x).sum(axis=1, keepdims=True) / total
        b = y - (weights * y).sum(axis=1, keepdims=True) / total
        spread = [np.einsum("rn,rn->r", weights, side * side) for side in (a, b)]
        # What rounding leaves of a side that does not vary is no spread.
        tiny = [1e-12 * np.einsum("rn,rn->r", weights, np.broadcast_to(side * side, weights.shape)) for side in (x, y)]
        varies = (spread[0] > tiny[0]) & (spread[1] > tiny[1])
        found = np.einsum("rn,rn->r", weights, a * b) / np.sqrt(spread[0] * spread[1])
    return np.where(varies, np.clip(found, -1, 1), np.nan)
