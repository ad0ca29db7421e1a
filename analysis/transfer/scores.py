"""Scores of a trained task by language, with intervals over items, and what the other languages lose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from analysis.records import interval, resamples
from analysis.transfer.item import MIXED, Dataset
from analysis.transfer.metric import Metric

SAMPLE_SEED = 7  # of the test items that are drawn; fixed, so that every run scores the same ones


@dataclass(frozen=True)
class Scored:
    """What is known of one language.

    Attributes:
        language: its tag.
        ids: of the items.
        stats: (items, k), see `Metric.stats`.
    """

    language: str
    ids: tuple[str, ...]
    stats: np.ndarray


@dataclass(frozen=True)
class Estimate:
    """A score with its interval; None where there is no score.

    Attributes:
        score: in percent.
        low, high: ends of the 95 % interval over items.
        replicates: (replicates,) scores of resamples.
    """

    score: float | None
    low: float | None
    high: float | None
    replicates: np.ndarray

    @classmethod
    def of(cls, score: float, replicates: np.ndarray) -> "Estimate":
        """An estimate of a score and its replicates, with nothing that is not finite."""
        low, high = interval(replicates)
        if not np.isfinite(score):
            return cls(None, None, None, replicates)
        known = bool(np.isfinite(low))
        return cls(float(score), low if known else None, high if known else None, replicates)


@dataclass(frozen=True)
class Summary:
    """Scores of all languages.

    Attributes:
        languages: an estimate for each.
        source: of the source language, None where it was not tested.
        mean_others: unweighted mean over the other languages, pairs in two languages left out; a resample draws an item
            in all its languages at once.
        gap: source - mean_others.
    """

    languages: Mapping[str, Estimate]
    source: Estimate | None
    mean_others: Estimate | None
    gap: Estimate | None


def summarise(scored: Sequence[Scored], metric: Metric, source: str, *, seed: int = 0) -> Summary:
    """The scores of all languages and their summary.

    Args:
        scored: at least one language.
        metric: of the task.
        source: the language of the training labels.
        seed: of the resamples; with one seed and one set of items two encoders are paired.
    """
    counts = item_counts(scored, seed)
    found = {
        one.language: Estimate.of(metric.score(one.stats), metric.scores(one.stats, counts[one.language]))
        for one in scored
    }  # fmt: skip
    others = [tag for tag in found if tag != source and MIXED not in tag]
    own = found.get(source)
    mean = mean_of([found[tag] for tag in others])
    gap = None
    if own is not None and mean is not None and own.score is not None and mean.score is not None:
        gap = Estimate.of(own.score - mean.score, own.replicates - mean.replicates)
    return Summary(found, own, mean, gap)


def item_counts(scored: Sequence[Scored], seed: int) -> dict[str, np.ndarray]:
    """(replicates, items) how often each item of each language is drawn; one draw for all languages of an item."""
    union = {name: n for n, name in enumerate(dict.fromkeys(name for one in scored for name in one.ids))}
    drawn = resamples(len(union), seed)
    return {one.language: drawn[:, [union[name] for name in one.ids]] for one in scored}


def mean_of(estimates: Sequence[Estimate]) -> Estimate | None:
    """The unweighted mean of several estimates whose replicates pair, None without any score."""
    known = [one for one in estimates if one.score is not None]
    if not known:
        return None
    score = float(np.mean([one.score for one in known]))
    return Estimate.of(score, np.mean([one.replicates for one in known], axis=0))


def sampled(dataset: Dataset, count: int) -> Dataset:
    """Some items of a dataset: those whose ids come first by a hash, so languages that share ids share the sample.

    Args:
        dataset: of one language.
        count: how many; 0 means all.
    """
    if not count or count >= len(dataset):
        return dataset
    order = sorted(range(len(dataset)), key=lambda row: (crc32(f"{SAMPLE_SEED}:{dataset.items[row].id}".encode()), row))
    return dataset.take(sorted(order[:count]))


def score_language(
    metric: Metric, dataset: Dataset, predict: Callable[[Any], list[Any]]
) -> tuple[Scored, list[Any]]:  # fmt: skip
    """Predict and score one language.

    Args:
        metric: of the task.
        dataset: its items.
        predict: gives the predictions of some items.

    Returns:
        What is known of the language, and the predictions.
    """
    said = predict(dataset.items)
    stats = np.asarray(metric.stats(dataset.items, said), dtype=np.float64)
    return Scored(dataset.language, tuple(item.id for item in dataset.items), stats), said
