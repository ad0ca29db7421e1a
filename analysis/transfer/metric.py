"""How predictions are scored: per-item counts or values, and the score of any resample of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.transfer.item import Item


@dataclass(frozen=True)
class Metric:
    """A score in percent, higher is better.

    Attributes:
        name: `accuracy`, `span_f1`, `las` ...
        title: for tables and axes.
        stats: `stats(items, predictions)` gives (items, k) numbers that decide the score.
        scores: `scores(stats, counts)` gives the (replicates,) scores of resamples, where counts is
            (replicates, items) how often each item is drawn; NaN where a resample has no score.
        parts: secondary scores of the same stats, by name.
    """

    name: str
    title: str
    stats: Callable[[Sequence[Item], Sequence[Any]], np.ndarray]
    scores: Callable[[np.ndarray, np.ndarray], np.ndarray]
    parts: tuple[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]], ...] = ()

    def score(self, stats: np.ndarray) -> float:
        """The score of all items once, NaN where there is none."""
        return float(self.scores(stats, np.ones((1, len(stats)), np.float32))[0])


def ratio(above: int, below: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """100 times the sum of one column of the stats over that of another."""

    def scores(stats: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """See `Metric.scores`."""
        sums = counts.astype(np.float64) @ stats.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(sums[:, below] > 0, 100 * sums[:, above] / sums[:, below], np.nan)

    return scores


def hits(items: Sequence[Item], predictions: Sequence[Any]) -> np.ndarray:
    """(items, 2): one, and whether the label was predicted."""
    right = [item.label == said for item, said in zip(items, predictions, strict=True)]
    return np.stack([np.ones(len(right)), np.array(right, float).reshape(-1)], axis=1)


ACCURACY = Metric("accuracy", "accuracy", hits, ratio(1, 0))
