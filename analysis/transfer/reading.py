"""From a name to the labelled items of each language: sets, corpora, hub datasets and files."""

import zlib
from collections.abc import Sequence
from pathlib import Path

from analysis.alignment.reading import file_language
from analysis.errors import InputError, IsoglossError, unknown
from analysis.text.languages import normalise_tag
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.text.sets import set_folder
from analysis.transfer.item import Dataset, Item, Kind
from analysis.transfer.task import LabelledSet, Task


def read_labelled(
    name: str, task: Task, *, data_dir: str | Path | None = None, problems: Problems | None = None
) -> list[Dataset]:  # fmt: skip
    """The labelled items behind one name.

    Args:
        name: `set:NAME:LANGS:SPLIT` with LANGS one language, `A,B,C` or `all`; `corpus:NAME:train|test` for a task that
            is made of a corpus; `datasets:ID[@CONFIG][:SPLIT]`; or a file, `FILE:LANG` where it does not say its language.
        task: decides the format.
        data_dir: folder of the public sets; ISOGLOSS_DATA by default.
        problems: told each row that cannot be used.

    Returns:
        One dataset a language, in the order asked for; a language of a set without usable row is left out with a
        warning.

    Raises:
        InputError: no such data, data of another kind, or no usable row at all.
    """
    problems = Problems() if problems is None else problems
    if name.startswith("set:"):
        return _of_set(name, task, data_dir, problems)
    if name.startswith("corpus:"):
        from analysis.transfer.readers.categories import read_categories

        return read_categories(name, task, problems)
    if name.startswith("datasets:"):
        from analysis.transfer.readers.hub import read_hub

        return read_hub(name, task, problems)
    path, language = file_language(name)
    return _of_file(Source.of(path), task, language, problems)


def check_labelled(name: str, task: Task, *, data_dir: str | Path | None = None) -> None:
    """Refuse a name behind which there is nothing, before anything is read; what a file holds is not looked at.

    Raises:
        InputError: no such file, set, split or language of a set, or standard input, which a run of its own has not.
    """
    if name.startswith("set:"):
        _asked(name, task, data_dir)
    elif not name.startswith(("corpus:", "datasets:")):
        path = file_language(name)[0]
        if str(path) == "-":
            raise InputError(
                "labelled data cannot come from standard input, which a run of its own has not; give a file"
            )
        if not Path(path).is_file():
            raise InputError(f"no file {str(path)!r}; give FILE[:LANG], set:NAME:LANGS:SPLIT or datasets:ID")


def _asked(name: str, task: Task, data_dir: str | Path | None) -> tuple[LabelledSet, Path, list[str], str, str]:
    """What a name of a public set asks for: the set, its folder, the languages, its name and the split.

    Raises:
        InputError: no such set, split or language.
    """
    parts = name.split(":")
    if len(parts) != 4:
        raise InputError(f"{name!r} is not set:NAME:LANGS:SPLIT; for example {task.train or 'set:sib200:en:train'}")
    _, kind, asked, part = parts
    if kind not in task.sets:
        if not task.sets:
            raise InputError(f"no public set brings task {task.name!r}; give a file")
        raise unknown(f"set of task {task.name}", kind, task.sets)
    known = task.sets[kind]
    if part not in known.splits:
        raise unknown(f"split of set {kind}", part, known.splits)
    folder = set_folder(kind, data_dir)
    here = known.languages(folder, part)
    tags = list(here) if asked == "all" else list(dict.fromkeys(normalise_tag(tag) for tag in asked.split(",")))
    for tag in tags:
        if tag not in here:
            raise unknown(f"language of {name}", tag, here)
    return known, folder, tags, kind, part


def _of_set(name: str, task: Task, data_dir: str | Path | None, problems: Problems) -> list[Dataset]:
    """The items of a public set.

    Raises:
        InputError: no such set, split or language, or nothing usable.
    """
    known, folder, tags, kind, part = _asked(name, task, data_dir)
    found = [one for tag in tags if (one := _language(known, folder, tag, kind, part, problems)) is not None]
    if not found:
        raise InputError(f"{name} has no usable row; see the warnings, or restore the files of {folder}")
    return found


def _language(
    known: LabelledSet, folder: Path, tag: str, kind: str, part: str, problems: Problems
) -> Dataset | None:  # fmt: skip
    """One language of a set; None and a warning where it has no usable row or its file is broken."""
    label = f"set:{kind}:{tag}:{part}"
    try:
        one = known.read(folder, tag, part, problems)
    except (InputError, OSError, EOFError, ValueError, zlib.error) as error:
        problems.add(label, 0, f"{' '.join(str(error).split())}; the language is left out")
        return None
    if not len(one):
        problems.add(label, 0, f"{tag} has no usable row; the language is left out")
        return None
    return one


def _of_file(source: Source, task: Task, language: str | None, problems: Problems) -> list[Dataset]:
    """The items of a file in the format of the task's kind."""
    if task.kind is Kind.SPAN:
        from analysis.transfer.readers.squad import read_squad

        return [read_squad(source, language, problems)]
    if task.kind is Kind.TREE:
        from analysis.transfer.readers.conllu import read_trees

        return read_trees(source, language, problems)
    if task.kind is Kind.TAGS:
        from analysis.transfer.readers.tagged import read_tagged

        return read_tagged(source, task.column, language, problems)
    from analysis.transfer.readers.table import read_table

    return read_table(source, task.kind, language, problems)


def read_all(
    names: Sequence[str], task: Task, *, data_dir: str | Path | None = None, problems: Problems
) -> tuple[list[Dataset], list[str]]:
    """All datasets of some names, two of one language joined; a name that cannot be read does not cost the others.

    What is named twice counts once.

    Returns:
        The datasets, and one line for each name that could not be read.
    """
    found: dict[str, Dataset] = {}
    failed = []
    for name in dict.fromkeys(names):
        try:
            parts = read_labelled(name, task, data_dir=data_dir, problems=problems)
        except IsoglossError as error:
            failed.append(str(error))
            continue
        for one in parts:
            before = found.get(one.language)
            found[one.language] = one if before is None else _joined(before, one, problems)
    return list(found.values()), failed


def _joined(one: Dataset, other: Dataset, problems: Problems) -> Dataset:
    """Two datasets of one language as one; an item that both have counts once, other items of one id are told apart."""
    from dataclasses import replace

    taken = {item.id for item in one.items}
    known = {_content(item) for item in one.items}
    new = [item for item in other.items if _content(item) not in known]
    if len(new) < len(other.items):
        problems.add(other.name, 0, f"{len(other.items) - len(new):,} items are in {one.name} as well; they count once")
    rest = tuple(replace(item, id=f"{other.name}:{item.id}") if item.id in taken else item for item in new)
    return Dataset(f"{one.name}, {other.name}", one.language, one.items + rest)


def _content(item: Item) -> tuple[object, ...]:
    """What makes two items the same one."""
    return item.id, tuple(one.text for one in item.sentences), item.label
