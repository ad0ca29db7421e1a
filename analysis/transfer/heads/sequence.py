"""One label of a sentence or of two: a linear map on a pooled vector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.transfer.encoding import Batch
from analysis.transfer.heads.head import Head, View, labels_of, linear, pooled
from analysis.transfer.item import Item

if TYPE_CHECKING:
    import torch


class SequenceHead(Head):
    """Scores every label from one vector of the item.

    A pair is read as one sequence (`joint`), or each text by itself and the vectors u, v are joined into
    [u; v; |u - v|; u * v] (InferSent, Conneau et al. 2017, section 3.2).

    Args:
        items: to learn from; they name the labels.
        dim: width of the encoder.
        settings: `pool`, `pair` and `head_dropout`.
    """

    chooses = True

    def __init__(self, items: Sequence[Item], dim: int, settings: Any) -> None:
        import torch

        labels = labels_of(items, lambda item: (item.label,))
        apart = items[0].other is not None and settings.pair == "apart"
        self.joint, self.pool = not apart, settings.pool
        module = torch.nn.Sequential(
            torch.nn.Dropout(settings.head_dropout), linear(4 * dim if apart else dim, len(labels))
        )
        super().__init__(labels, module)

    def vectors(self, view: View) -> "torch.Tensor":
        """(items, dim or 4 dim) what the linear map reads."""
        import torch

        u = pooled(view.first, view.batch.first, self.pool)
        if view.second is None:
            return u
        v = pooled(view.second, view.batch.second, self.pool)
        return torch.cat([u, v, (u - v).abs(), u * v], dim=1)

    def outputs(self, view: View) -> "torch.Tensor":
        """(items, labels) logits."""
        return self.module(self.vectors(view))

    def loss(self, outputs: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Mean cross-entropy."""
        return cross_entropy(outputs, [self.place(str(item.label)) for item in batch.items])

    def predict(self, outputs: "torch.Tensor", batch: Batch) -> list[str]:
        """The label of the highest score."""
        return [self.labels[n] for n in outputs.argmax(dim=1).tolist()]


def cross_entropy(logits: "torch.Tensor", places: Sequence[int]) -> "torch.Tensor":
    """Mean cross-entropy over the decisions whose label is known; 0 where none is."""
    import torch

    gold = torch.tensor(list(places), device=logits.device)
    if not bool((gold >= 0).any()):
        return logits.sum() * 0
    return torch.nn.functional.cross_entropy(logits, gold, ignore_index=-1)
