"""Projections in a process of their own: asked for twice, started once, kept, and failing in words."""

import subprocess
import sys
import time

import numpy as np
import pytest

from analysis.errors import InputError, IsoglossError
from analysis.projection import jobs, run
from analysis.projection.jobs import Failed, Pending, Projection, request

pytestmark = pytest.mark.fast

ARRAYS = {"a": np.eye(12, 3, dtype=np.float32)}
KEY = {"encoder": "tiny", "layer": 1}


@pytest.fixture
def program(cache, monkeypatch):
    """Replaces the projecting process by a short Python program; returns a setter and counts the starts."""
    started = []
    real = subprocess.Popen

    def use(code):
        def popen(command, **options):
            started.append(command)
            return real([sys.executable, "-S", "-c", code, *command[3:]], **options)

        monkeypatch.setattr(jobs.subprocess, "Popen", popen)
        return started

    yield use
    for child in jobs._CHILDREN.values():
        child.kill()
        child.wait()
    jobs._CHILDREN.clear()


def end(state=None, **options):
    """Ask until the job is no longer pending."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        state = request(KEY, ARRAYS, **options)
        if not isinstance(state, Pending):
            return state
        time.sleep(0.02)
    raise AssertionError(f"still {state}")


def test_a_request_answers_at_once_and_starts_one_process(program, tmp_path):
    gate = tmp_path / "gate"
    until = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    started = program(f"import os, time\n{until}\nraise SystemExit('done')")
    began = time.monotonic()
    states = [request(KEY, ARRAYS) for _ in range(5)]
    assert time.monotonic() - began < 2
    assert all(isinstance(state, Pending) for state in states)
    assert len(started) == 1
    gate.touch()
    assert end() == Failed("done")


def test_another_key_or_option_is_another_job(program):
    started = program("")
    request(KEY, ARRAYS)
    request({**KEY, "layer": 2}, ARRAYS)
    request(KEY, ARRAYS, options={"seed": 1})
    assert len(started) == 3


def test_a_dead_process_gives_its_last_line_and_can_be_tried_again(program):
    started = program(
        "import sys; print('noise', file=sys.stderr); print('error: no memory', file=sys.stderr); sys.exit(1)"
    )
    assert end() == Failed("no memory")
    assert end() == Failed("no memory")
    assert len(started) == 1
    assert isinstance(request(KEY, ARRAYS, retry=True), Pending)
    assert len(started) == 2


def test_a_silent_death_is_told_too(program):
    program("")
    assert "without a word" in end().reason


def test_the_job_of_another_server_is_pending_until_it_falls_silent(program, cache, monkeypatch):
    program("import time; time.sleep(60)")
    request(KEY, ARRAYS)
    (folder,) = (cache / "projections").iterdir()
    child = jobs._CHILDREN.pop(folder.name)
    assert isinstance(request(KEY, ARRAYS), Pending)
    monkeypatch.setattr(jobs, "SILENCE", -1.0)
    assert isinstance(request(KEY, ARRAYS), Failed)
    child.kill()
    child.wait()


def test_a_finished_projection_is_read_back(program, cache):
    started = program("")
    request(KEY, ARRAYS)
    (folder,) = (cache / "projections").iterdir()
    run.save_arrays(folder / "out.npz", {"a": np.ones((12, 2)), "b": np.zeros((12, 2))})
    state = request(KEY, ARRAYS)
    assert isinstance(state, Projection)
    assert np.array_equal(state.a, np.ones((12, 2)))
    assert np.array_equal(state.b, np.zeros((12, 2)))
    assert not (folder / "in.npz").exists()
    assert len(started) == 1


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "file"))
    with pytest.raises(IsoglossError, match="set ISOGLOSS_CACHE"):
        request(KEY, ARRAYS)


def test_the_runner_refuses_what_is_no_job(tmp_path, capsys):
    (tmp_path / "in.npz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match="is not a projection job"):
        run.project(tmp_path / "in.npz", tmp_path / "out.npz")
    assert run.main([str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert run.main([]) == 2
    assert not (tmp_path / "out.npz").exists()
