"""Word and sentence vectors of many sides at once, from the frozen base or from the network that trains."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from analysis.encoders.model import TOKENS_PER_BATCH, Model
from analysis.training.examples import Side
from analysis.training.pooling import pool_sentences, pool_words
from analysis.training.trainee import Trainee

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Encoded:
    """Vectors of some sides.

    Attributes:
        words: for each layer a list of (words, dim) float32 arrays, one a side.
        sentences: for each layer (sides, dim) float32 means over tokens without special ones.
    """

    words: dict[int, list[np.ndarray]]
    sentences: dict[int, np.ndarray]


def encode(
    trainee: Trainee, sides: Sequence[Side], layers: Sequence[int], *, model: Model | None = None,
    progress: Progress | None = None,
) -> Encoded:  # fmt: skip
    """Word and sentence vectors of every side.

    The batches depend on the sides alone, never on the order in which they are asked for, so the numbers are the
    same to the last bit when a run is resumed.

    Args:
        trainee: holds the networks.
        sides: the sentences.
        layers: the layers wanted.
        model: the one that gives them, `trainee.live` or another; None for the frozen base.
        progress: called with tokens done and to do.
    """
    dim = trainee.base.network.config.hidden_size
    words: dict[int, list[np.ndarray]] = {layer: [np.empty((0, dim), np.float32)] * len(sides) for layer in layers}
    sentences = {layer: np.zeros((len(sides), dim), np.float32) for layer in layers}
    for rows, states in _batches(trainee, sides, layers, model or trainee.frozen, progress):
        batch = [sides[row] for row in rows]
        ends = np.cumsum([side.words for side in batch])[:-1]
        for layer in layers:
            sentences[layer][rows] = pool_sentences(states[layer], batch).cpu().numpy()
            pooled = pool_words(states[layer], batch).cpu().numpy()
            for row, part in zip(rows, np.split(pooled, ends), strict=True):
                words[layer][row] = part
    return Encoded(words, sentences)


def _batches(
    trainee: Trainee, sides: Sequence[Side], layers: Sequence[int], model: Model, progress: Progress | None
) -> Iterator[tuple[list[int], dict]]:
    """Rows and hidden states of batches of similar length, the longest first."""
    import torch

    live = model is trainee.live
    order = sorted(range(len(sides)), key=lambda row: (-len(sides[row].ids), row))
    total, done = sum(len(side.ids) for side in sides), 0
    while order:
        size = max(1, TOKENS_PER_BATCH // len(sides[order[0]].ids))
        rows, order = order[:size], order[size:]
        with trainee.evaluating() if live else torch.no_grad(), model.lock if not live else nullcontext():
            with trainee.accelerator.autocast():
                states = model.states([sides[row].ids for row in rows], layers)
            yield rows, states
        done += sum(len(sides[row].ids) for row in rows)
        if progress:
            progress(done, total)
