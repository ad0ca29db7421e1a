"""`jobs` lists, follows, stops, resumes, discards and renames runs, and exits as they do."""

# ruff: noqa: F811
import os
import signal
import subprocess
import sys
import time

import pytest

from analysis.cli import jobs
from analysis.jobs import process
from analysis.jobs.state import Status, state
from tests.jobs.conftest import ended, toys, until  # noqa: F401

pytestmark = pytest.mark.fast
LONG = {"total": 3000, "sleep": 0.02}


def test_the_list(isogloss, toys, ended):
    assert isogloss("jobs", "--json").json == []
    assert isogloss("jobs").out.split() == ["id", "kind", "status", "progress", "title"]
    run = toys("count", {"total": 1200}, title="to\x1b[31m twelve hundred", run_id="aa1")
    ended(run)
    toys("count", LONG, title="long", run_id="bb1")
    done = isogloss("jobs", "list", "--json")
    assert done.code == 0
    long, short = done.json
    assert (long["id"], long["status"], long["error"]) == ("bb1", "running", "")
    assert (short["id"], short["kind"], short["status"], short["done"], short["total"]) == (
        "aa1", "toy", "done", 1200, 1200,
    )  # fmt: skip
    table = isogloss("jobs").out.splitlines()
    assert table[2].split() == ["aa1", "toy", "done", "1,200/1,200", "to[31m", "twelve", "hundred"]
    assert isogloss("jobs", "list").out.splitlines()[0] == table[0]


def test_a_run_is_stopped_renamed_resumed_and_discarded_by_the_beginning_of_its_id(isogloss, toys):
    run = toys("count", LONG, run_id="cafe1")
    assert isogloss("jobs", "rename", "ca", "a new name").code == 0
    done = isogloss("jobs", "stop", "ca")
    assert (done.code, done.out) == (0, "")
    assert "cafe1 is stopped; go on with: python -m analysis jobs resume cafe1" in done.err
    assert "does not run; it is stopped" in isogloss("jobs", "stop", "ca").err
    assert isogloss("jobs", "follow", "ca").code == 130
    assert isogloss("jobs", "resume", "ca", "--detach").code == 0
    assert state(run).status is Status.RUNNING
    refused = isogloss("jobs", "resume", "ca")
    assert (refused.code, refused.error.count("runs already")) == (2, 1)
    assert isogloss("jobs", "--json").json[0]["title"] == "a new name"
    assert isogloss("jobs", "discard", "cafe").code == 0
    assert isogloss("jobs", "--json").json == []


def test_an_unknown_id_is_one_line(isogloss, toys):
    toys("count", {"total": 1}, run_id="ab1")
    toys("count", {"total": 1}, run_id="ab2")
    for command in ("follow", "stop", "resume", "discard"):
        done = isogloss("jobs", command, "zz")
        assert (done.code, done.error) == (2, "error: unknown run 'zz'; valid: ab1, ab2")
    assert "is not unique" in isogloss("jobs", "stop", "ab").error
    assert isogloss("jobs", "rename", "ab1", " ").code == 2
    assert isogloss("jobs", "nothing").code == 2


@pytest.mark.parametrize(
    ("name", "spec", "code", "error"),
    [
        ("count", {"total": 3}, 0, None),
        ("bad", {"how": "input"}, 2, "error: sentences=0 is too few; valid: at least 1"),
        ("bad", {"how": "other"}, 1, "error: unexpected ZeroDivisionError"),
        ("bad", {"how": "silent"}, 1, "error: the process ended without a word"),
    ],
)
def test_follow_exits_as_the_run_does(isogloss, toys, name, spec, code, error):
    run = toys(name, spec)
    done = isogloss("jobs", "follow", run.id)
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.err
    assert ("begin at 0" in done.err) == (name == "count")
    if error:
        assert done.error.startswith(error)


def test_resume_follows_to_the_end(isogloss, toys):
    run = toys("count", {"total": 60, "sleep": 0.02})
    isogloss("jobs", "stop", run.id)
    done = isogloss("jobs", "resume", run.id)
    assert done.code == 0
    assert "begin at" in done.err
    assert "is done" in isogloss("jobs", "resume", run.id).error


def test_without_a_terminal_progress_is_a_line_now_and_then(isogloss, toys, monkeypatch):
    monkeypatch.setattr(jobs, "PLAIN_SECONDS", 0.2)
    run = toys("count", {"total": 60, "sleep": 0.02}, title="counting up")
    lines = [line for line in isogloss("jobs", "follow", run.id).err.splitlines() if line.startswith("counting up: ")]
    assert lines
    assert " of 60, counting, " in lines[0]
    assert "\r" not in "".join(lines)


def test_on_a_terminal_there_is_a_bar(toys, monkeypatch, capsys):
    run = toys("count", {"total": 20, "sleep": 0.02}, title="counting up")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert jobs.watch(run).status is Status.DONE
    shown = capsys.readouterr().err
    assert "counting up:" in shown
    assert "begin at 0" in shown


def test_ctrl_c_leaves_the_run_alone(toys, until):
    run = toys("count", LONG)
    until(lambda: state(run).done > 0)
    command = [sys.executable, "-m", "analysis", "jobs", "follow", run.id]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as terminal:
        assert "begin at 0" in terminal.stderr.readline()
        time.sleep(0.3)
        os.kill(terminal.pid, signal.SIGINT)
        out, err = terminal.communicate(timeout=30)
    assert (terminal.returncode, out) == (130, "")
    assert f"run {run.id} goes on" in err
    assert err.count("\n") == 1
    assert state(run).status is Status.RUNNING
    assert process.worker(run.folder) is not None


def test_the_list_imports_nothing_heavy(cache):
    code = (
        "import sys; from analysis.cli import run; assert run(['jobs']) == 0\n"
        "assert not {'torch', 'transformers', 'sklearn', 'scipy', 'umap', 'pyarrow', 'streamlit'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
