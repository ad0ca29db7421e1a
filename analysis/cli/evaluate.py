"""`evaluate`: one measure of one encoder on sentence pairs, judged pairs, many languages or text, with its interval."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli import console
from analysis.cli.options import Data, DataDir, EncoderOption, Json, Langs, Layer, LinksFiles, NoCache, Seed, Settings
from analysis.errors import InputError
from analysis.text.corpus import Bitext

if TYPE_CHECKING:
    from analysis.scoring.measure import Material, Measure


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    measure: Annotated[str, typer.Argument(metavar="MEASURE", help="See: python -m analysis measures.")],
    encoder: EncoderOption,
    data: Data,
    langs: Langs = None,
    languages: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Languages wanted, where no pair is named.")
    ] = None,
    links: LinksFiles = None,
    one_based: Annotated[bool, typer.Option("--one-based", help="The links files count words from 1.")] = False,
    layer: Layer = None,
    seed: Seed = 0,
    settings: Settings = None,
    data_dir: DataDir = None,
    no_cache: NoCache = False,
    json: Json = False,
) -> None:
    """Score an encoder by one measure, with a 95 % interval over sentences."""
    from analysis.encoders.load import load_encoder
    from analysis.registry import find
    from analysis.scoring.evaluate import average
    from analysis.scoring.evaluate import evaluate as score
    from analysis.scoring.materials import label as label_of

    spec = find("measures", measure)
    model = load_encoder(encoder)
    materials = _read_materials(
        spec, data, langs=langs, links=links, one_based=one_based, data_dir=data_dir, languages=languages
    )
    results = []
    for material in materials:
        with console.progress_bar(material.name) as progress:
            results.append(
                score(spec, model, material, layer=layer, settings=settings or [], seed=seed, cache=not no_cache,
                      progress=progress)
            )  # fmt: skip
    whole = results[0] if len(results) == 1 else average(results)
    names = [label_of(material) for material in materials]
    if json:
        items = [{"data": name, **result.as_dict()} for name, result in zip(names, results, strict=True)]
        console.emit_json(whole.as_dict() | ({"data": items[0]["data"]} if len(items) == 1 else {"items": items}))
        return
    rows = [_row(name, result) for name, result in zip(names, results, strict=True)]
    if len(rows) > 1:
        rows.append(_row("mean", whole))
    console.emit_table(rows, ("data", measure, "low", "high", "n", "layer", "unit", "note"))


def _read_materials(
    measure: "Measure", data: list[str], *, langs: str | None, links: list[Path] | None, one_based: bool,
    data_dir: Path | None, languages: str | None,
) -> "list[Material]":  # fmt: skip
    """What repeated --data options hold for a measure, the n-th with the n-th --links file.

    Raises:
        InputError: more links files than data, data that cannot be read, or that do not fit the measure.
    """
    from analysis.scoring.materials import load_materials
    from analysis.text.languages import normalise_tag, parse_langs
    from analysis.text.problems import Problems

    files = list(links or [])
    if len(files) > len(data):
        raise InputError(f"{len(files)} --links for {len(data)} --data; the n-th --links belongs to the n-th --data")
    problems = Problems(echo=console.report)
    pair = parse_langs(langs) if langs else None
    tags = [normalise_tag(tag) for tag in languages.split(",")] if languages else None
    found: list[Material] = []
    for number, one in enumerate(data):
        found += load_materials(
            measure, one, langs=pair, links=files[number] if number < len(files) else None, one_based=one_based,
            data_dir=data_dir, problems=problems, languages=tags,
        )  # fmt: skip
    return found


def read_data(
    data: list[str],
    *,
    langs: str | None,
    links: list[Path] | None,
    one_based: bool = False,
    data_dir: Path | None = None,
) -> list[Bitext]:
    """All sentence pairs of repeated --data options, the n-th with the n-th --links file.

    Raises:
        InputError: more links files than data, or data that cannot be read.
    """
    from analysis.text.languages import parse_langs
    from analysis.text.load import load_bitexts
    from analysis.text.problems import Problems

    files = list(links or [])
    if len(files) > len(data):
        raise InputError(f"{len(files)} --links for {len(data)} --data; the n-th --links belongs to the n-th --data")
    problems = Problems(echo=console.report)
    pair = parse_langs(langs) if langs else None
    found: list[Bitext] = []
    for number, one in enumerate(data):
        found += load_bitexts(
            one, langs=pair, links=files[number] if number < len(files) else None, one_based=one_based,
            data_dir=data_dir, problems=problems,
        )  # fmt: skip
    return found


def label(bitext: Bitext) -> str:
    """The data's name with its languages."""
    return f"{bitext.name} {'-'.join(bitext.languages)}"


def _row(name: str, result: Any) -> dict[str, Any]:
    """One line of the table."""
    digits = 1 if result.unit == "percent" else 3
    show = lambda value: "" if value is None else f"{value:.{digits}f}"  # noqa: E731
    return {
        "data": name, result.measure: show(result.score), "low": show(result.low), "high": show(result.high),
        "n": result.n, "layer": result.provenance.get("layer"), "unit": result.unit, "note": result.note,
    }  # fmt: skip
