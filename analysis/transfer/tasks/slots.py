"""Slot filling: the parts of a request that a dialogue system needs."""

from analysis.transfer.item import Kind
from analysis.transfer.tagging_metrics import SPAN_F1
from analysis.transfer.task import Task

SPEC = Task(
    name="slots",
    title="Slot filling",
    summary="Which words of a request are its place, time, artist and so on (not measured here).",
    citation="van der Goot et al. 2021, xSID, NAACL; Xu et al. 2020, MultiATIS++, EMNLP",
    kind=Kind.TAGS,
    metric=SPAN_F1,
    column="slot",
    epochs=3,
)
