"""Paired tests of encoders, corrected for their number; ranks over languages."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.errors import InputError
from analysis.records import Comparison, Result, compare

ALPHA = 0.05
SMALLEST = 1e-16  # no p value is 0
CLUSTERS = 6  # fewer sentences bear no test: a bootstrap of them errs far too often
ROUNDING = 1e-9  # a smaller difference, by the score's scale, is none
LANGUAGES = 6  # below so many a Wilcoxon test cannot reach 0.05


def paired(a: Result, b: Result) -> Comparison | None:
    """The paired bootstrap of two results, None where they cannot be paired.

    Where next to no replicate lies on the other side of zero, the share of those that do cannot say how small p is,
    and no test would survive a correction. There p is that of the normal distribution with the replicates' standard
    deviation, where that is smaller.

    Fewer than six sentences are not tested; a difference within rounding is none.

    Args:
        a: of the encoder that is compared against.
        b: of the other one, on the same sentences with the same seed.

    Source: Efron and Tibshirani 1993, An introduction to the bootstrap, sections 13.3 and 16.4.
    """
    from scipy.stats import norm

    if len(a.replicates) != len(b.replicates) or not len(a.replicates) or min(a.clusters, b.clusters) < CLUSTERS:
        return None
    known = np.isfinite(a.replicates) & np.isfinite(b.replicates)
    a, b = (replace(one, replicates=one.replicates[known]) for one in (a, b))
    if not known.any():
        return None
    try:
        found = compare(a, b)
    except InputError:
        return None
    spread = float(np.std(b.replicates - a.replicates))
    least = ROUNDING * max(1.0, abs(a.score or 0))
    if abs(found.difference) <= least:
        return replace(found, p_value=1.0)
    finest = 2 / (len(a.replicates) + 1)
    if found.p_value <= finest and spread > 0:
        law = max(SMALLEST, float(2 * norm.sf(abs(found.difference) / spread)))
        found = replace(found, p_value=min(found.p_value, law))
    return found


def adjust(p_values: Sequence[float], how: str) -> list[float]:
    """P values corrected for their number.

    Args:
        p_values: of all tests of one family.
        how: `holm` (error rate of the family), `bh` (false discovery rate) or `none`.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure; Benjamini and Hochberg 1995,
    Controlling the false discovery rate.
    """
    p = np.asarray(p_values, dtype=float)
    if not len(p) or how == "none":
        return p.tolist()
    if how == "bh":
        from scipy.stats import false_discovery_control

        return false_discovery_control(p, method="bh").tolist()
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.tolist()


def over_languages(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The Wilcoxon signed-rank test over languages: is B better (worse) than A in more of them, and by more?

    It treats languages as a sample, which the bootstrap over sentences does not.

    Args:
        a: scores of one encoder.
        b: scores of the other in the same languages.

    Returns:
        The two-sided p value, 1 where nothing differs; None for fewer than six languages.

    Source: Demšar 2006, Statistical comparisons of classifiers over multiple data sets, section 3.1.
    """
    if len(a) < LANGUAGES:
        return None
    from scipy.stats import wilcoxon

    apart = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    if not apart.any():
        return 1.0
    return float(wilcoxon(apart, zero_method="zsplit").pvalue)


def friedman(ranks: np.ndarray) -> tuple[float | None, float | None]:
    """Whether encoders rank alike over languages, and how far apart two mean ranks must be to differ.

    Args:
        ranks: (languages, encoders) ranks.

    Returns:
        P value of the Friedman test and the critical difference of Nemenyi at 5 %; None for fewer than three
        encoders or languages.

    Source: Demšar 2006, section 3.2.2.
    """
    n, k = ranks.shape
    if k < 3 or n < 3:
        return None, None
    from scipy.stats import friedmanchisquare, studentized_range

    with np.errstate(invalid="ignore"):
        found = float(friedmanchisquare(*ranks.T).pvalue)
    p = found if np.isfinite(found) else 1.0  # undefined where all encoders tie in every language
    quantile = float(studentized_range.ppf(1 - ALPHA, k, np.inf)) / np.sqrt(2)
    return p, float(quantile * np.sqrt(k * (k + 1) / (6 * n)))


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Rank correlation, None where one side does not vary."""
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)
