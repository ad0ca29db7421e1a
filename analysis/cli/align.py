"""`align`: make an aligned encoder; `strength`: keep a share of its change; `join`: one adapter out of several runs."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.cli import console
from analysis.cli.options import DataDir, EncoderOption, Langs, LinksFiles, Seed, Settings

DevOption = Annotated[list[str] | None, typer.Option("--dev", metavar="FILE|set:...", help="Development pairs.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("align")(align)
    app.command("strength")(strength)
    app.command("join")(join)


def align(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="See: python -m analysis methods.")],
    encoder: EncoderOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the new encoder; then an encoder name.")],
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT", help="Training pairs."),
    ] = None,
    langs: Langs = None,
    links: LinksFiles = None,
    dictionary: Annotated[
        list[str] | None,
        typer.Option("--dictionary", metavar="FILE|set:bli_xling:A-B:train", help="Word pairs: TSV, MUSE or FreeDict."),
    ] = None,
    monolingual: Annotated[
        list[str] | None,
        typer.Option("--monolingual", metavar="FILE[:LANG]|DATA", help="One sentence a line, or any data."),
    ] = None,
    dev: DevOption = None,
    seed: Seed = 0,
    settings: Settings = None,
    data_dir: DataDir = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew where an earlier run was stopped.")] = False,
    estimate_only: Annotated[bool, typer.Option("--estimate", help="Only say what it would cost.")] = False,
) -> None:
    """Make an aligned encoder from a base encoder; stopped or killed, the same command goes on where it was."""
    from analysis.alignment.job import ENTRY, KIND, make_spec, title
    from analysis.cli.jobs import work_through

    spec = make_spec(
        method, encoder, data=data or [], out=out, langs=langs, links=links or [], dictionary=dictionary or [],
        monolingual=monolingual or [], dev=dev or [], seed=seed, settings=settings or [], data_dir=data_dir,
        command=shlex.join(["python", "-m", "analysis", *(one for one in sys.argv[1:] if one != "--fresh")]),
    )  # fmt: skip
    if estimate_only:
        _estimate(spec)
        return
    work_through(ENTRY, spec, kind=KIND, title=title(spec), fresh=fresh)
    console.emit(str(out))


def _estimate(spec: dict[str, Any]) -> None:
    """Print what a run would cost."""
    from analysis.alignment.cost import estimate
    from analysis.alignment.reading import (
        read_dictionaries,
        read_monolingual,
        read_pairs,
        training_problems,
        wanted_tags,
    )
    from analysis.encoders.load import load_encoder
    from analysis.registry import find
    from analysis.settings import parse_settings

    method = find("methods", spec["method"])
    settings = parse_settings(method.settings, spec["settings"])
    problems = training_problems(console.report)
    bitexts = read_pairs(
        spec["data"], spec["langs"], spec["links"], spec["data_dir"], problems, wanted_tags(settings)
    )  # fmt: skip
    found = estimate(
        method, load_encoder(spec["encoder"]), bitexts, settings,
        monolingual=read_monolingual(
            spec["monolingual"], spec["langs"], spec["data_dir"], problems, wanted_tags(settings)
        ),
        dictionaries=read_dictionaries(spec["dictionary"], spec["langs"], spec["data_dir"], problems),
    )  # fmt: skip
    if found is None:
        console.emit(f"{method.name} is a closed form: a pass or two over the text")
        return
    console.emit(
        f"{found.steps:,} steps on {found.pairs:,} examples, about {found.minutes:.1f} minutes, "
        f"{found.memory_bytes / 1e9:.1f} GB of memory, {found.disk_bytes / 1e6:.0f} MB of disk; "
        f"{found.trainable:,} numbers train; {found.note}"
    )


def strength(
    encoder: EncoderOption,
    share: Annotated[float, typer.Option("--share", help="0 is the base, 1 the trained encoder.", metavar="NUMBER")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the new encoder.")],
    blocks: Annotated[
        str, typer.Option("--blocks", metavar="A-B", help="Only in these transformer blocks; 1 is the lowest.")
    ] = "all",
    dev: DevOption = None,
    langs: Langs = None,
    data_dir: DataDir = None,
) -> None:
    """Keep a share of what fine-tuning changed: less gained, less forgotten, no training."""
    from analysis.alignment.strength import rescale

    console.emit(str(rescale(encoder, share, out, blocks=blocks, dev=_dev_pairs(dev, langs, data_dir), say=_told)))


def join(
    encoder: EncoderOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the new encoder.")],
    rank: Annotated[int, typer.Option(min=0, help="Of the new adapter; 0 keeps all of every run's.")] = 0,
    dev: DevOption = None,
    langs: Langs = None,
    data_dir: DataDir = None,
) -> None:
    """Make one adapter of an encoder that was aligned in several runs, each on the result of the one before."""
    from analysis.alignment.join import join_adapters

    pairs = _dev_pairs(dev, langs, data_dir)
    console.emit(str(join_adapters(encoder, out, rank=rank, dev=pairs, say=_told)))


def _dev_pairs(dev: list[str] | None, langs: str | None, data_dir: Path | None) -> list[Any]:
    """The development pairs of a command that makes an encoder out of trained ones."""
    from analysis.alignment.reading import read_pairs
    from analysis.text.problems import Problems

    folder = str(data_dir) if data_dir else None
    return list(read_pairs(dev or [], langs, (), folder, Problems(echo=console.report)))


def _told(text: str) -> None:
    """A line beside the answer."""
    typer.echo(text, err=True)
