"""What word retrieval asks and offers: the words of both sides, special tokens if wanted, and the table of answers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.encoders.vectors import Units
from analysis.errors import InputError
from analysis.measures._parts.centring import centre_rows, side_mean
from analysis.neighbours.mutual import BothWays
from analysis.neighbours.rows import has_direction, normalise_rows, row_products
from analysis.scoring.pairs import Pairs, linked_words
from analysis.scoring.space import PairSpace

SPECIAL = ("<s>", "</s>")  # what the table calls the tokens that open and close a sentence
OPENING, CLOSING = -1, -2  # their positions


@dataclass(frozen=True)
class WordSide:
    """All words of one language and behind them its special tokens, where they take part.

    Attributes:
        vectors: (n, dim).
        row: (n,) row of the sentence pair.
        position: (n,) word in its sentence; -1 and -2 for the opening and the closing special token.
        text: surface of each.
        pos: part of speech of each, "" where unknown.
        frequency: (n,) how often the form (case aside) occurs in this side; sentences for special tokens.
    """

    vectors: np.ndarray
    row: np.ndarray
    position: np.ndarray
    text: tuple[str, ...]
    pos: tuple[str, ...]
    frequency: np.ndarray

    @property
    def special(self) -> np.ndarray:
        """(n,) bool, which are special tokens."""
        return self.position < 0

    def words_only(self) -> "WordSide":
        """The same side without special tokens."""
        n = int(np.sum(~self.special))
        return WordSide(
            self.vectors[:n], self.row[:n], self.position[:n], self.text[:n], self.pos[:n], self.frequency[:n]
        )


def make_sides(space: PairSpace, *, special_tokens: bool, centre: bool) -> tuple[WordSide, WordSide]:
    """Both sides of a space of words.

    Args:
        space: word vectors; with `special_tokens` also `space.special`.
        special_tokens: whether the special tokens of every sentence join.
        centre: whether the mean of a side's words is subtracted from all of it.

    Raises:
        InputError: special tokens are wanted and the space has none.
    """
    if special_tokens and space.special is None:
        raise InputError("special_tokens=true needs the vectors of special tokens; make the space with these settings")
    special = space.special if special_tokens else None
    left, right = special or (None, None)
    tags = space.tags or (None, None)
    return (
        _side(space.source, space.source_units, tags[0], left, space.rows, centre),
        _side(space.target, space.target_units, tags[1], right, space.rows, centre),
    )


def _side(
    vectors: np.ndarray, units: Units, tags: tuple[str, ...] | None, special: np.ndarray | None, rows: int, centre: bool
) -> WordSide:
    """One side."""
    forms = [text.casefold() for text in units.text]
    counts = Counter(forms)
    frequency = np.array([counts[form] for form in forms], dtype=np.int64)
    mean = side_mean(vectors) if centre else None
    shown = vectors if mean is None else centre_rows(vectors, mean)
    pos = tags or ("",) * len(forms)
    if special is None:
        return WordSide(shown, units.sentence, units.position, units.text, pos, frequency)
    more = special if mean is None else centre_rows(special, mean)
    return WordSide(
        np.concatenate([shown, more]),
        np.concatenate([units.sentence, np.repeat(np.arange(rows), 2)]),
        np.concatenate([units.position, np.tile([OPENING, CLOSING], rows)]),
        (*units.text, *(SPECIAL * rows)),
        (*pos, *("",) * (2 * rows)),
        np.concatenate([frequency, np.full(2 * rows, rows)]),
    )


def query_pairs(space: PairSpace, sides: tuple[WordSide, WordSide]) -> Pairs:
    """The words in one-to-one links, then each special token with that of the translation.

    Special tokens that an encoder does not have (no vector on one side) ask nothing.

    Raises:
        InputError: the space has no links.
    """
    words = linked_words(space)
    left, right = (np.flatnonzero(side.special) for side in sides)
    there = has_direction(sides[0].vectors[left]) & has_direction(sides[1].vectors[right])
    left, right = left[there], right[there]
    return Pairs(
        np.concatenate([words.row, sides[0].row[left]]), np.concatenate([words.source, left]),
        np.concatenate([words.target, right]), words.missing,
    )  # fmt: skip


def identical_words(sides: tuple[WordSide, WordSide], pairs: Pairs) -> np.ndarray:
    """Which pairs are one and the same string on both sides, (n,) bool; special tokens are not."""
    left, right = sides
    same = [left.text[a] == right.text[b] for a, b in zip(pairs.source, pairs.target, strict=True)]
    return np.array(same, dtype=bool) & ~left.special[pairs.source]


def query_items(
    sides: tuple[WordSide, WordSide],
    pairs: Pairs,
    found: Mapping[str, BothWays],
    main: str,
    ranks: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, list[Any]]:
    """One line a query: where it stands, what it should find, what it found and how near both are.

    Args:
        sides: both sides.
        pairs: the queries with what they should find.
        found: what each score found.
        main: the score whose finds are shown.
        ranks: for each direction the rank of what should be found, or None.
    """
    left, right = sides
    same = identical_words(sides, pairs)
    answers = {score: (both.forward, both.backward) for score, both in found.items()}
    table: dict[str, list[Any]] = {}
    for way, query, gold, here, there in (
        (0, pairs.source, pairs.target, left, right), (1, pairs.target, pairs.source, right, left),
    ):  # fmt: skip
        at = answers[main][way]
        columns = {
            "row": here.row[query].tolist(),
            "direction": [("forward", "backward")[way]] * len(pairs),
            "position": here.position[query].tolist(),
            "word": [here.text[n] for n in query],
            "gold": [there.text[n] for n in gold],
            "gold_row": there.row[gold].tolist(),
            "gold_position": there.position[gold].tolist(),
            "found": [there.text[n] if n >= 0 else "" for n in at],
            "found_row": [int(there.row[n]) if n >= 0 else None for n in at],
            "found_position": [int(there.position[n]) if n >= 0 else None for n in at],
            **{f"{score}_hit": (both[way] == gold).tolist() for score, both in answers.items()},
            "gold_similarity": _cosines(here, query, there, gold),
            "found_similarity": _cosines(here, query, there, at),
            "rank": [None] * len(pairs) if ranks is None else ranks[way].tolist(),
            "pos": [here.pos[n] for n in query],
            "frequency": here.frequency[query].tolist(),
            "identical": same.tolist(),
            "special": here.special[query].tolist(),
        }
        for name, column in columns.items():
            table.setdefault(name, []).extend(column)
    return table


def _cosines(here: WordSide, query: np.ndarray, there: WordSide, other: np.ndarray) -> list[float | None]:
    """The cosine of each query with another unit, None where one of them has no direction or there is none."""
    a, b = here.vectors[query], there.vectors[np.maximum(other, 0)] if len(there.vectors) else here.vectors[query]
    known = has_direction(a) & has_direction(b) & (other >= 0)
    values = row_products(normalise_rows(a), normalise_rows(b)).tolist()
    return [value if good else None for value, good in zip(values, known.tolist(), strict=True)]
