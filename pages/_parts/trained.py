"""An encoder that was trained here: before and after, the way to the other pages, download, rename, delete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.encoders.names import aligned_folders, encoder_roots, read_card
from analysis.encoders.trained import delete_encoder, full_name, rename_encoder, zip_encoder
from analysis.errors import InputError
from analysis.figures.development import development_rows, draw_development, tell_development
from analysis.jobs.runs import Run, list_runs, rename
from analysis.jobs.state import State, Status
from analysis.jobs.state import state as state_of
from pages._parts import chrome, jobs, state, training_runs

WAYS = (("home", "The picture and the scores"), ("explore", "Every word, before and after"),
        ("layers", "Every layer"), ("translate", "Nearest translations"))  # fmt: skip


def open_once(run: Run, said: State) -> None:
    """Make the base A and the new encoder B where this session, or nobody yet, has seen the run end."""
    watched: set[str] = st.session_state.setdefault("watched runs", set())
    folder = training_runs.encoder_folder(run, said)
    if folder is None or not (run.id in watched or not training_runs.notes(run).get("seen")):
        return
    watched.discard(run.id)
    training_runs.note(run, seen=True)
    with chrome.guard():
        base, name = str(read_card(folder)["base"]), full_name(folder)
        view = state.current()
        if (view.a, view.b) != (base, name):
            state.show_encoders(base, name)


def finding(run: Run, said: State) -> str:
    """The title of a run that is done."""
    folder = training_runs.encoder_folder(run, said)
    if folder is None:
        return f"{run.title} is done, its encoder is gone"
    try:
        return tell_development(read_card(folder))
    except InputError:
        return f"{run.title} is done"


def before_after(run: Run, said: State) -> None:
    """Development scores of base and new encoder, the ways on, and what can be done with the encoder."""
    folder = training_runs.encoder_folder(run, said)
    if folder is None:
        st.info("The encoder of this run was deleted or moved; start a new training to have it again.")
        return
    card, name = read_card(folder), full_name(folder)
    left, right = st.columns([3, 2], gap="large")
    rows = development_rows(card)
    with left:
        if rows:
            n = ", ".join(dict.fromkeys(f"{row['n']:,}" for row in rows))
            chrome.figure(
                draw_development(card), name="training-before-after",
                data=lambda: {key: [row[key] for row in rows] for key in rows[0]},
                caption="Grey: the base; coloured: the new encoder; its line is the paired 95 % bootstrap interval of "
                f"the change, laid off from the base; n = {n}.{_kept(card)} Weights, layer and decoder may be chosen "
                "on these data, which flatters the gain: report a test set.",
            )  # fmt: skip
        else:
            st.info("No development data were given: compare the two encoders on the other pages.")
    with right:
        _ways(card["base"], name)
        tools(folder, name, key="run", run=run)


def _kept(card: Mapping[str, Any]) -> str:
    """Which weights of a training are kept, "" of a closed form."""
    step, steps = card.get("kept_step"), card.get("steps")
    return f" The weights of step {step:,} of {steps:,} are kept." if isinstance(step, int) and steps else ""


def _ways(base: str, name: str) -> None:
    """Links to the pages that compare the two."""
    view = state.current()
    st.markdown(f"A **{chrome.plain(base)}**  \nB **{chrome.plain(name)}**")
    if (view.a, view.b) != (base, name):
        st.caption("The sidebar shows other encoders.")
        if st.button("Show these as A and B", key="show trained"):
            state.show_encoders(base, name)
    shared = state.as_query(view) | {"a": base, "b": name}
    for page, label in WAYS:
        if (Path(__file__).parents[1] / f"{page}.py").exists():
            st.page_link(f"pages/{page}.py", label=label, icon=":material/arrow_forward:", query_params=shared)


def tools(folder: Path, name: str, *, key: str, run: Run | None = None) -> None:
    """Download, rename, delete.

    Args:
        folder: of the encoder.
        name: its full name.
        key: tells the widgets of two encoders apart.
        run: the run that made it, if its panel is shown.
    """
    row = st.container(horizontal=True, vertical_alignment="center")
    row.download_button(
        "Download", lambda: zip_encoder(folder), f"{folder.name}.zip", "application/zip", key=f"{key} zip",
        on_click="ignore", help="The encoder's folder as a ZIP file: README.md, isogloss.json, weights.",
    )  # fmt: skip
    with row.popover("Rename encoder" if run else "Rename"):
        wanted = st.text_input("New name", value=folder.name, max_chars=80, key=f"{key} name {folder.name}")
        if st.button("Rename", key=f"{key} rename encoder"):
            jobs.attempt(lambda: _rename(folder, name, wanted, run))
    with row.popover("Delete encoder" if run else "Delete"):
        st.markdown(f"Delete the encoder {chrome.plain(folder.name)} for everyone who uses this server?")
        if st.button("Yes, delete it", key=f"{key} delete encoder"):
            jobs.attempt(lambda: _delete(folder, name))


def _in_use(name: str, folder: Path) -> None:
    """Refuse to touch an encoder that a running training stands on.

    Raises:
        InputError: one does.
    """
    for run in list_runs(training_runs.KIND):
        if run.spec.get("encoder") in (name, str(folder)) and state_of(run).status is Status.RUNNING:
            raise InputError(f"{name} is the base of the running training {run.title!r}; stop it first")


def _rename(folder: Path, name: str, wanted: str, run: Run | None) -> None:
    """Rename an encoder, and let its run and the sidebar follow.

    Raises:
        InputError: a name that is none, is taken, or an encoder in use.
        IsoglossError: the folder cannot be renamed.
    """
    _in_use(name, folder)
    target = rename_encoder(folder, wanted)
    for one in [run] if run else list_runs(training_runs.KIND):
        if run or training_runs.notes(one).get("folder", one.spec.get("out")) == str(folder):
            training_runs.note(one, folder=str(target))
            rename(one, wanted)
    new = full_name(target)
    view = state.current()
    if name in (view.a, view.b):
        state.show_encoders(*(new if shown == name else shown for shown in (view.a, view.b)))


def _delete(folder: Path, name: str) -> None:
    """Delete an encoder and take it out of the sidebar.

    Raises:
        InputError: it is in use.
        IsoglossError: the folder cannot be deleted.
    """
    _in_use(name, folder)
    base = str(read_card(folder)["base"])
    delete_encoder(folder)
    view = state.current()
    if name in (view.a, view.b):
        state.show_encoders(*(base if shown == name else shown for shown in (view.a, view.b)))


def shelf() -> None:
    """All encoders trained here, whether a run of them is left or not."""
    root = encoder_roots()[1]
    mine = [(name, folder, card) for name, folder, card in aligned_folders() if folder.parent == root]
    if not mine:
        return
    with st.expander("1 encoder trained here" if len(mine) == 1 else f"{len(mine)} encoders trained here"):
        for name, folder, card in mine:
            left, right = st.columns([3, 2], vertical_alignment="center")
            left.markdown(
                f"**{chrome.plain(name)}**  \n:small[:gray[{chrome.plain(card.get('summary') or card.get('method'))}]]"
            )
            with right, chrome.guard():
                tools(folder, name, key=f"shelf {folder.name}")
