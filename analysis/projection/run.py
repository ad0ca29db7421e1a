"""One projection in a process of its own: `python -m analysis.projection.run IN.npz OUT.npz`.

IN holds the array `a`, perhaps `b`, and `options` (JSON of the keyword arguments); OUT gets the coordinates
under the same names. While it runs, the file `alive` beside OUT is touched every second.
"""

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import InputError, IsoglossError
from analysis.projection.umap_project import aligned_umap, umap

BEAT = 1.0


def project(source: Path, target: Path) -> None:
    """Compute the projection of one file and write another, under another name first.

    Args:
        source: an .npz with `a`, perhaps `b`, and `options`.
        target: the .npz to write.

    Raises:
        InputError: too few or too many vectors, or a file that holds no projection job.
    """
    try:
        with np.load(source, allow_pickle=False) as job:
            options = json.loads(str(job["options"]))
            arrays = {name: job[name] for name in ("a", "b") if name in job}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{source} is not a projection job: {error}") from error
    if "b" in arrays:
        placed = dict(zip("ab", aligned_umap([arrays["a"], arrays["b"]], **options), strict=True))
    else:
        placed = {"a": umap(arrays["a"], **options)}
    save_arrays(target, placed)


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


def main(arguments: list[str]) -> int:
    """Run one job; the last line on standard error says why it failed."""
    if len(arguments) != 2:
        print("error: usage: python -m analysis.projection.run IN.npz OUT.npz", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(target.with_name("alive"), ended), daemon=True)
    heart.start()
    try:
        project(source, target)
    except IsoglossError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        ended.set()
    return 0


def _beat(path: Path, ended: threading.Event) -> None:
    """Touch a file every second until the job ends."""
    while not ended.wait(BEAT):
        path.touch()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
