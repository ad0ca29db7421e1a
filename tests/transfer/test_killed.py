"""Every regime, killed at any moment and resumed, ends with the weights and scores of a run that nobody disturbed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from analysis.jobs import runs
from analysis.jobs.state import Status, metrics, state
from analysis.registry import registered
from analysis.transfer.job import ENTRY, KIND, make_spec
from tests.transfer.material import given, write_inputs

pytestmark = pytest.mark.fast
COMMON = ["precision=float32", "rank=2", "lr=0.005", "batch=4", "epochs=12", "max_steps=36"]
REGIMES = sorted(registered("regimes"))
KILLS = 6


@pytest.fixture(scope="module")
def ended(tiny, tmp_path_factory):
    """Each regime undisturbed and killed; what the killer said of it."""
    root = tmp_path_factory.mktemp("killed")
    inputs = write_inputs(root)
    before = os.environ["ISOGLOSS_CACHE"]
    os.environ["ISOGLOSS_CACHE"] = str(root / "cache")
    plan, made = [], {}
    try:
        for name in REGIMES:
            for kills in (0, KILLS):
                spec = make_spec(name, "topics", tiny, out=root / f"{name}{kills}", settings=COMMON,
                                 **given(name, inputs))  # fmt: skip
                run = runs.create(ENTRY, spec, kind=KIND, title=name, run_id=f"{name}{kills}")
                made[name, kills] = run
                plan.append({"folder": str(run.folder), "kills": kills, "seed": 5 + len(plan)})
        (root / "plan.json").write_text(json.dumps(plan))
        done = subprocess.run(
            [sys.executable, "-m", "tests.training.killer", str(root / "plan.json")], capture_output=True, text=True,
            cwd=Path(__file__).parents[2], env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=500,
        )  # fmt: skip
    finally:
        os.environ["ISOGLOSS_CACHE"] = before
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(plan), done.stderr
    return {key: (run, told) for (key, run), told in zip(made.items(), said)}


@pytest.mark.parametrize("name", REGIMES)
def test_it_ends_as_an_undisturbed_run(ended, name):
    (still, _), (killed, told) = ended[name, 0], ended[name, KILLS]
    for run in (still, killed):
        assert state(run).status is Status.DONE, (run.folder / "log.txt").read_text()
    assert told["code"] == 0
    assert told["killed"] >= 2, told
    a, b = (Path(run.spec["out"]) for run in (still, killed))
    for file in ("adapter_model.safetensors", "head.safetensors"):
        one, other = (load_file(folder / file) for folder in (a, b))
        assert one.keys() == other.keys()
        for key, value in one.items():
            np.testing.assert_array_equal(value, other[key], err_msg=key)
    one, other = (json.loads((folder / "transfer.json").read_text()) for folder in (a, b))
    assert one["items"] == other["items"]
    assert one["steps"] == 36


@pytest.mark.parametrize("name", REGIMES)
def test_its_curve_is_too_and_what_only_an_unfinished_run_needs_is_gone(ended, name):
    curves = []
    for kills in (0, KILLS):
        run = ended[name, kills][0]
        lines = [line for line in metrics(run) if line.get("kind") == "loss"]
        curves.append([{key: line[key] for key in ("step", "loss", "terms")} for line in lines])
        left = {path.name for path in run.folder.iterdir()}
        assert not {"checkpoints", "kept"} & left, left
    assert len(curves[0]) == 36
    assert curves[0] == curves[1]
