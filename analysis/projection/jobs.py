"""Projections outside the server process, each computed once and kept under its key.

`request` answers at once: the finished projection, or that it is under way, or why it failed.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import IsoglossError
from analysis.projection.run import save_arrays
from analysis.records import fingerprint
from analysis.store import cache_folder, write_text

VERSION = 1
SILENCE = 120.0  # seconds without a sign of life after which a job counts as dead
_LOCK = threading.Lock()
_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Projection:
    """A finished projection.

    Attributes:
        a: (n, 2) coordinates; NaN for a unit without a vector.
        b: (n, 2) of the same units in the second encoder, or None.
    """

    a: np.ndarray
    b: np.ndarray | None


@dataclass(frozen=True)
class Pending:
    """A projection under way, and since how many seconds."""

    seconds: float


@dataclass(frozen=True)
class Failed:
    """A projection that ended without a result, and its last line."""

    reason: str


def request(
    key: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    options: Mapping[str, Any] | None = None,
    retry: bool = False,
) -> Projection | Pending | Failed:
    """Ask for a projection: start it if nobody has, else say how far it is. Never waits.

    Args:
        key: everything that decides the vectors: encoders with revisions, layers, pooling, the hash of the text,
            the sample. With the options it names the result, so the same request is computed once.
        arrays: `a`, and `b` for two encoders over the same units: (n, dim) vectors.
        options: keyword arguments of `umap` or `aligned_umap` (seed, n_neighbors, min_dist, metric).
        retry: whether to start again what has failed.

    Raises:
        IsoglossError: the cache folder cannot be written.
    """
    full = {"version": VERSION, "options": dict(options or {}), "sets": sorted(arrays), **key}
    folder = cache_folder() / "projections" / fingerprint(full)
    with _LOCK:
        state = _state(folder)
        if isinstance(state, Failed) and retry:
            shutil.rmtree(folder, ignore_errors=True)
            state = None
        if state is None:
            state = _start(folder, full, arrays)
        return state


def wait(
    key: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    options: Mapping[str, Any] | None = None,
    seconds: float = 600,
) -> Projection:
    """Ask for a projection and wait for it: for scripts, not for pages.

    Raises:
        IsoglossError: it failed, or did not end in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = request(key, arrays, options=options)
        if isinstance(state, Projection):
            return state
        if isinstance(state, Failed):
            raise IsoglossError(f"the projection failed: {state.reason}")
        time.sleep(0.2)
    raise IsoglossError(f"the projection did not end within {seconds:g} s; use fewer points")


def _state(folder: Path) -> Projection | Pending | Failed | None:
    """What a job's folder says; None where there is no job."""
    finished = _read(folder / "out.npz")
    if finished is not None:
        (folder / "in.npz").unlink(missing_ok=True)
        _CHILDREN.pop(folder.name, None)
        return finished
    if not folder.exists():
        return None
    if (folder / "failed.txt").exists():
        return Failed(_last_line(folder / "failed.txt"))
    signs = [path.stat().st_mtime for path in (folder / "key.json", folder / "alive") if path.exists()]
    started, last = (signs[0], signs[-1]) if signs else (folder.stat().st_mtime,) * 2
    child = _CHILDREN.get(folder.name)
    ended = child.poll() is not None if child else time.time() - last > SILENCE
    if not ended:
        return Pending(max(0.0, time.time() - started))
    _CHILDREN.pop(folder.name, None)
    # It may have written its result between the first look and its end.
    finished = _read(folder / "out.npz")
    if finished is not None:
        return finished
    reason = _last_line(folder / "log.txt")
    with suppress(OSError):
        write_text(folder / "failed.txt", reason)
    return Failed(reason)


def _read(path: Path) -> Projection | None:
    """A finished projection, or None."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return Projection(found["a"], found.get("b"))
    except (OSError, ValueError, KeyError):
        return None


def _start(folder: Path, key: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Projection | Pending | Failed:
    """Write a job's files and start its process; whoever makes the folder starts it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
        except FileExistsError:
            return _state(folder) or Pending(0.0)
        (folder / "key.json").write_text(json.dumps(key, indent=1, ensure_ascii=False), "utf-8")
        save_arrays(folder / "in.npz", {"options": np.array(json.dumps(key["options"])), **arrays})
        with (folder / "log.txt").open("wb") as log:
            _CHILDREN[folder.name] = subprocess.Popen(
                [sys.executable, "-m", "analysis.projection.run", str(folder / "in.npz"), str(folder / "out.npz")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=_environment(),
            )  # fmt: skip
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise IsoglossError(f"cannot write {folder.parent}: {error.strerror}; set ISOGLOSS_CACHE") from error
    return Pending(0.0)


def _environment() -> dict[str, str]:
    """The environment of the process: this package first on its path."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _last_line(log: Path) -> str:
    """The last line a job wrote, or that it ended without a word."""
    try:
        lines = log.read_text("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    said = [line.strip().removeprefix("error: ") for line in lines if line.strip()]
    return said[-1] if said else "the process ended without a word; it may have run out of memory"
