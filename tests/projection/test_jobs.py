"""Projections in a process of their own: asked for twice, started once, kept, and failing in words."""

import subprocess
import time

import numpy as np
import pytest

from analysis.errors import InputError, IsoglossError
from analysis.jobs import control, process, runs
from analysis.jobs.job import Job
from analysis.jobs.state import Status, state
from analysis.projection import run
from analysis.projection.jobs import Failed, Pending, Projection, request, wait

pytestmark = pytest.mark.fast

ARRAYS = {"a": np.eye(12, 3, dtype=np.float32)}
KEY = {"encoder": "tiny", "layer": 1}
FEW = {"a": np.eye(3, dtype=np.float32)}


@pytest.fixture
def started(cache, monkeypatch):
    """The commands of the processes that were started, each of which sleeps instead of working."""
    commands = []
    real = subprocess.Popen

    def popen(command, **options):
        commands.append(command)
        return real(["sleep", "60"], **options)

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    yield commands
    for one in runs.list_runs():
        control.discard(one)


def keep(key, **arrays):
    """Write a result as the process does."""
    target = run.result_file({"version": 1, "options": {}, "sets": ["a"], **key})
    target.parent.mkdir(parents=True)
    run.save_arrays(target, arrays)


def test_a_request_answers_at_once_and_starts_one_process(started):
    states = [request(KEY, ARRAYS) for _ in range(5)]
    assert all(isinstance(state, Pending) for state in states)
    assert len(started) == 1
    (one,) = runs.list_runs()
    assert (one.kind, one.title) == ("umap", "UMAP of 12 points")


def test_another_key_or_option_is_another_job(started):
    request(KEY, ARRAYS)
    request({**KEY, "layer": 2}, ARRAYS)
    request(KEY, ARRAYS, options={"seed": 1})
    assert len(started) == 3


def test_a_failure_is_told_and_can_be_tried_again(cache):
    with pytest.raises(IsoglossError, match="the projection failed: UMAP draws 10 to 20,000 vectors, got 3"):
        wait(KEY, FEW, seconds=60)
    (one,) = runs.list_runs("umap")
    assert "got 3" in request(KEY, FEW).reason
    assert runs.list_runs("umap") == [one]
    assert isinstance(request(KEY, FEW, retry=True), Pending)
    (two,) = runs.list_runs("umap")
    assert two.id == one.id
    assert two.created > one.created
    control.discard(two)


def test_a_silent_death_is_told_too(started):
    request(KEY, ARRAYS)
    (one,) = runs.list_runs()
    process.worker(one.folder).kill()
    end = time.monotonic() + 30
    while isinstance(found := request(KEY, ARRAYS), Pending) and time.monotonic() < end:
        time.sleep(0.02)
    assert isinstance(found, Failed)
    assert "without a word" in found.reason
    assert len(started) == 1


def test_a_stopped_projection_says_so(started):
    request(KEY, ARRAYS)
    (one,) = runs.list_runs()
    control.stop(one)
    assert request(KEY, ARRAYS) == Failed("it was stopped")


def test_a_finished_projection_is_read_back_and_its_run_deleted(started):
    request(KEY, ARRAYS)
    keep(KEY, a=np.ones((12, 2)), b=np.zeros((12, 2)))
    found = request(KEY, ARRAYS)
    assert isinstance(found, Projection)
    assert np.array_equal(found.a, np.ones((12, 2)))
    assert np.array_equal(found.b, np.zeros((12, 2)))
    assert runs.list_runs() == []
    assert request(KEY, ARRAYS).b is not None
    assert len(started) == 1


def test_done_runs_that_nobody_asked_for_again_are_deleted_by_the_next(started):
    request(KEY, ARRAYS)
    (one,) = runs.list_runs()
    control.stop(one)
    (one.folder / "result.json").write_text("{}")
    assert state(one).status is Status.DONE
    request({**KEY, "layer": 2}, ARRAYS)
    (two,) = runs.list_runs()
    assert two.id != one.id


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "file"))
    with pytest.raises(IsoglossError, match="set ISOGLOSS_CACHE"):
        request(KEY, ARRAYS)


def test_the_work_refuses_what_is_no_projection(cache):
    with Job.temporary() as job:
        for content in (b"not an archive", None):
            if content:
                (job.inputs / "in.npz").write_bytes(content)
            else:
                run.save_arrays(job.inputs / "in.npz", {"c": np.eye(3)})
            with pytest.raises(InputError, match="holds no vectors to project"):
                run.project({"key": {"options": {}}}, job)
    assert not (cache / "projections").exists()
