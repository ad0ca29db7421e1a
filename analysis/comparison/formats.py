"""A comparison as JSON, CSV, Markdown and LaTeX."""

import csv
import io
import json
import re
from dataclasses import asdict
from typing import Any

from analysis.comparison.cells import plain
from analysis.comparison.distance import Fall, against_distance
from analysis.comparison.latex import to_latex
from analysis.comparison.scores import Entry, Scores, correlations
from analysis.comparison.tables import caption, made_by, number, span, tables
from analysis.records import versions

__all__ = ["as_dict", "to_csv", "to_json", "to_latex", "to_markdown"]

COLUMNS = (
    "kind", "encoder", "control", "measure", "settings", "data", "label", "languages", "layer", "unit", "score", "low",
    "high", "n", "difference", "difference_low", "difference_high", "p", "p_adjusted", "significant", "rank", "best",
    "p_languages", "note",
)  # fmt: skip


def as_dict(scores: Scores) -> dict[str, Any]:
    """The comparison as plain data: no NaN, and `note` says why where a score is null."""
    found = {
        "request": scores.request.as_spec(),
        "command": scores.request.command,
        "versions": versions(),
        "entries": [entry.as_dict() for entry in scores.entries],
        "means": [entry.as_dict() for entry in scores.means],
        "ranks": {key: asdict(scores.mean_rank(key)) for key in scores.keys},
        "correlations": [asdict(one) for one in correlations(scores)],
        "distance": [one.as_dict() for one in _falls(scores)],
        "skipped": [asdict(one) for one in scores.skipped],
        "missing": scores.missing,
    }
    return plain(found)


def _falls(scores: Scores) -> list[Fall]:
    """Scores against language distance, where the request asks for it."""
    return against_distance(scores, scores.request.distance) if scores.request.distance else []


def to_json(scores: Scores) -> str:
    """The comparison as JSON; see `as_dict`."""
    return json.dumps(as_dict(scores), ensure_ascii=False, indent=1, allow_nan=False)


def to_csv(scores: Scores) -> str:
    """A tidy table, one row a cell or mean; what is unknown is empty."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in (*scores.entries, *scores.means):
        writer.writerow({name: "" if value is None else value for name, value in _flat(entry).items()})
    return out.getvalue()


def _flat(entry: Entry) -> dict[str, Any]:
    """One row of the CSV."""
    result, found = entry.result, entry.difference
    compared: dict[str, float] = {}
    if found is not None:
        names = ("difference", "difference_low", "difference_high", "p")
        compared = dict(zip(names, (found.difference, found.low, found.high, found.p_value), strict=True))
    whole = {
        "kind": "mean" if entry.mean else "cell", "languages": "-".join(entry.languages), "score": result.score,
        "low": result.low, "high": result.high, "n": result.n, "note": result.note,
    }  # fmt: skip
    if found is None:
        whole |= {"difference": None}
    return plain({name: (whole | compared).get(name, getattr(entry, name, None)) for name in COLUMNS})


def to_markdown(scores: Scores) -> str:
    """A table for each measure and data, encoders as rows and languages as columns, each with its caption."""
    parts = []
    for table in tables(scores):
        lines = [["", *table.columns]]
        lines += [[name, *(_markdown_cell(entry) for entry in cells)] for name, cells in table.rows]
        body = ["| " + " | ".join(map(escape_markdown, line)) + " |" for line in lines]
        body.insert(1, "|" + "---|" * len(lines[0]))
        layer = "" if table.head.slot is None else f", layer {table.head.slot}"
        title = escape_markdown(f"{table.head.title} on {table.head.data}{layer}")
        said = [*map(escape_markdown, caption(scores, table)), f"{made_by()} {_code(scores.request.command)}"]
        parts.append("\n".join([f"### {title}", "", *body, "", *said]))
    if scores.skipped:
        parts.append("\n".join(["### Left out", "", *(f"- {escape_markdown(str(one))}" for one in scores.skipped)]))
    return "\n\n".join(parts) + "\n"


def _markdown_cell(entry: Entry | None) -> str:
    """Score, star and interval."""
    if entry is None or entry.result.score is None:
        return "-"
    star = "*" if entry.significant and not entry.control else ""
    return f"{number(entry.result.score, entry.unit)}{star} {span(entry.result)}".rstrip()


def _code(text: str) -> str:
    """Text as it stands, between as many backticks as it takes."""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"


def escape_markdown(text: str) -> str:
    """Text that stays text in a Markdown table."""
    flat = " ".join(text.split())
    for mark in "\\|*_`<>[]":
        flat = flat.replace(mark, f"\\{mark}")
    return flat
