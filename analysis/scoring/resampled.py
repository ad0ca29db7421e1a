"""Intervals of scores that are no function of sums over sentences: halves of the sentences, and their result."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from analysis.records import Result, interval
from analysis.scoring.measure import Measure, provenance
from analysis.scoring.space import Space

HALVES = 200  # replicates behind an interval from halves


@cache
def half_samples(clusters: int, seed: int = 0, replicates: int = HALVES) -> np.ndarray:
    """Which sentences each replicate uses: half of them, rounded down, without replacement.

    A score of pairs of items (CKA, RSA, CCA) takes a repeated item for extra likeness, so resampling with
    replacement pushes it up. A half repeats nothing, and the spread of halves around their mean is to first order
    that of the score on new data of full size: the delete-d jackknife with d = n / 2, where its factor is 1.

    Args:
        clusters: number of sentences.
        seed: the same seed gives the same halves, which makes comparisons paired.
        replicates: number of replicates.

    Returns:
        (replicates, clusters) bool, read-only.

    Source: Shao and Wu 1989, A general theory for jackknife variance estimation, section 1.
    """
    order = np.random.default_rng(seed).random((replicates, clusters)).argsort(axis=1, kind="stable")
    chosen = np.zeros((replicates, clusters), dtype=bool)
    np.put_along_axis(chosen, order[:, : clusters // 2], True, axis=1)
    chosen.flags.writeable = False
    return chosen


def moved_onto(value: float, replicates: np.ndarray) -> np.ndarray:
    """Replicates shifted so that their mean is the estimate; those that are undefined stay NaN."""
    finite = np.isfinite(replicates)
    return replicates + (value - replicates[finite].mean()) if finite.any() else replicates


def resampled(
    measure: Measure,
    space: Space,
    settings: Any,
    *,
    seed: int,
    value: float,
    replicates: np.ndarray,
    clusters: int,
    n: int,
    parts: Mapping[str, float | int | None],
    items: Mapping[str, Any],
    note: str = "",
) -> Result:
    """A result with an interval from replicates of its own.

    Args:
        measure: the measure that was computed.
        space: what it was computed on.
        settings: its settings, for provenance.
        seed: seed of the replicates.
        value: the score, finite.
        replicates: (replicates,) scores, NaN where undefined.
        clusters: number of sentences behind the replicates.
        n: number of scored items.
        parts: secondary scores; what is not finite becomes None.
        items: the table behind the score.
        note: what the reader of the number must see.
    """
    low, high = interval(replicates)
    known = clusters > 1 and bool(np.isfinite(low))
    return Result(
        measure.name, float(value), low if known else None, high if known else None, n, measure.unit,
        measure.higher_is_better, replicates, clusters, {name: _finite(part) for name, part in parts.items()}, items,
        provenance(space, settings, seed),
        "; ".join(filter(None, (note, "" if known else "too few sentences for an interval"))),
    )  # fmt: skip


def _finite(value: float | int | None) -> float | int | None:
    """A plain number, or None for what is not finite."""
    if value is None or not np.isfinite(value):
        return None
    return int(value) if isinstance(value, int | np.integer) else float(value)
