"""Killed at any moment and resumed, a run ends with the very weights of one that nobody disturbed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.alignment.job import ENTRY, KIND, make_spec
from analysis.jobs import runs
from analysis.jobs.state import Status, metrics, state
from tests.training.material import lines, link_lines

pytestmark = pytest.mark.fast
COMMON = [
    "precision=float32",
    "stored=float32",
    "join=1",
    "batch_tokens=48",
    "rank=2",
    "lr=0.005",
    "dev_every=10",
    "dev_pairs=8",
]
RUNS = {
    "plain": ("contrastive", ["epochs=1", "distil=1", "anchor_words=1"]),
    "dropout": ("cao", ["epochs=1", "dropout=true", "adapter=full", "layers=2,3"]),
    "refreshed": ("contrastive", ["epochs=3", "links=refreshed", "dropout=true", "projector=true", "max_pairs=70"]),
}


@pytest.fixture(scope="module")
def ended(tiny, tmp_path_factory):
    """Each run undisturbed and killed ten times; what the killer said of it."""
    root = tmp_path_factory.mktemp("killed")
    for name, text in (("pairs", lines(200)), ("links", link_lines(200)), ("dev", lines(20, seed=9))):
        (root / f"{name}.txt").write_text(text)
    before = os.environ["ISOGLOSS_CACHE"]
    os.environ["ISOGLOSS_CACHE"] = str(root / "cache")
    plan, made = [], {}
    try:
        for name, (method, settings) in RUNS.items():
            for kills in (0, 10):
                spec = make_spec(
                    method, tiny, data=[str(root / "pairs.txt")], links=[str(root / "links.txt")], langs="en-es",
                    dev=[str(root / "dev.txt")], out=root / f"{name}{kills}", settings=[*COMMON, *settings],
                )  # fmt: skip
                run = runs.create(ENTRY, spec, kind=KIND, title=name, run_id=f"{name}{kills}")
                made[name, kills] = run
                plan.append({"folder": str(run.folder), "kills": kills, "seed": 5 + len(plan)})
        (root / "plan.json").write_text(json.dumps(plan))
        done = subprocess.run(
            [sys.executable, "-m", "tests.training.killer", str(root / "plan.json")], capture_output=True, text=True,
            cwd=Path(__file__).parents[2], env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=400,
        )  # fmt: skip
    finally:
        os.environ["ISOGLOSS_CACHE"] = before
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(plan), done.stderr
    return {key: (run, told) for (key, run), told in zip(made.items(), said)}


@pytest.mark.parametrize("name", RUNS)
def test_the_weights_are_those_of_an_undisturbed_run(ended, name):
    (still, _), (killed, told) = ended[name, 0], ended[name, 10]
    assert state(still).status is Status.DONE, (still.folder / "log.txt").read_text()
    assert state(killed).status is Status.DONE, (killed.folder / "log.txt").read_text()
    assert told["code"] == 0
    assert told["killed"] >= 4, told
    log = (killed.folder / "log.txt").read_text()
    resumed = log.count("continuing after step")
    assert resumed >= 2, log
    file = "model.safetensors" if "adapter=full" in RUNS[name][1] else "adapter_model.safetensors"
    a, b = ((Path(run.spec["out"]) / file).read_bytes() for run in (still, killed))
    assert len(a) > 1000
    assert a == b


@pytest.mark.parametrize("name", RUNS)
def test_curves_and_card_are_too(ended, name):
    runs_ = [ended[name, kills][0] for kills in (0, 10)]
    curves = [[{k: v for k, v in line.items() if k != "seconds"} for line in metrics(run)] for run in runs_]
    assert len(curves[0]) > 20
    assert curves[0] == curves[1]
    cards = [json.loads((Path(run.spec["out"]) / "isogloss.json").read_text()) for run in runs_]
    assert cards[0] == cards[1]
    assert [look["step"] for look in cards[0]["curve"]] == sorted({look["step"] for look in cards[0]["curve"]})
    assert cards[0]["kept_step"] in [look["step"] for look in cards[0]["curve"][1:]]


def test_what_only_an_unfinished_run_needs_is_gone(ended):
    for (_, _), (run, _) in ended.items():
        left = {path.name for path in run.folder.iterdir()}
        assert not any(name.startswith(("frozen-", "links-", "checkpoints", "best")) for name in left), left
        assert {"log.txt", "metrics.jsonl", "result.json"} <= left
