"""What a measure of geometry looks at: paired or single units, all of them or those of sentences drawn at random."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.encoders.vectors import Unit, Units
from analysis.errors import InputError
from analysis.neighbours.rows import has_direction
from analysis.scoring.measure import NO_LINKS, Measure, require_unit
from analysis.scoring.pairs import Pairs, linked_words, paired_sentences
from analysis.scoring.space import PairSpace

MINIMUM = 4  # fewer pairs or units than this have no geometry to speak of
ROUNDING = 1e-6  # relative differences below this are those of float32 arithmetic
CONSTANT = "one side does not vary"


@dataclass(frozen=True)
class PairSample:
    """Pairs of units that translate each other, each with a vector on both sides.

    Attributes:
        pairs: the pairs, by sentence.
        x: (n, dim) vectors of the first language.
        y: (n, dim) vectors of the second language, row by row the translations.
        cluster: (n,) number of each pair's sentence among those drawn, ascending.
        clusters: number of sentences drawn, the same for every encoder with one seed.
        note: what was left out, or "".
    """

    pairs: Pairs
    x: np.ndarray
    y: np.ndarray
    cluster: np.ndarray
    clusters: int
    note: str

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.pairs)

    def items(self, space: PairSpace) -> dict[str, list[Any]]:
        """The pairs as a table: row and the text of both units."""
        return {
            "row": self.pairs.row.tolist(),
            "source": [space.source_units.text[n] for n in self.pairs.source],
            "target": [space.target_units.text[n] for n in self.pairs.target],
        }


@dataclass(frozen=True)
class UnitSample:
    """Units of both languages that have a vector, paired or not.

    Attributes:
        index: for each side the (n,) indices of its units.
        vectors: for each side the (n, dim) vectors.
        cluster: for each side the (n,) number of each unit's sentence among those drawn.
        clusters: number of sentences drawn.
        note: what was left out, or "".
    """

    index: tuple[np.ndarray, np.ndarray]
    vectors: tuple[np.ndarray, np.ndarray]
    cluster: tuple[np.ndarray, np.ndarray]
    clusters: int
    note: str

    def __len__(self) -> int:
        """Number of units of both sides."""
        return len(self.index[0]) + len(self.index[1])


def sample_pairs(measure: Measure, space: PairSpace, limit: int, seed: int) -> PairSample:
    """The words in one-to-one links of a word space, or the paired sentences of a sentence space.

    Args:
        measure: who asks, for messages.
        space: word vectors and links, or sentence vectors.
        limit: more pairs than this are sampled, whole sentences at a time.
        seed: seed of the sample; which sentences are drawn does not depend on the vectors.

    Raises:
        InputError: word vectors without links, or subword vectors.
    """
    require_unit(measure, space, Unit.WORD, Unit.SENTENCE)
    if space.unit is Unit.WORD and space.links is None:
        raise InputError(f"{NO_LINKS}; without links {measure.name} compares sentence vectors")
    known = linked_words(space) if space.unit is Unit.WORD else paired_sentences(space)
    rows = draw_rows(np.bincount(known.row, minlength=space.rows), limit, seed)
    drawn = known.take(np.flatnonzero(np.isin(known.row, rows))[:limit])
    usable = has_direction(space.source)[drawn.source] & has_direction(space.target)[drawn.target]
    pairs = drawn.take(usable)
    notes = []
    if len(drawn) < len(known):
        notes.append(f"a sample of {len(drawn):,} of {len(known):,} pairs, whole sentences")
    if not usable.all():
        notes.append(f"{int(np.sum(~usable)):,} of {len(drawn):,} pairs have no vector on one side and are left out")
    x, y = space.source[pairs.source], space.target[pairs.target]
    return PairSample(pairs, x, y, np.searchsorted(rows, pairs.row), len(rows), "; ".join(notes))


def sample_units(space: PairSpace, limit: int, seed: int) -> UnitSample:
    """All units of both sides that have a vector, or those of sentences drawn at random.

    Args:
        space: vectors of any unit.
        limit: more units (of both sides together) than this are sampled, whole sentence pairs at a time.
        seed: seed of the sample.
    """
    sides = (space.source_units, space.target_units)
    counts = sum(np.bincount(units.sentence, minlength=space.rows) for units in sides)
    rows = draw_rows(np.asarray(counts), limit, seed)
    drawn = [_units_of(units, rows) for units in sides]
    usable = [index[has_direction(v[index])] for v, index in zip((space.source, space.target), drawn, strict=True)]
    of, taken = sum(map(len, sides)), sum(map(len, drawn))
    notes = []
    if taken < of:
        notes.append(f"a sample of {taken:,} of {of:,} {space.unit}s, whole sentences")
    missing = taken - sum(map(len, usable))
    if missing:
        notes.append(f"{missing:,} of {taken:,} {space.unit}s have no vector and are left out")
    left, right = usable
    clusters = tuple(np.searchsorted(rows, units.sentence[index]) for units, index in zip(sides, usable, strict=True))
    return UnitSample(
        (left, right), (space.source[left], space.target[right]), (clusters[0], clusters[1]), len(rows),
        "; ".join(notes),
    )  # fmt: skip


def draw_rows(counts: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """The sentences to use, ascending: all of them, or as many in random order as hold at most `limit` items.

    Args:
        counts: (rows,) items of each sentence.
        limit: most items; one sentence is always drawn.
        seed: seed of the order.
    """
    if counts.sum() <= limit:
        return np.arange(len(counts))
    order = np.random.default_rng(seed).permutation(len(counts))
    within = int(np.searchsorted(np.cumsum(counts[order]), limit, side="right"))
    return np.sort(order[: max(1, within)])


def sum_clusters(values: np.ndarray, cluster: np.ndarray, clusters: int) -> np.ndarray:
    """Sum the rows of (n, k) values over the items of each sentence: (clusters, k) float64."""
    sums = np.zeros((clusters, values.shape[1]))
    np.add.at(sums, cluster, values)
    return sums


def too_few(n: int, what: str) -> str:
    """The reason why there is no score for so few items, or ""."""
    return f"needs at least {MINIMUM} {what}, got {n}" if n < MINIMUM else ""


def why_unscored(sample: PairSample) -> str:
    """The reason why pairs allow no score (too few of them, or a side whose vectors are all the same), or ""."""
    constant = len(sample) and not (varies(sample.x) and varies(sample.y))
    return too_few(len(sample), "pairs") or (CONSTANT if constant else "")


def varies(vectors: np.ndarray) -> bool:
    """Whether the rows of (n, dim) vectors differ by more than rounding."""
    rows = np.asarray(vectors, dtype=np.float64)
    return bool(np.square(rows - rows.mean(axis=0)).sum() > ROUNDING**2 * np.square(rows).sum())


def _units_of(units: Units, rows: np.ndarray) -> np.ndarray:
    """Indices of the units of some sentences, by sentence and position."""
    index = np.flatnonzero(np.isin(units.sentence, rows))
    return index[np.lexsort((units.position[index], units.sentence[index]))]
