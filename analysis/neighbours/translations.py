"""The neighbours of one word in another language, and the rank of its true translation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.encoders.vectors import Vectors
from analysis.errors import InputError
from analysis.neighbours.exact import mean_top_k
from analysis.neighbours.rows import has_direction, normalise_rows, row_products
from analysis.text.corpus import Corpus, Sentence

BACKGROUND = 3000  # words of the query's language behind r(y) of CSLS; more are sampled


@dataclass(frozen=True)
class Candidates:
    """All words of one language in a corpus, as one encoder sees them at one layer.

    Attributes:
        language: their tag.
        vectors: (n, dim) float32 rows of length 1; a word without subwords is a row of zeros.
        row: (n,) row of the corpus each word stands in.
        position: (n,) 0-based word in its sentence.
        text: the surface of each word.
    """

    language: str
    vectors: np.ndarray
    row: np.ndarray
    position: np.ndarray
    text: tuple[str, ...]

    def __len__(self) -> int:
        """Number of words."""
        return len(self.text)

    def find(self, row: int, positions: Iterable[int]) -> tuple[int, ...]:
        """The words at these positions of a row, as indices; those that are not there are left out."""
        return tuple(np.flatnonzero((self.row == row) & np.isin(self.position, list(positions))).tolist())


@dataclass(frozen=True)
class Ranking:
    """The words of one language in order of closeness to a query.

    Attributes:
        order: (m,) indices of candidates, best first; with `once` one for each word type.
        scores: (m,) their scores.
        ranks: (n,) rank of every candidate, 1 for the best, 0 where it has none; with `once` all occurrences
            of a type have the rank of the best of them.
    """

    order: np.ndarray
    scores: np.ndarray
    ranks: np.ndarray

    def __len__(self) -> int:
        """How many words (or types) are ranked."""
        return len(self.order)

    def best_rank(self, which: Iterable[int]) -> int | None:
        """The best rank among some candidates, None if none of them has one."""
        found = [int(self.ranks[index]) for index in which if self.ranks[index]]
        return min(found, default=None)


@dataclass(frozen=True)
class Neighbour:
    """One line of a list of neighbours.

    Attributes:
        rank: 1 for the nearest.
        score: its cosine or CSLS.
        index: its place in the candidates.
        row: row of the corpus it stands in.
        position: 0-based word in its sentence.
        text: its surface.
        other_rank: its rank by the encoder compared with; None without one, or where it has no vector there.
        translation: whether it translates the query, right there.
    """

    rank: int
    score: float
    index: int
    row: int
    position: int
    text: str
    other_rank: int | None = None
    translation: bool = False


def corpus_words(corpus: Corpus, vectors: Vectors, *, language: str, layer: int) -> Candidates:
    """The words of one language of a corpus as candidates.

    Args:
        corpus: where they stand.
        vectors: word vectors of `corpus.sentences(language)`, encoded in that order.
        language: its tag.
        layer: one of the computed layers.

    Raises:
        InputError: the layer was not computed, or the vectors are of other sentences.
    """
    rows = np.array([n for n, row in enumerate(corpus.rows) if language in row], dtype=np.int64)
    units = vectors.units
    if len(units) and int(units.sentence.max()) >= len(rows):
        raise InputError(
            f"vectors are not of the {len(rows)} sentences of {language}; encode corpus.sentences(language)"
        )
    row = rows[units.sentence] if len(units) else np.empty(0, dtype=np.int64)
    return Candidates(language, normalise_rows(vectors.layer(layer)), row, units.position, units.text)


def hubness(candidates: Candidates, background: Candidates, *, csls_k: int = 10, seed: int = 0) -> np.ndarray:
    """How close each candidate is to the query's language in general: r(y) of CSLS.

    Args:
        candidates: the words that are ranked.
        background: the words of the query's language; at most 3,000 of them are drawn.
        csls_k: size of the neighbourhood.
        seed: seed of the draw.

    Returns:
        (n,) mean cosine of each candidate with its nearest background words.

    Source: Conneau et al. 2018, Word translation without parallel data, section 2.3.
    """
    words = background.vectors
    if len(words) > BACKGROUND:
        words = words[np.sort(np.random.default_rng(seed).choice(len(words), BACKGROUND, replace=False))]
    return mean_top_k(candidates.vectors, words, csls_k)


def rank_words(
    query: np.ndarray,
    candidates: Candidates,
    *,
    penalty: np.ndarray | None = None,
    csls_k: int = 10,
    leave_out: Sequence[int] = (),
    once: bool = False,
) -> Ranking:
    """Rank all words of a language by closeness to one word.

    Args:
        query: (dim,) vector of the word.
        candidates: the words to rank.
        penalty: (n,) r(y) from `hubness`, which makes the score CSLS; None for the cosine.
        csls_k: size of the neighbourhood of the query, for CSLS.
        leave_out: candidates that are not ranked (the query itself, in its own language).
        once: whether each word type (case aside) has one rank, that of its best occurrence.

    Returns:
        The ranking; empty where the query has no direction. Ties go to the lowest index, and words without a
        vector are not ranked.
    """
    unit = normalise_rows(query)
    usable = has_direction(candidates.vectors) & has_direction(unit)
    usable[list(leave_out)] = False
    index = np.flatnonzero(usable)
    ranks = np.zeros(len(candidates), dtype=np.int64)
    if not len(index):
        return Ranking(index, np.empty(0, dtype=np.float32), ranks)
    scores = row_products(candidates.vectors[index], np.broadcast_to(unit, (len(index), unit.shape[1])))
    if penalty is not None:
        nearest = np.sort(scores)[-csls_k:].mean()
        scores = 2 * scores - nearest - penalty[index]
    best = np.argsort(-scores, kind="stable")
    order, scores = index[best], scores[best]
    if not once:
        ranks[order] = np.arange(1, len(order) + 1)
        return Ranking(order, scores, ranks)
    kinds = _kinds(candidates.text)
    _, first, member = np.unique(kinds[order], return_index=True, return_inverse=True)
    ranks[order] = (np.argsort(np.argsort(first)) + 1)[member]
    first = np.sort(first)
    return Ranking(order[first], scores[first], ranks)


def _kinds(texts: Sequence[str]) -> np.ndarray:
    """The number of each word's type: its surface without case."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text.casefold(), len(numbers)) for text in texts], dtype=np.int64)


def list_neighbours(
    ranking: Ranking, candidates: Candidates, *, k: int, other: Ranking | None = None, translations: Iterable[int] = ()
) -> list[Neighbour]:
    """The first lines of a ranking.

    Args:
        ranking: of one encoder.
        candidates: what it ranks.
        k: how many lines.
        other: the ranking of the same words by the encoder compared with.
        translations: candidates that translate the query.
    """
    true = set(translations)
    lines = []
    for rank, (index, score) in enumerate(zip(ranking.order[:k].tolist(), ranking.scores[:k], strict=True), start=1):
        elsewhere = int(other.ranks[index]) or None if other is not None else None
        place = int(candidates.row[index]), int(candidates.position[index])
        lines.append(Neighbour(rank, float(score), index, *place, candidates.text[index], elsewhere, index in true))
    return lines


def translations_of(corpus: Corpus, row: int, source: str, position: int, target: str) -> tuple[int, ...]:
    """The words of a row's sentence in another language that are linked to one word, by position.

    Links the corpus lists come first, then shared concepts; terms of one word each translate each other.

    Args:
        corpus: with links or concepts; without either nothing is known.
        row: the row.
        source: language of the word.
        position: the word.
        target: the other language.
    """
    sides = corpus.rows[row]
    if source not in sides or target not in sides:
        return ()
    if (source, target) in corpus.links:
        return tuple(sorted(j for i, j in corpus.links[source, target][row].sure if i == position))
    if (target, source) in corpus.links:
        return tuple(sorted(i for i, j in corpus.links[target, source][row].sure if j == position))
    if corpus.unit == "phrase" and len(sides[source].spans) == len(sides[target].spans) == 1:
        return (0,)
    here, there = sides[source].concepts, sides[target].concepts
    concept = here[position] if position < len(here) else 0
    return tuple(n for n, other in enumerate(there) if other == concept) if concept else ()


def telling_position(sentence: Sentence) -> int:
    """The first word with several senses ("bank (river)" of bank), else one with a concept, else the first word."""
    told = (n for n, sense in enumerate(sentence.senses) if sense.startswith(f"{sentence.words[n].casefold()} ("))
    near = (n for n, sense in enumerate(sentence.senses) if "(" in sense)
    known = (n for n, concept in enumerate(sentence.concepts) if concept)
    return next(told, next(near, next(known, 0)))


def telling_row(corpus: Corpus, language: str) -> int:
    """A row to begin with: the first with a sense in brackets, else with a concept, else with a word.

    Args:
        corpus: where to look.
        language: whose sentences count.

    Raises:
        InputError: no sentence of that language has a word.
    """
    rows = [(n, row[language]) for n, row in enumerate(corpus.rows) if language in row and row[language].spans]
    if not rows:
        raise InputError(f"no sentence of {language} in {corpus.id} has a word; choose another language")
    told = (n for n, sentence in rows if any("(" in sense for sense in sentence.senses))
    known = (n for n, sentence in rows if any(sentence.concepts))
    return next(told, next(known, rows[0][0]))
