"""The folder a command writes: made if absent, accepted if empty, replaced file by file if it wrote it before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.errors import InputError
from analysis.records import versions

RUN = "run.json"


def claim(folder: Path, command: str) -> None:
    """Make sure the command may write into the folder, before the work starts.

    Raises:
        InputError: it is a file, or holds something that this command did not write.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {str(folder)!r} is a file; give a folder that is absent or empty")
    if folder.is_dir() and any(folder.iterdir()) and _writer(folder) != command:
        raise InputError(
            f"--out {str(folder)!r} is not empty and not an earlier run of {command!r}; give another folder"
        )


def _writer(folder: Path) -> str | None:
    """The command that wrote the folder, by its run record."""
    try:
        return json.loads((folder / RUN).read_text("utf-8")).get("command")
    except (OSError, ValueError, AttributeError):
        return None


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under another name and rename it, so that nobody reads half of it; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        write(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_run(folder: Path, command: str, record: dict[str, Any]) -> None:
    """Write run.json: what was run, on what, with which versions."""
    text = json.dumps({"command": command, **record, "versions": versions()}, indent=1, ensure_ascii=False)
    replace_file(folder / RUN, lambda path: path.write_text(text + "\n", "utf-8"))
