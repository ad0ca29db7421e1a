"""What a task is: what it asks, how it is scored, and where its labelled text comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.text.problems import Problems
from analysis.transfer.item import Dataset, Kind
from analysis.transfer.metric import Metric

SetReader = Callable[[Path, str, str, Problems], Dataset]


@dataclass(frozen=True)
class LabelledSet:
    """How a public set is read for a task.

    Attributes:
        languages: `languages(folder, split)` gives the tags that a split has, English first.
        read: `read(folder, language, split, problems)` gives the items of one language.
        splits: its splits.
    """

    languages: Callable[[Path, str], list[str]]
    read: SetReader
    splits: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """A registered task.

    Attributes:
        name: name on the command line.
        title: name on a page.
        summary: one sentence.
        citation: the paper or benchmark.
        kind: what it asks for.
        metric: how it is scored.
        sets: public sets that bring it, by the NAME of `set:NAME:LANGS:SPLIT`.
        train: data to learn from where none are named, "" where some must be given.
        test: data to score on, likewise.
        column: which column of a CoNLL-U file holds the tags (`upos`, `xpos`, `feats`, `misc`), for tasks of kind TAGS.
        measured: whether docs/results.md has figures; else the summary of a task for users' data says so.
        batch: items of a step that suit it.
        epochs: passes that suit a training set of about a thousand items.
        max_tokens: longest sequence that suits it.
    """

    name: str
    title: str
    summary: str
    citation: str
    kind: Kind
    metric: Metric
    sets: Mapping[str, LabelledSet] = field(default_factory=dict)
    train: str = ""
    test: str = ""
    column: str = ""
    measured: bool = False
    batch: int = 16
    epochs: float = 4.0
    max_tokens: int = 128
