"""Tables of labelled sentences and pairs: TSV or CSV, with or without a header."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.errors import InputError
from analysis.text.identify import identify
from analysis.text.languages import known_tag
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.scored_file import as_score
from analysis.text.segment import split
from analysis.transfer.item import Dataset, Item, Kind

# The names that a header may give to each column, the first of them in messages.
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
FORMATS = "a TSV or CSV file with the columns text and label (of pairs: text, text2, label), a header is optional"


@dataclass(frozen=True)
class _Columns:
    """Where each column stands; -1 for one that is not there."""

    text: int
    other: int
    label: int
    id: int = -1
    lang: int = -1


def read_table(source: Source, kind: Kind, language: str | None, problems: Problems) -> list[Dataset]:
    """The items of a table, by language.

    Args:
        source: the file.
        kind: CLASS, PAIR or SCORE.
        language: of all rows; None takes it from a column `lang`, else from the text.
        problems: told each row that cannot be used.

    Raises:
        InputError: no usable row, or a header that lacks a column.
    """
    rows = _rows(source, problems)
    columns, rows = _columns(source.name, kind, rows)
    found: dict[str, list[Item]] = {}
    for number, cells in rows:
        made = _item(source.name, number, cells, columns, kind, language, problems)
        if made is not None:
            found.setdefault(made.sentence.language, []).append(made)
    if not found:
        raise InputError(f"{source.name} has no usable row; give {FORMATS}")
    return [Dataset(source.name, tag, tuple(items)) for tag, items in found.items()]


def _rows(source: Source, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row: tabs separate where the first line has one, else commas with quotes."""
    lines = enumerate(read_lines(source, problems=problems), start=1)
    numbered = ((number, line) for number, line in lines if line and line.strip())
    first = next(numbered, None)
    if first is None:
        return
    if "\t" in first[1]:
        yield first[0], first[1].split("\t")
        for number, line in numbered:
            yield number, line.split("\t")
        return
    # A quoted cell may hold line breaks, so the reader says which line it is at.
    reader = csv.reader(f"{line}\n" for line in [first[1], *(line for _, line in numbered)])
    for cells in reader:
        yield reader.line_num, cells


def _columns(
    name: str, kind: Kind, rows: Iterator[tuple[int, list[str]]]
) -> tuple[_Columns, Iterator[tuple[int, list[str]]]]:
    """Where the columns stand, by the header if there is one, and the rows below it.

    Raises:
        InputError: a header that lacks a column, or too few columns.
    """
    first = next(rows, None)
    if first is None:
        raise InputError(f"{name} has no usable row; give {FORMATS}")
    heads = [cell.strip().casefold() for cell in first[1]]
    places = {key: next((n for n, head in enumerate(heads) if head in names), -1) for key, names in NAMES.items()}
    pair = kind is not Kind.CLASS
    if (places["text"] >= 0 and places["label"] >= 0) or sum(place >= 0 for place in places.values()) > 1:
        for key in ("text", "label", *["other"] * pair):
            if places[key] < 0:
                raise InputError(
                    f"{name} has a header without a column {NAMES[key][0]!r}; valid: {', '.join(NAMES[key])}"
                )
        return _Columns(places["text"], places["other"] if pair else -1, places["label"], places["id"],
                        places["lang"]), rows  # fmt: skip
    if len(heads) < 2 + pair:
        raise InputError(f"{name}:{first[0]}: {len(heads)} column(s) where {2 + pair} are needed; give {FORMATS}")

    def all_rows() -> Iterator[tuple[int, list[str]]]:
        """The first row is one of them."""
        yield first
        yield from rows

    return _Columns(0, 1 if pair else -1, 2 if pair else 1), all_rows()


def _item(
    name: str, number: int, cells: Sequence[str], columns: _Columns, kind: Kind, language: str | None,
    problems: Problems,
) -> Item | None:  # fmt: skip
    """One row, or None and a warning."""
    needed = max(columns.text, columns.other, columns.label)
    if len(cells) <= needed:
        problems.add(name, number, f"{len(cells)} column(s) where {needed + 1} are needed; the row is left out")
        return None
    texts = [cells[at].strip() for at in (columns.text, columns.other) if at >= 0]
    said = cells[columns.label].strip()
    if not all(texts) or not said:
        problems.add(name, number, "an empty text or label; the row is left out")
        return None
    score = as_score(said) if kind is Kind.SCORE else None
    if kind is Kind.SCORE and score is None:
        problems.add(name, number, f"the score {excerpt(said, 20)} is no finite number; the row is left out")
        return None
    column = cells[columns.lang].strip() if 0 <= columns.lang < len(cells) else ""
    tag = known_tag(column) or language or identify(" ".join(texts)).tag
    sides = [split(text, tag) for text in texts]
    label = cells[columns.id].strip() if 0 <= columns.id < len(cells) else ""
    return Item(
        label or str(number), sides[0], said if score is None else score, sides[1] if len(sides) > 1 else None,
        f"{name}:{number}",
    )  # fmt: skip
