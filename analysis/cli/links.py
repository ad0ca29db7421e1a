"""`links`: word-alignment links of a file of sentence pairs, one line out for each line in."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli import console, outdir
from analysis.cli.options import EncoderOption, Langs, Layer, NoCache, Settings
from analysis.errors import InputError

CHUNK = 2000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("links")(links)


def links(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="`source words ||| target words` a line; - is standard input.")
    ],
    encoder: EncoderOption,
    langs: Langs = None,
    layer: Layer = None,
    decoder: Annotated[str | None, typer.Option(help="See: python -m analysis decoders.")] = None,
    level: Annotated[
        str | None, typer.Option(help="word or subword: what is compared; links always count words.")
    ] = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Instead of standard output.")] = None,
    no_cache: NoCache = False,
) -> None:
    """Align the words of sentence pairs; writes 0-based Pharaoh links, i-j."""
    from analysis.encoders.load import load_encoder
    from analysis.links.aligner import Aligner
    from analysis.text.languages import parse_langs
    from analysis.text.load import read_pairs
    from analysis.text.pharaoh import format_links
    from analysis.text.problems import Problems

    if out is not None and out.is_dir():
        raise InputError(f"--out {str(out)!r} is a folder; give the name of a file")
    model = load_encoder(encoder)
    aligner = Aligner.choose(model, layer=layer, decoder=decoder, level=level, settings=settings or [])
    problems = Problems(echo=console.report)
    pairs = read_pairs(file, langs=parse_langs(langs) if langs else None, problems=problems)
    lines: list[str] = []
    with console.progress_bar("aligning") as progress:
        for start in range(0, len(pairs), CHUNK):
            found = aligner.align(pairs[start : start + CHUNK], cache=not no_cache, progress=progress)
            lines.extend(format_links(one.sure) for one in found)
    text = "".join(line + "\n" for line in lines)
    if out is None:
        console.emit(text.removesuffix("\n"))
    else:
        outdir.replace_file(out, lambda path: path.write_text(text, "utf-8"))
