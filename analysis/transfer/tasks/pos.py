"""Parts of speech (Universal Dependencies)."""

from analysis.transfer.item import Kind
from analysis.transfer.readers.tagged_sets import EWT, UDPOS
from analysis.transfer.tagging_metrics import WORD_ACCURACY
from analysis.transfer.task import Task

SPEC = Task(
    name="pos",
    title="Parts of speech",
    summary="Which of the 17 universal parts of speech each word has.",
    citation="Nivre et al. 2020, Universal Dependencies v2.5, in the selection of Hu et al. 2020, XTREME, ICML",
    kind=Kind.TAGS,
    metric=WORD_ACCURACY,
    sets={"udpos": UDPOS, "ud_ewt": EWT},
    train="set:udpos:en:train",
    test="set:udpos:all:dev",
    column="upos",
    measured=True,
    epochs=1,
)
