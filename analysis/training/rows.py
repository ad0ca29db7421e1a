"""Rows of several languages: regrouped from sentence pairs, batched whole, and the terms of a contrast over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.training.batches import POOL
from analysis.training.examples import Examples, Side
from analysis.training.settings import TrainSettings

FEWEST = 2  # rows of a batch, because a row alone has nothing to be contrasted with


@dataclass(frozen=True)
class Row:
    """One row: the same sentence in several languages, the anchor's first.

    Attributes:
        languages: the tags.
        sides: the sentences.
        pairs: (languages - 1,) indices of the pairs it was made of.
    """

    languages: tuple[str, ...]
    sides: tuple[Side, ...]
    pairs: np.ndarray

    def __len__(self) -> int:
        """Number of languages."""
        return len(self.languages)

    @cached_property
    def longest(self) -> int:
        """Tokens of its longest sentence."""
        return max(len(side.ids) for side in self.sides)


@dataclass(frozen=True)
class Drawn:
    """The sentences of one step.

    Attributes:
        row: (sentences,) which row each belongs to, as a number among all rows.
        place: (sentences,) which language of that row; 0 is the anchor's.
    """

    row: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.row)


@dataclass(frozen=True)
class Contrasts:
    """The terms of one step, each a sentence that looks for one translation.

    Attributes:
        asked: (terms,) the sentence that looks.
        positive: (terms,) the translation.
        negatives: (terms, sentences) what the translation is compared with beside itself.
    """

    asked: np.ndarray
    positive: np.ndarray
    negatives: np.ndarray

    def __len__(self) -> int:
        """Number of terms."""
        return len(self.asked)


def regroup(examples: Examples, anchor: str) -> list[Row]:
    """The rows that the pairs are cut from, in order of first appearance.

    Args:
        examples: all pairs; those of one group are one row, and without groups each is a row of its own.
        anchor: the language of the target side.
    """
    members: dict[int, list[int]] = {}
    for at, number in enumerate(examples.groups or range(len(examples))):
        members.setdefault(number, []).append(at)
    return [
        Row(
            (anchor, *(examples.language[at] for at in pairs)),
            (examples.target[pairs[0]], *(examples.source[at] for at in pairs)),
            np.array(pairs, np.int64),
        )
        for pairs in members.values()
    ]


def row_batches(
    rows: Sequence[Row], settings: TrainSettings, most: int, *, seed: int, epoch: int
) -> list[np.ndarray]:  # fmt: skip
    """The pairs of each step of an epoch, whole rows only, every row once, rows of similar length together.

    Args:
        rows: all rows.
        settings: `batch_tokens`, of which a step has twice as many, as one of pairs has on its two sides.
        most: languages a row contributes at most; 0 means all.
        seed: with the epoch's number it decides the order.
        epoch: counted from 0.
    """
    rng = np.random.default_rng([seed, epoch, 7])
    order = rng.permutation(len(rows))
    longest = np.array([row.longest for row in rows], np.int64)
    counts = np.array([min(len(row), most or len(row)) for row in rows], np.int64)
    found: list[list[int]] = []
    for start in range(0, len(order), POOL):
        pool = order[start : start + POOL]
        found += _filled(pool[np.argsort(longest[pool], kind="stable")], longest, counts, 2 * settings.batch_tokens)
    return [np.concatenate([rows[at].pairs for at in found[n]]) for n in rng.permutation(len(found))]


def _filled(order: np.ndarray, longest: np.ndarray, counts: np.ndarray, budget: int) -> list[list[int]]:
    """Rows in order of length cut into batches whose padded size keeps within the budget, at least FEWEST in each."""
    batches: list[list[int]] = []
    now: list[int] = []
    for row in order.tolist():
        if len(now) >= FEWEST and (counts[now].sum() + counts[row]) * longest[row] > budget:
            batches.append(now)
            now = []
        now.append(row)
    if len(now) < FEWEST and batches:
        batches[-1] += now
    elif now:
        batches.append(now)
    return batches


def draw_languages(rows: Sequence[Row], step: Sequence[int], most: int, rng: np.random.Generator) -> Drawn:
    """The sentences of some rows, at most so many languages of each, drawn anew at every step.

    Args:
        rows: all rows.
        step: the rows of this step.
        most: languages of one row; 0 means all.
        rng: draws, the anchor's language as any other.
    """
    places = [
        np.sort(rng.permutation(len(rows[at]))[:most]) if 0 < most < len(rows[at]) else np.arange(len(rows[at]))
        for at in step
    ]
    return Drawn(np.repeat(np.asarray(step, np.int64), [len(one) for one in places]), np.concatenate(places))


def draw_control(
    rows: Sequence[Row], step: Sequence[int], sentences: int, rng: np.random.Generator
) -> Drawn:  # fmt: skip
    """Pairs of the anchor with one drawn language, until there are exactly so many sentences.

    Each row of the step gives the anchor and one language; then other rows do, drawn among those of similar length;
    where one sentence is still wanting, or no row is left, a row that is there gives one more language.

    Args:
        rows: all rows.
        step: the rows of this step.
        sentences: how many the step has when its rows give all their drawn languages.
        rng: draws.
    """
    more = max(0, sentences - 2 * len(step)) // 2
    chosen = [*step, *_similar(rows, step, more, rng)]
    spare = {at: (rng.permutation(len(rows[at]) - 1) + 1).tolist() for at in chosen}
    places = {at: [0, spare[at].pop()] for at in chosen}
    missing = sentences - 2 * len(chosen)
    while missing > 0:
        open_rows = [at for at in chosen if spare[at]]
        for at in rng.permutation(open_rows)[:missing].tolist():
            places[at].append(spare[at].pop())
            missing -= 1
    pairs = [(at, place) for at in chosen for place in sorted(places[at])]
    return Drawn(*np.array(pairs, np.int64).T)


def _similar(rows: Sequence[Row], step: Sequence[int], wanted: int, rng: np.random.Generator) -> list[int]:
    """Up to so many rows outside the step, drawn among those whose length stands near that of its rows."""
    if not wanted:
        return []
    order = np.argsort([row.longest for row in rows], kind="stable")
    inside = np.isin(order, step)
    ends = np.flatnonzero(inside)
    window = slice(max(0, ends[0] - wanted), ends[-1] + wanted + 1)
    near = order[window][~inside[window]]
    return rng.permutation(near)[:wanted].tolist()


def contrasts(
    drawn: Drawn, language: np.ndarray, *, everywhere: bool, alike: np.ndarray | None = None
) -> Contrasts:  # fmt: skip
    """Every sentence looks for its translation in every other language of its row.

    Args:
        drawn: the sentences.
        language: (sentences,) a number for each one's language.
        everywhere: whether sentences of all languages are negatives, or only those in the translation's language.
        alike: (sentences, sentences) further ones that are no negatives of each other; those of one row never are.
    """
    same = drawn.row[:, None] == drawn.row[None]
    asked, positive = np.nonzero(same & ~np.eye(len(drawn), dtype=bool))
    negatives = ~(same if alike is None else same | alike)[asked]
    if not everywhere:
        negatives &= language[positive][:, None] == language[None]
    return Contrasts(asked, positive, negatives)


def control_contrasts(
    drawn: Drawn, language: np.ndarray, wanted: np.ndarray, rng: np.random.Generator, *, everywhere: bool,
    alike: np.ndarray | None = None,
) -> Contrasts:  # fmt: skip
    """As many terms as the rows had, between the anchor and one language only, each with as many negatives.

    Every link between a row's anchor and its other sentence is asked both ways and as often as is needed, each time
    with negatives of its own draw.

    Args:
        drawn: the sentences of the control.
        language: (sentences,) a number for each one's language.
        wanted: (terms,) the number of negatives of each term of the step it stands for.
        rng: draws.
        everywhere: whether both sides' sentences are negatives, or only those on the translation's side; of these the
            ones in its own language come first, and others fill up what the pairs of one language lack.
        alike: as for `contrasts`.
    """
    same = drawn.row[:, None] == drawn.row[None]
    first = drawn.place == 0
    asked, positive = np.nonzero(same & (first[:, None] != first[None]))
    turn = np.concatenate([rng.permutation(len(asked)) for _ in range(-(-len(wanted) // len(asked)))])[: len(wanted)]
    asked, positive = asked[turn], positive[turn]
    free = ~(same if alike is None else same | alike)[asked]
    if not everywhere:
        free &= first[positive][:, None] == first[None]
    # A term that wants few negatives goes to a sentence that has few.
    wanted = np.sort(wanted)[np.argsort(np.argsort(free.sum(1), kind="stable"))]
    # Of the free ones those with the largest numbers are kept, as many as are wanted.
    first_choice = 0.0 if everywhere else language[positive][:, None] == language[None]
    rank = rng.random(free.shape) + first_choice
    order = np.argsort(np.argsort(np.where(free, rank, -1.0), axis=1), axis=1)
    return Contrasts(asked, positive, free & (order >= free.shape[1] - wanted[:, None]))
