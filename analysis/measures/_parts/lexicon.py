"""Bilingual dictionaries for dictionary induction: read from a set or a file, or made from word links."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from analysis.encoders.vectors import Units
from analysis.neighbours.rows import has_direction
from analysis.scoring.pairs import linked_words
from analysis.scoring.space import PairSpace
from analysis.text.dictionary import load_dictionary, set_dictionaries
from analysis.text.linked import most_linked, type_of


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
    return most_linked(counts)


def read_lexicon(name: str, languages: tuple[str, str], *, casefold: bool) -> list[tuple[str, str]]:
    """The entries of a given dictionary for two languages, in the order of the file.

    Args:
        name: anything that `analysis.text.dictionary.load_dictionary` reads.
        languages: of the data; those of the columns where the file does not say.
        casefold: whether forms that differ only in case are one entry.

    Returns:
        Entries; none where a set of several language pairs has not this one.

    Raises:
        InputError: no such set or file, or a file without entries.
    """
    given = set_dictionaries(name) if name.startswith("set:") else [load_dictionary(name, langs=languages)]
    for one in given:
        if set(one.languages) == set(languages):
            entries = (one if one.languages == languages else one.flipped()).entries
            return list(dict.fromkeys((type_of(a, casefold), type_of(b, casefold)) for a, b in entries))
    return []
