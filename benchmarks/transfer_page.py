"""The section "Zero-shot transfer" of docs/results.md, from the cells that benchmarks/transfer_grid.py made."""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from transfer_cells import BASE, OTHER, PROBES, RECOMMENDED, REGIMES, TASKS, Cell, Line, all_cells
from transfer_tests import Found, against_plain, all_tested, paired, runs_of, tested

START, END = "<!-- {} -->", "<!-- end -->"
ENCODERS = (BASE, RECOMMENDED, OTHER)
TITLES = {
    "accuracy": "accuracy",
    "word_accuracy": "accuracy over words",
    "span_f1": "span F1",
    "spearman": "Spearman x 100",
}
NUMBERS = ("source", "mean_others", "gap")


def write(cells: Path, page: Path, *, without: Sequence[Cell] = ()) -> None:
    """Fill the marked places of the page; what has not been measured leaves its place as it is.

    Args:
        cells: the folder with CELL.json and items/CELL.npz.
        page: holds the markers.
        without: cells to leave aside.
    """
    found = {
        cell: json.loads(path.read_text("utf-8")) for cell in all_cells()
        if (path := cells / f"{cell.name}.json").exists() and cell not in without
    }  # fmt: skip
    text = page.read_text("utf-8")
    made = {
        "transfer plain": plain_table(found), "transfer tests": tests_table(found, cells),
        "transfer probe": probe_table(found, cells),
        "transfer regimes": regimes_table(found, cells), "transfer full": full_table(found, cells),
        "transfer languages": languages_table(found), "transfer cells": commands(found),
    }  # fmt: skip
    for marker, section in made.items():
        start = START.format(marker)
        if section:
            filled = f"{start}\n{section}\n{END}"
            text = re.sub(rf"{re.escape(start)}.*?{re.escape(END)}", lambda _, new=filled: new, text, flags=re.DOTALL)
    page.write_text(text, "utf-8")


def plain_table(found: Found) -> str:
    """Plain fine-tuning: a row a task and encoder."""
    rows = _head("task", "encoder")
    for name in TASKS:
        for encoder in ENCODERS:
            rows += _row(found, Line("plain", name), encoder, name)
    return _table(rows)


def probe_table(found: Found, cells: Path) -> str:
    """Linear probes: a row a task and encoder, with the change against the base."""
    rows = [
        "| task | encoder | English | mean of the others | gap | English: change | others: change | p | p, Holm | gap: change |",
        "| --- | --- |" + " ---: |" * 8,
    ]
    changes = {encoder: all_tested(found, cells, PROBES, encoder) for encoder in (RECOMMENDED, OTHER)}
    for line in PROBES:
        for encoder in ENCODERS:
            mine = runs_of(found, line, encoder)
            if not mine:
                continue
            one = changes.get(encoder, {}).get(line.task)
            both = tested(found, cells, (line, BASE), (line, encoder)) if one else None
            change = " | | | | "
            if one and both:
                change = (f"{_signed(both['source'])} | {_signed(one)} | {_p(one.p_value)} | {_p(one.p_adjusted)} | "
                          f"{_signed(both['gap'])}")  # fmt: skip
            metric = TITLES.get(found[mine[0]]["metric"], found[mine[0]]["metric"])
            rows.append(f"| {line.task}, {metric} | `{encoder}` | {_numbers(found, mine)} | {change} |")
    return _table(rows)


def regimes_table(found: Found, cells: Path) -> str:
    """Every other regime on base and recommended encoder, with the change against plain fine-tuning on the same task."""
    rows = [
        "| regime | task | encoder | English | mean of the others | gap | against `plain` | p, Holm | word retrieval before | "
        "after | processor s |",
        "| --- | --- | --- |" + " ---: |" * 8,
    ]
    changes = against_plain(found, cells)
    for line in REGIMES:
        for encoder in (BASE, RECOMMENDED):
            mine = runs_of(found, line, encoder)
            if not mine:
                continue
            one = changes.get((line, encoder))
            change = f"{_signed(one)} | {_p(one.p_adjusted)}" if one else " | "
            rows.append(f"| `{line.regime}` | {line.task} | `{encoder}` | {_numbers(found, mine)} | {change} | "
                        f"{_retrieval(found, mine)} | {_seconds(found, mine)} |")  # fmt: skip
    return _table(rows)


def tests_table(found: Found, cells: Path) -> str:
    """Aligned against base under plain fine-tuning: the paired test over items and seeds, Holm over the tasks."""
    from analysis.transfer.significance import corrected

    rows = [
        "| encoder | task | English: change | mean of the others: change | p | p, Holm |",
        "| --- | --- |" + " ---: |" * 4,
    ]
    for encoder in (RECOMMENDED, OTHER):
        both = {
            name: tested(found, cells, (Line("plain", name), BASE), (Line("plain", name), encoder)) for name in TASKS
        }  # fmt: skip
        known = {name: one for name, one in both.items() if one}
        if len(known) < len(TASKS):
            continue  # a correction for fewer tests would flatter the ones that are there
        holm = corrected({name: both["mean_others"] for name, both in known.items()})
        for name, both in known.items():
            one = holm[name]
            rows.append(f"| `{encoder}` | {name} | {_signed(both['source'])} | {_signed(one)} | {_p(one.p_value)} | "
                        f"{_p(one.p_adjusted)} |")  # fmt: skip
    return _table(rows)


def full_table(found: Found, cells: Path) -> str:
    """Whole test sets, seed 0, base and recommended."""
    from analysis.transfer.significance import corrected

    rows = [
        "| task | encoder | languages | items | English | mean of the others | gap | English: change | others: change | p | "
        "p, Holm |",
        "| --- | --- |" + " ---: |" * 9,
    ]
    pairs = {
        name: [Cell(Line("plain", name), encoder, 0, full=True) for encoder in (BASE, RECOMMENDED)] for name in TASKS
    }
    tests = {
        name: paired(cells, pair[:1], pair[1:], name) for name, pair in pairs.items() if all(cell in found for cell in pair)
    }  # fmt: skip
    holm = corrected({name: one["mean_others"] for name, one in tests.items()}) if len(tests) == len(TASKS) else {}
    for name, pair in pairs.items():
        for cell in pair:
            if cell in found:
                one = found[cell]
                shown = [_interval(one, key) for key in NUMBERS]
                change = " | | | "
                if cell.encoder != BASE and name in holm:
                    p_values = f"{_p(holm[name].p_value)} | {_p(holm[name].p_adjusted)}"
                    change = f"{_signed(tests[name]['source'])} | {_signed(holm[name])} | {p_values}"
                count = sum(item["n"] for item in one["items"])
                rows.append(
                    f"| {name} | `{cell.encoder}` | {len(one['items'])} | {count:,} | {' | '.join(shown)} | {change} |"
                )
    return _table(rows)


def languages_table(found: Found) -> str:
    """The change of the recommended encoder against the base in every language, means over seeds."""
    rows, tags = [], dict[str, None]()
    changes: dict[str, dict[str, float]] = {}
    for name in TASKS:
        sides = []
        for encoder in (BASE, RECOMMENDED):
            mine = runs_of(found, Line("plain", name), encoder)
            scores: dict[str, list[float]] = {}
            for cell in mine:
                for item in found[cell]["items"]:
                    if item["score"] is not None:
                        scores.setdefault(item["lang"], []).append(item["score"])
            sides.append({tag: mean(values) for tag, values in scores.items()})
        changes[name] = {tag: sides[1][tag] - sides[0][tag] for tag in sides[0] if tag in sides[1]}
        tags |= dict.fromkeys(changes[name])
    rows = [f"| language | {' | '.join(TASKS)} |", "| --- |" + " ---: |" * len(TASKS)]
    for tag in sorted(tags, key=lambda one: (one != "en", one)):
        shown = [f"{changes[name][tag]:+.1f}" if tag in changes[name] else "" for name in TASKS]
        rows.append(f"| {tag} | {' | '.join(shown)} |")
    return _table(rows)


def commands(found: Found) -> str:
    """One command of every line, and what the runs took of the processor at the most."""
    first = {(cell.line, cell.full): _plainly(one["command"]) for cell, one in reversed(found.items())}
    most = {part: max((one["cpu_seconds"][part] for cell, one in found.items() if not cell.full), default=0)
            for part in ("training", "scoring")}  # fmt: skip
    hours = sum(one["process_cpu_seconds"] for one in found.values()) / 3600
    told = " ".join([
        f"{len(found)} cells, {hours:.1f} hours of one processor in all; without the whole test sets, a training took at most",
        f"{most['training']:.0f} seconds of one processor, its scoring {most['scoring']:.0f}. CACHE is the cache folder.",
    ])  # fmt: skip
    return "\n".join([told, "", "```", *first.values(), "```"]) if found else ""


def _plainly(command: str) -> str:
    """A command without settings that a later one of the same name replaces."""
    words = shlex.split(command)
    last = {words[n + 1].partition("=")[0]: n for n, word in enumerate(words) if word == "--set"}
    dropped = {n for n, word in enumerate(words) if word == "--set" and last[words[n + 1].partition("=")[0]] != n}
    return " ".join(word for n, word in enumerate(words) if n not in dropped and n - 1 not in dropped)


def _head(*names: str) -> list[str]:
    """The two lines above the rows."""
    rest = ["English", "mean of the others", "gap", "word retrieval before", "after", "processor s"]
    return [f"| {' | '.join([*names, *rest])} |", "|" + " --- |" * len(names) + " ---: |" * len(rest)]


def _row(found: Found, line: Line, encoder: str, *names: str) -> list[str]:
    """A row, or none where nothing is measured."""
    mine = runs_of(found, line, encoder)
    if not mine:
        return []
    metric = TITLES.get(found[mine[0]]["metric"], found[mine[0]]["metric"])
    first = f"{names[0]}, {metric}"
    return [
        f"| {first} | `{encoder}` | {_numbers(found, mine)} | {_retrieval(found, mine)} | {_seconds(found, mine)} |"
    ]


def _table(rows: list[str]) -> str:
    """Nothing where only the head is there."""
    return "\n".join(rows) if len(rows) > 2 else ""


def _numbers(found: Found, cells: Sequence[Cell]) -> str:
    """English, mean of the others and gap, mean and deviation over seeds."""
    return " | ".join(_spread([found[cell][key] for cell in cells]) for key in NUMBERS)


def _retrieval(found: Found, cells: Sequence[Cell]) -> str:
    """Word retrieval before and after."""
    sides = [[found[cell]["alignment"][side] for cell in cells] for side in ("before", "after")]
    return f"{sides[0][0]:.1f} | {_spread(sides[1])}"


def _seconds(found: Found, cells: Sequence[Cell]) -> str:
    """Mean seconds of training and scoring."""
    parts = [mean(found[cell]["cpu_seconds"][part] for cell in cells) for part in ("training", "scoring")]
    return f"{parts[0]:.0f} + {parts[1]:.0f}"


def _spread(values: Sequence[float | None]) -> str:
    """`71.2 ± 0.4`; of one seed the score alone."""
    known = [one for one in values if one is not None]
    if not known:
        return ""
    return f"{mean(known):.1f}" + (f" ± {stdev(known):.1f}" if len(known) > 1 else "")


def _interval(one: dict[str, Any], key: str) -> str:
    """`71.2 [70.1, 72.3]`."""
    if one[key] is None:
        return ""
    low, high = one[f"{key}_interval"]
    return f"{one[key]:.1f} [{low:.1f}, {high:.1f}]"


def _signed(one: Any) -> str:
    """`+1.2 [+0.3, +2.1]`."""
    return f"{one.difference:+.1f} [{one.low:+.1f}, {one.high:+.1f}]"


def _p(value: float) -> str:
    """A p value."""
    return "< 0.002" if value < 0.002 else f"{value:.3f}"
