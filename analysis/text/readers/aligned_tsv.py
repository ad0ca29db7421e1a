"""Word-aligned TSV: source words, target words and links, without a header."""

from collections.abc import Iterator, Sequence

from analysis.errors import InputError
from analysis.text.lines import Source, read_lines
from analysis.text.pharaoh import parse_links
from analysis.text.problems import Problems
from analysis.text.rows import Reader, Row, name_sides, only_source
from analysis.text.segment import split_pretokenised


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each line `source words<TAB>target words<TAB>links`, 0-based, `i-j` sure, `ipj` possible.

    Raises:
        InputError: not one readable text file.
    """
    source = only_source(sources, "aligned_tsv")
    numbered = enumerate(read_lines(source, problems=problems), start=1)
    cells = ((number, line.split("\t")) for number, line in numbered if line is not None)
    # Only the two texts have a language; the links follow them.
    tags, rows = name_sides(cells, languages if languages is None else (*languages[:2], "und"))
    for number, texts in rows:
        try:
            yield _row(number, texts, tags)
        except InputError as error:
            problems.add(source.name, number, f"{error}; the row is left out")


def _row(number: int, cells: list[str], tags: tuple[str, ...]) -> Row:
    """One row.

    Raises:
        InputError: it is not two texts and links between words they have.
    """
    if len(cells) != 3 or not cells[0].strip() or not cells[1].strip() or len(tags) < 2:
        raise InputError(f"{len(cells)} cells where source words, target words and links belong")
    left, right = (split_pretokenised(text.strip(), tag) for text, tag in zip(cells[:2], tags[:2], strict=True))
    links = parse_links(cells[2])
    if not links.inside(len(left.spans), len(right.spans)):
        raise InputError(f"a link points past the {len(left.spans)} source or {len(right.spans)} target words")
    return Row(number, {tags[0]: left, tags[1]: right}, links)


SPEC = Reader(
    "aligned_tsv", "Word-aligned TSV", ("align",), "Source words, target words and 0-based links, tabs between.", read
)
