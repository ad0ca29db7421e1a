"""Which weights a run keeps, when it stops, and what it says of numbers that break."""

import math

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.errors import InputError, IsoglossError
from analysis.training import checkpoint
from analysis.training.loop import schedule
from analysis.training.monitor import DevScores, Monitor
from tests.training.material import Record, bitext, chosen, trained

pytestmark = pytest.mark.fast
DATA = [bitext(40)]
STEPS = {"epochs": 1, "dev_every": 2, "lr": 0.01}


@pytest.fixture
def scores(monkeypatch):
    """Development means as a test wants them, look by look."""

    def pretend(means):
        looks = iter(means)
        monkeypatch.setattr(Monitor, "development", lambda self: DevScores("made", {"es": float(next(looks))}))

    return pretend


def snapshot(monkeypatch):
    """The weights at every look."""
    found, real = {}, Monitor.forgetting

    def look(self):
        found[len(found)] = {name: one.detach().clone() for name, one in self.trainee.parameters.items()}
        return real(self)

    monkeypatch.setattr(Monitor, "forgetting", look)
    return found


def same(tensors, weights):
    return all(np.array_equal(tensors[name], one.detach().numpy()) for name, one in weights.items())


def test_the_best_look_after_the_start_is_kept(tiny, scores, monkeypatch, tmp_path):
    scores([90, 50, 70, 70, *[60] * 20])
    seen, job = snapshot(monkeypatch), Record(tmp_path / "run")
    found = trained(tiny, DATA, dev=[bitext(5)], job=job, **STEPS)
    assert found.state.step == found.steps > 8
    assert found.kept == 4, "step 0 is not a candidate, and of equal means the first one counts"
    assert same(found.tensors(), seen[2])
    assert not same(found.tensors(), seen[3])
    looks = [0, *range(2, found.steps, 2), found.steps]
    assert [look["step"] for look in found.state.curve] == looks
    assert [line["step"] for line in job.of("forgetting")] == looks
    assert [line["step"] for line in job.of("dev") if line["best"]] == [2, 4]
    assert [line["step"] for line in job.of("loss")] == list(range(1, found.steps + 1))
    assert all(math.isfinite(line["loss"]) for line in job.of("loss"))
    assert sum(job.of("loss")[0]["terms"].values()) == pytest.approx(job.of("loss")[0]["loss"], abs=1e-5)
    first = job.of("forgetting")[0]
    assert first["drift"] == pytest.approx(0, abs=1e-4)
    assert f"kept the weights of step {found.kept}" in job.said


def test_a_number_of_steps_keeps_the_last_weights(tiny, scores, monkeypatch):
    scores([10, 50, 20, 20, 20])
    seen = snapshot(monkeypatch)
    found = trained(tiny, DATA, dev=[bitext(5)], **STEPS | {"max_steps": 5})
    assert (found.state.step, found.kept, found.steps) == (5, 5, 5)
    assert same(found.tensors(), seen[max(seen)])


def test_without_development_data_the_last_weights_are_kept(tiny, monkeypatch):
    seen = snapshot(monkeypatch)
    found = trained(tiny, DATA, **STEPS)
    assert found.kept == found.state.step == found.steps
    assert found.state.curve == []
    assert same(found.tensors(), seen[max(seen)])


def test_patience_stops_early(tiny, scores, monkeypatch, tmp_path):
    scores([10, 50, 40, 50, 30, 99])
    seen, job = snapshot(monkeypatch), Record(tmp_path / "run")
    found = trained(tiny, DATA, dev=[bitext(5)], job=job, patience=3, **STEPS)
    assert (found.state.step, found.kept) == (8, 2)
    assert found.steps > 10
    assert same(found.tensors(), seen[1])
    assert any("stopped early at step 8" in line for line in job.said)


def test_a_run_that_had_stopped_early_does_not_go_on(tiny, scores, tmp_path, monkeypatch):
    from analysis.training import loop

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    scores([10, 50, 40, 40])
    options = {"dev": [bitext(5)], "patience": 2} | STEPS
    first = trained(tiny, DATA, job=Record(tmp_path / "run"), **options)
    scores([])
    again = trained(tiny, DATA, job=Record(tmp_path / "run"), **options)
    assert (first.state.step, again.state.step, again.kept) == (6, 6, 2)
    assert same(again.tensors(), first.trainee.parameters)


def test_real_development_scores_are_those_of_the_measure(tiny, tmp_path):
    from analysis.scoring.evaluate import evaluate

    dev, job = bitext(20, seed=9), Record(tmp_path / "run")
    trained(tiny, DATA, dev=[dev], job=job, max_steps=1, dev_pairs=12)
    wanted = evaluate("word_retrieval", load_encoder(tiny), dev.take(range(12)), layer=3, cache=False).score
    start = job.of("dev")[0]
    assert (start["step"], start["measure"], set(start["scores"])) == (0, "word_retrieval", {"es"})
    assert start["mean"] == pytest.approx(wanted, abs=1e-3)
    bare = Record(tmp_path / "bare")
    trained(tiny, DATA, dev=[bitext(20, seed=9, links=False)], job=bare, max_steps=1)
    assert {line["measure"] for line in bare.of("dev")} == {"sentence_retrieval"}


@pytest.mark.parametrize("breaks", [3, 1])
def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_pairs(tiny, monkeypatch, tmp_path, breaks):
    from analysis.alignment.contrastive import Contrastive

    real, calls, seen = Contrastive.__call__, [], snapshot(monkeypatch)

    def broken(self, step):
        calls.append(1)
        terms = real(self, step)
        # The first two calls time a step for the estimate.
        return terms | {"bad": terms["contrast@3"] * math.nan} if len(calls) == breaks + 2 else terms

    monkeypatch.setattr(Contrastive, "__call__", broken)
    job = Record(tmp_path / "run")
    options = STEPS | {"dev_every": 1}
    with pytest.raises(IsoglossError) as caught:
        trained(tiny, DATA, job=job, **options)
    text = str(caught.value)
    assert text.startswith(f"the loss of step {breaks} is not finite; its pairs: made es row ")
    assert f"the weights of step {breaks - 1} are kept" in text
    assert "\n" not in text
    step, folder = job.latest()
    assert step == breaks - 1
    stored = {name: one.clone() for name, one in seen[breaks - 1].items()}
    for one in seen[breaks - 1].values():
        one.zero_()
    checkpoint.load_weights(folder / checkpoint.WEIGHTS, seen[breaks - 1])
    assert all(torch.equal(one, stored[name]) and one.isfinite().all() for name, one in seen[breaks - 1].items())
    looks = len(job.of("forgetting"))
    found = trained(tiny, DATA, job=job, **options)  # it breaks no more
    assert found.state.step == found.steps
    assert [line["step"] for line in job.of("forgetting")][looks:] == list(range(breaks, found.steps + 1))
    undisturbed = trained(tiny, DATA, **options)
    assert same(found.tensors(), undisturbed.trainee.parameters)


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_a_learning_rate_past_all_bounds_ends_in_one_line(tiny, tmp_path, adapter):
    job = Record(tmp_path / "run")
    with pytest.raises(IsoglossError, match=r"is not finite; its pairs: .*lower lr \(now 1e\+30\)"):
        trained(tiny, DATA, job=job, **STEPS | {"lr": "1e30", "adapter": adapter})
    assert job.latest() is not None
    checkpoint.peek(job.latest()[1])


def test_other_data_in_the_same_folder_start_anew(tiny, tmp_path):
    first = trained(tiny, DATA, job=Record(tmp_path / "run"), max_steps=2, dev_every=1)
    job = Record(tmp_path / "run")
    other = trained(tiny, [bitext(40, seed=5)], job=job, max_steps=2, dev_every=1)
    assert any("starting anew" in line for line in job.said)
    alone = trained(tiny, [bitext(40, seed=5)], max_steps=2, dev_every=1)
    assert same(other.tensors(), alone.trainee.parameters)
    assert not same(other.tensors(), first.trainee.parameters)


def test_the_learning_rate_rises_and_falls():
    rates = lambda **values: [schedule(chosen(**values), step, 10) for step in range(1, 11)]
    np.testing.assert_allclose(rates(warmup=0.2), [0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
    np.testing.assert_allclose(rates(warmup=0, schedule="constant"), np.ones(10))
    np.testing.assert_allclose(rates(warmup=0, schedule="cosine")[5], 0.5)
    assert rates(warmup=1) == [step / 10 for step in range(1, 11)]


@pytest.mark.parametrize("values", [{"layers": "0"}, {"layers": "1", "blocks": "2-3"}])
def test_layers_below_all_trained_blocks_are_bad_input(tiny, values):
    with pytest.raises(InputError, match="block"):
        trained(tiny, DATA, **values)


def test_links_made_anew_at_an_epoch_are_found_again_when_it_is_resumed(tiny, monkeypatch, tmp_path):
    from analysis.training import loop

    made, breaks, real_link, real_step = [], [], loop.link, loop.Loop._step

    def link(*arguments, **options):
        made.append(options["live"])
        return real_link(*arguments, **options)

    def step(self, number, rows):
        if self.epoch == 1 and not breaks and number > self.plan._counts[0] + 3:
            breaks.append(number)
            raise KeyboardInterrupt
        real_step(self, number, rows)

    monkeypatch.setattr(loop, "link", link)
    monkeypatch.setattr(loop.Loop, "_step", step)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    options = STEPS | {"epochs": 3, "links": "refreshed", "lr": 0.02}
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, DATA, job=Record(tmp_path / "run"), **options)
    assert (made, [path.name for path in (tmp_path / "run").glob("links-*")]) == ([True], ["links-1.npz"])
    resumed = trained(tiny, DATA, job=Record(tmp_path / "run"), **options)
    assert made == [True, True], "once for each later epoch"
    whole = trained(tiny, DATA, **options)
    assert len(made) == 4
    assert same(resumed.tensors(), whole.trainee.parameters)
    assert resumed.links == whole.links
