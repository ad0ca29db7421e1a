"""Watch a run from anywhere until it ends."""

import time
from collections.abc import Callable

from analysis.jobs.files import read_json
from analysis.jobs.process import LOG, PROCESS
from analysis.jobs.runs import Run
from analysis.jobs.state import State, Status, state

BEAT = 0.2


def follow(
    run: Run, *, echo: Callable[[str], None] | None = None, tick: Callable[[State], None] | None = None,
    beat: float = BEAT,
) -> State:  # fmt: skip
    """Wait for the end of a run; the run does not notice, and goes on if the wait is broken off.

    Args:
        run: the run; one that does not run is told of once.
        echo: called with each line of its log, from where its present process began.
        tick: called with the state every `beat` seconds, and with the last one.
        beat: seconds between two looks.

    Returns:
        The state at the end.
    """
    place = int((read_json(run.folder / PROCESS) or {}).get("log", 0))
    rest = b""
    while True:
        said = state(run)
        ended = said.status is not Status.RUNNING
        raw = rest + _read(run, place)
        place += len(raw) - len(rest)
        *lines, rest = raw.split(b"\n")
        if ended and rest:
            lines.append(rest)
        for line in lines:
            if echo:
                echo(line.decode("utf-8", "replace").rstrip("\r"))
        if tick:
            tick(said)
        if ended:
            return said
        time.sleep(beat)


def _read(run: Run, place: int) -> bytes:
    """What the log holds from a place on."""
    try:
        with (run.folder / LOG).open("rb") as file:
            file.seek(place)
            return file.read()
    except OSError:
        return b""
