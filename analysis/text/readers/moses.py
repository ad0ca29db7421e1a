"""Moses: one file for each language, line N of all files is one row; loose files or a zip."""

import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import zip_longest
from pathlib import PurePath

from analysis.errors import InputError
from analysis.text.languages import known_tag
from analysis.text.lines import MAX_UNPACKED, Source, opened, read_lines
from analysis.text.problems import Problems
from analysis.text.rows import Reader, Row, segment_row

_END = object()


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each line number; languages come from the endings (`news.en`, `news.de.gz`).

    Raises:
        InputError: fewer than two files with a language as ending, or files of different length.
    """
    files = _by_language([part for source in sources for part in _unpack(source)], languages)
    columns: list[Iterator[object]] = [read_lines(source, problems=problems) for source in files.values()]
    name = next(iter(files.values())).name
    for number, items in enumerate(zip_longest(*columns, fillvalue=_END), start=1):
        if any(item is _END for item in items):
            short = [source.name for source, item in zip(files.values(), items, strict=True) if item is _END]
            raise InputError(f"{', '.join(short)}: ends before line {number}; the files of a pair are equally long")
        lines = [item for item in items if isinstance(item, str)]
        if len(lines) < len(files):
            continue
        sentences = segment_row(dict(zip(files, lines, strict=True)))
        if len(sentences) == len(files):
            yield Row(number, sentences)
        elif sentences:
            missing = ", ".join(tag for tag in files if tag not in sentences)
            problems.add(name, number, f"no text in {missing}; the row is left out")


def _unpack(source: Source) -> list[Source]:
    """The files of a zip, or the source itself; nothing is written to disk."""
    if not source.head(4).startswith(b"PK"):
        return [source]
    try:
        with opened(source) as stream, zipfile.ZipFile(BytesIO(stream.read())) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > MAX_UNPACKED:
                raise InputError(f"{source.name} unpacks to more than {MAX_UNPACKED >> 20} MB; split it")
            wanted = [member for member in members if _language(member.filename)]
            return [Source(f"{source.name}/{PurePath(m.filename).name}", data=archive.read(m)) for m in wanted]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise InputError(f"{source.name} is no readable zip ({str(error)[:80]}); pack it again") from None


def _by_language(sources: Sequence[Source], wanted: tuple[str, ...] | None) -> dict[str, Source]:
    """The file of each language, in the order given."""
    files: dict[str, Source] = {}
    for at, source in enumerate(sources):
        # Loose files without a language in their names take the languages in order.
        tag = _language(source.name) or (wanted[at] if wanted and len(wanted) == len(sources) else None)
        if tag is None:
            raise InputError(f"{source.name} does not end in a language code; name the files like news.en and news.de")
        if tag in files:
            raise InputError(f"{source.name} and {files[tag].name} are both {tag}; give one file for each language")
        if wanted is None or tag in wanted:
            files[tag] = source
    if len(files) < 2:
        raise InputError(
            f"{len(files)} files with a wanted language; moses needs two or more, like news.en and news.de"
        )
    return files


def _language(name: str) -> str | None:
    """The language a file name ends in."""
    return known_tag(PurePath(name.removesuffix(".gz")).suffix.removeprefix("."))


SPEC = Reader(
    "moses", "Moses files", ("zip",), "A file for each language, line N of all is one row; loose or as a zip.", read
)
