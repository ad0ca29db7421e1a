"""`dictionary`: a two-column dictionary out of word links over a corpus, or out of another format."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli import console, outdir
from analysis.cli.options import DataDir, Langs, Layer, LinksFiles, NoCache
from analysis.errors import InputError

if TYPE_CHECKING:
    from analysis.text.dictionary import Dictionary


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dictionary")(dictionary)


def dictionary(
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT", help="Pairs to count links over."),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option("--dictionary", metavar="FILE|set:...", help="A dictionary to convert, instead of --data."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME", help="Makes the links where the data bring none.")
    ] = None,
    langs: Langs = None,
    links: LinksFiles = None,
    min_count: Annotated[int, typer.Option(min=1, help="Leave out pairs that are linked less often.")] = 2,
    min_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="0: each other's most frequent partner; else share of both words' links."),
    ] = 0.0,
    layer: Layer = None,
    decoder: Annotated[str | None, typer.Option(help="See: python -m analysis decoders.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Instead of standard output.")] = None,
    data_dir: DataDir = None,
    no_cache: NoCache = False,
) -> None:
    """Make a dictionary from word links over sentence pairs, or convert one; writes two columns between tabs."""
    if bool(data) == bool(given):
        raise InputError("give either --data (sentence pairs to count links over) or --dictionary (one to convert)")
    if out is not None and out.is_dir():
        raise InputError(f"--out {str(out)!r} is a folder; give the name of a file")
    for name in filter(None, [given, *(data or [])]):
        if out is not None and out.exists() and Path(name).exists() and out.samefile(name):
            raise InputError(f"--out {str(out)!r} is what is read; give the name of another file")
    if given:
        made = _converted(given, langs, data_dir)
    else:
        made = _counted(
            data or [], langs, links, data_dir, encoder, layer, decoder, min_count, min_share, cache=not no_cache
        )
    text = "".join(f"{a}\t{b}\n" for a, b in (made.languages, *made.entries))
    if out is None:
        console.emit(text.removesuffix("\n"))
    else:
        outdir.replace_file(out, lambda path: path.write_text(text, "utf-8"))
    console.report(f"{len(made):,} entries {'-'.join(made.languages)} from {made.name}")


def _converted(given: str, langs: str | None, data_dir: Path | None) -> "Dictionary":
    """A dictionary of another format, in the order of the languages asked for."""
    from analysis.text.dictionary import load_dictionary
    from analysis.text.languages import parse_langs
    from analysis.text.problems import Problems

    found = load_dictionary(given, langs=langs, data_dir=data_dir, problems=Problems(echo=console.report))
    wanted = parse_langs(langs) if langs else found.languages
    if set(wanted) != set(found.languages):
        raise InputError(
            f"{given} is {'-'.join(found.languages)} and not --langs {langs}; leave --langs out or correct it"
        )
    return found if found.languages == wanted else found.flipped()


def _counted(
    data: list[str], langs: str | None, links: list[Path] | None, data_dir: Path | None, encoder: str | None,
    layer: int | None, decoder: str | None, min_count: int, min_share: float, *, cache: bool,
) -> "Dictionary":  # fmt: skip
    """The dictionary of the word links over some data, made by an encoder where the data bring none."""
    from analysis.cli.evaluate import read_data
    from analysis.encoders.load import load_encoder
    from analysis.links.aligner import Aligner
    from analysis.links.lexicon import lexicon_from_links, make_links

    bitexts = read_data(data, langs=langs, links=links, one_based=False, data_dir=data_dir)
    pairs = list(dict.fromkeys("-".join(bitext.languages) for bitext in bitexts))
    if len({frozenset(bitext.languages) for bitext in bitexts}) > 1:
        raise InputError(f"the data are {len(pairs)} language pairs ({', '.join(pairs[:8])}); choose one: --langs A-B")
    bare = [bitext.name for bitext in bitexts if bitext.links is None]
    if bare and encoder is None:
        raise InputError(f"{bare[0]} brings no word links; name an encoder to make them: --encoder bundled")
    known = [bitext.links for bitext in bitexts]
    if bare and encoder is not None:
        aligner = Aligner.choose(load_encoder(encoder), layer=layer, decoder=decoder)
        with console.progress_bar("aligning", unit=" pairs") as progress:
            known = [tuple(make_links(bitext, aligner, cache=cache, progress=progress)) for bitext in bitexts]
    return lexicon_from_links(bitexts, known, min_count=min_count, min_share=min_share)[0]
