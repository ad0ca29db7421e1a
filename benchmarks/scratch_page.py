"""The section "From scratch" of docs/results.md, from the cells that benchmarks/scratch_benchmark.py measured."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

Cell = dict[str, Any]
START, END = "<!-- scratch -->", "<!-- end -->"
NAMES = {
    "untrained": "untrained", "control": "masked LM only (control)", "align_mlm": "`align_mlm`",
    "multisense": "`multisense`", "hierarchical": "`hierarchical`",
}  # fmt: skip
COLUMNS: dict[str, tuple[str, Callable[[Cell], float | None]]] = {
    "alignment": ("alignment score ↑", lambda cell: cell["alignment"]["all"]),
    "taught": ("of words taught ↑", lambda cell: cell["alignment"]["taught"]),
    "not taught": ("of words not taught ↑", lambda cell: cell["alignment"]["not taught"]),
    "word_retrieval": ("word retrieval ↑", lambda cell: cell["word_retrieval"]["score"]),
    "sentence_retrieval": ("sentence retrieval ↑", lambda cell: cell["sentence_retrieval"]["score"]),
    "link_f1": ("link F1 ↑", lambda cell: cell["link_f1"]["score"]),
    "masked": ("masked LM, nats ↓", lambda cell: cell["masked"]),
    "next_sentence": ("next sentence ↑", lambda cell: cell["next_sentence"]["score"]),
    "bigram_shift": ("bigram shift ↑", lambda cell: cell["bigram_shift"]["score"]),
    "senses": ("word in context ↑", lambda cell: cell["senses"]["score"]),
}
# What each method's paper judges it by.
OWN = {
    "align_mlm": ("alignment", "word_retrieval", "sentence_retrieval"),
    "multisense": ("senses", "word_retrieval", "sentence_retrieval"),
    "hierarchical": ("next_sentence", "bigram_shift", "masked"),
}


def write(cells_folder: Path, page: Path) -> None:
    """Fill the marked place of results.md.

    Args:
        cells_folder: one JSON file a cell.
        page: results.md with its markers.
    """
    cells = [json.loads(path.read_text("utf-8")) for path in sorted(cells_folder.glob("scratch-*.json"))]
    text = page.read_text("utf-8")
    filled = f"{START}\n{section(cells)}\n{END}"
    page.write_text(re.sub(rf"{START}.*?{END}", lambda _: filled, text, count=1, flags=re.DOTALL), "utf-8")


def section(cells: list[Cell]) -> str:
    """The table, what wins by how much, and the commands.

    Args:
        cells: as `benchmarks/scratch_benchmark.py` wrote them.
    """
    groups = {name: [cell for cell in cells if cell["method"] == name] for name in NAMES}
    groups = {name: group for name, group in groups.items() if group}
    titles = [title for title, _ in COLUMNS.values()]
    lines = [f"| training | runs | {' | '.join(titles)} |", "| --- |" + " ---: |" * (len(titles) + 1)]
    for name, group in groups.items():
        shown = [_spread([value(cell["scores"]) for cell in group]) for _, value in COLUMNS.values()]
        lines.append(f"| {NAMES[name]} | {len(group)} | {' | '.join(shown)} |")
    lines += ["", *_verdicts(groups), "", "```", *_commands(groups), "```"]
    return "\n".join(lines)


def _spread(values: list[float | None]) -> str:
    """Mean and standard deviation over seeds."""
    found = [value for value in values if value is not None]
    if not found:
        return ""
    return f"{mean(found):.1f} ± {stdev(found):.1f}" if len(found) > 1 else f"{found[0]:.1f}"


def _verdicts(groups: dict[str, list[Cell]]) -> list[str]:
    """For each method the differences from the control by its paper's own measures, seed by seed."""
    control = {cell["seed"]: cell["scores"] for cell in groups.get("control", ())}
    lines = []
    for name, measures in OWN.items():
        told = []
        for measure in measures:
            title, value = COLUMNS[measure]
            pairs = [
                (value(cell["scores"]), value(control[cell["seed"]]))
                for cell in groups.get(name, ()) if cell["seed"] in control
            ]  # fmt: skip
            changes = [a - b for a, b in pairs if a is not None and b is not None]
            if changes:
                better = sum((change < 0) if title.endswith("↓") else (change > 0) for change in changes)
                told.append(f"{title[:-2]} {mean(changes):+.1f} (better in {better} of {len(changes)} seeds)")
        if told:
            lines.append(f"- {NAMES[name]} against the control: {', '.join(told)}.")
    return lines


def _commands(groups: dict[str, list[Cell]]) -> list[str]:
    """Every command of the first seed, each once."""
    told = [line for group in groups.values() for line in min(group, key=lambda cell: cell["seed"])["commands"]]
    return [
        *dict.fromkeys(told),
        "python benchmarks/scratch_benchmark.py measure && python benchmarks/scratch_benchmark.py write",
    ]
