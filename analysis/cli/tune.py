"""`tune`: choose an encoder's layer, decoder and level for word links on development data."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli import console
from analysis.cli.evaluate import label, read_data
from analysis.cli.options import Data, DataDir, EncoderOption, Json, Langs, LinksFiles
from analysis.errors import InputError

_TEST = re.compile(r"(?<![a-z])test(?![a-z])", re.IGNORECASE)
_COLUMNS = ("layer", "decoder", "level", "settings", "f1", "s/1,000 pairs")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tune")(tune)


def tune(
    encoder: EncoderOption,
    data: Data,
    langs: Langs = None,
    links: LinksFiles = None,
    one_based: Annotated[bool, typer.Option("--one-based", help="The links files count words from 1.")] = False,
    decoder: Annotated[
        list[str] | None, typer.Option("--decoder", metavar="NAME", help="Try this one only; repeat for several.")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", metavar="LAYERS", help="Try these only: 7, 4-8 or 4-8,11; without it all but 0."),
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Choose layer, decoder, level and settings for word links on development data, and store the choice."""
    from dataclasses import asdict

    from analysis.encoders.load import load_encoder
    from analysis.links.tuning import best_of_each, choose, make_plan, store_choice

    for one in data:
        if looks_like_test(one):
            console.warn(f"{one} looks like a test split; scores on data that chose the layer are too high")
    model = load_encoder(encoder)
    plan = make_plan(model, decoder, parse_ranges(layer) if layer else None)
    bitexts = read_data(data, langs=langs, links=links, one_based=one_based, data_dir=data_dir)
    try:
        with (
            console.progress_bar("tuning", unit=" layers") as progress,
            console.progress_bar("encoding") as encoding,
        ):
            choice, trials = choose(model, bitexts, plan=plan, progress=progress, encoding=encoding)
    except KeyboardInterrupt:
        raise console.interrupted("interrupted; finished layers are kept, run the command again to go on") from None
    path = store_choice(model, choice)
    best = best_of_each(trials)
    if json:
        console.emit_json(
            {"chosen": asdict(choice), "stored": path, "data": [label(one) for one in bitexts],
             "best": [asdict(trial) for trial in best], "trials": [asdict(trial) for trial in trials]}
        )  # fmt: skip
        return
    rows = [
        {**asdict(trial), "settings": " ".join(trial.settings), "f1": f"{trial.f1:.1f}",
         "s/1,000 pairs": f"{trial.seconds_per_1000:.2f}"}
        for trial in best
    ]  # fmt: skip
    console.emit_table(rows, _COLUMNS)
    console.emit(f"stored in {path}")


def looks_like_test(data: str) -> bool:
    """Whether the name of some data has the word `test` in it: as a split, or in the name of a file."""
    name = data if data.startswith(("set:", "corpus:")) else Path(data).name
    return bool(_TEST.search(name))


def parse_ranges(texts: Sequence[str]) -> list[int]:
    """`4-8,11` as the numbers 4 to 8 and 11.

    Raises:
        InputError: anything else.
    """
    found: list[int] = []
    for part in ",".join(texts).split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", part)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise InputError(f"--layer {part!r} is neither a layer nor a range; valid: 7, 4-8, or several with commas")
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return found
