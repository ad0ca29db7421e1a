"""What the parts of the evaluate page share: plans and tables through caches, names of encoders, the run of the link."""

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from analysis.comparison.cells import has
from analysis.comparison.estimate import Estimate
from analysis.comparison.job import KIND, make_spec
from analysis.comparison.plan import Plan
from analysis.comparison.request import Request
from analysis.comparison.scores import Entry, Scores
from analysis.errors import InputError, IsoglossError
from analysis.jobs.runs import Run, find_run, list_runs
from analysis.records import fingerprint
from pages._parts import data, state

RUN = "comparison"  # what the link calls the run that is shown
PROBLEM = "comparison problem"


def run_id(request: Request) -> str:
    """The id of a comparison: equal requests meet in one run."""
    return fingerprint(make_spec(request))[:8]


def selected() -> Run | None:
    """The run of the link; where there is none of that id, `PROBLEM` of the session says so in one line."""
    wanted = state.page_value(RUN, "")
    if not wanted:
        return None
    try:
        run = find_run(wanted)
        if run.kind != KIND:
            raise InputError(f"run {run.id} is no comparison; open it on the page Strengthen")
    except IsoglossError as problem:
        st.session_state[PROBLEM] = str(problem)
        open_run("")
        return None
    return run


def open_run(name: str) -> None:
    """Show a run, or the form of a new comparison."""
    state.set_page_value(RUN, name)


def equal_run(request: Request) -> Run | None:
    """The run of the same request, or None."""
    wanted = run_id(request)
    return next((run for run in list_runs(KIND) if run.id == wanted), None)


def request_of(run: Run) -> Request:
    """What a run compares.

    Raises:
        InputError: it names a measure or setting that is no longer there.
    """
    return Request.from_spec(run.spec)


def plan_of(request: Request) -> Plan:
    """The cells of a request, read once.

    Raises:
        InputError: nothing in it can be computed.
    """
    return _plan(json.dumps(make_spec(request), sort_keys=True), _stamp(request.encoders))


def _stamp(encoders: Sequence[str]) -> tuple[str, ...]:
    """Revisions of the encoders, so that a plan is as new as they are."""
    found = []
    for name in encoders:
        try:
            found.append(data.encoder(name).revision)
        except IsoglossError as problem:  # the plan leaves it out and says so
            found.append(str(problem))
    return tuple(found)


@st.cache_resource(max_entries=6, show_spinner="Reading the data ...")
def _plan(spec: str, stamp: tuple[str, ...]) -> Plan:
    """The plan, kept by everything that decides it."""
    from analysis.comparison.plan import plan

    return plan(Request.from_spec(json.loads(spec)), load=data.encoder)


def estimate(made: Plan) -> Estimate:
    """What is still to be computed; encoders that were never timed here are timed on a few hundred tokens."""
    key = json.dumps(make_spec(made.request), sort_keys=True)
    return _estimate(made, key, _stamp(made.request.encoders), present(made))


@st.cache_resource(max_entries=64, show_spinner="Estimating the cost ...")
def _estimate(_made: Plan, spec: str, stamp: tuple[str, ...], there: int) -> Estimate:
    """The estimate, kept until another cell is there."""
    from analysis.comparison.estimate import estimate as count

    return count(_made)


def present(made: Plan) -> int:
    """How many cells are in the cache."""
    return sum(map(has, made.cells))


def scores_of(made: Plan) -> Scores:
    """The table of the cells that are there."""
    key = json.dumps(make_spec(made.request), sort_keys=True)
    return _scores(made, key, _stamp(made.request.encoders), present(made))


@st.cache_resource(max_entries=6, show_spinner="Putting the table together ...")
def _scores(_made: Plan, spec: str, stamp: tuple[str, ...], there: int) -> Scores:
    """The table, kept until another cell is there."""
    from analysis.comparison.run import collect

    return collect(_made)


def names(encoders: Sequence[str]) -> dict[str, str]:
    """How encoders are called in figures: folders by their last part, unless two have the same."""
    short = {name: name.rstrip("/").rpartition("/")[2] if name[:1] in "/.~" else name for name in encoders}
    return {name: name if list(short.values()).count(part) > 1 else part for name, part in short.items()}


def side(n: int) -> str:
    """`A`, `B`, `C` by the place among the encoders."""
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[n % 26]


def picked_cell(event: Any, name: str) -> tuple[int, str] | None:
    """Row and column of a cell somebody has just clicked in a table, None where nothing new was clicked.

    Args:
        event: what the table returned.
        name: of the table, to remember what was clicked before.
    """
    cells = event.selection.get("cells", []) if hasattr(event, "selection") else []
    now = (int(cells[0][0]), str(cells[0][1])) if cells else None
    before = st.session_state.get(f"clicked in {name}")
    st.session_state[f"clicked in {name}"] = now
    return now if now != before else None


def measure_box(label: str, scores: Scores, keys: Sequence[str]) -> str:
    """A box of measures, kept in the link; the views share it."""
    titles = {key: scores.of(key)[0].title for key in keys}
    box = state.seeded("which", keys[0], list(keys))
    key = st.selectbox(label, list(keys), key=box, format_func=titles.__getitem__)
    state.set_page_value("which", "" if key == keys[0] else key)
    return key


def data_box(entries: Sequence[Entry]) -> str:
    """A box of the data that some entries are on, nothing to choose where there is one."""
    offered = list(dict.fromkeys(entry.data for entry in entries))
    if len(offered) == 1:
        return offered[0]
    chosen = st.selectbox("Text", offered, key=state.seeded("text-of", offered[0], offered))
    state.set_page_value("text-of", "" if chosen == offered[0] else chosen)
    return chosen
