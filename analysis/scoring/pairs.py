"""Which vectors belong together: linked words and paired sentences, as indices of units."""

from dataclasses import dataclass

import numpy as np

from analysis.encoders.vectors import Units
from analysis.errors import InputError
from analysis.scoring.measure import NO_LINKS, PairSpace
from analysis.text.pharaoh import Links


@dataclass(frozen=True)
class Pairs:
    """Pairs of units that translate each other.

    Attributes:
        row: (n,) row of the sentence pair, ascending.
        source: (n,) index of the unit on the first side.
        target: (n,) index of the unit on the second side.
        missing: links that point at a word without a unit, left out.
    """

    row: np.ndarray
    source: np.ndarray
    target: np.ndarray
    missing: int = 0

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.row)

    def take(self, mask: np.ndarray) -> "Pairs":
        """The pairs where the mask is true, or at these indices."""
        return Pairs(self.row[mask], self.source[mask], self.target[mask], self.missing)


def require_links(space: PairSpace) -> tuple[Links, ...]:
    """The word links of a space.

    Raises:
        InputError: it has none.
    """
    if space.links is None:
        raise InputError(NO_LINKS)
    return space.links


def linked_words(space: PairSpace) -> Pairs:
    """The words in one-to-one links (Cao et al. 2020, section 2), by row, then source position.

    Raises:
        InputError: the space has no links.
    """
    links = [(row, i, j) for row, pair in enumerate(require_links(space)) for i, j in sorted(pair.one_to_one())]
    row, i, j = np.array(links, dtype=np.int64).reshape(-1, 3).T
    source, target = find_units(space.source_units, row, i), find_units(space.target_units, row, j)
    there = (source >= 0) & (target >= 0)
    return Pairs(row[there], source[there], target[there], int(np.sum(~there)))


def paired_sentences(space: PairSpace) -> Pairs:
    """The rows that have a unit on both sides."""
    row = np.arange(space.rows)
    source, target = find_units(space.source_units, row, 0 * row), find_units(space.target_units, row, 0 * row)
    there = (source >= 0) & (target >= 0)
    return Pairs(row[there], source[there], target[there])


def find_units(units: Units, sentence: np.ndarray, position: np.ndarray) -> np.ndarray:
    """The index of the unit at each (sentence, position), -1 where there is none.

    Args:
        units: the table of units, in any order.
        sentence: (n,) sentence indices.
        position: (n,) word positions.
    """
    if not len(units):
        return np.full(len(sentence), -1, dtype=np.int64)
    stride = 1 + max(int(units.position.max()), int(position.max(initial=0)))
    keys = units.sentence.astype(np.int64) * stride + units.position
    wanted = sentence.astype(np.int64) * stride + position
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    return np.where(keys[order[at]] == wanted, order[at], -1)


def sum_rows(row: np.ndarray, columns: list[np.ndarray], rows: int) -> np.ndarray:
    """Sum each (n,) column over the items of each row: (rows, columns) float64."""
    return np.stack([np.bincount(row, weights=column, minlength=rows) for column in columns], axis=1)
