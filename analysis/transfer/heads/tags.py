"""One label of every word: a linear map on the word's vector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.training.pooling import pool_words
from analysis.transfer.encoding import Batch
from analysis.transfer.heads.head import Head, View, labels_of, linear
from analysis.transfer.heads.sequence import cross_entropy
from analysis.transfer.item import Item

if TYPE_CHECKING:
    import torch


class TagsHead(Head):
    """Scores every label of every word (Devlin et al. 2019, section 5.3, there at the first subword).

    A word that was cut off, or has no subword, is no decision in training and gets the tag of most words of training
    when it is predicted.

    Args:
        items: to learn from; they name the labels.
        dim: width of the encoder.
        settings: `head_dropout`.
    """

    chooses = True

    def __init__(self, items: Sequence[Item], dim: int, settings: Any) -> None:
        import torch

        labels = labels_of(items, lambda item: item.label)
        super().__init__(labels, torch.nn.Sequential(torch.nn.Dropout(settings.head_dropout), linear(dim, len(labels))))
        counts = np.bincount([self.place(tag) for item in items for tag in item.label], minlength=len(labels))  # type: ignore[union-attr]
        self.usual = labels[int(counts.argmax())]

    def outputs(self, view: View) -> "torch.Tensor":
        """(words, labels) logits of all words of the batch, sentence by sentence."""
        return self.module(pool_words(view.first, view.batch.first))  # type: ignore[arg-type]

    def loss(self, outputs: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Mean cross-entropy over words."""
        places = []
        for item, one in zip(batch.items, batch.first, strict=True):
            there = np.isin(np.arange(one.words), one.word)
            places += [self.place(tag) if seen else -1 for tag, seen in zip(item.label, there, strict=True)]  # type: ignore[arg-type]
        return cross_entropy(outputs, places)

    def predict(self, outputs: "torch.Tensor", batch: Batch) -> list[tuple[str, ...]]:
        """The label of the highest score for every word."""
        best = iter(outputs.argmax(dim=1).tolist())
        found = []
        for one in batch.first:
            there = set(one.word.tolist())
            chosen = [next(best) for _ in range(one.words)]
            found.append(tuple(self.labels[n] if word in there else self.usual for word, n in enumerate(chosen)))
        return found
