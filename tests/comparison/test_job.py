"""A comparison in a process of its own: stopped, it keeps what is finished."""

import json
from pathlib import Path

import pytest

from analysis.comparison.job import ENTRY, KIND, make_spec, run, title
from analysis.comparison.plan import plan
from analysis.comparison.request import Request
from analysis.comparison.run import collect
from analysis.errors import InputError
from analysis.jobs import control
from analysis.jobs.follow import follow
from analysis.jobs.job import Job
from analysis.jobs.state import Status

pytestmark = pytest.mark.fast


def test_a_spec_holds_in_every_working_folder(asking, table, tiny, monkeypatch, tmp_path):
    monkeypatch.chdir(Path(table).parent)
    request = asking(
        data=(Path(table).name, "corpus:tour"), links=(None, "l.txt"), encoders=(Path(tiny).name, "bundled")
    )
    spec = json.loads(json.dumps(make_spec(request)))
    assert spec["data"] == [table, "corpus:tour"]
    assert spec["links"] == [None, str(Path(table).parent / "l.txt")]
    assert spec["encoders"][1] == "bundled"
    assert title(request) == f"{Path(tiny).name} and 1 more by toy_near on {Path(table).name} and 1 more"
    with pytest.raises(InputError, match="unknown measure"):
        make_spec(asking("nope"))


def test_the_work_function_says_what_it_does(asking):
    said, ticks = [], []
    request = asking("toy_near", "toy_picky", "aer")
    with Job.temporary(echo=said.append, tick=lambda *tick: ticks.append(tick)) as job:
        told = run(make_spec(request), job)
    assert told["cells"] == 8
    assert len(told["skipped"]) == 5
    assert sum(line.startswith("skipped ") for line in said) == 5
    assert ticks[-1][:2] == (12, 12)
    assert collect(plan(request)).missing == 4


def test_a_process_of_its_own(asking, table):
    request = asking("sentence_retrieval", langs="en-es")
    made = control.start(ENTRY, make_spec(request), kind=KIND, title=title(request))
    try:
        ended = follow(made)
        assert ended.status is Status.DONE, (made.folder / "log.txt").read_text()
        assert ended.result == {"cells": 2, "skipped": []}
        scores = collect(plan(Request.from_spec(made.spec)))
        assert (len(scores.entries), scores.missing) == (2, 0)
    finally:
        control.discard(made)
