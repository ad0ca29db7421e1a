"""Files of sentence pairs that people have scored: two language columns and a column `score`."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, Relation
from analysis.text.languages import known_tag, normalise_tag, pairs_of
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import is_row_name
from analysis.text.segment import split

SCORE = "score"
SIDES = ("source", "target")
FORMATS = "a header such as en<TAB>de<TAB>score (or source<TAB>target<TAB>score with --langs), or JSON lines with them"
Pair = tuple[str, str]


@dataclass(frozen=True)
class _Cells:
    """One row: where it stands, and its columns in their order."""

    line: int
    names: tuple[str, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True)
class _Wanted:
    """One pair of languages and the columns that hold its two sides."""

    pair: Pair
    columns: tuple[int, int]


def read_scored(source: Source, langs: Pair | None, problems: Problems) -> list[Bitext]:
    """The scored pairs of a TSV, CSV or JSON-lines file.

    Args:
        source: the file; its first line is a header, but in JSON lines, where the keys of the first object are.
        langs: the two languages wanted, or what the columns `source` and `target` are. One language twice takes two
            columns of that name. None for the pairs the header names: of more than two, English with each other.
        problems: takes a note of each row without a text on both sides or without a finite number as its score.

    Raises:
        InputError: unreadable, no `score`, no two languages, or no usable row.
    """
    lines = [(n, line) for n, line in enumerate(read_lines(source, problems=problems), 1) if line and line.strip()]
    if not lines:
        raise InputError(f"{source.name} has no text; valid: {FORMATS}")
    packed = lines[0][1].lstrip().startswith("{")
    rows = list(_objects(lines, source.name, problems) if packed else _table(lines, source.name, problems))
    # Objects come with their keys in any order: the first that has a score decides.
    names = next((row.names for row in rows if SCORE in row.names), ()) if packed else _header(lines[0][1])[0]
    if SCORE not in names:
        raise InputError(f"{source.name}: no column {SCORE} in {excerpt(lines[0][1])}; valid: {FORMATS}")
    wanted = _columns(_languages(names, rows), langs, source.name)
    found = _collect(rows, names, wanted, source.name, problems)
    if not found:
        raise InputError(f"{source.name} has no usable row; see the warnings; valid: {FORMATS}")
    return found


def _header(line: str) -> tuple[tuple[str, ...], str]:
    """The names of the columns, tags in their usual spelling, and what stands between them."""
    names: tuple[str, ...] = ()
    for delimiter in "\t,;":
        cells = _split(line, delimiter) or []
        names = tuple(known_tag(cell) or cell.strip().lower() for cell in cells)
        if SCORE in names and len(names) > 1:
            return names, delimiter
    return names, "\t"


def _split(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line, those of a CSV perhaps in quotes; None where a quote is not closed on the line."""
    if delimiter == "\t":
        return line.split("\t")
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _table(lines: Sequence[tuple[int, str]], name: str, problems: Problems) -> Iterator[_Cells]:
    """The rows below the header."""
    names, delimiter = _header(lines[0][1])
    for number, line in lines[1:]:
        cells = _split(line, delimiter)
        if cells is None or len(cells) != len(names):
            found = "an open quote" if cells is None else f"{len(cells)} columns where the header has {len(names)}"
            problems.add(name, number, f"{found}; the row is left out")
        else:
            yield _Cells(number, names, tuple(cells))


def _objects(lines: Sequence[tuple[int, str]], name: str, problems: Problems) -> Iterator[_Cells]:
    """The objects of a JSON-lines file."""
    for number, line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, Mapping):
            problems.add(name, number, f"no JSON object: {excerpt(line)}; the row is left out")
            continue
        yield _Cells(number, tuple(known_tag(key) or key.strip().lower() for key in value), tuple(value.values()))


def _languages(names: Sequence[str], rows: Sequence[_Cells]) -> list[str]:
    """The names of the columns, "" for those that are no side; a column `id` may name rows and not be Indonesian."""
    first = next((row for row in rows if "id" in row.names), None)
    numbered = first is not None and is_row_name(str(first.values[first.names.index("id")]))
    return [
        name if name in SIDES or (known_tag(name) == name and not (name == "id" and numbered)) else "" for name in names
    ]


def _columns(names: Sequence[str], langs: Pair | None, name: str) -> list[_Wanted]:
    """Which columns make which pair.

    Raises:
        InputError: fewer than two languages, or one that is not there.
    """
    tags = [tag for tag in names if tag and tag not in SIDES]
    sided = all(side in names for side in SIDES)
    if langs is not None:
        pair = (normalise_tag(langs[0]), normalise_tag(langs[1]))
        if sided:
            return [_Wanted(pair, (names.index(SIDES[0]), names.index(SIDES[1])))]
        for tag in pair:
            if tags.count(tag) < pair.count(tag):
                raise unknown(f"language of {name}", tag, tags)
        first = names.index(pair[0])
        return [_Wanted(pair, (first, names.index(pair[1], first + 1 if pair[0] == pair[1] else 0)))]
    if len(tags) < 2:
        remedy = "say which languages source and target are with --langs A-B" if sided else f"valid: {FORMATS}"
        raise InputError(f"{name}: the header names fewer than two languages; {remedy}")
    if len(tags) == 2:
        first = names.index(tags[0])
        return [_Wanted((tags[0], tags[1]), (first, names.index(tags[1], first + 1)))]
    return [_Wanted(pair, (names.index(pair[0]), names.index(pair[1]))) for pair in pairs_of(list(dict.fromkeys(tags)))]


def _collect(
    rows: Sequence[_Cells], names: tuple[str, ...], wanted: Sequence[_Wanted], name: str, problems: Problems
) -> list[Bitext]:
    """A bitext for each pair that has a usable row."""
    kept: dict[Pair, list[tuple[int, str, str, float]]] = {one.pair: [] for one in wanted}
    for row in rows:
        # The keys of JSON objects come in any order; what the first one calls a column decides.
        cells = (
            row.values if row.names == names else [dict(zip(row.names, row.values, strict=True)).get(n) for n in names]
        )
        score = as_score(cells[names.index(SCORE)])
        if score is None:
            message = f"the score {excerpt(str(cells[names.index(SCORE)]))} is no finite number; the row is left out"
            problems.add(name, row.line, message)
            continue
        for one in wanted:
            left, right = (_text(cells[at]) for at in one.columns)
            if left and right:
                kept[one.pair].append((row.line, left, right, score))
            else:
                lacking = "source" if not left else "target"
                problems.add(name, row.line, f"no text on the {lacking} side of {'-'.join(one.pair)}; left out")
    return [_bitext(name, pair, found) for pair, found in kept.items() if found]


def _bitext(name: str, pair: Pair, rows: Sequence[tuple[int, str, str, float]]) -> Bitext:
    """The pairs of two languages."""
    return Bitext(
        name, pair, tuple(split(left, pair[0]) for _, left, _, _ in rows),
        tuple(split(right, pair[1]) for _, _, right, _ in rows),
        row_ids=tuple(str(line) for line, *_ in rows), relation=Relation.SCORED,
        scores=tuple(score for *_, score in rows),
    )  # fmt: skip


def as_score(value: Any) -> float | None:
    """A finite number out of a cell or a JSON value, None for anything else.

    Args:
        value: a string or a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    """A text without white space around it, "" for anything else."""
    return value.strip() if isinstance(value, str) else ""
