"""The process of a run: `python -m analysis.jobs.work FOLDER` calls its work function and writes what came of it."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from analysis.errors import InputError, IsoglossError
from analysis.jobs import process
from analysis.jobs.files import read_json, write_json
from analysis.jobs.job import Job
from analysis.jobs.runs import JOB, check_entry, read_run
from analysis.jobs.state import FAILURE, RESULT, worked


def main(arguments: list[str]) -> int:
    """Work on one run.

    Args:
        arguments: its folder.

    Returns:
        The exit code: 0 done, 2 bad input, 1 any other failure.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if len(arguments) != 1:
        print("error: usage: python -m analysis.jobs.work FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    try:
        job = _take(folder)
    except IsoglossError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return _work(job)


def _take(folder: Path) -> Job:
    """The job of a folder, once it is sure that nobody else works on it."""
    run = read_run(folder)
    if run is None:
        raise InputError(f"{folder} is not the folder of a run")
    inherited = os.environ.pop(process.LOCK_VARIABLE, None)
    lock = int(inherited) if inherited else process.take_lock(folder)
    if lock is None:
        raise InputError(f"run {run.id!r} runs already")
    # A child must not hold the lock after this process has ended.
    os.set_inheritable(lock, False)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: os.close(lock))
    said = read_json(folder / process.PROCESS) or {}
    if said.get("pid") != os.getpid():
        log = folder / process.LOG
        said = {"before": worked(folder), "log": log.stat().st_size if log.exists() else 0}
        process.record(folder, os.getpid(), said)
    late = max(0.0, time.time() - float(said.get("started", time.time())))
    return Job(folder, run.spec, before=float(said.get("before", 0.0)) + late)


def _work(job: Job) -> int:
    """Call the work function and write its result or its failure."""
    try:
        job.tidy()
        result = _function(job.folder)(job.spec, job)
        job.close()
        write_json(job.folder / RESULT, dict(result or {}))
    except Exception as error:  # whatever happens, the folder says so in one line
        return _fail(job, error)
    return 0


def _function(folder: Path) -> Callable[[dict[str, Any], Job], dict[str, Any] | None]:
    """The work function that a run names."""
    module, name = check_entry(str((read_json(folder / JOB) or {}).get("entry", "")))
    return getattr(import_module(module), name)


def _fail(job: Job, error: Exception) -> int:
    """Write down a failure; the traceback of one that nobody foresaw goes to the log."""
    code = 1
    if isinstance(error, IsoglossError):
        text, code = str(error), error.exit_code
    elif isinstance(error, MemoryError):
        text = "out of memory; use a smaller batch, fewer sentences or a smaller encoder"
    else:
        traceback.print_exc()
        text = f"unexpected {type(error).__name__}: {error}; see {job.folder / process.LOG}"
    text = " ".join(text.split())
    print(f"error: {text}", file=sys.stderr)
    with suppress(IsoglossError):
        job.close()
    try:
        write_json(job.folder / FAILURE, {"error": text, "exit_code": code})
    except IsoglossError as second:
        print(f"error: {second}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
