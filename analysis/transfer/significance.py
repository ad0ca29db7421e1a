"""Whether one encoder transfers better than another: items and seeds are resampled, tests over tasks corrected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.comparison.significance import adjust
from analysis.errors import InputError
from analysis.records import interval
from analysis.transfer.metric import Metric
from analysis.transfer.scores import Scored, Summary, summarise

SEEDS_STREAM = 23


@dataclass(frozen=True)
class Difference:
    """The change from encoder A to encoder B.

    Attributes:
        a, b: mean scores over seeds.
        difference: b - a.
        low, high: ends of its 95 % interval over items and seeds.
        p_value: two-sided.
        p_adjusted: after Holm's correction over the tasks; the same as `p_value` for one task.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float


def compare_runs(
    a: Sequence[Sequence[Scored]], b: Sequence[Sequence[Scored]], metric: Metric, source: str, *,
    what: str = "mean_others", seed: int = 0,
) -> Difference:  # fmt: skip
    """The paired test of two encoders on one task.

    A replicate draws the items, an item in all its languages and for both encoders at once, and then, for each
    encoder by itself, as many seeds as there are, with replacement. The spread that seeds add is widened by
    sqrt(S / (S - 1)), for a bootstrap of few draws takes their variance for too small (Rao and Wu 1988, Resampling
    inference with complex survey data, section 2). With one seed the interval is over items alone.

    Args:
        a: for each seed what is known of every language, encoder A.
        b: the same of encoder B; the same items.
        metric: of the task.
        source: the language of the labels.
        what: `mean_others`, `source` or `gap`.
        seed: of the resamples.

    Returns:
        The difference with its interval and p value (not corrected).

    Raises:
        InputError: the two have other languages or items, or no score.
    """
    _check_same(a, b)
    sides = [_replicates(runs, metric, source, what, seed) for runs in (a, b)]
    drawn = [_over_seeds(values, seed, n) for n, (_, values) in enumerate(sides)]
    points = [float(np.mean(scores)) for scores, _ in sides]
    change = drawn[1] - drawn[0]
    change = change[np.isfinite(change)]
    low, high = interval(change)
    point = points[1] - points[0]
    below = (np.sum(change < 0) + np.sum(change == 0) / 2 + 0.5) / (len(change) + 1)
    p = float(min(1.0, 2 * min(below, 1 - below)))
    return Difference(points[0], points[1], point, low, high, p, p)


def corrected(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """The tests of several tasks with Holm's correction for their number."""
    from dataclasses import replace

    p_values = adjust([one.p_value for one in found.values()], "holm")
    return {name: replace(one, p_adjusted=p) for (name, one), p in zip(found.items(), p_values, strict=True)}


def _check_same(a: Sequence[Sequence[Scored]], b: Sequence[Sequence[Scored]]) -> None:
    """Make sure that all runs know the same items.

    Raises:
        InputError: they do not, or there is no run.
    """
    if not a or not b:
        raise InputError("a comparison needs at least one run of each encoder")
    first = {one.language: one.ids for one in a[0]}
    for run in (*a, *b):
        if {one.language: one.ids for one in run} != first:
            raise InputError("the runs have other languages or test items; score both on the same --test")


def _replicates(
    runs: Sequence[Sequence[Scored]], metric: Metric, source: str, what: str, seed: int
) -> tuple[list[float], np.ndarray]:
    """The score of each run, and (seeds, replicates) its scores on resamples of the items.

    Raises:
        InputError: no score.
    """
    scores, rows = [], []
    for run in runs:
        found: Summary = summarise(run, metric, source, seed=seed)
        estimate = getattr(found, what)
        if estimate is None or estimate.score is None:
            raise InputError(f"a run has no {what.replace('_', ' of the ')}; score at least two languages")
        scores.append(estimate.score)
        rows.append(estimate.replicates)
    return scores, np.stack(rows)


def _over_seeds(values: np.ndarray, seed: int, side: int) -> np.ndarray:
    """(replicates,) means over drawn seeds of (seeds, replicates) scores."""
    count = len(values)
    middle = values.mean(axis=0)
    if count == 1:
        return middle
    rng = np.random.default_rng([seed, side, SEEDS_STREAM])
    drawn = rng.integers(0, count, size=(values.shape[1], count))
    means = np.take_along_axis(values.T, drawn, axis=1).mean(axis=1)
    return middle + np.sqrt(count / (count - 1)) * (means - middle)
