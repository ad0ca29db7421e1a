"""`transfer`: learn a task in one language and score it in all."""

import json as plain_json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.cli import console
from analysis.cli.options import DataDir, EncoderOption, Json, Langs, Seed, Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("transfer")(transfer)


def transfer(
    regime: Annotated[str, typer.Argument(metavar="REGIME", help="See: python -m analysis regimes.")],
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="See: python -m analysis tasks.")],
    encoder: EncoderOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Gets encoder, head, scores and predictions.")],
    train: Annotated[
        list[str] | None,
        typer.Option("--train", metavar="FILE[:LANG]|set:...", help="Labelled items of one language; the task's own."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="FILE[:LANG]|set:...", help="Labelled items of any languages; the task's own."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT", help="Sentence pairs."),
    ] = None,
    langs: Langs = None,
    dictionary: Annotated[
        list[str] | None,
        typer.Option("--dictionary", metavar="FILE|set:bli_xling:A-B:train", help="Word pairs: TSV, MUSE or FreeDict."),
    ] = None,
    monolingual: Annotated[
        list[str] | None,
        typer.Option("--monolingual", metavar="FILE[:LANG]|DATA", help="One sentence a line, or any data."),
    ] = None,
    alignment: Annotated[
        list[str] | None,
        typer.Option("--alignment", metavar="set:...", help="Linked pairs: word retrieval before and after the task."),
    ] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Also score pairs whose two texts are in two languages.")
    ] = False,
    seed: Seed = 0,
    settings: Settings = None,
    data_dir: DataDir = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew where an earlier run was stopped.")] = False,
    json: Json = False,
) -> None:
    """Learn a task in one language and score it in all; stopped or killed, the same command goes on where it was."""
    from analysis.cli.jobs import work_through
    from analysis.transfer.folder import RESULT
    from analysis.transfer.job import ENTRY, KIND, make_spec, title

    spec = make_spec(
        regime, task, encoder, train=train or [], test=test or [], out=out, data=data or [], langs=langs,
        dictionary=dictionary or [], monolingual=monolingual or [], alignment=alignment or [], mixed=mixed, seed=seed,
        settings=settings or [], data_dir=data_dir,
        command=shlex.join(["python", "-m", "analysis", *(one for one in sys.argv[1:] if one not in _VIEWS)]),
    )  # fmt: skip
    work_through(ENTRY, spec, kind=KIND, title=title(spec), fresh=fresh)
    found = plain_json.loads((Path(spec["out"]) / RESULT).read_text("utf-8"))
    if json:
        console.emit_json(found)
    else:
        _print(found)


_VIEWS = ("--fresh", "--json")  # what does not change the work, so that the same command finds it again


def _print(found: dict[str, Any]) -> None:
    """The table by language and the summary."""
    rows = [
        {"lang": row["lang"], found["metric"]: _score(row["score"]), "low": _score(row["low"]),
         "high": _score(row["high"]), "n": row["n"]} for row in found["items"]
    ]  # fmt: skip
    console.emit_table(rows, ("lang", found["metric"], "low", "high", "n"))
    for name, text in (("source", f"{found['source_lang']}, the source"), ("mean_others", "mean of the others"),
                       ("gap", "gap")):  # fmt: skip
        if found[name] is not None:
            low, high = found[f"{name}_interval"]
            console.emit(f"{text}: {_score(found[name])} [{_score(low)}, {_score(high)}]")
    if found.get("alignment"):
        before, after = (_score(found["alignment"][side]) for side in ("before", "after"))
        console.emit(f"word retrieval before the task: {before}, after it: {after}")


def _score(value: float | None) -> str:
    """One decimal."""
    return "" if value is None else f"{value:.1f}"
