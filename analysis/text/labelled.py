"""Labelled public sets whose languages share their rows: `set:NAME:LANGS:SPLIT` with a label a sentence.

Adding one is one function and one line of `LABELLED`. Their labels were given to one language and hold for all.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, Sentence, digest
from analysis.text.languages import normalise_tag
from analysis.text.lines import read_lines
from analysis.text.problems import Problems
from analysis.text.segment import split
from analysis.text.sets import MULTIWAY, PAIRED, set_folder

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Labelled:
    """Sentences in one or more languages, row by row translations of each other, with one label a row.

    Attributes:
        name: `set:NAME:LANGS:SPLIT` as it was asked for.
        split: the last part of the name.
        sentences: for each language its sentences, in the order of the rows.
        labels: the label of each row.
    """

    name: str
    split: str
    sentences: Mapping[str, tuple[Sentence, ...]]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, in the order they were asked for."""
        return tuple(self.sentences)

    @cached_property
    def digest(self) -> str:
        """Hash of all sentences and labels, for provenance."""
        texts = "".join(digest(side) for side in self.sentences.values())
        return hashlib.sha256(f"{texts}{self.labels}".encode()).hexdigest()

    def pairs(self) -> list[Bitext]:
        """The sentence pairs of every two languages."""
        kind = self.name.split(":")[1]
        return [
            Bitext(f"set:{kind}:{a}-{b}:{self.split}", (a, b), self.sentences[a], self.sentences[b])
            for a, b in combinations(self.languages, 2)
        ]


def _sib200(folder: Path, language: str, part: str) -> Rows:
    """The third column below the header, and its topic in the second."""
    lines = [line or "" for line in read_lines(folder / f"{language}.{part}.tsv.gz", problems=Problems())]
    return [(text, topic) for _, topic, text in (line.split("\t") for line in lines[1:])]


# Name: reader of one language; file patterns and splits are those of `MULTIWAY`.
LABELLED: dict[str, Callable[[Path, str, str], Rows]] = {
    "sib200": _sib200,
}


def load_labelled(name: str, *, data_dir: str | Path | None = None) -> Labelled:
    """The labelled sentences of `set:NAME:LANGS:SPLIT`.

    Args:
        name: LANGS is one language, `A,B,C`, `A-B` or `all` (English first).
        data_dir: the folder of the sets; ISOGLOSS_DATA by default.

    Raises:
        InputError: no folder, a set, split or language that is not there, a set without labels, or rows that
            do not have the same label in every language.
    """
    parts = name.split(":")
    if len(parts) != 4 or parts[0] != "set":
        raise InputError(f"{name!r} is not set:NAME:LANGS:SPLIT; for example set:sib200:en,ar,de:test")
    _, kind, langs, part = parts
    if kind not in LABELLED:
        if kind in MULTIWAY or kind in PAIRED:
            raise InputError(f"set {kind} has no labels; valid here: {', '.join(sorted(LABELLED))}")
        raise unknown("labelled set", kind, LABELLED)
    _, pattern, splits = MULTIWAY[kind]
    if part not in splits:
        raise unknown(f"split of set {kind}", part, splits)
    folder = set_folder(kind, data_dir)
    here = sorted({found[1] for path in folder.iterdir() if (found := re.fullmatch(pattern(part), path.name))})
    tags = _languages(name, langs, here)
    rows = {tag: LABELLED[kind](folder, tag, part) for tag in tags}
    labels = tuple(label for _, label in rows[tags[0]])
    for tag in tags:
        if tuple(label for _, label in rows[tag]) != labels:
            raise InputError(f"{name}: {tag} has other rows or labels than {tags[0]}; restore the files of {folder}")
    sentences = {tag: tuple(split(text.strip(), tag) for text, _ in rows[tag]) for tag in tags}
    return Labelled(name, part, sentences, labels)


def _languages(name: str, langs: str, here: list[str]) -> list[str]:
    """The languages that LANGS asks for.

    Raises:
        InputError: one the set does not have, or one named twice.
    """
    if langs == "all":
        return sorted(here, key=lambda tag: (tag != "en", tag))
    tags = [normalise_tag(tag) for tag in re.split(r"[,-]", langs)]
    for tag in tags:
        if tag not in here:
            raise unknown(f"language of {name}", tag, here)
    if len(set(tags)) != len(tags):
        raise InputError(f"{name}: {langs} names a language twice; valid: {', '.join(here)}")
    return tags
