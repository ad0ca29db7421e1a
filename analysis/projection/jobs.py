"""Projections outside the server process, each computed once and kept under its key.

`request` answers at once: the finished projection, or that it is under way, or why it failed.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import IsoglossError
from analysis.jobs import control
from analysis.jobs.runs import list_runs, read_run, runs_folder
from analysis.jobs.state import Status, state
from analysis.projection.run import result_file, save_arrays
from analysis.records import fingerprint

VERSION = 1
KIND = "umap"


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
    name = f"{KIND}-{fingerprint(full)[:16]}"
    run = read_run(runs_folder() / name)
    said = state(run) if run else None
    finished = _read(result_file(full))
    if run and said and not finished:
        if said.status is Status.RUNNING:
            return Pending(said.seconds)
        if said.status is not Status.DONE and not retry:
            return Failed(said.error or "it was stopped")
    # What is kept is the result; the run that made it, or failed to, has served.
    if run:
        control.discard(run)
    if finished:
        return finished
    for other in list_runs(KIND):
        if state(other).status is Status.DONE:
            control.discard(other)
    control.start(
        "analysis.projection.run:project", {"key": full}, kind=KIND, run_id=name,
        title=f"UMAP of {len(arrays['a']):,} points", inputs=lambda folder: save_arrays(folder / "in.npz", arrays),
    )  # fmt: skip
    return Pending(0.0)


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


def _read(path: Path) -> Projection | None:
    """A finished projection, or None."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return Projection(found["a"], found.get("b"))
    except (OSError, ValueError, KeyError):
        return None
