"""The nouns of encoding: vectors of words, subwords or sentences with the table that says whose they are."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InputError

if TYPE_CHECKING:
    import pyarrow


class Unit(StrEnum):
    """What one row of vectors stands for."""

    WORD = "word"
    SUBWORD = "subword"
    SENTENCE = "sentence"
    SPECIAL = "special"


class Pool(StrEnum):
    """How the vectors of a word's subwords (a sentence's tokens) become one."""

    MEAN = "mean"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True)
class Units:
    """The table of units, column by column; all of one length.

    Attributes:
        sentence: (n,) int32, 0-based index into the sentences that were encoded.
        position: (n,) int32, 0-based word; for subwords the word they belong to; 0 for sentences; for special tokens
            0 for the one that opens the sentence and 1 for the one that closes it.
        text: surface of each unit.
        start, end: (n,) int32 code points in the sentence, end exclusive.
        language: tag of each unit.
        truncated: (n,) bool, the encoder's limit made windows necessary in its sentence.
    """

    sentence: np.ndarray
    position: np.ndarray
    text: tuple[str, ...]
    start: np.ndarray
    end: np.ndarray
    language: tuple[str, ...]
    truncated: np.ndarray

    def __len__(self) -> int:
        """Number of units."""
        return len(self.text)

    def take(self, index: np.ndarray) -> "Units":
        """The units at these positions (integers) or where the mask is true."""
        index = np.flatnonzero(index) if index.dtype == bool else index
        pick = lambda items: tuple(items[n] for n in index)  # noqa: E731
        return Units(
            self.sentence[index], self.position[index], pick(self.text), self.start[index], self.end[index],
            pick(self.language), self.truncated[index],
        )  # fmt: skip

    def to_arrow(self) -> "pyarrow.Table":
        """The table with the columns of `units.parquet`."""
        import pyarrow

        columns = ("sentence", "position", "text", "start", "end", "language", "truncated")
        safe = lambda items: [item.encode("utf-8", "replace").decode("utf-8") for item in items]  # noqa: E731
        data = {name: getattr(self, name) for name in columns}
        return pyarrow.table({k: safe(v) if isinstance(v, tuple) else v for k, v in data.items()})


@dataclass(frozen=True)
class Vectors:
    """Vectors of units at some layers of one encoder.

    Attributes:
        values: (layers, units, dim) float32; a unit without subwords is a row of zeros.
        layers: the layer of each slice, ascending; 0 is the embedding output.
        units: whose vectors they are.
        unit: word, subword or sentence.
        encoder, revision, pool: provenance.
    """

    values: np.ndarray
    layers: tuple[int, ...]
    units: Units
    unit: Unit
    encoder: str = ""
    revision: str = ""
    pool: Pool = Pool.MEAN

    def layer(self, layer: int) -> np.ndarray:
        """The (units, dim) vectors of one layer.

        Raises:
            InputError: the layer was not computed.
        """
        if layer not in self.layers:
            raise InputError(f"layer {layer} was not computed; computed: {', '.join(map(str, self.layers))}")
        return self.values[self.layers.index(layer)]

    def take(self, index: np.ndarray) -> "Vectors":
        """The same layers of some units only."""
        return replace(self, values=self.values[:, index], units=self.units.take(index))
