"""Evaluate: encoders side by side by any measures, with intervals, corrected tests and the errors behind each number."""

import streamlit as st

from analysis.comparison.plan import Plan
from analysis.jobs.runs import Run
from analysis.jobs.state import State, Status
from pages._parts import chrome, state
from pages._parts.evaluating import common
from pages._parts.evaluating import form as evaluating_form
from pages._parts.evaluating import result as evaluating_result
from pages._parts.evaluating import run as evaluating_run

TITLE = "Evaluate"
ORDER = 35


def render() -> None:
    """Draw the page: the comparison of the link, or the form with the table of what is there already."""
    view = state.current()
    run = common.selected()
    if common.PROBLEM in st.session_state:
        chrome.error(st.session_state[common.PROBLEM])
    if run is not None:
        with chrome.guard():
            evaluating_run.panel(run, _show)
    else:
        _new(view)
    st.divider()
    with chrome.guard():
        evaluating_run.table(run.id if run else "")
    st.session_state.pop(common.PROBLEM, None)  # not reached where the page is drawn again at once


def _new(view: state.View) -> None:
    """The form; where everything it asks for is in the cache, the table stands above it at once."""
    top = st.container()
    shown = bool(st.session_state.get("table shown"))
    with st.expander("What is compared", expanded=not shown, key="form of a comparison"), chrome.guard():
        request = evaluating_form.form(view)
    done = False
    with top, chrome.guard():
        made = common.plan_of(request) if request is not None else None
        done = made is not None and _at_once(made)
        if not done:
            st.header("Which encoder lines the languages up better, and where does it fail?")
            st.markdown(
                "Choose encoders, measures and text. Every score comes with its interval over sentences, B is tested "
                "against A on the same sentences, and each number opens the errors behind it."
            )
        if made is not None and not done:
            _offer(made)
    if done != shown:
        st.session_state["table shown"] = done
        st.rerun()


def _offer(made: Plan) -> None:
    """The run of the same request where there is one, else its cost and the button that starts it."""
    run = common.equal_run(made.request)
    if run is None:
        evaluating_run.offer(made, common.estimate(made))
        return
    st.info("This comparison has been started before.")
    if st.button("Open it", key="open equal", type="primary"):
        common.open_run(run.id)
        st.rerun()


def _at_once(made: Plan) -> bool:
    """Show the table of a request whose scores are all in the cache; whether they are."""
    if common.present(made) < len(made.cells):
        return False
    scores = common.scores_of(made)
    if scores.missing:
        return False
    evaluating_result.show(made, scores)
    return True


def _show(run: Run, said: State) -> None:
    """The table of a run, or of what there is of one that has not ended well."""
    with chrome.guard():
        made = common.plan_of(common.request_of(run))
        scores = common.scores_of(made)
        if not scores.entries:
            if said.status is Status.DONE:
                st.info("The scores of this comparison are no longer in the cache, or an encoder has changed since.")
                _again(run, said)
            return
        evaluating_result.show(made, scores, run)
        failed = tuple(line for line in (said.result or {}).get("skipped", []) if line not in map(str, scores.skipped))
        evaluating_run.skipped(failed)
        if scores.missing and said.status is Status.DONE and not failed:
            st.caption(f"{scores.missing:,} scores are no longer in the cache, or an encoder has changed since.")
            _again(run, said)
    if said.status is Status.DONE:
        evaluating_run.buttons(run, said)


def _again(run: Run, said: State) -> None:
    """A button that computes a finished comparison again."""
    if st.button("Compute what is missing", key="again", type="primary"):
        evaluating_run.again(run)
        st.rerun()
    if not said.result:
        st.caption("It has left no result.")


if __name__ == "__main__":
    render()
