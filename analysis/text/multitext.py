"""Text without pairs: one language's sentences, and the same rows in several languages."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, Corpus, Sentence, digest


@dataclass(frozen=True)
class Text:
    """Sentences in one language.

    Attributes:
        name: what the user called it, for records and messages.
        language: tag.
        sentences: in the order they were read.
    """

    name: str
    language: str
    sentences: tuple[Sentence, ...]

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.sentences)

    @cached_property
    def digest(self) -> str:
        """Hash of all sentences, for provenance."""
        return digest(self.sentences)


@dataclass(frozen=True)
class Multitext:
    """The same rows in several languages, each row translations of each other; no row lacks a language.

    Attributes:
        name: what the user called it, for records and messages.
        sentences: for each language its sentences, in the order of the rows.
    """

    name: str
    sentences: Mapping[str, tuple[Sentence, ...]]

    def __post_init__(self) -> None:
        """Every language has every row.

        Raises:
            InputError: it has not.
        """
        sizes = {tag: len(side) for tag, side in self.sentences.items()}
        if len(set(sizes.values())) > 1:
            short, long = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
            raise InputError(
                f"{self.name}: {short} has {sizes[short]:,} rows and {long} {sizes[long]:,}; restore the files, or "
                "leave one of the two out"
            )

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.sentences.values()), ()))

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags, in the order they were asked for."""
        return tuple(self.sentences)

    @cached_property
    def digest(self) -> str:
        """Hash of all sentences, for provenance."""
        return hashlib.sha256("".join(digest(side) for side in self.sentences.values()).encode()).hexdigest()

    def text(self, language: str) -> Text:
        """One language's sentences.

        Raises:
            InputError: naming the languages there are.
        """
        if language not in self.sentences:
            raise unknown(f"language of {self.name}", language, self.sentences)
        return Text(self.name, language, self.sentences[language])

    def pair(self, source: str, target: str) -> Bitext:
        """Two languages as sentence pairs.

        Raises:
            InputError: naming the languages there are.
        """
        left, right = self.text(source), self.text(target)
        return Bitext(self.name, (source, target), left.sentences, right.sentences)

    @classmethod
    def of_corpus(cls, corpus: Corpus) -> "Multitext":
        """The rows of a corpus that have all its languages."""
        whole = [row for row in corpus.rows if len(row) == len(corpus.languages)]
        return cls(f"corpus:{corpus.id}", {tag: tuple(row[tag] for row in whole) for tag in corpus.languages})
