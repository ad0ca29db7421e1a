"""The paired tests of the section "Zero-shot transfer": which cells are held against which."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transfer_cells import BASE, RECOMMENDED, REGIMES, Cell, Line

Found = dict[Cell, dict[str, Any]]


def runs_of(found: Found, line: Line, encoder: str) -> list[Cell]:
    """The finished seeds of a line on an encoder, whole test sets aside."""
    return [cell for cell in found if cell.line == line and cell.encoder == encoder and not cell.full]


def all_tested(found: Found, cells: Path, lines: Sequence[Line], encoder: str) -> dict[str, Any]:
    """The tests of the mean of the others against the base by task, corrected over tasks; nothing unless all are there."""
    from analysis.transfer.significance import corrected

    both = {line.task: tested(found, cells, (line, BASE), (line, encoder)) for line in lines}
    known = {task: one["mean_others"] for task, one in both.items() if one}
    return corrected(known) if len(known) == len(both) else {}


def against_plain(found: Found, cells: Path) -> dict[tuple[Line, str], Any]:
    """The tests of every regime's mean of the others against plain fine-tuning, corrected for the number of them all."""
    from analysis.transfer.significance import corrected

    known = {
        (line, encoder): both["mean_others"] for line in REGIMES for encoder in (BASE, RECOMMENDED)
        if (both := tested(found, cells, (Line("plain", line.task), encoder), (line, encoder)))
    }  # fmt: skip
    if len(known) < 2 * len(REGIMES):
        return {}  # a correction for fewer tests would flatter the ones that are there
    names = {f"{line.regime} {encoder}": (line, encoder) for line, encoder in known}
    return {names[name]: one for name, one in corrected({name: known[key] for name, key in names.items()}).items()}


def tested(found: Found, cells: Path, a: tuple[Line, str], b: tuple[Line, str]) -> dict[str, Any] | None:
    """The paired tests of two lines, None where one of them is missing."""
    sides = [runs_of(found, *one) for one in (a, b)]
    return paired(cells, *sides, a[0].task) if all(sides) else None


def paired(cells: Path, a: Sequence[Cell], b: Sequence[Cell], task: str) -> dict[str, Any]:
    """The paired tests of English and of the mean of the others."""
    from analysis.registry import find
    from analysis.transfer.significance import compare_runs

    sides = [[_scored(cells / "items" / f"{cell.name}.npz") for cell in side] for side in (a, b)]
    metric = find("tasks", task).metric
    return {what: compare_runs(*sides, metric, "en", what=what) for what in ("source", "mean_others", "gap")}


def _scored(path: Path) -> list[Any]:
    """What a cell knows of every language."""
    import numpy as np

    from analysis.transfer.scores import Scored

    with np.load(path, allow_pickle=False) as arrays:
        tags = [key.removesuffix("/stats") for key in arrays if key.endswith("/stats")]
        return [
            Scored(tag, tuple(arrays[f"{tag}/ids"].tolist()), arrays[f"{tag}/stats"].astype(np.float64)) for tag in tags
        ]
