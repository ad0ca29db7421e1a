"""Natural language inference (XNLI)."""

from analysis.transfer.item import Kind
from analysis.transfer.metric import ACCURACY
from analysis.transfer.readers.sets import XNLI
from analysis.transfer.task import Task

SPEC = Task(
    name="nli",
    title="Natural language inference",
    summary="Whether a hypothesis follows from a premise, contradicts it, or neither.",
    citation="Conneau et al. 2018, XNLI, EMNLP",
    kind=Kind.PAIR,
    metric=ACCURACY,
    sets={"xnli": XNLI},
    train="set:xnli:en:dev-a",
    test="set:xnli:all:dev-b",
    measured=True,
    epochs=4,
)
