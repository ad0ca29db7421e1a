"""Every two languages of a comparison: pairs beside English made from the same rows, and their heatmaps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from analysis.comparison.cells import fetch, has
from analysis.comparison.plan import Cell, Plan
from analysis.comparison.scores import Scores
from analysis.figures import matrix as figure
from analysis.registry import find
from analysis.scoring.materials import label
from analysis.scoring.measure import Need, fits
from analysis.text.corpus import Bitext, concept_links
from pages._parts import chrome, state
from pages._parts.evaluating import common
from pages._parts.evaluating import items as evaluating_items

LEAST = 5  # rows that two languages must share


def keys(scores: Scores) -> list[str]:
    """The measures of sentence pairs with at least two pairs that share a language."""
    found = []
    for key in scores.keys:
        entries = scores.of(key)
        need = find("measures", entries[0].measure).needs
        if need in (Need.PAIRS, Need.LINKS) and len({entry.languages for entry in entries if not entry.control}) > 1:
            found.append(key)
    return found


def crossed(first: Bitext, second: Bitext) -> Bitext | None:
    """The second languages of two bitexts as sentence pairs, over the rows whose first sentence both share.

    Args:
        first: pairs of a language with X.
        second: pairs of the same language with Y.

    Returns:
        Pairs of X with Y, with links where both sides have concepts; None for fewer than five shared rows, as in data
        whose English sides differ from pair to pair.
    """
    at = {(name, one.text): n for n, (name, one) in enumerate(zip(second.row_ids, second.source, strict=True))}
    rows = [(n, at[place]) for n, place in enumerate((name, one.text) for name, one in
                                                    zip(first.row_ids, first.source, strict=True)) if place in at]  # fmt: skip
    if len(rows) < LEAST:
        return None
    left, right = tuple(first.target[i] for i, _ in rows), tuple(second.target[j] for _, j in rows)
    linked = first.links is not None and any(one.concepts for one in left) and any(one.concepts for one in right)
    links = tuple(concept_links(a, b) for a, b in zip(left, right, strict=True)) if linked else None
    return Bitext(
        first.name, (first.languages[1], second.languages[1]), left, right, links, first.links_origin if linked else "",
        tuple(first.row_ids[i] for i, _ in rows),
    )  # fmt: skip


@st.cache_resource(max_entries=16, show_spinner="Pairing the languages ...")
def _further(_cells: Sequence[Cell], name: str) -> list[Cell]:
    """The pairs that are not among the cells of one measure and layer: each two languages beside the shared one."""
    made: dict[tuple[str, str], Bitext | None] = {}
    found: list[Cell] = []
    for encoder in dict.fromkeys(cell.encoder for cell in _cells):
        own = [cell for cell in _cells if cell.encoder == encoder and isinstance(cell.material, Bitext)]
        shared = [cell for cell in own if cell.languages[0] == own[0].languages[0] != cell.languages[1]]
        for n, one in enumerate(shared):
            for two in shared[n + 1 :]:
                pair = (one.languages[1], two.languages[1])
                if pair not in made:
                    made[pair] = crossed(one.material, two.material)  # type: ignore[arg-type]
                text = made[pair]
                if text is not None and not fits(one.measure, text):
                    found.append(replace(one, material=text, languages=pair, label=label(text)))
    return found


def further(made: Plan, key: str, data: str, layer: int | None) -> list[Cell]:
    """Cells for the pairs of languages that a request leaves out, see `_further`."""
    cells = [cell for cell in made.cells if cell.asked.key == key and cell.data == data and cell.control is None]
    kept = [one for encoder in dict.fromkeys(cell.encoder for cell in cells)
            for one in evaluating_items.deepest([cell for cell in cells if cell.encoder == encoder], layer)]  # fmt: skip
    name = " ".join([key, data, str(layer), common.run_id(made.request), *(cell.revision for cell in kept)])
    return _further(kept, name)


def computed(made: Plan, scores: Scores, key: str, data: str, layer: int | None) -> list[Cell]:
    """Those of the further cells whose score is there."""
    return [cell for cell in further(made, key, data, layer) if has(cell)] if key in keys(scores) else []


def pairs(made: Plan, scores: Scores, shown: dict[str, str], layer: int | None) -> None:
    """The heatmaps of one measure: A, B, and B minus A; a click on a cell opens the errors behind it."""
    left, right = st.columns(2)
    with left:
        key = common.measure_box("Measure", scores, keys(scores))
    with right:
        data = common.data_box(scores.of(key))
    more = further(made, key, data, layer)
    todo = [cell for cell in more if not has(cell)]
    if todo and _compute(made, todo):
        st.rerun()
    if not more:
        st.caption("The rows of this text differ from pair to pair, so only the pairs asked for can be scored.")
    entry = scores.of(key)[0]
    encoders = scores.encoders[:2]
    found = {name: _matrix(made, key, data, name, layer, more) for name in encoders}
    tags = list(dict.fromkeys(tag for cells in found.values() for pair in cells for tag in pair))
    square = {name: _square(cells, tags) for name, cells in found.items()}
    order = figure.cluster_order(square[encoders[-1]].copy(), higher_is_better=entry.higher_is_better)
    tags = [tags[n] for n in order]
    panels = [(shown[name], matrix[np.ix_(order, order)]) for name, matrix in square.items()]
    if len(panels) == 2:
        panels.append(("B minus A", panels[1][1] - panels[0][1]))
    last = square[encoders[-1]][np.ix_(order, order)]
    told = figure.tell_matrix(tags, last, entry.title, higher_is_better=entry.higher_is_better)
    st.markdown(f"### {chrome.plain(told)}")
    event = chrome.figure(
        figure.draw_matrix(
            tags, panels, unit=entry.unit, dark=chrome.dark(), difference=2 if len(panels) == 3 else None
        ),
        name="comparison-pairs", data=lambda: figure.matrix_table(tags, panels), select=True,
        caption=f"Every two languages, in the order of an average-linkage tree over the scores of "
        f"{common.side(len(encoders) - 1)}. Click a cell for the errors behind it. It shows which languages an encoder "
        "keeps close, not why: script, shared words and data are mixed. "
        f"{chrome.plain(find('measures', entry.measure).hides)}",
    )  # fmt: skip
    _open(event, key, data, encoders, found)


def _compute(made: Plan, todo: Sequence[Cell]) -> bool:
    """Offer to score the pairs that are not there yet; whether that was done."""
    from analysis.comparison.run import run

    languages = len({tag for cell in todo for tag in cell.languages})
    row = st.container(horizontal=True, vertical_alignment="center")
    asked = row.button("Score every two languages", key="score pairs")
    row.caption(f"{len(todo):,} more scores over {languages} languages; the text is encoded already.")
    if not asked:
        return False
    place = st.empty()

    def told(done: int, total: int, text: str) -> None:
        place.progress(min(1.0, done / max(1, total)), text=chrome.plain(f"{done:,} of {total:,}: {text}"))

    run(replace(made, cells=tuple(todo), skipped=()), progress=told)
    place.empty()
    return True


def _matrix(
    made: Plan, key: str, data: str, encoder: str, layer: int | None, more: Sequence[Cell]
) -> dict[tuple[str, str], tuple[Cell, float]]:
    """The score of each pair that is there."""
    own = [cell for cell in made.cells if cell.asked.key == key and cell.data == data and cell.control is None]
    mine = evaluating_items.deepest([cell for cell in own if cell.encoder == encoder], layer)
    found = {}
    for cell in [*mine, *(cell for cell in more if cell.encoder == encoder)]:
        result = fetch(cell) if len(cell.languages) == 2 else None
        if result is not None and result.score is not None:
            found[cell.languages[0], cell.languages[1]] = (cell, result.score)
    return found


def _square(cells: dict[tuple[str, str], tuple[Cell, float]], tags: Sequence[str]) -> np.ndarray:
    """The scores as a symmetric matrix, NaN where there is none."""
    matrix = np.full((len(tags), len(tags)), np.nan)
    for (a, b), (_, score) in cells.items():
        i, j = tags.index(a), tags.index(b)
        matrix[i, j] = matrix[j, i] = score
    return matrix


def _open(
    event: object, key: str, data: str, encoders: Sequence[str],
    found: dict[str, dict[tuple[str, str], tuple[Cell, float]]],
) -> None:  # fmt: skip
    """Open the errors behind a cell that was clicked."""
    points = event.selection.get("points", []) if hasattr(event, "selection") else []
    picked = tuple(points[0]["customdata"]) if points and points[0].get("customdata") else None
    before = st.session_state.get("clicked in matrix")
    st.session_state["clicked in matrix"] = picked
    if picked is None or picked == before:
        return
    panel, a, b = picked
    encoder = encoders[min(int(panel), len(encoders) - 1)]
    pair = (a, b) if (a, b) in found[encoder] else (b, a)
    if pair in found[encoder]:
        state.set_page_value("look", "behind")
        evaluating_items.open_entry(key, encoder, data, pair)
        st.rerun()
