"""Public sets of questions as labelled text."""

from pathlib import Path

from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.item import Dataset
from analysis.transfer.readers.sets import tags_in
from analysis.transfer.readers.squad import read_squad
from analysis.transfer.task import LabelledSet


def _xquad(folder: Path, language: str, part: str, problems: Problems) -> Dataset:
    """The questions of one language; a question has one id in all of them."""
    path = folder / f"xquad.{language}.json.gz"
    found = read_squad(Source(path.name, path), language, problems)
    return Dataset(f"set:xquad:{language}:{part}", language, found.items)


XQUAD = LabelledSet(tags_in(lambda _part: r"xquad\.(\w+)\.json\.gz"), _xquad, ("test",))
