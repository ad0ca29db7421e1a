"""Sentence pairs compared subword by subword: two-way softmax, the links it gives, and word links spread over subwords."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InputError
from analysis.training.examples import Side
from analysis.training.losses import OUT
from analysis.training.settings import TrainSettings

if TYPE_CHECKING:
    import torch


HOPELESS = 1e-8  # probability below which a link teaches nothing


def check_whole_words(settings: TrainSettings, reads_links: bool) -> None:
    """Make sure that links can be spread over all subwords of their words.

    Args:
        settings: say which subwords make a word.
        reads_links: whether links are read at all.

    Raises:
        InputError: links are read and a word is one of its subwords.
    """
    if reads_links and settings.pool != "mean":
        raise InputError(f"pool={settings.pool!r} cannot be followed where links spread over all subwords; valid: mean")


def content_mask(sides: Sequence[Side], longest: int, device: "torch.device | str" = "cpu") -> "torch.Tensor":
    """Which columns hold a sentence's own subwords, neither special tokens nor padding.

    Args:
        sides: the sentences.
        longest: columns of the batch.
        device: where the answer is wanted.

    Returns:
        (sentences, longest) bool.
    """
    import torch

    start, stop = torch.tensor([side.content for side in sides], device=device).reshape(-1, 2).T[..., None]
    column = torch.arange(longest, device=device)[None]
    return (column >= start) & (column < stop)


def two_softmaxes(
    source: "torch.Tensor", target: "torch.Tensor", source_mask: "torch.Tensor", target_mask: "torch.Tensor", *,
    temperature: float, cosine: bool = True,
) -> "tuple[torch.Tensor, torch.Tensor]":  # fmt: skip
    """How probably each subword is translated by each subword of the other sentence, asked from both sides.

    Args:
        source: (pairs, m, dim) states, padded.
        target: (pairs, n, dim) states of the translations.
        source_mask: (pairs, m) which columns count.
        target_mask: (pairs, n) the same of the translations.
        temperature: divides the similarities.
        cosine: cosines, or dot products of the states as they are.

    Returns:
        Two (pairs, m, n): probabilities over the target's subwords for each of the source's, and over the source's
        for each of the target's; 0 wherever a column does not count.

    Source: Dou and Neubig 2021, section 2.2 (there dot products, temperature 1).
    """
    import torch
    from torch.nn.functional import normalize

    # What stands in padding is undefined and must not reach a gradient even as a factor of zero.
    source, target = (
        states.masked_fill(~mask[..., None], 0) for states, mask in ((source, source_mask), (target, target_mask))
    )
    if cosine:
        source, target = normalize(source, dim=-1), normalize(target, dim=-1)
    logits = torch.bmm(source, target.transpose(1, 2)) / temperature
    both = source_mask[:, :, None] & target_mask[:, None]
    logits = logits.masked_fill(~both, OUT)
    return torch.softmax(logits, 2).masked_fill(~both, 0), torch.softmax(logits, 1).masked_fill(~both, 0)


def mutual(forward: "torch.Tensor", backward: "torch.Tensor", threshold: float) -> "torch.Tensor":
    """(pairs, m, n) 1 where both probabilities exceed the threshold, without gradients (Dou and Neubig 2021, 2.2)."""
    return ((forward > threshold) & (backward > threshold)).to(forward.dtype).detach()


def self_training(
    forward: "torch.Tensor", backward: "torch.Tensor", links: "torch.Tensor", source_mask: "torch.Tensor",
    target_mask: "torch.Tensor",
) -> "torch.Tensor":  # fmt: skip
    """How much probability linked subwords give each other, with a minus: between -2 and 0.

        -mean over pairs of ( sum(p_s * A) / len_s + sum(p_t * A) / len_t )

    Args:
        forward: (pairs, m, n) from `two_softmaxes`.
        backward: the other way.
        links: (pairs, m, n) A.
        source_mask: (pairs, m) which columns count; their number is the length.
        target_mask: (pairs, n).

    Source: Dou and Neubig 2021, section 2.3, self-training objective, as coded.
    """
    found = [
        (chance * links).sum((1, 2)) / mask.sum(1).clamp(min=1)
        for chance, mask in ((forward, source_mask), (backward, target_mask))
    ]
    return -(found[0] + found[1]).mean()


def shared_links(
    forward: "torch.Tensor", backward: "torch.Tensor", links: "torch.Tensor"
) -> "torch.Tensor":  # fmt: skip
    """Cross-entropy of each linked subword against an even share for each of its links, in nats, both ways.

    In plain words: `self_training` is content when one of a subword's links gets all of its probability; here each
    link asks for its share, so that one word may stand for several. A link whose probability is below 1e-8 costs a
    constant and teaches nothing: it is more likely wrong than worth tearing the space apart.

    Args:
        forward: (pairs, m, n) from `two_softmaxes`.
        backward: the other way.
        links: (pairs, m, n) A.

    Returns:
        The mean of the two directions' means over linked subwords; 0 without links.
    """
    found = []
    for chance, across in ((forward, 2), (backward, 1)):
        count = links.sum(across)
        linked = (count > 0).sum().clamp(min=1)
        nats = -(chance.clamp(min=HOPELESS).log() * links).sum(across) / count.clamp(min=1)
        found.append(nats.sum() / linked)
    return (found[0] + found[1]) / 2


def consistency(
    forward: "torch.Tensor", backward: "torch.Tensor", source_mask: "torch.Tensor", target_mask: "torch.Tensor"
) -> "torch.Tensor":
    """How far the two directions agree, with a minus: -mean of tr(p_s p_t^T) / min(len_s, len_t).

    Args:
        forward: (pairs, m, n) from `two_softmaxes`.
        backward: the other way.
        source_mask: (pairs, m).
        target_mask: (pairs, n).

    Source: Dou and Neubig 2021, section 2.3, consistency optimisation, as coded.
    """
    import torch

    shorter = torch.minimum(source_mask.sum(1), target_mask.sum(1)).clamp(min=1)
    return -((forward * backward).sum((1, 2)) / shorter).mean()


def linked_subwords(
    links: Sequence[np.ndarray], source: Sequence[Side], target: Sequence[Side], shape: tuple[int, int],
    device: "torch.device | str" = "cpu",
) -> "torch.Tensor":  # fmt: skip
    """Word links as links between all subwords of the two words.

    Args:
        links: for each pair (links, 2) positions of its linked words.
        source: the sentences.
        target: their translations.
        shape: (m, n) columns of the two sides.
        device: where the answer is wanted.

    Returns:
        (pairs, m, n) 1 where the words of two subwords are linked, else 0.
    """
    import torch

    words = [max((side.words for side in sides), default=0) for sides in (source, target)]
    table = torch.zeros(len(links), *words)
    row = np.repeat(np.arange(len(links)), [len(one) for one in links])
    flat = np.concatenate([np.empty((0, 2), np.int64), *links])
    table[row, flat[:, 0], flat[:, 1]] = 1
    left, right = (
        _belongs(sides, columns, count) for sides, columns, count in zip((source, target), shape, words, strict=True)
    )
    # A subword that two words share belongs to both.
    return (left @ table @ right.transpose(1, 2) > 0).float().to(device)


def _belongs(sides: Sequence[Side], longest: int, words: int) -> "torch.Tensor":
    """(sentences, longest, words) 1 where a column is part of a word."""
    import torch

    found = torch.zeros(len(sides), longest, words)
    row = np.repeat(np.arange(len(sides)), [len(side.column) for side in sides])
    column, word = (
        np.concatenate([np.empty(0, np.int64), *(getattr(side, name) for side in sides)]) for name in ("column", "word")
    )
    found[row, column, word] = 1
    return found
