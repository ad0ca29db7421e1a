"""The choice that all pages share and the values of single pages, in the session and in the URL.

This module alone reads and writes the query parameters. A link wins where it differs from what was last
written; everything else stays what it was, so a view survives a change of page and a reload.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from analysis.encoders.catalog import list_encoders
from analysis.encoders.vectors import Pool
from analysis.errors import IsoglossError
from analysis.text.languages import language
from pages._parts import chrome, corpora, data

T = TypeVar("T")
SHARED = ("a", "b", "corpus", "langs", "la", "lb", "lock", "pool")
PREFERRED = ("en", "es", "ru", "ar", "hi", "zh")  # six scripts but one
LANGUAGES_SHOWN = 6
IN_FLIGHT = 3.0  # seconds for which a browser may still send a URL that has been replaced


@dataclass(frozen=True)
class View:
    """What every page shows.

    Attributes:
        a, b: names of the two encoders.
        corpus: registered name, `text-ID` or `upload-ID`.
        languages: tags, all of them in the corpus, at least one.
        layer_a, layer_b: layers of A and of B, 0 is the embedding output.
        locked: whether B's layer follows A's by relative depth.
        pool: how subwords become a word.
    """

    a: str
    b: str
    corpus: str
    languages: tuple[str, ...]
    layer_a: int
    layer_b: int
    locked: bool
    pool: str


def current() -> View:
    """The view that the sidebar has settled in this run."""
    from streamlit.runtime.pages_manager import PagesManager

    if PagesManager.uses_pages_directory or "view" not in st.session_state:
        # A fresh server whose first visitor opens the link of a page takes the folder pages/ for an app of the old
        # kind and runs the page without app.py, until st.navigation has been called once.
        PagesManager.uses_pages_directory = False
        st.rerun()
    return st.session_state["view"]


def sidebar() -> View:
    """Draw the sidebar, settle the view and write it to the URL; app.py calls it once a run.

    A name that cannot be loaded gives one line in the sidebar, and the last good value stays in force.
    """
    link = _incoming() | st.session_state.pop("asked", {})
    pages = {key: value for key, value in link.items() if key not in SHARED}
    st.session_state.setdefault("page values", {}).update(pages)
    st.session_state["fresh"] = set(pages)
    with st.sidebar:
        before: View | None = st.session_state.get("view")
        a = _encoder_box("A", "a", link, before.a if before else "bundled")
        b = _encoder_box("B", "b", link, before.b if before else recommended(a))
        corpus_id = corpora.choose(link.get("corpus"), before.corpus if before else "tour")
        languages = _languages_box(corpus_id, link.get("langs"))
        layer_a, layer_b, locked = _layers(a, b, link, before)
        with st.expander("Pooling"):
            pool = _pool_box(link.get("pool"))
    view = View(a, b, corpus_id, languages, layer_a, layer_b, locked, pool)
    st.session_state["view"] = view
    _write(as_query(view))
    return view


def show_encoders(a: str, b: str) -> None:
    """Make two encoders A and B and run the page again: for a page that has made one."""
    st.session_state["asked"] = {"a": a, "b": b}
    st.rerun()


def as_query(view: View) -> dict[str, str]:
    """The shared part of the URL."""
    values = (
        view.a, view.b, view.corpus, ",".join(view.languages), str(view.layer_a), str(view.layer_b),
        str(int(view.locked)), view.pool,
    )  # fmt: skip
    return dict(zip(SHARED, values, strict=True))


def page_value(key: str, default: T, parse: Callable[[str], T] = str) -> T:  # type: ignore[assignment]
    """A page's own value: from the link, else what it was in this session, else the default.

    Args:
        key: name in the URL; pages that mean the same by it share it.
        default: where there is none, or one that cannot be parsed.
        parse: from the text in the URL to the value; raises ValueError or InputError for what is not valid.
    """
    text = st.session_state.setdefault("page values", {}).get(key)
    if text is None:
        return default
    try:
        value = parse(text)
    except (ValueError, IsoglossError):
        st.session_state["page values"].pop(key)
        st.caption(chrome.plain(f"The link's {key}={text[:60]!r} fits nothing here; showing the default."))
        return default
    _write({key: text})
    return value


def set_page_value(key: str, value: object) -> None:
    """Remember a page's value and write it to the URL; None or "" takes it out."""
    values = st.session_state.setdefault("page values", {})
    if value is None or value == "":
        values.pop(key, None)
        if key in st.query_params:
            _retire(key)
            del st.query_params[key]
        return
    values[key] = str(value)
    _write({key: str(value)})


def seeded(key: str, default: T, options: Sequence[T] | None = None, parse: Callable[[str], T] = str) -> str:  # type: ignore[assignment]
    """The key of a widget whose value lives in the URL, set to that value where the widget has none yet.

    Use it as `st.selectbox(..., options, key=state.seeded("decoder", "argmax", options))` and hand what the
    widget returns to `set_page_value`.

    Args:
        key: as in `page_value`.
        default: as in `page_value`.
        options: the values the widget offers; anything else becomes the default, or the first option.
        parse: as in `page_value`.
    """
    widget = f"page {key}"
    fresh: set[str] = st.session_state.get("fresh", set())
    if widget not in st.session_state or key in fresh:
        st.session_state[widget] = page_value(key, default, parse)
        fresh.discard(key)
    if options is not None and st.session_state[widget] not in options:
        st.session_state[widget] = default if default in options else next(iter(options), None)
    return widget


def recommended(base: str) -> str:
    """The aligned encoder on a base to show first: the recommended one, else any, else the base itself."""
    aligned = [entry for entry in list_encoders() if entry.base == base]
    best = sorted(aligned, key=lambda entry: (not entry.recommended, entry.origin != "shipped", entry.name))
    return best[0].name if best else base


def follow(layer: int, depth: int, other_depth: int) -> int:
    """The layer of another encoder at the same relative depth."""
    return round(layer / depth * other_depth) if depth else 0


def default_languages(available: Sequence[str]) -> tuple[str, ...]:
    """Six languages of a corpus in as many scripts as can be."""
    chosen = [tag for tag in PREFERRED if tag in available]
    rest = [tag for tag in available if tag not in chosen]
    return tuple(sorted((chosen + rest)[:LANGUAGES_SHOWN], key=list(available).index))


def _encoder_box(label: str, key: str, link: dict[str, str], last: str) -> str:
    """The box of one encoder; the last good name where the new one cannot be loaded."""
    widget = f"box {key}"
    if key in link or widget not in st.session_state:
        st.session_state[widget] = link.get(key, last)
    names = [entry.name for entry in list_encoders()]
    options = list(dict.fromkeys([*names, last, st.session_state[widget] or last]))
    chosen = st.selectbox(
        f"Encoder {label}", options, key=widget, accept_new_options=True,
        help="bundled, hub:ORG/NAME, a folder, or BASE+NAME of an aligned encoder. Type any of them.",
    )  # fmt: skip
    for name in (chosen, last, "bundled"):
        try:
            data.encoder(name or "")
        except IsoglossError as error:
            chrome.error(error)
            continue
        return name
    return "bundled"


def _languages_box(corpus_id: str, linked: str | None) -> tuple[str, ...]:
    """The languages to show, kept over a change of corpus where both have them."""
    available = data.corpus(corpus_id).languages
    widget = "box languages"
    asked = linked.split(",") if linked is not None else st.session_state.get(widget, [])
    known = [tag for tag in asked if tag in available]
    if linked and len(known) < len(asked):
        missing = ", ".join(tag for tag in asked if tag not in available)
        chrome.error(f"no {missing} in {corpus_id}; languages there: {', '.join(available)}")
    if known != st.session_state.get(widget):
        st.session_state[widget] = known or list(default_languages(available))
    picked = st.multiselect("Languages", available, key=widget, format_func=lambda tag: language(tag).name)
    if not picked:
        st.caption("No language chosen: showing the default ones.")
    return tuple(picked) or default_languages(available)


def _layers(a: str, b: str, link: dict[str, str], before: View | None) -> tuple[int, int, bool]:
    """The layers of A and B and whether they are locked together."""
    depth_a, depth_b = data.encoder(a).depth, data.encoder(b).depth
    if "lock" in link or "box lock" not in st.session_state:
        st.session_state["box lock"] = link.get("lock", "1") != "0"
    old_a = _old_depth(before.a, depth_a) if before else depth_a
    old_b = _old_depth(before.b, depth_b) if before else depth_b
    _seed_layer("box layer a", link.get("la"), old_a, depth_a)
    layer_a = _slider("Layer of A", "box layer a", depth_a)
    locked = st.toggle("Lock the layers of A and B", key="box lock", help="B follows A at the same relative depth.")
    if locked:
        st.session_state["box layer b"] = follow(layer_a, depth_a, depth_b)
    else:
        _seed_layer("box layer b", link.get("lb"), old_b, depth_b)
    return layer_a, _slider("Layer of B", "box layer b", depth_b, disabled=locked), locked


def _old_depth(name: str, depth: int) -> int:
    """The depth of the encoder before, which may have been renamed or deleted since."""
    try:
        return data.encoder(name).depth
    except IsoglossError:
        return depth


def _seed_layer(widget: str, linked: str | None, old_depth: int, depth: int) -> None:
    """Give a layer slider a value it can have: the link's, else the old one at the same relative depth."""
    if linked is not None:
        valid = linked.isdecimal() and len(linked) < 5 and int(linked) <= depth
        if not valid:
            chrome.error(f"layer {linked[:20]!r} does not exist there; valid: 0 to {depth}")
        st.session_state[widget] = int(linked) if valid else depth
    elif widget not in st.session_state:
        st.session_state[widget] = depth
    elif old_depth != depth or st.session_state[widget] > depth:
        st.session_state[widget] = min(depth, follow(st.session_state[widget], old_depth, depth))


def _slider(label: str, widget: str, depth: int, *, disabled: bool = False) -> int:
    """A slider over the layers; an encoder without layers has nothing to slide."""
    if depth < 1:
        st.caption(f"{label}: 0, the only one")
        return 0
    return st.slider(label, 0, depth, key=widget, disabled=disabled, help="0 is the embedding output.")


def _pool_box(linked: str | None) -> str:
    """How the subwords of a word become one vector."""
    options = [str(pool) for pool in Pool]
    if linked is not None or "box pool" not in st.session_state:
        st.session_state["box pool"] = linked if linked in options else options[0]
    return st.radio(
        "A word is the ... of its subwords", options, key="box pool", horizontal=True,
        help="Special tokens and prefixes are left out.",
    )  # fmt: skip


def _incoming() -> dict[str, str]:
    """The parameters of the URL that somebody else than this module has put there."""
    sent: dict[str, str] = st.session_state.setdefault("sent", {})
    late = time.monotonic() - IN_FLIGHT
    retired = {pair: when for pair, when in st.session_state.get("retired", {}).items() if when > late}
    st.session_state["retired"] = retired
    shown = st.query_params.to_dict()
    link = {key: v for key, v in shown.items() if sent.get(key) != v and (key, v) not in retired}
    st.session_state["sent"] = shown
    return link


def _write(values: dict[str, Any]) -> None:
    """Put values into the URL where they differ from what it shows."""
    changed = {key: value for key, value in values.items() if st.query_params.get(key) != value}
    for key in changed:
        _retire(key)
    if changed:
        st.query_params.update(changed)
    st.session_state["sent"].update(values)


def _retire(key: str) -> None:
    """Note that a value has just been replaced: the browser may send it once more."""
    old = st.query_params.get(key)
    if old is not None:
        st.session_state["retired"][key, old] = time.monotonic()
