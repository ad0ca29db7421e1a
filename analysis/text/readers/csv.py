"""CSV: a header of language codes, then a cell for each language; quoted cells may hold line breaks."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence

from analysis.errors import InputError
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import Reader, Row, only_source, read_header, table_row

_LONGEST_RECORD = 100  # lines; past that an opened quote is a mistake, not a cell


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each record below the header; blank lines are passed over.

    A quote that is never closed costs its own line, not the rest of the file.

    Raises:
        InputError: not one readable text file, or the first line names no (wanted) language.
    """
    source = only_source(sources, "csv")
    lines = iter(read_lines(source, problems=problems))
    first = next(lines) or ""
    for delimiter in (",", ";", "\t"):
        header = read_header(_cells([first], delimiter) or [], languages)
        if header is not None and (header.width > 1 or delimiter == "\t"):
            break
    if header is None:
        raise InputError(
            f"{source.name}: the first line {excerpt(first)} names no wanted language; "
            "begin with a header of language codes such as en,de"
        )
    for number, cells in _records(lines, delimiter, source.name, problems):
        row = table_row(cells, header, number, source.name, problems)
        if row is not None:
            yield row


def _records(
    lines: Iterator[str | None], delimiter: str, name: str, problems: Problems
) -> Iterator[tuple[int, list[str]]]:
    """The records with the line each starts at; the header was line 1."""
    ahead: deque[str | None] = deque()
    number = 1
    while True:
        _fill(ahead, lines, 1)
        if not ahead:
            return
        number += 1
        line = ahead.popleft()
        if line is None or not line.strip():
            continue
        cells, more = _record(line, ahead, lines, delimiter)
        if cells is None:
            problems.add(
                name, number, f"no CSV record (an open quote or a stray \\r): {excerpt(line)}; the row is left out"
            )
            continue
        yield number, cells
        for _ in range(more):
            ahead.popleft()
        number += more


def _record(
    line: str, ahead: deque[str | None], lines: Iterator[str | None], delimiter: str
) -> tuple[list[str] | None, int]:
    """The cells of the record that starts with this line and how many further lines it takes."""
    cells = _cells([line], delimiter)
    if cells is not None or line.count('"') % 2 == 0:
        return cells, 0
    _fill(ahead, lines, _LONGEST_RECORD)
    # An open cell can end only at a line with an odd number of quotes.
    for more, later in enumerate(ahead, start=1):
        if later is None:
            break
        if later.count('"') % 2:
            return _cells([line, *(text or "" for text in list(ahead)[:more])], delimiter), more
    return None, 0


def _cells(lines: list[str], delimiter: str) -> list[str] | None:
    """The cells of one record, None if its quotes do not close."""
    csv.field_size_limit(2**31 - 1)
    try:
        return next(csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _fill(ahead: deque[str | None], lines: Iterator[str | None], size: int) -> None:
    """Look ahead up to that many lines."""
    while len(ahead) < size:
        try:
            ahead.append(next(lines))
        except StopIteration:
            return


SPEC = Reader(
    "csv", "CSV table", ("csv",), "A header of language codes, then one record a row; commas or semicolons.", read
)
