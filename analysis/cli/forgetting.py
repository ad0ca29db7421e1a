"""`forgetting`: what an aligned encoder lost, and gained, against its base."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.cli import console
from analysis.cli.options import DataDir, EncoderOption, Json, Layer, NoCache, Seed
from analysis.errors import InputError
from analysis.text.corpus import Sentence

DEFAULT_PROBE = "set:sib200:all:test"
COLUMNS = ("score", "base", "aligned", "difference", "n", "sentences", "note")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("forgetting")(forgetting)


def forgetting(
    encoder: EncoderOption,
    base: Annotated[
        str | None, typer.Option("--base", metavar="NAME", help="The encoder it came from, where it does not say so.")
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option(
            "--probe", metavar="set:NAME:LANGS:SPLIT",
            help=f"Labelled set of the topic probe and of sentence retrieval; {DEFAULT_PROBE} where the sets are.",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT",
            help="English text for drift and neighbours; by default the English side of --probe.",
        ),
    ] = None,
    layer: Layer = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    no_cache: NoCache = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Compare an aligned encoder with its base: drift, neighbours, a zero-shot topic probe and sentence retrieval.

    Square brackets hold 95 % bootstrap intervals over sentences; differences are paired. Drift alone is no harm: a
    rotation moves everything and keeps all neighbours.
    """
    from analysis.comparison.forgetting_report import report_forgetting
    from analysis.encoders.load import load_encoder

    model = load_encoder(encoder)
    if base is None and model.base is None:
        raise InputError(f"encoder {encoder!r} has no base of its own; name the encoder it came from: --base NAME")
    origin = load_encoder(base or str(model.base))
    root = data_dir or os.environ.get("ISOGLOSS_DATA")
    if probe is None and text is None and root:
        probe = DEFAULT_PROBE
        console.report(f"probing {DEFAULT_PROBE}, which takes minutes; fewer languages by --probe, or --text alone")
    if probe is None and text is None:
        raise InputError("nothing to measure: name text by --text, or the folder of public sets by --data-dir")
    train, test = read_probe(probe, data_dir) if probe else (None, None)
    sentences = read_english(text, data_dir) if text else test.sentences["en"] if test else ()
    with console.progress_bar("encoding") as progress:
        report = report_forgetting(
            model, origin, text=sentences, train=train, test=test, layer=layer, seed=seed, cache=not no_cache,
            progress=progress,
        )  # fmt: skip
    if json:
        console.emit_json({**report.as_dict(), "text": text or probe, "probe": probe, "seed": seed})
        return
    console.emit_table([_cells(row) for row in report.rows], COLUMNS)


def read_probe(name: str, data_dir: Path | None) -> tuple[Any, Any]:
    """The English training sentences and the test sentences of a labelled set.

    Raises:
        InputError: no such set, no labels, its training split, or not English with another language.
    """
    from analysis.text.labelled import load_labelled

    test = load_labelled(name, data_dir=data_dir)
    if test.split == "train":
        raise InputError(f"{name} is what the probe is trained on; score it on another split: dev, test")
    if "en" not in test.languages or len(test.languages) < 2:
        raise InputError(f"{name}: a zero-shot probe needs en and another language, for example set:sib200:en,ar:test")
    kind = name.split(":")[1]
    return load_labelled(f"set:{kind}:en:train", data_dir=data_dir), test


def read_english(text: str, data_dir: Path | None) -> Sequence[Sentence]:
    """The English sentences of a set, a corpus or a file of one sentence a line.

    Raises:
        InputError: unreadable, or no English in it.
    """
    from analysis.text.load import load_corpus, read_sentences
    from analysis.text.problems import Problems
    from analysis.text.sets import load_set

    problems = Problems(echo=console.report)
    if text.startswith("set:"):
        sides = [
            side
            for bitext in load_set(text, data_dir=data_dir, problems=problems)
            for tag, side in zip(bitext.languages, (bitext.source, bitext.target), strict=True)
            if tag == "en"
        ]
        if not sides:
            raise InputError(f"{text} has no English; name en among its languages")
        return sides[0]
    if text.startswith("corpus:"):
        corpus = load_corpus(text, languages=["en"], problems=problems)
        return [row["en"] for row in corpus.rows if "en" in row]
    return [one for one in read_sentences(text, language="en", problems=problems) if one is not None]


def _cells(row: Any) -> dict[str, Any]:
    """One line of the table."""
    notes = dict.fromkeys(one.note for one in (row.aligned, row.base) if one is not None and one.note)
    change = row.difference
    return {
        "score": row.title, "base": row.base and _show(row.base.score, row.base),
        "aligned": _show(row.aligned.score, row.aligned),
        "difference": change and _show(change.difference, change, "+", 1), "n": f"{row.aligned.n:,}",
        "sentences": f"{row.aligned.clusters:,}", "note": "; ".join(notes),
    }  # fmt: skip


def _show(score: float | None, ends: Any, sign: str = "", digits: int | None = None) -> str:
    """`87.7 [83.3, 92.2]`."""
    if score is None:
        return "no score"
    form = f"{sign}.{(1 if ends.unit == 'percent' else 3) if digits is None else digits}f"
    whole = format(score, form)
    # An interval around exactly nothing must not be printed as minus zero.
    return whole if ends.low is None else f"{whole} [{ends.low + 0.0:{form}}, {ends.high + 0.0:{form}}]"
