"""Sentence pairs ready for training: token ids, which tokens make up which word, and word links."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np

from analysis.encoders import tokens as tk
from analysis.encoders.model import Model
from analysis.encoders.vectors import Pool
from analysis.errors import InputError
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links
from analysis.training.settings import TrainSettings

SPECIAL_KEYS = crc32(b"<special first>"), crc32(b"<special last>")


@dataclass(frozen=True, slots=True)
class Side:
    """One sentence as the network reads it.

    Attributes:
        ids: (tokens,) input ids with special tokens.
        column: (members,) columns of `ids` whose vectors make up words.
        word: (members,) the word each of them belongs to.
        weight: (members,) factors; those of a word sum to 1.
        words: number of words; with special tokens as words, these are the last two.
        keys: (words,) a hash of each word's case-folded form: equal keys are one word type.
        content: (2,) first column of the text and the one past its last, without special tokens.
    """

    ids: np.ndarray
    column: np.ndarray
    word: np.ndarray
    weight: np.ndarray
    words: int
    keys: np.ndarray
    content: tuple[int, int]

    @property
    def has_specials(self) -> bool:
        """Whether the last two words are special tokens; an encoder without an opening one has none."""
        return self.keys[-2:].tolist() == list(SPECIAL_KEYS)


@dataclass(frozen=True)
class Examples:
    """All training pairs, in order.

    Attributes:
        language: for each pair the language that is aligned with the anchor.
        source: that language's side.
        target: the anchor's side.
        links: (pairs of words, 2) for each pair; filled by `analysis.training.links`.
        rows: what a message calls each pair: data and row.
        groups: for each pair the number of its row: pairs of several languages that share the anchor's sentence and
            the row's id have one number, each language once; () for text.
        given: for each pair whether its links came with the data; filled with the links.
    """

    language: tuple[str, ...]
    source: tuple[Side, ...]
    target: tuple[Side, ...]
    links: tuple[np.ndarray, ...]
    rows: tuple[str, ...]
    groups: tuple[int, ...] = ()
    given: tuple[bool, ...] = ()

    def __len__(self) -> int:
        """Number of sentence pairs."""
        return len(self.language)

    def sizes(self) -> np.ndarray:
        """(pairs,) tokens of the longer side."""
        return np.array([max(len(a.ids), len(b.ids)) for a, b in zip(self.source, self.target, strict=True)], np.int64)

    def take(self, rows: Sequence[int]) -> "Examples":
        """The examples at these indices."""
        pick = lambda items: tuple(items[row] for row in rows)  # noqa: E731
        return Examples(
            pick(self.language), pick(self.source), pick(self.target), pick(self.links), pick(self.rows),
            pick(self.groups) if self.groups else (), pick(self.given) if self.given else (),
        )  # fmt: skip


def select(
    bitexts: Sequence[Bitext], languages: Sequence[str], settings: TrainSettings, seed: int, *, room: int | None = None
) -> list[Bitext]:
    """The pairs that are trained on: wanted languages, no empty or overlong side, drawn, shuffled, joined.

    Args:
        bitexts: the anchor on the target side.
        languages: the languages wanted.
        settings: `max_words`, `max_pairs`, `placebo` and `join`.
        seed: of the draw, of the placebo and of what is joined.
        room: words that a joined side may have, for what does not fit the encoder's window would be left out.

    Raises:
        InputError: nothing is left.
    """
    found = []
    for number, bitext in enumerate(bitexts):
        if bitext.languages[0] not in languages:
            continue
        rng = np.random.default_rng([seed, number])
        kept = [
            row for row, (a, b) in enumerate(zip(bitext.source, bitext.target, strict=True))
            if 0 < len(a.spans) <= settings.max_words and 0 < len(b.spans) <= settings.max_words
        ]  # fmt: skip
        if settings.max_pairs and len(kept) > settings.max_pairs:
            kept = sorted(rng.choice(kept, settings.max_pairs, replace=False).tolist())
        one = bitext.take(kept)
        if settings.placebo:
            one = shuffled(one, rng) if len(one) > 1 else one.take([])  # a single pair has no wrong translation
        found.append(joined(one, settings.join, rng, room=room) if settings.join > 1 else one)
    found = [bitext for bitext in found if len(bitext)]
    if not found:
        raise InputError(
            f"no sentence pair to train on: every row is empty, lacks a side or is longer than "
            f"max_words={settings.max_words}; give parallel rows{' (a placebo: at least two)' * settings.placebo}"
        )
    return found


def shuffled(bitext: Bitext, rng: np.random.Generator) -> Bitext:
    """The placebo: every sentence beside a translation of another one, links dropped."""
    turn = rng.permutation(len(bitext))
    other = np.empty_like(turn)
    other[turn] = np.roll(turn, 1)
    target = tuple(bitext.target[row] for row in other)
    return replace(bitext, target=target, links=None, links_origin="", name=f"{bitext.name} (shuffled)")


def joined(bitext: Bitext, size: int, rng: np.random.Generator, *, room: int | None = None) -> Bitext:
    """Groups of up to `size` random pairs as one pair each, with their links, no side of more words than `room`."""
    order = rng.permutation(len(bitext)).tolist()
    groups = [
        part for start in range(0, len(order), size) for part in _fitting(bitext, order[start : start + size], room)
    ]
    source, target, links = [], [], []
    for group in groups:
        source.append(_join([bitext.source[row] for row in group]))
        target.append(_join([bitext.target[row] for row in group]))
        if bitext.links is not None:
            links.append(_join_links(bitext, group))
    ids = tuple("+".join(bitext.row_ids[row] for row in group) for group in groups)
    return replace(
        bitext, source=tuple(source), target=tuple(target), row_ids=ids,
        links=tuple(links) if bitext.links is not None else None,
    )  # fmt: skip


def _fitting(bitext: Bitext, group: list[int], room: int | None) -> list[list[int]]:
    """A group as it is where it fits, else its pairs one by one."""
    sides = (bitext.source, bitext.target)
    longest = max(sum(len(side[row].spans) for row in group) for side in sides)
    return [group] if room is None or longest <= room else [[row] for row in group]


def count_pairs(bitexts: Sequence[Bitext], languages: Sequence[str], settings: TrainSettings) -> dict[str, int]:
    """Sentence pairs of each language that are trained on, before they are joined."""
    counts: dict[str, int] = {}
    for bitext in bitexts:
        if bitext.languages[0] in languages:
            usable = sum(
                0 < len(a.spans) <= settings.max_words and 0 < len(b.spans) <= settings.max_words
                for a, b in zip(bitext.source, bitext.target, strict=True)
            )
            kept = min(usable, settings.max_pairs) if settings.max_pairs else usable
            counts[bitext.languages[0]] = counts.get(bitext.languages[0], 0) + kept
    return {tag: count for tag, count in counts.items() if count}


def room_of(model: Model) -> int:
    """Words that surely fit one window, counting four subwords a word."""
    return model.limit // 4


def _join(sentences: Sequence[Sentence]) -> Sentence:
    """Sentences as one, separated by a space."""
    spans: list[tuple[int, int]] = []
    shift = 0
    for sentence in sentences:
        spans += [(start + shift, end + shift) for start, end in sentence.spans]
        shift += len(sentence.text) + 1
    return Sentence(" ".join(sentence.text for sentence in sentences), sentences[0].language, tuple(spans))


def _join_links(bitext: Bitext, group: Sequence[int]) -> Links:
    """The links of joined pairs."""
    sure, possible, left, right = set(), set(), 0, 0
    for row in group:
        links = (bitext.links or ())[row]
        sure |= {(i + left, j + right) for i, j in links.sure}
        possible |= {(i + left, j + right) for i, j in links.possible}
        left += len(bitext.source[row].spans)
        right += len(bitext.target[row].spans)
    return Links(frozenset(sure), frozenset(possible))


def prepare(model: Model, bitexts: Sequence[Bitext], settings: TrainSettings) -> tuple[Examples, list[Bitext]]:
    """Tokenise the pairs and leave out those that do not fit one window of the encoder.

    Args:
        model: its tokenizer and its limit.
        bitexts: what `select` gave.
        settings: `pool`, `specials`, and `placebo`, whose rows are those of the anchor's sentences as they are shuffled.

    Returns:
        The examples, links still empty, and the bitexts that they are, pair by pair.

    Raises:
        InputError: nothing is left.
    """
    language: list[str] = []
    sides: tuple[list[Side], list[Side]] = ([], [])
    rows: list[str] = []
    kept_bitexts = []
    for bitext in bitexts:
        made = [
            sides_of(model, sentences, settings.pool, specials=settings.specials)
            for sentences in (bitext.source, bitext.target)
        ]
        kept = [n for n in range(len(bitext)) if all(0 < len(side[n].ids) <= model.limit for side in made)]
        for place, side in zip(sides, made, strict=True):
            place += [side[n] for n in kept]
        language += [bitext.languages[0]] * len(kept)
        rows += [f"{bitext.name} {bitext.languages[0]} row {bitext.row_ids[n]}" for n in kept]
        kept_bitexts.append(bitext.take(kept))
    if not rows:
        raise InputError(f"no sentence pair fits the encoder's {model.limit} tokens; give shorter sentences")
    empty = np.empty((0, 2), np.int64)
    groups = row_numbers(kept_bitexts, placebo=settings.placebo)
    found = Examples(tuple(language), tuple(sides[0]), tuple(sides[1]), (empty,) * len(rows), tuple(rows), groups)
    return found, [bitext for bitext in kept_bitexts if len(bitext)]


def row_numbers(bitexts: Sequence[Bitext], *, placebo: bool) -> tuple[int, ...]:
    """For each pair the number of its row; two pairs of one language never share one.

    Args:
        bitexts: with the anchor on the target side.
        placebo: whether ids belong to other sentences than the anchor's, so that its sentence alone makes a row.
    """
    numbers: dict[tuple[str, str], int] = {}
    taken: set[tuple[int, str]] = set()
    found: list[int] = []
    for bitext in bitexts:
        for row_id, sentence in zip(bitext.row_ids, bitext.target, strict=True):
            key = (sentence.text, "" if placebo else row_id)
            number = numbers.setdefault(key, len(found))
            if (number, bitext.languages[0]) in taken:
                number = numbers[key] = len(found)
            taken.add((number, bitext.languages[0]))
            found.append(number)
    return tuple(found)


def sides_of(model: Model, sentences: Sequence[Sentence], pool: str, *, specials: bool = False) -> list[Side]:
    """Sentences as the network reads them.

    Args:
        model: its tokenizer.
        sentences: with their words.
        pool: mean, first or last of a word's subwords.
        specials: whether the opening and the closing special token are two more words.
    """
    coded = tk.tokenise(model.tokenizer, [tk.readable(sentence.text) for sentence in sentences]) if sentences else []
    return [_side(one, sentence, pool, specials) for one, sentence in zip(coded, sentences, strict=True)]


def _side(tokens: Any, sentence: Sentence, pool: str, specials: bool) -> Side:
    """One sentence as the network reads it."""
    before, count = len(tokens.before), len(tokens.ids)
    ids = np.concatenate([tokens.before, tokens.ids, tokens.after]).astype(np.int64)
    member = tk.word_membership(tokens, sentence, 0, Pool(pool))
    words = len(sentence.spans)
    column, word = member.token.astype(np.int64) + before, member.unit.astype(np.int64)
    weight = member.weight.astype(np.float32)
    keys = [crc32(text.casefold().encode("utf-8", "surrogatepass")) for text in sentence.words]
    if specials and tokens.before and tokens.after:
        column, word = np.append(column, [0, len(ids) - 1]), np.append(word, [words, words + 1])
        weight, words = np.append(weight, np.ones(2, np.float32)), words + 2
        keys += SPECIAL_KEYS
    return Side(ids, column, word, weight, words, np.array(keys, np.int64), (before, before + count))
