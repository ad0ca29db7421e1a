"""From the hidden states of a batch to its words and sentences, deterministically and with gradients."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.training.examples import Side

if TYPE_CHECKING:
    import torch


def pool_words(states: "torch.Tensor", sides: Sequence[Side]) -> "torch.Tensor":
    """Vectors of all words of a batch.

    Args:
        states: (sentences, longest, dim) hidden states.
        sides: the sentences, in the same order.

    Returns:
        (words, dim), sentence by sentence; zeros for a word without subwords.
    """
    import torch

    longest, shifts = states.shape[1], np.cumsum([0, *(side.words for side in sides)])
    place = np.concatenate([side.column + row * longest for row, side in enumerate(sides)])
    word = np.concatenate([side.word + shift for side, shift in zip(sides, shifts, strict=False)])
    weight = np.concatenate([side.weight for side in sides])
    return _gather(states, torch.from_numpy(place), torch.from_numpy(word), torch.from_numpy(weight), int(shifts[-1]))


def pool_sentences(states: "torch.Tensor", sides: Sequence[Side]) -> "torch.Tensor":
    """Means of each sentence's tokens, special ones left out.

    Args:
        states: (sentences, longest, dim) hidden states.
        sides: the sentences, in the same order.

    Returns:
        (sentences, dim).
    """
    import torch

    longest = states.shape[1]
    spans = [np.arange(*side.content) + row * longest for row, side in enumerate(sides)]
    owner = np.repeat(np.arange(len(sides)), [len(span) for span in spans])
    weight = np.concatenate([np.full(len(span), 1 / max(1, len(span)), np.float32) for span in spans])
    place = np.concatenate(spans)
    return _gather(states, torch.from_numpy(place), torch.from_numpy(owner), torch.from_numpy(weight), len(sides))


def pool_tokens(states: "torch.Tensor", row: np.ndarray, place: np.ndarray) -> "torch.Tensor":
    """Vectors of single tokens.

    Args:
        states: (sentences, longest, dim) hidden states.
        row: (n,) the sentence of each token.
        place: (n,) its column.

    Returns:
        (n, dim).
    """
    import torch

    flat = torch.from_numpy(np.asarray(row) * states.shape[1] + np.asarray(place)).to(states.device)
    return states.flatten(0, 1).index_select(0, flat)


def _gather(
    states: "torch.Tensor", place: "torch.Tensor", unit: "torch.Tensor", weight: "torch.Tensor", units: int
) -> "torch.Tensor":
    """Weighted sums of tokens by unit.

    `index_select` and `index_add` are used in both directions because their gradients on the CPU are the same in
    every run, which those of indexing by a tensor are not.
    """
    import torch

    device = states.device
    tokens = states.flatten(0, 1).index_select(0, place.to(device)) * weight.to(device)[:, None]
    return torch.zeros(units, states.shape[-1], device=device).index_add(0, unit.to(device), tokens)


def word_sentences(sides: Sequence[Side]) -> np.ndarray:
    """(words,) the sentence of each word of a batch."""
    return np.repeat(np.arange(len(sides)), [side.words for side in sides])
