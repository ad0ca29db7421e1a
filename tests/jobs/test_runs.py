"""Folders of runs: started, found, named, listed, followed and thrown away."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.errors import InputError, IsoglossError
from analysis.jobs import control, process, runs
from analysis.jobs.follow import follow
from analysis.jobs.state import SILENT, Status, metrics, state

pytestmark = pytest.mark.fast


def test_a_run_is_done_and_leaves_what_the_contract_says(toys):
    run = toys("count", {"total": 12}, title="  count\nto twelve ")
    lines, states = [], []
    last = follow(run, echo=lines.append, tick=states.append)
    assert (last.status, last.exit_code, last.error) == (Status.DONE, 0, "")
    assert last.result["value"] == 12
    assert (last.done, last.total, last.text) == (12, 12, "counting")
    assert lines == ["begin at 0"]
    assert states[-1] == last
    assert [line["step"] for line in metrics(run)] == list(range(1, 13))
    seconds = [line["seconds"] for line in metrics(run)]
    assert seconds == sorted(seconds)
    assert 0 < seconds[-1] <= last.seconds < 30
    assert sorted(path.name for path in (run.folder / "checkpoints").iterdir()) == ["00000005", "00000010"]
    job = json.loads((run.folder / "job.json").read_text())
    assert set(job) == {"format", "id", "kind", "entry", "title", "created", "spec", "versions"}
    assert (job["title"], job["spec"], job["format"]) == ("count to twelve", {"total": 12}, 1)
    assert set(json.loads((run.folder / "progress.json").read_text())) >= {"done", "total", "text", "time"}


def test_the_process_leads_its_own_session_and_reads_nothing(toys, until):
    run = toys("count", {"total": 1000, "sleep": 0.05})
    until(lambda: state(run).done > 0)
    said = json.loads((run.folder / "process.json").read_text())
    assert os.getsid(said["pid"]) == said["pid"] != os.getsid(0)
    if Path("/proc/self/fd").exists():
        assert Path(f"/proc/{said['pid']}/fd/0").resolve() == Path("/dev/null")


@pytest.mark.parametrize(
    ("how", "status", "code", "words"),
    [
        ("input", Status.FAILED, 2, "sentences=0 is too few; valid: at least 1"),
        ("memory", Status.FAILED, 1, "out of memory"),
        ("other", Status.FAILED, 1, "unexpected ZeroDivisionError: division by zero; see "),
        ("silent", Status.INTERRUPTED, 1, SILENT),
    ],
)
def test_each_way_to_fail_is_one_line(toys, how, status, code, words):
    run = toys("bad", {"how": how})
    lines = []
    last = follow(run, echo=lines.append)
    assert (last.status, last.exit_code, last.result) == (status, code, None)
    assert words in last.error
    assert "\n" not in last.error
    if status is Status.FAILED:
        assert lines[-1] == f"error: {last.error}"
        assert ("Traceback (most recent call last):" in lines) == (how == "other")


def test_an_entry_outside_the_package_is_refused_in_both_processes(cache, tmp_path):
    for entry in ("os:system", "analysis.jobs.work", "analysisx.y:z", "tests.jobs.toy:count", "analysis.a:b c"):
        with pytest.raises(InputError, match="is no work function"):
            control.start(entry, {}, kind="toy", title="toy")
    assert not list(cache.glob("runs/*"))
    folder = tmp_path / "made"
    folder.mkdir()
    job = {"format": 1, "id": "made", "kind": "x", "entry": "tests.jobs.toy:count", "title": "", "spec": {"total": 1}}
    (folder / "job.json").write_text(json.dumps(job))
    done = subprocess.run(
        [*process.COMMAND, str(folder)], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": os.getcwd()}
    )
    assert done.returncode == 2
    assert "is no work function" in json.loads((folder / "failed.json").read_text())["error"]
    none = subprocess.run([sys.executable, "-m", "analysis.jobs.work", str(tmp_path)], capture_output=True, text=True)
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)


def test_runs_are_listed_newest_first_and_found_by_a_unique_beginning(toys, cache):
    first = toys("count", {"total": 1}, run_id="ab1")
    second = toys("count", {"total": 2}, run_id="ab2", kind="other")
    (cache / "runs" / "broken").mkdir()
    (cache / "runs" / "broken" / "job.json").write_text("{")
    (cache / "runs" / "later").mkdir()
    (cache / "runs" / "later" / "job.json").write_text('{"format": 2, "spec": {}}')
    assert [run.id for run in runs.list_runs()] == ["ab2", "ab1"]
    assert runs.list_runs("other") == [second]
    assert runs.find_run("ab1") == first
    with pytest.raises(InputError, match="'ab' is not unique; valid: ab1, ab2"):
        runs.find_run("ab")
    for name in ("", "zz"):
        with pytest.raises(InputError, match="unknown run"):
            runs.find_run(name)


def test_a_title_can_change_while_it_runs(toys):
    run = toys("count", {"total": 1000, "sleep": 0.05})
    assert runs.rename(run, " new\nname ").title == "new name"
    assert runs.find_run(run.id).title == "new name"
    assert state(run).status is Status.RUNNING
    with pytest.raises(InputError, match="cannot be empty"):
        runs.rename(run, " ")


def test_equal_work_is_found_again_until_it_is_done(toys, ended):
    run = toys("count", {"total": 500, "sleep": 0.05, "layers": (1, 2)})
    assert control.unfinished("toy", {"layers": [1, 2], "sleep": 0.05, "total": 500}) == run
    assert control.unfinished("toy", {"total": 501}) is None
    assert control.unfinished("other", run.spec) is None
    control.stop(run)
    assert control.unfinished("toy", run.spec) == run
    other = toys("count", {"total": 1})
    ended(other)
    assert control.unfinished("toy", {"total": 1}) is None


def test_work_under_a_given_id_meets(toys, ended):
    spec = {"total": 60, "sleep": 0.02}
    run = toys("count", spec, run_id="mine")
    pid = json.loads((run.folder / "process.json").read_text())["pid"]
    assert toys("count", spec, run_id="mine") == run
    assert json.loads((run.folder / "process.json").read_text())["pid"] == pid
    with pytest.raises(InputError, match="is other work"):
        toys("count", {"total": 4}, run_id="mine")
    assert ended(run).result["pid"] == pid
    assert toys("count", spec, run_id="mine") == run
    with pytest.raises(InputError, match="is no file name"):
        toys("count", spec, run_id="../mine")


def test_inputs_are_there_before_the_process_is(toys):
    run = toys("count", {"total": 1}, inputs=lambda folder: (folder / "text").write_text("words"))
    assert (run.folder / "inputs" / "text").read_text() == "words"


def test_discarding_ends_and_deletes(toys, cache):
    run = toys("count", {"total": 1000, "sleep": 0.05})
    process_ = process.worker(run.folder)
    control.discard(run)
    assert not process.alive(process_)
    assert not list((cache / "runs").iterdir())
    control.discard(run)
    assert state(run).error == "the run was discarded"
    for act in (control.resume, lambda run: runs.rename(run, "x")):
        with pytest.raises(InputError, match="is gone"):
            act(run)


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "file"))
    with pytest.raises(IsoglossError, match="set ISOGLOSS_CACHE"):
        control.start("analysis.jobs.work:main", {}, kind="toy", title="toy")


def test_a_process_that_cannot_be_started_leaves_no_run(toys, cache, monkeypatch):
    monkeypatch.setattr(process, "COMMAND", ["/nowhere/python"])
    with pytest.raises(IsoglossError, match="No such file"):
        toys("count", {"total": 1})
    assert not list((cache / "runs").iterdir())
