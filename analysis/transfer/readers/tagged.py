"""Words with tags: CoNLL-U, and files of one word a line with blank lines between sentences."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.transfer.item import Dataset, Item
from analysis.transfer.readers.spoken import named_language
from analysis.transfer.tagging_metrics import to_iob2

SPANS = ("ner", "slot")  # columns whose tags are spans: B-PER I-PER O
FORMATS = (
    "CoNLL-U, or a word and its tag a line (columns separated by tabs or spaces) and a blank line after a sentence"
)
_CONLLU = {"form": 1, "lemma": 2, "upos": 3, "xpos": 4, "feats": 5, "deprel": 7, "deps": 8, "misc": 9}
_NUMBER = re.compile(r"\d{1,9}")
_NO_WORD = re.compile(r"\d{1,9}(-|\.)\d{1,9}")
_SAMPLE = 2000  # rows that decide about the columns
Block = list[tuple[int, str | None]]


@dataclass(frozen=True)
class _Format:
    """How a file is read.

    Attributes:
        tabs: whether tabs separate its columns, else white space.
        width: number of columns.
        conllu: whether it is CoNLL-U.
        word, tag: the columns of the word and of its tag.
        spans: whether the tags are spans.
        feats: whether `_` is a tag, and not its absence.
    """

    tabs: bool
    width: int
    conllu: bool
    word: int
    tag: int
    spans: bool
    feats: bool

    def cells(self, line: str) -> list[str]:
        """The columns of a row."""
        return line.split("\t") if self.tabs else line.split()


def read_tagged(source: Source, column: str, language: str | None, problems: Problems) -> list[Dataset]:
    """The sentences of a file with a tag for every word.

    In CoNLL-U the words are the syntactic ones: tags belong to them, and not to the surface token of 3-4 im. A
    sentence is its words joined by spaces, in either format, since a file of words does not say where text has none.

    Args:
        source: the file.
        column: the column of a CoNLL-U file (`upos`, `xpos`, `feats` ...); `ner` or `slot` for tags of spans, which
            stand in the last column of any file that holds nothing but such tags and come back as IOB2.
        language: of the file; None takes it from the file's name (`de_gsd-ud-dev.conllu`, `dev-de.tsv`), else from
            the text.
        problems: told each row that cannot be used; it costs its sentence.

    Raises:
        InputError: no tagged text, or no usable sentence.
    """
    items = tagged_items(source, column, "und", problems)
    tag = language or named_language(source.name, [item.sentence.text for item in items[:200]], problems)
    made = (Item(one.id, Sentence(one.sentence.text, tag, one.sentence.spans), one.label, where=one.where)
            for one in items)  # fmt: skip
    return [Dataset(source.name, tag, tuple(made))]


def tagged_items(
    source: Source, column: str, language: str, problems: Problems, name: Callable[[int], str] = str
) -> list[Item]:
    """The sentences of a file whose language is known; see `read_tagged`.

    Args:
        source: the file.
        column: as for `read_tagged`.
        language: tag of all sentences.
        problems: told each row that cannot be used.
        name: gives the id of the n-th sentence of the file, which counts bad ones, so that parallel files agree.

    Raises:
        InputError: no tagged text, or no usable sentence.
    """
    blocks = list(_blocks(source, problems))
    how = _format(source.name, blocks, column)
    items = []
    number = 0
    for block in blocks:
        rows = [row for row in block if row[1] is None or not _passed_over(row[1], how)]
        if not rows:
            continue
        number += 1
        try:
            words, tags = _sentence(rows, how)
        except _BadRowError as error:
            problems.add(source.name, error.line, f"{error}; its sentence is left out")
            continue
        items.append(
            Item(name(number), Sentence.from_words(words, language), tags, where=f"{source.name}:{block[0][0]}")
        )
    if not items:
        raise InputError(f"{source.name} has no usable sentence; see the warnings, or give {FORMATS}")
    return items


class _BadRowError(InputError):
    """A row that spoils its sentence."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _blocks(source: Source, problems: Problems) -> Iterator[Block]:
    """Number and text of the lines of each block between blank lines."""
    block: Block = []
    for number, line in enumerate(chain(read_lines(source, problems=problems), [""]), start=1):
        if line is None or line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []


def _format(name: str, blocks: Sequence[Block], column: str) -> _Format:
    """How most rows of a file want to be read.

    Raises:
        InputError: fewer than two columns, no such column, or span tags where they are not asked for or the reverse.
    """
    lines = [line for block in blocks for _, line in block if line is not None]
    sample = [one for one in lines if not one.startswith(("# ", "-DOCSTART-"))][:_SAMPLE]
    tabs = sum("\t" in one for one in sample) * 2 > len(sample)
    rows = [one.split("\t") if tabs else one.split() for one in sample]
    width = Counter(len(cells) for cells in rows).most_common(1)[0][0] if rows else 0
    if width < 2:
        raise InputError(f"{name} holds no tagged words: most lines have {width} column(s); give {FORMATS}")
    rows = [cells for cells in rows if len(cells) == width]
    conllu = tabs and width == 10 and sum(cells[0][:1].isdigit() for cells in rows) * 2 > len(rows)
    spans = column in SPANS
    if conllu and not spans:
        if column not in _CONLLU:
            raise InputError(f"CoNLL-U has no column {column!r}; valid: {', '.join(_CONLLU)}")
        return _Format(tabs, width, True, 1, _CONLLU[column], False, column in ("feats", "misc"))
    word = int(conllu or (width > 2 and _counted(blocks, tabs)))
    tag = _span_column(name, rows, word) if spans else width - 1
    if not spans and any(cells[tag].startswith("B-") for cells in rows):
        raise InputError(f"{name} has tags of spans such as B-PER in its last column; use task ner or slots for it")
    return _Format(tabs, width, conllu, word, tag, spans, False)


def _counted(blocks: Sequence[Block], tabs: bool) -> bool:
    """Whether the first column numbers the words of each sentence from 0 or 1; most sentences decide."""
    said = []
    for block in blocks[:50]:
        rows = [line.split("\t" if tabs else None) for _, line in block if line and not line.startswith("# ")]
        heads = [cells[0] for cells in rows if cells]
        if heads and heads[0] != "-DOCSTART-":
            said.append(any(heads == [str(n + start) for n in range(len(heads))] for start in (0, 1)))
    return sum(said) * 2 > len(said)


def _span_column(name: str, rows: Sequence[list[str]], word: int) -> int:
    """The last column in which nearly every cell is a tag of a span.

    Raises:
        InputError: there is none.
    """
    for at in range(len(rows[0]) - 1, word, -1):
        if sum(to_iob2([cells[at].strip()]) is not None for cells in rows) >= 0.9 * len(rows):
            return at
    raise InputError(f"{name} has no column of tags such as B-PER, I-PER and O; give {FORMATS}")


def _passed_over(line: str, how: _Format) -> bool:
    """Whether a line is a comment or the mark of a new document; a word `#` has the columns and the tag of one."""
    if line.startswith("-DOCSTART-"):
        return True
    if not line.startswith("#"):
        return False
    cells = how.cells(line)
    return how.conllu or len(cells) != how.width or (how.spans and to_iob2([cells[how.tag].strip()]) is None)


def _sentence(rows: Block, how: _Format) -> tuple[list[str], tuple[str, ...]]:
    """Words and tags of one sentence.

    Raises:
        _BadRowError: a row that cannot be read.
    """
    words, tags = [], []
    for number, line in rows:
        if line is None:
            raise _BadRowError(number, "a line that is not UTF-8")
        cells = how.cells(line)
        if len(cells) != how.width:
            raise _BadRowError(number, f"{len(cells)} column(s) where the file has {how.width}: {excerpt(line)}")
        if how.conllu and _NO_WORD.fullmatch(cells[0]):  # a surface token of several words, or an empty node
            continue
        if how.conllu and not _NUMBER.fullmatch(cells[0]):
            raise _BadRowError(number, f"{excerpt(cells[0])} is not a word number")
        word, tag = cells[how.word], cells[how.tag].strip()
        if not word or not tag or (tag == "_" and not how.feats):
            raise _BadRowError(number, f"no word or no tag: {excerpt(line)}")
        if how.spans and to_iob2([tag]) is None:
            raise _BadRowError(number, f"{excerpt(tag)} is no tag such as B-PER, I-PER or O")
        words.append(word)
        tags.append(tag)
    if not words:
        raise _BadRowError(rows[0][0], "a sentence without words")
    return words, (to_iob2(tags) or ()) if how.spans else tuple(tags)
