"""How far a run is, read from its folder: anyone may look at any time."""

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from analysis.jobs.files import read_json, read_lines
from analysis.jobs.process import PROCESS, is_locked, worker
from analysis.jobs.runs import Run

PROGRESS, METRICS, RESULT, FAILURE, STOPPED = (
    "progress.json", "metrics.jsonl", "result.json", "failed.json", "stopped"
)  # fmt: skip
SILENT = "the process ended without a word; it was killed, ran out of memory, or the machine was restarted"


class Status(StrEnum):
    """What can be said of a run in a word."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


EXIT_CODES = {Status.DONE: 0, Status.STOPPED: 130, Status.INTERRUPTED: 1}


@dataclass(frozen=True)
class State:
    """How far a run is.

    Attributes:
        status: RUNNING, STOPPED (by somebody), DONE, FAILED, or INTERRUPTED (the process went without a word).
        done, total: of whatever the work counts; both 0 before it has said anything.
        text: what it is at.
        seconds: worked so far, pauses left out.
        error: one line where it failed or was interrupted, else "".
        exit_code: of the command that waits for it; None while it runs.
        result: what the work returned, once it is DONE.
    """

    status: Status
    done: int = 0
    total: int = 0
    text: str = ""
    seconds: float = 0.0
    error: str = ""
    exit_code: int | None = None
    result: dict[str, Any] | None = None


def state(run: Run) -> State:
    """The state of a run."""
    folder = run.folder
    # In this order: the process writes its result or failure before it ends.
    running = _runs(folder)
    result, failure = read_json(folder / RESULT), read_json(folder / FAILURE)
    status = _status(folder, result, failure, running)
    progress = read_json(folder / PROGRESS) or {}
    error, code = "", EXIT_CODES.get(status)
    if status is Status.FAILED and failure:
        error, code = str(failure.get("error", "")), int(failure.get("exit_code", 1))
    elif status is Status.INTERRUPTED:
        error = SILENT if folder.exists() else "the run was discarded"
    return State(
        status=status, done=int(progress.get("done", 0)), total=int(progress.get("total", 0)),
        text=str(progress.get("text", "")), seconds=worked(folder, running=status is Status.RUNNING),
        error=error, exit_code=code, result=result if status is Status.DONE else None,
    )  # fmt: skip


def _status(folder: Path, result: Any, failure: Any, running: bool) -> Status:
    """The one word."""
    if result is not None:
        return Status.DONE
    if failure is not None:
        return Status.FAILED
    if running:
        return Status.RUNNING
    return Status.STOPPED if (folder / STOPPED).exists() else Status.INTERRUPTED


def _runs(folder: Path) -> bool:
    """Whether a process works on the run, or is just being started."""
    return worker(folder) is not None or is_locked(folder)


def worked(folder: Path, *, running: bool = False) -> float:
    """Seconds worked on a run so far, pauses left out.

    Args:
        folder: of the run.
        running: whether its last process still works.
    """
    process, progress = read_json(folder / PROCESS) or {}, read_json(folder / PROGRESS) or {}
    before = float(process.get("before", 0.0))
    if running and "started" in process:
        return before + max(0.0, time.time() - float(process["started"]))
    last = [float(line.get("seconds", 0.0)) for line in read_lines(folder / METRICS)[-1:]]
    return max([before, float(progress.get("seconds", 0.0)), *last])


def metrics(run: Run) -> list[dict[str, Any]]:
    """The metrics a run has written, in order; a line that is only half there is left out."""
    return read_lines(run.folder / METRICS)
