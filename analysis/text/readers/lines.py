"""Plain text: one sentence a line."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath

from analysis.text.identify import identify_lines
from analysis.text.languages import known_tag
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems
from analysis.text.rows import Reader, Row, only_source
from analysis.text.segment import split

_BLOCK = 1000


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each line that is not blank; its language is given, in the file's ending, or identified.

    Raises:
        InputError: not one readable text file.
    """
    source = only_source(sources, "lines")
    given = languages[0] if languages and len(languages) == 1 else _ending(source.name)
    numbered = enumerate(read_lines(source, problems=problems), start=1)
    filled = ((number, line.strip()) for number, line in numbered if line is not None and line.strip())
    while block := list(islice(filled, _BLOCK)):
        texts = [text for _, text in block]
        tags = [given] * len(block) if given else [guess.tag for guess in identify_lines(texts, languages)]
        for (number, text), tag in zip(block, tags, strict=True):
            yield Row(number, {tag: split(text, tag)})


def _ending(name: str) -> str | None:
    """The language a file name such as `news.sw.gz` ends in."""
    return known_tag(PurePath(name.removesuffix(".gz")).suffix.removeprefix("."))


SPEC = Reader("lines", "Plain text", ("txt",), "One sentence a line, in one language or identified line by line.", read)
