"""Words or sentences of A and B side by side in one frame, where a point's move means something."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analysis.figures.scatter import Look, scatter_table, shared_scatter, spread_labels
from analysis.projection.units import Shown, find_text, sentence_of
from analysis.records import Result, compare
from analysis.text.languages import language
from pages._parts import chrome, data, pictures, projecting, state

TITLE = "Explore"
ORDER = 10
UNITS = {"word": "Words", "sentence": "Sentences"}
METHODS = ("PCA", "UMAP")
SHAPES = ("language", "category", "sense")
LIMITS = (500, 1500, 5000, 20000)
MOVED = 200


@dataclass(frozen=True)
class Choices:
    """The page's own choices.

    Attributes:
        unit: word or sentence.
        method: PCA or UMAP.
        query: what to look for, "" for nothing.
        senses: the senses to show in full strength, empty for all.
        shape: what a marker's shape stands for.
        limit: most points.
        everything: whether words without a marked meaning are shown too.
    """

    unit: str
    method: str
    query: str
    senses: tuple[str, ...]
    shape: str
    limit: int
    everything: bool


def render() -> None:
    """Draw the page."""
    view = state.current()
    with chrome.guard():
        headline = st.empty()
        chosen = _controls(view)
        headline.header(f"{UNITS[chosen.unit]} of A and B in one frame")
        wanted = pictures.picture(view, unit=chosen.unit, limit=chosen.limit, concepts_only=not chosen.everything)
        shown, lines = pictures.units(wanted)
        if len(shown) < 3:
            st.info(
                f"Fewer than three {chosen.unit}s in these languages: nothing to draw. Choose more text or languages."
            )
            return
        panels, note, drawn = projecting.project(wanted, chosen.method)
        strong = _strong(shown, lines, chosen)
        picked = _figure(wanted, shown, lines, panels, note, strong, chosen.shape, drawn)
        if not len(picked) and strong is not None:
            picked = np.flatnonzero(strong)
        _selection(wanted, shown, picked)
        _quality(wanted, panels, drawn)
        _headline(headline, wanted)
        _moved(wanted, shown)


def _controls(view: state.View) -> Choices:
    """The page's own choices, kept in the URL."""
    first, second, third, fourth = st.columns([2, 2, 3, 4], vertical_alignment="bottom")
    units = list(UNITS)
    unit = first.segmented_control(
        "Points", units, format_func=lambda name: UNITS[name], key=state.seeded("unit", "word", units), required=True
    )
    method = second.segmented_control(
        "Picture", METHODS, key=state.seeded("picture", "PCA", METHODS), required=True,
        help="PCA is there at once. UMAP keeps neighbourhoods better and takes up to a minute; PCA stands in for it.",
    )  # fmt: skip
    query = third.text_input("Find a word", key=state.seeded("word", ""), placeholder="bank", max_chars=80)
    available = sorted(_sense_labels(view.corpus, view.languages))
    key = state.seeded("senses", [""], parse=lambda text: text.split("|"))
    st.session_state[key] = [sense for sense in st.session_state[key] if sense in available]
    senses = fourth.multiselect("Only these senses", available, key=key, disabled=not available or unit != "word")
    with st.expander("More settings"):
        left, middle, right = st.columns(3)
        shape = left.radio("Marker shape by", SHAPES, key=state.seeded("shape", "language", SHAPES), horizontal=True)
        limit = middle.select_slider("At most so many points", LIMITS, key=state.seeded("limit", 1500, LIMITS, int))
        everything = right.checkbox(
            "Words without a marked meaning too", key=state.seeded("all", False, parse=lambda text: text == "1"),
            help="Corpora such as the tour mark words that translate each other; articles and punctuation are not.",
        )  # fmt: skip
    chosen = Choices(str(unit), str(method), query, tuple(senses), str(shape), int(limit), everything)
    for name, value in zip(
        ("unit", "picture", "word", "senses", "shape", "limit", "all"),
        (unit, method, query, "|".join(senses), shape, limit, "1" if everything else ""),
        strict=True,
    ):
        state.set_page_value(name, value)
    return chosen


@st.cache_data(max_entries=16, show_spinner=False)
def _sense_labels(corpus_id: str, languages: tuple[str, ...]) -> set[str]:
    """All sense labels in some languages of a corpus."""
    rows = data.corpus(corpus_id).rows
    return {sense for row in rows for tag in languages if tag in row for sense in row[tag].senses if sense}


def _strong(shown: Shown, lines: np.ndarray, chosen: Choices) -> np.ndarray | None:
    """The units in full strength: those found and their translations, or those of the chosen senses."""
    strong = np.isin(np.array(shown.sense), list(chosen.senses)) if chosen.senses else None
    if not chosen.query.strip():
        return strong
    found = find_text(shown, lines, chosen.query)
    strong = found if strong is None else strong & found
    if strong.any():
        return strong
    st.caption(chrome.plain(f"No {chosen.query.strip()!r} among the points shown; every point is shown instead."))
    return None


def _figure(
    wanted: pictures.Picture, shown: Shown, lines: np.ndarray, panels: list[np.ndarray], note: str,
    strong: np.ndarray | None, shape: str, method: str,
) -> np.ndarray:  # fmt: skip
    """The picture; gives the indices of the units the reader has selected."""
    corpus = data.corpus(wanted.corpus)
    labels = None
    if shape == "sense":
        labels = [sense if strong is None or strong[n] else "" for n, sense in enumerate(shown.sense)]
    elif shape == "category" and corpus.categories:
        labels = [corpus.categories[row] for row in shown.row]
    written = None if strong is None else spread_labels(strong)
    look = Look(symbols=labels, strong=strong, labelled=written, height=600)
    titles = [
        f"{side} · {chrome.label(name)} · layer {layer}"
        for side, name, layer in (("A", wanted.a, wanted.layer_a), ("B", wanted.b, wanted.layer_b))
    ]
    caption = (
        f"A point is a {wanted.unit}, a line joins translations; drag to move, click or lasso (mode bar) to read the "
        f"sentences. {note} Directions and signs are arbitrary; only A against B in this frame can be compared, and "
        "neighbours in the picture may be far apart in the space: see the numbers below."
    )
    event = chrome.figure(
        shared_scatter(corpus, shown, panels, titles, lines, look=look), name=f"explore-{method.lower()}",
        data=lambda: scatter_table(shown, corpus, panels), caption=caption, select=True,
        sampled=chrome.sample_line(len(shown), shown.total, data.sample_note(wanted.corpus)),
    )  # fmt: skip
    points = event.selection.points if event is not None and hasattr(event, "selection") else []
    chosen = {int(point["customdata"][0]) for point in points if point.get("customdata")}
    return np.array(sorted(n for n in chosen if n < len(shown)), dtype=int)


def _selection(wanted: pictures.Picture, shown: Shown, picked: np.ndarray) -> None:
    """The sentences of the selected (or found) points, the word marked."""
    if not len(picked):
        return
    corpus = data.corpus(wanted.corpus)
    most = 60
    with st.expander(f"Selected points in their sentences ({len(picked):,})", expanded=len(picked) <= 14):
        lines = []
        for number in picked[:most].tolist():
            sentence, position = sentence_of(corpus, shown, number), int(shown.position[number])
            start, end = sentence.spans[position] if wanted.unit == "word" else (0, 0)
            lines.append(
                (language(sentence.language).name, chrome.marked(sentence.text, start, end, sentence.language))
            )
        chrome.sentences(lines)
        if len(picked) > most:
            st.caption(f"The first {most} of {len(picked):,}.")


def _quality(wanted: pictures.Picture, panels: list[np.ndarray], method: str) -> None:
    """How far each panel can be trusted, and how far languages mix."""
    mixed = pictures.mixing(wanted)
    faithful = pictures.quality(wanted, method, (panels[0], panels[1]))
    for column, side, (trust, kept), mix in zip(st.columns(2), "AB", faithful, mixed, strict=True):
        neighbours = None if kept is None else 100 * kept
        column.markdown(
            f"**{side}** · trustworthiness **{_number(trust)}** · neighbours kept **{_percent(neighbours)}** · "
            f"neighbours in another language **{_percent(mix.score)}** (by chance {_percent(mix.parts.get('chance'))})",
            help="Trustworthiness: do neighbours in the picture lie near in the space, 1 is perfect. Neighbours kept: "
            "the share of the 10 nearest in the space that are near in the picture. Neighbours in another language: "
            "in the space.",
        )


def _number(value: float | None) -> str:
    """Two decimals, or a dash."""
    return "–" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    """Whole percent, or a dash."""
    return "–" if value is None else f"{value:.0f} %"


def _headline(place: DeltaGenerator, wanted: pictures.Picture) -> None:
    """What the space says, above the picture: neighbours in other languages in A and B, with the paired test."""
    a, b = pictures.mixing(wanted)
    if a.score is None or b.score is None:
        return
    said = f"of a {wanted.unit}'s ten nearest neighbours, {b.score:.0f} % are in another language"
    place.header(_finding(a, b, said), help=_test(a, b))


def _finding(a: Result, b: Result, said: str) -> str:
    """The headline's sentence."""
    if a.low is None:
        return f"In B {said} (A: {a.score:.0f} %)"
    paired = compare(a, b)
    if not paired.significant:
        return f"In B {said}, no clear change from {a.score:.0f} % in A"
    return f"In B {said}, {'up' if paired.difference > 0 else 'down'} from {a.score:.0f} % in A"


def _test(a: Result, b: Result) -> str:
    """The intervals and the paired test behind the headline."""
    chance = f"{a.parts['chance']:.0f} % by chance"
    if a.low is None:
        return chance
    paired = compare(a, b)
    return (
        f"A [{a.low:.1f}, {a.high:.1f}], B [{b.low:.1f}, {b.high:.1f}], difference {paired.difference:+.1f} "
        f"[{paired.low:+.1f}, {paired.high:+.1f}], p = {paired.p_value:.3f}, bootstrap over rows; {chance}. "
        "In the encoders' own spaces, among the points shown."
    )


def _moved(wanted: pictures.Picture, shown: Shown) -> None:
    """The table of the units that moved most, in high dimensions."""
    found = pictures.moves(wanted)
    near_a, near_b = pictures.nearest_unit(wanted)
    order = np.argsort(-np.nan_to_num(found.shift, nan=-1.0), kind="stable")
    order = order[np.isfinite(found.shift[order])][:MOVED]
    corpus = data.corpus(wanted.corpus)
    name = lambda n: f"{shown.text[n][:60]} ({shown.language[n]})"  # noqa: E731
    columns = {
        UNITS[wanted.unit][:-1]: [shown.text[n][:300] for n in order],
        "Language": [language(shown.language[n]).name for n in order],
        "Sense": [shown.sense[n] for n in order],
        "Moved": found.shift[order],
        "Neighbours kept": found.kept[order],
        "Nearest in A": [name(near_a[n]) for n in order],
        "Nearest in B": [name(near_b[n]) for n in order],
    }
    if not any(shown.sense):
        columns.pop("Sense")
    if wanted.unit == "word":
        columns["In the sentence"] = [sentence_of(corpus, shown, n).text[:300] for n in order]
    st.subheader("What moved most from A to B")
    bars = {
        "Moved": st.column_config.NumberColumn(
            format="%.2f",
            help="Mean change of its distance to its neighbours, in units of the mean distance between all points",
        ),
        "Neighbours kept": st.column_config.ProgressColumn(
            format="percent", min_value=0.0, max_value=1.0, help="Of its 10 nearest in A, how many are still so in B"
        ),
    }
    chrome.table(columns, column_config=bars, height=330)
    st.caption(
        f"The {len(order):,} points that moved most relative to their neighbours, measured in the encoders' own "
        "spaces, not in the picture. It does not say whether a move was good: read the nearest neighbours."
    )


if __name__ == "__main__":
    render()
