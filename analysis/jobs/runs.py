"""Runs on the disk: one folder each below `runs/` of the cache folder."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.errors import InputError, unknown
from analysis.jobs.files import read_json, write_json
from analysis.records import fingerprint, versions
from analysis.store import cache_folder, new_folder

FORMAT = 1
JOB = "job.json"
INPUTS = "inputs"
# What a run may call. A constant, not a setting: a run's folder decides which code is run.
PREFIXES: tuple[str, ...] = ("analysis.",)


@dataclass(frozen=True)
class Run:
    """A piece of long work: what it is, not how far it is (see `analysis.jobs.state`).

    Attributes:
        folder: where its files lie.
        id: name of the folder; commands take any unique beginning of it.
        kind: what sort of work ("align", "embed", "umap").
        title: what a person calls it.
        created: ISO 8601 in UTC.
        spec: what the work function gets.
    """

    folder: Path
    id: str
    kind: str
    title: str
    created: str
    spec: Mapping[str, Any] = field(compare=False, repr=False)


def check_entry(entry: str) -> tuple[str, str]:
    """The module and the function of an entry such as `analysis.alignment.job:run`.

    Raises:
        InputError: it is not written so, or lies outside this package.
    """
    module, _, function = entry.partition(":")
    if not re.fullmatch(r"\w+(\.\w+)+:\w+", entry) or not module.startswith(PREFIXES):
        raise InputError(f"entry {entry!r} is no work function; valid: {PREFIXES[0]}MODULE:FUNCTION")
    return module, function


def runs_folder() -> Path:
    """The folder of all runs; not necessarily there yet."""
    return cache_folder().resolve() / "runs"


def create(
    entry: str, spec: Mapping[str, Any], *, kind: str, title: str, run_id: str | None = None,
    inputs: Callable[[Path], None] | None = None,
) -> Run:  # fmt: skip
    """Write the folder of a new run, which nobody works on yet; an existing one is returned as it is.

    Args:
        entry: the work function, `analysis.MODULE:FUNCTION`.
        spec: its first argument; JSON-able.
        kind: what sort of work it is.
        title: what a person calls it; one line.
        run_id: name of the run, so that equal work meets; None makes a new one.
        inputs: writes what is too large for the spec into the folder it is given (`Job.inputs` of the run).

    Raises:
        InputError: an entry outside this package, an id that is no file name, or an id taken by other work.
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    check_entry(entry)
    run_id = secrets.token_hex(4) if run_id is None else run_id
    if not re.fullmatch(r"\w[\w.-]{0,99}", run_id):
        raise InputError(f"run id {run_id!r} is no file name; valid: letters, digits, '-', '_', '.'")
    folder = runs_folder() / run_id
    job = {
        "format": FORMAT, "id": run_id, "kind": kind, "entry": entry, "title": _one_line(title),
        "created": datetime.now(UTC).isoformat(timespec="milliseconds"), "spec": dict(spec), "versions": versions(),
    }  # fmt: skip
    if not folder.exists():
        with new_folder(folder) as draft:
            (draft / INPUTS).mkdir()
            if inputs:
                inputs(draft / INPUTS)
            write_json(draft / JOB, job)
    run = read_run(folder)
    if run is None or fingerprint(run.spec) != fingerprint(spec):
        raise InputError(f"run {run_id!r} is other work; discard it first, or choose another id")
    return run


def read_run(folder: Path) -> Run | None:
    """The run in a folder, or None where there is none of this format."""
    job = read_json(folder / JOB)
    if job is None or job.get("format") != FORMAT or not isinstance(job.get("spec"), dict):
        return None
    texts = {name: str(job.get(name, "")) for name in ("kind", "title", "created")}
    return Run(folder=folder, id=folder.name, spec=job["spec"], **texts)


def list_runs(kind: str | None = None) -> list[Run]:
    """All runs, newest first.

    Args:
        kind: only runs of this kind.
    """
    folder = runs_folder()
    folders = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    found = [run for run in map(read_run, folders) if run and kind in (None, run.kind)]
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)


def find_run(name: str) -> Run:
    """The run with this id, or whose id alone begins so.

    Raises:
        InputError: there is none, or several begin so.
    """
    runs = list_runs()
    exact = [run for run in runs if run.id == name]
    found = exact or [run for run in runs if name and run.id.startswith(name)]
    if not found:
        raise unknown("run", name, [run.id for run in runs])
    if len(found) > 1:
        raise InputError(f"run {name!r} is not unique; valid: {', '.join(sorted(run.id for run in found))}")
    return found[0]


def rename(run: Run, title: str) -> Run:
    """Give a run another title, and return it with that title.

    Raises:
        InputError: an empty title, or the run is gone.
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    title = _one_line(title)
    if not title:
        raise InputError("a run's title cannot be empty; give a word or two")
    job = read_json(run.folder / JOB)
    if job is None:
        raise InputError(f"run {run.id!r} is gone")
    write_json(run.folder / JOB, job | {"title": title})
    return replace(run, title=title)


def _one_line(text: str) -> str:
    """The text on one line, without what a terminal would obey."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
