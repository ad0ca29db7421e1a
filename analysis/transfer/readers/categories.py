"""The categories of a bundled corpus as labels: `corpus:NAME:train` and `corpus:NAME:test`."""

from zlib import crc32

from analysis.errors import InputError, unknown
from analysis.registry import find
from analysis.text.problems import Problems
from analysis.transfer.item import Dataset, Item, Kind
from analysis.transfer.task import Task

PARTS = ("train", "test")
TESTED = 5  # one row of so many is for testing


def read_categories(name: str, task: Task, problems: Problems) -> list[Dataset]:
    """The rows of a corpus with categories, in every language it has.

    A row is for testing or for training by a hash of its id, so it is the same in all languages and for ever.

    Args:
        name: `corpus:NAME:PART` or `corpus:NAME:PART:LANGS`.
        task: must ask for one label of a text.
        problems: not used; the corpora are whole.

    Raises:
        InputError: no such corpus, part or language, a corpus without categories, or a task of another kind.
    """
    parts = name.split(":")
    if len(parts) not in (3, 4) or parts[2] not in PARTS:
        raise InputError(f"{name!r} is not corpus:NAME:train or corpus:NAME:test; for example corpus:cldr:train:en")
    if task.kind is not Kind.CLASS:
        raise InputError(f"{name} has a category a row, which task {task.name} does not ask for; valid: categories")
    corpus = find("corpora", parts[1]).load()
    if not corpus.categories:
        raise InputError(f"corpus {parts[1]} has no categories; valid: cldr")
    rows = [
        row for row, label in enumerate(corpus.row_ids)
        if (crc32(label.encode()) % TESTED == 0) == (parts[2] == "test")
    ]  # fmt: skip
    tags = parts[3].split(",") if len(parts) == 4 and parts[3] != "all" else corpus.languages
    found = []
    for tag in tags:
        if tag not in corpus.languages:
            raise unknown(f"language of {name}", tag, corpus.languages)
        items = [
            Item(corpus.row_ids[row], corpus.rows[row][tag], corpus.categories[row], where=f"{name}:{row + 1}")
            for row in rows if tag in corpus.rows[row]
        ]  # fmt: skip
        found.append(Dataset(name, tag, tuple(items)))
    return sorted(found, key=lambda one: one.language != "en")
