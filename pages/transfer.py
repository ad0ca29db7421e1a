"""Transfer: learn a task from labels of one language, read the gain in the others, base against aligned."""

import streamlit as st

from pages._parts import chrome, state
from pages._parts.transferring import common, result
from pages._parts.transferring import form as transfer_form
from pages._parts.transferring import run as running

TITLE = "Transfer"
ORDER = 55


def render() -> None:
    """Draw the page: the runs of the link, or the form of a new one; below them all runs."""
    view = state.current()
    runs = common.selected()
    if common.PROBLEM in st.session_state:
        chrome.error(st.session_state[common.PROBLEM])
    if runs:
        with chrome.guard():
            running.panel(runs, result.show)
    else:
        st.header("Does a task learned in one language work in the others?")
        with chrome.guard():
            _welcome(view)
        with chrome.guard():
            transfer_form.form(view)
    st.divider()
    with chrome.guard():
        running.table([run.id for run in runs])
    st.session_state.pop(common.PROBLEM, None)  # not reached where the page is drawn again at once


def _welcome(view: state.View) -> None:
    """What one can do here, and a transfer that needs no choice."""
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    left.markdown(
        "Labels are costly and mostly English: an encoder whose languages line up learns a task from one language and can "
        "do it in the rest. Here it learns from labels of one language and is scored in all, A and B on the same items "
        "with the same seed, so that you see what alignment is worth. It runs in a process of its own: close this tab, "
        "come back, stop it or resume it."
    )
    wanted = transfer_form.first(view)
    with right:
        if wanted is None:
            st.caption("Name labelled data below, or set ISOGLOSS_DATA to the folder of the public sets.")
            return
        if st.button("Start a first transfer", key="first transfer"):
            transfer_form.launch(wanted)
        count = "on A and B at once" if len(wanted.encoders) > 1 else f"on {wanted.encoders[0]}"
        st.caption(chrome.plain(f"{transfer_form.told(wanted)}, {count}; needs no download. {transfer_form.TAKES}"))


if __name__ == "__main__":
    render()
