"""Data: browse the corpora, add text or a file, read the validator's report, delete what is stored."""

from collections.abc import Callable

import streamlit as st

from analysis.errors import InputError, IsoglossError
from analysis.registry import registered
from analysis.text.uploads import MY_TEXT, Upload, delete_upload, list_uploads, save_text, save_upload
from pages._parts import chrome, corpora, corpus_views, data, state, words

TITLE = "Data"
ORDER = 80
PARTS = {"browse": "Browse", "add": "Add text or a file", "stored": "Stored uploads"}
GUESS = "guess it"


def render() -> None:
    """Draw the page for the view of the sidebar."""
    view = state.current()
    st.html(words.STYLE)
    part = st.segmented_control(
        "Part", list(PARTS), key=state.seeded("part", "browse", list(PARTS)), format_func=PARTS.__getitem__,
        required=True, label_visibility="collapsed",
    )  # fmt: skip
    state.set_page_value("part", "" if part == "browse" else part)
    with chrome.guard():
        {"browse": _browse, "add": _add, "stored": _stored}[part or "browse"](view)


def _browse(view: state.View) -> None:
    """One corpus: its card, its rows, its report."""
    known = _known(view)
    corpus_id = st.selectbox(
        "Corpus to look at", known, key=state.seeded("show", view.corpus, known), format_func=corpus_views.title
    )
    state.set_page_value("show", "" if corpus_id == view.corpus else corpus_id)
    corpus = data.whole_corpus(corpus_id)
    st.markdown(f"## {chrome.plain(_finding(corpus_id))}")
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    with left:
        corpus_views.show_card(corpus_id, corpus)
    with right:
        corpus_views.use_button(corpus_id, "use shown")
    corpus_views.browse(corpus_id, corpus)
    with st.expander("The validator's report"):
        corpus_views.show_report(corpus_id, corpus)


def _known(view: state.View) -> list[str]:
    """The ids of every corpus there is, the one in use among them."""
    stored = [_corpus_id(upload) for upload in list_uploads()]
    return list(dict.fromkeys([*(name for name in corpora.names() if name != MY_TEXT), *stored, view.corpus]))


def _finding(corpus_id: str) -> str:
    """What the corpus is, in one line."""
    corpus = data.whole_corpus(corpus_id)
    complete = sum(len(row) == len(corpus.languages) for row in corpus.rows)
    told = "every row in all of them" if complete == len(corpus) else f"{complete:,} of them in all languages"
    rows = "1 row" if len(corpus) == 1 else f"{len(corpus):,} rows"
    if len(corpus.languages) == 1:
        return f"{corpora.title(corpus_id)}: {rows} in one language"
    return f"{corpora.title(corpus_id)}: {rows} in {len(corpus.languages)} languages, {told}"


def _add(view: state.View) -> None:
    """Paste text or upload a file, and see at once what was read."""
    st.caption(
        "What you add is stored in the cache folder of this server by its content, so a link restores the view; anyone "
        "who has the link, or opens “Stored uploads”, can read it, and delete it there."
    )
    paste, upload = st.columns(2, gap="large")
    with paste.form("paste form"):
        text = st.text_area("Text, one row a line, languages separated by |||", height=190, placeholder=corpora.EXAMPLE)
        tags = st.text_input("Languages, in order", placeholder="detected, e.g. en, es", key="paste languages")
        if st.form_submit_button("Read the text"):
            _store(lambda: f"text-{save_text(text, _tags(tags))}")
    with upload.form("upload form"):
        file = st.file_uploader(
            "File", help="TSV, CSV, JSONL, Parquet, TMX, Moses pairs as ZIP, a ||| b, CoNLL-U, lines"
        )
        readers = [GUESS, *registered("readers")]
        reader = st.selectbox("Format", readers, format_func=_reader_title)
        tags = st.text_input("Languages, in order", placeholder="by the file or detected", key="upload languages")
        if st.form_submit_button("Read the file"):
            _store(lambda: _save_file(file, reader, tags))
    shown = state.page_value("added", "")
    if not shown:
        return
    st.divider()
    corpus = data.whole_corpus(shown)
    st.markdown(f"## {chrome.plain(_finding(shown))}")
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    with left:
        corpus_views.show_card(shown, corpus)
    with right:
        corpus_views.use_button(shown, "use added")
    corpus_views.show_report(shown, corpus)


def _save_file(file: object, reader: str, tags: str) -> str:
    """Store an uploaded file and give its corpus id.

    Raises:
        InputError: no file, or one that cannot be stored.
    """
    if file is None:
        raise InputError("no file chosen; choose one above")
    name, content = file.name, file.getvalue()  # type: ignore[attr-defined]
    return f"upload-{save_upload(name, content, reader=None if reader == GUESS else reader, languages=_tags(tags))}"


def _store(save: Callable[[], str]) -> None:
    """Store, read once, and show; what cannot be read is not kept."""
    known = {upload.id for upload in list_uploads()}
    try:
        corpus_id = save()
    except IsoglossError as problem:
        state.set_page_value("added", "")
        chrome.error(problem)
        return
    try:
        data.whole_corpus(corpus_id)
    except IsoglossError as problem:
        state.set_page_value("added", "")
        chrome.error(problem)
        upload_id = corpus_id.partition("-")[2]
        if upload_id not in known:
            delete_upload(upload_id)
        return
    state.set_page_value("added", corpus_id)


def _tags(text: str) -> list[str] | None:
    """The languages somebody typed, None for none."""
    return [tag for tag in text.replace(",", " ").split() if tag] or None


def _reader_title(name: str) -> str:
    """A format with what a row of it is."""
    if name == GUESS:
        return "guess it from name and content"
    return f"{registered('readers')[name].title}: {registered('readers')[name].summary}"


def _stored(view: state.View) -> None:
    """What is stored, to open, use or delete."""
    uploads = list_uploads()
    if not uploads:
        st.info("Nothing is stored: add text or a file first.")
        return
    size = sum(upload.size for upload in uploads)
    st.markdown(f"### {len(uploads):,} stored, {size / 1e6:,.1f} MB")
    st.caption(
        "Deleting takes effect for everyone and cannot be undone. Vectors made from the text stay in the cache without "
        "it until it is cleared: python -m analysis cache --clear"
    )
    for upload in uploads:
        _line(upload, view)


def _line(upload: Upload, view: state.View) -> None:
    """One stored upload."""
    corpus_id = _corpus_id(upload)
    name, open_it, use, delete = st.columns([6, 1, 2, 1], vertical_alignment="center")
    told = [upload.reader, ", ".join(upload.languages) or "languages by the file", f"{upload.size / 1000:,.1f} kB"]
    name.markdown(
        f"**{chrome.plain(upload.name)}** {chrome.plain(', '.join(told))}  \n:small[{chrome.plain(corpus_id)}]"
    )
    open_it.button("Open", key=f"open {upload.id}", on_click=_open, args=(corpus_id,))
    with use:
        corpus_views.use_button(corpus_id, f"use {upload.id}")
    with delete.popover("Delete"):
        st.markdown(f"Delete {chrome.plain(upload.name)}?")
        st.button("Yes, delete it", key=f"delete {upload.id}", on_click=_delete, args=(upload.id, view.corpus))


def _open(corpus_id: str) -> None:
    """Show a corpus in the browser part."""
    st.session_state["page part"], st.session_state["page show"] = "browse", corpus_id
    state.set_page_value("show", corpus_id)


def _delete(upload_id: str, in_use: str) -> None:
    """Delete an upload, and forget what the server holds of it."""
    if in_use.endswith(f"-{upload_id}"):
        corpus_views.use("tour")
        st.session_state.pop("my text", None)
    try:
        delete_upload(upload_id)
    except IsoglossError as problem:
        st.toast(chrome.plain(problem))
    for key in ("show", "added"):
        if state.page_value(key, "").endswith(f"-{upload_id}"):
            state.set_page_value(key, "")
    data.whole_corpus.clear()
    data.corpus.clear()


def _corpus_id(upload: Upload) -> str:
    """The id of the corpus in an upload."""
    return f"{'text' if upload.reader == MY_TEXT else 'upload'}-{upload.id}"


if __name__ == "__main__":
    render()
