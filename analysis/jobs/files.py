"""Files of a run's folder: written whole or not at all, read without trusting them."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from analysis.errors import IsoglossError
from analysis.store import write_text


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into the one line that a user reads.

    Args:
        path: what is written, for the message.

    Raises:
        IsoglossError: the disk is full or the place cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise IsoglossError(f"cannot write {path}: {reason}; free space or set ISOGLOSS_CACHE") from error


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, or None where there is none that can be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object so that a reader sees the old file or the whole new one.

    Raises:
        IsoglossError: the disk is full or the folder cannot be written.
    """
    with writing(path):
        write_text(path, json.dumps(value, ensure_ascii=False))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file with one a line; a torn line is left out."""
    try:
        raw = path.read_bytes()
    except OSError:
        return []
    found = []
    for line in raw.split(b"\n"):
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                found.append(value)
    return found


def append(path: Path, line: str) -> None:
    """Add a line to a file in one write.

    Raises:
        IsoglossError: the disk is full or the file cannot be written.
    """
    with writing(path), path.open("ab", buffering=0) as file:
        file.write(line.encode("utf-8", "replace") + b"\n")


def sync(folder: Path) -> None:
    """Have the system write a folder's files to the disk, so that a power cut leaves them whole."""
    if sys.platform == "win32":
        return  # it opens no folder, and syncs no file that is open for reading
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(folder: Path) -> None:
    """Delete a folder; it loses its name first, so that nobody takes half of it for the whole."""
    doomed = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)) / "gone"
    with suppress(FileNotFoundError):
        folder.rename(doomed)
    shutil.rmtree(doomed.parent, ignore_errors=True)
