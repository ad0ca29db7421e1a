"""The nouns of labelled text: one item with its answer, and the items of one language."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from analysis.text.corpus import Sentence


class Kind(StrEnum):
    """What a task asks for, which decides its head, its label and its readers."""

    CLASS = "class"  # one label of a sentence
    PAIR = "pair"  # one label of two sentences
    TAGS = "tags"  # one label of every word
    TREE = "tree"  # head and relation of every word
    SPAN = "span"  # a stretch of the second text that answers the first
    SCORE = "score"  # a number for two sentences


@dataclass(frozen=True, slots=True)
class Tree:
    """A dependency tree.

    Attributes:
        heads: (words,) number of each word's head, words counted from 1, 0 for the root.
        relations: (words,) relation of each word to its head ("nsubj").
    """

    heads: tuple[int, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """The right answers to a question; any of them counts.

    Attributes:
        texts: the answers as they stand in the second text.
        starts: where each begins, in code points.
    """

    texts: tuple[str, ...]
    starts: tuple[int, ...]


MIXED = "+"  # between the languages of a pair whose texts are in two; in no tag
Label = str | float | tuple[str, ...] | Tree | Answers


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled sentence, pair or question.

    Attributes:
        id: items of two languages with one id are translations of each other and are resampled together.
        sentence: the sentence, the first of a pair, or the question.
        label: what is to be predicted; its type is that of the task's kind.
        other: the second sentence of a pair, or the text that holds the answer.
        where: `FILE:LINE`, for messages.
    """

    id: str
    sentence: Sentence
    label: Label
    other: Sentence | None = None
    where: str = ""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The one or the two texts."""
        return (self.sentence,) if self.other is None else (self.sentence, self.other)


@dataclass(frozen=True)
class Dataset:
    """The labelled items of one language.

    Attributes:
        name: what the user called them.
        language: BCP-47 tag; `en+de` where the two texts of a pair are in two languages.
        items: at least one.
    """

    name: str
    language: str
    items: tuple[Item, ...]

    def __len__(self) -> int:
        """Number of items."""
        return len(self.items)

    @cached_property
    def digest(self) -> str:
        """Hash of all texts and labels, for provenance."""
        lines = "\n".join(f"{one.id}\t{[s.text for s in one.sentences]}\t{one.label}" for one in self.items)
        return hashlib.sha256(f"{self.language}\n{lines}".encode("utf-8", "surrogatepass")).hexdigest()

    def take(self, rows: Sequence[int]) -> "Dataset":
        """The items at these indices."""
        return Dataset(self.name, self.language, tuple(self.items[row] for row in rows))
