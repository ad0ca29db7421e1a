"""Killed, stopped, raced and resumed: a run loses nothing but the steps since its last checkpoint."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from analysis.errors import InputError, IsoglossError
from analysis.jobs import control, process
from analysis.jobs.follow import follow
from analysis.jobs.state import Status, metrics, state

pytestmark = pytest.mark.fast


def pid_of(run):
    return json.loads((run.folder / "process.json").read_text())["pid"]


def whole(run):
    """Steps of the checkpoints, each of which must be whole."""
    folder = run.folder / "checkpoints"
    found = [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
    assert all((path / "whole").exists() for path in found)
    return sorted(int(path.name) for path in found)


def test_killed_at_random_moments_it_ends_as_if_nothing_had_been(toys, ended, until):
    chance = random.Random(3)
    run = toys("count", {"total": 40, "sleep": 0.02})
    for _ in range(6):
        time.sleep(0.15 + chance.random() * 0.6)
        worker = process.worker(run.folder)
        if worker is None:
            break
        worker.kill()
        last, kept = ended(run), whole(run)
        if last.status is Status.DONE:
            break
        assert last.status is Status.INTERRUPTED
        control.resume(run)
        assert state(run).seconds >= last.seconds
        assert not kept or whole(run)[-1] >= kept[-1]
    last = ended(run)
    assert (run.folder / "log.txt").read_text().count("begin at") > 1
    assert (last.status, last.result["value"]) == (Status.DONE, 40)
    assert [line["step"] for line in metrics(run)] == list(range(1, 41))
    assert [line["value"] for line in metrics(run)] == list(range(1, 41))
    assert not list((run.folder / "checkpoints").glob(".*"))
    assert whole(run) == [35, 40]


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.3, 1.0])
def test_stop_takes_effect_at_any_moment_and_keeps_the_checkpoint(toys, wait):
    run = toys("count", {"total": 5000, "sleep": 0.005})
    time.sleep(wait)
    worker, began = process.worker(run.folder), time.monotonic()
    last = control.stop(run)
    assert time.monotonic() - began < 2
    assert (last.status, last.exit_code) == (Status.STOPPED, 130)
    assert not process.alive(worker)
    kept = whole(run)
    assert control.stop(run).status is Status.STOPPED
    assert state(run).seconds == state(run).seconds
    control.resume(run)
    assert state(run).status is Status.RUNNING
    control.stop(run)
    lines = (run.folder / "log.txt").read_text().splitlines()
    assert all(line.startswith("begin at") for line in lines)
    if kept and len(lines) > 1:
        assert lines[-1] == f"begin at {kept[-1]}"


def test_stop_ends_what_hears_no_word_and_its_children(toys, until):
    run = toys("deaf")
    until(lambda: state(run).done == 1)
    child, worker = psutil.Process(int((run.folder / "child").read_text())), process.worker(run.folder)
    began = time.monotonic()
    assert control.stop(run).status is Status.STOPPED
    assert time.monotonic() - began < 2
    assert not process.alive(child)
    assert not process.alive(worker)


def test_a_forked_child_that_stays_behind_does_not_count_as_the_process(toys, until):
    run = toys("orphan")
    until(lambda: state(run).done == 1)
    child = psutil.Process(int((run.folder / "child").read_text()))
    try:
        os.kill(pid_of(run), signal.SIGKILL)
        until(lambda: state(run).status is Status.INTERRUPTED)
        assert process.alive(child)
    finally:
        child.kill()


def test_of_many_who_resume_one_succeeds(toys, until):
    run = toys("count", {"total": 5000, "sleep": 0.02})
    control.stop(run)
    code = (
        "import sys, tests.jobs.toy as toy\n"
        "from analysis.jobs import control, process, runs\n"
        "from analysis.errors import InputError\n"
        "process.COMMAND = toy.COMMAND\n"
        f"run = runs.find_run({run.id!r})\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "try:\n    control.resume(run); print('mine')\n"
        "except InputError as error:\n    assert 'runs already' in str(error); print('refused')\n"
    )
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen([sys.executable, "-c", code], **options) for _ in range(3)]
    for server in servers:
        assert server.stdout.readline() == "ready\n"
    said, threads = [], []

    def resume():
        try:
            control.resume(run)
            said.append("mine")
        except InputError as error:
            said.append("refused" if "runs already" in str(error) else str(error))

    for server in servers:
        server.stdin.write("\n")
        server.stdin.flush()
    for _ in range(3):
        threads.append(threading.Thread(target=resume))
        threads[-1].start()
    for thread in threads:
        thread.join()
    said += [server.communicate(timeout=60)[0].strip() for server in servers]
    assert sorted(said) == ["mine"] + ["refused"] * 5
    working = [
        one.pid for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[-1:] == [str(run.folder)]
    ]
    assert working == [pid_of(run)]


def test_a_launcher_killed_before_it_wrote_down_the_process_gives_no_second_one(toys, until):
    run = toys("count", {"total": 5000, "sleep": 0.02})
    worker = process.worker(run.folder)
    until(lambda: state(run).done > 0)
    (run.folder / "process.json").unlink()
    assert state(run).status is Status.RUNNING
    with pytest.raises(InputError, match="runs already"):
        control.resume(run)
    assert control.stop(run).status is Status.STOPPED
    assert not process.alive(worker)


def test_the_process_writes_itself_down(toys, until, monkeypatch):
    monkeypatch.setattr(process, "record", lambda *given: None)
    run = toys("count", {"total": 5000, "sleep": 0.02})
    until(lambda: state(run).done > 0)
    assert process.worker(run.folder) is not None


def test_a_zombie_is_dead(toys, until):
    run = toys("count", {"total": 1})
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    created = psutil.Process(child.pid).create_time()
    follow(run)
    (run.folder / "result.json").unlink()
    (run.folder / "process.json").write_text(json.dumps({"pid": child.pid, "created": created, "started": 0}))
    until(lambda: not process.is_locked(run.folder))
    assert state(run).status is Status.INTERRUPTED
    child.wait()


def test_another_process_with_the_number_is_neither_taken_for_the_run_nor_killed(toys, until):
    run = toys("count", {"total": 1})
    follow(run)
    (run.folder / "result.json").unlink()
    until(lambda: not process.is_locked(run.folder))
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]) as other:
        created = psutil.Process(other.pid).create_time()
        for wrong in (created - 100, created + 100):
            (run.folder / "process.json").write_text(json.dumps({"pid": other.pid, "created": wrong}))
            assert state(run).status is Status.INTERRUPTED
            control.stop(run)
        control.discard(run)
        assert other.poll() is None
        other.kill()


def test_a_clock_that_was_set_does_not_lose_the_process(toys, until):
    run = toys("count", {"total": 5000, "sleep": 0.02})
    until(lambda: state(run).done > 0)
    said = json.loads((run.folder / "process.json").read_text())
    (run.folder / "process.json").write_text(json.dumps(said | {"created": said["created"] + 3600}))
    worker = process.worker(run.folder)
    assert worker is not None
    assert control.stop(run).status is Status.STOPPED
    assert not process.alive(worker)


def test_what_is_done_or_runs_is_not_resumed_and_what_failed_is(toys, ended, until):
    run = toys("count", {"total": 2})
    ended(run)
    with pytest.raises(InputError, match="is done"):
        control.resume(run)
    assert control.stop(run).status is Status.DONE
    run = toys("bad", {"how": "input"})
    assert ended(run).status is Status.FAILED
    control.resume(run)
    assert follow(run).status is Status.FAILED
    assert (run.folder / "log.txt").read_text().count("error: ") == 2


def test_the_log_of_earlier_processes_is_not_told_again(toys):
    run = toys("count", {"total": 40, "sleep": 0.02})
    time.sleep(0.6)
    control.stop(run)
    control.resume(run)
    lines = []
    assert follow(run, echo=lines.append).status is Status.DONE
    assert len(lines) == 1


def test_a_disk_that_is_full_at_the_start_is_one_line(toys, monkeypatch, cache):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("analysis.jobs.files.write_text", full)
    with pytest.raises(IsoglossError, match="No space left on device; free space or set ISOGLOSS_CACHE"):
        toys("count", {"total": 1})
    assert not list((cache / "runs").iterdir())
