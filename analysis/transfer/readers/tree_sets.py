"""Public treebanks as labelled text."""

from pathlib import Path

from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.item import Dataset
from analysis.transfer.readers.conllu import read_trees
from analysis.transfer.readers.sets import tags_in
from analysis.transfer.task import LabelledSet

_EWT = {"train": "train-subset", "dev": "ud-dev", "test": "ud-test"}


def _ewt(folder: Path, language: str, part: str, problems: Problems) -> Dataset:
    """The trees of a split; train is the subset that the folder's README describes."""
    path = folder / f"{language}_ewt-{_EWT[part]}.conllu.gz"
    (found,) = read_trees(Source(path.name, path), language, problems)
    return Dataset(f"set:ud_ewt:{language}:{part}", language, found.items)


UD_EWT = LabelledSet(tags_in(lambda part: rf"(\w+)_ewt-{_EWT[part]}\.conllu\.gz"), _ewt, tuple(_EWT))
