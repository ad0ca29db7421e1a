"""`compare`: encoders by measures and data in one table, with intervals, paired tests and controls."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli import console, outdir
from analysis.cli.options import DataDir, Json, Langs, Seed, parse_layers
from analysis.errors import InputError, unknown

if TYPE_CHECKING:
    from analysis.comparison.plan import Plan
    from analysis.comparison.scores import Entry, Scores, Skipped

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex"}
_COLUMNS = ("measure", "data", "encoder", "layer", "score", "interval", "n", "difference", "p", "rank")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)


def compare(
    encoder: Annotated[
        list[str],
        typer.Option("--encoder", metavar="NAME", help="Repeat for several; differences are against the first."),
    ],
    measure: Annotated[
        list[str],
        typer.Option(
            "--measure", metavar="'NAME [KEY=VALUE ...]'", help="Repeat for several; all is every one that fits."
        ),
    ],
    data: Annotated[
        list[str],
        typer.Option("--data", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT", help="Repeat for several."),
    ],
    langs: Langs = None,
    languages: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Languages wanted, where no pair is named.")
    ] = None,
    links: Annotated[
        list[str] | None,
        typer.Option("--links", metavar="FILE", help="Pharaoh links of the n-th --data; none for none."),
    ] = None,
    one_based: Annotated[bool, typer.Option("--one-based", help="The links files count words from 1.")] = False,
    layers: Annotated[
        str, typer.Option(help="default (the last; of link measures the encoder's choice), all, or 0,6,12.")
    ] = "default",
    pool: Annotated[str, typer.Option(help="How a unit's tokens become one vector: mean, first, last.")] = "mean",
    control: Annotated[
        list[str] | None,
        typer.Option("--control", metavar="NAME", help="shuffled (floor), random (untrained), same (ceiling)."),
    ] = None,
    controls: Annotated[bool, typer.Option("--controls", help="All controls.")] = False,
    max_rows: Annotated[int | None, typer.Option("--max-rows", help="Sample data with more rows than this.")] = None,
    seed: Seed = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="[MEASURE.]KEY=VALUE", help="A setting of every measure that has it, or of one."),
    ] = None,
    correction: Annotated[str, typer.Option(help="Of p values: holm, bh (Benjamini-Hochberg), none.")] = "holm",
    distance: Annotated[
        str, typer.Option(metavar="families|glottolog", help="Hold scores of language pairs against language distance.")
    ] = "",
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would cost.")] = False,
    items: Annotated[
        Path | None, typer.Option("--items", metavar="DIR", help="Gets what stands behind each score, with its errors.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Instead of standard output; .json .csv .md .tex.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One row a cell.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="A table for each measure, a column a language.")
    ] = False,
    latex: Annotated[bool, typer.Option("--latex", help="The same for a paper.")] = False,
) -> None:
    """Score encoders by measures on data: intervals, paired tests against the first, floors and ceilings."""
    from analysis.comparison.plan import plan
    from analysis.comparison.request import NO_FILE, Control, Request, checked, spread
    from analysis.text.problems import Problems

    shape = _shape({"json": json, "csv": as_csv, "markdown": markdown, "latex": latex}, out)
    request = checked(Request(
        tuple(encoder), spread(measure, settings or []), tuple(data), langs=langs,
        links=tuple(None if one == NO_FILE else one for one in links or ()), one_based=one_based,
        layers=layers if layers in ("default", "all") else tuple(parse_layers(layers) or ()), pool=pool, seed=seed,
        controls=tuple(Control) if controls else _controls(control or []),
        data_dir=str(data_dir) if data_dir else None, max_rows=max_rows,
        languages=tuple(filter(None, re.split(r"[,\s]+", languages))) if languages else None, correction=correction,
        distance=distance,
    ))  # fmt: skip
    if items is not None:
        outdir.claim(items, "compare")
    made = plan(request, problems=Problems(echo=console.report))
    if not _announce(made, only=estimate):
        return
    scores = _run(made)
    if items is not None:
        _write_items(items, made, scores)
    _emit(scores, shape, out)
    _tell_skipped(scores.skipped)


def _controls(names: Sequence[str]) -> tuple[Any, ...]:
    """The controls of those names.

    Raises:
        InputError: there is none of a name.
    """
    from analysis.comparison.request import Control

    for name in names:
        if name not in list(Control):
            raise unknown("control", name, list(Control))
    return tuple(map(Control, names))


def _shape(chosen: dict[str, bool], out: Path | None) -> str:
    """The format of the output: as said, else by the file's name, else a table for people.

    Raises:
        InputError: several formats, a folder, or a file whose name says none.
    """
    named = [name for name, is_on in chosen.items() if is_on]
    if len(named) > 1:
        raise InputError(f"--{' and --'.join(named)} are two formats; choose one")
    if out is None or named:
        if out is not None and out.is_dir():
            raise InputError(f"--out {str(out)!r} is a folder; give the name of a file")
        return (named or ["text"])[0]
    if out.suffix not in ENDINGS:
        raise InputError(
            f"--out {str(out)!r} says no format; end it in {' '.join(ENDINGS)}, or add --json and the like"
        )
    return ENDINGS[out.suffix]


def _announce(made: "Plan", *, only: bool) -> bool:
    """Say what it will cost; False where that is all that was asked for."""
    from analysis.comparison.estimate import estimate

    cost = str(estimate(made))
    if only:
        console.emit(cost)
        _tell_skipped(made.skipped)
        return False
    console.report(cost)
    return True


def _tell_skipped(skipped: "Sequence[Skipped]") -> None:
    """One line a reason, measure and encoder on standard error, however many data it holds for."""
    of: dict[Skipped, list[str]] = {}
    for one in skipped:
        of.setdefault(replace(one, data=""), []).append(one.data)
    for one, data in of.items():
        more = f" and {len(data) - 1} more" if len(data) > 1 else ""
        console.report(f"skipped {replace(one, data=data[0] + more)}")


def _run(made: "Plan") -> "Scores":
    """Compute with a bar on standard error."""
    from analysis.comparison.run import run

    finished = 0

    def tick(done: int, total: int, _text: str) -> None:
        """Move the bar."""
        nonlocal finished
        finished = done
        bar(done, total)

    try:
        with console.progress_bar("comparing", unit=" cells") as bar:
            return run(made, progress=tick)
    except KeyboardInterrupt:
        kept = f"{finished:,} of {len(made.cells):,} cells are finished and kept"
        raise console.interrupted(f"interrupted; {kept}; the same command goes on with the rest") from None


def _emit(scores: "Scores", shape: str, out: Path | None) -> None:
    """Write the comparison in a format, to standard output or a file."""
    from analysis.comparison.formats import to_csv, to_json, to_latex, to_markdown

    if shape == "text":
        console.emit_table(list(map(_line, scores.summary)), _COLUMNS)
        _legend(scores)
        return
    writers: dict[str, Callable[[Scores], str]] = {
        "json": to_json, "csv": to_csv, "markdown": to_markdown, "latex": to_latex
    }  # fmt: skip
    text = writers[shape](scores)
    if out is None:
        console.emit(text.removesuffix("\n"))
    else:
        outdir.replace_file(out, lambda path: path.write_text(text.removesuffix("\n") + "\n", "utf-8"))


def _line(entry: "Entry") -> dict[str, Any]:
    """One line of the table for people."""
    from analysis.comparison.tables import column_of, number, p_text, span

    found, tested = entry.difference, not entry.control
    star = "*" if entry.significant and tested else ""
    apart = f"{found.difference:+.{1 if entry.unit == 'percent' else 3}f}{star}" if found else ""
    return {
        "measure": " ".join(filter(None, (entry.measure, entry.settings))),
        "data": entry.label if entry.mean else f"{entry.data} {column_of(entry.languages)}",
        "encoder": entry.name, "layer": entry.layer, "score": number(entry.result.score, entry.unit) or "none",
        "interval": span(entry.result), "n": f"{entry.result.n:,}", "difference": apart,
        "p": p_text(entry.p_adjusted) if tested else "", "rank": entry.rank,
    }  # fmt: skip


def _legend(scores: "Scores") -> None:
    """What star, difference and controls mean, and what notes there are, on standard error."""
    from analysis.comparison.request import EXPLAINED, Control
    from analysis.comparison.tables import CORRECTED

    if len(scores.encoders) > 1:
        console.report(
            f"difference: against {scores.encoders[0]}; * p < 0.05, paired bootstrap over sentences, "
            f"{CORRECTED[scores.request.correction]} over the tests of a measure"
        )
    used = {entry.control for entry in scores.entries}
    for control in Control:
        if control in used:
            console.report(EXPLAINED[control])
    notes = dict.fromkeys(
        f"{entry.measure}: {entry.result.note}" for entry in scores.summary if entry.result.note and not entry.control
    )
    for note in notes:
        console.report(f"note: {note}")
    if scores.request.distance:
        from analysis.comparison.distance import against_distance

        for fall in against_distance(scores, scores.request.distance):
            console.report(f"distance ({scores.request.distance}): {fall}")


def _write_items(folder: Path, made: "Plan", scores: "Scores") -> None:
    """A CSV for each score: what stands behind it, with the kind of error where there is one."""
    from analysis.comparison.misses import error_table

    materials = {(cell.asked.key, cell.label): cell.material for cell in made.cells}
    outdir.write_run(folder, "compare", {"request": scores.request.as_spec(), "shell": scores.request.command})
    for entry in scores.entries:
        table = error_table(entry.result, materials.get((entry.key, entry.label)))
        if not table:
            continue
        name = re.sub(r"[^\w.=+-]+", "_", f"{entry.key}--{entry.name}--{entry.label}--{entry.layer}")
        outdir.replace_file(folder / f"{name}.csv", lambda path, table=table: _write_csv(path, table))  # type: ignore[misc]


def _write_csv(path: Path, table: dict[str, list[Any]]) -> None:
    """Columns as a CSV file."""
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
