"""Runs of toy work, in a cache folder of the test's own; whatever still runs is ended afterwards."""

import time

import pytest

from analysis.jobs import control, process, runs
from analysis.jobs.state import Status, state
from tests.jobs import toy


@pytest.fixture
def toys(cache, monkeypatch):
    """Starts toy work; gives (name, spec, **options) -> Run."""
    monkeypatch.setattr(process, "COMMAND", toy.COMMAND)
    monkeypatch.setattr(runs, "PREFIXES", ("analysis.", "tests."))

    def start(name, spec=None, **options):
        named = {"kind": "toy", "title": name} | options
        return control.start(f"tests.jobs.toy:{name}", spec or {}, **named)

    yield start
    for run in runs.list_runs():
        control.discard(run)


@pytest.fixture
def until():
    """Waits for something to become true."""

    def wait(true, seconds=30):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)

    return wait


@pytest.fixture
def ended(until):
    """The state of a run once it does not run any more."""

    def wait(run, seconds=30):
        until(lambda: state(run).status is not Status.RUNNING, seconds)
        return state(run)

    return wait
