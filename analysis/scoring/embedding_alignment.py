"""How well the input embeddings of a dictionary's words find each other, without any context (ALIGN-MLM's measure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.encoders import tokens as tk
from analysis.encoders.encoder import Encoder
from analysis.encoders.vectors import Pool
from analysis.errors import InputError
from analysis.neighbours.rows import has_direction
from analysis.text.corpus import Sentence

if TYPE_CHECKING:
    from analysis.text.dictionary import Dictionary


@dataclass(frozen=True)
class EmbeddingAlignment:
    """How many words find their translation.

    Attributes:
        score: percent of the words asked whose nearest candidate is a translation of theirs.
        asked: number of words.
        candidates: number of words that could be found.
        cosine: mean cosine of a word and its translation.
    """

    score: float
    asked: int
    candidates: int
    cosine: float


def embedding_table(encoder: Encoder) -> np.ndarray:
    """(vocabulary, dim) input embeddings of an encoder, float32."""
    table = encoder.model.network.get_input_embeddings().weight
    return np.asarray(table.detach().float().cpu().numpy())


def row_alignment(table: np.ndarray, asked: np.ndarray, gold: np.ndarray, candidates: np.ndarray) -> EmbeddingAlignment:
    """Cosine nearest neighbours of some rows of a table among others, in one direction, no CSLS.

    Args:
        table: (vocabulary, dim) embeddings.
        asked: (n,) rows that look for a neighbour; those without a direction are not asked.
        gold: (n,) the row that each should find.
        candidates: (m,) the rows among which they look.

    Raises:
        InputError: no row to ask.

    Source: Tang, Deshpande and Narasimhan 2022, ALIGN-MLM, section 4, as coded: all rows of the first half of the
    vocabulary look among all rows of the second half.
    """
    usable = has_direction(table[asked]) & has_direction(table[gold])
    asked, gold = asked[usable], gold[usable]
    candidates = candidates[has_direction(table[candidates])]
    if not len(asked) or not len(candidates):
        raise InputError("no word to ask: the embeddings have no direction; use an encoder with weights of its own")
    unit = table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-9)
    found = np.concatenate(
        [
            candidates[np.argmax(unit[part] @ unit[candidates].T, axis=1)]
            for part in np.array_split(asked, 1 + len(asked) // 2048)
        ]
    )
    cosine = float((unit[asked] * unit[gold]).sum(axis=1).mean())
    return EmbeddingAlignment(float(100 * np.mean(found == gold)), len(asked), len(candidates), cosine)


def dictionary_alignment(encoder: Encoder, dictionary: "Dictionary") -> EmbeddingAlignment:
    """The same through any dictionary: words by the mean of their subwords, candidates all its translations.

    Args:
        encoder: whose embeddings are looked at.
        dictionary: a word with several translations has found one if it found any.

    Raises:
        InputError: the tokenizer knows no entry.
    """
    words = list(dict.fromkeys(a for a, _ in dictionary.entries))
    others = list(dict.fromkeys(b for _, b in dictionary.entries))
    table = embedding_table(encoder)
    here, there = (
        _vectors(encoder, side, tag, table) for side, tag in zip((words, others), dictionary.languages, strict=True)
    )
    place = {word: n for n, word in enumerate(others)}
    golds: dict[str, list[int]] = {}
    for a, b in dictionary.entries:
        golds.setdefault(a, []).append(place[b])
    usable = [n for n, word in enumerate(words) if np.any(here[n]) and any(np.any(there[m]) for m in golds[word])]
    if not usable:
        raise InputError(f"the tokenizer of {encoder.name!r} knows no entry of {dictionary.name}; give another one")
    cosine = here[usable] @ there.T
    cosine[:, ~np.any(there, axis=1)] = -np.inf
    best = [cosine[row, golds[words[n]]].max() for row, n in enumerate(usable)]
    right = np.array(best) >= cosine.max(axis=1)
    return EmbeddingAlignment(float(100 * right.mean()), len(usable), len(others), float(np.mean(best)))


def _vectors(encoder: Encoder, words: Sequence[str], tag: str, table: np.ndarray) -> np.ndarray:
    """(words, dim) means of each word's subwords, of length 1; zeros where the tokenizer does not know the word."""
    tokenizer = encoder.model.tokenizer
    found = np.zeros((len(words), table.shape[1]), np.float32)
    for row, (word, one) in enumerate(
        zip(words, tk.tokenise(tokenizer, [tk.readable(word) for word in words]), strict=True)
    ):
        member = tk.word_membership(one, Sentence(word, tag, ((0, len(word)),)), 0, Pool.MEAN)
        pieces = one.ids[member.token]
        if len(pieces) and tokenizer.unk_token_id not in pieces:
            mean = table[pieces].mean(axis=0)
            found[row] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return found
