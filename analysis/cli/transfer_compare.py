"""`transfer-compare`: finished transfers of two encoders or regimes against each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli import console
from analysis.cli.options import Json

if TYPE_CHECKING:
    from analysis.transfer.outcome import Outcome

TITLES = {"source": "source language", "mean_others": "mean of the others", "gap": "gap"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("transfer-compare")(transfer_compare)


def transfer_compare(
    a: Annotated[
        list[Path], typer.Option("--a", metavar="DIR", help="A finished transfer of side A; one a seed and task.")
    ],
    b: Annotated[
        list[Path], typer.Option("--b", metavar="DIR", help="A finished transfer of side B, on the same --test.")
    ],
    json: Json = False,
) -> None:
    """Test whether B transfers better than A: items and seeds are resampled, several tasks corrected by Holm.

    Give what `transfer` wrote, as many seeds and tasks as there are: --a base-0/ --a base-1/ --b aligned-0/
    --b aligned-1/. Square brackets hold the 95 % interval of B - A.
    """
    from analysis.transfer.comparison import compare_outcomes, differences
    from analysis.transfer.outcome import load_outcome

    sides = [[load_outcome(folder) for folder in side] for side in (a, b)]
    found = compare_outcomes(sides[0], sides[1])
    first = {str(one.record["task"]): one for one in sides[0]}
    for run in sides[1]:
        if words := differences(first[str(run.record["task"])], run):
            console.warn(f"{run.record['task']}: A and B differ in {', '.join(words)}; the change may be owed to that")
    for task, tested in found.items():
        for what, one in tested.items():
            if one.left_out:
                console.warn(f"{task}, {TITLES[what]}: without {', '.join(one.left_out)}, of which a run has no score")
    rows: list[dict[str, Any]] = [
        {"task": task, "what": what, "a": one.a, "b": one.b, "difference": one.difference, "low": one.low,
         "high": one.high, "p": one.p_value, "p_holm": one.p_adjusted,
         "seeds": [sum(each.record["task"] == task for each in side) for side in sides], "left_out": list(one.left_out)}
        for task, tested in found.items() for what, one in tested.items()
    ]  # fmt: skip
    if json:
        console.emit_json({"a": _name(sides[0][0]), "b": _name(sides[1][0]), "tests": rows})
        return
    console.emit(f"A is {_name(sides[0][0])}; B is {_name(sides[1][0])}")
    shown = [
        {"task": row["task"], "": TITLES[row["what"]], "A": f"{row['a']:.1f}", "B": f"{row['b']:.1f}",
         "B - A": f"{row['difference']:+.1f} [{row['low']:+.1f}, {row['high']:+.1f}]", "p": f"{row['p']:.3f}",
         "p, Holm": f"{row['p_holm']:.3f}", "seeds": " and ".join(map(str, row["seeds"]))}
        for row in rows
    ]  # fmt: skip
    console.emit_table(shown, tuple(shown[0]) if shown else ())


def _name(one: "Outcome") -> str:
    """What a side is: its encoder and regime."""
    return f"{one.record['encoder']}, {one.record['regime']}"
