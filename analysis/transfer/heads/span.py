"""A stretch of the second text: a score for every token to be its first one, and one to be its last."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.transfer.encoding import Batch, Encoded
from analysis.transfer.heads.head import Head, View, linear
from analysis.transfer.heads.sequence import cross_entropy
from analysis.transfer.item import Answers, Item

if TYPE_CHECKING:
    import torch

MAX_ANSWER = 30  # tokens of an answer: `max_answer_length` of Devlin et al.'s run_squad.py
NEVER = -1e4  # the score of a token that cannot be meant; finite, so that differences of scores stay so


class SpanHead(Head):
    """Scores the start and the end of an answer at every token of the second text.

        S_i = w_s . h_i + b_s,  E_j = w_e . h_j + b_e;  L = (-log softmax(S)_start - log softmax(E)_end) / 2
        answer = argmax of S_i + E_j over i <= j < i + 30

    The softmax is over the tokens of the second text, so every question has an answer. A question whose answer was cut
    off, or does not stand where it is said to, is no part of the loss. Of several right answers the first one that was
    not cut off is learned; the start is the first token that shares a character with it, the end the last one.

    Source: Devlin et al. 2019, section 4.2 (there the softmax is over the whole sequence, and long paragraphs are read
    in overlapping pieces, where here the rest is cut off).

    Args:
        items: to learn from.
        dim: width of the encoder.
        settings: `head_dropout`.
    """

    joint = True

    def __init__(self, items: Sequence[Item], dim: int, settings: Any) -> None:
        import torch

        super().__init__((), torch.nn.Sequential(torch.nn.Dropout(settings.head_dropout), linear(dim, 2)))

    def outputs(self, view: View) -> "torch.Tensor":
        """(items, 2, longest) scores of each token as start and as end."""
        import torch

        inside = np.zeros(tuple(view.first.shape[:2]), dtype=bool)
        for row, one in enumerate(view.batch.first):
            inside[row, slice(*one.second)] = True
        scores = self.module(view.first).transpose(1, 2)
        return scores.masked_fill(~torch.from_numpy(inside).to(scores.device)[:, None], NEVER)

    def loss(self, outputs: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Mean cross-entropy of the starts and of the ends."""
        places = [answer_tokens(item, one) or (-1, -1) for item, one in zip(batch.items, batch.first, strict=True)]
        return cross_entropy(outputs.flatten(0, 1), [place for pair in places for place in pair])

    def predict(self, outputs: "torch.Tensor", batch: Batch) -> list[str]:
        """The stretch of the second text with the best sum of scores; "" where nothing of it was read."""
        scores = outputs.detach().float().cpu().numpy()
        return [
            best_span(scores[row], one, item.other.text if item.other else "")
            for row, (item, one) in enumerate(zip(batch.items, batch.first, strict=True))
        ]


def answer_tokens(item: Item, one: Encoded) -> tuple[int, int] | None:
    """Columns of the first and of the last token of an answer, None where none of them was read."""
    if one.offsets is None or not len(one.offsets) or item.other is None or not isinstance(item.label, Answers):
        return None
    starts, ends = one.offsets[:, 0], one.offsets[:, 1]
    for text, start in zip(item.label.texts, item.label.starts, strict=True):
        stop = start + len(text)
        if not text or item.other.text[start:stop] != text or stop > ends.max():
            continue
        inside = np.flatnonzero((starts < stop) & (ends > start) & (ends > starts))
        if len(inside):
            return one.second[0] + int(inside[0]), one.second[0] + int(inside[-1])
    return None


def best_span(scores: np.ndarray, one: Encoded, text: str) -> str:
    """The text of the best stretch.

    Args:
        scores: (2, tokens) of starts and ends.
        one: the sequence.
        text: the second text.
    """
    first, past = one.second
    if one.offsets is None or past <= first:
        return ""
    sums = scores[0, first:past, None] + scores[1, None, first:past]
    ahead = np.arange(past - first)[None, :] - np.arange(past - first)[:, None]
    start, end = np.unravel_index(np.where((ahead >= 0) & (ahead < MAX_ANSWER), sums, -np.inf).argmax(), sums.shape)
    return text[one.offsets[start, 0] : one.offsets[end, 1]].strip()
