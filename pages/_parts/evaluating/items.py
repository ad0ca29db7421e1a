"""The items behind a number: which words or sentences missed, what was found instead, which links are wrong or missing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from analysis.comparison.cells import fetch
from analysis.comparison.misses import KINDS, count_kinds, error_table, main_hit
from analysis.comparison.plan import Cell, Plan
from analysis.comparison.scores import Scores
from analysis.figures.languages import language_names
from analysis.records import Result
from pages._parts import chrome, state
from pages._parts.evaluating import common
from pages._parts.evaluating import lines as lines

PAGE = 12  # errors in sight
MOST = 500  # rows of a plain table
ALL, LOST = "all", "lost"


def open_entry(key: str, encoder: str, data: str, languages: Sequence[str] | None = None) -> None:
    """Make the next run show what is behind a score.

    Args:
        key: of the measure.
        encoder: its name.
        data: as the request calls them.
        languages: of one language pair; None leaves the choice as it is.
    """
    values = {"look": "behind", "which": key, "whose": encoder, "text-of": data, "error": "", "page": ""}
    if languages is not None:
        values["where-behind"] = "-".join(languages)
    for name, value in values.items():
        state.set_page_value(name, value)
        st.session_state.pop(f"page {name}", None)


def behind(
    made: Plan, scores: Scores, shown: dict[str, str], layer: int | None, further: Callable[[str, str], Sequence[Cell]]
) -> None:
    """Choose a number and draw what is behind it.

    Args:
        made: the plan, for the text.
        scores: the comparison.
        shown: what the page calls each encoder.
        layer: the one shown, None for the deepest.
        further: gives, for a measure and data, cells beside those of the plan: pairs of languages that were asked for
            afterwards.
    """
    one, two, three, four = st.columns([3, 2, 2, 2])
    with one:
        key = common.measure_box("Measure", scores, scores.keys)
    encoder = two.selectbox(
        "Encoder", scores.encoders, key=state.seeded("whose", scores.encoders[-1], scores.encoders),
        format_func=shown.__getitem__,
    )  # fmt: skip
    state.set_page_value("whose", encoder)
    with three:
        data = common.data_box(scores.of(key))
    cells = [cell for cell in made.cells if cell.asked.key == key and cell.data == data and cell.control is None]
    cells += further(key, data)
    mine = deepest([cell for cell in cells if cell.encoder == encoder], layer)
    if not mine:
        st.info("This encoder has no such score; choose another measure or encoder.")
        return
    where = {"-".join(cell.languages): cell for cell in mine}
    usual = _worst(scores, key, encoder, data, where)
    box = state.seeded("where-behind", usual, list(where))
    chosen = four.selectbox(
        "Languages", list(where), key=box, format_func=lambda one: language_names(where[one].languages)
    )
    state.set_page_value("where-behind", chosen if chosen != usual else "")
    cell = where[chosen]
    result = fetch(cell)
    if result is None:
        st.info("This score is not computed yet.")
        return
    _show(cell, result, _rivals(cells, cell, shown), shown)


def deepest(cells: Sequence[Cell], layer: int | None) -> list[Cell]:
    """The cells at one layer, or the deepest of each text."""
    if layer is not None:
        return [cell for cell in cells if cell.slot in (None, layer)]
    top: dict[tuple[str, ...], Cell] = {}
    for cell in cells:
        if cell.languages not in top or cell.layer >= top[cell.languages].layer:
            top[cell.languages] = cell
    return list(top.values())


def _worst(scores: Scores, key: str, encoder: str, data: str, where: dict[str, Cell]) -> str:
    """The languages with the worst score: there is most to see."""
    found = [entry for entry in scores.of(key) if entry.encoder == encoder and not entry.control
             and entry.data == data and entry.result.score is not None and "-".join(entry.languages) in where]  # fmt: skip
    if not found:
        return next(iter(where))
    sign = -1 if found[0].higher_is_better is False else 1
    return "-".join(min(found, key=lambda entry: sign * (entry.result.score or 0.0)).languages)


def _rivals(cells: Sequence[Cell], cell: Cell, shown: dict[str, str]) -> dict[str, Cell]:
    """The same score of the other encoders, by name."""
    same = [one for one in cells if (one.data, one.languages, one.slot) == (cell.data, cell.languages, cell.slot)]
    return {one.encoder: one for one in same if one.encoder != cell.encoder and one.encoder in shown}


def _show(cell: Cell, result: Result, rivals: dict[str, Cell], shown: dict[str, str]) -> None:
    """The errors, or the plain table where a measure knows of none."""
    table = lines.with_verdicts(error_table(result, cell.material))
    if not table or not len(next(iter(table.values()))):
        st.markdown(f"### {chrome.plain(cell.asked.title)} on {chrome.plain(language_names(cell.languages))}: no error")
        st.info(chrome.plain(result.note or "This measure keeps nothing behind its score, or nothing went wrong."))
        return
    if "error" not in table:
        _plain(cell, result, table)
        return
    queries = len(table["error"])
    wrong = [n for n, error in enumerate(table["error"]) if error]
    counts = {error: table["error"].count(error) for error in dict.fromkeys(table["error"]) if error}
    st.markdown(f"### {chrome.plain(_finding(cell, table, queries, len(wrong), counts))}")
    other = next(iter(rivals), "")
    lost = _lost(result, rivals.get(other)) if other else np.zeros(0, bool)
    picked = _kind_box(counts, int(lost[wrong].sum()) if len(lost) == queries else None, shown.get(other, ""))
    kept = [n for n in wrong if picked in (ALL, "") or table["error"][n] == picked or (picked == LOST and lost[n])]
    _pages(cell, table, kept)
    _download(cell, table)


def _finding(cell: Cell, table: dict[str, list[Any]], queries: int, wrong: int, counts: dict[str, int]) -> str:
    """How much is wrong, and of which kind."""
    name = language_names(cell.languages)
    if not wrong:
        return f"{name}: nothing missed of {queries:,}"
    if "source_position" in table:
        return f"{name}: {counts.get('wrong', 0):,} wrong links, {counts.get('missed', 0):,} missed"
    if set(table) >= lines.JUDGED:
        return f"{name}: {wrong:,} of {queries:,} pairs are judged wrongly"
    most = max(counts, key=lambda kind: counts[kind])
    return f"{name}: {wrong:,} of {queries:,} queries miss, most often by “{most}” ({counts[most]:,})"


def _kind_box(counts: dict[str, int], lost: int | None, other: str) -> str:
    """Which kind of error to show."""
    labels = {ALL: f"All {sum(counts.values()):,}"}
    labels |= {kind: f"{kind} {n:,}" for kind, n in sorted(counts.items(), key=lambda item: -item[1])}
    if lost:
        labels[LOST] = f"right in {other} {lost:,}"
    picked = st.pills(
        "Kind of error", list(labels), key=state.seeded("error", ALL, list(labels)), format_func=labels.__getitem__,
        required=True,
    )  # fmt: skip
    state.set_page_value("error", "" if picked == ALL else picked)
    if picked in KINDS:
        st.caption(f"{chrome.plain(picked)}: {chrome.plain(KINDS[picked])}.")
    return picked or ALL


def _lost(result: Result, rival: Cell | None) -> np.ndarray:
    """Which queries another encoder has right; empty where the two cannot be laid side by side."""
    theirs = None if rival is None else fetch(rival)
    mine, column = main_hit(result), None if theirs is None else main_hit(theirs)
    if theirs is None or mine is None or column is None:
        return np.zeros(0, bool)
    same = all(list(result.items.get(name, ())) == list(theirs.items.get(name, ())) for name in ("row", "word", "text"))
    return np.asarray(theirs.items[column], bool) if same else np.zeros(0, bool)


def _pages(cell: Cell, table: dict[str, list[Any]], kept: Sequence[int]) -> None:
    """One page of the errors, in their sentences."""
    if not kept:
        st.info("No error of this kind.")
        return
    last = -(-len(kept) // PAGE)
    page = 1
    if last > 1:
        box = state.seeded("page", 1, parse=lambda text: max(1, int(text)))
        st.session_state[box] = min(st.session_state[box], last)
        page = st.number_input(f"Page, of {last:,}", 1, last, key=box, width=140)
        state.set_page_value("page", page if page > 1 else "")
    st.html(lines.STYLE + lines.error_list(cell.material, table, kept[(page - 1) * PAGE : page * PAGE]))
    st.caption(lines.explained(table))


def _plain(cell: Cell, result: Result, table: dict[str, list[Any]]) -> None:
    """What is behind a score of a measure that counts no errors, with the sentences where rows are named."""
    st.markdown(
        f"### What is behind {chrome.plain(cell.asked.title)} on {chrome.plain(language_names(cell.languages))}"
    )
    shown = {name: column[:MOST] for name, column in lines.with_sentences(cell.material, table).items()}
    chrome.table(shown)
    total = len(next(iter(table.values())))
    st.caption(chrome.plain(f"{min(total, MOST):,} of {total:,} lines. {result.note}"))
    _download(cell, table)


def _download(cell: Cell, table: dict[str, list[Any]]) -> None:
    """The whole table, and how often each kind of error occurs."""
    name = f"{cell.asked.measure}-{'-'.join(cell.languages[:3])}"
    row = st.container(horizontal=True, vertical_alignment="center")
    row.download_button(
        "CSV of all items", lambda: _csv(table), f"{name}.csv", "text/csv", key="items csv", type="tertiary",
        on_click="ignore",
    )  # fmt: skip
    kinds = count_kinds(table) if "word" in table or "text" in table else []
    if kinds:
        with row.popover("Kinds of error"):
            chrome.table(
                chrome.columns(kinds), column_config={"share": st.column_config.NumberColumn(format="percent")}
            )


def _csv(table: dict[str, list[Any]]) -> bytes:
    """A table as CSV with a byte-order mark, so that spreadsheets read every script."""
    import pandas

    return pandas.DataFrame(table).to_csv(index=False).encode("utf-8-sig", "replace")
