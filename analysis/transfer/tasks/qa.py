"""Extractive question answering (SQuAD, XQuAD).

Question and paragraph are read together, at most 384 subwords of them (as Devlin et al. 2019 do in their code); an answer
that is cut off is no part of the training and counts as wrong. There is no training set here; give one as
`--train FILE.json`, in the format of SQuAD.
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
    max_tokens=384,
)
