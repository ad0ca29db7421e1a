"""The encoders somebody has trained here: free names, renaming, deleting, one file to take away."""

import io
import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from analysis.encoders.names import CARD, aligned_folders, encoder_roots, resolve
from analysis.errors import InputError, IsoglossError
from analysis.store import folder_bytes

MOST_BYTES = 4 * 2**30
_NAME = re.compile(r"[a-z0-9_-]{1,80}")
_STORED = (".safetensors", ".bin", ".pt")  # weights do not get smaller


def trained_folder(name: str) -> Path:
    """Where a trained encoder of that name lies; not necessarily there."""
    return encoder_roots()[1] / name


def check_free(name: str) -> str:
    """The name of a new encoder, if it is one and nobody has it.

    Raises:
        InputError: it is no name, or an aligned encoder has it.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:60]!r} is no encoder name; valid: lower-case letters, digits, _ and -")
    for root in encoder_roots():
        if (root / name).exists():
            raise InputError(f"an encoder {name!r} is there already; choose another name, or rename or delete it first")
    return name


def free_name(wanted: str, taken: Iterable[str] = ()) -> str:
    """The name wanted, with the first number behind it that makes it free.

    Args:
        wanted: a valid name.
        taken: names that are spoken for although no folder has them yet.
    """
    reserved = set(taken)
    for number in range(1, 10_000):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if name not in reserved and not any((root / name).exists() for root in encoder_roots()):
            return name
    raise InputError(f"10,000 encoders are called {wanted!r}; choose another name")


def rename_encoder(folder: Path, name: str) -> Path:
    """Give a trained encoder another name; returns its new folder.

    Raises:
        InputError: the name is none or taken, or other encoders stand on this one.
        IsoglossError: the folder cannot be renamed.
    """
    _check_own(folder, "rename")
    target = folder.with_name(check_free(name))
    try:
        return folder.rename(target)
    except OSError as error:
        raise IsoglossError(f"cannot rename {folder}: {error.strerror}; check the folder's permissions") from error


def delete_encoder(folder: Path) -> None:
    """Delete a trained encoder.

    Raises:
        InputError: it is not a trained one, or other encoders stand on it.
        IsoglossError: the folder cannot be deleted.
    """
    _check_own(folder, "delete")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise IsoglossError(f"cannot delete {folder}: {error.strerror}; check the folder's permissions") from error


def zip_encoder(folder: Path) -> bytes:
    """An encoder's folder as a ZIP file with the folder at its top.

    Raises:
        InputError: nothing there, or too large for one download.
    """
    if not (folder / CARD).exists():
        raise InputError(f"no encoder in {folder}; train it again")
    if folder_bytes(folder) > MOST_BYTES:
        raise InputError(f"{folder} has more than {MOST_BYTES >> 30} GB; copy the folder instead")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                kind = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
                archive.write(path, f"{folder.name}/{path.relative_to(folder)}", compress_type=kind)
    return packed.getvalue()


def full_name(folder: Path) -> str:
    """`BASE+NAME` of a shipped or trained encoder's folder, or its path where it lies elsewhere.

    Raises:
        InputError: there is no encoder.
    """
    for name, path, _ in aligned_folders():
        if path.resolve() == folder.resolve():
            return name
    return resolve(str(folder)).name


def _check_own(folder: Path, verb: str) -> None:
    """Only trained encoders that no other one stands on may be changed."""
    if folder.parent.resolve() != encoder_roots()[1].resolve() or not (folder / CARD).exists():
        raise InputError(f"{folder} is no encoder trained here; only those can be renamed or deleted")
    own = {full_name(folder), str(folder), str(folder.resolve())}
    for name, path, card in aligned_folders():
        if card["base"] in own and path != folder:
            raise InputError(f"cannot {verb} {folder.name}: {name} stands on it; delete that one first")
