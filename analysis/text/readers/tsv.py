"""TSV: a header of language codes, then a cell for each language; no quoting."""

from collections.abc import Iterator, Sequence

from analysis.errors import InputError
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import Reader, Row, only_source, read_header, table_row


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each line below the header; blank lines are passed over.

    Raises:
        InputError: not one readable text file, or the first line names no (wanted) language.
    """
    source = only_source(sources, "tsv")
    lines = enumerate(read_lines(source, problems=problems), start=1)
    first = next(lines)[1] or ""
    header = read_header(first.split("\t"), languages)
    if header is None:
        wanted = f" among {', '.join(languages)}" if languages else ""
        raise InputError(
            f"{source.name}: the first line {excerpt(first)} names no language{wanted}; "
            "begin with a header of language codes such as en<TAB>de"
        )
    for number, line in lines:
        if line is not None and line.strip():
            row = table_row(line.split("\t"), header, number, source.name, problems)
            if row is not None:
                yield row


SPEC = Reader(
    "tsv", "TSV table", ("tsv", "tab"), "A header of language codes, then one row a line, tabs between.", read
)
