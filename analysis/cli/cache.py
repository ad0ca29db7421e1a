"""`cache`: where the cache folder is, what it holds, and how to empty it."""

from typing import Annotated

import typer

from analysis import store
from analysis.cli import console
from analysis.cli.options import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cache")(show)


def show(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all but trained encoders and uploads.")] = False,
    json: Json = False,
) -> None:
    """Show the cache folder and its size, or empty it."""
    folder = store.cache_folder()
    freed = store.clear() if clear else 0
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    parts = {name: store.folder_bytes(folder / name) for name in names}
    if json:
        console.emit_json({"folder": str(folder), "bytes": parts, "freed": freed})
        return
    console.emit(str(folder))
    console.emit_table([{"part": name, "MB": f"{size / 1e6:.1f}"} for name, size in parts.items()], ("part", "MB"))
    if clear:
        console.emit(f"freed {freed / 1e6:.1f} MB")
