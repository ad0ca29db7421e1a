"""Extractive question answering (SQuAD, XQuAD).

Question and paragraph are read together, and what passes the default of 128 tokens is cut off: `--set max_tokens=384`
suits (Devlin et al. 2019 read 384 in their code). There is no training set here; give one as `--train FILE.json`, in
the format of SQuAD.
"""

from analysis.transfer.item import Kind
from analysis.transfer.readers.question_sets import XQUAD
from analysis.transfer.structure_metrics import ANSWER_F1
from analysis.transfer.task import Task

SPEC = Task(
    name="qa",
    title="Question answering",
    summary="Which stretch of a paragraph answers a question (not measured here).",
    citation="Rajpurkar et al. 2016, SQuAD, EMNLP; Artetxe et al. 2020, XQuAD, ACL",
    kind=Kind.SPAN,
    metric=ANSWER_F1,
    sets={"xquad": XQUAD},
    test="set:xquad:all:test",
    epochs=2,
)
