"""Cells of a grid: claimed by one process, run with a limit, timed."""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parent


@contextmanager
def claim(work_folder: Path, name: str) -> Iterator[bool]:
    """Whether a cell is ours for the block; the lock goes with the process however it ends."""
    folder = work_folder / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def timed(command: Sequence[str], log: Path, threads: int, limit: float) -> tuple[float, float]:
    """Run a command with its output in a log; the seconds by the clock, and those of its processes on the processor.

    A process that a run started by itself is counted while it lives.

    Raises:
        TimeoutExpired: it took longer than the limit and was interrupted.
        CalledProcessError: it failed.
    """
    begun = time.perf_counter()
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment(threads))
        used = _Used(process.pid)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # `align` stops its run
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            raise
        finally:
            cpu = used.end()
    if code:
        last = (log.read_text("utf-8", "replace").strip().splitlines() or [""])[-1]
        raise subprocess.SubprocessError(f"exit code {code}: {last[-300:]}")
    return time.perf_counter() - begun, cpu


class _Used:
    """Adds up what a process and its children use of the processor while they live.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._seconds, self._ended = pid, dict[int, float](), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        """Look once in a while."""
        import psutil

        while not self._ended.wait(0.5):
            with suppress(psutil.Error):
                top = psutil.Process(self._pid)
                for one in (top, *top.children(recursive=True)):
                    with suppress(psutil.Error):
                        self._seconds[one.pid] = sum(one.cpu_times()[:2])

    def end(self) -> float:
        """Stop looking and give the sum."""
        self._ended.set()
        self._thread.join()
        return sum(self._seconds.values())


def environment(threads: int) -> dict[str, str]:
    """So many threads, which sleep while they wait."""
    return os.environ | {
        "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": str(HERE.parent),
    }  # fmt: skip
