"""Fine-tuning from the shell, in processes of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis.encoders.load import load_encoder
from analysis.jobs import runs
from analysis.jobs.state import Status, state
from tests.training.material import bitext, lines

pytestmark = pytest.mark.fast
SMALL = ["--set", "precision=float32", "--set", "batch_tokens=64", "--set", "rank=2", "--set", "join=1"]
FILES = {"adapter_config.json", "adapter_model.safetensors", "isogloss.json", "README.md"}


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory):
    """A folder with data, and a cache of its own for all commands here."""
    root = tmp_path_factory.mktemp("trained")
    (root / "pairs.txt").write_text(lines(30))
    before = os.environ["ISOGLOSS_CACHE"]
    os.environ["ISOGLOSS_CACHE"] = str(root / "cache")
    yield root
    os.environ["ISOGLOSS_CACHE"] = before


def command(place, tiny, *more, data="pairs.txt", out="out", langs=("--langs", "en-es")):
    return [sys.executable, "-m", "analysis", "align", "contrastive", "--encoder", tiny, "--data", str(place / data),
            "--out", str(place / out), *langs, *SMALL, *map(str, more)]  # fmt: skip


def begin(arguments):
    return subprocess.Popen(
        arguments, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def done(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def first(place, tiny):
    return done(begin(command(place, tiny, "--set", "max_steps=3")))


def test_what_it_writes_is_an_encoder(first, place, tiny):
    code, out, err = first
    assert code == 0, err
    assert out == f"{place / 'out'}\n"
    assert {path.name for path in (place / "out").iterdir()} == FILES
    encoder = load_encoder(out.strip())
    assert encoder.card["steps"] == 3
    assert encoder.card["command"].startswith("python -m analysis align contrastive --encoder")
    words = encoder.words(bitext(3).source, cache=False).values
    assert abs(words - load_encoder(tiny).words(bitext(3).source, cache=False).values).max() > 1e-4
    assert "Traceback" not in err
    (run,) = runs.list_runs("align")
    assert state(run).status is Status.DONE
    assert state(run).result["folder"] == str(place / "out")


def test_again_replaces_it_by_a_new_run(first, place, tiny):
    weights = place / "out" / "adapter_model.safetensors"
    before = weights.read_bytes(), weights.stat().st_mtime_ns
    count = len(runs.list_runs("align"))
    code, _, err = done(begin(command(place, tiny, "--set", "max_steps=3")))
    assert code == 0, err
    assert weights.read_bytes() == before[0], "the same seed gives the same bytes"
    assert weights.stat().st_mtime_ns > before[1]
    assert {path.name for path in (place / "out").iterdir()} == FILES
    assert len(runs.list_runs("align")) == count + 1


def test_a_trained_encoder_in_the_cache_has_a_short_name_and_is_listed(isogloss, place, tiny):
    out = place / "cache" / "encoders" / "mine"
    done_ = isogloss("align", "cao", "--encoder", tiny, "--data", place / "pairs.txt", "--langs", "en-es", "--out", out,
                     *SMALL, "--set", "max_steps=2")  # fmt: skip
    assert done_.code == 0, done_.err
    listed = isogloss("encoders", "--json").json
    name = f"{Path(tiny).resolve()}+mine"
    assert name in [one["name"] for one in listed]
    assert load_encoder(name).card["method"] == "cao"


def test_the_estimate_costs_nothing(isogloss, place, tiny):
    count = len(runs.list_runs())
    asked = command(place, tiny, "--estimate", out="never")[3:]
    found = isogloss(*asked)
    assert found.code == 0, found.err
    steps, examples = re.search(r"(\d+) steps on (\d+) examples", found.out).groups()
    assert (0 < int(steps) < 60, int(examples)) == (True, 30)
    assert "GB of memory" in found.out
    assert "numbers train" in found.out
    assert not (place / "never").exists()
    assert len(runs.list_runs()) == count


@pytest.mark.parametrize(("more", "line"), [
    (["--set", "layers=7"], "layer 7 does not exist"), (["--set", "steps=3"], "unknown setting 'steps'"),
    (["--estimate", "--set", "anchor=de"], "lacks the anchor 'de'"),
    (["--estimate", "--set", "blocks=0-1"], "blocks='0-1' lies outside"),
])  # fmt: skip
def test_bad_input_is_one_line_and_leaves_no_run(isogloss, place, tiny, more, line):
    count = len(runs.list_runs())
    found = isogloss(*command(place, tiny, *more, out="never")[3:])
    assert (found.code, line in found.error) == (2, True), found.err
    assert "Traceback" not in found.err
    assert not (place / "never").exists()
    assert len(runs.list_runs()) == count


def test_ctrl_c_stops_the_run_and_the_same_command_goes_on(place, tiny):
    (place / "many.txt").write_text(lines(400))
    arguments = command(place, tiny, "--set", "dev_every=20", "--set", "lr=0.005", "--dev", place / "pairs.txt",
                        data="many.txt", out="long")  # fmt: skip
    process = begin(arguments)
    try:
        run, end = None, time.monotonic() + 90
        while run is None or not any((run.folder / "checkpoints").glob("[0-9]*")):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end, "no checkpoint came"
            run = next((one for one in runs.list_runs("align") if one.spec["out"].endswith("long")), None)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        code, out, err = done(process)
    finally:
        process.kill()
    assert (code, out) == (130, ""), err
    assert "Traceback" not in err
    assert state(run).status is Status.STOPPED
    assert not (place / "long").exists()
    kept = max(int(path.name) for path in (run.folder / "checkpoints").glob("[0-9]*"))
    code, _, err = done(begin(arguments))
    assert code == 0, err
    assert f"going on with run {run.id}; --fresh starts anew" in err
    log = (run.folder / "log.txt").read_text()
    assert f"continuing after step {kept} of" in log
    assert state(run).status is Status.DONE
    assert load_encoder(str(place / "long")).card["kept_step"] > 0
    curve = json.loads((place / "long" / "isogloss.json").read_text())["curve"]
    assert [look["step"] for look in curve] == sorted({look["step"] for look in curve})


def test_fresh_starts_anew_where_a_run_was_stopped(isogloss, place, tiny, monkeypatch):
    from analysis.alignment.job import ENTRY, KIND
    from analysis.jobs import control

    started = []
    real = control.start

    def note(entry, spec, **options):
        started.append((entry, options["kind"], options["run_id"]))
        return real(entry, spec, **options)

    monkeypatch.setattr(control, "start", note)
    asked = command(place, tiny, "--set", "max_steps=1", out="fresh")[3:]
    monkeypatch.setattr(sys, "argv", ["isogloss", *asked])
    with monkeypatch.context() as patch:

        def stop_at_once(run):
            raise KeyboardInterrupt

        patch.setattr("analysis.cli.jobs.watch", stop_at_once)
        assert isogloss(*asked).code == 130
    (old,) = [one for one in runs.list_runs("align") if one.spec["out"].endswith("fresh")]
    assert state(old).status is Status.STOPPED
    monkeypatch.setattr(sys, "argv", ["isogloss", *asked, "--fresh"])
    found = isogloss(*asked, "--fresh")
    assert found.code == 0, found.err
    assert "going on with run" not in found.err
    assert started == [(ENTRY, KIND, None)] * 2
    (new,) = [one for one in runs.list_runs("align") if one.spec["out"].endswith("fresh")]
    assert new.id != old.id
    assert not old.folder.exists()


def test_join_refuses_what_was_aligned_once(isogloss, place, tiny):
    found = isogloss("join", "--encoder", tiny, "--out", str(place / "joined"))
    assert (found.code, "comes from one run or none" in found.error) == (2, True), found.err
    assert not (place / "joined").exists()
