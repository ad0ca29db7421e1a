"""CoNLL-U: treebanks; words, their places in the text and parts of speech; other tags and trees are passed over."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePath

from analysis.errors import InputError
from analysis.text.corpus import Sentence, Span
from analysis.text.identify import identify
from analysis.text.languages import known_tag
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import Reader, Row, only_source

_COLUMNS = 10
# Universal Dependencies v2, "Universal POS tags".
_UPOS = frozenset(
    ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
     "VERB", "X")
)  # fmt: skip
_WORD_NUMBER = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each sentence; a multiword token ("du", "im") is one word, empty nodes are none.

    A multiword token has no part of speech, since it has several.

    The language is the one given, that of a `# lang =` comment, of the file name (`en_ewt-ud-dev.conllu`), or
    identified.

    Raises:
        InputError: not one readable text file.
    """
    source = only_source(sources, "conllu")
    usual = languages[0] if languages and len(languages) == 1 else _language(source.name)
    block: list[str | None] = []
    start = 1
    for number, line in enumerate(chain(read_lines(source, problems=problems), [""]), start=1):
        if line is None or line.strip():
            block.append(line)
            continue
        if any(item is None or not item.startswith("#") for item in block):
            try:
                yield _row(start, block, usual)
            except InputError as error:
                problems.add(source.name, start, f"{error}; the sentence is left out")
        block, start = [], number + 1


def _row(start: int, block: list[str | None], usual: str | None) -> Row:
    """One sentence.

    Raises:
        InputError: a line that is not ten columns, or not text.
    """
    comments: dict[str, str] = {}
    tokens: list[tuple[str, bool]] = []
    tags: list[str] = []
    covered = 0
    for line in block:
        if line is None:
            raise InputError("a line of the sentence is not UTF-8")
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            comments[key.strip()] = value.strip()
            continue
        cells = line.split("\t")
        if len(cells) != _COLUMNS:
            raise InputError(f"{len(cells)} columns where CoNLL-U has {_COLUMNS}: {excerpt(line)}")
        if "." in cells[0]:
            continue
        numbers = _WORD_NUMBER.fullmatch(cells[0])
        if not numbers:
            raise InputError(f"{excerpt(cells[0])} is not a word number")
        first, last = int(numbers[1]), int(numbers[2] or numbers[1])
        if first > covered:
            tokens.append((cells[1], "SpaceAfter=No" not in cells[9]))
            tags.append(cells[3] if cells[3] in _UPOS else "")
        covered = max(covered, last)
    if not tokens:
        raise InputError("a sentence without words")
    text, spans = _place(comments.get("text", ""), tokens)
    tag = known_tag(comments.get("lang", "")) or usual or identify(text).tag
    sentence = Sentence(text, tag, spans, tags=tuple(tags) if any(tags) else ())
    return Row(start, {tag: sentence}, None, comments.get("sent_id", ""))


def _place(text: str, tokens: Sequence[tuple[str, bool]]) -> tuple[str, tuple[Span, ...]]:
    """The text with the span of each word; made from the words where the comment does not hold them in order."""
    spans: list[Span] = []
    at = 0
    for form, _ in tokens:
        found = text.find(form, at)
        # Only white space may stand between two words, else the comment is not this sentence.
        if found < 0 or text[at:found].strip():
            return _join(tokens)
        spans.append((found, found + len(form)))
        at = found + len(form)
    return text, tuple(spans)


def _join(tokens: Sequence[tuple[str, bool]]) -> tuple[str, tuple[Span, ...]]:
    """The words with a space after each that does not say otherwise."""
    pieces: list[str] = []
    spans: list[Span] = []
    at = 0
    for form, space in tokens:
        spans.append((at, at + len(form)))
        pieces.append(f"{form} " if space else form)
        at += len(pieces[-1])
    return "".join(pieces).removesuffix(" "), tuple(spans)


def _language(name: str) -> str | None:
    """The language a treebank's file name begins or ends with."""
    stem = PurePath(name).name.removesuffix(".gz").removesuffix(".conllu")
    return known_tag(stem.split("_")[0]) or known_tag(stem.split("-")[0].split(".")[0])


SPEC = Reader(
    "conllu",
    "CoNLL-U",
    ("conllu", "conll"),
    "Treebank sentences; words, texts and parts of speech are read, trees are not.",
    read,
)
