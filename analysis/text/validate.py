"""What is odd about a corpus, before anyone trusts a number made from it."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from analysis.text.corpus import Corpus, Sentence
from analysis.text.identify import identify
from analysis.text.languages import language, pairs_of
from analysis.text.problems import Problem, excerpt
from analysis.text.scripts import fits_script

LONG = 1000
EXAMPLES = 5
_SAMPLE = 300
_LETTERS = 20
_MIN_PAIRS = 20
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = re.compile("[\xad\u034f\u180e\u200b\u2060-\u2064\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>|&(?:[a-z]{2,8}|#\d{1,6});")


@dataclass(frozen=True, slots=True)
class Example:
    """One place where a finding shows.

    Attributes:
        row: the row's id.
        language: tag of the sentence; of a pair both, joined by `-`.
        text: start of the sentence as a quoted literal, safe to show.
    """

    row: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of oddity.

    Attributes:
        kind: short name (`script`, `duplicate`, `bidi` ...).
        title: one sentence on what it is and why it matters.
        count: how many sentences or pairs show it.
        of: how many were looked at.
        examples: the first of them.
    """

    kind: str
    title: str
    count: int
    of: int
    examples: tuple[Example, ...]

    @property
    def share(self) -> float:
        """Count as a share of those looked at, in [0, 1]."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """How much text one language has.

    Attributes:
        language: its tag.
        sentences, words, characters: totals.
        longest: code points of its longest sentence.
    """

    language: str
    sentences: int
    words: int
    characters: int
    longest: int


@dataclass(frozen=True)
class ValidationReport:
    """The validator's report on one corpus.

    Attributes:
        rows: number of rows.
        complete: rows that have every language.
        languages: one entry a language, in the corpus's order.
        findings: what is odd, only kinds that occur, the most frequent first.
        problems: rows that could not be read at all.
    """

    rows: int
    complete: int
    languages: tuple[LanguageCount, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]


# A check of one sentence: kind, title, test.
_CHECKS: tuple[tuple[str, str, Callable[[Sentence], object]], ...] = (
    ("no_words", "No word can be found: nothing to compare.", lambda s: not s.spans),
    ("long", f"Longer than {LONG:,} characters: most encoders cut or window it.", lambda s: len(s.text) > LONG),
    ("script", "Mostly in another script than its language is written in.", lambda s: not _in_script(s)),
    ("bidi", "Invisible direction marks: what is shown may differ from what is read.", lambda s: _BIDI.search(s.text)),
    ("zero_width", "Zero-width or soft-hyphen characters inside.", lambda s: _ZERO_WIDTH.search(s.text)),
    ("surrogate", "Lone surrogates: broken text, encoders see a replacement.", lambda s: _SURROGATE.search(s.text)),
    ("control", "Control characters or unusual line separators inside.", lambda s: _CONTROL.search(s.text)),
    ("markup", "HTML tags or entities: shown as they are, never run.", lambda s: _MARKUP.search(s.text)),
)


def report(corpus: Corpus, problems: Iterable[Problem] = (), *, examples: int = EXAMPLES) -> ValidationReport:
    """Look through a corpus; linear in its text.

    Args:
        corpus: any corpus.
        problems: what its reader noted.
        examples: how many examples each finding keeps.

    Returns:
        Counts and findings. Languages are identified on at most 300 sentences of each language that have 20
        letters or more; length ratios need 20 pairs or more.
    """
    tags = corpus.languages
    findings = [_sentence_finding(corpus, *check, examples) for check in _CHECKS]
    findings += [
        _duplicates(corpus, examples),
        _identical(corpus, examples),
        _other_language(corpus, examples),
        _length_ratios(corpus, examples),
        _incomplete(corpus, examples),
    ]
    shown = sorted((finding for finding in findings if finding.count), key=lambda finding: -finding.count)
    complete = sum(len(row) == len(tags) for row in corpus.rows)
    return ValidationReport(len(corpus), complete, tuple(_counts(corpus)), tuple(shown), tuple(problems))


def _each(corpus: Corpus) -> Iterator[tuple[str, str, Sentence]]:
    """Row id, tag and sentence of every sentence."""
    for row_id, row in zip(corpus.row_ids, corpus.rows, strict=True):
        for tag, sentence in row.items():
            yield row_id, tag, sentence


def _finding(kind: str, title: str, hits: Sequence[Example], of: int, examples: int) -> Finding:
    """A finding out of all its places."""
    return Finding(kind, title, len(hits), of, tuple(hits[:examples]))


def _sentence_finding(
    corpus: Corpus, kind: str, title: str, test: Callable[[Sentence], object], examples: int
) -> Finding:
    """The sentences that a test is true of."""
    everything = list(_each(corpus))
    hits = [Example(row_id, tag, excerpt(s.text, 80)) for row_id, tag, s in everything if test(s)]
    return _finding(kind, title, hits, len(everything), examples)


def _in_script(sentence: Sentence) -> bool:
    """Whether a sentence is in its language's script."""
    return fits_script(sentence.text, language(sentence.language).script)


def _duplicates(corpus: Corpus, examples: int) -> Finding:
    """Rows whose sentences all stand in an earlier row too."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    hits = []
    for row_id, row in zip(corpus.row_ids, corpus.rows, strict=True):
        key = tuple(sorted((tag, sentence.text) for tag, sentence in row.items()))
        if key in seen:
            hits.append(Example(row_id, "-".join(row), excerpt(next(iter(row.values())).text, 80)))
        seen.add(key)
    return _finding("duplicate", "The whole row repeats an earlier one.", hits, len(corpus), examples)


def _identical(corpus: Corpus, examples: int) -> Finding:
    """Sentences of a row that are the same in two languages, short ones and names apart."""
    hits, of = [], 0
    for row_id, row in zip(corpus.row_ids, corpus.rows, strict=True):
        for a, b in pairs_of(tuple(row)) if len(row) > 1 else ():
            of += 1
            if row[a].text == row[b].text and len(row[a].spans) > 3:
                hits.append(Example(row_id, f"{a}-{b}", excerpt(row[a].text, 80)))
    return _finding("identical", "The same text in two languages: probably not translated.", hits, of, examples)


def _other_language(corpus: Corpus, examples: int) -> Finding:
    """Sentences identified as another language than they are tagged."""
    hits, of = [], 0
    for tag in corpus.languages:
        mine = [
            (row_id, s)
            for row_id, t, s in _each(corpus)
            if t == tag and sum(map(str.isalpha, s.text[:200])) >= _LETTERS
        ]
        step = max(1, len(mine) // _SAMPLE)
        for row_id, sentence in mine[::step][:_SAMPLE]:
            guess = identify(sentence.text)
            of += 1
            if guess.confidence > 0.9 and guess.tag.split("-")[0] != tag.split("-")[0] and tag != "und":
                hits.append(Example(row_id, tag, f"{guess.tag}? {excerpt(sentence.text, 80)}"))
    return _finding("language", "Identified as another language (on a sample).", hits, of, examples)


def _length_ratios(corpus: Corpus, examples: int) -> Finding:
    """Pairs of sentences whose length ratio is six robust deviations, and a factor of two, off the median."""
    hits, of = [], 0
    comparable = len(corpus.languages) > 1 and corpus.unit == "sentence"
    for a, b in pairs_of(corpus.languages) if comparable else ():
        pairs = [
            (row_id, row) for row_id, row in zip(corpus.row_ids, corpus.rows, strict=True) if a in row and b in row
        ]
        if len(pairs) < _MIN_PAIRS:
            continue
        ratios = [math.log((len(row[b].text) + 1) / (len(row[a].text) + 1)) for _, row in pairs]
        middle = median(ratios)
        spread = 1.4826 * median(abs(ratio - middle) for ratio in ratios)
        limit = max(6 * spread, math.log(2))
        of += len(pairs)
        for (row_id, row), ratio in zip(pairs, ratios, strict=True):
            if abs(ratio - middle) > limit:
                hits.append(Example(row_id, f"{a}-{b}", f"{excerpt(row[a].text)} / {excerpt(row[b].text)}"))
    return _finding("length", "Far longer or shorter than its translation.", hits, of, examples)


def _incomplete(corpus: Corpus, examples: int) -> Finding:
    """Rows that lack one of the corpus's languages."""
    hits = []
    for row_id, row in zip(corpus.row_ids, corpus.rows, strict=True):
        lacking = [tag for tag in corpus.languages if tag not in row]
        if lacking:
            hits.append(Example(row_id, ", ".join(lacking), excerpt(next(iter(row.values())).text, 80)))
    return _finding("incomplete", "The row lacks a language.", hits, len(corpus), examples)


def _counts(corpus: Corpus) -> Iterator[LanguageCount]:
    """Totals of each language."""
    for tag in corpus.languages:
        mine = corpus.sentences(tag)
        words = sum(len(sentence.spans) for sentence in mine)
        sizes = [len(sentence.text) for sentence in mine]
        yield LanguageCount(tag, len(mine), words, sum(sizes), max(sizes, default=0))
