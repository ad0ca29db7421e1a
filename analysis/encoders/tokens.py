"""From sentences to windows of token ids, and from tokens to the words they belong to, by character offsets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.encoders.vectors import Pool, Units
from analysis.text.corpus import Sentence

SPACE_MARKS = ("▁", "Ġ")


@dataclass(frozen=True)
class Tokens:
    """One tokenised sentence.

    Attributes:
        ids: (tokens,) ids without special tokens.
        spans: (tokens, 2) code points of the sentence, end exclusive.
        before, after: ids of the special tokens that open and close every window.
    """

    ids: np.ndarray
    spans: np.ndarray
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """A stretch of one sentence that the model reads at once.

    Attributes:
        sentence: index of the sentence.
        ids: input ids with special tokens.
        kept: (k,) columns of `ids` whose vectors are used.
        token: (k,) index of each kept column among the sentence's tokens; -1 for an opening special token, the
            number of tokens for a closing one.
        positions: (len(ids),) positions counted from 0. A token keeps its position in the sentence, modulo what
            a window holds, so that windows agree where they overlap.
    """

    sentence: int
    ids: np.ndarray
    kept: np.ndarray
    token: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True)
class Membership:
    """Which tokens make up which units, with their weights, as three parallel arrays sorted by token.

    Attributes:
        token: index among the sentence's tokens; -1 for the opening special token, their number for the closing one.
        unit: row of the output.
        weight: factor of the token's vector; the weights of a unit sum to 1.
    """

    token: np.ndarray
    unit: np.ndarray
    weight: np.ndarray


def readable(text: str) -> str:
    """The text with each lone surrogate replaced by one U+FFFD, so that offsets stay as they are."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _broken(text) else text


def _broken(text: str) -> bool:
    """Whether the text holds a surrogate code point, which no UTF-8 tokenizer takes."""
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def tokenise(tokenizer: Any, texts: Sequence[str]) -> list[Tokens]:
    """Tokenise whole texts, never truncated.

    Args:
        tokenizer: a fast tokenizer of `transformers`.
        texts: texts without surrogates.
    """
    coded = tokenizer(
        list(texts), add_special_tokens=True, truncation=False, padding=False, verbose=False,
        return_offsets_mapping=True, return_special_tokens_mask=True, return_attention_mask=False,
    )  # fmt: skip
    # Asked one by one: the whole vocabulary as a dict takes a third of a second.
    numbers = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in SPACE_MARKS}
    bare = [n for mark, n in numbers.items() if n is not None and tokenizer.convert_ids_to_tokens(n) == mark]
    found = []
    for text, ids, offsets, special in zip(
        texts, coded["input_ids"], coded["offset_mapping"], coded["special_tokens_mask"], strict=True
    ):
        content = np.flatnonzero(np.asarray(special) == 0)
        first, last = (content[0], content[-1] + 1) if len(content) else (_opening(special), _opening(special))
        array = np.asarray(ids, dtype=np.int64)
        spans = np.asarray(offsets, dtype=np.int32).reshape(-1, 2)[first:last]
        spans = _trimmed(spans, text, np.isin(array[first:last], bare))
        found.append(Tokens(array[first:last], spans, tuple(ids[:first]), tuple(ids[last:])))
    return found


def _trimmed(spans: np.ndarray, text: str, bare: np.ndarray) -> np.ndarray:
    """Spans without the white space that some tokenizers count to a token.

    A token that is nothing but the space mark covers no character: whether its offsets touch the next word
    depends on its place in the text, and a word's vector must not.
    """
    found = spans.copy()
    for row, (start, end) in enumerate(spans.tolist()):
        if bare[row]:
            found[row, 1] = start
            continue
        while start < end and text[start].isspace():
            start += 1
        found[row, 0] = start
    return found


def _opening(special: Sequence[int]) -> int:
    """Where the content of a sentence without content would stand: after the first special token."""
    return min(1, len(special))


def windows(tokens: Tokens, sentence: int, limit: int) -> list[Window]:
    """Cut a sentence into windows of at most `limit` ids that share three quarters with the next one.

    Each token is read from the window in which it stands furthest from an edge, so that it has three eighths
    of a window of context on each side (the max-context rule of Devlin et al. 2019 for long documents).
    """
    size = limit - len(tokens.before) - len(tokens.after)
    count, shift = len(tokens.ids), len(tokens.before)
    starts = [0] if count <= size else [*range(0, count - size, max(1, size // 4)), count - size]
    found = []
    for number, start in enumerate(starts):
        stop = min(start + size, count)
        low = start if number == 0 else (start + starts[number - 1] + size) // 2
        high = stop if number == len(starts) - 1 else (starts[number + 1] + stop) // 2
        ids = np.concatenate([tokens.before, tokens.ids[start:stop], tokens.after]).astype(np.int64)
        token = np.arange(low, high)
        kept = token - start + shift
        if number == 0 and tokens.before:
            kept, token = np.concatenate([[0], kept]), np.concatenate([[-1], token])
        if number == len(starts) - 1 and tokens.after:
            kept, token = np.append(kept, len(ids) - 1), np.append(token, count)
        found.append(Window(sentence, ids, kept, token, _positions(len(ids), start, shift, size)))
    return found


def _positions(length: int, start: int, shift: int, size: int) -> np.ndarray:
    """Positions of a window's ids: those of a first window as usual, later ones go on and wrap round."""
    positions = np.arange(length)
    if start:
        positions[shift:] = shift + (positions[shift:] - shift + start) % size
    return positions


def word_membership(tokens: Tokens, sentence: Sentence, offset: int, pool: Pool) -> Membership:
    """Which words each token belongs to: those it shares a character with.

    Args:
        tokens: the tokenised sentence.
        sentence: with its words' spans.
        offset: output row of the sentence's first word.
        pool: mean, first or last of a word's tokens.
    """
    pairs = np.array(list(_overlaps(tokens.spans, sentence.spans)), dtype=np.int64).reshape(-1, 2)
    token, word = pairs[:, 0], pairs[:, 1]
    if pool is Pool.MEAN:
        counts = np.bincount(word, minlength=len(sentence.spans))
        return Membership(token, word + offset, (1 / counts[word]).astype(np.float32))
    _, first = np.unique(word, return_index=True)
    last = np.append(first[1:], len(word)) - 1
    pick = np.sort(first if pool is Pool.FIRST else last[: len(first)])
    return Membership(token[pick], word[pick] + offset, np.ones(len(pick), dtype=np.float32))


def _overlaps(tokens: np.ndarray, words: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """(token, word) for every pair that shares a character, by one sweep over both, ascending by word."""
    first = 0
    spans = tokens.tolist()
    for word, (start, end) in enumerate(words):
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        at = first
        while at < len(spans) and spans[at][0] < end:
            if spans[at][1] > start and spans[at][1] > spans[at][0]:
                yield at, word
            at += 1


def subword_membership(tokens: Tokens, sentence: Sentence, offset: int) -> tuple[Membership, np.ndarray, np.ndarray]:
    """Every token of a word as its own unit.

    Returns:
        The membership, the word of each unit, and each unit's (start, end).
    """
    pairs = np.array(list(_overlaps(tokens.spans, sentence.spans)), dtype=np.int64).reshape(-1, 2)
    token, word = pairs[:, 0], pairs[:, 1]
    member = Membership(token, offset + np.arange(len(token)), np.ones(len(token), dtype=np.float32))
    return member, word, tokens.spans[token]


def sentence_membership(tokens: Tokens, row: int, pool: Pool) -> Membership:
    """The tokens of a sentence as one unit: mean of all but the special ones, the opening one, or the last one."""
    count = len(tokens.ids)
    if pool is Pool.FIRST and (tokens.before or count):
        token = np.array([-1 if tokens.before else 0])
    elif pool is Pool.LAST and count:
        token = np.array([count - 1])
    else:
        token = np.arange(count if pool is Pool.MEAN else 0)
    weight = np.full(len(token), 1 / max(1, len(token)), dtype=np.float32)
    return Membership(token, np.full(len(token), row), weight)


def special_membership(tokens: Tokens, row: int) -> Membership:
    """The opening and the closing special token as one unit each; a tokenizer without one leaves its row empty."""
    count = len(tokens.ids)
    found = [(-1, row)] * bool(tokens.before) + [(count, row + 1)] * bool(tokens.after)
    token, unit = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return Membership(token, unit, np.ones(len(token), dtype=np.float32))


def word_units(sentences: Sequence[Sentence], truncated: np.ndarray) -> Units:
    """The table of all words of the sentences, in order."""
    counts = np.array([len(sentence.spans) for sentence in sentences], dtype=np.int64)
    owner = np.repeat(np.arange(len(sentences)), counts)
    spans = np.array([span for sentence in sentences for span in sentence.spans], dtype=np.int32).reshape(-1, 2)
    return Units(
        sentence=owner.astype(np.int32),
        position=(np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.int32),
        text=tuple(word for sentence in sentences for word in sentence.words),
        start=spans[:, 0], end=spans[:, 1],
        language=tuple(sentence.language for sentence in sentences for _ in sentence.spans),
        truncated=truncated[owner],
    )  # fmt: skip


def sentence_units(sentences: Sequence[Sentence], truncated: np.ndarray) -> Units:
    """The table of the sentences themselves."""
    count = len(sentences)
    return Units(
        sentence=np.arange(count, dtype=np.int32), position=np.zeros(count, dtype=np.int32),
        text=tuple(sentence.text for sentence in sentences), start=np.zeros(count, dtype=np.int32),
        end=np.array([len(sentence.text) for sentence in sentences], dtype=np.int32),
        language=tuple(sentence.language for sentence in sentences), truncated=truncated,
    )  # fmt: skip


def special_units(sentences: Sequence[Sentence], truncated: np.ndarray) -> Units:
    """The table of opening and closing special tokens, two a sentence."""
    whole = sentence_units(sentences, truncated)
    doubled = whole.take(np.repeat(np.arange(len(whole)), 2))
    position = np.tile(np.array([0, 1], dtype=np.int32), len(whole))
    return replace(doubled, position=position, text=("<s>", "</s>") * len(whole))


def subword_units(
    sentences: Sequence[Sentence], owner: np.ndarray, word: np.ndarray, spans: np.ndarray, truncated: np.ndarray
) -> Units:
    """The table of subwords: `position` is the word each one belongs to."""
    return Units(
        sentence=owner.astype(np.int32), position=word.astype(np.int32),
        text=tuple(sentences[s].text[a:b] for s, (a, b) in zip(owner, spans, strict=True)),
        start=spans[:, 0].astype(np.int32), end=spans[:, 1].astype(np.int32),
        language=tuple(sentences[s].language for s in owner), truncated=truncated[owner],
    )  # fmt: skip
