"""A comparison as small tables, with what must stand beside each: what Markdown and LaTeX are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.comparison.request import EXPLAINED, Control
from analysis.comparison.scores import Entry, Scores
from analysis.records import Result, versions
from analysis.registry import find

LINKS = {"gold": "links by people; ", "made": "links written with the text; ", "silver": "automatic links; "}
CORRECTED = {"holm": "Holm", "bh": "Benjamini-Hochberg", "none": "no correction"}


@dataclass(frozen=True)
class Table:
    """One measure on one data at one layer: encoders as rows, languages as columns, the mean last.

    Attributes:
        head: an entry of the table: measure, unit, data.
        columns: labels of the columns.
        rows: names of the rows, and for each column its entry or None.
        tests: how many tests its p values are corrected for.
    """

    head: Entry
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Entry | None, ...]], ...]
    tests: int

    @property
    def entries(self) -> list[Entry]:
        """All that is there."""
        return [entry for _, cells in self.rows for entry in cells if entry is not None]


def tables(scores: Scores) -> list[Table]:
    """The comparison as small tables, in its order."""
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in (*scores.entries, *scores.means):
        groups.setdefault((entry.key, entry.data, entry.slot), []).append(entry)
    return [_table(scores, entries) for entries in groups.values()]


def _table(scores: Scores, entries: Sequence[Entry]) -> Table:
    """One table."""
    columns = tuple(dict.fromkeys("mean" if entry.mean else column_of(entry.languages) for entry in entries))
    cells = {(entry.name, "mean" if entry.mean else column_of(entry.languages)): entry for entry in entries}
    names = dict.fromkeys(entry.name for entry in entries)
    rows = tuple((name, tuple(cells.get((name, column)) for column in columns)) for name in names)
    family = [
        one for one in (*scores.entries, *scores.means) if one.key == entries[0].key and one.p_adjusted is not None
    ]
    return Table(entries[0], columns, rows, sum(not one.mean and not one.control for one in family))


def column_of(languages: Sequence[str]) -> str:
    """The languages of a cell, as a column calls them."""
    return "-".join(languages) if len(languages) < 3 else f"{len(languages)} languages"


def caption(scores: Scores, table: Table) -> list[str]:
    """What must stand with a table: sentences on measure, data, tests, layers and controls."""
    head, request = table.head, scores.request
    way = {True: "higher is better", False: "lower is better", None: "neither end is better"}[head.higher_is_better]
    layers: dict[str, None] = dict.fromkeys(f"{e.encoder} {e.layer}" for e in table.entries if e.layer is not None)
    sizes = [entry.result.n for entry in table.entries if not entry.mean and entry.result.score is not None]
    counted = f"{min(sizes):,}" if len(set(sizes)) == 1 else f"{min(sizes):,} to {max(sizes):,}" if sizes else "0"
    origins = {entry.result.provenance.get("links_origin") for entry in table.entries} & set(LINKS)
    said = [
        f"{head.title} in {head.unit}, {way}, on {head.data}: n = {counted}; layers: {', '.join(layers)}; "
        f"{''.join(LINKS[str(one)] for one in sorted(map(str, origins)))}{request.pool} pooling; seed {request.seed}.",
        f"Limits: {find('measures', head.measure).hides}",
        "Brackets hold 95 % intervals over sentences.",
    ]
    notes = dict.fromkeys(entry.result.note for entry in table.entries if entry.result.note and not entry.mean)
    if scores.encoders and any(entry.difference for entry in table.entries):
        said.append(
            f"* differs from {scores.encoders[0]}, p < 0.05, paired bootstrap over sentences, "
            f"{CORRECTED[request.correction]} over {table.tests} test{'s' * (table.tests != 1)}; means are "
            "corrected by themselves."
        )
    used = {entry.control for entry in table.entries}
    said += [f"{EXPLAINED[control][0].upper()}{EXPLAINED[control][1:]}." for control in Control if control in used]
    said += [f"Notes: {'; '.join(notes)}."] if notes else []
    return said


def made_by() -> str:
    """What made the table: stands before the command."""
    return f"Isogloss {versions().get('isogloss', '')}:"


def number(value: float | None, unit: str) -> str:
    """A score as text: one decimal of a percentage, three of any other scale."""
    return "" if value is None else f"{value:.{1 if unit == 'percent' else 3}f}"


def p_text(p: float | None) -> str:
    """A p value as text, "" for none."""
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def span(result: Result) -> str:
    """The interval as text, "" where there is none."""
    if result.low is None or result.high is None:
        return ""
    return f"[{number(result.low, result.unit)}, {number(result.high, result.unit)}]"
