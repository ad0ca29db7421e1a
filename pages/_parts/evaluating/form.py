"""The form of a comparison: encoders, measures, text and languages, layers and controls; each lives in the link."""

from collections.abc import Mapping, Sequence
from dataclasses import fields as parts_of
from typing import Any

import streamlit as st

from analysis.comparison.request import ALL, DEFAULT, EXPLAINED, Asked, Control, Request, checked
from analysis.encoders.catalog import list_encoders
from analysis.errors import InputError
from analysis.registry import registered
from analysis.scoring.measure import Need
from analysis.text.languages import language
from pages._parts import chrome, forms, state
from pages._parts.evaluating import data as texts
from pages._parts.training_data import Text, all_languages

USUAL = ("word_retrieval", "sentence_retrieval", "link_f1", "cka")
ROWS = {"0": "all", "100": "100", "300": "300", "1000": "1,000", "3000": "3,000"}
LAYERS = {DEFAULT: "The last one; for links each encoder's own", ALL: "All, as curves"}
NEEDS = {
    Need.LINKS: "Needs word links", Need.PAIRS: "Needs sentence pairs", Need.MANY: "Needs the same rows in many languages",
    Need.SCORES: "Needs pairs scored by people", Need.SENSES: "Needs marked words judged for sense",
    Need.QUESTIONS: "Needs questions with paragraphs", Need.TEXT: "Needs text in one language",
}  # fmt: skip
LABELS = {Control.SHUFFLED: "Shuffled floor", Control.RANDOM: "Random weights", Control.SAME: "Same-language ceiling"}
LONGEST = 4000
SHOWN = 6  # measures that the closed list names


def form(view: state.View) -> Request | None:
    """Draw the form and give what it asks for, None with one line where that cannot be.

    Args:
        view: the sidebar's choices: its encoders, corpus and languages are where a form begins.
    """
    left, right = st.columns(2, gap="large")
    with left:
        encoders = _encoders(view)
        data, tags = _text(view)
    with right:
        layers, controls, rows = _rest()
    measures = _measures()
    if measures is None:
        return None
    try:
        return checked(Request(
            encoders, measures, data, layers=layers, pool=view.pool, controls=controls, max_rows=rows, languages=tags or None,
        ))  # fmt: skip
    except InputError as problem:
        chrome.error(problem)
    return None


def _encoders(view: state.View) -> tuple[str, ...]:
    """A and B of the sidebar until somebody chooses others; more from the list, or typed."""
    usual = list(dict.fromkeys((view.a, view.b)))
    box = state.seeded("enc", usual, parse=lambda text: [one for one in text.split("|") if one])
    if st.session_state[box] == st.session_state.get("enc usual"):
        st.session_state[box] = usual  # nobody has chosen otherwise, so it follows the sidebar
    st.session_state["enc usual"] = usual
    options = list(dict.fromkeys([*usual, *(entry.name for entry in list_encoders()), *st.session_state[box]]))
    chosen = st.multiselect(
        "Encoders, the first is the one the others are held against", options, key=box, accept_new_options=True, wrap=True,
        help="A and B of the sidebar and any others: bundled, hub:ORG/NAME, a folder, BASE+NAME. Type any of them.",
    )  # fmt: skip
    state.set_page_value("enc", "" if chosen == usual else "|".join(chosen))
    return tuple(chosen)


def _text(view: state.View) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Data as a request calls them, and languages."""
    offered = texts.texts()
    usual = [key for key in [texts.key_of(view.corpus)] if key in offered] or ["corpus:tour"]
    box = state.seeded("on", usual, parse=lambda text: text.split("|"))
    if st.session_state[box] == st.session_state.get("on usual"):
        st.session_state[box] = usual
    st.session_state["on usual"] = usual
    st.session_state[box] = [key for key in st.session_state[box] if key in offered]
    keys = st.multiselect(
        "Text", list(offered), key=box, format_func=lambda key: offered[key].title, wrap=True,
        help="Bundled corpora, uploads of the page Data, and the public sets where ISOGLOSS_DATA names their folder.",
    )  # fmt: skip
    state.set_page_value("on", "" if keys == usual else "|".join(keys))
    chosen = [offered[key] for key in keys]
    tags = _languages(view, chosen)
    fetched = [text.title for text in chosen if text.fetched]
    if fetched:
        st.caption(f"{chrome.plain(', '.join(fetched))}: downloaded on first use.")
    return tuple(name for text in chosen if (name := texts.item(text, tags))), tags


def _languages(view: state.View, chosen: Sequence[Text]) -> tuple[str, ...]:
    """The languages, those of the sidebar at first."""
    known = [text for text in chosen if texts.languages_of(text)]
    available = all_languages(known)
    if not available:
        return ()
    usual = [tag for tag in view.languages if tag in available]
    usual = usual if len(usual) > 1 else list(state.default_languages(available))
    box = state.seeded("tags", usual, parse=lambda text: text.split(","))
    if st.session_state[box] == st.session_state.get("tags usual"):
        st.session_state[box] = usual
    st.session_state["tags usual"] = usual
    st.session_state[box] = [tag for tag in st.session_state[box] if tag in available] or usual
    tags = st.multiselect(
        f"Languages ({len(available)} there)", available, key=box, format_func=lambda tag: language(tag).name, wrap=True,
        help="Pairs are those of English with each other one.",
    )  # fmt: skip
    state.set_page_value("tags", "" if tags == usual else ",".join(tags))
    return tuple(tags)


def _rest() -> tuple[str, tuple[Control, ...], int | None]:
    """Layers, controls and the size of the sample."""
    layers = st.segmented_control(
        "Layers", list(LAYERS), key=state.seeded("depth", DEFAULT, list(LAYERS)), format_func=LAYERS.__getitem__,
        required=True, help="A best layer read off a test set flatters itself; choose layers on development data.",
    )  # fmt: skip
    state.set_page_value("depth", "" if layers == DEFAULT else layers)
    box = state.seeded("against", [str(Control.SHUFFLED)], parse=lambda text: text.split(","))
    st.session_state[box] = [one for one in st.session_state[box] if one in list(Control)]
    told = "  \n".join(f"{text[0].upper()}{text[1:]}." for text in EXPLAINED.values())
    picked = st.pills(
        "Held against", [str(one) for one in Control], selection_mode="multi", key=box, help=told,
        format_func=lambda one: LABELS[Control(one)],
    )  # fmt: skip
    controls = tuple(one for one in Control if str(one) in picked)
    state.set_page_value("against", "" if controls == (Control.SHUFFLED,) else ",".join(controls) or "none")
    rows = st.segmented_control(
        "Rows of each text at most", list(ROWS), key=state.seeded("rows", "300", list(ROWS)),
        format_func=ROWS.__getitem__, required=True,
        help="More are sampled at random, the same for every encoder, and said so in the result.",
    )  # fmt: skip
    state.set_page_value("rows", "" if rows == "300" else rows)
    return layers or DEFAULT, controls, int(rows or 0) or None


def measures() -> dict[str, Any]:
    """The registered measures: the usual ones first, then by what they need."""
    specs, needs = registered("measures"), list(NEEDS)
    rest = sorted((spec for name, spec in specs.items() if name not in USUAL), key=lambda spec: needs.index(spec.needs))
    return {name: specs[name] for name in USUAL if name in specs} | {spec.name: spec for spec in rest}


def _measures() -> tuple[Asked, ...] | None:
    """The measures by what they need, each with one line, and the settings of those chosen; None for a bad setting."""
    specs = measures()
    usual = [name for name in USUAL if name in specs]
    text = state.page_value("by", ",".join(usual))
    linked = [name for name in text.split(",") if name in specs]
    fresh = "by" in st.session_state.get("fresh", set())
    ticked = [spec.title for name, spec in specs.items() if st.session_state.get(f"by {name}", name in linked)]
    label = f"Measures: {', '.join(ticked[:SHOWN]) or 'none'}" + (
        f" and {len(ticked) - SHOWN} more" if len(ticked) > SHOWN else ""
    )
    with st.expander(chrome.plain(label), key="measures of a comparison"):
        for need, label in NEEDS.items():
            group = [spec for spec in specs.values() if spec.needs is need]
            if group:
                st.caption(label)
                _boxes(group, linked, fresh)
    st.session_state.get("fresh", set()).discard("by")
    chosen = [name for name in specs if st.session_state.get(f"by {name}")]
    state.set_page_value("by", "" if chosen == usual else ",".join(chosen) or "none")
    return _settings(chosen)


def _boxes(group: Sequence[Any], linked: Sequence[str], fresh: bool) -> None:
    """One box and one line a measure."""
    for spec in group:
        key = f"by {spec.name}"
        if fresh or key not in st.session_state:
            st.session_state[key] = spec.name in linked
        st.checkbox(
            f"**{chrome.plain(spec.title)}** :gray[{chrome.plain(spec.summary)}]", key=key,
            help=f"{chrome.plain(spec.citation)}. {chrome.plain(spec.hides)}",
        )  # fmt: skip


def _settings(chosen: Sequence[str]) -> tuple[Asked, ...] | None:
    """The measures chosen with their settings; None where one of them does not fit."""
    given = forms.unpack(state.page_value("how", "", parse=lambda text: text[:LONGEST]))
    specs = registered("measures")
    found: list[Asked] = []
    packed: dict[str, str] = {}
    good = True
    with st.expander("Settings of the measures", key="settings of a comparison"):
        for name in chosen:
            spec = specs[name]
            if not parts_of(spec.settings):
                found.append(Asked(name))
                continue
            st.markdown(f"**{chrome.plain(spec.title)}**")
            own = _own(given, name)
            values = forms.settings_form(spec.settings, f"how {name}", given=own)
            good = good and forms.parsed(spec.settings, values) is not None
            packed |= {f"{name}.{key}": value for key, value in values.items()}
            found.append(Asked(name, tuple(f"{key}={value}" for key, value in values.items())))
    state.set_page_value("how", forms.pack(packed))
    return tuple(found) if good else None


def _own(given: Mapping[str, str], measure: str) -> dict[str, str]:
    """The settings of one measure among those of the link."""
    start = f"{measure}."
    return {key.removeprefix(start): value for key, value in given.items() if key.startswith(start)}


def fill(request: Request) -> None:
    """Put a request into the link, so that the form shows it again.

    Args:
        request: of an earlier comparison.
    """
    keys = {text.key.removeprefix("set:"): text.key for text in texts.texts().values()}
    on = [one if one in keys.values() else _set_key(one) for one in request.data]
    how = {f"{asked.measure}.{pair.partition('=')[0]}": pair.partition("=")[2]
           for asked in request.measures for pair in asked.settings}  # fmt: skip
    values = {
        "enc": "|".join(request.encoders), "on": "|".join(dict.fromkeys(on)), "tags": ",".join(request.languages or ()),
        "depth": request.layers if request.layers == ALL else "", "how": forms.pack(how),
        "against": ",".join(request.controls) or "none", "by": ",".join(asked.measure for asked in request.measures),
        "rows": str(request.max_rows or 0),
    }  # fmt: skip
    for key, value in values.items():
        state.set_page_value(key, value)
        st.session_state.pop(f"page {key}", None)
    for name in [name for name in st.session_state if str(name).startswith(("by ", "how "))]:
        del st.session_state[name]


def _set_key(data: str) -> str:
    """`set:NAME:SPLIT` of `set:NAME:LANGS:SPLIT`."""
    parts = data.split(":")
    return f"set:{parts[1]}:{parts[-1]}" if len(parts) == 4 else data
