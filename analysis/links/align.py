"""From the vectors of sentence pairs to word links, one pair at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.errors import InputError
from analysis.links.decoder import Decoder
from analysis.neighbours.rows import has_direction, normalise_rows
from analysis.text.pharaoh import Link, Links


def similarity_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of every row of `a` with every row of `b`.

    Args:
        a: (m, dim) vectors.
        b: (n, dim) vectors.

    Returns:
        (m, n) float32; 0 where a row is all zeros or not finite.
    """
    return normalise_rows(a) @ normalise_rows(b).T


def decode_pairs(
    source: Vectors,
    target: Vectors,
    rows: int,
    *,
    layer: int,
    decoder: Decoder,
    settings: Any = None,
    level: Unit | str = Unit.WORD,
) -> list[Links]:
    """Link the words of sentence pairs.

    Args:
        source: vectors of words, or of subwords where `level` is subword; `units.sentence` is the pair's row.
        target: vectors of the other side, of the same unit and encoder.
        rows: number of sentence pairs.
        layer: the layer whose vectors are compared.
        decoder: how links are read off the similarities.
        settings: settings of the decoder, its defaults if None.
        level: `word` or `subword`. Links of subwords become links of their words: two words are linked when
            any of their subwords are, and the score is the best of these.

    Returns:
        One `Links` a pair, indices of words; empty where a side is. Zero rows (words without subwords) and
        rows that are not finite are never linked.

    Raises:
        InputError: vectors of another unit than `level`, or a layer that was not computed.
    """
    for side in (source, target):
        if side.unit != level or side.unit == Unit.SENTENCE:
            raise InputError(f"links at level {level} need {level} vectors, got {side.unit}; valid: word, subword")
    return decode_arrays(
        source.layer(layer), source.units, target.layer(layer), target.units, rows, decoder=decoder, settings=settings
    )


@dataclass(frozen=True)
class PairSimilarities:
    """The similarities of one sentence pair, ready to be decoded.

    Attributes:
        matrix: (m, n) float32 similarities of units that have a vector, words or subwords.
        source: (m,) the word each row belongs to.
        target: (n,) the word each column belongs to.
    """

    matrix: np.ndarray
    source: np.ndarray
    target: np.ndarray


def decode_arrays(
    source: np.ndarray,
    source_units: Units,
    target: np.ndarray,
    target_units: Units,
    rows: int,
    *,
    decoder: Decoder,
    settings: Any = None,
) -> list[Links]:
    """Link the words of sentence pairs, given the vectors of one layer.

    Args:
        source: (units_a, dim) vectors of words or subwords.
        source_units: whose vectors they are; `position` is the word.
        target: (units_b, dim) vectors of the other side.
        target_units: whose vectors they are.
        rows: number of sentence pairs.
        decoder: how links are read off the similarities.
        settings: settings of the decoder, its defaults if None.

    Returns:
        One `Links` a pair, indices of words.
    """
    settings = decoder.settings() if settings is None else settings
    pairs = similarities(source, source_units, target, target_units, rows, kind=similarity_kind(settings))
    return word_links((pair, decoder.decode(pair.matrix, settings)) for pair in pairs)


def similarity_kind(settings: Any) -> str:
    """Which similarities a decoder's settings ask for: `cosine`, or `dot` where they say so."""
    return getattr(settings, "similarity", "cosine")


def similarities(
    source: np.ndarray, source_units: Units, target: np.ndarray, target_units: Units, rows: int, *, kind: str = "cosine"
) -> Iterator[PairSimilarities]:
    """The similarities of sentence pairs one by one, which any number of decoders can read.

    Args:
        source: (units_a, dim) vectors of words or subwords.
        source_units: whose vectors they are; `position` is the word.
        target: (units_b, dim) vectors of the other side.
        target_units: whose vectors they are.
        rows: number of sentence pairs.
        kind: `cosine`, or `dot` for dot products of the vectors as they are.
    """
    if kind == "cosine":
        source, target = normalise_rows(source), normalise_rows(target)
    left, right = by_sentence(source, source_units, rows), by_sentence(target, target_units, rows)
    for a, b in zip(left, right, strict=True):
        yield PairSimilarities(source[a] @ target[b].T, source_units.position[a], target_units.position[b])


def word_links(decoded: Iterable[tuple[PairSimilarities, Links]]) -> list[Links]:
    """Links between the rows and columns of similarities as links between words.

    Two words are linked when any of their units are; the score is the best of these.
    """
    return [_of_words(links, pair.source, pair.target) for pair, links in decoded]


def by_sentence(vectors: np.ndarray, units: Units, rows: int) -> list[np.ndarray]:
    """For each sentence the indices of its units that have a vector (finite, not all zeros), in order."""
    usable = np.flatnonzero(has_direction(vectors))
    order = usable[np.lexsort((usable, units.position[usable], units.sentence[usable]))]
    bounds = np.searchsorted(units.sentence[order], np.arange(rows + 1))
    return [order[start:end] for start, end in pairwise(bounds)]


def _of_words(links: Links, source: np.ndarray, target: np.ndarray) -> Links:
    """Links of units as links of the words these belong to."""
    scores: dict[Link, float] = {}
    for (i, j), score in links.scores.items():
        word = (int(source[i]), int(target[j]))
        scores[word] = max(score, scores.get(word, score))
    return Links(frozenset(scores), frozenset(scores), scores)
