"""Labelled public sets whose languages share their rows: `set:NAME:LANGS:SPLIT` with a label a sentence.

Adding one is one function and one line of `LABELLED`. Their labels were given to one language and hold for all.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, digest
from analysis.text.lines import read_lines
from analysis.text.multitext import Multitext
from analysis.text.multiway import load_multitext
from analysis.text.problems import Problems
from analysis.text.sets import MULTIWAY, PAIRED, set_folder


@dataclass(frozen=True)
class Labelled(Multitext):
    """A multi-way text, or one language of it, with one label a row.

    Attributes:
        split: the last part of the name.
        labels: the label of each row.
    """

    split: str = ""
    labels: tuple[str, ...] = ()

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


def _sib200(folder: Path, language: str, part: str) -> tuple[str, ...]:
    """The second column below the header."""
    lines = [line or "" for line in read_lines(folder / f"{language}.{part}.tsv.gz", problems=Problems())]
    return tuple([*line.split("\t"), ""][1] for line in lines[1:])


# Name: the labels in the file of one language; its text is read as that of `MULTIWAY`.
LABELLED: dict[str, Callable[[Path, str, str], tuple[str, ...]]] = {
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
    kind, part = parts[1], parts[3]
    if kind not in LABELLED:
        if kind in MULTIWAY or kind in PAIRED:
            raise InputError(f"set {kind} has no labels; valid here: {', '.join(sorted(LABELLED))}")
        raise unknown("labelled set", kind, LABELLED)
    texts = load_multitext(name, data_dir=data_dir)
    folder = set_folder(kind, data_dir)
    labels = {tag: LABELLED[kind](folder, tag, part) for tag in texts.languages}
    first = texts.languages[0]
    for tag, found in labels.items():
        if found != labels[first]:
            raise InputError(f"{name}: {tag} has other rows or labels than {first}; restore the files of {folder}")
    return Labelled(name, texts.sentences, part, labels[first])
