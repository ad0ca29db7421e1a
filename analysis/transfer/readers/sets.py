"""The public sets as labelled text: `set:NAME:LANGS:SPLIT`, language by language."""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.text.lines import read_lines
from analysis.text.problems import Problems
from analysis.text.scored_file import as_score
from analysis.text.segment import split
from analysis.transfer.item import Dataset, Item
from analysis.transfer.task import LabelledSet


def tags_in(pattern: Callable[[str], str]) -> Callable[[Path, str], list[str]]:
    """The languages of a split by its file names; `pattern(split)` is a regular expression with the tag as group."""

    def languages(folder: Path, part: str) -> list[str]:
        """English first."""
        found = {match[1] for path in folder.iterdir() if (match := re.fullmatch(pattern(part), path.name))}
        return sorted(found, key=lambda tag: (tag != "en", tag))

    return languages


def lines_of(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Number and text of each line of a file, packed or not."""
    for number, line in enumerate(read_lines(path, problems=problems), start=1):
        if line:
            yield number, line


def _sib200(folder: Path, language: str, part: str, problems: Problems) -> Dataset:
    """index_id, category and text below a header; a row's id is the same in all languages."""
    path = folder / f"{language}.{part}.tsv.gz"
    items = []
    for number, line in lines_of(path, problems):
        cells = line.split("\t")
        if number == 1:
            continue
        if len(cells) != 3 or not (cells[1] and cells[2].strip()):
            problems.add(path.name, number, "no id, topic and text between tabs; the row is left out")
            continue
        items.append(Item(cells[0], split(cells[2].strip(), language), cells[1], where=f"{path.name}:{number}"))
    return Dataset(f"set:sib200:{language}:{part}", language, tuple(items))


def _xnli(folder: Path, language: str, part: str, problems: Problems) -> Dataset:
    """Premise, hypothesis and label; a premise stands on three lines, and dev-a has the even premises."""
    path = folder / f"dev-{language}.tsv.gz"
    items = []
    for number, line in lines_of(path, problems):
        cells = line.split("\t")
        even = (number - 1) // 3 % 2 == 0
        if part != "dev" and even != (part == "dev-a"):
            continue
        if len(cells) != 3 or not all(cell.strip() for cell in cells):
            problems.add(path.name, number, "no premise, hypothesis and label between tabs; the row is left out")
            continue
        sides = [split(text.strip(), language) for text in cells[:2]]
        items.append(Item(str(number), sides[0], cells[2].strip(), sides[1], f"{path.name}:{number}"))
    return Dataset(f"set:xnli:{language}:{part}", language, tuple(items))


def _stsb(folder: Path, language: str, part: str, problems: Problems) -> Dataset:
    """Two sentences and a score from 0 to 5."""
    path = folder / f"stsb-{language}-{part}.csv.gz"
    rows = csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode("utf-8"), newline=""))
    items = []
    for number, cells in enumerate(rows, start=1):
        score = as_score(cells[2]) if len(cells) == 3 else None
        if score is None or not (cells[0].strip() and cells[1].strip()):
            problems.add(path.name, number, "no two sentences with a score; the row is left out")
            continue
        sides = [split(text.strip(), language) for text in cells[:2]]
        items.append(Item(str(number), sides[0], score, sides[1], f"{path.name}:{number}"))
    return Dataset(f"set:stsb_multi:{language}:{part}", language, tuple(items))


SIB200 = LabelledSet(tags_in(lambda part: rf"(\w+)\.{part}\.tsv\.gz"), _sib200, ("train", "dev", "test"))
XNLI = LabelledSet(tags_in(lambda part: r"dev-(\w+)\.tsv\.gz"), _xnli, ("dev", "dev-a", "dev-b"))
STSB = LabelledSet(tags_in(lambda part: rf"stsb-(\w+)-{part}\.csv\.gz"), _stsb, ("train", "dev", "test"))
