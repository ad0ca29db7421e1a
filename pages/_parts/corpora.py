"""The choice of a corpus in the sidebar: bundled ones, uploads, and a box for one's own text."""

import streamlit as st

from analysis.errors import IsoglossError
from analysis.registry import registered
from analysis.text.uploads import MY_TEXT, find_upload, list_uploads, save_text
from pages._parts import chrome, data

EXAMPLE = "The bank is closed. ||| El banco está cerrado.\nThe river bank is green. ||| La orilla del río es verde."


def choose(linked: str | None, last: str) -> str:
    """The id of the corpus to show; the last good one where the choice cannot be read.

    Args:
        linked: the id in the link, if there is a new one.
        last: the id in force.
    """
    if linked is not None or "box corpus" not in st.session_state:
        wanted = linked if linked is not None and _usable(linked) else last
        st.session_state["box corpus"] = MY_TEXT if wanted.startswith("text-") else wanted
        if wanted.startswith("text-"):
            st.session_state["my text"] = wanted
    options = names(st.session_state["box corpus"])
    if st.session_state["box corpus"] not in options:
        st.session_state["box corpus"] = "tour"
    chosen = st.selectbox("Corpus", options, key="box corpus", format_func=title)
    if chosen == MY_TEXT:
        return _my_text(last)
    return chosen if _usable(chosen) else last if _usable(last) else "tour"


def names(also: str = "") -> list[str]:
    """The ids of all corpora to choose from; `also` is added where it is an upload."""
    uploads = [f"upload-{upload.id}" for upload in list_uploads() if upload.reader != MY_TEXT]
    listed = [*registered("corpora"), *uploads]
    first = sorted(listed, key=lambda name: name != "tour")
    return [*first, *([also] if also.startswith("upload-") and also not in listed else []), MY_TEXT]


def title(corpus_id: str) -> str:
    """What a corpus is called on a page."""
    if corpus_id == MY_TEXT or corpus_id.startswith("text-"):
        return "My text"
    if corpus_id in registered("corpora"):
        return registered("corpora")[corpus_id].title
    try:
        return find_upload(corpus_id.removeprefix("upload-")).name
    except IsoglossError:
        return corpus_id


def _usable(corpus_id: str) -> bool:
    """Whether a corpus can be read; if not, one line says why."""
    try:
        data.corpus(corpus_id)
    except IsoglossError as error:
        chrome.error(error)
        return False
    return True


def _my_text(last: str) -> str:
    """The box for one's own text; gives the stored text's id, or the last corpus while nothing is stored."""
    stored: str | None = st.session_state.get("my text")
    if stored is not None and not _usable(stored):
        stored = None
    if "box text" not in st.session_state:
        st.session_state["box text"] = EXAMPLE if stored is None else _as_text(stored)
    with st.form("my text form", border=False):
        text = st.text_area(
            "One row a line, languages separated by |||", key="box text", height=160,
            help="Languages are detected; name them below if the guess is wrong.",
        )  # fmt: skip
        tags = st.text_input("Languages, in order", key="box text languages", placeholder="detected, e.g. en, es")
        if st.form_submit_button("Use this text", width="stretch"):
            try:
                languages = [tag for tag in tags.replace(",", " ").split() if tag] or None
                candidate = f"text-{save_text(text, languages)}"
                data.corpus(candidate)
                stored = st.session_state["my text"] = candidate
            except IsoglossError as error:
                chrome.error(error)
    if stored is None:
        st.caption("Nothing of yours yet: the pages still show the corpus before.")
        return last if _usable(last) else "tour"
    return stored


def _as_text(corpus_id: str) -> str:
    """A stored text as it stands in the box."""
    rows = data.whole_corpus(corpus_id).rows
    return "\n".join(" ||| ".join(sentence.text for sentence in row.values()) for row in rows)
