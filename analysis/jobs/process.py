"""The process that works on a run: at most one, found again by whoever looks, ended with all its children.

The file `lock` is locked for as long as the process lives. The launcher locks it and the process inherits it, so
there is no moment between the two, and the system unlocks it however the process ends.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from analysis.errors import IsoglossError
from analysis.jobs.files import read_json, write_json, writing

if sys.platform != "win32":
    import fcntl

LOCK, PROCESS, LOG = "lock", "process.json", "log.txt"
LOCK_VARIABLE = "ISOGLOSS_RUN_LOCK"
COMMAND = [sys.executable, "-P", "-m", "analysis.jobs.work"]
TERM_SECONDS, KILL_SECONDS = 1.0, 0.8


def take_lock(folder: Path, seconds: float = 0.0) -> int | None:
    """Lock a run for this process.

    Args:
        folder: of the run.
        seconds: how long to try; a process that has just ended may hold it for a moment.

    Returns:
        The file descriptor that holds the lock until it is closed, or None where another process holds it.

    Raises:
        IsoglossError: the run's folder is gone or cannot be written.
    """
    end = time.monotonic() + seconds
    with writing(folder):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    while not _locked(handle):
        if time.monotonic() >= end:
            os.close(handle)
            return None
        time.sleep(0.02)
    return handle


def _locked(handle: int, *, shared: bool = False) -> bool:
    """Whether the lock is ours now."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(folder: Path, seconds: float) -> Iterator[int | None]:
    """`take_lock` for the length of a block; the process started meanwhile may keep it."""
    handle = take_lock(folder, seconds)
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def is_locked(folder: Path) -> bool:
    """Whether a process holds the run's lock."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        # Shared: two who look at the same time must not take each other for the process.
        return not _locked(handle, shared=True)
    finally:
        os.close(handle)


def worker(folder: Path) -> psutil.Process | None:
    """The living process that works on a run, or None; a zombie or another process with its number is none."""
    said = read_json(folder / PROCESS) or {}
    try:
        process = psutil.Process(int(said["pid"]))
        # The clock may have been set meanwhile, which moves every creation time; the command line stays.
        same = abs(process.create_time() - float(said["created"])) < 1 or _works_on(process.cmdline(), folder)
    except (KeyError, TypeError, ValueError, psutil.Error):
        return None
    return process if same and alive(process) else None


def alive(process: psutil.Process) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def launch(folder: Path, lock: int, before: float) -> None:
    """Start the process of a run, which inherits the lock.

    Args:
        folder: of the run.
        lock: the descriptor that holds its lock.
        before: seconds that earlier processes worked on it.

    Raises:
        IsoglossError: the process cannot be started or the folder cannot be written.
    """
    log = folder / LOG
    with writing(folder), log.open("ab") as output:
        told = {"before": before, "log": log.stat().st_size}
        child = subprocess.Popen(
            [*COMMAND, str(folder)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env=_environment(lock), pass_fds=() if sys.platform == "win32" else (lock,),
        )  # fmt: skip
    # A child that nobody waits for stays behind as a zombie.
    threading.Thread(target=child.wait, daemon=True).start()
    try:
        record(folder, child.pid, told)
    except IsoglossError:
        child.kill()
        raise


def record(folder: Path, pid: int, told: dict[str, float | int]) -> None:
    """Write down which process works on a run.

    Args:
        folder: of the run.
        pid: the process.
        told: `before`, seconds that earlier processes worked on it, and `log`, where its lines begin in the log.

    Raises:
        IsoglossError: the folder cannot be written.
    """
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        created = 0.0  # it has ended already
    write_json(folder / PROCESS, {"pid": pid, "created": created, "started": time.time(), **told})


def _environment(lock: int) -> dict[str, str]:
    """The environment of the process: this package first on its path, no chatter, nothing held back."""
    root = str(Path(__file__).resolve().parents[2])
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "true"}
    own = {
        "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:replace", LOCK_VARIABLE: str(lock),
    }  # fmt: skip
    return {**quiet, **os.environ, **own}


def end(folder: Path) -> None:
    """End the process of a run and all its children: asked first, then killed; within 2 s.

    Raises:
        IsoglossError: it belongs to somebody else, or the system does not let go of it.
    """
    until = time.monotonic() + TERM_SECONDS
    while not (family := _family(folder)) and is_locked(folder) and time.monotonic() < until:
        time.sleep(0.02)  # it is just being started
    for what, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.Signals(9), KILL_SECONDS)):
        _tell(family, what)
        until = time.monotonic() + seconds
        # The system may take a moment longer to let go of the lock.
        while any(map(alive, family)) or is_locked(folder):
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        else:
            return
        family = list({*family, *_family(folder)})
    if left := [str(process.pid) for process in family if alive(process)]:
        raise IsoglossError(f"process {', '.join(left)} of run {folder.name} does not end; end it by hand")


def _family(folder: Path) -> list[psutil.Process]:
    """The process of a run and all its children."""
    family = _workers(folder)
    for leader in [*family]:
        with suppress(psutil.Error):
            family += leader.children(recursive=True)
    return family


def _workers(folder: Path) -> list[psutil.Process]:
    """The process of a run, also one that has not been written down yet."""
    found = worker(folder)
    if found or not is_locked(folder):
        return [found] if found else []
    every = psutil.process_iter(["cmdline"])
    return [one for one in every if _works_on(one.info["cmdline"] or [], folder) and one.pid != os.getpid()]


def _works_on(command: list[str], folder: Path) -> bool:
    """Whether a command line is that of a run's process."""
    return command[-1:] == [str(folder)] and command[-3:-2] == ["-m"]


def _tell(family: list[psutil.Process], what: signal.Signals) -> None:
    """Send a signal to each process and to the groups they lead."""
    for process in family:
        with suppress(psutil.Error, OSError):
            if sys.platform != "win32" and os.getpgid(process.pid) == process.pid and alive(process):
                os.killpg(process.pid, what)
            process.send_signal(what)
