"""The form of a new training: method and settings left, text, name and cost right."""

from dataclasses import replace
from typing import Any

import streamlit as st

from analysis.alignment.method import Uses
from analysis.encoders.catalog import list_encoders
from analysis.encoders.trained import check_free, free_name
from analysis.errors import InputError, IsoglossError
from analysis.registry import registered
from pages._parts import chrome, data, forms, jobs, launch, state, training_runs, training_text
from pages._parts.launch import Wanted

HIDDEN = ("languages", "anchor")  # settings that the choice of languages decides
MOST_SEED = 2**31 - 1
WORDS = {
    Uses.DATA: "sentence pairs", Uses.LINKS: "word links", Uses.DICTIONARY: "a dictionary",
    Uses.MONOLINGUAL: "text without translation", Uses.DEV: "development pairs",
}  # fmt: skip


def form(view: state.View) -> None:
    """Draw the form, the cost and the button that starts."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        method = _method_box()
        cls = registered("methods")[method].settings
        base = _encoder_box(view)
        given = forms.unpack(state.page_value("set", ""))
        values = forms.settings_form(cls, f"set {method}", given=given, hidden=HIDDEN)
        state.set_page_value("set", forms.pack(values))
    with right, chrome.guard():
        wanted = training_text.choose(Wanted(method, base, settings=values))
        wanted, reason = _name(wanted)
        if launch.anchor_of(wanted.tags) != "en" and len(wanted.tags) > 2:
            reason = "More than two languages are aligned with English: add English, or choose two."
        if forms.parsed(cls, wanted.settings) is None:
            reason = reason or "A setting on the left does not fit."
        _start(wanted, training_text.missing(wanted) or reason)


def methods() -> list[str]:
    """All registered methods, those that train first."""
    specs = registered("methods")
    return sorted(specs, key=lambda name: (not getattr(specs[name], "trained", False), specs[name].title))


def _method_box() -> str:
    """The method, with what it is and who made it."""
    specs, names = registered("methods"), methods()
    preferred = launch.PRESET_METHOD if launch.PRESET_METHOD in names else names[0]
    kind = lambda name: "trained" if getattr(specs[name], "trained", False) else "closed form"  # noqa: E731
    method = st.selectbox(
        "Method", names, key=state.seeded("method", preferred, names),
        format_func=lambda name: f"{specs[name].title}, {kind(name)}", on_change=_forget_settings,
    )  # fmt: skip
    state.set_page_value("method", method)
    spec = specs[method]
    st.caption(
        f"{chrome.plain(spec.summary)}  \n{chrome.plain(spec.citation.rstrip('.'))}. Grounded: "
        f"{chrome.plain(spec.fidelity)}.  \n{chrome.plain(needs(spec))}",
        help="Grounded says how well this implementation is tied to its source: code checked against theirs, made "
        "from the abstract, or reconstructed. None claims to reproduce a paper.",
    )
    return method


def needs(spec: Any) -> str:
    """What a method needs and can use, in one sentence."""
    required = training_text.needs_all(spec)
    any_of = [word for kind, word in WORDS.items() if kind in spec.needs and not spec.needs & required]
    must = " and ".join(word for kind, word in WORDS.items() if kind in required)
    must = (", and " if len(any_of) > 1 else " and ").join(filter(None, [must, " or ".join(any_of)]))
    can = ", ".join(word for kind, word in WORDS.items() if kind in spec.uses - spec.needs - required)
    return f"Needs {must or 'nothing'}" + (f"; can use {can}." if can else ".")


def _forget_settings() -> None:
    """The settings of one method mean nothing to another."""
    state.set_page_value("set", "")


def _encoder_box(view: state.View) -> str:
    """The base encoder: A of the sidebar unless somebody chooses another."""
    key = state.seeded("base", view.a)
    if st.session_state[key] == st.session_state.get("base usual"):
        st.session_state[key] = view.a  # nobody has chosen otherwise, so it follows the sidebar
    st.session_state["base usual"] = view.a
    options = list(dict.fromkeys([*(entry.name for entry in list_encoders()), view.a, st.session_state[key]]))
    base = st.selectbox("Base encoder", options, key=key, accept_new_options=True,
                        help="bundled, hub:ORG/NAME, a folder, or BASE+NAME. Type any of them.")  # fmt: skip
    state.set_page_value("base", "" if base == view.a else base)
    try:
        data.encoder(base or "")
    except IsoglossError as problem:
        chrome.error(problem)
        return view.a
    return base


def _name(wanted: Wanted) -> tuple[Wanted, str]:
    """Name and seed; with the reason why the training cannot start, or ""."""
    left, right = st.columns([3, 1])
    waiting = launch.reserved()
    usual = free_name(wanted.method.replace(".", "-"), waiting)
    name = left.text_input(
        "Name of the new encoder", key=state.seeded("called", "", parse=lambda text: text[:80]), placeholder=usual,
        max_chars=80, help="Lower-case letters, digits, _ and -; then BASE+NAME on every page.",
    )  # fmt: skip
    state.set_page_value("called", name)
    seed = right.number_input("Seed", 0, MOST_SEED, key=state.seeded("seed", 0, parse=_seed), step=1)
    state.set_page_value("seed", seed or "")
    wanted = replace(wanted, name=name.strip() or usual, seed=int(seed))
    if wanted.name in waiting:
        run = waiting[wanted.name]
        st.button(f"Open the run {run.title}", key="open same", on_click=training_runs.open_run, args=(run.id,))
        return wanted, f"An unfinished run makes {wanted.name}; open or discard it, or choose another name."
    try:
        check_free(wanted.name)
    except InputError as problem:
        chrome.error(problem)
        return wanted, "Choose another name."
    return wanted, ""


def _seed(text: str) -> int:
    """A seed from the link."""
    return max(0, min(int(text), MOST_SEED))


def _start(wanted: Wanted, reason: str) -> None:
    """The cost, once asked for kept up to date, and the button."""
    row = st.container(horizontal=True, vertical_alignment="center")
    begin = row.button("Start training", key="start", type="primary", disabled=bool(reason))
    if row.button("Estimate the cost", key="estimate", disabled=bool(reason)):
        st.session_state["estimate asked"] = True
    if reason:
        st.caption(chrome.plain(reason))
        return
    if begin:
        with st.spinner("Starting ..."):
            launch.start(wanted)
        st.rerun()
    if st.session_state.get("estimate asked"):
        with chrome.guard():
            cost(launch.estimate(wanted), "pairs" if wanted.data else "sentences")


def cost(found: Any, unit: str = "pairs") -> None:
    """An estimate in one line; the unit is what the text was counted in."""
    if found is None:
        st.markdown("A closed form: one or two passes over the text, no training steps.")
        return
    told = [f"About **{jobs.duration(60 * found.minutes)}** on this machine, as busy as it is now"]
    told += [f"{found.memory_bytes / 2**30:.1f} GB of memory", f"{found.disk_bytes / 2**20:,.0f} MB on disk"]
    told += [f"{found.steps:,} steps"] if found.steps else []
    told += [f"{found.pairs:,} {unit}"]
    trained = f"{found.trainable / 1e6:.1f} million" if found.trainable >= 1e5 else f"{found.trainable:,}"
    told += [f"{trained} weights trained"] if found.trainable else []
    st.markdown(", ".join(told) + ".")
    if found.note:
        st.caption(chrome.plain(found.note))
