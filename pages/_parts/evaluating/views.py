"""Closer looks at a comparison: language by language, layer by layer, which measures agree."""

from collections.abc import Sequence

import streamlit as st

from analysis.comparison.scores import Entry, Scores, correlations
from analysis.figures import languages as language_figure
from analysis.figures import sweep as sweep_figure
from analysis.figures.scores import CONTROLS, at_layer, number, score_rows
from analysis.registry import find
from pages._parts import chrome, state
from pages._parts.evaluating import common
from pages._parts.evaluating import items as evaluating_items

NO_CHOICE = (
    "A best layer read off here is chosen on the very sentences it is scored on, so it flatters itself: choose layers "
    "on development data."
)
AGREE = 0.7  # rank correlation from which a title says that two measures agree


def languages(scores: Scores, shown: dict[str, str], layer: int | None) -> None:
    """One measure, languages as rows, A and B joined by a line."""
    several = [key for key in scores.keys if len({entry.languages for entry in scores.of(key)}) > 1]
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        key = common.measure_box("Measure", scores, several)
    with middle:
        data = common.data_box(scores.of(key))
    orders = list(language_figure.ORDERS) if len(scores.encoders) > 1 else ["score", "name"]
    with right:
        order = st.selectbox(
            "Order", orders, key=state.seeded("sorted", "score", orders), format_func=language_figure.ORDERS.__getitem__
        )
        state.set_page_value("sorted", "" if order == "score" else order)
    entries = at_layer([entry for entry in scores.of(key) if entry.data == data], layer)
    short = common.names(scores.encoders)
    st.markdown(f"### {chrome.plain(language_figure.tell_languages(entries, scores.encoders, short))}")
    spec = find("measures", entries[0].measure)
    drawn, far = language_figure.near(entries)
    chrome.figure(
        language_figure.draw_languages(drawn, scores.encoders, shown, order=order), name="comparison-languages",
        data=lambda: chrome.columns(score_rows(entries)),
        caption=f"{chrome.plain(entries[0].title)}. Each row is a language, with English unless it says otherwise; dots "
        "are encoders, wide pale lines their 95 % intervals over sentences, the thin line runs from A to B. Filled: "
        f"differs from A after correction. Rows have different sentences or words: compare A with B, not rows. "
        f"{_outside(far)}{chrome.plain(spec.hides)}",
    )  # fmt: skip
    _language_table(scores, entries, shown, order)
    _mean_ranks(scores, key)


def _outside(far: Sequence[Entry]) -> str:
    """The controls that lie outside the picture."""
    told = []
    for control in dict.fromkeys(entry.control for entry in far):
        values = [entry.result.score for entry in far if entry.control == control and entry.result.score is not None]
        ends = [number(value, far[0].unit) for value in (min(values), max(values))]
        told.append(f"{CONTROLS[control]} at {ends[0]} to {ends[1]}")
    return f"Outside the picture: {chrome.plain('; '.join(told))}. " if told else ""


def _language_table(scores: Scores, entries: Sequence[Entry], shown: dict[str, str], order: str) -> None:
    """The numbers of the figure; a click on a score opens what is behind it."""
    tags = language_figure.ordered(entries, scores.encoders, order)
    own = {(entry.languages, entry.encoder): entry for entry in entries if not entry.control}
    rows = []
    for pair in tags:
        row: dict[str, object] = {"language": language_figure.language_names(pair), "code": "-".join(pair[:4])}
        for name in scores.encoders:
            entry = own.get((pair, name))
            row[shown[name]] = entry.result.score if entry else None
        b = own.get((pair, scores.encoders[1])) if len(scores.encoders) > 1 else None
        if len(scores.encoders) > 1:
            known = b is not None and b.difference is not None
            row["B − A"] = b.difference.difference if b and b.difference else None
            row["p corrected"] = b.p_adjusted if b and known else None
        row["n"] = next((one.result.n for (where, _), one in own.items() if where == pair), None)
        rows.append(row)
    digits = "%.1f" if entries[0].unit == "percent" else "%.3f"
    wide = {name: st.column_config.NumberColumn(format=digits) for name in shown.values()}
    wide["B − A"] = st.column_config.NumberColumn(format=digits.replace("%", "%+"))
    event = chrome.table(
        chrome.columns(rows), key=f"languages {entries[0].key} {order} {len(rows)}", on_select="rerun",
        selection_mode="single-cell", column_config=wide | {"p corrected": st.column_config.NumberColumn(format="%.3f")},
    )  # fmt: skip
    st.caption("Click a score to open the errors behind it.")
    picked = common.picked_cell(event, "languages")
    names = {label: name for name, label in shown.items()}
    if picked and picked[1] in names:
        evaluating_items.open_entry(entries[0].key, names[picked[1]], entries[0].data, tags[picked[0]])
        st.rerun()


def _mean_ranks(scores: Scores, key: str) -> None:
    """Mean ranks over languages, with the tests over languages where there are enough."""
    ranking = scores.mean_rank(key)
    told = [f"{common.side(n)} {ranking.ranks[name]:.2f}" for n, name in enumerate(scores.encoders)
            if name in ranking.ranks]  # fmt: skip
    if len(told) < 2:
        return
    line = f"Mean rank over {ranking.n} languages: {', '.join(told)}."
    if ranking.p_value is not None and ranking.apart is not None:
        line += f" Friedman p = {ranking.p_value:.3f}; ranks further apart than {ranking.apart:.2f} differ (Nemenyi)."
    mean = next((entry for entry in scores.means if entry.key == key and entry.p_languages is not None), None)
    if mean is not None and mean.p_languages is not None:
        line += f" Over languages as a sample (Wilcoxon signed ranks) B against A has p = {mean.p_languages:.3f}."
    st.caption(line)


def layers(scores: Scores, shown: dict[str, str]) -> None:
    """All measures layer by layer, for the means or one pair of languages."""
    pairs = {"": "mean over languages"} if scores.means else {}
    pairs |= {"-".join(entry.languages): language_figure.language_names(entry.languages) for entry in scores.entries}
    chosen = st.selectbox(
        "Languages", list(pairs), key=state.seeded("where", next(iter(pairs)), list(pairs)),
        format_func=pairs.__getitem__, width=320,
    )  # fmt: skip
    state.set_page_value("where", chosen if chosen != next(iter(pairs)) else "")
    tags = tuple(chosen.split("-")) if chosen else None
    if tags is not None:  # a tag may hold a hyphen itself
        tags = next(entry.languages for entry in scores.entries if "-".join(entry.languages) == chosen)
    keys = [key for key in scores.keys if scores.layers(key, tags)]
    short = common.names(scores.encoders)
    st.markdown(f"### {chrome.plain(sweep_figure.tell_sweep(scores, keys[0], short, tags))}")
    rows = sweep_figure.sweep_rows(scores, keys, tags)
    chrome.figure(
        sweep_figure.draw_sweep(scores, keys, shown, languages=tags), name="comparison-layers",
        data=lambda: chrome.columns(rows),
        caption="One line an encoder, its band the 95 % interval over sentences, the large dot its best layer; dotted: "
        f"the floor of shuffled vectors and the same-language ceiling; dashed: random weights. {NO_CHOICE}",
    )  # fmt: skip


def agreement(scores: Scores) -> None:
    """Which measures put encoders and languages in the same order."""
    titles = {key: scores.of(key)[0].title for key in scores.keys}
    found = sorted(correlations(scores), key=lambda one: -(one.rho if one.rho is not None else -2))
    known = [one for one in found if one.rho is not None]
    if not known:
        st.info("Rank correlations need at least four scores by both of two measures: add encoders or languages.")
        return
    close = [one for one in known if one.rho is not None and one.rho >= AGREE]
    st.markdown(f"### {len(close)} of {len(known)} pairs of measures put encoders and languages in much the same order")
    rows = [{"one measure": titles[one.first], "another": titles[one.second], "rank correlation": one.rho, "points": one.n}
            for one in found]  # fmt: skip
    chrome.table(
        chrome.columns(rows), column_config={"rank correlation": st.column_config.NumberColumn(format="%+.2f")}
    )
    st.caption(
        "Spearman's correlation over encoders and languages, turned round where lower is better: 1 where better by one "
        "measure is better by the other. Few points make it shaky, and agreeing measures may share a flaw."
    )
