"""Dependency parsing (Universal Dependencies).

No set here has trees in a second language; give treebanks of others as `--test FILE.conllu`.
"""

from analysis.transfer.item import Kind
from analysis.transfer.readers.tree_sets import UD_EWT
from analysis.transfer.structure_metrics import LAS
from analysis.transfer.task import Task

SPEC = Task(
    name="parsing",
    title="Dependency parsing",
    summary="Which word each word depends on, and by which relation (not measured here).",
    citation="Nivre et al. 2020, Universal Dependencies v2, LREC",
    kind=Kind.TREE,
    metric=LAS,
    sets={"ud_ewt": UD_EWT},
    train="set:ud_ewt:en:train",
    test="set:ud_ewt:en:test",
    epochs=4,
)
