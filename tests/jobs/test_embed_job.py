"""Embedding by a run: the same bits as in this process, under the same key, and a kill loses one chunk at most."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from analysis import store
from analysis.encoders import embed_job, encoder
from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.errors import InputError, IsoglossError
from analysis.jobs import control, process, runs
from analysis.jobs.follow import follow
from analysis.jobs.job import Job
from analysis.jobs.state import Status, state
from analysis.text.corpus import Sentence
from tests.jobs.conftest import until  # noqa: F401
from tests.tiny import TEXT

pytestmark = pytest.mark.fast


def text(count):
    """Sentences of one to ten words, some of them past the encoder's limit, one with a lone surrogate."""
    words = " ".join(TEXT).split()
    found = []
    for number in range(count):
        size = 90 if number % 997 == 5 else 1 + number % 10
        found.append(Sentence.from_words([words[(number * 7 + n) % len(words)] for n in range(size)], "en"))
    return [*found[:-1], Sentence.from_words(["lone", "\ud800", "surrogate"], "und")]


@pytest.fixture
def ending(cache):
    """Ends whatever still runs."""
    yield
    for run in runs.list_runs():
        control.discard(run)


def in_process(model, sentences, **options):
    """The arrays that this process would store."""
    unit, pool, layers = options.get("unit", Unit.WORD), options.get("pool", Pool.MEAN), options.get("layers", (0, 3))
    return model.compute(sentences, unit, pool, layers)


def small(monkeypatch, size):
    """Make chunks smaller for the length of a test."""
    monkeypatch.setattr(encoder, "CHUNK", size)
    monkeypatch.setattr(embed_job, "CHUNK", size)


@pytest.mark.parametrize(("unit", "pool"), [(Unit.WORD, Pool.MEAN), (Unit.WORD, Pool.LAST), (Unit.SENTENCE, Pool.MEAN)])
def test_chunk_by_chunk_gives_the_same_bits(cache, tiny, monkeypatch, unit, pool):
    small(monkeypatch, 50)
    model, sentences = load_encoder(tiny), text(220)
    whole = in_process(model, sentences, unit=unit, pool=pool)
    monkeypatch.setattr(control, "start", lambda entry, spec, *, inputs, **rest: (spec, inputs))
    spec, inputs = embed_job.request(model, sentences, unit=unit, pool=pool, layers=[3, 0])
    ticks = []
    with Job.temporary(spec, tick=lambda *given: ticks.append(given)) as job:
        inputs(job.inputs)
        said = embed_job.run(job.spec, job)
        assert not (job.folder / "values.npy").exists()
    assert said == {"sentences": 220, "units": whole["values"].shape[1]}
    assert [done for done, _, _ in ticks] == sorted(done for done, _, _ in ticks)
    assert ticks[-1][:2] == (220, 220)
    monkeypatch.setattr(model, "compute", None)  # from here on only the cache can answer
    found = model.vectors(sentences, unit=unit, pool=pool, layers=[0, 3])
    assert np.array_equal(found.values, whole["values"])
    assert found.values.dtype == np.float32
    assert np.array_equal(store.get(model.key(sentences, unit, pool, (0, 3)))["truncated"], whole["truncated"])
    assert whole["truncated"].any()
    assert embed_job.request(model, sentences, unit=unit, pool=pool, layers=[0, 3]) is None


def test_what_was_done_before_a_failure_is_not_done_again(cache, tiny, monkeypatch):
    small(monkeypatch, 50)
    model, sentences = load_encoder(tiny), text(220)
    whole = in_process(model, sentences)
    monkeypatch.setattr(control, "start", lambda entry, spec, *, inputs, **rest: (spec, inputs))
    spec, inputs = embed_job.request(model, sentences, layers=[0, 3])
    real, calls = encoder.Encoder.compute, []

    def compute(self, chunk, *rest):
        calls.append(len(chunk))
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return real(self, chunk, *rest)

    monkeypatch.setattr(encoder.Encoder, "compute", compute)
    with Job.temporary(spec) as job:
        inputs(job.inputs)
        with pytest.raises(IsoglossError, match="No space left on device; free space or set ISOGLOSS_CACHE"):
            embed_job.run(job.spec, job)
        embed_job.run(job.spec, Job(job.folder, spec))
        assert "going on after 100 sentences" in (job.folder / "log.txt").read_text()
    assert calls == [50, 50, 50, 50, 50, 20]
    assert np.array_equal(store.get(model.key(sentences, Unit.WORD, Pool.MEAN, (0, 3)))["values"], whole["values"])


def test_killed_at_random_it_goes_on_and_gives_the_same_bits(ending, tiny, until):  # noqa: F811
    model, sentences = load_encoder(tiny), text(4200)
    run = embed_job.request(model, sentences, layers=[0, 3])
    assert (run.kind, embed_job.request(model, sentences, layers=[0, 3])) == ("embed", run)
    until(lambda: state(run).status is not Status.RUNNING or state(run).done > 0, 120)
    if state(run).status is Status.RUNNING:
        os.kill(process.worker(run.folder).pid, signal.SIGKILL)
        until(lambda: state(run).status is Status.INTERRUPTED)
        assert embed_job.request(model, sentences, layers=[0, 3]) == run
    last = follow(run)
    assert (last.status, last.error, last.done, last.result["sentences"]) == (Status.DONE, "", 4200, 4200)
    whole = in_process(model, sentences)["values"]
    assert np.array_equal(store.get(model.key(sentences, Unit.WORD, Pool.MEAN, (0, 3)))["values"], whole)
    assert embed_job.request(model, sentences, layers=[0, 3]) is None
    store.clear()
    again = embed_job.request(model, sentences, layers=[0, 3])
    assert (again.id, state(again).status) == (run.id, Status.RUNNING)


def test_an_encoder_that_has_changed_is_not_mixed_in(cache, tiny):
    with Job.temporary() as job, pytest.raises(InputError, match="has changed since the run began"):
        embed_job.run({"encoder": tiny, "revision": "another", "prefix": ""}, job)
    with pytest.raises(InputError, match="valid: word, sentence"):
        embed_job.request(load_encoder(tiny), text(3), unit="subword")


def test_the_command_uses_a_run_for_a_large_text_and_goes_on_after_a_kill(ending, tiny, tmp_path, until):  # noqa: F811
    file, out = tmp_path / "large.txt", tmp_path / "out"
    file.write_text("".join(f"{' '.join(TEXT[n % 2].split()[: 1 + n % 8])}\n" for n in range(5200)), "utf-8")
    command = [sys.executable, "-m", "analysis", "embed", file, "--encoder", tiny, "--layers", "3", "--lang", "en"]
    first = subprocess.Popen([*command, "--out", out], stderr=subprocess.DEVNULL)
    until(lambda: runs.list_runs("embed") and state(runs.list_runs("embed")[0]).done > 0, 120)
    (run,) = runs.list_runs("embed")
    first.kill()
    first.wait()
    process.worker(run.folder).kill()
    until(lambda: state(run).status is Status.INTERRUPTED)
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert runs.list_runs() == []
    vectors = np.load(out / "vectors.npy")
    assert vectors.shape[0] == 1
    words = [Sentence.from_words(TEXT[n % 2].split()[: 1 + n % 8], "en") for n in (0, 1, 2, 3, 4)]
    np.testing.assert_allclose(
        vectors[:, :15], load_encoder(tiny).words(words, layers=[3], cache=False).values, atol=1e-5
    )


def test_ctrl_c_stops_the_run_and_says_that_it_can_go_on(ending, tiny, tmp_path, until):  # noqa: F811
    file = tmp_path / "large.txt"
    file.write_text("".join(f"{TEXT[n % 2]} {n}\n" for n in range(5200)), "utf-8")
    command = [
        sys.executable,
        "-m",
        "analysis",
        "embed",
        file,
        "--encoder",
        tiny,
        "--lang",
        "en",
        "--out",
        tmp_path / "o",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as terminal:
        until(lambda: runs.list_runs("embed") and state(runs.list_runs("embed")[0]).done > 0, 120)
        time.sleep(0.2)
        terminal.send_signal(signal.SIGINT)
        _, err = terminal.communicate(timeout=60)
    assert terminal.returncode == 130
    assert "run the command again to go on" in err
    assert state(runs.list_runs("embed")[0]).status is Status.STOPPED
