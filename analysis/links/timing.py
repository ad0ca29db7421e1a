"""How long a decoder takes, without the encoding of the sentences."""

from collections.abc import Sequence
from itertools import cycle
from time import perf_counter
from typing import Any

import numpy as np

from analysis.links.decoder import Decoder
from analysis.text.pharaoh import Links

PAIRS = 1000


def decode_timed(
    decoder: Decoder, matrices: Sequence[np.ndarray], settings: Any = None
) -> tuple[list[Links], float | None]:
    """Decode sentence pairs and say how long it took.

    Args:
        decoder: how links are read off the similarities.
        matrices: one (m, n) array of similarities for each sentence pair.
        settings: settings of the decoder, its defaults if None.

    Returns:
        The links of each pair, and the seconds for 1,000 pairs like these; None where there is no pair.
    """
    _load(decoder, settings)
    start = perf_counter()
    links = [decoder.decode(matrix, settings) for matrix in matrices]
    seconds = perf_counter() - start
    return links, PAIRS * seconds / len(matrices) if matrices else None


def seconds_per_thousand(
    decoder: Decoder, matrices: Sequence[np.ndarray], settings: Any = None, *, budget: float = 0.1
) -> float | None:
    """Seconds a decoder takes for 1,000 sentence pairs like these, measured for a moment only.

    Args:
        decoder: how links are read off the similarities.
        matrices: one (m, n) array of similarities for each sentence pair; decoded in turn, over and over.
        settings: settings of the decoder, its defaults if None.
        budget: seconds after which no further pair is decoded; at least one is.

    Returns:
        The seconds, or None where there is no pair.
    """
    if not matrices:
        return None
    _load(decoder, settings)
    start, done = perf_counter(), 0
    for matrix in cycle(matrices):
        decoder.decode(matrix, settings)
        done += 1
        if perf_counter() - start >= budget:
            break
    return PAIRS * (perf_counter() - start) / done


def _load(decoder: Decoder, settings: Any) -> None:
    """Decode one tiny pair, so that the imports of a first call are not timed."""
    decoder.decode(np.eye(2), settings)
