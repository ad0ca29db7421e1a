"""Bilingual dictionaries for dictionary induction: read from a set or a file, or made from word links."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.encoders.vectors import Units
from analysis.errors import InputError
from analysis.neighbours.rows import has_direction
from analysis.scoring.pairs import linked_words
from analysis.scoring.space import PairSpace
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems
from analysis.text.rows import read_header
from analysis.text.sets import load_set


@dataclass(frozen=True)
class Types:
    """The word types of one language with the mean of the vectors of their occurrences.

    Attributes:
        forms: the type of each row.
        shown: its commonest spelling.
        vectors: (types, dim) float64.
        counts: (types,) occurrences with a vector.
    """

    forms: tuple[str, ...]
    shown: tuple[str, ...]
    vectors: np.ndarray
    counts: np.ndarray


def type_of(word: str, casefold: bool) -> str:
    """The type a word form belongs to."""
    return word.casefold() if casefold else word


def make_types(units: Units, vectors: np.ndarray, *, casefold: bool, min_count: int) -> Types:
    """Average the contextual vectors of each word type of one language.

    Args:
        units: words.
        vectors: (n, dim) their vectors; those without a direction do not count.
        casefold: whether forms that differ only in case are one type.
        min_count: types with fewer occurrences are left out.

    Source: Schuster et al. 2019, Cross-lingual alignment of contextual word embeddings, section 3 (anchors); Vulić et
    al. 2020, Probing pretrained language models for lexical semantics (average over contexts).
    """
    usable = np.flatnonzero(has_direction(vectors))
    forms = [type_of(units.text[n], casefold) for n in usable]
    number: dict[str, int] = {}
    kind = np.array([number.setdefault(form, len(number)) for form in forms], dtype=np.int64)
    counts = np.bincount(kind, minlength=len(number))
    sums = np.zeros((len(number), vectors.shape[1]))
    np.add.at(sums, kind, vectors[usable])
    spellings: list[Counter[str]] = [Counter() for _ in number]
    for n, of in zip(usable, kind, strict=True):
        spellings[of][units.text[n]] += 1
    names = tuple(number)
    kept = np.flatnonzero(counts >= min_count)
    return Types(
        tuple(names[n] for n in kept), tuple(spellings[n].most_common(1)[0][0] for n in kept),
        sums[kept] / counts[kept, None], counts[kept],
    )  # fmt: skip


def linked_lexicon(space: PairSpace, *, casefold: bool) -> list[tuple[str, str]]:
    """The pairs of types that are most often linked with each other, by one-to-one links; ties are all kept.

    Args:
        space: with links.
        casefold: whether forms that differ only in case are one type.
    """
    pairs = linked_words(space)
    counts = Counter(
        (type_of(space.source_units.text[a], casefold), type_of(space.target_units.text[b], casefold))
        for a, b in zip(pairs.source, pairs.target, strict=True)
    )
    most: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for pair, count in counts.items():
        for side, form in zip(most, pair, strict=True):
            side[form] = max(side.get(form, 0), count)
    return [(a, b) for (a, b), count in counts.items() if count == most[0][a] == most[1][b]]


def read_lexicon(name: str, languages: tuple[str, str], *, casefold: bool) -> list[tuple[str, str]]:
    """The entries of a given dictionary for two languages, in the order of the file.

    Args:
        name: `set:NAME:LANGS:SPLIT`, or a file of two columns, source word and target word, between tabs or
            spaces, with or without a header of language codes.
        languages: of the data.
        casefold: whether forms that differ only in case are one entry.

    Returns:
        Entries; none where a set of several language pairs has not this one.

    Raises:
        InputError: no such set or file, or a file without entries.
    """
    entries = _from_set(name, languages) if name.startswith("set:") else _from_file(name, languages)
    return list(dict.fromkeys((type_of(a, casefold), type_of(b, casefold)) for a, b in entries))


def _from_set(name: str, languages: tuple[str, str]) -> Iterable[tuple[str, str]]:
    """The pairs of a public set that are in the languages of the data, turned round if need be."""
    for bitext in load_set(name):
        found = {bitext.languages: bitext, bitext.languages[::-1]: bitext.flipped()}.get(languages)
        if found is not None:
            return [(a.text, b.text) for a, b in zip(found.source, found.target, strict=True)]
    return []


def _from_file(name: str, languages: tuple[str, str]) -> Iterable[tuple[str, str]]:
    """The first two columns of a file, or those its header names."""
    lines = [line for line in read_lines(Source.of(name), problems=Problems()) if line and line.strip()]
    header = read_header(lines[0].split("\t"), languages) if lines else None
    at: Sequence[int] = (0, 1)
    if header is not None and set(header.columns) == set(languages):
        at, lines = [header.columns[tag] for tag in languages], lines[1:]
    between = "\t" if any("\t" in line for line in lines) else None
    rows = [[cell.strip() for cell in line.split(between)] for line in lines]
    entries = [(row[at[0]], row[at[1]]) for row in rows if len(row) > max(at) and row[at[0]] and row[at[1]]]
    if not entries:
        raise InputError(f"dictionary {name} has no entry; valid: a source word and a target word a line, between tabs")
    return entries
