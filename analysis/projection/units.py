"""Which words or sentences of a corpus a picture shows, and which of them translate each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.projection.sample import stratified_sample
from analysis.text.corpus import Corpus, Sentence


@dataclass(frozen=True)
class Shown:
    """Units of several languages of one corpus, in the order of rows, then languages, then positions.

    Attributes:
        row: (n,) index of the corpus row.
        position: (n,) word in its sentence; 0 for sentences.
        index: (n,) place in the vectors of its language, which follow `corpus.sentences(language)`.
        language: tag of each unit.
        text: surface of each unit.
        concept: (n,) number of the row's concept that the word expresses, 0 for none.
        sense: sense label of each unit, "" for none.
        total: how many units there were to choose from.
    """

    row: np.ndarray
    position: np.ndarray
    index: np.ndarray
    language: tuple[str, ...]
    text: tuple[str, ...]
    concept: np.ndarray
    sense: tuple[str, ...]
    total: int

    def __len__(self) -> int:
        """Number of units."""
        return len(self.text)

    def take(self, index: np.ndarray) -> "Shown":
        """The units at these positions."""
        pick = lambda items: tuple(items[n] for n in index)  # noqa: E731
        return Shown(
            self.row[index], self.position[index], self.index[index], pick(self.language), pick(self.text),
            self.concept[index], pick(self.sense), self.total,
        )  # fmt: skip


def choose_units(
    corpus: Corpus,
    languages: Sequence[str],
    *,
    unit: Unit | str = Unit.WORD,
    limit: int = 1500,
    concepts_only: bool = False,
    seed: int = 0,
) -> Shown:
    """Choose what a picture shows: whole rows, so that translations stay together, until the limit is reached.

    Args:
        corpus: the corpus.
        languages: tags; those the corpus lacks are left out.
        unit: word or sentence.
        limit: most units. A single row that is longer is cut to an equal share of each language.
        concepts_only: only words that express a concept, where the corpus marks them.
        seed: seed of the choice of rows.

    Raises:
        InputError: the corpus has none of the languages.
    """
    there = [tag for tag in languages if tag in corpus.languages]
    if not there:
        raise InputError(f"corpus {corpus.id} has none of {', '.join(languages)}; valid: {', '.join(corpus.languages)}")
    everything = _list_units(corpus, there, Unit(unit))
    if concepts_only and everything.concept.any():
        everything = _counted(everything.take(np.flatnonzero(everything.concept)))
    if len(everything) <= limit:
        return everything
    sizes = np.bincount(everything.row, minlength=len(corpus))
    order = np.random.default_rng(seed).permutation(np.flatnonzero(sizes))
    fits = order[np.cumsum(sizes[order]) <= limit]
    if not len(fits):
        inside = np.flatnonzero(everything.row == order[0])
        return everything.take(inside[stratified_sample([everything.language[n] for n in inside], limit, seed)])
    return everything.take(np.flatnonzero(np.isin(everything.row, fits)))


def gather(shown: Shown, vectors: Mapping[str, np.ndarray]) -> np.ndarray:
    """The vectors of the units.

    Args:
        shown: the units.
        vectors: for each language the (units, dim) vectors of all its words or sentences at one layer.

    Returns:
        (n, dim) float32 in the order of the units.
    """
    dim = next(iter(vectors.values())).shape[1]
    found = np.zeros((len(shown), dim), dtype=np.float32)
    tags = np.array(shown.language)
    for tag in sorted(set(shown.language)):
        rows = np.flatnonzero(tags == tag)
        found[rows] = vectors[tag][shown.index[rows]]
    return found


def translation_lines(
    corpus: Corpus, shown: Shown, languages: Sequence[str], *, unit: Unit | str = Unit.WORD
) -> np.ndarray:
    """Which of the units translate each other: the first language of a row with every other one.

    Words by the corpus's links or concepts, sentences (and words of a corpus of terms without links, where both
    sides are one word) by their row.

    Args:
        corpus: the corpus the units come from.
        shown: the units.
        languages: tags, the one the others are joined to first.
        unit: word or sentence.

    Returns:
        (m, 2) int indices of units.
    """
    place = {
        key: n for n, key in enumerate(zip(shown.row.tolist(), shown.language, shown.position.tolist(), strict=True))
    }
    there = [tag for tag in languages if tag in corpus.languages]
    number = {row_id: n for n, row_id in enumerate(corpus.row_ids)}
    lines = []
    for at, pivot in enumerate(there):
        for other in there[at + 1 :]:
            for row, i, j in _linked(corpus, pivot, other, Unit(unit), number):
                # Rows that have an earlier language are joined to that one already.
                if not any(tag in corpus.rows[row] for tag in there[:at]):
                    lines.append((place.get((row, pivot, i)), place.get((row, other, j))))
    return np.array([line for line in lines if None not in line], dtype=np.int64).reshape(-1, 2)


def sentence_of(corpus: Corpus, shown: Shown, number: int) -> Sentence:
    """The sentence that a unit stands in."""
    return corpus.rows[int(shown.row[number])][shown.language[number]]


def _list_units(corpus: Corpus, languages: Sequence[str], unit: Unit) -> Shown:
    """All words or sentences of some languages."""
    columns: list[tuple[int, int, int, str, str, int, str]] = []
    seen = dict.fromkeys(languages, 0)
    for row, sentences in enumerate(corpus.rows):
        for tag in languages:
            if tag not in sentences:
                continue
            sentence = sentences[tag]
            if unit is Unit.SENTENCE:
                columns.append((row, 0, seen[tag], tag, sentence.text, 0, ""))
                seen[tag] += 1
                continue
            for position, word in enumerate(sentence.words):
                concept = sentence.concepts[position] if sentence.concepts else 0
                sense = sentence.senses[position] if sentence.senses else ""
                columns.append((row, position, seen[tag] + position, tag, word, concept, sense))
            seen[tag] += len(sentence.spans)
    row_, position_, index_, tags, texts, concepts, senses = zip(*columns, strict=True) if columns else ((),) * 7
    numbers = (np.array(column, dtype=np.int64) for column in (row_, position_, index_, concepts))
    rows, positions, indices, kinds = numbers
    return Shown(rows, positions, indices, tuple(tags), tuple(texts), kinds, tuple(senses), len(columns))


def _counted(shown: Shown) -> Shown:
    """The same units as all there are to choose from."""
    return Shown(
        shown.row, shown.position, shown.index, shown.language, shown.text, shown.concept, shown.sense, len(shown)
    )


def _linked(
    corpus: Corpus, source: str, target: str, unit: Unit, number: Mapping[str, int]
) -> list[tuple[int, int, int]]:
    """(row, word, word) of all known translations of one pair of languages."""
    both = [n for n, row in enumerate(corpus.rows) if source in row and target in row]
    if not both:
        return []
    if unit is Unit.SENTENCE:
        return [(n, 0, 0) for n in both]
    bitext = corpus.pair(source, target)
    if bitext.links is not None:
        found = zip(bitext.row_ids, bitext.links, strict=True)
        return [(number[row_id], i, j) for row_id, links in found for i, j in sorted(links.sure)]
    single = [n for n in both if len(corpus.rows[n][source].spans) == len(corpus.rows[n][target].spans) == 1]
    return [(n, 0, 0) for n in single]


def example_concepts(shown: Shown, lines: np.ndarray, count: int = 5) -> np.ndarray:
    """A handful of units that a first picture names: some concepts with all their translations.

    Ambiguous senses ("bank (money)") come first, then what is said in the most languages; each sense once.

    Args:
        shown: the units.
        lines: (m, 2) indices of units that translate each other.
        count: number of concepts.

    Returns:
        (n,) bool.
    """
    groups: dict[int, set[int]] = {}
    for pivot, other in lines.tolist():
        groups.setdefault(pivot, {pivot}).add(other)
    spoken = {pivot: len({shown.language[n] for n in members}) for pivot, members in groups.items()}
    # One word a language keeps the picture readable; many members with few languages are long expressions.
    ordered = sorted(groups, key=lambda n: ("(" not in shown.sense[n], -spoken[n], len(groups[n]), n))
    chosen = np.zeros(len(shown), dtype=bool)
    senses: set[str] = set()
    for pivot in ordered:
        name = shown.sense[pivot] or shown.text[pivot]
        if name not in senses and len(senses) < count:
            senses.add(name)
            chosen[list(groups[pivot])] = True
    return chosen


def find_text(shown: Shown, lines: np.ndarray, query: str) -> np.ndarray:
    """The units whose text or sense is a query, with their translations.

    Whole units first; where none is the query, those that contain it. Upper and lower case are the same.

    Args:
        shown: the units.
        lines: (m, 2) indices of units that translate each other.
        query: what somebody typed.

    Returns:
        (n,) bool.
    """
    wanted = query.strip().casefold()
    texts = [text.casefold() for text in shown.text]
    found = np.array(
        [text == wanted or sense.casefold() == wanted for text, sense in zip(texts, shown.sense, strict=True)],
        dtype=bool,
    )
    if not found.any():
        found = np.array([wanted in text for text in texts], dtype=bool)
    if len(lines) and found.any():
        # A line joins the row's first language to another; a translation may be two lines away.
        pivots = np.unique(np.concatenate([lines[found[lines[:, 0]], 0], lines[found[lines[:, 1]], 0]]))
        joined = np.isin(lines[:, 0], pivots)
        found = found.copy()
        found[lines[joined].ravel()] = True
    return found
