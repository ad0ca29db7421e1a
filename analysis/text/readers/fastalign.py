"""fast_align: `source words ||| target words`, pre-tokenised."""

from collections.abc import Iterator, Sequence

from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import Reader, Row, name_sides, only_source, split_parts
from analysis.text.segment import split_pretokenised


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each line; words are separated by white space, an empty side is left out.

    Raises:
        InputError: not one readable text file.
    """
    source = only_source(sources, "fastalign")
    numbered = enumerate(read_lines(source, problems=problems), start=1)
    parts = ((number, split_parts(line)) for number, line in numbered if line is not None)
    tags, rows = name_sides(parts, languages)
    for number, texts in rows:
        if len(texts) != max(len(tags), 2) or not any(texts):
            message = f"{excerpt(' ||| '.join(texts))} is not `source words ||| target words`; the row is left out"
            problems.add(source.name, number, message)
            continue
        yield Row(number, {tag: split_pretokenised(text, tag) for tag, text in zip(tags, texts, strict=False) if text})


SPEC = Reader(
    "fastalign", "fast_align", ("fa", "src-tgt"), "`source words ||| target words`, words separated by spaces.", read
)
