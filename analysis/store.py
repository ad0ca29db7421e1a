"""The cache folder and the vector cache: get(key) and put(key, arrays), where key is one visible dict.

An entry is a folder `vectors/<sha256 of the key>` with the key as readable JSON beside its arrays. Entries
are written under another name and renamed, so a reader never sees half of one.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import IsoglossError
from analysis.records import fingerprint

VERSION = 1
LIMIT_BYTES = int(float(os.environ.get("ISOGLOSS_CACHE_GB", "8")) * 2**30)


def cache_folder() -> Path:
    """The cache folder: `ISOGLOSS_CACHE`, else the platform's user cache. Not necessarily there yet."""
    named = os.environ.get("ISOGLOSS_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("isogloss", appauthor=False)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends without an error.

    If someone else made `target` meanwhile, theirs is kept: entries with one name have one content.

    Raises:
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise IsoglossError(f"cannot write {target.parent}: {error.strerror}; set ISOGLOSS_CACHE") from error
    try:
        yield draft
        draft.chmod(0o755)
        with suppress(OSError):
            draft.rename(target)
        if not target.exists():
            raise IsoglossError(f"cannot write {target}; check the folder's permissions or set ISOGLOSS_CACHE")
    except OSError as error:
        raise IsoglossError(f"cannot write {target}: {error.strerror}; free space or set ISOGLOSS_CACHE") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as draft:
        draft.write(text)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(path)


def _entry(key: Mapping[str, Any]) -> Path:
    """Where the entry of a key lies."""
    return cache_folder() / "vectors" / fingerprint({"version": VERSION, **key})


def get(key: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
    """The arrays stored under a key, memory-mapped and read-only, or None.

    Args:
        key: everything that decides the content: encoder, revision, text hash, unit, layers, pooling, prefix.
    """
    entry = _entry(key)
    try:
        arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in entry.glob("*.npy")}
        os.utime(entry)
    except (OSError, ValueError):
        return None
    return arrays or None


def put(key: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Store arrays under a key and drop the entries unused longest while the cache is over its limit.

    Raises:
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    if has(key):
        return
    with new_entry(key) as draft:
        for name, array in arrays.items():
            np.save(draft / f"{name}.npy", array, allow_pickle=False)


@contextmanager
def new_entry(key: Mapping[str, Any]) -> Iterator[Path]:
    """A temporary folder whose `.npy` files become the arrays of a key when the block ends without an error.

    Raises:
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    entry = _entry(key)
    with new_folder(entry) as draft:
        (draft / "key.json").write_text(json.dumps({"version": VERSION, **key}, indent=1, ensure_ascii=False), "utf-8")
        yield draft
    _trim(entry.parent)


def has(key: Mapping[str, Any]) -> bool:
    """Whether something is stored under a key."""
    return _entry(key).exists()


def _trim(folder: Path) -> None:
    """Delete the least recently used entries until the folder is within its limit; other processes may do so too."""
    entries: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        if not path.name.startswith("."):
            with suppress(FileNotFoundError):  # deleted by another process since it was listed
                entries.append((path.stat().st_mtime, folder_bytes(path), path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries)[:-1]:
        if total <= LIMIT_BYTES:
            return
        shutil.rmtree(path, ignore_errors=True)
        total -= size


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def clear() -> int:
    """Empty the cache folder but for trained encoders and uploads, and return the bytes freed."""
    freed = 0
    (cache_folder() / "revisions.json").unlink(missing_ok=True)
    for name in ("vectors", "converted", "projections", "downloads", "tuned", "scores"):
        folder = cache_folder() / name
        freed += folder_bytes(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return freed
