"""`encoders`, `corpora`, `methods`, `measures`, `decoders`, `regimes`, `tasks`: what is registered, without loading any of it."""

from collections.abc import Callable, Sequence
from typing import Any

import typer

from analysis import registry
from analysis.cli import console
from analysis.cli.options import Json
from analysis.settings import fields

_COLUMNS = {
    "corpora": ("name", "title", "rows", "languages", "unit", "licence"),
    "methods": ("name", "title", "fidelity", "needs", "citation"),
    "measures": ("name", "title", "unit", "higher_is_better", "citation"),
    "decoders": ("name", "title", "citation"),
    "regimes": ("name", "title", "fidelity", "needs", "citation"),
    "tasks": ("name", "title", "kind", "train", "summary"),
}


def register(app: typer.Typer) -> None:
    """Add the listing commands."""
    app.command("encoders", help="Encoders that are here: the bundled one and every aligned one.")(list_encoders)
    for room, columns in _COLUMNS.items():
        app.command(room, help=f"The registered {room}.")(_listing(room, columns))


def list_encoders(json: Json = False) -> None:
    """Print the encoders that need no download."""
    from analysis.encoders.catalog import list_encoders as entries

    rows = [entry.as_dict() for entry in entries()]
    _print(rows, ("name", "kind", "method", "languages", "recommended", "origin", "summary"), json)


def _listing(room: str, columns: Sequence[str]) -> Callable[..., None]:
    """The command that lists one room."""

    def command(json: Json = False) -> None:
        """Print what is registered."""
        _print([describe(spec) for spec in registry.registered(room).values()], columns, json)

    return command


def describe(spec: Any) -> dict[str, Any]:
    """A registered spec as a JSON object: its plain attributes and its settings."""
    shown: dict[str, Any] = {}
    for name in spec.__dataclass_fields__:
        value = getattr(spec, name)
        if isinstance(value, str | int | float | bool | None):
            shown[name] = value
        elif isinstance(value, list | tuple | set | frozenset):
            shown[name] = sorted(str(item) for item in value)
    if getattr(spec, "settings", None) is not None:
        shown["settings"] = {
            field.name: {"default": field.default, "help": field.setting.help, "choices": list(field.setting.choices)}
            for field in fields(spec.settings)
        }
    return shown


def _print(rows: list[dict[str, Any]], columns: Sequence[str], json: bool) -> None:
    """A table, or JSON."""
    if json:
        console.emit_json(rows)
        return
    console.emit_table(
        [row | {k: ", ".join(v) for k, v in row.items() if isinstance(v, list)} for row in rows], columns
    )
