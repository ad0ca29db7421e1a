"""The grammar of encoder names, the one place that reads it.

`bundled`; `hub:ORG/NAME[@REVISION]`; a path to a folder; `BASE+NAME`, split at the last `+`, where NAME is a
folder of shipped or trained encoders whose isogloss.json names BASE; `random:BASE[#SEED]`, the architecture and
tokenizer of BASE with weights drawn anew, a control.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from analysis.assets import assets_folder
from analysis.errors import InputError
from analysis.store import cache_folder

GRAMMAR = (
    "bundled, hub:ORG/NAME[@REVISION], a folder, BASE+NAME or random:BASE (list them with: python -m analysis encoders)"
)
CARD = "isogloss.json"
_HUB = re.compile(r"hub:([A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)(?:@([\w./-]+))?")
_RANDOM = re.compile(r"random:(.+?)(?:#(\d{1,9}))?")
_NAME = re.compile(r"[a-z0-9_-]+")


class Kind(StrEnum):
    """Where an encoder comes from."""

    BUNDLED = "bundled"
    HUB = "hub"
    FOLDER = "folder"
    ALIGNED = "aligned"
    RANDOM = "random"


@dataclass(frozen=True)
class EncoderName:
    """A resolved name.

    Attributes:
        name: as it was given.
        kind: where the encoder comes from.
        folder: the folder of a local or aligned encoder.
        repo, revision: of a hub encoder; the revision of a random one is its seed.
        base: name of the encoder that an aligned one stands on, or whose shape a random one has.
    """

    name: str
    kind: Kind
    folder: Path | None = None
    repo: str = ""
    revision: str | None = None
    base: str = ""


def resolve(name: str) -> EncoderName:
    """Find what a name stands for, without loading anything.

    Raises:
        InputError: the name fits no form of the grammar, or names a folder or aligned encoder that is not there.
    """
    if not name.strip() or "\0" in name:
        raise InputError(f"encoder name {name!r} is empty; valid: {GRAMMAR}")
    path = _existing(name)
    # A stray file or folder called "bundled" is no encoder and must not hide one.
    if path and (os.sep in name or (path / CARD).exists() or (path / "config.json").exists()):
        return _folder(name, path)
    if name.startswith("random:"):
        return _random(name)
    base, plus, leaf = name.rpartition("+")
    if plus and (base == "bundled" or base.startswith("hub:") or "+" in base or _existing(base)):
        return _aligned(name, base, leaf)
    if name == "bundled":
        return EncoderName(name, Kind.BUNDLED)
    if name.startswith("hub:"):
        return _hub(name)
    if path:
        return _folder(name, path)
    if os.sep in name:
        raise InputError(f"encoder folder {name!r} does not exist; valid: {GRAMMAR}")
    raise InputError(f"unknown encoder {name!r}; valid: {GRAMMAR}")


def _existing(name: str) -> Path | None:
    """The path a name spells, if there is something; what no system can look up is not there."""
    try:
        path = Path(name).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None


def read_card(folder: Path) -> dict[str, Any]:
    """The isogloss.json of an aligned encoder.

    Raises:
        InputError: it is missing, not JSON, or names no base.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); align the encoder anew or restore the file") from error
    if not isinstance(card, dict) or not isinstance(card.get("base"), str):
        raise InputError(f"{path} names no base encoder; it needs a key base, one of: {GRAMMAR}")
    return card


def aligned_folders() -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Every readable shipped and trained encoder as (`BASE+NAME`, folder, card); shipped ones first."""
    for root in encoder_roots():
        for path in sorted(root.glob(f"*/{CARD}")):
            try:
                card = read_card(path.parent)
            except InputError:
                continue
            yield f"{card['base']}+{path.parent.name}", path.parent, card


def encoder_roots() -> tuple[Path, Path]:
    """The folders that hold aligned encoders: the shipped ones, then the user's."""
    return assets_folder() / "encoders", cache_folder() / "encoders"


def _folder(name: str, path: Path) -> EncoderName:
    """An existing path as an encoder."""
    if not path.is_dir():
        raise InputError(f"{name!r} is a file, not an encoder; give the folder with config.json and model.safetensors")
    if (path / CARD).exists():
        return EncoderName(name, Kind.ALIGNED, folder=path, base=read_card(path)["base"])
    if not (path / "config.json").exists():
        raise InputError(f"folder {name!r} holds no config.json; an encoder is what save_pretrained() writes")
    return EncoderName(name, Kind.FOLDER, folder=path)


def _aligned(name: str, base: str, leaf: str) -> EncoderName:
    """`BASE+NAME` as an encoder."""
    if not _NAME.fullmatch(leaf):
        raise InputError(f"{leaf!r} in {name!r} is no encoder name; valid: lower-case letters, digits, _ and -")
    bases = []
    for root in encoder_roots():
        if (root / leaf / CARD).exists():
            bases.append(read_card(root / leaf)["base"])
            if bases[-1] == base:
                return EncoderName(name, Kind.ALIGNED, folder=root / leaf, base=base)
    if bases:
        raise InputError(f"no encoder {name!r}: {leaf!r} stands on {bases[0]!r}; use {bases[0]}+{leaf}")
    known = ", ".join(entry for entry, _, _ in aligned_folders()) or "none yet"
    raise InputError(
        f"unknown encoder {name!r}; aligned encoders here: {known}; make one with: python -m analysis align"
    )


def _random(name: str) -> EncoderName:
    """`random:BASE[#SEED]` as an encoder."""
    match = _RANDOM.fullmatch(name)
    if not match:
        raise InputError(f"{name!r} names no base; valid: random:BASE or random:BASE#SEED, for example random:bundled")
    below = resolve(match[1])
    if below.kind in (Kind.ALIGNED, Kind.RANDOM):
        raise InputError(f"{name!r}: {match[1]} is no base encoder; draw the weights of its base anew")
    return EncoderName(name, Kind.RANDOM, base=match[1], revision=match[2] or "0")


def _hub(name: str) -> EncoderName:
    """`hub:ORG/NAME[@REVISION]` as an encoder."""
    match = _HUB.fullmatch(name)
    if not match:
        raise InputError(f"{name!r} is no hub name; valid: hub:ORG/NAME or hub:ORG/NAME@REVISION")
    return EncoderName(name, Kind.HUB, repo=match[1], revision=match[2])
