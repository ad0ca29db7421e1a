"""What the parts of the transfer page share: what a form holds, how it becomes runs, the runs of the link."""

import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.errors import InputError, IsoglossError
from analysis.jobs import control
from analysis.jobs.runs import Run, find_run, list_runs
from analysis.jobs.state import Status
from analysis.jobs.state import state as state_of
from analysis.records import fingerprint
from analysis.store import cache_folder
from analysis.transfer.folder import RESULT
from analysis.transfer.job import ENTRY, KIND, make_spec
from analysis.transfer.outcome import Lines, Outcome, lines_of, load_outcome
from pages._parts import state

RUNS = "transfer"  # what the link calls the runs that are shown, one or two
PROBLEM = "transfer problem"
LONGEST = 60  # characters of a name


@dataclass(frozen=True)
class Wanted:
    """Everything that decides a transfer.

    Attributes:
        task, regime: registered names.
        encoders: one run each, A first.
        train, test: labelled data as a spec calls them, () for the task's own.
        data, dictionary, monolingual: what a regime learns from beside the labels, likewise.
        langs: `A-B` of extra data that do not say, or None.
        alignment: linked pairs on which word retrieval is measured before and after.
        mixed: whether pairs in two languages are scored as well.
        settings: what differs from the regime's defaults.
        seed: of everything random.
        name: begins the names of the folders; "" for the usual one.
    """

    task: str
    regime: str
    encoders: tuple[str, ...]
    train: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    dictionary: tuple[str, ...] = ()
    monolingual: tuple[str, ...] = ()
    langs: str | None = None
    alignment: tuple[str, ...] = ()
    mixed: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    name: str = ""

    @property
    def stem(self) -> str:
        """What the folders are called before the encoder's name."""
        return self.name or f"{slug(self.task)}-{slug(self.regime)}-s{self.seed}"


def slug(text: str) -> str:
    """A name as part of a folder's name; of a path its last part."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", _last(text).lower().replace("+", "-")).strip("-")
    return plain[:LONGEST] or "x"


def _last(name: str) -> str:
    """Of a folder its last part."""
    return name.rstrip("/").rpartition("/")[2] if name[:1] in "/.~" else name


def root() -> Path:
    """Where the results of this page lie."""
    return cache_folder() / "transfer"


def specs(wanted: Wanted) -> list[dict[str, Any]]:
    """What is to be done, one spec an encoder.

    Raises:
        InputError: a name, setting or data that do not fit, or a name that is no folder's.
    """
    if not re.fullmatch(r"[a-z0-9_-]+", wanted.stem):
        raise InputError(f"name {wanted.stem!r} is none; valid: lower-case letters, digits, _ and -")
    taken = {str(run.spec.get("out")) for run in list_runs(KIND)}
    found = []
    for encoder in wanted.encoders:
        out = _free(f"{wanted.stem}-{slug(encoder)}", taken)
        taken.add(str(out))
        found.append(make_spec(
            wanted.regime, wanted.task, encoder, train=wanted.train, test=wanted.test, out=out, data=wanted.data,
            langs=wanted.langs, dictionary=wanted.dictionary, monolingual=wanted.monolingual,
            alignment=wanted.alignment, mixed=wanted.mixed, seed=wanted.seed,
            settings=[f"{name}={value}" for name, value in wanted.settings.items()],
        ))  # fmt: skip
    return found


def _free(name: str, taken: Collection[str]) -> Path:
    """A folder of this name, or with a number behind it where that is taken."""
    names = (name if n == 1 else f"{name}-{n}" for n in range(1, 10_000))
    folders = (root().expanduser().absolute() / one for one in names)
    return next(folder for folder in folders if str(folder) not in taken and not folder.exists())


def start(wanted: Wanted) -> list[Run]:
    """Start a run for each encoder and show them.

    Raises:
        InputError: something does not fit; then none is started.
        IsoglossError: the cache folder cannot be written.
    """
    runs = [control.start(ENTRY, spec, kind=KIND, title=Path(spec["out"]).name) for spec in specs(wanted)]
    open_runs([run.id for run in runs])
    return runs


def equal_runs(wanted: Wanted) -> list[Run]:
    """Runs that did or do the same, one an encoder; [] where an encoder has none."""
    work = lambda spec: fingerprint({name: spec.get(name) for name in spec if name not in ("out", "command")})  # noqa: E731
    kept: dict[str, Run] = {}
    for run in reversed(list_runs(KIND)):
        kept[work(run.spec)] = run
    found = [kept.get(work(spec)) for spec in specs(wanted)]
    return [run for run in found if run is not None] if all(found) else []


def selected() -> list[Run]:
    """The runs of the link, at most two; where one is not there, `PROBLEM` of the session says so in one line."""
    found = []
    wanted = [name for name in state.page_value(RUNS, "").split(",") if name][:2]
    for name in wanted:
        try:
            run = find_run(name)
            if run.kind != KIND:
                raise InputError(f"run {run.id} is no transfer; open it on the page Strengthen or Evaluate")
            found.append(run)
        except IsoglossError as problem:
            st.session_state[PROBLEM] = str(problem)
    found = list({run.id: run for run in found}.values())
    if len(found) < len(wanted):
        open_runs([run.id for run in found])
    return found


def open_runs(ids: Sequence[str]) -> None:
    """Show one run or two, or the form of a new one."""
    state.set_page_value(RUNS, ",".join(ids))


def outcome(run: Run) -> Outcome:
    """What a finished run has left.

    Raises:
        InputError: it is gone.
    """
    folder = Path(str(run.spec.get("out")))
    path = folder / RESULT
    return _outcome(str(folder), path.stat().st_mtime_ns if path.exists() else 0)


@st.cache_resource(max_entries=16, show_spinner="Reading the scores ...")
def _outcome(folder: str, stamp: int) -> Outcome:
    """The result, read anew when it has changed."""
    return load_outcome(folder)


def lines(outcomes: Sequence[Outcome]) -> Lines:
    """The lines of one run or two.

    Raises:
        InputError: the two cannot be compared.
    """
    key = tuple((str(one.folder), (one.folder / RESULT).stat().st_mtime_ns) for one in outcomes)
    return _lines(list(outcomes), key)


@st.cache_resource(max_entries=16, show_spinner="Resampling the items ...")
def _lines(_outcomes: list[Outcome], key: tuple[Any, ...]) -> Lines:
    """The lines, kept by the results they are made of."""
    return lines_of(_outcomes)


def finished(*, without: Collection[str] = ()) -> list[Run]:
    """The runs that are done, newest first."""
    mine = [run for run in list_runs(KIND) if run.id not in without]
    return [run for run in mine if state_of(run).status is Status.DONE]


def labels(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What each run is called: by its encoder, else by what tells the two apart."""
    for part in ("encoder", "regime", "seed"):
        found = [_last(str(one.get(part, "?"))) for one in records]
        if len(set(found)) == len(found):
            return tuple(f"seed {one}" if part == "seed" else one for one in found)
    return ("first run", "second run")[: len(records)]


def discard(run: Run) -> None:
    """Delete a run and what it has made on this page.

    Raises:
        IsoglossError: its process does not end, or a folder cannot be deleted.
    """
    control.discard(run)
    out = Path(str(run.spec.get("out")))
    if (out / RESULT).is_file() and out.resolve().parent == root().resolve():
        shutil.rmtree(out, ignore_errors=True)
