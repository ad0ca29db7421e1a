"""What a decoder is: a rule that turns the word similarities of one sentence pair into links."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.settings import NoSettings
from analysis.text.pharaoh import Links


@dataclass(frozen=True)
class Decoder:
    """A registered rule for reading links off a similarity matrix.

    Attributes:
        name: name on the command line.
        title: name on a page.
        summary: one sentence on what it does and when to prefer it.
        citation: paper the rule comes from, or "".
        choose: maps a finite (m, n) float matrix with m, n >= 1 and the settings to an (m, n) bool mask.
        settings: the settings class.
        tried: `key=value` settings that are tried when a decoder is chosen on development data.
    """

    name: str
    title: str
    summary: str
    citation: str
    choose: Callable[[np.ndarray, Any], np.ndarray]
    settings: type = NoSettings
    tried: tuple[tuple[str, ...], ...] = ((),)

    def decode(self, similarity: np.ndarray, settings: Any = None) -> Links:
        """Read links off the similarities of one sentence pair.

        Args:
            similarity: (m, n) similarities, cosines as a rule; not changed. A word whose similarities are all
                NaN is never linked, any other cell that is not a number counts as the lowest similarity.
            settings: an instance of `self.settings`; its defaults if None.

        Returns:
            The links as sure links with their similarity as score; empty where a side has no usable word.
        """
        finite = np.isfinite(similarity)
        rows, columns = np.flatnonzero(finite.any(axis=1)), np.flatnonzero(finite.any(axis=0))
        if not len(rows) or not len(columns):
            return Links()
        usable = np.asarray(similarity, dtype=np.float64)[np.ix_(rows, columns)]
        usable = np.where(np.isfinite(usable), usable, usable[np.isfinite(usable)].min())
        i, j = np.nonzero(self.choose(usable, self.settings() if settings is None else settings))
        pairs = list(zip(rows[i].tolist(), columns[j].tolist(), strict=True))
        return Links(frozenset(pairs), frozenset(pairs), dict(zip(pairs, usable[i, j].tolist(), strict=True)))


def directed_argmax(similarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells that are the best of their row, and those that are the best of their column, as (m, n) masks.

    Args:
        similarity: (m, n) numbers; ties go to the lowest index.
    """
    forward, backward = np.zeros(similarity.shape, dtype=bool), np.zeros(similarity.shape, dtype=bool)
    forward[np.arange(len(similarity)), similarity.argmax(axis=1)] = True
    backward[similarity.argmax(axis=0), np.arange(similarity.shape[1])] = True
    return forward, backward


def mutual_argmax(similarity: np.ndarray) -> np.ndarray:
    """The (m, n) mask of cells that are the best of their row and of their column, ties to the lowest index."""
    forward, backward = directed_argmax(similarity)
    return forward & backward
