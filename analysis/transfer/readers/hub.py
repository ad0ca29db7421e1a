"""Data of the Hugging Face hub, or in a local folder, as labelled text: `datasets:ID[@CONFIG][:SPLIT]`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import InputError, IsoglossError
from analysis.text.corpus import Sentence
from analysis.text.identify import identify_columns
from analysis.text.languages import LANGUAGES, known_tag
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.item import Dataset, Item, Kind
from analysis.transfer.readers.hub_rows import span_source, tag_column, tagged_row
from analysis.transfer.readers.spoken import stated_tag
from analysis.transfer.readers.table import NAMES, as_cell, find_columns, make_datasets
from analysis.transfer.task import Task

PREFIX = "datasets:"
FORM = "datasets:ID[@CONFIG][:SPLIT], for example datasets:facebook/xnli@de:validation or datasets:FOLDER:test"
_BUILDERS = {".json": "json", ".jsonl": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
_NAME = re.compile(r"(?P<id>.+?)(?:@(?P<config>[^@:/\\]+))?(?::(?P<split>\w[\w.+-]*(?:\[[^\]]*\])?))?")
_SCRIPTS = frozenset({language.script for language in LANGUAGES.values()} | {"Hans", "Hant"})


@dataclass(frozen=True)
class _Asked:
    """A name in its parts; `path` is the folder or file where ID is a local one."""

    name: str
    id: str
    config: str | None
    split: str
    path: Path | None


def read_hub(name: str, task: Task, problems: Problems) -> list[Dataset]:
    """The labelled items of a data set that the package `datasets` can load, by language.

    Columns are found by their names: those of a table for sentences and pairs; `tokens` and `ner_tags`, `pos_tags` and
    their like for tagged words; `question`, `context` and `answers` for questions. Labels that are stored as numbers
    with names come back as their names. The language is that of a column `lang` or `language`, else CONFIG where that
    is a language tag, else the one that most texts seem to be in.

    Args:
        name: `datasets:ID[@CONFIG][:SPLIT]`; ID is a name on the hub, a local folder or a file; SPLIT is `test` unless
            given.
        task: decides the columns.
        problems: told each row that cannot be used; its line is the number of the row.

    Raises:
        InputError: the package is not there, no such data, or no usable row.
        IsoglossError: the hub is out of reach and there is no local copy.
    """
    asked = _parse(name)
    if task.kind is Kind.TREE:
        raise InputError(f"{name}: trees are read from files only; give a CoNLL-U file")
    table = _load(asked)
    heads = [str(one).casefold() for one in table.column_names]
    if len(set(heads)) < len(heads):
        raise InputError(f"{name} has two columns of one name: {', '.join(heads)[:80]}; rename one")
    table = table.rename_columns(dict(zip(table.column_names, heads, strict=True)))
    tag = _language(asked.config)
    if task.kind is Kind.TAGS:
        return _tagged(name, table, task.column, tag, problems)
    if task.kind is Kind.SPAN:
        return _questions(name, table, tag, problems)
    columns = find_columns(name, heads, task.kind)
    rows = ((n, [as_cell(row.get(head)) for head in heads]) for n, row in _rows(table, _wanted(heads, columns)))
    return make_datasets(name, rows, columns, task.kind, None if columns.lang >= 0 else tag, problems)


def absolute_hub(name: str) -> str:
    """The name as it holds in every working folder: a local folder or file by its whole path.

    Args:
        name: as for `read_hub`.

    Raises:
        InputError: not such a name.
    """
    asked = _parse(name)
    if asked.path is None:
        return name
    config = f"@{asked.config}" if asked.config else ""
    return f"{PREFIX}{asked.path.absolute()}{config}:{asked.split}"


def _parse(name: str) -> _Asked:
    """The parts of a name.

    Raises:
        InputError: it has not this form.
    """
    rest = name.removeprefix(PREFIX)
    if rest and Path(rest).expanduser().exists():  # a path may hold any of the signs
        return _Asked(name, rest, None, "test", Path(rest).expanduser())
    match = _NAME.fullmatch(rest)
    if match is None or rest.endswith((":", "@")):
        raise InputError(f"{name!r} is not {FORM}")
    ident, config, split = match["id"], match["config"], match["split"] or "test"
    if config and Path(f"{ident}@{config}").expanduser().exists():
        ident, config = f"{ident}@{config}", None
    path = Path(ident).expanduser()
    return _Asked(name, ident, config, split, path if path.exists() else None)


def _load(asked: _Asked) -> Any:
    """The table of a split.

    Raises:
        InputError: no package, or no such data, configuration or split.
        IsoglossError: the hub is out of reach.
    """
    try:
        import datasets
    except ImportError:
        raise InputError(f"{asked.name} needs the package datasets; pip install datasets") from None
    quiet = datasets.utils.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        return _loaded(datasets.load_dataset, asked)
    except Exception as error:  # the package raises nearly anything
        raise _explained(asked, error) from error
    finally:
        if not quiet:
            datasets.enable_progress_bars()


def _loaded(load: Any, asked: _Asked) -> Any:
    """Load a file, a folder, or a data set of the hub."""
    if asked.path is not None and asked.path.is_file():
        suffix = asked.path.suffix.lower()
        if suffix not in _BUILDERS:
            raise InputError(
                f"{asked.name}: {asked.path.name} is no {', '.join(_BUILDERS)} file; give one, or a folder"
            )
        options = {"sep": "\t"} if suffix == ".tsv" else {}
        split = asked.split.partition("[")[0]
        return load(_BUILDERS[suffix], data_files={split: str(asked.path)}, split=asked.split, **options)
    place = str(asked.path or asked.id)
    try:
        return load(place, name=asked.config, split=asked.split)
    except ValueError as error:
        # A local folder has no configurations, so there a tag can only say the language.
        if asked.path is None or _language(asked.config) is None or "BuilderConfig" not in str(error):
            raise
        return load(place, split=asked.split)


def _explained(asked: _Asked, error: Exception) -> IsoglossError:
    """What the package has to say, in one line and with a remedy."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, IsoglossError):
        return error
    said = " ".join(f"{error.__cause__ or error}".split())[:200].rstrip(".")
    unreached = isinstance(error, ConnectionError | TimeoutError | HfHubHTTPError | LocalEntryNotFoundError)
    if asked.path is None and (unreached or type(error).__module__.startswith(("httpx", "httpcore", "requests"))):
        return IsoglossError(
            f"cannot fetch {asked.name!r}: the hub is out of reach and there is no local copy; give a local folder as "
            "datasets:FOLDER:SPLIT, or a file"
        )
    if asked.path is None and isinstance(error, FileNotFoundError):
        return InputError(
            f"{asked.name!r} is no folder here and not on the hub, or not open to you; check it, or log in with: "
            "hf auth login"
        )
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):  # a full disk, a cache that is closed
        return IsoglossError(f"cannot load {asked.name!r}: {said}")
    return InputError(f"{asked.name}: {said}; valid: {FORM}")


def _language(config: str | None) -> str | None:
    """A configuration as a language tag: `de`, `zh-Hant`, `pt_BR`; None for `my_config`, which only looks like one."""
    tag = known_tag(config or "")
    rest = (tag or "").split("-")[1:]
    fits = all(len(one) == 2 or one.isdigit() or one in _SCRIPTS for one in rest)
    return tag if fits else None


def _wanted(heads: Sequence[str], columns: Any) -> list[str]:
    """The names of the columns that are used."""
    places = (columns.text, columns.other, columns.label, columns.id, columns.lang)
    return [heads[at] for at in places if at >= 0]


def _rows(table: Any, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and cells of every row, numbers that stand for names replaced by them; other columns are not read."""
    chosen = table.select_columns(list(dict.fromkeys(wanted)))
    names: dict[str, Any] = {
        head: getattr(getattr(feature, "feature", feature), "names", None) for head, feature in chosen.features.items()
    }
    for number, row in enumerate(chosen, start=1):
        yield number, {head: _named(value, names[head]) if names[head] else value for head, value in row.items()}


def _named(value: Any, names: Sequence[str]) -> Any:
    """Numbers as their names; None where a number has none (-1 stands for a label that is kept secret)."""
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


def _spoken(table: Any, name: str) -> str | None:
    """The column that says the language."""
    return next((head for head in NAMES["lang"] if head in table.column_names and head != name), None)


def _tagged(name: str, table: Any, column: str, tag: str | None, problems: Problems) -> list[Dataset]:
    """Items of tagged words.

    Raises:
        InputError: a column that is missing, or no usable row.
    """
    tokens, tags = tag_column(name, table.features, column)
    lang = _spoken(table, tags)
    found: list[tuple[int, list[str], tuple[str, ...], str | None]] = []
    for number, row in _rows(table, [tokens, tags, *([lang] if lang else [])]):
        try:
            words, said = tagged_row(row[tokens], row[tags], column)
        except InputError as error:
            problems.add(name, number, f"{error}; the row is left out")
            continue
        found.append((number, words, said, stated_tag(as_cell(row[lang]), name, number, problems) if lang else tag))
    if not found:
        raise InputError(f"{name} has no usable row in the columns {tokens} and {tags}; see the warnings")
    usual = tag or identify_columns([[" ".join(words) for _, words, _, _ in found[:200]]])[0]
    items: dict[str, list[Item]] = {}
    for number, words, said, spoken in found:
        language = spoken or usual
        made = Item(str(number), Sentence.from_words(words, language), said, where=f"{name}:{number}")
        items.setdefault(language, []).append(made)
    return [Dataset(name, one, tuple(mine)) for one, mine in items.items()]


def _questions(name: str, table: Any, tag: str | None, problems: Problems) -> list[Dataset]:
    """Questions with answers, read as the JSON of SQuAD is.

    Raises:
        InputError: a column that is missing, or no usable row.
    """
    from analysis.transfer.readers.squad import read_squad

    wanted = ("question", "context", "answers")
    missing = [head for head in wanted if head not in table.column_names]
    if missing:
        raise InputError(
            f"{name} has no column {missing[0]!r}: {', '.join(table.column_names)[:80]}; questions need "
            f"{', '.join(wanted)}"
        )
    lang = _spoken(table, "")
    more = [head for head in ("id", lang) if head and head in table.column_names]
    rows: dict[str | None, list[dict[str, Any]]] = {}
    for number, row in _rows(table, [*wanted, *more]):
        spoken = stated_tag(as_cell(row[lang]), name, number, problems) if lang else None
        rows.setdefault(spoken or tag, []).append(row)
    found, reasons = [], []
    for spoken, mine in rows.items():
        try:
            found.append(read_squad(Source(name, data=span_source(mine)), spoken, problems))
        except InputError as error:  # one language does not cost the others
            reasons.append(f"{spoken or 'rows without a language'}: {error}")
    if not found:
        raise InputError(reasons[0] if reasons else f"{name} has no rows")
    for reason in reasons:
        problems.add(name, 0, f"{reason}; the language is left out")
    return found
