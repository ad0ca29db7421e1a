"""Semantic textual similarity (STS benchmark)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.scoring.correlation import Kind as Correlation
from analysis.scoring.correlation import correlations
from analysis.transfer.item import Item, Kind
from analysis.transfer.metric import Metric
from analysis.transfer.readers.sets import STSB
from analysis.transfer.task import Task


def _values(items: Sequence[Item], predictions: Sequence[Any]) -> np.ndarray:
    """(items, 2): what was predicted, and the score that people gave."""
    return np.array([[float(said), float(item.label)] for item, said in zip(items, predictions, strict=True)])  # type: ignore[arg-type]


def _spearman(stats: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """100 times Spearman's correlation of each resample."""
    return 100 * correlations(stats[:, 0], stats[:, 1], counts, Correlation.SPEARMAN)


def _pearson(stats: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """100 times Pearson's correlation of each resample."""
    return 100 * correlations(stats[:, 0], stats[:, 1], counts, Correlation.PEARSON)


SPEC = Task(
    name="sts",
    title="Semantic textual similarity",
    summary="How alike two sentences are, compared with people's scores.",
    citation="Cer et al. 2017, SemEval-2017 task 1; machine-translated by May 2021",
    kind=Kind.SCORE,
    metric=Metric("spearman", "Spearman's correlation x 100", _values, _spearman, (("pearson", _pearson),)),
    sets={"stsb_multi": STSB},
    train="set:stsb_multi:en:train",
    test="set:stsb_multi:all:test",
    measured=True,
    epochs=1,
)
