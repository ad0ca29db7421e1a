"""`align`: make an aligned encoder; `tune`: choose an encoder's layer and decoder for word links."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from analysis.alignment.run import Source
from analysis.cli import console
from analysis.cli.evaluate import label, read_data
from analysis.cli.options import Data, DataDir, EncoderOption, Json, Langs, LinksFiles, Seed, Settings
from analysis.errors import InputError
from analysis.text.corpus import Sentence


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("align")(align)
    app.command("tune")(tune)


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
    dictionary: Annotated[list[Path] | None, typer.Option("--dictionary", metavar="FILE")] = None,
    monolingual: Annotated[
        list[str] | None, typer.Option("--monolingual", metavar="FILE", help="One sentence a line, language detected.")
    ] = None,
    dev: Annotated[list[str] | None, typer.Option("--dev", metavar="FILE|set:...", help="Development pairs.")] = None,
    seed: Seed = 0,
    settings: Settings = None,
    data_dir: DataDir = None,
) -> None:
    """Make an aligned encoder from a base encoder."""
    from analysis.alignment.method import Uses, check_needs
    from analysis.alignment.run import align as run
    from analysis.alignment.run import claim_encoder_folder
    from analysis.encoders.load import load_encoder
    from analysis.registry import find
    from analysis.settings import parse_settings

    spec = find("methods", method)
    given = {
        Uses.DATA: data,
        Uses.LINKS: links,
        Uses.DICTIONARY: dictionary,
        Uses.MONOLINGUAL: monolingual,
        Uses.DEV: dev,
    }
    check_needs(spec, given)
    chosen = parse_settings(spec.settings, settings or [])
    model = load_encoder(encoder)
    claim_encoder_folder(out, model)
    bitexts = read_data(data or [], langs=langs, links=links, data_dir=data_dir)
    held_out = []
    for one in dev or []:
        named = one.startswith(("set:", "corpus:"))
        held_out += read_data([one], langs=None if named else langs, links=None, data_dir=data_dir)
    run(
        spec, model, bitexts, out=out, settings=chosen, seed=seed, monolingual=_monolingual(monolingual or []),
        dev=held_out, sources=[_source(one) for one in [*(data or []), *(monolingual or [])]],
        command=shlex.join(["python", "-m", "analysis", *sys.argv[1:]]), say=lambda text: print(text, file=sys.stderr),
    )  # fmt: skip
    console.emit(str(out))


def tune(
    encoder: EncoderOption,
    data: Data,
    langs: Langs = None,
    links: LinksFiles = None,
    one_based: Annotated[bool, typer.Option("--one-based", help="The links files count words from 1.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Choose layer, decoder and level for word links on development data, and store the choice."""
    from dataclasses import asdict

    from analysis.encoders.load import load_encoder
    from analysis.links.tuning import choose, store_choice

    model = load_encoder(encoder)
    bitexts = read_data(data, langs=langs, links=links, one_based=one_based, data_dir=data_dir)
    choice, trials = choose(model, bitexts)
    path = store_choice(model, choice)
    if json:
        console.emit_json(
            {"chosen": asdict(choice), "stored": path, "data": [label(one) for one in bitexts],
             "trials": [asdict(trial) for trial in trials]}
        )  # fmt: skip
        return
    console.emit_table(
        [{**asdict(trial), "f1": f"{trial.f1:.1f}"} for trial in trials[:10]], ("layer", "decoder", "level", "f1")
    )
    console.emit(f"stored in {path}")


def _monolingual(files: list[str]) -> dict[str, tuple[Sentence, ...]]:
    """Sentences of all files by language."""
    from analysis.text.load import read_sentences
    from analysis.text.problems import Problems

    found: dict[str, list[Sentence]] = {}
    problems = Problems(echo=console.report)
    for file in files:
        for sentence in read_sentences(file, language=None, pretokenized=False, problems=problems):
            if sentence is not None:
                found.setdefault(sentence.language, []).append(sentence)
    if files and not found:
        raise InputError(f"{', '.join(files)}: no usable row; give UTF-8 text with one sentence a line")
    return {language: tuple(sentences) for language, sentences in found.items()}


def _source(data: str) -> Source:
    """Origin and licence of registered text; a file is named only."""
    from analysis.registry import registered

    spec = registered("corpora").get(data.removeprefix("corpus:").partition(":")[0])
    return Source(data, spec.source, spec.licence) if spec else Source(data, "given as a file")
