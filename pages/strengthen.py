"""Strengthen: train an alignment, watch it, stop it, resume it, and see what it changed."""

import streamlit as st

from pages._parts import chrome, launch, state, trained, training_form, training_run, training_runs

TITLE = "Strengthen"
ORDER = 50


def render() -> None:
    """Draw the page: the run of the link, or the form of a new one; below them all runs."""
    view = state.current()
    run = training_runs.selected()
    if run is not None:
        training_run.panel(run)
    else:
        st.header(f"Bring the languages of {chrome.plain(view.a)} closer together")
        _welcome(view)
        with chrome.guard():
            training_form.form(view)
    st.divider()
    with chrome.guard():
        training_runs.table(run.id if run else "")
    with chrome.guard():
        trained.shelf()


def _welcome(view: state.View) -> None:
    """What one can do here, and a training that needs no choice."""
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    left.markdown(
        "Alignment changes an encoder so that translations lie closer together than other words; here you train one "
        "on text of your choice and watch what it gains and forgets. It runs in a process of its own: close this tab, "
        "come back, stop it or resume it, and when it is done it opens as B beside its base."
    )
    with right, chrome.guard():
        found = launch.preset(view.a)
        if found is None:
            st.caption("No text to train on is here: add some on the page Data.")
            return
        wanted, told = found
        if st.button("Start a two-minute training", key="preset", help=chrome.plain(told)):
            launch.start(wanted)
            st.rerun()
        st.caption(chrome.plain(f"{wanted.method} on {wanted.encoder}: {told}"))


if __name__ == "__main__":
    render()
