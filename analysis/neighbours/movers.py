"""The words whose true translation changes its rank most from encoder A to encoder B."""

import math
from dataclasses import dataclass

import numpy as np

from analysis.neighbours.translations import Candidates, rank_words, translations_of
from analysis.text.corpus import Corpus

MOST = 300


@dataclass(frozen=True)
class Mover:
    """A word and the rank of its true translation in one language.

    Attributes:
        row: row of the corpus it stands in.
        position: 0-based word in its sentence.
        language: the other language.
        before: rank by A.
        after: rank by B.
    """

    row: int
    position: int
    language: str
    before: int
    after: int

    @property
    def change(self) -> float:
        """How much nearer the translation comes: log2 of the ratio of the ranks, negative where it falls back."""
        return math.log2(self.before / self.after)


def rank_moves(
    corpus: Corpus,
    source: tuple[Candidates, Candidates],
    target: tuple[Candidates, Candidates],
    *,
    penalties: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    limit: int = MOST,
    seed: int = 0,
) -> list[Mover]:
    """The rank of every known translation by both encoders.

    Args:
        corpus: with links or concepts.
        source: the words of the first language by A and by B.
        target: those of the second language.
        penalties: r(y) of CSLS for A and B, None for the cosine.
        limit: more words than this are drawn at random.
        seed: seed of the draw.

    Returns:
        One entry a word that has a translation with a vector in both encoders, in the order of the corpus.
    """
    words = source[0]
    order = np.arange(len(words))
    linked = []
    for index in order.tolist():
        row, position = int(words.row[index]), int(words.position[index])
        at = translations_of(corpus, row, words.language, position, target[0].language)
        if at:
            linked.append((index, row, position, at))
    if len(linked) > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(len(linked), limit, replace=False))
        linked = [linked[n] for n in chosen]
    found = []
    for index, row, position, at in linked:
        true = target[0].find(row, at)
        before, after = (
            rank_words(here.vectors[index], there, penalty=penalty).best_rank(true)
            for here, there, penalty in zip(source, target, penalties, strict=True)
        )
        if before and after:
            found.append(Mover(row, position, target[0].language, before, after))
    return found


def pick_movers(moves: list[Mover], *, nearer: int = 5, farther: int = 3) -> list[Mover]:
    """The words that gain most and those that lose most, each word once, the greatest change first.

    Args:
        moves: of any languages.
        nearer: how many of those that come nearer.
        farther: how many of those that fall back.
    """
    ranked = sorted(moves, key=lambda move: -abs(move.change))
    first: dict[tuple[int, int], Mover] = {}
    for move in ranked:
        first.setdefault((move.row, move.position), move)
    gained = [move for move in first.values() if move.change > 0][:nearer]
    lost = [move for move in first.values() if move.change < 0][:farther]
    return [*gained, *lost]
