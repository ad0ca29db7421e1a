"""What a head is: from an encoder's states to scores, from scores to a loss and to predictions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import InputError
from analysis.transfer.encoding import Batch, Encoded, text_mask
from analysis.transfer.item import Item

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class View:
    """The states of a batch at the head's layer.

    Attributes:
        batch: the items and their sequences.
        first: (items, longest, dim) states of the first sequences.
        second: the same of the second ones, where two texts are read apart.
    """

    batch: Batch
    first: "torch.Tensor"
    second: "torch.Tensor | None" = None


class Head:
    """A small network on the states of one layer.

    Attributes:
        joint: whether the two texts of a pair make one sequence.
        chooses: whether `outputs` is (decisions, labels) logits, so that labels can be distilled and heads averaged.
        labels: the labels it chooses among, or () where it predicts something else.
        module: its trained parts; without parameters where it has none.
    """

    joint: bool = False
    chooses: bool = False

    def __init__(self, labels: Sequence[str], module: Any) -> None:
        self.labels, self.module = tuple(labels), module

    def outputs(self, view: View) -> Any:
        """Scores of a batch, with gradients: a tensor, or a tuple of tensors."""
        raise NotImplementedError

    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """The task's loss: a mean over decisions whose right answer is among the labels."""
        raise NotImplementedError

    def predict(self, outputs: Any, batch: Batch) -> list[Any]:
        """What is predicted for each item, in the form of its label."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write labels and weights: head.json and, where it has any, head.safetensors."""
        from safetensors.torch import save_file

        weights = {name: one.detach().cpu().contiguous() for name, one in self.module.state_dict().items()}
        if weights:
            save_file(weights, folder / "head.safetensors")
        card = {"class": type(self).__name__, "labels": list(self.labels), "joint": self.joint}
        (folder / "head.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def place(self, label: str) -> int:
        """The index of a label, -1 for one that training never saw."""
        return self._places.get(label, -1)

    @property
    def _places(self) -> dict[str, int]:
        """Label to index."""
        found = self.__dict__.get("_known")
        if found is None:
            found = self.__dict__["_known"] = {label: n for n, label in enumerate(self.labels)}
        return found


def labels_of(items: Sequence[Item], parts: Any) -> tuple[str, ...]:
    """The labels of some items, in alphabetical order.

    Args:
        items: to learn from.
        parts: gives the labels of one item.

    Raises:
        InputError: fewer than two, so that there is nothing to tell apart.
    """
    found = sorted({label for item in items for label in parts(item)})
    if len(found) < 2:
        raise InputError(
            f"the training data have {len(found)} label{'s' * (len(found) != 1)} ({', '.join(found) or 'none'}); "
            "a task needs at least two; give data with more, or check which column holds the label"
        )
    return tuple(found)


def pooled(states: "torch.Tensor", sequences: Sequence[Encoded], how: str) -> "torch.Tensor":
    """(sequences, dim) one vector a sequence: the opening token, or the mean of all tokens of its texts.

    Args:
        states: (sequences, longest, dim).
        sequences: in the same order.
        how: `cls` or `mean`.
    """
    import torch

    if how == "cls":
        return states[:, 0]
    weights = text_mask(sequences, states.shape[1])
    weights /= np.maximum(1.0, weights.sum(axis=1, keepdims=True))
    return torch.einsum("nt,ntd->nd", torch.from_numpy(weights).to(states.device), states)


def linear(inputs: int, outputs: int) -> Any:
    """A linear map that starts small (normal, deviation 0.02; Devlin et al. 2019) and with its bias at 0."""
    import torch

    made = torch.nn.Linear(inputs, outputs)
    torch.nn.init.normal_(made.weight, std=0.02)
    torch.nn.init.zeros_(made.bias)
    return made
