"""Paraphrase identification (PAWS-X and its like)."""

from analysis.transfer.item import Kind
from analysis.transfer.metric import ACCURACY
from analysis.transfer.task import Task

SPEC = Task(
    name="paraphrase",
    title="Paraphrase identification",
    summary="Whether two sentences say the same (not measured here).",
    citation="Yang et al. 2019, PAWS-X, EMNLP",
    kind=Kind.PAIR,
    metric=ACCURACY,
    epochs=3,
)
