"""From results to the table: differences from the first encoder, corrected tests, ranks, means over languages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from analysis.comparison.plan import Cell
from analysis.comparison.request import Request
from analysis.comparison.scores import Entry, Scores, Skipped
from analysis.comparison.significance import ALPHA, adjust, over_languages, paired
from analysis.records import Result
from analysis.scoring.evaluate import average


def assemble(
    request: Request, found: Sequence[tuple[Cell, Result]], skipped: Iterable[Skipped], *, missing: int = 0
) -> Scores:
    """The table of some results.

    Differences are taken against the first encoder that has any score. P values are corrected over all tests of one
    measure with one setting: single cells of encoders, their means, and controls are three families.

    Args:
        request: what was asked for.
        found: the results, in the order of the table.
        skipped: what was left out.
        missing: cells that are still to be computed.
    """
    entries = [_entry(cell, result) for cell, result in found]
    first = _baseline(request, entries)
    means = _means(entries, first)
    singles = _compared(entries, first)
    return Scores(
        request, tuple(_ranked(_corrected(singles, request.correction), request.correction)),
        tuple(_ranked(_corrected(means, request.correction), request.correction)),
        tuple(dict.fromkeys(skipped)), missing,
    )  # fmt: skip


def _entry(cell: Cell, result: Result) -> Entry:
    """A cell with its result."""
    measure = cell.measure
    return Entry(
        cell.encoder, str(cell.control or ""), measure.name, " ".join(cell.asked.settings), cell.asked.key,
        cell.asked.title, cell.data, cell.label, cell.languages, cell.layer, cell.slot, measure.unit,
        measure.higher_is_better, result,
    )  # fmt: skip


def _baseline(request: Request, entries: Sequence[Entry]) -> str:
    """The encoder that differences are taken against."""
    scored = {entry.encoder for entry in entries if not entry.control and entry.result.score is not None}
    return next((name for name in request.encoders if name in scored), "")


def _cell_of(entry: Entry) -> tuple[Any, ...]:
    """What two encoders are compared on."""
    return entry.key, entry.data, entry.label, entry.slot


def _compared(entries: Sequence[Entry], first: str) -> list[Entry]:
    """Each entry with its difference from the first encoder on the same cell."""
    base = {_cell_of(entry): entry.result for entry in entries if entry.encoder == first and not entry.control}
    return [
        entry if entry.encoder == first and not entry.control
        else replace(entry, difference=_difference(base.get(_cell_of(entry)), entry.result))
        for entry in entries
    ]  # fmt: skip


def _difference(a: Result | None, b: Result) -> Any:
    """The paired difference, None where one side is missing."""
    if a is None or a.score is None or b.score is None:
        return None
    return paired(a, b)


def _means(entries: Sequence[Entry], first: str) -> list[Entry]:
    """The mean of each encoder over the languages of one data, compared over those that both have."""
    groups: dict[tuple[Any, ...], dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        groups[entry.key, entry.data, entry.slot][f"{entry.control} {entry.encoder}"].append(entry)
    found = []
    for rows in groups.values():
        base = rows.get(f" {first}", [])
        for row in rows.values():
            if max(map(len, rows.values())) > 1:
                found.append(_mean(row, base if row is not base else []))
    return found


def _mean(row: Sequence[Entry], base: Sequence[Entry]) -> Entry:
    """The mean of one encoder, and its difference from another one's over the same languages."""
    head, result = row[0], average([entry.result for entry in row])
    layers = {entry.layer for entry in row}
    tags = tuple(dict.fromkeys(tag for entry in row for tag in entry.languages))
    entry = replace(
        head, result=result, mean=True, label=f"{head.data}, mean of {len(row)}", languages=tags,
        layer=layers.pop() if len(layers) == 1 else None,
    )  # fmt: skip
    theirs = {one.label: one.result for one in base if one.result.score is not None}
    shared = [(theirs[one.label], one.result) for one in row if one.label in theirs and one.result.score is not None]
    if not shared:
        return entry
    left, right = (average(side) for side in zip(*shared, strict=True))
    p_languages = over_languages([a.score or 0.0 for a, _ in shared], [b.score or 0.0 for _, b in shared])
    if len(shared) < max(len(row), len(base)):
        note = f"the difference is over the {len(shared)} languages that both have"
        entry = replace(entry, result=replace(result, note="; ".join(filter(None, (result.note, note)))))
    return replace(entry, difference=paired(left, right), p_languages=p_languages)


def _corrected(entries: Sequence[Entry], how: str) -> list[Entry]:
    """Each difference's p value corrected for the number of tests in its family."""
    found = list(entries)
    families: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for n, entry in enumerate(found):
        if entry.difference is not None:
            families[entry.key, bool(entry.control)].append(n)
    for family in families.values():
        p_values = adjust([found[n].difference.p_value for n in family], how)  # type: ignore[union-attr]
        for n, p in zip(family, p_values, strict=True):
            found[n] = replace(found[n], p_adjusted=p, significant=p < ALPHA)
    return found


def _ranked(entries: Sequence[Entry], how: str) -> list[Entry]:
    """Each encoder with its rank on its cell, and whether it is not significantly worse than the best one."""
    cells: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for n, entry in enumerate(entries):
        if not entry.control and entry.result.score is not None and entry.higher_is_better is not None:
            cells[entry.key, entry.data, "" if entry.mean else entry.label, entry.slot].append(n)
    found = list(entries)
    for cell in cells.values():
        scores = {n: (found[n].result.score or 0.0) * (1 if found[n].higher_is_better else -1) for n in cell}
        top = max(cell, key=lambda n: (scores[n], -n))
        against = [_difference(found[top].result, found[n].result) for n in cell if n != top]
        p_values = iter(adjust([one.p_value for one in against if one is not None], how))
        worse = iter([False if one is None else next(p_values) < ALPHA for one in against])
        for n in cell:
            rank = 1 + sum(scores[other] > scores[n] for other in cell)
            best = n == top or (not next(worse) and _pairs(found[top], found[n]))
            found[n] = replace(found[n], rank=rank, best=best)
    return found


def _pairs(top: Entry, other: Entry) -> bool:
    """Whether a test could have told the two apart, or they are equal."""
    return _difference(top.result, other.result) is not None or top.result.score == other.result.score
