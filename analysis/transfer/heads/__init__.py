"""Heads: small networks on an encoder's states that answer a task; one file a kind of answer."""

from collections.abc import Callable
from importlib import import_module

from analysis.transfer.heads.head import Head
from analysis.transfer.item import Kind
from analysis.transfer.task import Task

_HEADS = {
    Kind.CLASS: "sequence:SequenceHead",
    Kind.PAIR: "sequence:SequenceHead",
    Kind.TAGS: "tags:TagsHead",
    Kind.TREE: "biaffine:BiaffineHead",
    Kind.SPAN: "span:SpanHead",
    Kind.SCORE: "similarity:SimilarityHead",
}


def make_head(task: Task) -> Callable[..., Head]:
    """The head of a task: `make(items, dim, settings)`."""
    module, name = _HEADS[task.kind].split(":")
    return getattr(import_module(f"analysis.transfer.heads.{module}"), name)
