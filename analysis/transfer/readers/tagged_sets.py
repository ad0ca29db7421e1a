"""The public sets of tagged words: `set:udpos`, `set:ner_wikineural` and `set:ud_ewt`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from analysis.errors import InputError
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.item import Dataset
from analysis.transfer.readers.sets import tags_in
from analysis.transfer.readers.tagged import tagged_items
from analysis.transfer.task import LabelledSet

Names = Mapping[str, str]


def _read(name: str, files: Names, column: str, folder: Path, language: str, part: str, problems: Problems) -> Dataset:
    """One language of a set.

    The sets are not multi-way: the third sentence of two languages is not the same one, so an id names its language.

    Args:
        name: of the set.
        files: name of the file of each split, with {} for the language.
        column: of the tags.
        folder: of the set.
        language: its tag.
        part: the split.
        problems: told each row that cannot be used.
    """
    path = folder / files[part].format(language)
    called = f"set:{name}:{language}:{part}"
    try:
        items = tagged_items(Source(path.name, path), column, language, problems, lambda n: f"{language}:{n}")
    except InputError as error:  # costs the language, not the set
        problems.add(path.name, 0, str(error))
        items = []
    return Dataset(called, language, tuple(items))


def _set(name: str, files: Names, column: str, language: str = r"(\w+)") -> LabelledSet:
    """A set by the names of its files."""
    patterns = {part: file.replace(".", r"\.").format(language) for part, file in files.items()}
    return LabelledSet(tags_in(patterns.__getitem__), partial(_read, name, files, column), tuple(files))


UDPOS = _set("udpos", {"train": "train-{}.tsv.gz", "dev": "dev-{}.tsv.gz"}, "upos")
WIKINEURAL = _set("ner_wikineural", {"train": "{}.val_as_train.conllu.gz", "test": "{}.test.conllu.gz"}, "ner")
EWT = _set(
    "ud_ewt",
    {"train": "{}_ewt-train-subset.conllu.gz", "dev": "{}_ewt-ud-dev.conllu.gz", "test": "{}_ewt-ud-test.conllu.gz"},
    "upos",
)
