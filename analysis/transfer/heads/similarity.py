"""A number for two sentences: the cosine of their vectors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.transfer.encoding import Batch
from analysis.transfer.heads.head import Head, View, pooled
from analysis.transfer.item import Item

if TYPE_CHECKING:
    import torch


class SimilarityHead(Head):
    """The cosine of the two sentences' vectors, trained to be the score brought to [0, 1].

    It has no parts of its own: all that is learned is in the encoder (Reimers and Gurevych 2019, Sentence-BERT,
    section 3, regression objective).

    Args:
        items: to learn from; they say how far the scores reach.
        dim: not used.
        settings: `pool`.

    Raises:
        InputError: all scores are equal.
    """

    joint = False

    def __init__(self, items: Sequence[Item], dim: int, settings: Any) -> None:
        import torch

        super().__init__((), torch.nn.Module())
        scores = [float(item.label) for item in items]  # type: ignore[arg-type]
        self.low, self.high = min(scores), max(scores)
        if self.low == self.high:
            raise InputError(f"all {len(scores)} training scores are {self.low:g}; give pairs of different likeness")
        self.pool = settings.pool

    def outputs(self, view: View) -> "torch.Tensor":
        """(items,) cosines."""
        import torch

        assert view.second is not None
        u, v = pooled(view.first, view.batch.first, self.pool), pooled(view.second, view.batch.second, self.pool)
        return torch.nn.functional.cosine_similarity(u, v)

    def loss(self, outputs: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Mean squared difference from the score, brought to [0, 1]."""
        import torch

        gold = [(float(item.label) - self.low) / (self.high - self.low) for item in batch.items]  # type: ignore[arg-type]
        return ((outputs - torch.tensor(gold, dtype=outputs.dtype, device=outputs.device)) ** 2).mean()

    def predict(self, outputs: "torch.Tensor", batch: Batch) -> list[float]:
        """The cosine."""
        return [float(one) for one in outputs]
