"""Isogloss: how well languages line up inside a multilingual encoder, and how to make them line up better.

The names below are what most scripts need; they are imported when they are first used, so that
`import analysis` stays light.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "load_encoder": "analysis.encoders.load",
    "load_corpus": "analysis.text.load",
    "load_bitexts": "analysis.text.load",
    "evaluate": "analysis.scoring.evaluate",
    "compare": "analysis.comparison.compare",
    "Aligner": "analysis.links.aligner",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_PUBLIC[name]), name)
