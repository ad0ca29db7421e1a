"""One training run: its state while it runs, its curves, and what to do with it."""

import streamlit as st

from analysis.figures import training as curves
from analysis.jobs.runs import Run
from analysis.jobs.state import State, Status, metrics, state
from pages._parts import chrome, jobs, trained, training_runs

POLL = 2.0  # seconds between two looks at a run
REMEDIES = {
    Status.FAILED: "Change what the line names and start a new training, or resume this one if the cause is gone.",
    Status.INTERRUPTED: "Resume it: it goes on from its last checkpoint.",
    Status.STOPPED: "Resume it and it goes on from its last checkpoint, as if it had never been stopped.",
}


def panel(run: Run) -> None:
    """A run: redrawn on its own while it runs, drawn once else; its encoder opens when it is done."""
    said = state(run)
    if said.status is Status.RUNNING:
        st.session_state.setdefault("watched runs", set()).add(run.id)
        _watch(run)
        return
    if said.status is Status.DONE:
        trained.open_once(run, said)
    _draw(run, said)


@st.fragment(run_every=POLL)
def _watch(run: Run) -> None:
    """The panel of a run that runs; the whole page is drawn when it has ended."""
    said = state(run)
    if said.status is not Status.RUNNING:
        st.rerun()
    _draw(run, said)


def _draw(run: Run, said: State) -> None:
    """Finding, status, buttons, what went wrong, before and after, curves, log."""
    found = metrics(run)
    st.markdown(f"## {chrome.plain(_finding(run, said, found))}")
    st.markdown(f"{jobs.badge(said.status)} **{chrome.plain(run.title)}** :small[:gray[{training_runs.facts(run)}]]")
    if said.status is not Status.DONE:
        _progress(said, found)
    if said.error:
        chrome.error(said.error)
    if said.status in REMEDIES:
        st.caption(REMEDIES[said.status])
    with chrome.guard():
        training_runs.buttons(run, said)
    if said.status is Status.DONE:
        with chrome.guard():
            trained.before_after(run, said)
    with chrome.guard():
        _curves(found, said.total if said.text.startswith("step") else 0)
    jobs.log(run)


def _finding(run: Run, said: State, found: curves.Metrics) -> str:
    """The panel's title: what the development data say, else what the run is at."""
    if said.status is Status.DONE:
        return trained.finding(run, said)
    if said.status is Status.FAILED:
        return f"The training of {run.title} failed"
    return curves.tell_dev(found) or (f"Training {run.title}" if said.status is Status.RUNNING else run.title)


def _progress(said: State, found: curves.Metrics) -> None:
    """How far it is, how long it took, and how long the steps that are left take."""
    share = min(1.0, said.done / said.total) if said.total else 0.0
    told = [said.text or ("Working" if said.status is Status.RUNNING else "")]
    if said.total and f"{said.done:,}" not in said.text and str(said.done) not in said.text:
        told += [f"{said.done:,} of {said.total:,}"]
    told += [f"{jobs.duration(said.seconds)} so far"]
    left = curves.seconds_left(found, said.total) if said.status is Status.RUNNING else None
    told += [f"about {jobs.duration(left)} left"] if left else []
    st.progress(share, text=chrome.plain(", ".join(filter(None, told))))


def _curves(found: curves.Metrics, total: int) -> None:
    """Development scores large, loss and forgetting beside them; only those there are."""
    dev, losses, forgetting = curves.dev_rows(found), curves.loss_rows(found), curves.forgetting_rows(found)
    if not (dev or losses or forgetting):
        return
    left, right = st.columns([3, 2], gap="large") if dev and (losses or forgetting) else (st.container(),) * 2
    if dev:
        with left:
            _dev(found, total)
    with right:
        if losses:
            _loss(found, total)
        if forgetting:
            _forgetting(found, total)


def _dev(found: curves.Metrics, total: int) -> None:
    """Development scores over the steps."""
    best = curves.best_step(found)
    st.markdown("#### Do translations come closer?")
    kept = f" The dotted upright is the best look so far, step {best:,}." if best else ""
    chrome.figure(
        curves.draw_dev(found, total=total), name="training-dev", data=lambda: chrome.columns(curves.dev_rows(found)),
        caption="Share of development words or sentences whose nearest neighbour in the other language is their "
        f"translation; step 0 is the base, the wide grey line the mean.{kept} Without intervals, and looked at many "
        "times: it chooses weights and does not prove a gain.",
    )  # fmt: skip


def _loss(found: curves.Metrics, total: int) -> None:
    """The loss over the steps."""
    st.markdown(f"#### {chrome.plain(curves.tell_loss(found))}")
    chrome.figure(
        curves.draw_loss(found, total=total),
        name="training-loss",
        data=lambda: chrome.columns(curves.loss_rows(found)),
        caption="What is minimised, on the training text; named terms add up to the total. A lower loss alone does not "
        "show that languages line up.",
    )


def _forgetting(found: curves.Metrics, total: int) -> None:
    """What English has kept."""
    st.markdown(f"#### {chrome.plain(curves.tell_forgetting(found))}")
    chrome.figure(
        curves.draw_forgetting(found, total=total), name="training-forgetting",
        data=lambda: chrome.columns(curves.forgetting_rows(found)),
        caption="How many of the ten nearest English neighbours stay the same, and how far English words have moved "
        "from the base (1 − cosine). It does not show whether what changed was worth keeping.",
    )  # fmt: skip
