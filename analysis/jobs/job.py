"""What a work function holds: its way to report, to measure and to leave checkpoints."""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from analysis.errors import IsoglossError
from analysis.jobs.files import append, read_lines, remove, sync, write_json, writing
from analysis.jobs.process import LOG
from analysis.jobs.runs import INPUTS
from analysis.jobs.state import METRICS, PROGRESS
from analysis.store import write_text

CHECKPOINTS = "checkpoints"
KEPT = 2
BEAT = 0.25  # seconds between two writings of the progress


class Job:
    """The run a work function works on.

    Args:
        folder: of the run; its files are described in `analysis.jobs.runs` and `analysis.jobs.state`.
        spec: what is to be done.
        before: seconds that earlier processes worked on it.
        echo: called with each line said, for work without a process of its own.
        tick: called with done, total and text of each progress, likewise.
    """

    def __init__(
        self, folder: Path, spec: Mapping[str, Any], *, before: float = 0.0,
        echo: Callable[[str], None] | None = None, tick: Callable[[int, int, str], None] | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.spec = folder, dict(spec)
        self.inputs = folder / INPUTS
        self._before, self._begun = before, time.monotonic()
        self._echo, self._tick = echo, tick
        self._lock, self._written = threading.Lock(), float("-inf")
        self._waiting: dict[str, Any] | None = None
        self._timer: threading.Timer | None = None

    @classmethod
    @contextmanager
    def temporary(
        cls, spec: Mapping[str, Any] | None = None, *, echo: Callable[[str], None] | None = None,
        tick: Callable[[int, int, str], None] | None = None,
    ) -> Iterator["Job"]:  # fmt: skip
        """A job over a folder that is deleted when the block ends: for work in this process.

        Args:
            spec: what is to be done.
            echo: called with each line said.
            tick: called with done, total and text of each progress.
        """
        with tempfile.TemporaryDirectory(prefix="isogloss-run-") as folder:
            (Path(folder) / INPUTS).mkdir()
            job = cls(Path(folder), spec or {}, echo=echo, tick=tick)
            try:
                yield job
            finally:
                job.close()

    def seconds(self) -> float:
        """Seconds worked on this run, pauses left out."""
        return self._before + time.monotonic() - self._begun

    def say(self, text: str) -> None:
        """Write a line to the log.

        Raises:
            IsoglossError: the disk is full.
        """
        line = " ".join(text.split())
        append(self.folder / LOG, line)
        if self._echo:
            self._echo(line)

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Say how far the work is; written at most four times a second, the last one always.

        Args:
            done: of whatever is counted.
            total: likewise; 0 where it is not known.
            text: what is being done.

        Raises:
            IsoglossError: the disk is full.
        """
        with self._lock:
            self._waiting = {"done": int(done), "total": int(total), "text": text}
            wait = self._written + BEAT - time.monotonic()
            if wait <= 0:
                self._write_progress()
            elif self._timer is None:
                self._timer = threading.Timer(wait, self._late)
                self._timer.daemon = True
                self._timer.start()
        if self._tick:
            self._tick(int(done), int(total), text)

    def _late(self) -> None:
        """Write what came too soon after the last writing; a full disk is told by the next one."""
        with self._lock, suppress(IsoglossError):
            self._timer = None
            self._write_progress()

    def _write_progress(self) -> None:
        """Write the waiting progress, if there is one."""
        if self._waiting is None:
            return
        now = {"time": time.time(), "seconds": round(self.seconds(), 3)}
        write_json(self.folder / PROGRESS, self._waiting | now)
        self._waiting, self._written = None, time.monotonic()

    def close(self) -> None:
        """Write what is still to be written.

        Raises:
            IsoglossError: the disk is full.
        """
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            self._write_progress()

    def metric(self, step: int, **values: Any) -> None:
        """Write a line of metrics.

        Args:
            step: of the training.
            values: what was measured; numbers, texts, lists and dicts.

        Raises:
            IsoglossError: the disk is full.
        """
        append(self.folder / METRICS, _line({"step": int(step), "seconds": round(self.seconds(), 3), **values}))

    @contextmanager
    def checkpoint(self, step: int) -> Iterator[Path]:
        """An empty folder that becomes the checkpoint of a step when the block ends without an error.

        Killed at any moment, the run has the checkpoint whole or not at all. The two newest are kept.

        Args:
            step: of the training; the newest checkpoint is the one of the highest step.

        Raises:
            IsoglossError: the disk is full.
        """
        folder = self.folder / CHECKPOINTS
        target = folder / f"{step:08d}"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
            try:
                yield draft
                sync(draft)
                if target.exists():
                    remove(target)
                draft.rename(target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            for old in self._checkpoints()[:-KEPT]:
                remove(old)

    def latest(self) -> tuple[int, Path] | None:
        """Step and folder of the newest checkpoint, or None."""
        found = self._checkpoints()
        return (int(found[-1].name), found[-1]) if found else None

    def _checkpoints(self) -> list[Path]:
        """The complete checkpoints, oldest first."""
        folder = self.folder / CHECKPOINTS
        found = [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
        return sorted(found, key=lambda path: int(path.name))

    def rewind(self, step: int) -> None:
        """Drop the metrics after a step; a line that is only half there goes too.

        Args:
            step: the last one that is kept; -1 drops all.

        Raises:
            IsoglossError: the disk is full.
        """
        path = self.folder / METRICS
        if not path.exists():
            return
        kept = [_line(line) + "\n" for line in read_lines(path) if line.get("step", -1) <= step]
        with writing(path):
            write_text(path, "".join(kept))

    def tidy(self) -> None:
        """Make a run that was cut off ready to go on: no half checkpoint, no metrics after the newest whole one.

        Raises:
            IsoglossError: the disk is full.
        """
        folder = self.folder / CHECKPOINTS
        for draft in folder.glob(".*") if folder.is_dir() else ():
            shutil.rmtree(draft, ignore_errors=True)
        last = self.latest()
        self.rewind(last[0] if last else -1)


def _line(values: Mapping[str, Any]) -> str:
    """One line of JSON."""
    return json.dumps(values, ensure_ascii=False)
