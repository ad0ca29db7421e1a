"""Results: a score with its interval, the paired test of two encoders, and where the number came from."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from analysis.errors import InputError

REPLICATES = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Result:
    """One score of one encoder on one data set.

    Attributes:
        measure: registered name of the measure.
        score: point estimate in `unit`; None where the data allow no estimate (`note` says why).
        low, high: ends of the 95 % bootstrap interval over sentences.
        n: number of scored items (queries, sentence pairs, links).
        unit: `percent`, or the name of a scale such as `[-1, 1]`.
        higher_is_better: direction of the measure; None where neither end is better.
        replicates: (replicates,) bootstrap scores. With the same seed and the same number of sentences the
            k-th replicate of two encoders uses the same resample, so their difference is a paired bootstrap.
        clusters: number of sentences that were resampled.
        parts: secondary scores shown beside the main one (each direction, CSLS, floors).
        items: a tidy table, column name to equally long sequence: what stands behind the score.
        provenance: data, hashes, encoder, revision, layer, pooling, seed, settings, versions.
        note: a sentence the reader of the number must see, or "".
    """

    measure: str
    score: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    higher_is_better: bool | None
    replicates: np.ndarray = field(default_factory=lambda: np.empty(0), compare=False, repr=False)
    clusters: int = 0
    parts: Mapping[str, float | int | None] = field(default_factory=dict)
    items: Mapping[str, Sequence[Any]] = field(default_factory=dict, compare=False, repr=False)
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False)
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the command line: everything but replicates and items."""
        shown = ("measure", "score", "low", "high", "n", "unit", "higher_is_better", "parts", "note")
        return {name: getattr(self, name) for name in shown} | {"provenance": dict(self.provenance)}

    def __str__(self) -> str:
        """`word_retrieval 71.2 [69.0, 73.1] percent, n = 1,204`."""
        if self.score is None:
            return f"{self.measure}: no score, {self.note}"
        digits = 1 if self.unit == "percent" else 3
        interval = f" [{self.low:.{digits}f}, {self.high:.{digits}f}]" if self.low is not None else ""
        return f"{self.measure} {self.score:.{digits}f}{interval} {self.unit}, n = {self.n:,}"


@dataclass(frozen=True)
class Comparison:
    """Encoder B against encoder A on the same sentences.

    Attributes:
        difference: score of B minus score of A.
        low, high: ends of its 95 % paired bootstrap interval.
        p_value: two-sided, the share of replicates on the other side of zero, doubled.
    """

    difference: float
    low: float
    high: float
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the 95 % interval excludes zero."""
        return self.low > 0 or self.high < 0


@cache
def resamples(clusters: int, seed: int = 0, replicates: int = REPLICATES) -> np.ndarray:
    """How often each sentence is drawn in each bootstrap replicate.

    Args:
        clusters: number of sentences.
        seed: the same seed gives the same resamples, which makes comparisons paired.
        replicates: number of replicates.

    Returns:
        (replicates, clusters) float32 counts, each row summing to `clusters`; read-only.
    """
    draws = np.random.default_rng(seed).multinomial(clusters, np.full(clusters, 1 / clusters), size=replicates)
    counts = draws.astype(np.float32)
    counts.flags.writeable = False
    return counts


def bootstrap(
    sums: np.ndarray, score: Callable[[np.ndarray], np.ndarray], *, seed: int = 0
) -> tuple[float, float, float, np.ndarray]:
    """Percentile bootstrap over sentences of any score that is a function of sums over sentences.

    Accuracy, F1 and AER are such functions, so a replicate costs one row of a matrix product and no
    sentence is scored twice (Efron and Tibshirani 1993, chapter 13).

    Args:
        sums: (sentences, k) per-sentence counts.
        score: maps (..., k) summed counts to (...) scores; NaN where it is undefined.
        seed: seed of the resampling plan.

    Returns:
        The score on the data, the two ends of the 95 % interval, the (replicates,) scores.
    """
    point = float(score(sums.sum(axis=0)))
    replicates = score(resamples(len(sums), seed) @ sums)
    low, high = interval(replicates)
    return point, low, high, replicates


def interval(replicates: np.ndarray) -> tuple[float, float]:
    """The percentile interval of replicates, ignoring those that are undefined."""
    finite = replicates[np.isfinite(replicates)]
    if not len(finite):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def compare(a: Result, b: Result) -> Comparison:
    """Paired bootstrap comparison of two results on the same sentences.

    Raises:
        InputError: the results are not of one measure, the same sentences and the same seed.
    """
    if a.measure != b.measure or a.clusters != b.clusters or len(a.replicates) != len(b.replicates):
        raise InputError(
            f"cannot pair {a.measure} (n={a.clusters}) with {b.measure} (n={b.clusters}); use one data set"
        )
    for key in ("data_sha256", "seed"):
        if a.provenance.get(key) != b.provenance.get(key):
            raise InputError(
                f"cannot pair results with different {key}; evaluate both encoders on one data set and seed"
            )
    if a.score is None or b.score is None:
        raise InputError(f"cannot compare {a.measure}: one side has no score ({a.note or b.note})")
    differences = b.replicates - a.replicates
    differences = differences[np.isfinite(differences)]
    if not len(differences):
        raise InputError(f"cannot compare {a.measure}: no resample of the sentences gives both sides a score")
    low, high = interval(differences)
    # The share on the far side of zero; ties count half, one replicate is added so that p is never 0.
    below = (np.sum(differences < 0) + np.sum(differences == 0) / 2 + 0.5) / (len(differences) + 1)
    return Comparison(b.score - a.score, low, high, float(min(1.0, 2 * min(below, 1 - below))))


def versions() -> dict[str, str]:
    """Versions of the packages that decide a number, for run records."""
    found = {}
    for package in ("isogloss", "torch", "transformers", "tokenizers", "numpy", "scikit-learn", "umap-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def fingerprint(key: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON-able mapping, independent of the order of its keys (hex)."""
    return hashlib.sha256(json.dumps(key, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()


def percent(sums: np.ndarray) -> np.ndarray:
    """Percent of hits; NaN without a query.

    Args:
        sums: (..., 2) queries and hits.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * sums[..., 1] / sums[..., 0]


def both_ways(sums: np.ndarray) -> np.ndarray:
    """Mean percent of hits of two directions that have equally many queries.

    Args:
        sums: (..., 2) queries of each direction, and hits of both together.
    """
    return percent(sums) / 2
