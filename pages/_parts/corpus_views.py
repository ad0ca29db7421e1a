"""The card of a corpus, its rows and the validator's report, as the data page shows them."""

from typing import Any

import streamlit as st

from analysis.registry import registered
from analysis.text.browse import find_rows, linked_groups
from analysis.text.corpus import Corpus
from analysis.text.languages import language
from analysis.text.uploads import MY_TEXT, find_upload, load_upload
from analysis.text.validate import ValidationReport, report
from pages._parts import chrome, corpora, data, state, words

SHOWN = 1000  # rows in a table
CUT = 300  # characters of a sentence in a table
MANY = 20_000  # sentences after which the validator is run on request only
SHOWN_PROBLEMS = 2000


def show_card(corpus_id: str, corpus: Corpus) -> None:
    """Where a corpus comes from, its licence, how it was made, and how large it is."""
    spec = registered("corpora").get(corpus_id)
    facts = {"Rows": f"{len(corpus):,}", "Languages": f"{len(corpus.languages):,}", "A row is": f"one {corpus.unit}"}
    if spec is not None:
        facts |= {"What": spec.summary}
    facts |= {"Source": corpus.source or "not stated", "Licence": corpus.licence or "not stated"}
    if spec is None:
        upload = find_upload(corpus_id.partition("-")[2])
        own = upload.reader == MY_TEXT
        facts |= {"Format": "typed text" if own else registered("readers")[upload.reader].title, "Id": corpus_id}
    linked = any(any(s.concepts) for row in corpus.rows[:50] for s in row.values()) or bool(corpus.links)
    facts["Word links"] = (corpus.links_origin or "yes") if linked else "none: measures of words are not offered"
    st.markdown("  \n".join(f":small[:gray[{name}]]  {chrome.plain(value)}" for name, value in facts.items()))


def use_button(corpus_id: str, key: str) -> None:
    """A button that makes a corpus the one of all pages."""
    used = state.current().corpus == corpus_id
    st.button(
        "In use on all pages" if used else "Use this corpus", key=key, disabled=used, on_click=use, args=(corpus_id,),
        type="secondary" if used else "primary",
    )  # fmt: skip


def use(corpus_id: str) -> None:
    """Choose a corpus in the sidebar; to be called before the sidebar is drawn."""
    typed = corpus_id.startswith("text-")
    st.session_state["box corpus"] = MY_TEXT if typed else corpus_id
    if typed:
        st.session_state["my text"] = corpus_id
        st.session_state.pop("box text", None)


def browse(corpus_id: str, corpus: Corpus) -> None:
    """The rows of a corpus with filters, and one row in full."""
    shared = [tag for tag in state.current().languages if tag in corpus.languages]
    one, two, three = st.columns([3, 2, 3])
    tags = one.multiselect(
        "Languages shown", corpus.languages, key=f"shown {corpus_id}", default=shared or list(corpus.languages[:4]),
        format_func=lambda tag: language(tag).name,
    )  # fmt: skip
    tags = tags or list(corpus.languages[:1])
    kinds = ["", *dict.fromkeys(category for category in corpus.categories if category)]
    category = two.selectbox(
        "Category", kinds, key=state.seeded("category", "", kinds), format_func=lambda name: name or "all"
    )
    text = three.text_input("Search text or row", key=state.seeded("find", ""), max_chars=200)
    state.set_page_value("category", category)
    state.set_page_value("find", text)
    rows = find_rows(corpus, languages=tags, category=category, text=text, limit=SHOWN + 1)
    if not rows:
        st.info("No row matches: clear the search or choose another category.")
        return
    more, rows = len(rows) > SHOWN, rows[:SHOWN]
    event = chrome.table(
        _row_columns(corpus, rows, tags), key=f"rows {corpus_id} {category} {text}", on_select="rerun",
        selection_mode="single-row", height=420 if len(rows) > 10 else "auto",
    )  # fmt: skip
    cut = f"The first {SHOWN:,} rows that match. " if more else f"{len(rows):,} of {len(corpus):,} rows. "
    st.caption(f"{cut}Tick a row to read it in full with its word links; long sentences are cut in the table.")
    picked = event.selection.rows if hasattr(event, "selection") else []
    names = [corpus.row_ids[n] for n in rows]
    asked = state.page_value("row", names[0])
    at = picked[0] if picked and picked[0] < len(rows) else names.index(asked) if asked in names else 0
    if picked:
        state.set_page_value("row", names[at])
    _show_row(corpus, rows[at], tags)


def _row_columns(corpus: Corpus, rows: list[int], tags: list[str]) -> dict[str, list[str]]:
    """The table of rows."""
    table: dict[str, list[str]] = {"row": [corpus.row_ids[n] for n in rows]}
    if corpus.categories:
        table["category"] = [corpus.categories[n] for n in rows]
    for tag in tags:
        table[f"{language(tag).name} ({tag})"] = [
            corpus.rows[n][tag].text[:CUT] if tag in corpus.rows[n] else "" for n in rows
        ]
    return table


def _show_row(corpus: Corpus, row: int, tags: list[str]) -> None:
    """One row in full: its sentences in their own direction, and which words are linked."""
    st.markdown(f"**Row {chrome.plain(corpus.row_ids[row])}**")
    left, right = st.columns(2, gap="medium")
    with left:
        there = [tag for tag in tags if tag in corpus.rows[row]]
        chrome.sentences(
            [(language(tag).name, words.sentence_html(corpus.rows[row][tag], width=2000)) for tag in there]
        )
    groups = linked_groups(corpus, row, tags)
    with right:
        if groups:
            chrome.table(chrome.columns(groups), height=420 if len(groups) > 11 else "auto")
            st.caption("Words in one line translate each other in this row.")
        else:
            st.caption("No word links are known for this row and these languages.")


def show_report(corpus_id: str, corpus: Corpus) -> None:
    """What the validator finds; on request where there is much text."""
    size = len(corpus) * len(corpus.languages)
    if size > MANY and not st.button(f"Look through about {size:,} sentences", key=f"validate {corpus_id}"):
        st.caption("The validator waits, since this corpus is large.")
        return
    found = _report(corpus_id)
    if found.problems:
        many = len(found.problems)
        st.markdown(f"**{many:,} {'line' if many == 1 else 'lines'} could not be read as they are**")
        first = found.problems[:SHOWN_PROBLEMS]
        chrome.table(
            {"line": [item.line or None for item in first], "what is wrong": [item.message for item in first]},
            height=320 if len(first) > 8 else "auto",
        )
        if many > SHOWN_PROBLEMS:
            st.caption(f"The first {SHOWN_PROBLEMS:,} of {many:,}.")
    else:
        st.markdown("Every line could be read.")
    if found.findings:
        chrome.table(
            {
                "what was found": [item.title for item in found.findings],
                "how often": [item.count for item in found.findings],
                "of": [item.of for item in found.findings],
                "for example": [_example(item.examples) for item in found.findings],
            }
        )
        st.caption("Nothing here is changed or left out: these rows are used as they are.")
    else:
        st.markdown("Nothing odd was found in the text.")
    chrome.table(
        {
            "language": [f"{language(item.language).name} ({item.language})" for item in found.languages],
            "sentences": [item.sentences for item in found.languages],
            "words": [item.words for item in found.languages],
            "characters": [item.characters for item in found.languages],
            "longest": [item.longest for item in found.languages],
        }
    )
    st.caption(f"{found.complete:,} of {found.rows:,} rows have every language.")


def _example(examples: tuple[Any, ...]) -> str:
    """The first place where a finding shows."""
    return f"row {examples[0].row}, {examples[0].language}: {examples[0].text}" if examples else ""


@st.cache_data(max_entries=32, show_spinner="Looking through the text ...")
def _report(corpus_id: str) -> ValidationReport:
    """The validator's report, with the lines its reader complained about."""
    kind, _, upload = corpus_id.partition("-")
    if kind in ("text", "upload") and upload:
        corpus, problems = load_upload(upload)
        return report(corpus, problems)
    return report(data.whole_corpus(corpus_id))


def title(corpus_id: str) -> str:
    """What a corpus is called, with its id where it is somebody's own."""
    own = corpus_id.startswith(("text-", "upload-"))
    return f"{corpora.title(corpus_id)} ({corpus_id})" if own else corpora.title(corpus_id)
