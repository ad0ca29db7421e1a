"""Tables of labelled sentences and pairs: TSV, CSV or JSON lines, with or without a header."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from analysis.errors import InputError
from analysis.text.identify import identify_columns
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.scored_file import as_score
from analysis.text.segment import split
from analysis.transfer.item import Dataset, Item, Kind
from analysis.transfer.readers.spoken import stated_tag

LONGEST = 131_072  # characters of a cell; one beyond it holds a quote that never closes
# The names that a header may give to each column; where it has several of them, the one that stands first here.
NAMES = {
    "text": (
        "text",
        "sentence",
        "sentence1",
        "premise",
        "text1",
        "question1",
        "review",
        "tweet",
        "headline",
        "content",
    ),
    "other": ("text2", "hypothesis", "sentence2", "question2"),
    "label": ("label", "category", "topic", "score", "gold_label", "class", "similarity", "intent", "sentiment"),
    "id": ("id", "index_id", "row", "guid", "pairid"),
    "lang": ("lang", "language"),
}
SCORES = ("score", "similarity")  # come before the other names where a score is asked for
FORMATS = (
    "a TSV, CSV or JSON-lines file with the columns text and label (of pairs: text, text2, label), a header is optional"
)
SURROGATE = re.compile("[\ud800-\udfff]")
Row = tuple[int, Sequence[str]]


class Keys(list[str]):
    """The keys of JSON objects: a header, whatever they are called."""


@dataclass(frozen=True)
class Columns:
    """Where each column stands; -1 for one that is not there."""

    text: int
    other: int
    label: int
    id: int = -1
    lang: int = -1


@dataclass(frozen=True)
class _Found:
    """A row that can be used."""

    line: int
    texts: list[str]
    label: str | float
    id: str
    language: str | None


def read_table(source: Source, kind: Kind, language: str | None, problems: Problems) -> list[Dataset]:
    """The items of a table, by language.

    Args:
        source: the file.
        kind: CLASS, PAIR or SCORE.
        language: of all rows; None takes it from a column `lang`, and for rows without one it is the language that
            most of their texts seem to be in.
        problems: told each row that cannot be used.

    Raises:
        InputError: no usable row, or a header that lacks a column.
    """
    rows = list(_rows(source, problems))
    if not rows:
        raise InputError(f"{source.name} has no usable row; give {FORMATS}")
    heads = [cell.strip().casefold() for cell in rows[0][1]]
    if isinstance(rows[0][1], Keys) or _is_header(heads, kind, rows):
        columns = find_columns(source.name, heads, kind)
        rows = rows[1:]
    else:
        pair = kind is not Kind.CLASS
        if len(heads) < 2 + pair:
            raise InputError(
                f"{source.name}:{rows[0][0]}: {len(heads)} column(s) where {2 + pair} are needed; give {FORMATS}"
            )
        columns = Columns(0, 1 if pair else -1, 1 + pair)
    return make_datasets(source.name, rows, columns, kind, language, problems)


def find_columns(name: str, heads: Sequence[str], kind: Kind) -> Columns:
    """Where the columns stand, by their names.

    Args:
        name: of the data, for messages.
        heads: the names, in lower case.
        kind: CLASS, PAIR or SCORE.

    Raises:
        InputError: one that is needed is not there.
    """
    pair = kind is not Kind.CLASS
    places = _places(heads, kind)
    for key in ("text", "label", *["other"] * pair):
        if places[key] < 0:
            raise InputError(
                f"{name} has a header without a column {NAMES[key][0]!r}: {', '.join(heads)[:80]}; "
                f"valid: {', '.join(NAMES[key])}"
            )
    return Columns(places["text"], places["other"] if pair else -1, places["label"], places["id"], places["lang"])


def make_datasets(
    name: str, rows: Iterable[Row], columns: Columns, kind: Kind, language: str | None, problems: Problems
) -> list[Dataset]:
    """The items of some rows, by language.

    Args:
        name: of the data.
        rows: line number and cells.
        columns: where each column stands.
        kind: CLASS, PAIR or SCORE.
        language: as for `read_table`.
        problems: told each row that cannot be used.

    Raises:
        InputError: no usable row.
    """
    usable = []
    for number, cells in rows:
        try:
            usable.append(_checked(name, number, cells, columns, kind, language, problems))
        except InputError as error:
            problems.add(name, number, f"{error}; the row is left out")
    if not usable:
        raise InputError(f"{name} has no usable row; give {FORMATS}")
    # One language for all rows that do not say theirs: a guess a row would scatter short texts over many.
    silent = [" ".join(row.texts) for row in usable if row.language is None]
    usual = identify_columns([silent])[0] if silent else ""
    found: dict[str, list[Item]] = {}
    for row in usable:
        tag = row.language or usual
        first, *rest = (split(text, tag) for text in row.texts)
        item = Item(row.id, first, row.label, rest[0] if rest else None, f"{name}:{row.line}")
        found.setdefault(tag, []).append(item)
    return [Dataset(name, tag, tuple(items)) for tag, items in found.items()]


def _rows(source: Source, problems: Problems) -> Iterator[Row]:
    """Line number and cells of every row: JSON objects, tabs where the first line has one, else commas with quotes."""
    lines = enumerate(read_lines(source, problems=problems), start=1)
    first = next(((number, line) for number, line in lines if line and line.strip()), None)
    if first is None:
        return
    every = chain([first], lines)
    if _as_object(first[1]) is not None:
        yield from _objects(source.name, every, problems)
    elif "\t" in first[1]:
        yield from ((number, line.split("\t")) for number, line in every if line and line.strip())
    else:
        yield from _quoted(source.name, first[0], every, problems)


def _quoted(name: str, start: int, lines: Iterator[tuple[int, str | None]], problems: Problems) -> Iterator[Row]:
    """The rows of a CSV file; a quoted cell may hold line breaks, so a row is named by the line it begins at."""
    reader = csv.reader((f"{line or ''}\n" for _, line in lines), strict=True)
    while True:
        line = start + reader.line_num
        csv.field_size_limit(LONGEST)  # one setting for the process, which other readers raise
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(name, line, f"not CSV ({error}); the row is left out")
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _objects(name: str, lines: Iterator[tuple[int, str | None]], problems: Problems) -> Iterator[Row]:
    """The rows of JSON lines, below the keys of the first object as the header."""
    heads: list[str] = []
    for number, line in lines:
        if not line or not line.strip():
            continue
        row = _as_object(line)
        if row is None:
            problems.add(name, number, "no JSON object; the row is left out")
            continue
        if not heads:
            heads = Keys(row)
            yield number, heads
        yield number, [as_cell(row.get(head)) for head in heads]


def as_cell(value: Any) -> str:
    """A JSON value as the cell of a table: texts and numbers as they are, anything else is no cell."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int | float) else ""


def _as_object(line: str) -> dict[str, Any] | None:
    """A line as a JSON object, None where it is none."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _places(heads: Sequence[str], kind: Kind) -> dict[str, int]:
    """Where each kind of column stands; -1 for one that is not there."""
    names = dict(NAMES)
    if kind is Kind.SCORE:
        names["label"] = (*SCORES, *(one for one in NAMES["label"] if one not in SCORES))
    return {key: next((heads.index(one) for one in known if one in heads), -1) for key, known in names.items()}


def _is_header(heads: Sequence[str], kind: Kind, rows: Sequence[Row]) -> bool:
    """Whether the first row names the columns.

    One known name alone may be a text or a label. It makes a header where what stands above the labels is none: no
    label of any other row, or no number where a score is asked for.
    """
    known = sum(place >= 0 for place in _places(heads, kind).values())
    if known != 1:
        return known > 1
    at = 1 if kind is Kind.CLASS else 2
    if kind is Kind.SCORE:
        return at >= len(heads) or as_score(heads[at]) is None
    labels = {cells[at].strip().casefold() for _, cells in rows[1:] if at < len(cells)}
    return at >= len(heads) or heads[at] not in labels


def _checked(
    name: str, number: int, cells: Sequence[str], columns: Columns, kind: Kind, language: str | None,
    problems: Problems,
) -> _Found:  # fmt: skip
    """One row.

    Raises:
        InputError: what makes it unusable.
    """
    needed = max(columns.text, columns.other, columns.label)
    if len(cells) <= needed:
        raise InputError(f"{len(cells)} column(s) where {needed + 1} are needed")
    if any(SURROGATE.search(cell) for cell in cells):
        raise InputError("half a surrogate pair, which is no character and stands in no file")
    texts = [cells[at].strip() for at in (columns.text, columns.other) if at >= 0]
    said = cells[columns.label].strip()
    if not all(texts) or not said:
        raise InputError("an empty text or label")
    score = as_score(said) if kind is Kind.SCORE else None
    if kind is Kind.SCORE and score is None:
        raise InputError(f"the score {excerpt(said, 20)} is no finite number")
    tag = language
    column = cells[columns.lang].strip() if 0 <= columns.lang < len(cells) else ""
    if tag is None:
        tag = stated_tag(column, name, number, problems)
    label = cells[columns.id].strip() if 0 <= columns.id < len(cells) else ""
    return _Found(number, texts, said if score is None else score, label or str(number), tag)
