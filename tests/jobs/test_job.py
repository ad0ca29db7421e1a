"""The job a work function holds: progress, metrics, checkpoints, rewinding, without a process."""

import json
import time

import pytest

from analysis.errors import InputError, IsoglossError
from analysis.jobs import files, work
from analysis.jobs.job import Job
from analysis.jobs.runs import create
from analysis.jobs.state import Status, metrics, state

pytestmark = pytest.mark.fast


@pytest.fixture
def run(cache):
    return create("analysis.none:work", {}, kind="toy", title="toy")


@pytest.fixture
def job(run):
    return Job(run.folder, {})


def full(*given, **options):
    raise OSError(28, "No space left on device")


def test_progress_is_written_four_times_a_second_and_the_last_one_always(job, monkeypatch):
    written = []
    monkeypatch.setattr("analysis.jobs.job.write_json", lambda path, value: written.append(value))
    began = time.monotonic()
    for number in range(200):
        job.progress(number, 300, f"step {number}")
        time.sleep(0.002)
    allowed = 2 + (time.monotonic() - began) / 0.25
    assert 2 <= len(written) <= allowed
    end = time.monotonic() + 5
    while written[-1]["done"] != 199 and time.monotonic() < end:
        time.sleep(0.01)
    assert (written[-1]["done"], written[-1]["text"]) == (199, "step 199")
    job.progress(200, 300)
    job.close()
    assert written[-1]["done"] == 200
    count = len(written)
    time.sleep(0.3)
    assert len(written) == count


def test_checkpoints_are_whole_or_absent_and_two_are_kept(job):
    assert job.latest() is None
    for step in (5, 10, 120):
        with job.checkpoint(step) as draft:
            assert not list(draft.iterdir())
            (draft / "deep").mkdir()
            (draft / "deep" / "x").write_text(str(step))
    folder = job.folder / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["00000010", "00000120"]
    with pytest.raises(InputError), job.checkpoint(130):
        raise InputError("no")
    assert job.latest() == (120, folder / "00000120")
    with job.checkpoint(120) as draft:
        (draft / "new").touch()
    assert [path.name for path in job.latest()[1].iterdir()] == ["new"]
    assert len(list(folder.iterdir())) == 2


def test_a_torn_line_is_ignored_then_dropped(run, job):
    for step in (1, 2, 3):
        job.metric(step, kind="loss", loss=1.5, terms={"a": 1.0})
    path = job.folder / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step": 4, "sec\xd0')
    assert [line["step"] for line in metrics(run)] == [1, 2, 3]
    assert metrics(run)[0] | {"seconds": 0} == {
        "step": 1, "seconds": 0, "kind": "loss", "loss": 1.5, "terms": {"a": 1.0},
    }  # fmt: skip
    before = metrics(run)
    job.rewind(2)
    job.metric(3, again=True)
    assert metrics(run)[:2] == before[:2]
    assert metrics(run)[2]["again"]
    assert path.read_bytes().count(b"\n") == 3


def test_tidying_goes_back_to_the_newest_whole_checkpoint(run, job):
    for step in range(1, 9):
        job.metric(step)
        if step % 3 == 0:
            with job.checkpoint(step):
                pass
    (job.folder / "checkpoints" / ".draft-x").mkdir()
    job.tidy()
    assert metrics(run)[-1]["step"] == 6
    assert sorted(path.name for path in (job.folder / "checkpoints").iterdir()) == ["00000003", "00000006"]
    files.remove(job.folder / "checkpoints" / "00000003")
    files.remove(job.folder / "checkpoints" / "00000006")
    job.tidy()
    assert metrics(run) == []


@pytest.mark.parametrize("what", ["progress", "metric", "say", "checkpoint"])
def test_a_full_disk_is_one_line(job, monkeypatch, what):
    if what == "progress":
        monkeypatch.setattr("analysis.jobs.files.write_text", full)
    elif what == "checkpoint":
        with job.checkpoint(1):
            pass
    else:
        monkeypatch.setattr("pathlib.Path.open", full)
    act = {
        "progress": lambda: job.progress(1, 2), "metric": lambda: job.metric(1), "say": lambda: job.say("x"),
        "checkpoint": lambda: save(job),
    }  # fmt: skip
    with pytest.raises(IsoglossError, match="No space left on device; free space or set ISOGLOSS_CACHE") as caught:
        act[what]()
    assert "\n" not in str(caught.value)
    if what == "checkpoint":
        assert [path.name for path in (job.folder / "checkpoints").iterdir()] == ["00000001"]


def save(job):
    """A checkpoint that finds no room."""
    with job.checkpoint(2) as draft:
        (draft / "half").touch()
        full()


def test_a_full_disk_inside_the_process_fails_the_run(run, monkeypatch, capsys):
    monkeypatch.setattr(work, "_function", lambda folder: lambda spec, job: save(job))
    assert work._work(Job(run.folder, {})) == 1
    last = state(run)
    assert (last.status, last.exit_code) == (Status.FAILED, 1)
    assert last.error.endswith("No space left on device; free space or set ISOGLOSS_CACHE")
    (run.folder / "failed.json").unlink()
    monkeypatch.setattr("analysis.jobs.files.write_text", full)
    assert work._work(Job(run.folder, {})) == 1
    assert state(run).status is Status.INTERRUPTED
    assert capsys.readouterr().err.count("error: cannot write") == 3


def test_a_result_that_is_no_json_fails_the_run(run, monkeypatch):
    monkeypatch.setattr(work, "_function", lambda folder: lambda spec, job: {"x": object()})
    assert work._work(Job(run.folder, {})) == 1
    assert "unexpected TypeError" in state(run).error


def test_a_job_without_a_process(tmp_path):
    lines, ticks = [], []
    with Job.temporary({"a": 1}, echo=lines.append, tick=lambda *given: ticks.append(given)) as job:
        job.say("two\nlines")
        job.progress(1, 3)
        job.progress(2, 3, "text")
        with job.checkpoint(1) as draft:
            (draft / "x").touch()
        assert job.latest()[0] == 1
        assert (job.folder / "log.txt").read_text() == "two lines\n"
        assert job.inputs.is_dir()
        assert job.spec == {"a": 1}
        folder = job.folder
        job.close()
        assert json.loads((folder / "progress.json").read_text())["done"] == 2
    assert not folder.exists()
    assert (lines, ticks) == (["two lines"], [(1, 3, ""), (2, 3, "text")])
