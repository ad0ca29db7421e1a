"""Sequences with masked subwords, and sentences joined with their translations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.training.examples import Side


@dataclass(frozen=True)
class Masked:
    """Sequences with some of their subwords masked.

    Attributes:
        ids: input ids of each sequence.
        row: (masked,) the sequence of each masked subword.
        place: (masked,) its column.
        gold: (masked,) its id before.
    """

    ids: list[np.ndarray]
    row: np.ndarray
    place: np.ndarray
    gold: np.ndarray


def mask(
    sequences: Sequence[np.ndarray], maskable: Sequence[np.ndarray], rng: np.random.Generator, *, share: float,
    mask_id: int, pieces: np.ndarray,
) -> Masked:  # fmt: skip
    """Choose subwords to predict: 80 % become the mask token, 10 % a random subword, 10 % stay.

    Args:
        sequences: input ids of each sequence.
        maskable: for each the columns that may be chosen.
        rng: draws.
        share: of the maskable columns, at least one of each sequence that has any.
        mask_id: of the mask token.
        pieces: ids that random subwords are drawn from.

    Source: Devlin et al. 2019, BERT, section 3.1.
    """
    ids, rows, places, golds = [], [], [], []
    for number, (one, columns) in enumerate(zip(sequences, maskable, strict=True)):
        changed = one.copy()
        if len(columns):
            chosen = np.sort(rng.permutation(columns)[: max(1, round(share * len(columns)))])
            fate = rng.random(len(chosen))
            changed[chosen[fate < 0.8]] = mask_id
            other = chosen[(fate >= 0.8) & (fate < 0.9)]
            changed[other] = rng.choice(pieces, len(other))
            rows.append(np.full(len(chosen), number))
            places.append(chosen)
            golds.append(one[chosen])
        ids.append(changed)
    flat = lambda parts: np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)  # noqa: E731
    return Masked(ids, flat(rows), flat(places), flat(golds))


def join_sides(first: Side, second: Side) -> Side:
    """Two sentences as one sequence: the second follows the first's closing token, positions run on.

    Its own opening token is left out; the words of the first come first. Source: TLM, Lample and Conneau 2019.
    """
    start = second.content[0]
    shift = len(first.ids) - start
    return Side(
        np.concatenate([first.ids, second.ids[start:]]), np.concatenate([first.column, second.column + shift]),
        np.concatenate([first.word, second.word + first.words]), np.concatenate([first.weight, second.weight]),
        first.words + second.words, np.concatenate([first.keys, second.keys]),
        (first.content[0], second.content[1] + shift),
    )  # fmt: skip


def content(side: Side) -> np.ndarray:
    """The columns of a sentence's own subwords."""
    return np.arange(*side.content)


def joined_content(first: Side, second: Side) -> np.ndarray:
    """The columns of both sentences' own subwords in their joined sequence."""
    shift = len(first.ids) - second.content[0]
    return np.concatenate([content(first), content(second) + shift])
