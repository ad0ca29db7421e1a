"""What the pages say and do of a run of any kind: its status, how long it took, its log, and an act that may fail."""

from collections.abc import Callable

import streamlit as st

from analysis.errors import IsoglossError
from analysis.jobs.runs import Run
from analysis.jobs.state import Status
from pages._parts import chrome

LOG_LINES = 40
COLOURS = {
    Status.RUNNING: "orange", Status.STOPPED: "gray", Status.DONE: "green", Status.FAILED: "red",
    Status.INTERRUPTED: "gray",
}  # fmt: skip


def badge(status: Status) -> str:
    """The status as a Markdown badge."""
    return f":{COLOURS[status]}-badge[{status.value}]"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def attempt(act: Callable[[], object], *, then: Callable[[], None] | None = None) -> None:
    """Do something and draw the page again; what goes wrong is one line."""
    try:
        act()
    except IsoglossError as problem:
        chrome.error(problem)
        return
    if then:
        then()
    st.rerun()


def log(run: Run) -> None:
    """The last lines of the log."""
    path = run.folder / "log.txt"
    with st.expander("Log"):
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 20_000))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        st.code("\n".join(lines[-LOG_LINES:]) or "Nothing yet.", language=None, wrap_lines=True)
