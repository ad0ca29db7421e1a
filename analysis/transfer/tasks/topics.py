"""Topic of a sentence (SIB-200)."""

from analysis.transfer.item import Kind
from analysis.transfer.metric import ACCURACY
from analysis.transfer.readers.sets import SIB200
from analysis.transfer.task import Task

SPEC = Task(
    name="topics",
    title="Topic classification",
    summary="Which of seven topics a sentence is about.",
    citation="Adelani et al. 2024, SIB-200, EACL",
    kind=Kind.CLASS,
    metric=ACCURACY,
    sets={"sib200": SIB200},
    train="set:sib200:en:train",
    test="set:sib200:all:test",
    measured=True,
    epochs=4,
)
