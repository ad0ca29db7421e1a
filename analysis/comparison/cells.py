"""The cache of results: a finished cell is never computed again, whatever request it comes in."""

import json
import os
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass, replace
from functools import cache, lru_cache
from hashlib import sha256
from importlib import import_module
from inspect import getmodule, unwrap
from io import BytesIO
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np

from analysis.comparison.plan import Cell
from analysis.errors import InputError, IsoglossError
from analysis.records import Result, fingerprint
from analysis.scoring.measure import Measure
from analysis.store import cache_folder

FORMAT = 1  # raise it when results are stored or controls are made in another way
LIMIT_BYTES = 2**30
DRAFT_SECONDS = 3600.0
BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
_OWN = ("analysis.records",)
_CONTROLS = "analysis.comparison.controls"
_ROOMS = (
    "analysis.neighbours",
    "analysis.links",
    "analysis.links.decoders",
    "analysis.scoring",
    "analysis.measures._parts",
)


def scores_folder() -> Path:
    """The folder of all stored results; not necessarily there."""
    return cache_folder() / "scores"


def key(cell: Cell) -> dict[str, Any]:
    """Everything that decides a result."""
    return {
        "format": FORMAT, "measure": cell.asked.measure, "settings": plain(cell.options),
        "code": code_of(cell.measure, controlled=cell.control is not None),
        "data": cell.material.digest, "marks": cell.marks, "name": cell.material.name,
        "encoder": cell.encoder, "revision": cell.revision, "layer": cell.layer, "pool": cell.pool,
        "seed": cell.seed, "control": str(cell.control or ""), "sample": cell.note, "files": _files(cell.options),
    }  # fmt: skip


def _files(options: Any) -> dict[str, str]:
    """Hash of each file that a setting names, such as a dictionary: its name says nothing of what is in it."""
    named = {name: Path(value) for name, value in vars(options).items() if isinstance(value, str) and value}
    found = {}
    for name, path in named.items():
        with suppress(OSError, ValueError):
            if path.is_file():
                found[name] = sha256(path.read_bytes()).hexdigest()
    return found


def path_of(cell: Cell) -> Path:
    """Where the result of a cell lies once it is there."""
    return scores_folder() / f"{fingerprint(key(cell))}.zip"


def has(cell: Cell) -> bool:
    """Whether a result is stored; it may still turn out to be broken."""
    return path_of(cell).exists()


def fetch(cell: Cell) -> Result | None:
    """The stored result of a cell, None where there is none or its file is broken.

    Its items are read from the file when they are asked for.
    """
    path = path_of(cell)
    try:
        with zipfile.ZipFile(path) as archive:
            stored = json.loads(archive.read("result.json"))
            replicates = np.load(BytesIO(archive.read("replicates.npy")), allow_pickle=False)
            archive.getinfo("items.json")
        os.utime(path)
        return Result(**stored, replicates=replicates, items=Items(path))
    except BROKEN:
        return None


def keep(cell: Cell, result: Result) -> Result:
    """Store the result of a cell, replicates and items too, and return it as `fetch` would.

    Raises:
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    shown = {name: plain(value) for name, value in vars(result).items() if name not in ("items", "replicates")}
    replicates = BytesIO()
    np.save(replicates, np.asarray(result.replicates, dtype=np.float64), allow_pickle=False)
    path = path_of(cell)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".draft-", delete=False) as draft:
            try:
                with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                    archive.writestr("key.json", json.dumps(key(cell), indent=1))
                    archive.writestr("result.json", json.dumps(shown))
                    archive.writestr("replicates.npy", replicates.getvalue())
                    archive.writestr("items.json", json.dumps(plain(dict(result.items))))
                draft.close()
                Path(draft.name).chmod(0o644)
                Path(draft.name).replace(path)
            finally:
                Path(draft.name).unlink(missing_ok=True)
    except OSError as error:
        raise IsoglossError(f"cannot write {path}: {error.strerror}; free space or set ISOGLOSS_CACHE") from error
    return replace(Result(**shown), replicates=np.asarray(result.replicates, dtype=np.float64), items=Items(path))


def trim() -> None:
    """Delete the results unused longest while there are too many, and drafts of processes that were killed."""
    folder = scores_folder()
    if not folder.is_dir():
        return
    with suppress(OSError):  # another process trims too
        for draft in folder.glob(".draft-*"):
            if draft.stat().st_mtime < time.time() - DRAFT_SECONDS:
                draft.unlink(missing_ok=True)
        found = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.zip"))
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= LIMIT_BYTES:
                break
            path.unlink(missing_ok=True)
            total -= size


class Items(Mapping[str, Sequence[Any]]):
    """The table behind a stored score, read when it is looked at.

    Args:
        path: of the stored result.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def _columns(self) -> dict[str, list[Any]]:
        """The columns.

        Raises:
            InputError: the file is gone or broken.
        """
        try:
            return _read_items(self.path, self.path.stat().st_mtime_ns)
        except BROKEN as error:
            self.path.unlink(missing_ok=True)
            raise InputError(f"{self.path} is gone or broken; run the comparison again") from error

    def __getitem__(self, name: str) -> Sequence[Any]:
        """One column."""
        return self._columns()[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(self._columns())

    def __len__(self) -> int:
        """Number of columns."""
        return len(self._columns())


@lru_cache(maxsize=4)
def _read_items(path: Path, _changed: int) -> dict[str, list[Any]]:
    """The items in a file."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("items.json"))


def plain(value: Any) -> Any:
    """The value as JSON holds it: numbers of Python, lists, and None for what is not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


@cache
def code_of(measure: Measure, *, controlled: bool = False) -> str:
    """Hash of the measure's file and of all that measures share: a result is as old as the code that made it.

    Other measures do not count, nor do controls where there is none.
    """
    state = sha256()
    own = [getattr(getmodule(unwrap(measure.compute)), "__file__", None)]
    own += [import_module(_CONTROLS).__file__] if controlled else []
    for path in (*(Path(name) for name in own if name), *_shared()):
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()


@cache
def _shared() -> tuple[Path, ...]:
    """The files of the rooms that measures draw on."""
    found = [Path(str(import_module(name).__file__)) for name in _OWN]
    for room in _ROOMS:
        package = import_module(room)
        for module in iter_modules(package.__path__):
            path = Path(package.__path__[0]) / f"{module.name}.py"
            if path.exists():
                found.append(path)
    return tuple(sorted(found))
