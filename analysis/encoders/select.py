"""Vectors of some sentences, or of some layers, out of those of many."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.encoders.vectors import Vectors


def select_layers(vectors: Vectors, layers: Sequence[int]) -> Vectors:
    """The vectors at these layers; one layer of a memory-mapped array is not read until it is used.

    Args:
        vectors: at least those layers.
        layers: ascending.

    Raises:
        InputError: a layer that was not computed.
    """
    wanted = tuple(layers)
    if wanted == vectors.layers:
        return vectors
    slices = [vectors.layer(layer) for layer in wanted]
    values = slices[0][None] if len(slices) == 1 else np.stack(slices)
    return replace(vectors, values=values, layers=wanted)


def select_sentences(vectors: Vectors, sentences: Sequence[int]) -> Vectors:
    """The units of some sentences, which are renumbered 0, 1, 2 ... in the order given.

    Args:
        vectors: of any units.
        sentences: ascending indices into the sentences that were encoded.
    """
    place = np.full(1 + max([-1, *sentences, *vectors.units.sentence.tolist()]), -1, dtype=np.int32)
    place[list(sentences)] = np.arange(len(sentences), dtype=np.int32)
    chosen = vectors.take(place[vectors.units.sentence] >= 0)
    return replace(chosen, units=replace(chosen.units, sentence=place[chosen.units.sentence]))
