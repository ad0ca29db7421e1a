"""What every reader yields, and the few things several readers do the same way."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Protocol

from analysis.errors import InputError
from analysis.text.corpus import Corpus, Sentence
from analysis.text.identify import identify_columns
from analysis.text.languages import known_tag, normalise_tag
from analysis.text.lines import Source
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems
from analysis.text.segment import split

_PEEK = 1000
_SEPARATOR = re.compile(r"(?:^|(?<=\s))\|\|\|(?=\s|$)")
_PLAIN_NAME = re.compile(r"[A-Za-z][\w .-]{0,40}")
_ROW_NAME = re.compile(r"[\w.:/#-]*\d[\w.:/#-]*")


@dataclass(frozen=True)
class Row:
    """One row of a parallel file.

    Attributes:
        line: 1-based line (of Parquet: row) it starts at.
        sentences: tag to sentence, in the order of the file; empty sides are left out.
        links: word links between the row's first and second sentence, where the file has them.
        row_id, category: what the file says, "" where it says nothing.
    """

    line: int
    sentences: Mapping[str, Sentence]
    links: Links | None = None
    row_id: str = ""
    category: str = ""


class Read(Protocol):
    """The function of a reader."""

    def __call__(
        self, sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems
    ) -> Iterator[Row]:
        """Yield the good rows of the sources, note the bad ones.

        Args:
            sources: one source, or several where the format has a file for each language.
            languages: the sides in order, or the columns wanted; None to go by the file or to identify them.
            problems: takes a note of each bad row.

        Raises:
            InputError: the file as a whole is not of this format.
        """


@dataclass(frozen=True)
class Reader:
    """One registered format.

    Attributes:
        name: what `--format` and the upload form call it.
        title: the name on a page.
        extensions: file endings, without `.gz`, that speak for it.
        summary: one sentence on what a row is.
        read: the reader.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    summary: str
    read: Read = field(compare=False)


def build_corpus(
    identifier: str,
    title: str,
    rows: Iterable[Row],
    *,
    source: str = "",
    licence: str = "",
    links_origin: str = "gold",
) -> Corpus:
    """A corpus of the rows a reader yields.

    Links are kept where every row has some between the same two languages.

    Raises:
        InputError: no row at all.
    """
    rows = list(rows)
    if not rows:
        raise InputError(f"{title} has no usable row; see the warnings, or choose another format")
    sides = {tuple(row.sentences)[:2] for row in rows if row.links is not None}
    linked = len(sides) == 1 and all(row.links is not None for row in rows)
    links = {sides.pop(): tuple(row.links for row in rows if row.links is not None)} if linked else {}
    return Corpus(
        identifier,
        title,
        tuple(row.sentences for row in rows),
        tuple(row.row_id or str(row.line) for row in rows),
        tuple(row.category for row in rows) if any(row.category for row in rows) else (),
        links,  # type: ignore[arg-type]
        links_origin if links else "",
        source,
        licence,
    )


def only_source(sources: Sequence[Source], reader: str) -> Source:
    """The one source of a format that has one file.

    Raises:
        InputError: none or several.
    """
    if len(sources) != 1:
        raise InputError(
            f"{reader} reads one file, {len(sources)} were given; only moses takes a file for each language"
        )
    return sources[0]


def split_parts(line: str) -> list[str]:
    """The parts of a line between ` ||| ` tokens, without white space around them."""
    return [part.strip() for part in _SEPARATOR.split(line)]


def segment_row(texts: Mapping[str, str], wanted: tuple[str, ...] | None = None) -> dict[str, Sentence]:
    """The sentences of one row by tag, without empty texts and without languages nobody wants."""
    return {
        tag: split(text.strip(), tag)
        for tag, text in texts.items()
        if text.strip() and (wanted is None or tag in wanted)
    }


@dataclass(frozen=True)
class Header:
    """Which column of a table is what.

    Attributes:
        columns: tag to column number.
        width: number of columns.
        row_id, category: their column numbers, -1 for none.
    """

    columns: Mapping[str, int]
    width: int
    row_id: int = -1
    category: int = -1


def read_header(cells: Sequence[str], languages: tuple[str, ...] | None) -> Header | None:
    """The header of a table whose first line names languages, or None if the line is no such header.

    Every cell must be a language code or a plain column name, and at least one a code.
    """
    columns: dict[str, int] = {}
    special = {"row_id": -1, "category": -1}
    for at, cell in enumerate(cell.strip() for cell in cells):
        tag = known_tag(cell)
        if tag is not None and tag not in columns and (languages is None or tag in languages):
            columns[tag] = at
        elif tag is None and not _PLAIN_NAME.fullmatch(cell):
            return None
        elif cell in special:
            special[cell] = at
        elif cell in ("id", "index_id") and special["row_id"] < 0:
            special["row_id"] = at
    return Header(columns, len(cells), **special) if columns else None


def table_row(cells: Sequence[str], header: Header, line: int, name: str, problems: Problems) -> Row | None:
    """One row of a table, or None after noting why it is bad."""
    if len(cells) != header.width:
        message = f"{len(cells)} columns where the header has {header.width}; the row is left out"
        problems.add(name, line, message)
        return None
    texts = {tag: cells[at] for tag, at in header.columns.items()}
    row_id = cells[header.row_id].strip() if header.row_id >= 0 else ""
    if is_row_name(texts.get("id", "")):
        row_id = row_id or texts.pop("id").strip()
    sentences = segment_row(texts)
    if not sentences:
        problems.add(name, line, "no text in any language; the row is left out")
        return None
    category = cells[header.category].strip() if header.category >= 0 else ""
    return Row(line, sentences, None, row_id, category)


def is_row_name(text: str) -> bool:
    """Whether a cell under `id` names its row ("s-17") and is not a sentence in Indonesian."""
    return bool(_ROW_NAME.fullmatch(text.strip()))


def name_sides(
    rows: Iterable[tuple[int, list[str]]], languages: tuple[str, ...] | None
) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """The languages of the sides of headerless rows: those given, else identified over the first 1,000 rows.

    Args:
        rows: (line, texts) of each row.
        languages: the tags in order, None to identify them.

    Returns:
        As many tags as most rows have texts, no tag twice; the rows again, none consumed.
    """
    rows = iter(rows)
    if languages is not None:
        return languages, rows
    first = list(islice(rows, _PEEK))
    width = Counter(len(texts) for _, texts in first).most_common(1)[0][0] if first else 0
    columns = [[texts[at] for _, texts in first if at < len(texts)] for at in range(width)]
    return identify_columns(columns, distinct=True), chain(first, rows)


def wanted_tags(languages: Iterable[str] | None) -> tuple[str, ...] | None:
    """Languages as a caller gives them, normalised; None stays None.

    Raises:
        InputError: something that cannot be a language tag.
    """
    return None if languages is None else tuple(normalise_tag(tag) for tag in languages)
