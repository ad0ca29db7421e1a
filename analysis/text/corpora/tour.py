"""The tour: short sentences written for this project, word by word marked with their concepts."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from analysis.assets import assets_folder
from analysis.errors import InputError
from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus, Sentence, Span
from analysis.text.languages import known_tag
from analysis.text.segment import segment

_MARK = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")
_LICENCE = "CC0-1.0"


def read_tour(folder: Path) -> Corpus:
    """A corpus in the tour's format.

    `rows.tsv` holds id, category and note, `concepts.tsv` id, concept and sense, `xx.tsv` id and text with marks
    `{surface|concept}`; a first line that begins with `id` is a header. A concept may be marked at several
    places of a sentence.

    Raises:
        InputError: a file is missing, or a row or mark cannot be read.
    """
    heads = _table(folder / "rows.tsv", 2)
    concepts: dict[str, dict[str, tuple[int, str]]] = {}
    for row_id, concept, *rest in _table(folder / "concepts.tsv", 2):
        of_row = concepts.setdefault(row_id, {})
        of_row.setdefault(concept, (len(of_row) + 1, rest[0] if rest else ""))
    rows: dict[str, dict[str, Sentence]] = {head[0]: {} for head in heads}
    for tag in _tags(folder):
        for row_id, marked, *_ in _table(folder / f"{tag}.tsv", 2):
            if row_id not in rows:
                raise InputError(f"{folder / tag}.tsv: row {row_id!r} is not in rows.tsv; add it there")
            if marked.strip():
                rows[row_id][tag] = parse_marked(marked.strip(), tag, concepts.get(row_id, {}))
    kept = [head for head in heads if rows[head[0]]]
    return Corpus(
        SPEC.name, SPEC.title, tuple(rows[head[0]] for head in kept), tuple(head[0] for head in kept),
        tuple(head[1] for head in kept), links_origin="made",
        source=SPEC.source, licence=SPEC.licence, unit=SPEC.unit,
    )  # fmt: skip


def parse_marked(marked: str, tag: str, concepts: dict[str, tuple[int, str]]) -> Sentence:
    """A sentence with marks: words by the segmenter, a concept for each word that overlaps a mark.

    Marks are set by hand and win: a word that holds several of them is cut between them.

    Args:
        marked: `The {bank|bank} is {closed|close}.`
        tag: its language.
        concepts: the row's concepts with their number and sense label.

    Raises:
        InputError: a brace that belongs to no mark, or a concept the row does not have.
    """
    pieces: list[str] = []
    marks: list[tuple[Span, str]] = []
    at = length = 0
    for match in _MARK.finditer(marked):
        pieces.append(marked[at : match.start()])
        length += len(pieces[-1])
        pieces.append(match[1])
        marks.append(((length, length + len(match[1])), match[2].strip()))
        length += len(match[1])
        at = match.end()
    text = "".join([*pieces, marked[at:]])
    if "{" in text or "}" in text:
        raise InputError(f"a brace without its mark in {marked!r}; write {{surface|concept}}")
    lacking = [concept for _, concept in marks if concept not in concepts]
    if lacking:
        raise InputError(f"concept {lacking[0]!r} of {marked!r} is not in concepts.tsv; add it there")
    spans = tuple(piece for span in segment(text, tag) for piece in _cut(span, marks))
    found = [_concept(span, marks) for span in spans]
    return Sentence(
        text, tag, spans,
        tuple(concepts[concept][0] if concept else 0 for concept in found),
        tuple(concepts[concept][1] if concept else "" for concept in found),
    )  # fmt: skip


def _cut(span: Span, marks: list[tuple[Span, str]]) -> list[Span]:
    """A word that holds parts of several marks, cut where they begin and end (river + bank in one Chinese word)."""
    inside = [mark for mark, _ in marks if mark[0] < span[1] and span[0] < mark[1]]
    if len(inside) < 2:
        return [span]
    edges = sorted({*span, *(edge for mark in inside for edge in mark if span[0] < edge < span[1])})
    return list(pairwise(edges))


def _concept(span: Span, marks: list[tuple[Span, str]]) -> str:
    """The concept of the first mark that shares a character with the word, "" for none."""
    return next((concept for (start, end), concept in marks if start < span[1] and span[0] < end), "")


def _table(path: Path, least: int) -> list[list[str]]:
    """The rows of a TSV without its header.

    Raises:
        InputError: the file is missing, or a row has too few cells.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError:
        raise InputError(f"{path} cannot be read; the corpus is not installed completely, install it again") from None
    rows = [line.removesuffix("\r").split("\t") for line in lines if line.strip()]
    if rows and rows[0][0] == "id":
        rows = rows[1:]
    short = next((row for row in rows if len(row) < least), None)
    if short is not None:
        raise InputError(f"{path}: {short} has fewer than {least} cells")
    return rows


def _tags(folder: Path) -> tuple[str, ...]:
    """The languages of a folder in the tour's format, English first."""
    names = [path.stem for path in folder.glob("*.tsv")] if folder.is_dir() else []
    return tuple(sorted((name for name in names if known_tag(name)), key=lambda tag: (tag != "en", tag)))


def _count(folder: Path) -> int:
    """Number of rows, without reading the sentences."""
    return len(_table(folder / "rows.tsv", 2)) if (folder / "rows.tsv").is_file() else 0


def _folder() -> Path:
    """Where the tour lies."""
    return assets_folder() / "corpora" / "tour"


@cache
def load() -> Corpus:
    """The bundled tour."""
    return read_tour(_folder())


SPEC = CorpusSpec(
    "tour",
    "Tour",
    "Short sentences with ambiguous words, false friends, idioms and numerals; words marked by concept and sense.",
    _LICENCE,
    "written for Isogloss; not reviewed by native readers; its links are for looking, not for scores",
    "sentence",
    _count(_folder()),
    _tags(_folder()),
    load,
)
