"""One projection as a run (see `analysis.jobs`): reads the vectors it was given, keeps the coordinates under its key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.jobs.files import writing
from analysis.jobs.job import Job
from analysis.projection.umap_project import aligned_umap, umap
from analysis.records import fingerprint
from analysis.store import cache_folder


def result_file(key: Mapping[str, Any]) -> Path:
    """Where the coordinates of a projection are kept.

    Args:
        key: everything that decides them.
    """
    return cache_folder() / "projections" / fingerprint(key) / "out.npz"


def project(spec: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Compute a projection and keep it.

    Args:
        spec: `key`, everything that decides the projection, with the `options` of `umap` or `aligned_umap` in it.
        job: its inputs hold `in.npz` with the (n, dim) array `a`, and `b` for two encoders over the same units.

    Returns:
        `file`, an .npz of (n, 2) coordinates under the same names.

    Raises:
        InputError: too few or too many vectors, or inputs that are no projection's.
        IsoglossError: the disk is full.
    """
    key, source = spec["key"], job.inputs / "in.npz"
    try:
        with np.load(source, allow_pickle=False) as given:
            arrays = {name: given[name] for name in ("a", "b") if name in given}
            if "a" not in arrays:
                raise KeyError("a")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{source} holds no vectors to project: {error}") from error
    if "b" in arrays:
        placed = dict(zip("ab", aligned_umap([arrays["a"], arrays["b"]], **key["options"]), strict=True))
    else:
        placed = {"a": umap(arrays["a"], **key["options"])}
    target = result_file(key)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        save_arrays(target, placed)
    return {"file": str(target)}


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write an .npz under another name first, so that a reader sees all of it or none.

    Args:
        path: where it goes.
        arrays: the arrays by name; arrays only, nothing that needs pickle.
    """
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        np.savez(file, **arrays)
    draft.replace(path)
