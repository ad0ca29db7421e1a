"""FreeDict dictionaries in the format of dictd: `X.index` says where each entry of `X.dict` or `X.dict.dz` stands.

An entry is text for people, made from TEI: a line with the headword, its pronunciation and part of speech, then the
senses. Only what is surely a translation is taken; definitions, examples, notes and references are not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.errors import InputError
from analysis.text.languages import normalise_tag
from analysis.text.lines import Source, opened, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.wordlist import Entry, Languages, ReadEntries, agreed, two_letters

_DIGITS = {char: n for n, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_ENDINGS = (".index", ".dict.dz", ".dict")
_HEADER = ("00-database", "00database")
_NAMED = re.compile(r"(?:freedict-|fd-)?([a-z]{2,3})-([a-z]{2,3})$")
_NOTE = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\([^()]*\)|\{[^{}]*\}")
_PRONUNCIATION = re.compile(r"(?:^|(?<=\s))/+[^/]*/+(?=[\s,;]|$)")
_SENSE = re.compile(r"\s*\d{1,2}\.(?=\s|$)")
_NEXT_SENSE = re.compile(r"\s\d{1,2}\.$")
_LABEL = re.compile(r"[^\W\d][\w ]{0,24}:(\s|$)")
_BETWEEN = re.compile(r"[;,،؛、，；]")
_BRACKETS = re.compile(r"[<>\[\](){}]")
_LICENCE = re.compile(r"(GNU [\w ]*General Public Licen[sc]e|Creative Commons [\w -]+|CC[ -]BY[\w .-]*)", re.IGNORECASE)
_DEFINITION = 4  # words in something that ends like a sentence


@dataclass
class _Place:
    """One entry of the dict file: its first line in the index and the headwords that lead to it."""

    line: int
    words: list[str] = field(default_factory=list)


def is_dictd(name: str) -> bool:
    """Whether a file is one of the two of a dictd dictionary, by its ending or because the index lies beside it."""
    return name.endswith((".index", ".dict.dz")) or Path(f"{_stem(name)}.index").is_file()


def read_dictd(name: str, given: Languages | None, problems: Problems) -> ReadEntries:
    """The translations of a dictd dictionary.

    Args:
        name: either of its two files, or their path without the ending.
        given: the languages the caller named; a file name that says them (`eng-deu`) holds.
        problems: takes a note of index lines that do not parse, and of how many entries have no translation.

    Raises:
        InputError: one of the two files is missing or cannot be read.
    """
    stem = _stem(name)
    index = Source.of(f"{stem}.index")
    data = _data(stem)
    places: dict[tuple[int, int], _Place] = {}
    for number, line in enumerate(read_lines(index, problems=problems, bad_share=1.0), start=1):
        if line and line.strip():
            _note_place(line, number, len(data), places, index.name, problems)
    found: dict[Entry, None] = {}
    about: dict[str, str] = {}
    silent = 0
    for (offset, length), place in places.items():
        try:
            text = data[offset : offset + length].decode("utf-8")
        except UnicodeDecodeError:
            problems.add(index.name, place.line, f"the entry of {excerpt(place.words[0])} is not UTF-8; it is left out")
            continue
        if place.words[0].startswith(_HEADER):
            about[place.words[0].replace("-", "").removeprefix("00database")] = text
            continue
        entries = parse_entry(text, place.words)
        silent += not entries
        found |= dict.fromkeys(entries)
    if silent:
        problems.add(index.name, 0, f"{silent:,} entries have no translation that can be read; they are left out")
    licence = _LICENCE.search(about.get("info", ""))
    languages = agreed(given, _languages(stem), index.name, problems)
    return ReadEntries(tuple(found), languages, _title(about.get("short", "")), licence[0] if licence else "")


def parse_entry(text: str, listed: Sequence[str]) -> list[Entry]:
    """The (headword, translation) pairs of one entry.

    Args:
        text: the entry, the headword on its first line.
        listed: the headwords the index has for it, which may be spelled without capitals and punctuation.

    Returns:
        Every headword with every translation; a translation of several words stays as it is.
    """
    first, *body = [line for line in text.splitlines() if line.strip()] or [""]
    senses = [line for line in body if _SENSE.match(line)]
    words: list[str] = []
    for line in senses or body:
        words += _translations(line)
        # What follows the translations of an only sense is its definition.
        if words and not senses:
            break
    return [(head, word) for head in _headwords(first, listed) for word in dict.fromkeys(words)]


def _headwords(line: str, listed: Sequence[str]) -> list[str]:
    """The headwords as the entry spells them, or as the index does where the entry's cannot be told apart."""
    plain = _plain(_PRONUNCIATION.sub(" ", line))
    known = {_letters(word) for word in listed}
    for candidates in ([plain], _BETWEEN.split(plain)):
        found = [word for word in map(_tidy, candidates) if word and _letters(word) in known]
        if found:
            return found
    return [word for word in map(_tidy, listed) if word]


def _translations(line: str) -> list[str]:
    """The translations on the line of a sense."""
    line = _SENSE.sub("", line, count=1).strip()
    if line.startswith(('"', "“", "„")) or _LABEL.match(_plain(line)):
        return []
    return [word for word in map(_tidy, _BETWEEN.split(_NEXT_SENSE.sub("", _plain(line)))) if word]


def _plain(text: str) -> str:
    """The text without anything in brackets."""
    while (shorter := _NOTE.sub(" ", text)) != text:
        text = shorter
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """A word or phrase, or "" where half a bracket, no letter or the end of a sentence shows that it is none."""
    text = text.strip().strip('"')
    sentence = text.endswith(".") and len(text.split()) >= _DEFINITION
    return "" if sentence or _BRACKETS.search(text) or not any(char.isalnum() for char in text) else text


def _letters(word: str) -> str:
    """What dictd keeps of a headword in an index."""
    return "".join(char for char in word.casefold() if char.isalnum())


def _note_place(
    line: str, number: int, size: int, places: dict[tuple[int, int], _Place], name: str, problems: Problems
) -> None:
    """Add the place that one line of the index names, or note why it names none."""
    cells = line.split("\t")
    if len(cells) not in (3, 4) or not cells[0].strip() or not (cells[1] and cells[2]):
        problems.add(name, number, f"{excerpt(line)} is not `headword, offset, length`; the line is left out")
        return
    if not set(cells[1] + cells[2]) <= set(_DIGITS):
        problems.add(name, number, f"{excerpt(line)} has a number that is not in base 64; the line is left out")
        return
    offset, length = _number(cells[1]), _number(cells[2])
    if offset + length > size:
        problems.add(name, number, f"{excerpt(cells[0])} points past the end of the entries; the line is left out")
        return
    word = cells[3] if len(cells) == 4 and cells[3].strip() else cells[0]
    places.setdefault((offset, length), _Place(number)).words.append(word.strip())


def _number(digits: Iterable[str]) -> int:
    """A number of the index, base 64 with the highest digit first."""
    value = 0
    for digit in digits:
        value = 64 * value + _DIGITS[digit]
    return value


def _data(stem: str) -> bytes:
    """All entries, unpacked; dictzip is gzip with a table in its header.

    Raises:
        InputError: the file is missing or cannot be read.
    """
    paths = [Path(stem + ending) for ending in (".dict.dz", ".dict")]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise InputError(f"{stem}.index has no {paths[1].name} or {paths[0].name} beside it; keep the two together")
    with opened(Source.of(found)) as stream:
        return stream.read()


def _stem(name: str) -> str:
    """The path without the ending of either file."""
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return name.removesuffix(ending)


def _languages(stem: str) -> Languages | None:
    """The languages in the name of a dictionary, `eng-deu` or `freedict-eng-deu`."""
    match = _NAMED.match(Path(stem).name)
    return (normalise_tag(two_letters(match[1])), normalise_tag(two_letters(match[2]))) if match else None


def _title(text: str) -> str:
    """The name a dictionary gives itself: the last line of its entry on that, without white space around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
