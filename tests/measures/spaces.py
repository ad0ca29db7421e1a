"""Sentence pairs with made-up vectors, for tests of measures."""

from collections.abc import Sequence

import numpy as np

from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.scoring.measure import PairSpace, pair_space
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links


def bitext(source: Sequence[str], target: Sequence[str], links: Sequence[Links] | None = None) -> Bitext:
    """Sentence pairs of words separated by spaces."""
    left, right = (
        tuple(Sentence.from_words(line.split(), tag) for line in side) for side, tag in ((source, "en"), (target, "de"))
    )
    return Bitext("test", ("en", "de"), left, right, None if links is None else tuple(links), "gold")


def word_vectors(sentences: Sequence[Sentence], values: np.ndarray) -> Vectors:
    """Word vectors of sentences: values are (layers, words, dim) or (words, dim)."""
    values = np.asarray(values, dtype=np.float32)
    values = values[None] if values.ndim == 2 else values
    table = [
        (n, k, word, *span)
        for n, s in enumerate(sentences)
        for k, (word, span) in enumerate(zip(s.words, s.spans, strict=True))
    ]
    sentence, position, start, end = (np.array([row[c] for row in table], dtype=np.int32) for c in (0, 1, 3, 4))
    tags = tuple(sentences[row[0]].language for row in table)
    units = Units(sentence, position, tuple(row[2] for row in table), start, end, tags, np.zeros(len(table), bool))
    return Vectors(values, tuple(range(len(values))), units, Unit.WORD, "tiny", "r1")


def sentence_vectors(sentences: Sequence[Sentence], values: np.ndarray) -> Vectors:
    """Sentence vectors: values are (layers, sentences, dim) or (sentences, dim)."""
    values = np.asarray(values, dtype=np.float32)
    values = values[None] if values.ndim == 2 else values
    n = len(sentences)
    zeros = np.zeros(n, dtype=np.int32)
    ends = np.array([len(s.text) for s in sentences], dtype=np.int32)
    units = Units(
        np.arange(n, dtype=np.int32), zeros, tuple(s.text for s in sentences), zeros, ends,
        tuple(s.language for s in sentences), zeros.astype(bool),
    )  # fmt: skip
    return Vectors(values, tuple(range(len(values))), units, Unit.SENTENCE, "tiny", "r1")


def word_space(text: Bitext, source: np.ndarray, target: np.ndarray) -> PairSpace:
    """The words of a bitext at layer 0."""
    return pair_space(word_vectors(text.source, source), word_vectors(text.target, target), layer=0, bitext=text)


def sentence_space(text: Bitext, source: np.ndarray, target: np.ndarray) -> PairSpace:
    """The sentences of a bitext at layer 0."""
    return pair_space(
        sentence_vectors(text.source, source), sentence_vectors(text.target, target), layer=0, bitext=text
    )


def diagonal(rows: int, words: int) -> list[Links]:
    """Links of word k with word k in every row."""
    links = frozenset((k, k) for k in range(words))
    return [Links(links)] * rows


def noisy_words(rows: int = 20, words: int = 4, dim: int = 8, noise: float = 0.8, seed: int = 0) -> PairSpace:
    """Words linked one to one, the target's vectors those of the source with noise."""
    generator = np.random.default_rng(seed)
    source = [" ".join(f"s{n}w{k}" for k in range(words)) for n in range(rows)]
    target = [" ".join(f"t{n}w{k}" for k in range(words)) for n in range(rows)]
    values = generator.standard_normal((rows * words, dim))
    text = bitext(source, target, diagonal(rows, words))
    return word_space(text, values, values + noise * generator.standard_normal(values.shape))
