"""The section "Every method" of docs/results.md, from the cells that benchmarks/methods_grid.py made."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from methods_cells import BASE, EXCLUDED, best_methods

Cell = dict[str, Any]
ALPHA = 0.05
START, END = "<!-- {} -->", "<!-- end -->"
GROUPS = {"trained": "trained", "left": "left out", "english": "English"}
BLOCKS = {
    "Words": ("word_retrieval", "word_retrieval-score=csls", "dictionary_induction"),
    "Links and sentences": ("link_f1", "aer", "sentence_retrieval", "cka"),
    "Senses, and what is kept of the base": ("word_in_context", "neighbours_kept", "drift"),
}
HEADS = {
    "word_retrieval": "word retrieval", "word_retrieval-score=csls": "by CSLS", "dictionary_induction": "dictionary",
    "link_f1": "link F1", "aer": "AER", "sentence_retrieval": "sentences", "cka": "CKA", "word_in_context": "WiC",
    "neighbours_kept": "neighbours kept", "drift": "drift",
}  # fmt: skip
# Of the processor, which other programs on the machine do not lengthen as they do those of the clock: training, and
# choosing and scoring.
SPENT = ("training_cpu_seconds", "score_process_cpu_seconds")
# What wins where and why, and what does not survive the placebo: written by a person from the tables.
PROSE = """What wins where, and why:

- **Words.** The contrasts over words (`ml_ctl`, `contrastive`, and `combined`, which without links made by people is
  `contrastive` and a contrast over sentences) lead on trained and on left-out languages, by cosine and by CSLS: they alone
  say what a word should be far from, which is what retrieval among all words of a file asks. Contrasts over sentences
  (`labse`, `multiway`, `ppa`) follow at 1 to 3 points without having seen a single link: words move with their sentences.
  Pulling without pushing (`cao`, `efimov`) gains two thirds of that and changes less: of English neighbours `cao` keeps
  93 %, `efimov` 88 % (`self_training` 92 %; more only the closed forms).
- **Links.** On trained languages `contrastive` and `combined` raise F1 by 1.1 points, `ml_ctl` by 0.8, the sentence contrasts
  by 0.3 to 0.7, which is within chance; on left-out ones nothing is beyond it. Links are read at layer 7, below most of what
  contrasts over sentences change.
- **Sentences, CKA.** Sentence retrieval is at its ceiling before any training and judges damage only. CKA rises most
  under methods that look at sentences, and is blind to rotations, as it must be.
- **Left-out languages** gain as much as trained ones under every trained method, and nothing under closed forms, which have no
  map for them; `centring` then harms, because it moves English away from languages whose mean it does not know.
- **What does not survive the placebo.** A placebo that ends far below the base (`ml_ctl`, `labse`, `multiway`, `cao`;
  `rotation` and `clbt` where they have a map) says that the true pairs made the gain. `centring` looks at no pair, and its
  placebo is its gain. That of `contrastive` keeps 6 of its 8 points on trained languages and 4 of 11 on left-out ones: the
  links it makes in shuffled pairs are, we think, of words that do translate each other all the same (function words, names,
  numbers), and languages are drawn together by them. Those of `weam` and `align_mlm` are level with the true runs: what
  these two gain here is not owed to right pairs, or to a right dictionary. That of `self_training` keeps most of its gain
  too, and that of `ppa`, which also models masked words of both languages, 3 of 7 on trained languages and none on others.
- Word in context moves within chance everywhere but where a placebo breaks the encoder: 60 pairs are too few to tell. On
  the full sets `ml_ctl` gains 3.8 points for English-Chinese, beyond chance; no other line of the best three does.
- **On the full sets** the best three are level in words (91.8 on trained languages, 86.6 to 86.8 on left-out ones);
  `contrastive` and `combined` have the better links and keep four fifths of English neighbours, `ml_ctl` three fifths.

So the recommended encoder joins a contrast over words, one over sentences, and links; what the pairs cannot teach, that a
word may stand for several, it learns from links that people made."""


def write(cells: Path, page: Path) -> None:
    """Fill the marked places of the page; what has not been measured leaves its place as it is.

    Args:
        cells: the folder with method-NAME-SEED.json, method-bundled.json, methods-tests.json and methods-full.json.
        page: holds the markers.
    """
    found = [json.loads(path.read_text("utf-8")) for path in sorted(cells.glob("method-*.json"))]
    tests, full = (_read(cells / f"methods-{name}.json") for name in ("tests", "full"))
    grid = Grid(found, tests)
    text = page.read_text("utf-8")
    made = {"methods": grid.section() if grid.lines else "", "methods full": _full(full) if full else "",
            "method cells": _commands(grid) if grid.lines else ""}  # fmt: skip
    for marker, section in made.items():
        start = START.format(marker)
        if section:
            filled = f"{start}\n{section}\n{END}"
            text = re.sub(rf"{re.escape(start)}.*?{re.escape(END)}", lambda _, new=filled: new, text, flags=re.DOTALL)
    page.write_text(text, "utf-8")


def _read(path: Path) -> Cell:
    """A JSON file, nothing where there is none."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


class Grid:
    """The finished cells by line of the table.

    Args:
        cells: in any order, the base among them if it is there.
        tests: of methods-tests.json, may be empty.
    """

    def __init__(self, cells: Iterable[Cell], tests: Mapping[str, Any]) -> None:
        self.base: Cell = {"scores": {}}
        self.true: dict[str, list[Cell]] = {}
        self.placebo: dict[str, list[Cell]] = {}
        for cell in cells:
            if cell["name"] == BASE:
                self.base = cell
            else:
                (self.placebo if cell["placebo"] else self.true).setdefault(cell["name"], []).append(cell)
        self.tests = tests
        self.lines = sorted(self.true, key=lambda name: -mean(one["dev"]["score"] for one in self.true[name]))

    def columns(self, measures: Sequence[str]) -> list[str]:
        """The columns of some measures that some cell has."""
        there = {column for own in self.true.values() for cell in own for column in cell["scores"]}
        return [f"{one}/{group}" for one in measures for group in GROUPS if f"{one}/{group}" in there]

    def section(self) -> str:
        """Tables, what survives the placebo, and the prose."""
        parts = [f"**{title}**\n\n{self.table(measures, last=title == [*BLOCKS][-1])}"
                 for title, measures in BLOCKS.items()]  # fmt: skip
        parts.append(self.survival())
        return "\n\n".join(filter(None, [*parts, PROSE]))

    def table(self, measures: Sequence[str], *, last: bool = False) -> str:
        """A line a method, best first by development score.

        Args:
            measures: the columns, each for trained and left-out languages.
            last: whether the seconds stand at the end.
        """
        columns = self.columns(measures)
        heads = ["method", "dev", *(self._head(column) for column in columns), *(["processor seconds"] if last else [])]
        rows = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
        if self.base["scores"]:
            before = [_number(self.base, column) for column in columns]
            rows.append(f"| none (`{BASE}`) | {self.base['dev']['score']:.1f} | {' | '.join(before)} |"
                        + (" |" if last else ""))  # fmt: skip
        for name in self.lines:
            own = self.true[name]
            texts = [f"{mean(one['dev']['score'] for one in own):.1f}", *(self._text(name, one) for one in columns)]
            texts += [" + ".join(_mean(own, key) for key in SPENT)] if last else []
            rows.append(f"| `{name}` | {' | '.join(texts)} |")
        return "\n".join(rows)

    def _head(self, column: str) -> str:
        """`word retrieval ↑, trained`."""
        key, _, group = column.partition("/")
        one = self._any(column)
        arrow = {True: " ↑", False: " ↓", None: ""}[one["higher_is_better"]]
        return f"{HEADS.get(key, one['title'])}{arrow}, {GROUPS[group]}"

    def _any(self, column: str) -> Cell:
        """Some score of a column, for what all share."""
        return next(cell["scores"][column] for own in self.true.values() for cell in own if column in cell["scores"])

    def _text(self, name: str, column: str) -> str:
        """Mean and deviation over seeds, star and bold by the tests, the placebo in brackets."""
        value = _spread(self.true[name], column)
        if not value:
            return ""
        tests = self.tests.get(column, {})
        gained = self._gain(column, "base", name)
        star = "\\*" if tests.get("base", {}).get(name, {}).get("p", 1) < ALPHA else ""
        behind = tests.get("behind", {}).get(name)
        leads = tests.get("best") == name or (behind is not None and behind["p"] >= ALPHA)
        shown = f"**{value}**{star}" if leads and gained else f"{value}{star}"
        placebo = _spread(self.placebo.get(name, []), column)
        return f"{shown} ({placebo})" if placebo else shown

    def _gain(self, column: str, against: str, name: str) -> bool:
        """Whether a line is better than the base or its placebo beyond chance."""
        test = self.tests.get(column, {}).get(against, {}).get(name)
        up = self._any(column)["higher_is_better"]
        return bool(test and test["p"] < ALPHA and up is not None and (test["difference"] > 0) == up)

    def survival(self) -> str:
        """For each line the gains over the base that are no gains over its own placebo."""
        if not self.tests:
            return ""
        lines = ["What does not survive the placebo (gains over the base beyond chance, and of those the ones that are "
                 "no gain beyond chance over the placebo of the same seeds):", ""]  # fmt: skip
        every = [column for measures in BLOCKS.values() for column in self.columns(measures)]
        for name in self.lines:
            gains = [column for column in every if self._gain(column, "base", name)]
            tested = [column for column in gains if name in self.tests[column].get("placebo", {})]
            lost = [column for column in tested if not self._gain(column, "placebo", name)]
            told = ", ".join(self._head(column) for column in lost) or ("none lost" if tested else "")
            counted = f"{len(gains)} of {len(every)} columns gain"
            if len(tested) < len(gains):
                told = f"{told} ({len(gains) - len(tested)} without a placebo)".strip()
            lines.append(f"- `{name}`: {counted}{'; ' + told if gains else ''}")
        return "\n".join(lines)


def _mean(cells: Sequence[Cell], key: str) -> str:
    """The mean of some seconds."""
    return f"{mean(cell[key] for cell in cells):.0f}"


def _spread(cells: Sequence[Cell], column: str) -> str:
    """Mean and standard deviation over seeds, `85.2 ± 0.1`; of one seed the score alone."""
    scores = [cell["scores"][column]["score"] for cell in cells if column in cell["scores"]]
    scores = [one for one in scores if one is not None]
    if not scores:
        return ""
    unit = next(cell["scores"][column]["unit"] for cell in cells if column in cell["scores"])
    digits = 1 if unit == "percent" else 3
    deviation = f" ± {stdev(scores):.{digits}f}" if len(scores) > 1 else ""
    return f"{mean(scores):.{digits}f}{deviation}"


def _number(cell: Cell, column: str) -> str:
    """The score of one cell."""
    return _spread([cell], column)


def _full(found: Cell) -> str:
    """The best methods and the base on the full sets, a line a measure."""
    names = [BASE, *found["encoders"]]
    heads = [f"`{name.replace(f'{BASE}+grid-', '+').removesuffix('-0') if name != BASE else name}`" for name in names]
    rows = [f"| measure | data | {' | '.join(heads)} |", "| --- | --- |" + " ---: |" * len(names)]
    for part in found["parts"].values():
        meant = {entry["key"] for entry in part["means"]}
        shown = [*part["means"], *(entry for entry in part["entries"] if entry["key"] not in meant)]
        for key in dict.fromkeys(entry["key"] for entry in shown):
            mine = {entry["encoder"]: entry for entry in shown if entry["key"] == key}
            first = next(iter(mine.values()))
            arrow = {True: " ↑", False: " ↓", None: ""}[first.get("higher_is_better")]
            data = re.sub(r"^set:(\w+):([^:]*):.*", r"\1 \2", first["data"]).replace(",", " ")
            rows.append(f"| {first['title']}{arrow} | {data} | {' | '.join(_entry(mine.get(n)) for n in names)} |")
    commands = [*found["tuning"], *(part["command"] for part in found["parts"].values())]
    return "\n".join([*rows, "", "```", *commands, "```"])


def _entry(entry: Cell | None) -> str:
    """A score with its interval, a star where it differs from the base, bold where nothing is better beyond chance."""
    if entry is None or entry.get("score") is None:
        return ""
    digits = 1 if entry["unit"] == "percent" else 3
    value = f"{entry['score']:.{digits}f}"
    shown = f"**{value}**" if entry.get("best") and entry.get("higher_is_better") is not None else value
    star = "\\*" if entry.get("significant") and entry.get("difference") else ""
    ends = [entry.get(end) for end in ("low", "high")]
    return f"{shown}{star}" + (f" [{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]" if None not in ends else "")


def _commands(grid: Grid) -> str:
    """Samples, commands, links and seconds of every line."""
    cells = [cell for name in grid.lines for cell in grid.true[name] + grid.placebo.get(name, [])]
    samples = dict.fromkeys((one["data"], one["rows"]) for cell in cells for one in cell["scores"].values())
    first = cells[0]
    lines = [
        f"Text: {first['rows']:,} rows, SHA-256 {first['text']}. Samples for scoring, drawn by seed 0, rows a language "
        "pair: " + ", ".join(f"`{data}` {rows}" for data, rows in samples) + ". Development: "
        + ", ".join(f"`{name}`" for name in first["dev"]["data"]) + f", {first['dev']['rows']} rows each.",
        f"Not run: {'; '.join(f'`{name}`, which {why}' for name, why in EXCLUDED.items())}.",
        f"Best by development score: {', '.join(f'`{name}`' for name in best_methods(cells))}.",
        "",
        "| method | runs | placebos | training, processor s | choice and scoring, processor s | links of seed 0 |",
        "| --- |" + " ---: |" * 4 + " --- |",
    ]  # fmt: skip
    for name in grid.lines:
        own = grid.true[name]
        link = own[0]["links"]
        spent = [_mean(own, key) for key in SPENT]
        counts = f"{len(own)} | {len(grid.placebo.get(name, []))}"
        lines.append(
            f"| `{name}` | {counts} | {' | '.join(spent)} | layer {link['layer']}, {link['decoder']}, {link['level']} |"
        )
    shown = [grid.true[name][0]["command"] for name in grid.lines]
    return "\n".join([*lines, "", "```", *shown, "```"])
