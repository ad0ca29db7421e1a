"""Finds what is registered: one file in a room is one method, measure, decoder or corpus.

A registered file declares a module-level `SPEC` and imports what is heavy inside its functions. Installed
packages add theirs by an entry point of the group `isogloss.<room>` that names a SPEC.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from analysis.errors import unknown

ROOMS = {
    "corpora": "analysis.text.corpora",
    "readers": "analysis.text.readers",
    "decoders": "analysis.links.decoders",
    "measures": "analysis.measures",
    "methods": "analysis.alignment",
    "tasks": "analysis.transfer.tasks",
    "regimes": "analysis.transfer.regimes",
}


@cache
def registered(room: str) -> dict[str, Any]:
    """All specs of a room, by name, in order of name.

    Args:
        room: one of `ROOMS`.

    Raises:
        InputError: no such room.
    """
    if room not in ROOMS:
        raise unknown("room", room, ROOMS)
    package = importlib.import_module(ROOMS[room])
    specs = []
    for module in pkgutil.iter_modules(package.__path__):
        spec = getattr(importlib.import_module(f"{ROOMS[room]}.{module.name}"), "SPEC", None)
        if spec is not None:
            specs.append(spec)
    specs.extend(point.load() for point in entry_points(group=f"isogloss.{room}"))
    return {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.name)}


def find(room: str, name: str) -> Any:
    """The spec with that name.

    Raises:
        InputError: naming the ones there are.
    """
    specs = registered(room)
    if name not in specs:
        raise unknown(room.removesuffix("s") if room != "corpora" else "corpus", name, specs)
    return specs[name]
