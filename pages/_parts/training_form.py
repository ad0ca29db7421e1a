"""The form of a new training: method and settings left, text, name and cost right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from analysis.alignment.method import Uses
from analysis.encoders.catalog import list_encoders
from analysis.encoders.trained import check_free, free_name
from analysis.errors import InputError, IsoglossError
from analysis.registry import registered
from analysis.text.languages import language
from pages._parts import chrome, data, forms, launch, runs, state
from pages._parts import training_data as texts
from pages._parts.launch import Wanted

HIDDEN = ("languages", "anchor")  # settings that the choice of languages decides
MOST_SEED = 2**31 - 1
FILES = {
    Uses.DICTIONARY: ("Dictionary", "Word pairs, one a line, separated by a tab."),
    Uses.MONOLINGUAL: ("Sentences without translation", "One sentence a line; the language is detected."),
}


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
        wanted = _text(Wanted(method, base, settings=values))
        wanted, reason = _name(wanted)
        if launch.anchor_of(wanted.tags) != "en" and len(wanted.tags) > 2:
            reason = "More than two languages are aligned with English: add English, or choose two."
        if forms.parsed(cls, wanted.settings) is None:
            reason = reason or "A setting on the left does not fit."
        _start(wanted, reason)


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
        f"{chrome.plain(spec.summary)}  \n{chrome.plain(spec.citation)}. Grounded: {chrome.plain(spec.fidelity)}.",
        help="Grounded says how well this implementation is tied to its source: code checked against theirs, made "
        "from the abstract, or reconstructed. None claims to reproduce a paper.",
    )
    return method


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


def _text(wanted: Wanted) -> Wanted:
    """The text that a method can use, and nothing else: pairs, languages, links, further files, development pairs."""
    spec = registered("methods")[wanted.method]
    tags: tuple[str, ...] = ()
    if Uses.DATA in spec.uses:
        offered = texts.training_texts()
        usual = next((key for key in ("set:tatoeba:test", "corpus:ui_chromium:train") if key in offered), "corpus:tour")
        chosen = [offered[key] for key in _picks("Training text", "data", offered, [usual])]
        tags = _languages(chosen)
        items = tuple(found for text in chosen if (found := texts.item(text, tags)))
        fetched = [text.title for text in chosen if text.fetched]
        if fetched:
            st.caption(f"{chrome.plain(', '.join(fetched))}: downloaded on first use.")
        wanted = replace(
            wanted, data=items, tags=tags,
            settings=dict(wanted.settings) | _language_settings(spec.settings, tags),
        )  # fmt: skip
    if Uses.LINKS in spec.uses and Uses.DATA in spec.uses:
        wanted = replace(wanted, links=_links(wanted, tags))
    files = {kind: _files(kind) for kind in FILES if kind in spec.uses}
    wanted = replace(wanted, dictionary=files.get(Uses.DICTIONARY, ()), monolingual=files.get(Uses.MONOLINGUAL, ()))
    if wanted.monolingual:  # whose languages are known once they are read
        wanted = replace(wanted, settings={k: v for k, v in wanted.settings.items() if k != "languages"})
    return replace(wanted, dev=_dev(tags)) if Uses.DEV in spec.uses else wanted


def _picks(label: str, key: str, offered: dict[str, texts.Text], usual: Sequence[str], told: str = "") -> list[str]:
    """Several texts by key, kept in the link; `none` stands there for none."""
    widget = state.seeded(key, [one for one in usual if one in offered], parse=lambda text: text.split("|"))
    st.session_state[widget] = [one for one in st.session_state[widget] if one in offered]
    chosen = st.multiselect(label, list(offered), key=widget, format_func=lambda one: offered[one].title,
                            help=told or None, wrap=True)  # fmt: skip
    state.set_page_value(key, "|".join(chosen) or "none")
    return chosen


def _languages(chosen: Sequence[texts.Text]) -> tuple[str, ...]:
    """The languages to train on, six at first."""
    available = texts.all_languages(chosen)
    if not available:
        return ()
    widget = state.seeded("train", list(state.default_languages(available)), parse=lambda text: text.split(","))
    kept = [tag for tag in st.session_state[widget] if tag in available]
    st.session_state[widget] = kept if len(kept) > 1 else list(state.default_languages(available))
    tags = st.multiselect("Languages", available, key=widget, format_func=lambda tag: language(tag).name,
                          wrap=True)  # fmt: skip
    state.set_page_value("train", ",".join(tags))
    return tuple(tags)


def _language_settings(settings: type, tags: Sequence[str]) -> dict[str, str]:
    """The languages and the anchor as settings of a method."""
    anchor = launch.anchor_of(list(tags))
    others = ",".join(tag for tag in tags if tag != anchor)
    values = {"languages": others} if others else {}
    return launch.limit(settings, values | ({"anchor": anchor} if anchor != "en" else {}))


def _links(wanted: Wanted, tags: Sequence[str]) -> tuple[str, ...]:
    """A file of word links, where the data are one language pair; else the base links words itself."""
    if len(wanted.data) != 1 or len(tags) != 2:
        st.caption("Word links: those of the text where it has some, else the base encoder's own. "
                   "A file of links needs one text and two languages.")  # fmt: skip
        return ()
    file = st.file_uploader(
        "Word links", key="links file", help="Pharaoh format: a line of 0-0 1-2 for each pair of the text, counted "
        "from 0. Without a file: the links of the text where it has some, else the base encoder's own.",
    )  # fmt: skip
    return (texts.keep_file(file.name, file.getvalue()),) if file is not None else ()


def _files(kind: Uses) -> tuple[str, ...]:
    """Files of another kind that the method uses."""
    label, told = FILES[kind]
    found = st.file_uploader(label, key=f"{kind} files", accept_multiple_files=True, help=told)
    return tuple(texts.keep_file(file.name, file.getvalue()) for file in found)


def _dev(tags: Sequence[str]) -> tuple[str, ...]:
    """Development pairs: the gold sets where they are here, else the development split of a corpus, or none."""
    offered = texts.dev_texts()
    gold = [key for key, text in offered.items() if text.gold and set(text.languages) & set(tags) - {"en"}]
    split = [key for key in offered if key.endswith(":dev") and key.startswith("corpus:")]
    used = [key.removesuffix(":train") + ":dev" for key in st.session_state.get("page data", [])]
    usual = gold[:1] or [key for key in split if key in used]
    before = st.session_state.get("dev usual", usual)
    if st.session_state.get("page dev", usual) == before != usual:
        st.session_state["page dev"] = usual  # nobody has chosen otherwise, so it follows the training text
    st.session_state["dev usual"] = usual
    told = (
        "They choose the weights that are kept (unless max steps ends the run) and, with gold links, the layer and "
        "decoder for links; the card names them. Never give a set that you report on."
    )
    chosen = [offered[key] for key in _picks("Development text", "dev", offered, usual, told)]
    everything = any(text.listed for text in chosen) and st.toggle(
        "Also languages that are not trained on", key=state.seeded("unseen", False, parse=lambda text: text == "1"),
        help="Shows whether the gain reaches further; each look takes longer.",
    )  # fmt: skip
    state.set_page_value("unseen", "1" if everything else "")
    if not chosen:
        st.caption("Without development text the last weights are kept and nothing is claimed.")
    return tuple(found for text in chosen if (found := texts.dev_item(text, tags, everything=everything)))


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
        st.button(f"Open the run {run.title}", key="open same", on_click=runs.open_run, args=(run.id,))
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
    spec = registered("methods")[wanted.method]
    given = {Uses.DATA: wanted.data, Uses.DICTIONARY: wanted.dictionary, Uses.MONOLINGUAL: wanted.monolingual}
    if spec.needs and not any(given.get(kind) for kind in spec.needs):
        reason = "Choose training text with at least two of the languages." if Uses.DATA in spec.needs else (
            f"Give {' or '.join(FILES[kind][0].lower() for kind in spec.needs if kind in FILES)}."
        )  # fmt: skip
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
            cost(launch.estimate(wanted))


def cost(found: Any) -> None:
    """An estimate in one line."""
    if found is None:
        st.markdown("A closed form: one or two passes over the text, no training steps.")
        return
    told = [f"About **{runs.duration(60 * found.minutes)}** on this machine, as busy as it is now"]
    told += [f"{found.memory_bytes / 2**30:.1f} GB of memory", f"{found.disk_bytes / 2**20:,.0f} MB on disk"]
    told += [f"{found.steps:,} steps"] if found.steps else []
    told += [f"{found.pairs:,} pairs"]
    trained = f"{found.trainable / 1e6:.1f} million" if found.trainable >= 1e5 else f"{found.trainable:,}"
    told += [f"{trained} weights trained"] if found.trainable else []
    st.markdown(", ".join(told) + ".")
    if found.note:
        st.caption(chrome.plain(found.note))
