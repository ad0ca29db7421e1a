"""Start, stop, resume and discard runs: safe to call twice and from several servers at once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis.errors import InputError, IsoglossError
from analysis.jobs import process
from analysis.jobs.files import remove, writing
from analysis.jobs.runs import Run, create, list_runs
from analysis.jobs.state import FAILURE, RESULT, STOPPED, State, Status, state, worked
from analysis.records import fingerprint

PATIENCE = 3.0  # seconds to wait for a process that has said its last word and is on its way out


def start(
    entry: str, spec: Mapping[str, Any], *, kind: str, title: str, run_id: str | None = None,
    inputs: Callable[[Path], None] | None = None,
) -> Run:  # fmt: skip
    """Start work in a process of its own and return at once.

    With the id of a run that is there already, that run is returned: as it is where it runs or is done,
    else resumed.

    Args:
        entry: the work function, `analysis.MODULE:FUNCTION`; it is called with the spec and a `Job`.
        spec: its first argument; JSON-able, with absolute paths.
        kind: what sort of work it is.
        title: what a person calls it; one line.
        run_id: name of the run, so that equal work meets; None makes a new one.
        inputs: writes what is too large for the spec into the folder it is given, which is `Job.inputs`.

    Raises:
        InputError: an entry outside this package, an id that is no file name, or an id taken by other work.
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    run = create(entry, spec, kind=kind, title=title, run_id=run_id, inputs=inputs)
    new = not (run.folder / process.LOG).exists()
    try:
        _launch(run)
    except IsoglossError:
        if state(run).status in (Status.RUNNING, Status.DONE):
            return run  # somebody was faster
        if new:
            discard(run)
        raise
    return run


def resume(run: Run) -> Run:
    """Work on a run again from its last checkpoint; returns at once.

    Raises:
        InputError: it runs, is done, or is gone.
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    _launch(run)
    return run


def _launch(run: Run) -> None:
    """Start the process of a run unless there is one."""
    folder = run.folder
    if not folder.is_dir():
        raise InputError(f"run {run.id!r} is gone; start it anew")
    patience = 0.0 if state(run).status is Status.RUNNING else PATIENCE
    with process.locked(folder, patience) as lock:
        if (folder / RESULT).exists():
            raise InputError(f"run {run.id!r} is done; start it anew to do it again")
        if lock is None or process.worker(folder):
            raise InputError(f"run {run.id!r} runs already; follow it with: python -m analysis jobs follow {run.id}")
        with writing(folder):
            before = worked(folder)
            for name in (STOPPED, FAILURE, process.PROCESS):
                (folder / name).unlink(missing_ok=True)
        process.launch(folder, lock, before)


def stop(run: Run) -> State:
    """End the process of a run within 2 s; what it has checkpointed stays. Does nothing where none runs.

    Returns:
        The state afterwards: STOPPED, or DONE where it was faster.

    Raises:
        IsoglossError: the process does not end, or the run's folder cannot be written.
    """
    if state(run).status is Status.RUNNING:
        with writing(run.folder):
            (run.folder / STOPPED).touch()
        process.end(run.folder)
    return state(run)


def discard(run: Run) -> None:
    """End a run and delete all it has written. Does nothing where it is gone.

    Raises:
        IsoglossError: the process does not end, or the folder cannot be deleted.
    """
    process.end(run.folder)
    if run.folder.exists():
        with writing(run.folder):
            remove(run.folder)


def unfinished(kind: str, spec: Mapping[str, Any]) -> Run | None:
    """The newest run of this kind with an equal spec that is not done, or None.

    Args:
        kind: what sort of work.
        spec: as for `start`.
    """
    wanted = fingerprint(spec)
    equal = (run for run in list_runs(kind) if fingerprint(run.spec) == wanted)
    return next((run for run in equal if state(run).status is not Status.DONE), None)
