"""Runs of the transfer page: progress, loss, stop, resume, and the list of all of them."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from analysis.figures import gradients
from analysis.figures import training as curves
from analysis.jobs import control
from analysis.jobs.runs import Run, list_runs, rename
from analysis.jobs.state import State, Status, metrics, state
from analysis.registry import registered
from analysis.transfer.job import KIND
from pages._parts import chrome
from pages._parts.jobs import attempt, badge, duration, log
from pages._parts.transferring import common

POLL = 2.0  # seconds between two looks at a run
LIST_POLL = 10.0
LISTED = 50
REMEDIES = {
    Status.FAILED: "Change what the line names and start again, or resume this run if the cause is gone.",
    Status.INTERRUPTED: "Resume it: it goes on from its last checkpoint.",
    Status.STOPPED: "Resume it and it goes on from its last checkpoint, as if it had never been stopped.",
}
Show = Callable[[list[Run]], None]


def panel(runs: Sequence[Run], show: Show) -> None:
    """One run or two side by side, A left: what runs is redrawn on its own, what is done shows its result.

    Args:
        runs: A first.
        show: draws the result of those that are done.
    """
    said = [state(run) for run in runs]
    done = [run for run, one in zip(runs, said, strict=True) if one.status is Status.DONE]
    if len(done) < len(runs):
        if any(one.status is Status.RUNNING for one in said):
            _watch(list(runs), [one.status for one in said])
        else:
            _heads(runs, said)
    if done:
        show(done)
        _after(done)


@st.fragment(run_every=POLL)
def _watch(runs: list[Run], before: list[Status]) -> None:
    """The heads of runs of which one runs; the whole page is drawn when one has ended."""
    said = [state(run) for run in runs]
    if [one.status for one in said] != before:
        st.rerun()
    _heads(runs, said)


def _heads(runs: Sequence[Run], said: Sequence[State]) -> None:
    """The runs that are not done, side by side where there are two."""
    going = sum(one.status is Status.RUNNING for one in said)
    st.header("Learning the task" if going else "Not finished")
    if going:
        st.caption("It goes on when this tab is closed; the address of this page finds it again.")
    places = st.columns(2, gap="large") if len(runs) > 1 else [st.container()]
    for n, (place, run, one) in enumerate(zip(places, runs, said, strict=False)):
        with place:
            _head(run, one, "AB"[n] if len(runs) > 1 else "")


def _head(run: Run, said: State, side: str) -> None:
    """What it is, how far it is, its loss, what went wrong, what can be done."""
    found = metrics(run)
    st.markdown(f"#### {f'{side}: ' if side else ''}{chrome.plain(run.title)}")
    st.markdown(f"{badge(said.status)} :small[:gray[{facts(run)}]]")
    if said.status is Status.DONE:
        st.caption("Done: its scores are below.")
    else:
        _progress(said, found)
    if said.error:
        chrome.error(said.error)
    if said.status in REMEDIES:
        st.caption(REMEDIES[said.status])
    if said.status is not Status.DONE:
        buttons(run, said)
    with chrome.guard():
        loss(run, found, side, said.total if said.text.startswith("step") else 0)
    log(run)


def _progress(said: State, found: curves.Metrics) -> None:
    """How far it is, how long it took, and how long the steps that are left take."""
    share = min(1.0, said.done / said.total) if said.total else 0.0
    running = said.status is Status.RUNNING
    told = [said.text or ("Reading the encoder and the data" if running else ""), f"{duration(said.seconds)} so far"]
    left = curves.seconds_left(found, said.total) if running and said.text.startswith("step") else None
    told += [f"about {duration(left)} of training left"] if left else []
    st.progress(share, text=chrome.plain(", ".join(filter(None, told))))


def loss(run: Run, found: curves.Metrics, side: str, total: int = 0) -> None:
    """The loss over the steps, nothing before the first.

    Args:
        run: which one.
        found: its metrics.
        side: `A` or `B` where there are two, else "".
        total: steps planned, so that the axis is as long from the start.
    """
    rows = curves.loss_rows(found)
    if not rows:
        return
    name = f"transfer-loss{f'-{side.lower()}' if side else ''}"
    st.markdown(f"**{chrome.plain(curves.tell_loss(found))}**")
    chrome.figure(
        curves.draw_loss(found, total=total), name=name, key=f"{name} {run.id}", data=lambda: chrome.columns(rows),
        caption="What is minimised, on the labels of the source language; named terms add up to the total. It says "
        "nothing of the other languages.",
    )  # fmt: skip
    angles = gradients.cosine_rows(found)
    if angles:
        st.markdown(f"**{chrome.plain(gradients.tell_cosines(found))}**")
        chrome.figure(
            gradients.draw_cosines(found, total=total), name=f"{name}-gradients", key=f"gradients {name} {run.id}",
            data=lambda: chrome.columns(angles),
            caption="How far what is to be kept and the task agree on where the weights should go: 1 the same way, 0 they "
            "have nothing to do with each other, below 0 one step undoes the other's.",
        )  # fmt: skip


def facts(run: Run) -> str:
    """What a run was given, in one line."""
    spec = run.spec
    told = [f"{spec.get('task', '?')} by {spec.get('regime', '?')} on {spec.get('encoder', '?')}"]
    told += [", ".join(map(str, spec.get("train") or ())) + " → " + ", ".join(map(str, spec.get("test") or ()))]
    told += [", ".join(str(one) for key in ("data", "dictionary", "monolingual") for one in spec.get(key) or ())]
    told += [" ".join(map(str, spec.get("settings") or ())), f"seed {spec.get('seed', 0)}"]
    return chrome.plain("; ".join(filter(None, told)))


def buttons(run: Run, said: State) -> None:
    """What can be done with a run that is not done."""
    row = st.container(horizontal=True, vertical_alignment="center")
    if said.status is Status.RUNNING:
        if row.button("Stop", key=f"stop {run.id}", help="It can be resumed from its last checkpoint."):
            attempt(lambda: control.stop(run))
    elif row.button("Resume", key=f"resume {run.id}", type="primary"):
        attempt(lambda: control.resume(run))
    _tools(row, run)
    _new(row, run)


def _after(done: Sequence[Run]) -> None:
    """What can be done with runs that are done."""
    row = st.container(horizontal=True, vertical_alignment="center")
    for n, run in enumerate(done):
        _tools(row, run, "AB"[n] if len(done) > 1 else "")
    _new(row, done[0])


def _tools(row: Any, run: Run, side: str = "") -> None:
    """Rename and discard; of two runs the buttons say which."""
    of = f" {side}" if side else ""
    with row.popover(f"Rename{of}"):
        title = st.text_input("Title of the run", value=run.title, max_chars=80, key=f"title {run.id}")
        if st.button("Rename", key=f"rename {run.id}"):
            attempt(lambda: rename(run, title))
    with row.popover(f"Discard{of}"):
        st.markdown(f"Delete the run {chrome.plain(run.title)} with its scores, predictions and weights?")
        if st.button("Yes, discard it", key=f"discard {run.id}"):
            others = [one.id for one in common.selected() if one.id != run.id]
            attempt(lambda: common.discard(run), then=lambda: common.open_runs(others))


def _new(row: Any, run: Run) -> None:
    """Back to the form, which has kept what was chosen."""
    if row.button("New transfer", key=f"new {run.id}", type="tertiary"):
        common.open_runs([])
        st.rerun()


def table(current: Sequence[str]) -> None:
    """All transfer runs, newest first; a click opens one. It is drawn anew from time to time while one runs.

    Args:
        current: ids of the runs that are shown.
    """
    going = any(state(run).status is Status.RUNNING for run in list_runs(KIND)[:LISTED])
    st.fragment(_table, run_every=LIST_POLL if going else None)(list(current))


def _table(current: list[str]) -> None:
    """The list."""
    runs = list_runs(KIND)
    if not runs:
        return
    states = [state(run) for run in runs[:LISTED]]
    going = sum(said.status is Status.RUNNING for said in states)
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    st.markdown(f"### {count}, {going if going else 'none'} running")
    rows = [_row(run, said) for run, said in zip(runs, states, strict=False)]
    rows = [{name: value for name, value in row.items() if any(one[name] is not None for one in rows)} for row in rows]
    number = st.column_config.NumberColumn(format="%.1f")
    event = chrome.table(
        chrome.columns(rows), key=f"transfers of {' '.join(current)} {len(runs)}", on_select="rerun",
        selection_mode="multi-row",
        column_config={"run": st.column_config.TextColumn(width="large"), "source": number, "others": number,
                       "gap": number},
    )  # fmt: skip
    older = f" The {LISTED} newest of {len(runs):,} are listed." if len(runs) > LISTED else ""
    st.caption(f"Tick a run, or two of one task to hold them against each other, and open them.{older}")
    picked = [runs[n].id for n in sorted(event.selection.rows)] if hasattr(event, "selection") else []
    opened = st.button(
        "Open" if len(picked) < 2 else "Compare the two", key="open picked", disabled=len(picked) not in (1, 2),
        help="Of two, the older one is A." if len(picked) == 2 else None,
    )  # fmt: skip
    if opened:
        common.open_runs(picked[::-1])
        st.rerun()


def _row(run: Run, said: State) -> dict[str, Any]:
    """One line of the list."""
    spec, result = run.spec, said.result or {}
    tasks, regimes = registered("tasks"), registered("regimes")
    task, regime = str(spec.get("task", "")), str(spec.get("regime", ""))
    return {
        "run": run.title, "status": said.status.value, "task": tasks[task].title if task in tasks else task,
        "regime": regimes[regime].title if regime in regimes else regime,
        "encoder": common.labels([spec])[0], "source": result.get("source"), "others": result.get("mean_others"),
        "gap": result.get("gap"), "time": duration(said.seconds), "started": run.created[:16].replace("T", " "),
        "at": said.error or (said.text if said.status is not Status.DONE else ""),
    }  # fmt: skip
