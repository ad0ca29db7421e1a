"""The layer, decoder and level for word alignment that were best on development data, stored per encoder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.assets import assets_folder
from analysis.encoders.encoder import LinkDefaults
from analysis.records import fingerprint
from analysis.store import cache_folder


def from_card(card: Mapping[str, Any]) -> LinkDefaults | None:
    """The stored choice of an isogloss.json, or None where it makes none."""
    links = card.get("links")
    if not isinstance(links, dict) or not isinstance(links.get("layer"), int):
        return None
    return LinkDefaults(**{name: links[name] for name in LinkDefaults.__dataclass_fields__ if name in links})


def stored_link_defaults(name: str, revision: str) -> LinkDefaults | None:
    """The stored choice for a base encoder: what tuning wrote in the cache folder, else what is shipped."""
    for path in (tuned_path(name, revision), assets_folder() / "encoders" / f"{name}.json"):
        try:
            card = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if card.get("revision") == revision:
            return from_card(card)
    return None


def tuned_path(name: str, revision: str) -> Path:
    """Where tuning stores the choice for an encoder whose own folder cannot hold it."""
    return cache_folder() / "tuned" / f"{fingerprint({'encoder': name, 'revision': revision})[:16]}.json"
