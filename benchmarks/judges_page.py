"""The section "Every measure" of docs/results.md, from the comparisons that benchmarks/judges.py made."""

import json
import re
from pathlib import Path
from typing import Any

Cell = dict[str, Any]
START, END = "<!-- {} -->", "<!-- end -->"
FRIENDS = 6  # pairs of measures at either end
CONTROLS = {"shuffled": "shuffled", "random": "random weights", "same": "same language"}
TITLES = {
    "words": "Words and sentences of XL-WA, mean of six pairs with English",
    "links": "Sure and possible links, English-French",
    "sentences": "Sentences of SIB-200, mean of eleven pairs with English",
    "languages": "31 languages at once",
    "senses": "Word in context",
    "similarity": "Similarity of meaning",
    "questions": "Questions and paragraphs",
    "dictionary": "Dictionary induction from a given lexicon",
}


def write(cells: Path, page: Path) -> None:
    """Fill the marked places of the page.

    Args:
        cells: the folder with judge-NAME.json.
        page: holds the markers.
    """
    runs = {
        name: json.loads(path.read_text("utf-8")) for name in TITLES if (path := cells / f"judge-{name}.json").exists()
    }
    text = page.read_text("utf-8")
    for marker, made in {
        "every measure": _tables(runs),
        "agreement": _agreement(runs),
        "judges": _commands(runs),
    }.items():
        start = START.format(marker)
        filled = f"{start}\n{made}\n{END}"
        text = re.sub(rf"{re.escape(start)}.*?{re.escape(END)}", lambda _, new=filled: new, text, flags=re.DOTALL)
    page.write_text(text, "utf-8")


def _tables(runs: dict[str, Cell]) -> str:
    """A table a run: a line a measure, a column an encoder, then the controls of the base."""
    return "\n\n".join(f"**{TITLES[name]}**\n\n{_table(run)}" for name, run in runs.items())


def _table(run: Cell) -> str:
    """One run: means where several languages have one, else the scores themselves."""
    shown = _summary(run)
    controls = _summary(run["controls"])
    encoders = list(dict.fromkeys(entry["encoder"] for entry in shown))
    columns = [control for control in CONTROLS if any(entry.get("control") == control for entry in controls)]
    names = [f"`{name.replace('bundled+', '+')}`" for name in encoders] + [CONTROLS[name] for name in columns]
    lines = [f"| measure | data | {' | '.join(names)} |", "| --- | --- |" + " ---: |" * len(names)]
    for key, label in dict.fromkeys((entry["key"], entry["label"]) for entry in shown):
        mine = {entry["encoder"]: entry for entry in shown if (entry["key"], entry["label"]) == (key, label)}
        theirs = {entry["control"]: entry for entry in controls
                  if entry.get("control") and (entry["key"], entry["label"]) == (key, label)}  # fmt: skip
        cells = [_score(mine.get(name)) for name in encoders] + [_score(theirs.get(name)) for name in columns]
        first = next(iter(mine.values()))
        arrow = {True: " ↑", False: " ↓", None: ""}[first.get("higher_is_better")]
        lines.append(f"| {first['title']}{arrow} | {_data(label)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _summary(run: Cell) -> list[Cell]:
    """One entry an encoder, measure and data set: the mean where there is one."""
    means = run["means"]
    meant = {(entry["key"], entry["data"]) for entry in means}
    single = [entry for entry in run["entries"] if (entry["key"], entry["data"]) not in meant]
    return [*means, *single]


def _data(label: str) -> str:
    """`set:stsb_multi:en,de,zh:test, mean of 5` as it fits a table."""
    return re.sub(r"^set:(\w+):[^ ]*?:(\w+)", r"\1", label)


def _score(entry: Cell | None) -> str:
    """A score, a star where it differs from the base beyond chance, bold where nothing is better beyond chance."""
    if entry is None or entry.get("score") is None:
        return ""
    value = _number(entry["score"], entry["unit"])
    star = "\\*" if entry.get("significant") and entry.get("difference") else ""
    bold = entry.get("best") and not entry.get("control") and entry.get("higher_is_better") is not None
    return f"**{value}**{star}" if bold else f"{value}{star}"


def _number(value: float, unit: str) -> str:
    """As many digits as its scale asks for."""
    return f"{value:.1f}" if unit in ("percent", "dimensions", "length") else f"{value:.3f}"


def _agreement(runs: dict[str, Cell]) -> str:
    """Spearman between measures that have a better end, over encoders and languages: the best and the worst friends."""
    lines = ["| text | measure | measure | Spearman | n |", "| --- | --- | --- | ---: | ---: |"]
    for name, title in (("words", "XL-WA"), ("sentences", "SIB-200")):
        run = runs.get(name, {"entries": (), "correlations": ()})
        directed = {entry["key"] for entry in run["entries"] if entry.get("higher_is_better") is not None}
        found = [
            one for one in run["correlations"] if {one["first"], one["second"]} <= directed and one["rho"] is not None
        ]
        found.sort(key=lambda one: -one["rho"])
        for one in [*found[:FRIENDS], *found[FRIENDS:][-FRIENDS:]]:
            lines.append(f"| {title} | {one['first']} | {one['second']} | {one['rho']:+.2f} | {one['n']} |")
    return "\n".join(lines)


def _commands(runs: dict[str, Cell]) -> str:
    """Every command, what was left out, and what the data were."""
    commands = [line for run in runs.values() for line in (run["command"], run["controls"]["command"])]
    left_out = list(dict.fromkeys(_reason(one) for run in runs.values() for one in run["skipped"]))
    listed = "".join(f"\n- {line}" for line in left_out)
    return "```\n" + "\n".join(commands) + "\n```" + (f"\n\nLeft out:\n{listed}" if listed else "")


def _reason(skipped: Cell) -> str:
    """What was left out, without saying it again for each encoder."""
    if skipped["asked"] == "mlm_loss":
        return "mlm_loss: neither `bundled` nor an encoder aligned from it has a masked-LM head"
    return f"{skipped['asked']} of {skipped['encoder']}: {skipped['reason']}"
