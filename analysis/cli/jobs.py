"""`jobs`: long work in processes of its own: list it, follow it, stop it, go on with it, throw it away."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from analysis.cli import console
from analysis.cli.options import Json
from analysis.jobs import control, runs
from analysis.jobs.follow import follow
from analysis.jobs.runs import Run
from analysis.jobs.state import State, Status, state

PLAIN_SECONDS = 30.0  # between two progress lines where no bar can be drawn
ID = Annotated[str, typer.Argument(metavar="ID", help="Id of a run, or the beginning of one.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Long work in processes of its own: list, follow, stop, resume, discard, rename.")
    group.callback(invoke_without_command=True)(default)
    for name, command in (
        ("list", list_jobs), ("follow", follow_job), ("stop", stop_job), ("resume", resume_job),
        ("discard", discard_job), ("rename", rename_job),
    ):  # fmt: skip
        group.command(name)(command)
    app.add_typer(group, name="jobs")


def default(context: typer.Context, json: Json = False) -> None:
    """Long work in processes of its own; without a command, the list."""
    if context.invoked_subcommand is None:
        list_jobs(json)


def list_jobs(json: Json = False) -> None:
    """List all runs, newest first."""
    rows = [_row(run, state(run)) for run in runs.list_runs()]
    if json:
        console.emit_json(rows)
        return
    for row in rows:
        row["progress"] = f"{row['done']:,}/{row['total']:,}" if row["total"] else ""
    console.emit_table(rows, ("id", "kind", "status", "progress", "title"))


def _row(run: Run, said: State) -> dict[str, Any]:
    """One run as a JSON object."""
    return {
        "id": run.id, "kind": run.kind, "status": str(said.status), "done": said.done, "total": said.total,
        "text": said.text, "seconds": round(said.seconds, 1), "title": run.title, "created": run.created,
        "error": said.error,
    }  # fmt: skip


def follow_job(run_id: ID) -> None:
    """Wait for a run and show how far it is; Ctrl-C leaves it running."""
    _follow(runs.find_run(run_id))


def stop_job(run_id: ID) -> None:
    """Stop a run; its last checkpoint is kept."""
    run = runs.find_run(run_id)
    before = state(run).status
    after = control.stop(run).status
    if before is not Status.RUNNING:
        console.report(f"run {run.id} does not run; it is {after}")
        return
    resume = f"; go on with: python -m analysis jobs resume {run.id}" if after is Status.STOPPED else ""
    console.report(f"run {run.id} is {after}{resume}")


def resume_job(
    run_id: ID,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once instead of waiting for the end.")] = False,
) -> None:
    """Go on with a run from its last checkpoint, and follow it."""
    run = control.resume(runs.find_run(run_id))
    if detach:
        console.report(f"run {run.id} goes on; follow it with: python -m analysis jobs follow {run.id}")
    else:
        _follow(run)


def discard_job(run_id: ID) -> None:
    """Stop a run and delete all it has written."""
    run = runs.find_run(run_id)
    control.discard(run)
    console.report(f"run {run.id} is discarded")


def rename_job(run_id: ID, title: Annotated[str, typer.Argument(metavar="TITLE")]) -> None:
    """Give a run another title."""
    runs.rename(runs.find_run(run_id), title)


def _follow(run: Run) -> None:
    """Watch a run and exit as it does."""
    try:
        said = watch(run)
    except KeyboardInterrupt:
        raise console.interrupted(
            f"run {run.id} goes on; follow it again with: python -m analysis jobs follow {run.id}, "
            f"end it with: python -m analysis jobs stop {run.id}",
            failed=False,
        ) from None
    finish(run, said)


def work_through(entry: str, spec: dict[str, Any], *, kind: str, title: str, fresh: bool) -> None:
    """Start work in a process of its own, or go on with the same work where it was stopped, and follow it to its end.

    Args:
        entry: the work function.
        spec: what is to be done.
        kind: what sort of work it is.
        title: what a person calls it.
        fresh: whether to start anew where an earlier run was stopped.

    Raises:
        typer.Exit: with the run's exit code, where that is not 0; interrupted, the run is stopped.
    """
    earlier = control.unfinished(kind, spec)
    if earlier is not None and fresh:
        control.discard(earlier)
        earlier = None
    if earlier is not None:
        console.report(f"going on with run {earlier.id}; --fresh starts anew")
    run = control.start(entry, spec, kind=kind, title=title, run_id=earlier.id if earlier else None)
    try:
        ended = watch(run)
    except KeyboardInterrupt:
        control.stop(run)
        raise console.interrupted(
            f"interrupted; run {run.id} is stopped, the same command or `jobs resume {run.id}` goes on with it"
        ) from None
    if ended.status is Status.FAILED and ended.exit_code == 2 and not (run.folder / "checkpoints").exists():
        control.discard(run)
    finish(run, ended)


def finish(run: Run, said: State) -> None:
    """Say how a run ended, and exit with its code unless it is done.

    Args:
        run: the run.
        said: its state at the end.

    Raises:
        typer.Exit: with the run's exit code, where that is not 0.
    """
    if said.error:
        console.fail(said.error)
    if said.status in (Status.STOPPED, Status.INTERRUPTED) and run.folder.exists():
        console.report(f"run {run.id} is {said.status}; go on with: python -m analysis jobs resume {run.id}")
    if said.exit_code:
        console.said.add(said.exit_code)
        raise typer.Exit(said.exit_code)


def watch(run: Run) -> State:
    """Wait for the end of a run with its progress and its log lines on standard error.

    Args:
        run: the run.

    Returns:
        Its state at the end. Ctrl-C raises KeyboardInterrupt and leaves the run alone.
    """
    with _bar(run) as tick:
        return follow(run, echo=_Echo(), tick=tick)


class _Echo:
    """Shows log lines, but neither tracebacks nor the failure, which is said at the end."""

    def __init__(self) -> None:
        self.hidden = False

    def __call__(self, line: str) -> None:
        """Show one line or not."""
        failure = line.startswith("error: ")
        self.hidden = (self.hidden or line.startswith("Traceback (most recent call last)")) and not failure
        if not self.hidden and not failure and line.strip():
            from tqdm import tqdm

            with tqdm.external_write_mode(file=sys.stderr):
                console.report(line)


@contextmanager
def _bar(run: Run) -> Iterator[Callable[[State], None]]:
    """What shows a state: a bar on a terminal, elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield _lines(run)
        return
    from tqdm import tqdm

    with tqdm(desc=run.title, unit="", unit_scale=True, file=sys.stderr, leave=False) as bar:

        def tick(said: State) -> None:
            """Move the bar."""
            if said.total:
                bar.total = said.total
            bar.set_postfix_str(said.text, refresh=False)
            bar.update(said.done - bar.n)
            bar.refresh()

        yield tick


def _lines(run: Run) -> Callable[[State], None]:
    """Writes a state as a line, half a minute apart."""
    last = time.monotonic()

    def tick(said: State) -> None:
        """Write a line if it is time."""
        nonlocal last
        if said.status is Status.RUNNING and said.total and time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            text = f", {said.text}" if said.text else ""
            console.report(f"{run.title}: {said.done:,} of {said.total:,}{text}, {said.seconds:.0f} s")

    return tick
