"""Runs of the strengthen page: their words and buttons, the list of all of them, and what the page notes of each."""

import json
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

import streamlit as st

from analysis.errors import IsoglossError
from analysis.figures.training import tell_dev
from analysis.jobs import control
from analysis.jobs.runs import Run, find_run, list_runs, rename
from analysis.jobs.state import State, Status, metrics, state
from analysis.store import write_text
from analysis.text.languages import language
from pages._parts import chrome, jobs
from pages._parts import state as page_state

KIND = "align"
NOTES = "page.json"
TEXT = ("data", "dictionary", "monolingual")  # where a spec says what a run learns from
LISTED = 50
POLL = 10.0  # seconds between two looks at all runs


def selected() -> Run | None:
    """The run of the link; one line where there is none of that id."""
    wanted = page_state.page_value("run", "")
    if not wanted:
        return None
    try:
        return find_run(wanted)
    except IsoglossError as problem:
        chrome.error(problem)
        open_run("")
    return None


def open_run(run_id: str) -> None:
    """Show a run, or the form of a new one."""
    page_state.set_page_value("run", run_id)


def notes(run: Run) -> dict[str, Any]:
    """What the page has noted of a run: whether its end was seen, where its encoder went."""
    with suppress(OSError, ValueError):
        found = json.loads((run.folder / NOTES).read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def note(run: Run, **values: Any) -> None:
    """Note something of a run; where the folder cannot be written it is forgotten."""
    if run.folder.is_dir():
        with suppress(OSError):
            write_text(run.folder / NOTES, json.dumps(notes(run) | values))


def encoder_folder(run: Run, said: State) -> Path | None:
    """The folder of the encoder a run has made, also where it was renamed since; None where it is gone."""
    named = notes(run).get("folder") or (said.result or {}).get("folder") or run.spec.get("out")
    folder = Path(str(named)) if named else None
    return folder if folder is not None and (folder / "isogloss.json").exists() else None


def facts(run: Run) -> str:
    """What a run was given, in one line."""
    spec = run.spec
    tags = languages_of(spec)
    told = [f"{spec.get('method', '?')} on {spec.get('encoder', '?')}"]
    told += [", ".join(_short(one) for key in TEXT for one in spec.get(key) or [])]
    told += [", ".join(language(tag).name for tag in tags)] if tags else []
    told += [f"dev {', '.join(map(str, spec['dev']))}"] if spec.get("dev") else []
    told += [" ".join(pair for pair in spec.get("settings") or [] if not pair.startswith("languages="))]
    return chrome.plain("; ".join([*filter(None, told), f"seed {spec.get('seed', 0)}"]))


def _short(name: object) -> str:
    """A text as a spec calls it; of a file its own name only."""
    return PurePath(str(name)).name if str(name).startswith("/") else str(name)


def languages_of(spec: Any) -> list[str]:
    """The languages a spec names, [] for all that its data have."""
    pairs = (str(pair).partition("=") for pair in spec.get("settings") or [])
    named = next((value for name, _, value in pairs if name == "languages"), "")
    return [tag for tag in named.split(",") if tag and tag != "all"]


def buttons(run: Run, said: State) -> None:
    """What can be done with a run in its state."""
    row = st.container(horizontal=True, vertical_alignment="center")
    if said.status is Status.RUNNING:
        if row.button("Stop", key="stop run", help="It can be resumed from its last checkpoint."):
            jobs.attempt(lambda: control.stop(run))
    elif said.status is not Status.DONE and row.button("Resume", key="resume run", type="primary"):
        jobs.attempt(lambda: control.resume(run))
    if said.status is not Status.DONE:
        with row.popover("Rename"):
            title = st.text_input("Title of the run", value=run.title, max_chars=80, key=f"title {run.id}")
            if st.button("Rename", key="rename run"):
                jobs.attempt(lambda: rename(run, title))
    with row.popover("Discard"):
        kept = " The encoder it made stays." if said.status is Status.DONE else ""
        st.markdown(f"Delete the run {chrome.plain(run.title)} with its curves and checkpoints?{kept}")
        if st.button("Yes, discard it", key="discard run"):
            jobs.attempt(lambda: control.discard(run), then=lambda: open_run(""))
    if row.button("New training", key="new training", type="tertiary"):
        open_run("")
        st.rerun()


def table(current: str) -> None:
    """All training runs, newest first; a click opens one. It is drawn anew from time to time while one runs.

    Args:
        current: id of the run that is shown, or "".
    """
    going = any(state(run).status is Status.RUNNING for run in list_runs(KIND)[:LISTED])
    st.fragment(_table, run_every=POLL if going else None)(current)


def _table(current: str) -> None:
    """The list."""
    runs = list_runs(KIND)
    if not runs:
        return
    states = [state(run) for run in runs[:LISTED]]
    going = sum(said.status is Status.RUNNING for said in states)
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    st.markdown(f"### {count}, {going if going else 'none'} running")
    rows = [_row(run, said) for run, said in zip(runs, states, strict=False)]
    event = chrome.table(
        {name: [row[name] for row in rows] for name in rows[0]}, key=f"runs of {current} {len(runs)}",
        on_select="rerun", selection_mode="single-row",
        column_config={"finding": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    older = f" The {LISTED} newest of {len(runs):,} are listed." if len(runs) > LISTED else ""
    st.caption(f"Tick a run to open it; its address shows it in every tab and after a restart.{older}")
    picked = event.selection.rows if hasattr(event, "selection") else []
    if picked and picked[0] < len(rows) and runs[picked[0]].id != current:
        open_run(runs[picked[0]].id)
        st.rerun()


def _row(run: Run, said: State) -> dict[str, Any]:
    """One line of the list."""
    progress = f"{said.done:,} of {said.total:,}" if said.total else ""
    return {
        "run": run.title, "status": said.status.value, "method": str(run.spec.get("method", "")),
        "base": str(run.spec.get("encoder", "")), "progress": progress, "time": jobs.duration(said.seconds),
        "started": run.created[:16].replace("T", " "), "finding": said.error or tell_dev(metrics(run)),
    }  # fmt: skip
