"""One vector for each sentence, as objectives over sentences read it, and which sentences are the same."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.training.examples import Side
from analysis.training.objective import Material
from analysis.training.pooling import pool_sentences
from analysis.training.settings import loss_layers

if TYPE_CHECKING:
    import torch

CLS, MEAN = "cls", "mean"
POOLINGS = (CLS, MEAN)


def one_layer(encoder: Encoder, text: str, method: str) -> tuple[int]:
    """The single layer that an objective over sentences compares.

    Args:
        encoder: decides which layers there are.
        text: the `layers` setting.
        method: named in the message.

    Raises:
        InputError: no layer of the encoder, or more than one.
    """
    found = loss_layers(encoder, text)
    if len(found) > 1:
        raise InputError(f"layers={text!r} names {len(found)} layers; {method} compares one: last, middle or a number")
    return (found[0],)


def check_opening(material: Material) -> None:
    """Make sure that sentences open with a special token whose vector can stand for them.

    Raises:
        InputError: they do not.
    """
    if any(side.content[0] == 0 for side in (*material.examples.source[:1], *material.examples.target[:1])):
        raise InputError(
            f"the tokenizer of {material.encoder.name!r} puts no [CLS] before a sentence; give --set pooling={MEAN}"
        )


def sentence_vectors(states: "torch.Tensor", sides: Sequence[Side], pooling: str) -> "torch.Tensor":
    """One vector for each sentence.

    Args:
        states: (sentences, longest, dim) hidden states.
        sides: the sentences, in the same order.
        pooling: `cls` the vector of the opening token, `mean` the mean over the sentence's own tokens.

    Returns:
        (sentences, dim).
    """
    return states[:, 0] if pooling == CLS else pool_sentences(states, sides)


def sentence_keys(sides: Sequence[Side]) -> np.ndarray:
    """(sentences,) a hash of each sentence's token ids: equal keys are the same sentence."""
    digests = (blake2b(side.ids.astype("<i8").tobytes(), digest_size=8).digest() for side in sides)
    return np.frombuffer(b"".join(digests), "<i8").astype(np.int64)


def alike(source: "torch.Tensor", target: "torch.Tensor") -> "torch.Tensor":
    """(n, n) which of n pairs have the same source or the same target.

    Args:
        source: (n,) keys.
        target: (n,) keys of the other side.
    """
    return (source[:, None] == source[None]) | (target[:, None] == target[None])
