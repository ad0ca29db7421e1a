"""Named entities (WikiNEuRal)."""

from analysis.transfer.item import Kind
from analysis.transfer.readers.tagged_sets import WIKINEURAL
from analysis.transfer.tagging_metrics import SPAN_F1
from analysis.transfer.task import Task

SPEC = Task(
    name="ner",
    title="Named entities",
    summary="Where persons, places, organisations and other names stand in a sentence.",
    citation="Tedeschi et al. 2021, WikiNEuRal, Findings of EMNLP (silver labels)",
    kind=Kind.TAGS,
    metric=SPAN_F1,
    sets={"ner_wikineural": WIKINEURAL},
    train="set:ner_wikineural:en:train",
    test="set:ner_wikineural:all:test",
    column="ner",
    measured=True,
    epochs=2,
)
