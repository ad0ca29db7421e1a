"""Options that several commands share, and the readers of their values."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.errors import InputError

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
EncoderOption = Annotated[
    str, typer.Option("--encoder", help="bundled, hub:ORG/NAME[@REVISION], a folder, or BASE+NAME.", metavar="NAME")
]
Data = Annotated[
    list[str],
    typer.Option("--data", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT", help="Sentence pairs; repeat for several."),
]
Langs = Annotated[
    str | None, typer.Option("--langs", metavar="A-B", help="Languages of the two sides, for example en-de.")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; repeat for several.")
]
LinksFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--links", metavar="FILE", help="Pharaoh links of the n-th --data, a line a pair: i-j sure, ipj possible."
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of every random choice.")]
Layer = Annotated[int | None, typer.Option("--layer", help="Hidden layer; 0 is the embedding output.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the public sets, instead of ISOGLOSS_DATA.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor fill the vector cache.")]


def parse_layers(text: str) -> list[int] | None:
    """`all` as None, `0,6,12` as numbers.

    Raises:
        InputError: anything else.
    """
    if text == "all":
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--layers {text!r} is not a list of layers; valid: all, or numbers like 0,6,12") from None
