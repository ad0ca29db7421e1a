"""Tables and the trade-off figure of docs/results.md, from the cells that benchmarks/benchmark.py measured."""

import json
import re
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

Cell = dict[str, Any]
START, END = "<!-- {} -->", "<!-- end -->"


def write(cells_folder: Path, docs: Path) -> None:
    """Fill the marked places of results.md and draw the figure.

    Args:
        cells_folder: one JSON file a cell.
        docs: holds results.md with its markers.
    """
    apart = ("judge-", "method", "scratch-")
    paths = [path for path in sorted(cells_folder.glob("*.json")) if not path.stem.startswith(apart)]
    cells = {path.stem: json.loads(path.read_text("utf-8")) for path in paths}
    page = (docs / "results.md").read_text("utf-8")
    for name, make in SECTIONS.items():
        start = START.format(name)
        if start in page:
            filled = f"{start}\n{make(cells)}\n{END}"
            page = re.sub(rf"{re.escape(start)}.*?{re.escape(END)}", lambda _, text=filled: text, page, flags=re.DOTALL)
    (docs / "results.md").write_text(page, "utf-8")
    if any(name.startswith("strength-") for name in cells):
        _figure(cells, docs / "tradeoff.svg")


def _language(item: Cell) -> str:
    """`es` of `set:wordalign_xlwa:en-es:test en-es`."""
    return str(item["data"].split()[-1].replace("en-", ""))


def _by_language(cell: Cell, measure: str) -> dict[str, Cell]:
    """Each language's score."""
    return {_language(item): item for item in cell["scores"][measure]["items"]}


def _six(cell: Cell, measure: str, *, without: tuple[str, ...] = ("fr",)) -> float:
    """The mean over the XL-WA languages."""
    return mean(item["score"] for tag, item in _by_language(cell, measure).items() if tag not in without)


def _scores(cells: dict[str, Cell]) -> str:
    """Word retrieval, link F1 and AER of every shipped encoder."""
    rows = [
        "| encoder | es | it | ru | nl | da | sl | mean | mean by CSLS | fr | AER en-fr |",
        "| --- |" + " ---: |" * 10,
    ]
    for name in _shipped(cells):
        cell = cells[name]
        found = _by_language(cell, "word_retrieval")
        each = [f"{found[tag]['score']:.1f}" for tag in TAGS]
        aer = cell["scores"]["aer"]
        rows.append(
            f"| `{cell['encoder']}` | {' | '.join(each)} | {_six(cell, 'word_retrieval'):.1f} "
            f"| {_six(cell, 'word_retrieval_csls'):.1f} | {found['fr']['score']:.1f} "
            f"| {aer['score']:.1f} [{aer['low']:.1f}, {aer['high']:.1f}] |"
        )
    return "\n".join(rows)


def _links(cells: dict[str, Cell]) -> str:
    """Link F1 with the layer and decoder that were chosen on development data."""
    rows = ["| encoder | es | it | ru | nl | da | sl | mean |", "| --- |" + " ---: |" * 7]
    for name in _shipped(cells):
        found = _by_language(cells[name], "link_f1")
        each = [f"{found[tag]['score']:.1f} [{found[tag]['low']:.1f}, {found[tag]['high']:.1f}]" for tag in TAGS]
        rows.append(f"| `{cells[name]['encoder']}` | {' | '.join(each)} | {_six(cells[name], 'link_f1'):.1f} |")
    return "\n".join(rows)


def _untrained(cells: dict[str, Cell]) -> str:
    """Alignment error rate on pairs of languages, and a domain, that the recommended encoder was not trained on."""
    rows = ["| encoder | es | it | ru | nl | da | sl | mean | en-fr |", "| --- |" + " ---: |" * 8]
    base = cells["bundled"]["scores"].get("aer_words")
    for name in _shipped(cells):
        if base is None or "aer_words" not in cells[name]["scores"]:
            continue
        found, before = (_by_language(cells[one], "aer_words") for one in (name, "bundled"))
        values = [found[tag]["score"] for tag in TAGS]
        values += [mean(values), cells[name]["scores"]["aer"]["score"]]
        bases = [before[tag]["score"] for tag in TAGS]
        bases += [mean(bases), cells["bundled"]["scores"]["aer"]["score"]]
        each = [
            f"{value:.1f}" + (f" ({100 * (value - old) / old:+.0f} %)" if name != "bundled" else "")
            for value, old in zip(values, bases, strict=True)
        ]
        rows.append(f"| `{cells[name]['encoder']}` | {' | '.join(each)} |")
    return "\n".join(rows)


def _distant(cells: dict[str, Cell]) -> str:
    """Japanese and Chinese with English, of which no word links are at hand."""
    titles = ("agreement ja", "agreement zh", "sentences ja", "sentences zh")
    rows = [f"| encoder | {' | '.join(titles)} |", "| --- |" + " ---: |" * len(titles)]
    for name in _shipped(cells):
        if "agreement" not in cells[name]["scores"]:
            continue
        found = [_by_language(cells[name], one)[tag] for one in ("agreement", "sentences") for tag in ("ja", "zh")]
        each = [f"{one['score']:.1f} [{one['low']:.1f}, {one['high']:.1f}]" for one in found]
        rows.append(f"| `{cells[name]['encoder']}` | {' | '.join(each)} |")
    return "\n".join(rows)


def _forgetting(cells: dict[str, Cell]) -> str:
    """What each encoder kept of its base."""
    rows = [
        "| encoder | words kept | sentences kept | drift | probe, en | probe, others | sentence retrieval |",
        "| --- |" + " ---: |" * 6,
    ]
    for name in _shipped(cells):
        found = cells[name]["scores"].get("forgetting")
        if not found:
            continue
        row = _Forgotten(found)
        rows.append(
            f"| `{cells[name]['encoder']}` | {row.of('neighbours_kept_words')} | {row.of('neighbours_kept_sentences')} "
            f"| {row.of('drift_words', 3)} | {row.change('probe_english')} | {row.change('probe_others')} "
            f"| {row.change('sentence_retrieval')} |"
        )
    return "\n".join(rows)


class _Forgotten:
    """The rows of one forgetting report."""

    def __init__(self, rows: dict[str, Cell]) -> None:
        self.rows = rows

    def row(self, name: str) -> Cell:
        """The row whose name begins like this."""
        return next(row for key, row in self.rows.items() if key.startswith(name))

    def of(self, name: str, digits: int = 1) -> str:
        """The aligned encoder's score."""
        return f"{self.row(name)['aligned']['score']:.{digits}f}"

    def change(self, name: str) -> str:
        """Aligned score and difference with its interval."""
        row = self.row(name)
        found = row["difference"]
        return (
            f"{row['aligned']['score']:.1f} ({found['score']:+.1f} [{found['low']:+.1f}, {found['high']:+.1f}])"
        ).replace("+-", "-")


def _seeds(cells: dict[str, Cell]) -> str:
    """Three seeds beside three placebos: mean and standard deviation."""
    titles = ("training", "runs", "word retrieval", "by CSLS", "probe, en", "probe, 11 others", "sentence retrieval",
              "words kept")  # fmt: skip
    rows = [f"| {' | '.join(titles)} |", "| --- |" + " ---: |" * 7]
    base = cells["bundled"]
    first = next((cell for name, cell in cells.items() if name.startswith("seed-")), None)
    if first is None:
        return ""
    before = _Forgotten(first["scores"]["forgetting"])
    told = [f"{before.row(name)['base']['score']:.1f}" for name in COMPARED]
    rows.append(
        f"| none (`bundled`) | 1 | {_six(base, 'word_retrieval'):.1f} | {_six(base, 'word_retrieval_csls'):.1f} "
        f"| {' | '.join(told)} | |"
    )
    for title, prefix in (("true pairs", "seed-"), ("placebo: shuffled pairs", "placebo-")):
        group = [cell for name, cell in cells.items() if name.startswith(prefix)]
        if group:
            rows.append(f"| {title} | {len(group)} | {' | '.join(_spread(group))} |")
    return "\n".join(rows)


def _spread(group: list[Cell]) -> list[str]:
    """Mean and standard deviation of each column over some cells."""
    forgotten = [_Forgotten(cell["scores"]["forgetting"]) for cell in group]
    columns = [[_six(cell, name) for cell in group] for name in ("word_retrieval", "word_retrieval_csls")]
    names = (*COMPARED, "neighbours_kept_words")
    columns += [[one.row(name)["aligned"]["score"] for one in forgotten] for name in names]
    return [f"{mean(one):.1f} ± {stdev(one):.1f}" if len(one) > 1 else f"{one[0]:.1f}" for one in columns]


def _left_out(cells: dict[str, Cell]) -> str:
    """Languages that no training here had, beside one that it had."""
    rows = [
        "| language | in the training | `bundled` | `bundled+combined` | change |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    base, aligned = (_by_language(cells[name], "word_retrieval") for name in ("bundled", "combined"))
    for tag, told in (("da", "no"), ("sl", "no"), ("it", "yes"), ("nl", "yes")):
        each = [f"{one[tag]['score']:.1f} [{one[tag]['low']:.1f}, {one[tag]['high']:.1f}]" for one in (base, aligned)]
        rows.append(f"| {tag} | {told} | {' | '.join(each)} | {aligned[tag]['score'] - base[tag]['score']:+.1f} |")
    return "\n".join(rows)


def _commands(cells: dict[str, Cell]) -> str:
    """Every cell with its date and the hashes of what it was measured on."""
    data = {
        item["data"].split()[0]: item["sha256"]
        for cell in cells.values()
        for item in cell["scores"]["word_retrieval"]["items"]
    }
    lines = ["| cell | encoder | measured | commands |", "| --- | --- | --- | --- |"]
    for name, cell in cells.items():
        what = ", ".join(cell["scores"])
        lines.append(f"| `{name}` | `{cell['encoder'].rpartition('/')[2]}` | {cell['date']} | {what} |")
    ran = next(cell for cell in cells.values() if "forgetting" in cell["commands"] and "aer" in cell["commands"])
    shown = [one.replace(sys.executable, "python") for one in ran["commands"].values()]
    lines += [
        "",
        f"Every cell's file holds the commands that were run; those of `{ran['encoder']}`:",
        "",
        "```",
        *shown,
        "```",
    ]
    lines += ["", "Data (first 12 digits of the SHA-256 of the sentences and links that were read): "
              + ", ".join(f"`{name}` {digest}" for name, digest in sorted(data.items())) + "."]  # fmt: skip
    return "\n".join(lines)


def _shipped(cells: dict[str, Cell]) -> list[str]:
    """The base first, then every cell that is an encoder of its own by name."""
    apart = ("seed-", "placebo-", "strength-", "leave-out")
    names = [name for name in cells if name != "bundled" and not name.startswith(apart)]
    return ["bundled", *sorted(names, key=lambda name: _six(cells[name], "word_retrieval"))]


def _figure(cells: dict[str, Cell], path: Path) -> None:
    """Gain against what is forgotten, along the share of the change that is kept."""
    import altair as alt
    import pandas as pd

    base = cells["bundled"]
    rows = [{"share": 0.0, "gain": 0.0, "measure": name, "change": 0.0} for name in LINES.values()]
    for name, cell in cells.items():
        if name.startswith("strength-"):
            gain = _six(cell, "word_retrieval") - _six(base, "word_retrieval")
            found = _Forgotten(cell["scores"]["forgetting"])
            for key, title in LINES.items():
                one = found.row(key)
                change = one["aligned"]["score"] - 100 if one["base"] is None else one["difference"]["score"]
                rows.append({"share": float(name[9:]), "gain": gain, "measure": title, "change": change})
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=alt.OverlayMarkDef(size=50, filled=True), strokeWidth=2)
        .encode(
            x=alt.X("gain:Q", title="word retrieval gained, points (last layer, cosine, mean of six languages)"),
            y=alt.Y("change:Q", title="change against the base, points", scale=alt.Scale(zero=False)),
            color=alt.Color("measure:N", title=None, sort=list(LINES.values()),
                            scale=alt.Scale(range=["#0b6e8a", "#c2571a", "#6b5b95", "#4a7a3a"])),
            order="share:Q",
        )
        .properties(width=520, height=260, title="Word retrieval gained, and what else changes, as more is kept")
        .configure_legend(orient="bottom", columns=2, labelLimit=360)
        .configure_view(stroke=None)
    )  # fmt: skip
    chart.save(str(path))


COMPARED = ("probe_english", "probe_others", "sentence_retrieval")
TAGS = ("es", "it", "ru", "nl", "da", "sl")
LINES = {
    "probe_others": "topic probe, mean of the other languages",
    "probe_english": "topic probe, English",
    "sentence_retrieval": "sentence retrieval, all ordered pairs",
    "neighbours_kept_words": "English word neighbours kept at 10 (minus 100)",
}
SECTIONS = {
    "scores": _scores,
    "links": _links,
    "untrained": _untrained,
    "distant": _distant,
    "forgetting": _forgetting,
    "seeds": _seeds,
    "left out": _left_out,
    "commands": _commands,
}
