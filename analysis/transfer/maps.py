"""Closed-form maps under a task: the states that a head reads, each language's through its own map."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.encoders.mapped import MappedEncoder
from analysis.encoders.names import CARD, resolve
from analysis.errors import InputError
from analysis.jobs.files import read_json
from analysis.transfer.encoding import Encoded
from analysis.transfer.item import Item

if TYPE_CHECKING:
    import torch


class StateMaps:
    """The maps of an aligned encoder at one layer, applied to states; a language without a map keeps its states.

    A map was fitted to the network as it is, so the network has to stand still and only the head learns, on vectors of
    the source language, as in Kulshreshtha et al. 2020 (rotation, frozen encoder) and Wang et al. 2019 (CLBT, a parser
    on frozen vectors).

    Args:
        encoder: with maps.
        layer: whose states are mapped.
    """

    def __init__(self, encoder: MappedEncoder, layer: int) -> None:
        self._encoder, self._layer = encoder, layer
        self._known: dict[str, tuple[np.ndarray, np.ndarray] | None] = {}

    def __call__(
        self, states: "torch.Tensor", sequences: Sequence[Encoded], items: Sequence[Item], *, second: bool
    ) -> "torch.Tensor":
        """Mapped states.

        Args:
            states: (items, longest, dim).
            sequences: in the same order.
            items: likewise; their sentences name the languages.
            second: whether the sequences are those of the items' second texts.

        Returns:
            (items, longest, dim); the special tokens go with the first text.
        """
        import torch

        owner = np.full(tuple(states.shape[:2]), "", dtype=object)
        for row, (one, item) in enumerate(zip(sequences, items, strict=True)):
            texts = item.sentences[1:] if second else item.sentences
            owner[row] = texts[0].language
            if len(texts) > 1:
                owner[row, one.second[0] : one.second[1]] = texts[1].language
        for tag in sorted(set(owner.flat)):
            known = self._affine(tag)
            if known is not None:
                weight, shift = (torch.from_numpy(part).to(states) for part in known)
                there = torch.from_numpy(owner == tag).to(states.device)[:, :, None]
                states = torch.where(there, states @ weight + shift, states)
        return states

    def _affine(self, tag: str) -> tuple[np.ndarray, np.ndarray] | None:
        """(dim, dim) and (dim,): what a language's map does to a row vector, None where it has none."""
        if tag not in self._known:
            named = self._encoder.map_of(tag)
            self._known[tag] = None
            if named is not None:
                dim = self._encoder.dim
                probe = np.concatenate([np.zeros((1, dim), np.float32), np.eye(dim, dtype=np.float32)])
                mapped = self._encoder.apply(probe, f"{named}/{self._layer}")
                self._known[tag] = (mapped[1:] - mapped[0], mapped[0])
        return self._known[tag]


def check_trainable(name: str, trains_encoder: bool) -> None:
    """Refuse an encoder of closed-form maps whose network is to train; nothing is loaded.

    Args:
        name: of the encoder.
        trains_encoder: whether the network is to train.

    Raises:
        InputError: such an encoder, or a name that is none.
    """
    folder = resolve(name).folder
    card = (read_json(folder / CARD) or {}) if folder is not None else {}
    if trains_encoder and card.get("kind") == "maps":
        raise _refusal(name, str(card.get("base")))


def _refusal(name: str, base: str) -> InputError:
    """Why maps cannot train."""
    return InputError(
        f"{name} is closed-form maps, which fit {base} as it is; train the head alone (regime plain, --set mode=probe), "
        f"or give {base}"
    )


def split_maps(encoder: Encoder, layer: int, *, trains_encoder: bool) -> tuple[Encoder, StateMaps | None]:
    """The encoder with a network of its own, and the maps on top of it, if there are any.

    Args:
        encoder: any.
        layer: whose states a head reads.
        trains_encoder: whether the network is to train.

    Raises:
        InputError: maps on a network that is to train.
    """
    if not isinstance(encoder, MappedEncoder):
        return encoder, None
    if trains_encoder:
        raise _refusal(encoder.name, str(encoder.base))
    return encoder.base_encoder, StateMaps(encoder, layer)
