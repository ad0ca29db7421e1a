"""From items to what the network reads: ids, and the columns that belong to words and to each text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.encoders import tokens as tk
from analysis.encoders.model import Model
from analysis.encoders.vectors import Pool
from analysis.transfer.item import Item


@dataclass(frozen=True, slots=True)
class Encoded:
    """One sequence of an item.

    Attributes:
        ids: (tokens,) input ids with special tokens.
        column: (members,) columns whose vectors make up the words of the first text.
        word: (members,) the word each of them belongs to.
        weight: (members,) factors; those of a word sum to 1.
        words: number of words of the first text, also of those that were cut off.
        content: first column of the first text and the one past its last.
        second: the same of the second text of a joint pair; (0, 0) without one.
        offsets: (tokens of the second text, 2) where each stands in it, in code points.
        cut: how many subwords of its texts were cut off.
    """

    ids: np.ndarray
    column: np.ndarray
    word: np.ndarray
    weight: np.ndarray
    words: int
    content: tuple[int, int]
    second: tuple[int, int] = (0, 0)
    offsets: np.ndarray | None = None
    cut: int = 0

    @property
    def segments(self) -> np.ndarray:
        """(tokens,) 1 from the second text of a joint pair on, else 0."""
        found = np.zeros(len(self.ids), np.int64)
        if self.second != (0, 0):
            found[self.second[0] :] = 1
        return found


@dataclass(frozen=True)
class Batch:
    """Items as the network reads them.

    Attributes:
        items: the items.
        first: a sequence an item: its text, or both texts joined.
        second: a sequence an item for its second text, where the two are read apart; else empty.
    """

    items: tuple[Item, ...]
    first: tuple[Encoded, ...]
    second: tuple[Encoded, ...] = ()

    def __len__(self) -> int:
        """Number of items."""
        return len(self.items)

    def take(self, rows: Sequence[int]) -> "Batch":
        """The items at these indices."""
        second = tuple(self.second[row] for row in rows) if self.second else ()
        return Batch(tuple(self.items[row] for row in rows), tuple(self.first[row] for row in rows), second)

    @property
    def tokens(self) -> int:
        """Ids of all sequences."""
        return sum(len(one.ids) for one in (*self.first, *self.second))


def encode(model: Model, items: Sequence[Item], *, joint: bool, max_tokens: int, pool: str = "first") -> Batch:
    """Tokenise items; what does not fit is cut off at the end, of a pair always the longer text first.

    A joint pair is read as its tokenizer joins two texts (`<s> a </s></s> b </s>`, `[CLS] a [SEP] b [SEP]`), and
    an encoder that tells the two apart (BERT's segments) gets that too.

    Args:
        model: its tokenizer and its limit.
        items: to be read.
        joint: whether the two texts of a pair make one sequence; else each is read by itself.
        max_tokens: most ids of a sequence; 0 means as many as the encoder takes.
        pool: mean, first or last: which subwords make a word's vector.
    """
    limit = min(max_tokens or model.limit, model.limit)
    texts = [tk.readable(one.text) for item in items for one in item.sentences]
    coded = iter(tk.tokenise(model.tokenizer, texts) if texts else [])
    first, second = [], []
    middle = _middle(model) if joint else ()
    for item in items:
        mine = [next(coded) for _ in item.sentences]
        if len(mine) == 2 and joint:
            first.append(_joined(mine[0], mine[1], item, middle, limit, pool))
        else:
            first.append(_single(mine[0], item, limit, pool))
            if len(mine) == 2:
                second.append(_single(mine[1], Item(item.id, item.other or item.sentence, ""), limit, pool))
    return Batch(tuple(items), tuple(first), tuple(second))


def text_mask(sequences: Sequence[Encoded], longest: int) -> np.ndarray:
    """(sequences, longest) float32, 1 at the subwords of texts, 0 at special tokens and padding."""
    mask = np.zeros((len(sequences), longest), np.float32)
    for row, one in enumerate(sequences):
        for start, stop in (one.content, one.second):
            mask[row, start:stop] = 1
    return mask


def _single(tokens: tk.Tokens, item: Item, limit: int, pool: str) -> Encoded:
    """One text as a sequence."""
    room = max(0, limit - len(tokens.before) - len(tokens.after))
    kept = tokens.ids[:room]
    ids = np.concatenate([tokens.before, kept, tokens.after]).astype(np.int64)
    start = len(tokens.before)
    inside = (start, start + len(kept))
    return Encoded(ids, *_words(tokens, item, pool, start, len(kept)), inside, cut=len(tokens.ids) - len(kept))


def _joined(one: tk.Tokens, other: tk.Tokens, item: Item, middle: tuple[int, ...], limit: int, pool: str) -> Encoded:
    """Two texts as one sequence."""
    room = max(2, limit - len(one.before) - len(middle) - len(other.after))
    a, b = len(one.ids), len(other.ids)
    if a + b > room:  # the longer one gives way
        a = min(a, max(room - b, room // 2))
        b = min(b, room - a)
    ids = np.concatenate([one.before, one.ids[:a], middle, other.ids[:b], other.after]).astype(np.int64)
    start = len(one.before)
    second = start + a + len(middle)
    return Encoded(
        ids, *_words(one, item, pool, start, a), (start, start + a), (second, second + b), other.spans[:b],
        len(one.ids) + len(other.ids) - a - b,
    )  # fmt: skip


def _words(
    tokens: tk.Tokens, item: Item, pool: str, start: int, kept: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Which columns make up which word of the first text; tokens that were cut off make up none."""
    member = tk.word_membership(tokens, item.sentence, 0, Pool(pool))
    inside = member.token < kept
    column = member.token[inside].astype(np.int64) + start
    word, weight = member.unit[inside].astype(np.int64), member.weight[inside].astype(np.float32)
    if len(word):  # the word at the cut keeps a part of its subwords
        weight = (weight / np.bincount(word, weights=weight)[word]).astype(np.float32)
    return column, word, weight, len(item.sentence.spans)


def _middle(model: Model) -> tuple[int, ...]:
    """The special ids that the tokenizer puts between two texts."""
    coded = model.tokenizer("a", "a", return_special_tokens_mask=True, return_attention_mask=False)
    special = np.asarray(coded["special_tokens_mask"])
    content = np.flatnonzero(special == 0)
    inner = [n for n in np.flatnonzero(special) if len(content) and content[0] < n < content[-1]]
    return tuple(int(coded["input_ids"][n]) for n in inner)
