"""Word lists of two columns: a word and its translation a line, as MUSE, XLing and most others write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.text.languages import known_tag
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import read_header

Entry = tuple[str, str]
Languages = tuple[str, str]
_NAMED = re.compile(r"(?:freedict-|fd-)?([A-Za-z]{2,3})[-_]([A-Za-z]{2,3})(?=\.|$)")
SHOWN = 20  # lines that are named one by one; a file of another kind has thousands
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")


@dataclass(frozen=True)
class ReadEntries:
    """What a file of translations holds.

    Attributes:
        entries: (word, translation) in the order of the file, each once.
        languages: of the two columns, None where neither the caller nor the file says.
        origin: what the file says of where it comes from, or "".
        licence: what it says of its licence, or "".
    """

    entries: tuple[Entry, ...]
    languages: Languages | None
    origin: str = ""
    licence: str = ""


def read_wordlist(name: str, given: Languages | None, problems: Problems) -> ReadEntries:
    """The entries of a file of two columns.

    Columns are separated by tabs where most lines have one, else by white space. A first line of language codes
    names the columns. Further columns are not read; blank lines mean nothing.

    Args:
        name: the file, packed by gzip or not.
        given: the languages the caller named; a file name that says them holds.
        problems: takes a note of each line that does not parse.

    Raises:
        InputError: the file cannot be read or holds a NUL byte.
    """
    source = Source.of(name)
    lines = list(read_lines(source, problems=problems, bad_share=1.0))
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line and line.strip()]
    tabs = 2 * sum("\t" in line for _, line in filled) >= len(filled)
    named = languages_of_name(name)
    at, languages = (0, 1), agreed(given, named, source.name, problems)
    header = read_header(filled[0][1].split("\t" if tabs else None), None) if filled else None
    codes = tuple(header.columns) if header is not None and len(header.columns) == 2 else ()
    if header is not None and codes and set(codes) == set(languages or codes):
        first, second = languages or codes
        at, languages, filled = (header.columns[first], header.columns[second]), (first, second), filled[1:]
    elif codes:  # "it" and "es" are codes and English and German words
        problems.add(source.name, filled[0][0], f"{'-'.join(codes)} is read as an entry, not as a header")
    found: dict[Entry, None] = {}
    bad = 0
    for number, line in filled:
        entry = _entry(line, tabs, at)
        if not isinstance(entry, str):
            found[entry] = None
            continue
        bad += 1
        if bad <= SHOWN:
            problems.add(source.name, number, f"{entry}; the line is left out")
    if bad > SHOWN:
        problems.add(source.name, 0, f"{bad - SHOWN:,} more lines are left out for such reasons")
    return ReadEntries(tuple(found), languages)


def agreed(given: Languages | None, stated: Languages | None, name: str, problems: Problems) -> Languages | None:
    """The languages of the columns: as the file's name states them, else as given; a contradiction is told."""
    if stated and given and set(stated) != set(given):
        problems.add(name, 0, f"is {'-'.join(stated)} by its name, so {'-'.join(given)} does not apply to it")
    return stated or given


def languages_of_name(name: str) -> Languages | None:
    """The languages of a file called `xx-yy.txt`, or None where its name does not start with two known codes."""
    match = _NAMED.match(Path(name).name)
    tags = [known_tag(two_letters(code)) for code in match.groups()] if match else []
    return (tags[0], tags[1]) if len(tags) == 2 and tags[0] and tags[1] else None


def two_letters(code: str) -> str:
    """The shortest code of a language: `deu` and `ger` become `de`; what is not known stays."""
    from babel.core import get_global

    return str(get_global("language_aliases").get(code.lower(), code.lower()))


def _entry(line: str, tabs: bool, at: Sequence[int]) -> Entry | str:
    """The two words of a line, or why there are none."""
    cells = [" ".join(cell.split()) for cell in line.split("\t" if tabs else None)]
    if len(cells) <= max(at):
        return f"{excerpt(line)} has no second column"
    if not tabs and len(cells) > 2 and not (len(cells) == 3 and _NUMBER.fullmatch(cells[2])):
        if "|||" in line:
            return f"{excerpt(line)} is a sentence pair, of which `python -m analysis dictionary --data` makes entries"
        return f"{excerpt(line)} has {len(cells)} words and no tab, so it is not clear which belong together"
    if not cells[at[0]] or not cells[at[1]]:
        return f"{excerpt(line)} has an empty word"
    return cells[at[0]], cells[at[1]]
