"""Whether one encoder transfers better than another: items and seeds are resampled, tests over tasks corrected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.comparison.significance import CLUSTERS, adjust
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
        left_out: languages that some run has no score of, such as F1 without a span; they count for neither side.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    left_out: tuple[str, ...] = ()


def compare_runs(
    a: Sequence[Sequence[Scored]], b: Sequence[Sequence[Scored]], metric: Metric, source: str, *,
    what: str = "mean_others", seed: int = 0,
) -> Difference:  # fmt: skip
    """The paired test of two encoders on one task.

    Items: a replicate draws an item in all its languages and for both encoders at once, and takes the mean over seeds.
    Seeds: a bootstrap of three draws knows neither their variance nor how little three can tell of it, so the seeds'
    part is theirs in closed form: to each replicate of the items is added a draw of Student's t with the Welch and
    Satterthwaite degrees of freedom, times the standard error of the two means over seeds (Welch 1947, The
    generalization of Student's problem when several different population variances are involved). Where items decide,
    this is the paired bootstrap; where seeds decide, Welch's test. A side with one seed is taken to vary
    as the other does; with one seed each the interval is over items alone.

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
        InputError: the two have other languages or items, too few items, or no score.
    """
    _check_same(a, b)
    known = [{one.language for one in run if np.isfinite(metric.score(one.stats))} for run in (*a, *b)]
    items = len({name for one in a[0] for name in one.ids})
    if items < CLUSTERS:
        raise InputError(f"{items} test items bear no test; score {CLUSTERS} or more")
    order = [one.language for one in a[0]]  # of both, for the draw of the items goes by it
    both = [tag for tag in order if all(tag in one for one in known)]
    runs = [[[by[tag] for tag in both] for by in map(_by_language, side)] for side in (a, b)]
    sides = [_replicates(side, metric, source, what, seed) for side in runs]
    points = [float(np.mean(scores)) for scores, _ in sides]
    change = sides[1][1].mean(axis=0) - sides[0][1].mean(axis=0)
    change = change + _seed_noise([scores for scores, _ in sides], len(change), seed)
    change = change[np.isfinite(change)]
    low, high = interval(change)
    point = points[1] - points[0]
    below = (np.sum(change < 0) + np.sum(change == 0) / 2 + 0.5) / (len(change) + 1)
    p = float(min(1.0, 2 * min(below, 1 - below)))
    left_out = tuple(tag for tag in order if tag not in both)
    return Difference(points[0], points[1], point, low, high, p, p, left_out)


def corrected(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """The tests of several tasks with Holm's correction for their number."""
    from dataclasses import replace

    p_values = adjust([one.p_value for one in found.values()], "holm")
    return {name: replace(one, p_adjusted=p) for (name, one), p in zip(found.items(), p_values, strict=True)}


def _by_language(run: Sequence[Scored]) -> dict[str, Scored]:
    """What is known of each language."""
    return {one.language: one for one in run}


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


def _seed_noise(scores: Sequence[Sequence[float]], count: int, seed: int) -> np.ndarray:
    """(count,) draws of the error of the difference of two means over seeds; zeros where each side has one seed.

    One seed says nothing of how much seeds matter, which is no reason to take it for none: it gets the other side's
    variance, with that side's degrees of freedom (Student's test of one new draw against a sample).

    Args:
        scores: of each seed, for each of the two sides.
        count: how many draws.
        seed: of the draws.
    """
    spreads = [(float(np.var(side, ddof=1)), len(side) - 1) for side in scores if len(side) > 1]
    variance, freedom = 0.0, 1.0
    if len(spreads) == 1:
        variance, freedom = spreads[0][0] * sum(1 / len(side) for side in scores), float(spreads[0][1])
    elif spreads:
        parts = [(spread / len(side), n) for (spread, n), side in zip(spreads, scores, strict=True)]
        variance = sum(part for part, _ in parts)
        freedom = variance**2 / sum(part**2 / n for part, n in parts) if variance else 1.0
    if not variance:
        return np.zeros(count)
    return np.sqrt(variance) * np.random.default_rng([seed, SEEDS_STREAM]).standard_t(freedom, count)
