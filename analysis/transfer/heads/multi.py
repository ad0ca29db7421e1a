"""Several heads of one task as one head, which says what those that are left say on average."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.transfer.encoding import Batch
from analysis.transfer.heads.head import Head, View

if TYPE_CHECKING:
    import torch


class MultiHead(Head):
    """Several heads of a task as one, which says what those that are left say on average.

    Probabilities are averaged, not logits: the mean of linear maps would be one linear map.

    Args:
        heads: of one task and with the same labels, started differently.
    """

    chooses = True

    def __init__(self, heads: Sequence[Head]) -> None:
        import torch

        module = torch.nn.ModuleList([one.module for one in heads])
        module.register_buffer("active", torch.ones(len(heads), dtype=torch.bool))
        super().__init__(heads[0].labels, module)
        self.heads, self.joint = tuple(heads), heads[0].joint

    @property
    def active(self) -> list[int]:
        """The heads that are left."""
        return [int(n) for n in self.module.active.nonzero()[:, 0]]

    def each(self, view: View) -> "torch.Tensor":
        """(active, decisions, labels) logits of the heads that are left."""
        import torch

        return torch.stack([self.heads[n].outputs(view) for n in self.active])

    def outputs(self, view: View) -> "torch.Tensor":
        """(decisions, labels) logarithms of the mean probabilities."""
        logits = self.each(view)
        return logits.log_softmax(dim=-1).logsumexp(dim=0) - float(np.log(len(logits)))

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """(active,) each head's own loss from what `each` gave."""
        import torch

        return torch.stack([self.heads[0].loss(one, batch) for one in logits])

    def loss(self, outputs: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """The loss of the mean."""
        return self.heads[0].loss(outputs, batch)

    def predict(self, outputs: "torch.Tensor", batch: Batch) -> list[Any]:
        """What the mean finds most likely."""
        return self.heads[0].predict(outputs, batch)

    def maps(self) -> "list[torch.Tensor]":
        """(labels, width) the last linear map of each head that is left."""
        import torch

        return [
            [one.weight for one in self.heads[n].module.modules() if isinstance(one, torch.nn.Linear)][-1]
            for n in self.active
        ]

    def save(self, folder: Path) -> None:
        """As any head; the heads that are left are the buffer `active` and stand in head.json."""
        super().save(folder)
        path = folder / "head.json"
        card = json.loads(path.read_text("utf-8"))
        card |= {"of": type(self.heads[0]).__name__, "heads": len(self.heads), "active": self.active}
        path.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")
