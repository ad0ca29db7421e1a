"""A comparison that is computed in a process of its own: start, progress, stop, resume, and the list of all of them."""

from collections.abc import Callable

import streamlit as st

from analysis.comparison.estimate import Estimate
from analysis.comparison.job import ENTRY, KIND, make_spec
from analysis.comparison.plan import Plan
from analysis.comparison.request import Request
from analysis.comparison.scores import Skipped
from analysis.errors import IsoglossError
from analysis.jobs import control
from analysis.jobs.runs import Run, list_runs, rename
from analysis.jobs.state import State, Status, state
from pages._parts import chrome
from pages._parts.evaluating import common
from pages._parts.evaluating import form as evaluating_form
from pages._parts.jobs import attempt, badge, duration

POLL = 2.0  # seconds between two looks at a run
LISTED = 30
REMEDIES = {
    Status.FAILED: "Change what the line names and compare again, or resume if the cause is gone.",
    Status.INTERRUPTED: "Resume it: scores that are there are not computed again.",
    Status.STOPPED: "Resume it and it goes on where it was; the scores that are there are below.",
}


def start(request: Request) -> Run:
    """Start a comparison and show it; the same request again opens the run there is.

    Raises:
        InputError: it is other work of the same name.
        IsoglossError: the cache folder cannot be written.
    """
    run = control.start(ENTRY, make_spec(request), kind=KIND, title=_title(request), run_id=common.run_id(request))
    common.open_run(run.id)
    return run


def _title(request: Request) -> str:
    """`bundled, bundled+rotation on tour: 4 measures`."""
    named = ", ".join(common.names(request.encoders).values())
    text = ", ".join(one.removeprefix("corpus:").removeprefix("set:") for one in request.data[:2])
    more = f" and {len(request.data) - 2} more" if len(request.data) > 2 else ""
    count = len(request.measures)
    return f"{named} on {text}{more}: {count} measure{'s' if count > 1 else ''}"


def offer(made: Plan, cost: Estimate) -> None:
    """The cost and the button that starts."""
    row = st.container(horizontal=True, vertical_alignment="center")
    if row.button("Compare", key="compare", type="primary"):
        with st.spinner("Starting ..."):
            start(made.request)
        st.rerun()
    of = f" of {cost.cells:,}" if cost.cached else ""
    told = [f"**{cost.cells - cost.cached:,}**{of} scores to compute"]
    told += [f"about {cost.tokens:,} tokens to read"] if cost.tokens else []
    row.markdown(f"{', '.join(told)}, about **{duration(max(1.0, cost.seconds))}** :gray[({chrome.plain(cost.note)})]")
    skipped(made.skipped)


def skipped(lines: tuple[Skipped, ...] | tuple[str, ...]) -> None:
    """What is left out, with the reasons."""
    if not lines:
        return
    count = "1 part is" if len(lines) == 1 else f"{len(lines)} parts are"
    with st.expander(f"{count} left out"):
        for line in lines:
            st.markdown(f"- {chrome.plain(line)}")


def panel(run: Run, show: Callable[[Run, State], None]) -> None:
    """A run: redrawn on its own while it runs; its table once it has ended, or what there is of it.

    Args:
        run: the comparison.
        show: draws its table.
    """
    said = state(run)
    if said.status is Status.RUNNING:
        _watch(run)
        return
    if said.status is not Status.DONE:
        _head(run, said)
    show(run, said)


@st.fragment(run_every=POLL)
def _watch(run: Run) -> None:
    """The panel of a run that runs; the whole page is drawn when it has ended."""
    said = state(run)
    if said.status is not Status.RUNNING:
        st.rerun()
    _head(run, said)


def _head(run: Run, said: State) -> None:
    """What it is, how far it is, what went wrong, what can be done."""
    heads = {Status.RUNNING: "Comparing", Status.FAILED: "The comparison failed"}
    st.markdown(f"## {heads.get(said.status, 'The comparison is not finished')}: {chrome.plain(run.title)}")
    share = min(1.0, said.done / said.total) if said.total else 0.0
    told = [f"{said.done:,} of {said.total:,} scores"] if said.total else ["Reading the data and the encoders"]
    told += [duration(said.seconds)] + ([said.text] if said.text and said.status is Status.RUNNING else [])
    if said.status is Status.RUNNING and 0 < said.done < said.total and said.seconds > 5:
        told.insert(2, f"about {duration(said.seconds / said.done * (said.total - said.done))} left")
    st.progress(share, text=chrome.plain(", ".join(told)))
    if said.status is Status.RUNNING:
        st.caption("It goes on when this tab is closed; the address of this page finds it again.")
    if said.error:
        chrome.error(said.error)
    if said.status in REMEDIES:
        st.markdown(f"{badge(said.status)} {REMEDIES[said.status]}")
    buttons(run, said)


def buttons(run: Run, said: State) -> None:
    """What can be done with a run in its state."""
    row = st.container(horizontal=True, vertical_alignment="center")
    if said.status is Status.RUNNING:
        if row.button("Stop", key="stop comparison", help="Scores that are there are kept."):
            attempt(lambda: control.stop(run))
    elif said.status is not Status.DONE and row.button("Resume", key="resume comparison", type="primary"):
        attempt(lambda: control.resume(run))
    if row.button("Change and compare again", key="change comparison"):
        attempt(lambda: evaluating_form.fill(common.request_of(run)), then=lambda: common.open_run(""))
    with row.popover("Rename"):
        wanted = st.text_input("Title of the comparison", value=run.title, max_chars=80, key=f"title {run.id}")
        if st.button("Rename", key="rename comparison"):
            attempt(lambda: rename(run, wanted))
    with row.popover("Discard"):
        st.markdown(f"Delete {chrome.plain(run.title)} from the list? Its scores stay in the cache.")
        if st.button("Yes, discard it", key="discard comparison"):
            attempt(lambda: control.discard(run), then=lambda: common.open_run(""))
    if row.button("New comparison", key="new comparison", type="tertiary"):
        common.open_run("")
        st.rerun()


def again(run: Run) -> None:
    """Compute a finished comparison again whose scores are no longer in the cache.

    Raises:
        IsoglossError: the run's folder cannot be written.
    """
    request = common.request_of(run)
    control.discard(run)
    start(request)


def table(current: str) -> None:
    """Earlier comparisons, newest first; a click opens one."""
    runs = list_runs(KIND)
    if not runs:
        return
    st.markdown(f"### {'1 comparison' if len(runs) == 1 else f'{len(runs)} comparisons'} so far")
    rows = [_row(run, state(run)) for run in runs[:LISTED]]
    event = chrome.table(
        chrome.columns(rows), key=f"comparisons of {current} {len(runs)}", on_select="rerun",
        selection_mode="single-row", column_config={"comparison": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    older = f" The {LISTED} newest of {len(runs):,} are listed." if len(runs) > LISTED else ""
    st.caption(f"Tick a comparison to open it; its address shows it in every tab and after a restart.{older}")
    picked = event.selection.rows if hasattr(event, "selection") else []
    if picked and picked[0] < len(rows) and runs[picked[0]].id != current:
        common.open_run(runs[picked[0]].id)
        st.rerun()


def _row(run: Run, said: State) -> dict[str, str]:
    """One line of the list."""
    try:
        request = common.request_of(run)
        told = [", ".join(common.names(request.encoders).values()), ", ".join(request.data)]
        told += [", ".join(dict.fromkeys(asked.measure for asked in request.measures))]
    except IsoglossError as problem:
        told = [str(problem), "", ""]
    cells = f"{said.done:,} of {said.total:,}" if said.total else ""
    return {
        "comparison": run.title, "status": said.status.value, "encoders": told[0], "text": told[1], "measures": told[2],
        "scores": cells, "time": duration(said.seconds), "started": run.created[:16].replace("T", " "),
    }  # fmt: skip
