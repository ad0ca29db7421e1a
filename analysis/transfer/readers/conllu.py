"""CoNLL-U with trees: the syntactic words, each with its head and relation."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.transfer.item import Dataset, Item, Tree
from analysis.transfer.readers.spoken import named_language, stated_tag

COLUMNS = 10
SAMPLE = 1000  # sentences whose words say the language of a file that does not
_PASSED = re.compile(r"\d+-\d+|\d+\.\d+")  # multiword tokens and empty nodes are no words of the tree
_NUMBER = re.compile(r"[0-9]{1,9}")


class _RowError(Exception):
    """What is wrong with a sentence, and in which line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class _Parsed:
    """A sentence of the file: its number, first line, language where it says one, words and tree."""

    number: int
    line: int
    language: str
    words: tuple[str, ...]
    tree: Tree


def read_trees(source: Source, language: str | None, problems: Problems) -> list[Dataset]:
    """The trees of a file, by language.

    A word is a row with a whole number; multiword tokens and empty nodes are passed over. A row that is not CoNLL-U, a
    head that is no word of the sentence, a cycle, and no or several roots cost the sentence. An item's id is the number
    of its sentence in the file, so parallel treebanks pair.

    Args:
        source: the file, packed or not.
        language: of all sentences; None takes it from a comment `# lang =`, from the file's name (`de_gsd-ud-test`), or
            from the words.
        problems: told each sentence that cannot be used.

    Raises:
        InputError: no usable sentence.
    """
    parsed = list(_parsed(source, problems))
    if not parsed:
        raise InputError(
            f"{source.name} has no usable tree; give a CoNLL-U file: {COLUMNS} columns parted by tabs, a number in "
            "HEAD and a relation in DEPREL, an empty line after each sentence"
        )
    spoken: list[str | None] = [None] * len(parsed)
    if language is None:
        spoken = [stated_tag(one.language, source.name, one.line, problems) for one in parsed]
    usual = language
    if usual is None and not all(spoken):
        usual = named_language(source.name, [" ".join(one.words) for one in parsed[:SAMPLE]], problems)
    found: dict[str, list[Item]] = {}
    for one, own in zip(parsed, spoken, strict=True):
        tag = language or own or usual or "und"
        item = Item(str(one.number), Sentence.from_words(one.words, tag), one.tree, where=f"{source.name}:{one.line}")
        found.setdefault(tag, []).append(item)
    return [Dataset(source.name, tag, tuple(items)) for tag, items in found.items()]


def _parsed(source: Source, problems: Problems) -> Iterator[_Parsed]:
    """The sentences that can be used."""
    block: list[tuple[int, str | None]] = []
    count = 0
    for number, line in enumerate(chain(read_lines(source, problems=problems), [""]), start=1):
        if line is None or line.strip():
            block.append((number, line))
            continue
        if any(text is None or not text.startswith("#") for _, text in block):
            count += 1
            try:
                yield _sentence(count, block)
            except _RowError as error:
                problems.add(source.name, error.line, f"{error}; the sentence is left out")
        block = []


def _sentence(number: int, block: Sequence[tuple[int, str | None]]) -> _Parsed:
    """One sentence.

    Raises:
        _RowError: what is wrong, and where.
    """
    start, language = block[0][0], ""
    words: list[str] = []
    heads: list[int] = []
    relations: list[str] = []
    lines: list[int] = []
    for line, text in block:
        if text is None:
            raise _RowError(line, "a line of the sentence is not UTF-8")
        if text.startswith("#"):
            key, _, value = text[1:].partition("=")
            language = value.strip() if key.strip() == "lang" else language
            continue
        row = _row(line, text, len(words) + 1)
        if row is not None:
            words.append(row[0])
            heads.append(row[1])
            relations.append(row[2])
            lines.append(line)
    _check(start, lines, heads)
    return _Parsed(number, start, language, tuple(words), Tree(tuple(heads), tuple(relations)))


def _check(start: int, lines: Sequence[int], heads: Sequence[int]) -> None:
    """Refuse heads that are no tree.

    Raises:
        _RowError: what is wrong, and where.
    """
    if not heads:
        raise _RowError(start, "a sentence without words")
    for line, head in zip(lines, heads, strict=True):
        if head > len(heads):
            raise _RowError(line, f"head {head} is no word of the sentence, which has {len(heads)}")
    roots = heads.count(0)
    if roots != 1:
        raise _RowError(start, f"{roots} words have head 0 where one is the root")
    if not is_tree(heads):
        raise _RowError(start, "the heads go round in a cycle")


def _row(line: int, text: str, expected: int) -> tuple[str, int, str] | None:
    """Form, head and relation of a word; None for a row that is no word.

    Raises:
        _RowError: a row that is not CoNLL-U.
    """
    cells = text.split("\t")
    if len(cells) != COLUMNS:
        raise _RowError(line, f"{len(cells)} columns where CoNLL-U has {COLUMNS}: {excerpt(text)}")
    label, form, head, relation = cells[0], cells[1].strip(), cells[6], cells[7].strip()
    if _PASSED.fullmatch(label):
        return None
    if label != str(expected):
        raise _RowError(line, f"word number {excerpt(label)} where {expected} is due")
    if not form:
        raise _RowError(line, f"word {label} has no form")
    if not _NUMBER.fullmatch(head):
        raise _RowError(line, f"head {excerpt(head)} of word {label} is not a number")
    if relation in ("", "_"):
        raise _RowError(line, f"word {label} has no relation")
    return form, int(head), relation


def is_tree(heads: Sequence[int]) -> bool:
    """Whether every word hangs below the root, which is 0; heads are numbers of words counted from 1."""
    sound = {0}
    for word in range(1, len(heads) + 1):
        path: list[int] = []
        while word not in sound:
            if word in path:
                return False
            path.append(word)
            word = heads[word - 1]
        sound.update(path)
    return True
