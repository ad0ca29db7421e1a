"""The nouns of text: a sentence with its words, a sentence pair's side, a corpus of parallel rows."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from analysis.errors import InputError, unknown
from analysis.text.pharaoh import Link, Links

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence (or phrase) in one language, with its words as character offsets.

    Attributes:
        text: the sentence as it was read; offsets count its code points.
        language: BCP-47 tag, `und` where nobody said.
        spans: (start, end) of each word, end exclusive, ascending.
        concepts: for each word the row's concept number it expresses, 0 for none; empty where unknown.
            Words of one row that share a number translate each other.
        senses: for each word its sense label ("bank (money)"), "" for none; empty where unknown.
        tags: for each word its universal part of speech ("NOUN"), "" for none; empty where unknown.
    """

    text: str
    language: str = "und"
    spans: tuple[Span, ...] = ()
    concepts: tuple[int, ...] = ()
    senses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The surface of each word."""
        return tuple(self.text[start:end] for start, end in self.spans)

    @classmethod
    def from_words(cls, words: Sequence[str], language: str = "und") -> "Sentence":
        """A pre-tokenised sentence: the words joined by one space."""
        spans, start = [], 0
        for word in words:
            spans.append((start, start + len(word)))
            start += len(word) + 1
        return cls(" ".join(words), language, tuple(spans))


def digest(sentences: Iterable[Sentence]) -> str:
    """SHA-256 over everything that decides the vectors of these sentences, in order (hex, 64 characters)."""
    state = hashlib.sha256()
    for sentence in sentences:
        line = f"{sentence.language}\t{sentence.spans}\t{len(sentence.text)}\t{sentence.text}\n"
        state.update(line.encode("utf-8", "surrogatepass"))
    return state.hexdigest()


class Relation(StrEnum):
    """What the second sentence of a pair is to the first."""

    TRANSLATION = "translation"
    SCORED = "scored"
    SENSE = "sense"
    ANSWER = "answer"


@dataclass(frozen=True)
class Bitext:
    """Sentence pairs in two languages (or twice in one), with word links where they are known.

    Attributes:
        name: what the user called it ("corpus:tour", "pairs.txt"), for records and messages.
        languages: the source's and the target's tag.
        source: the sentences of the first language.
        target: their translations, in the same order.
        links: one `Links` a pair, or None where no links are known.
        links_origin: `gold` (people made them), `made` (written with the text), `silver` (automatic), or "".
        row_ids: a stable name for each pair.
        relation: `translation`; `scored` (people said how alike in meaning, or how good a translation); `sense` (the
            one link of a row marks a word on each side, its score is 1 for one sense and 0 for two); `answer` (a
            question and the paragraph that answers it).
        scores: the human judgement of each pair, or None.
    """

    name: str
    languages: tuple[str, str]
    source: tuple[Sentence, ...]
    target: tuple[Sentence, ...]
    links: tuple[Links, ...] | None = None
    links_origin: str = ""
    row_ids: tuple[str, ...] = ()
    relation: Relation = Relation.TRANSLATION
    scores: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Both sides, the links and the scores count the same pairs.

        Raises:
            InputError: they do not.
        """
        sizes = {len(part) for part in (self.source, self.target, self.links, self.scores) if part is not None}
        if len(sizes) > 1:
            raise InputError(f"{self.name}: source, target, links and scores differ in length: {sorted(sizes)}")
        if not self.row_ids:
            object.__setattr__(self, "row_ids", tuple(str(n) for n in range(len(self.source))))

    def __len__(self) -> int:
        """Number of sentence pairs."""
        return len(self.source)

    @cached_property
    def digest(self) -> str:
        """Hash of both sides and the links, for provenance."""
        links = "" if self.scores is None else f"{self.relation}{self.scores}"
        links += "" if self.links is None else repr([sorted(pair.possible) for pair in self.links])
        if self.links is not None and any(pair.sure != pair.possible for pair in self.links):
            links += repr([sorted(pair.sure) for pair in self.links])
        return hashlib.sha256(f"{digest(self.source)}{digest(self.target)}{links}".encode()).hexdigest()

    def flipped(self) -> "Bitext":
        """The same pairs with source and target exchanged."""
        links = None if self.links is None else tuple(pair.flipped() for pair in self.links)
        return replace(self, languages=self.languages[::-1], source=self.target, target=self.source, links=links)

    def take(self, rows: Sequence[int]) -> "Bitext":
        """The pairs at these row indices, in that order."""
        pick = lambda items: tuple(items[row] for row in rows)  # noqa: E731
        return replace(
            self, source=pick(self.source), target=pick(self.target), row_ids=pick(self.row_ids),
            links=None if self.links is None else pick(self.links),
            scores=None if self.scores is None else pick(self.scores),
        )  # fmt: skip


@dataclass(frozen=True)
class Corpus:
    """Parallel rows in any number of languages; a row may lack some of them.

    Attributes:
        id: the name on the command line and in links ("tour").
        title: the name on a page.
        rows: for each row a mapping from language to sentence.
        row_ids: a stable name for each row.
        categories: a label for each row ("idiom", "territory"), "" where there is none.
        links: for a language pair one `Links` a row; pairs not listed come from the words' concepts.
        links_origin: `gold`, `made`, `silver` or "".
        source: where the text comes from, one line.
        licence: SPDX name or a short statement.
        unit: `sentence`, or `phrase` where each row is a term and has no context.
    """

    id: str
    title: str
    rows: tuple[Mapping[str, Sentence], ...]
    row_ids: tuple[str, ...]
    categories: tuple[str, ...] = ()
    links: Mapping[tuple[str, str], tuple[Links, ...]] = field(default_factory=dict)
    links_origin: str = ""
    source: str = ""
    licence: str = ""
    unit: str = "sentence"

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Every language some row has; English first, then by the number of rows, then by tag."""
        counts: dict[str, int] = {}
        for row in self.rows:
            for language in row:
                counts[language] = counts.get(language, 0) + 1
        return tuple(sorted(counts, key=lambda tag: (tag != "en", -counts[tag], tag)))

    @cached_property
    def digest(self) -> str:
        """Hash of all rows, for provenance and as part of cache keys."""
        parts = [digest(row[tag] for tag in sorted(row)) for row in self.rows]
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def require(self, language: str) -> None:
        """Raise unless the corpus has the language.

        Raises:
            InputError: naming the languages there are.
        """
        if language not in self.languages:
            raise unknown(f"language of corpus {self.id}", language, self.languages)

    def sentences(self, language: str) -> tuple[Sentence, ...]:
        """All sentences of one language, in row order; rows without it are left out."""
        self.require(language)
        return tuple(row[language] for row in self.rows if language in row)

    def pair(self, source: str, target: str) -> Bitext:
        """The rows that have both languages, as sentence pairs with links where they are known.

        Raises:
            InputError: a language the corpus does not have, or no row with both.
        """
        self.require(source)
        self.require(target)
        at = [n for n, row in enumerate(self.rows) if source in row and target in row]
        if not at:
            raise InputError(f"corpus {self.id} has no row in both {source} and {target}; choose another pair")
        left, right = [self.rows[n][source] for n in at], [self.rows[n][target] for n in at]
        links = self._links(source, target, at, left, right)
        return Bitext(
            f"corpus:{self.id}", (source, target), tuple(left), tuple(right),
            links, self.links_origin if links is not None else "", tuple(self.row_ids[n] for n in at),
        )  # fmt: skip

    def _links(
        self, source: str, target: str, at: list[int], left: list[Sentence], right: list[Sentence]
    ) -> tuple[Links, ...] | None:
        """Listed links, else links between words of one concept, else None."""
        if (source, target) in self.links:
            return tuple(self.links[source, target][n] for n in at)
        if (target, source) in self.links:
            return tuple(self.links[target, source][n].flipped() for n in at)
        if any(sentence.concepts for sentence in left):
            return tuple(concept_links(a, b) for a, b in zip(left, right, strict=True))
        return None


def concept_links(source: Sentence, target: Sentence) -> Links:
    """Links between all words of the two sentences that carry the same concept number."""
    where: dict[int, list[int]] = {}
    for j, concept in enumerate(target.concepts):
        where.setdefault(concept, []).append(j)
    links: set[Link] = {(i, j) for i, concept in enumerate(source.concepts) if concept for j in where.get(concept, ())}
    return Links(frozenset(links), frozenset(links))
