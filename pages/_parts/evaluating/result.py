"""The table of a comparison: the finding, scores with intervals, what B changes, downloads, and ways into the numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from analysis.comparison.plan import Plan
from analysis.comparison.scores import Entry, Scores
from analysis.figures import scores as figure
from analysis.jobs.runs import Run
from analysis.registry import find
from analysis.text.languages import language
from pages._parts import chrome, state
from pages._parts.evaluating import common
from pages._parts.evaluating import items as evaluating_items
from pages._parts.evaluating import pairs as evaluating_pairs
from pages._parts.evaluating import run as evaluating_run
from pages._parts.evaluating import views as evaluating_views

RULES = {
    "holm": "after Holm's correction for all tests of that measure",
    "bh": "after the correction of Benjamini and Hochberg for all tests of that measure",
    "none": "not corrected for the number of tests",
}
VIEWS = {
    "languages": "Language by language", "layers": "Layer by layer", "pairs": "Every two languages",
    "behind": "The errors behind a number", "agree": "What agrees",
}  # fmt: skip
CONTROLS = {"shuffled": "floor", "random": "random weights", "same": "ceiling"}


def show(made: Plan, scores: Scores, run: Run | None = None) -> None:
    """Draw a comparison.

    Args:
        made: its plan, for the text behind the scores.
        scores: what is there of it.
        run: the run that made it, if there is one.
    """
    if not any(entry.result.score is not None for entry in scores.entries):
        st.info("No score could be given; the reasons are below.")
        _reasons(scores)
        return
    short = common.names(scores.encoders)
    shown = {name: f"{common.side(n)}  {short[name]}" for n, name in enumerate(scores.encoders)}
    head = st.container()
    layer = _layer(scores)
    entries = figure.at_layer(scores.summary, layer)
    with head:
        st.markdown(f"## {chrome.plain(figure.tell_scores(entries, short))}")
        st.caption(chrome.plain(_facts(scores, entries)))
        _chips(scores, entries)
    _figure(made, scores, entries, shown)
    _table(scores, entries, shown, layer)
    _downloads(scores, run)
    _hidden(scores)
    _notes(entries)
    evaluating_run.skipped(scores.skipped)
    _views(made, scores, shown, layer)


def _layer(scores: Scores) -> int | None:
    """The layer that is shown where several were scored."""
    slots = sorted({entry.slot for entry in scores.entries if entry.slot is not None})
    if len(slots) < 2:
        return None
    options = ["last", *map(str, slots)]
    chosen = st.selectbox(
        "Layer", options, key=state.seeded("at-layer", "last", options),
        format_func=lambda one: "the last of each encoder" if one == "last" else f"layer {one}", width=240,
    )  # fmt: skip
    state.set_page_value("at-layer", "" if chosen == "last" else chosen)
    return None if chosen == "last" else int(chosen)


def _facts(scores: Scores, entries: Sequence[Entry]) -> str:
    """On what, at which layers, with which seed."""
    tags = list(dict.fromkeys(tag for entry in entries for tag in entry.languages))
    layers = sorted({entry.layer for entry in entries if entry.layer is not None and not entry.control})
    told = [", ".join(scores.request.data)]
    told += [", ".join(language(tag).name for tag in tags) if len(tags) < 9 else f"{len(tags)} languages"]
    told += [f"layer {', '.join(map(str, layers))}" if len(layers) < 4 else f"{len(layers)} layers"] if layers else []
    return "; ".join([*told, f"seed {scores.request.seed}"])


def _chips(scores: Scores, entries: Sequence[Entry]) -> None:
    """What B changes against A, measure by measure."""
    if len(scores.encoders) < 2:
        return
    told = []
    for group in figure.panels(entries):
        entry = next((one for one in group if one.encoder == scores.encoders[1] and not one.control), None)
        if entry is None or entry.difference is None:
            continue
        way = entry.higher_is_better if entry.significant else None
        moved = chrome.chip(entry.difference.difference, 1 if entry.unit == "percent" else 3, better_high=way)
        told.append(f"{chrome.plain(entry.title)}\u00a0{moved}")
    if told:
        st.markdown(f"B against A: {' &nbsp; '.join(told)}")


def _figure(made: Plan, scores: Scores, entries: Sequence[Entry], shown: dict[str, str]) -> None:
    """The scores as dots."""
    mean = "the mean over languages with" if any(entry.mean for entry in entries) else "a score with"
    ticks = " Thin ticks are controls: what the measure gives where nothing, or everything, lines up." if any(
        entry.control for entry in entries
    ) else ""  # fmt: skip
    chrome.figure(
        figure.draw_scores(entries, scores.encoders, shown), name="comparison",
        data=lambda: chrome.columns(figure.score_rows(entries)),
        caption=f"Each dot is {mean} its 95 % interval over sentences. Filled: differs from A (p < 0.05 "
        f"{RULES[scores.request.correction]}, paired bootstrap); open: no clear difference.{ticks} Scales differ from "
        "panel to panel, and no measure alone shows that languages line up.",
        sampled="; ".join(dict.fromkeys(cell.note for cell in made.cells if cell.note)),
    )  # fmt: skip


def _table(scores: Scores, entries: Sequence[Entry], shown: dict[str, str], layer: int | None) -> None:
    """Measures by encoders; a click on a score opens what is behind it."""
    import pandas

    groups = figure.panels(entries)
    several = len({entry.label for entry in entries}) > 1
    rows = [_row(group, scores, shown, several=several) for group in groups]
    frame = pandas.DataFrame([{name: cell[0] for name, cell in row.items()} for row in rows])
    styler = frame.style
    for n, row in enumerate(rows):
        for name, (_, text, css) in row.items():
            styler = styler.format(lambda _, text=text: text, subset=pandas.IndexSlice[[n], [name]])
            if css:
                styler = styler.set_properties(pandas.IndexSlice[[n], [name]], **css)
    event = st.dataframe(
        styler, hide_index=True, key=f"table of {len(rows)} {len(scores.entries)}", on_select="rerun",
        selection_mode="single-cell",
        column_config={"measure": st.column_config.TextColumn(width="medium", pinned=True)},
    )  # fmt: skip
    st.caption(
        "Bold: not significantly worse than the best encoder of its row (paired bootstrap over sentences, p < 0.05 "
        f"{RULES[scores.request.correction]}); no bold where no test was possible or neither end is better. "
        f"{_ranks(scores, layer)}Click a score to open the errors behind it."
    )
    names = {label: name for name, label in shown.items()}
    picked = common.picked_cell(event, "table")
    if picked and picked[1] in names:
        group = groups[picked[0]]
        evaluating_items.open_entry(group[0].key, names[picked[1]], group[0].data)
        st.rerun()


def _row(group: Sequence[Entry], scores: Scores, shown: dict[str, str], *, several: bool) -> dict[str, Any]:
    """One line: for each column its value, how it reads and how it looks."""
    first = group[0]
    row: dict[str, Any] = {"measure": (first.title, first.title, {})}
    if several:
        row["text"] = (first.label, first.label, {})
    own = {entry.encoder: entry for entry in group if not entry.control}
    several_encoders = len(scores.encoders) > 1
    for name in scores.encoders:
        entry = own.get(name)
        bold = {"font-weight": "bold"} if entry is not None and entry.best and several_encoders else {}
        row[shown[name]] = (entry and entry.result.score, _with_interval(entry), bold)
    if several_encoders:
        row["B − A"] = _change(own.get(scores.encoders[1]))
    for control, title in CONTROLS.items():
        values = [entry.result.score for entry in group if entry.control == control and entry.result.score is not None]
        if any(one.control == control for one in scores.entries):
            value = sum(values) / len(values) if values else None
            row[title] = (value, figure.number(value, first.unit) or "–", {})
    row["n"] = (first.result.n, f"{first.result.n:,}", {})
    row["unit"] = (first.unit, ", ".join(filter(None, (first.unit, figure.DIRECTIONS[first.higher_is_better]))), {})
    return row


def _with_interval(entry: Entry | None) -> str:
    """`71.2 [69.0, 73.1]`."""
    if entry is None or entry.result.score is None:
        return "–"
    low, high = (figure.number(value, entry.unit) for value in (entry.result.low, entry.result.high))
    return figure.number(entry.result.score, entry.unit) + (f" [{low}, {high}]" if low and high else "")


def _change(entry: Entry | None) -> tuple[float | None, str, dict[str, str]]:
    """B's change, coloured where the test says that it is one."""
    if entry is None or entry.difference is None:
        return None, "–", {}
    change = entry.difference
    text, low, high = (figure.number(value, entry.unit) for value in (change.difference, change.low, change.high))
    sign = "+" if change.difference > 0 else ""
    better = (change.difference > 0) == entry.higher_is_better
    colour = (
        {} if not entry.significant or entry.higher_is_better is None else {"color": "#2E9E5B" if better else "#D9534F"}
    )
    return change.difference, f"{sign}{text} [{low}, {high}]".replace("-", "−"), colour


def _ranks(scores: Scores, layer: int | None) -> str:
    """Mean ranks over all languages of all measures."""
    ranks: dict[str, list[int]] = {}
    for entry in figure.at_layer(scores.entries, layer):
        if entry.rank is not None:
            ranks.setdefault(entry.encoder, []).append(entry.rank)
    if len(ranks) < 2:
        return ""
    told = ", ".join(
        f"{common.side(n)} {sum(ranks[name]) / len(ranks[name]):.2f}"
        for n, name in enumerate(scores.encoders) if name in ranks
    )  # fmt: skip
    return f"Mean rank over measures and languages (1 is best): {told}. "


def _downloads(scores: Scores, run: Run | None) -> None:
    """The table in the formats of papers and programs, and the command line that makes it."""
    from analysis.comparison import formats

    made: dict[str, tuple[Callable[[Scores], str], str, str]] = {
        "CSV": (formats.to_csv, "csv", "text/csv"), "JSON": (formats.to_json, "json", "application/json"),
        "LaTeX": (formats.to_latex, "tex", "text/x-tex"), "Markdown": (formats.to_markdown, "md", "text/markdown"),
    }  # fmt: skip
    name = f"comparison-{run.id if run else common.run_id(scores.request)}"
    row = st.container(horizontal=True, vertical_alignment="center")
    for label, (make, ending, mime) in made.items():
        row.download_button(
            label, lambda make=make: make(scores), f"{name}.{ending}", mime, key=f"table {ending}",  # type: ignore[misc]
            on_click="ignore", help="The whole table: every language, layer and control",
        )  # fmt: skip
    with row.popover("Command line"):
        st.code(scores.request.command, language="bash", wrap_lines=True)


def _hidden(scores: Scores) -> None:
    """What each measure shows and does not show."""
    with st.expander("What these measures show, and what they do not"):
        for name in dict.fromkeys(entry.measure for entry in scores.entries):
            spec = find("measures", name)
            st.markdown(
                f"**{chrome.plain(spec.title)}**  \n{chrome.plain(spec.summary)} {chrome.plain(spec.hides)}  \n"
                f":small[{chrome.plain(spec.citation)}]"
            )


def _notes(entries: Sequence[Entry]) -> None:
    """What the reader of single numbers must know, above all why there is none."""
    told: dict[str, None] = {}
    for entry in entries:
        for note in filter(None, entry.result.note.split("; ")):
            if note.startswith("a sample of "):  # stands below the figure
                continue
            told[f"{entry.title}{f' ({entry.control})' if entry.control else ''}: {note}"] = None
    if told:
        with st.expander("1 note on the scores" if len(told) == 1 else f"{len(told)} notes on the scores"):
            st.markdown("\n".join(f"- {chrome.plain(line)}" for line in told))


def _reasons(scores: Scores) -> None:
    """Why entries have no score, and what was left out."""
    for note in dict.fromkeys(entry.result.note for entry in scores.entries if entry.result.note):
        st.markdown(f"- {chrome.plain(note)}")
    evaluating_run.skipped(scores.skipped)


def _views(made: Plan, scores: Scores, shown: dict[str, str], layer: int | None) -> None:
    """One of the closer looks, as the link says."""
    offered = ["languages"] if len({entry.languages for entry in scores.entries}) > 1 else []
    offered += ["layers"] if len({entry.slot for entry in scores.entries}) > 1 else []
    offered += ["pairs"] if evaluating_pairs.keys(scores) else []
    offered += ["behind"] + (["agree"] if len(scores.keys) > 1 else [])
    st.divider()
    view = st.segmented_control(
        "A closer look", offered, key=state.seeded("look", offered[0], offered), format_func=VIEWS.__getitem__,
        required=True,
    )  # fmt: skip
    state.set_page_value("look", "" if view == offered[0] else view)
    with chrome.guard():
        if view == "languages":
            evaluating_views.languages(scores, shown, layer)
        elif view == "layers":
            evaluating_views.layers(scores, shown)
        elif view == "pairs":
            evaluating_pairs.pairs(made, scores, shown, layer)
        elif view == "agree":
            evaluating_views.agreement(scores)
        else:
            evaluating_items.behind(
                made, scores, shown, layer, lambda key, data: evaluating_pairs.computed(made, scores, key, data, layer)
            )
