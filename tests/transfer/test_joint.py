"""Task and alignment at once: which links are learned, the loss by hand, what moves, the logged cosine."""

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.transfer import fit
from analysis.transfer.heads import make_head
from analysis.transfer.network import TaskNetwork
from analysis.transfer.regime import Extras, Step, Work
from analysis.transfer.regimes.joint import Joint, JointSettings
from tests.alignment.test_efimov import ROWS, hand
from tests.training.material import Record, bitext
from tests.transfer.material import classes, pairs, tagged, train, weights

pytestmark = pytest.mark.fast
STILL = {"dropout": False, "head_dropout": 0.0, "precision": "float32"}


def ready(tiny, data, job, **values):
    """A prepared strategy and a function that makes its steps."""
    encoder, task = load_encoder(tiny), find("tasks", "topics")
    settings = JointSettings(**{**STILL, **values})
    network = TaskNetwork(encoder, classes().items, settings, lambda i, d: make_head(task)(i, d, settings), seed=0)
    strategy = Joint(settings)
    strategy.prepare(Work(network, task, classes(), Extras(bitexts=data), settings, 0, job))
    batch = network.encode(classes().items[:4])
    return strategy, lambda number=1: Step(batch, number, 10, np.random.default_rng(number), network)


def shake(network):
    """Move the trained weights away from the base."""
    import torch

    rng = np.random.default_rng(5)
    with torch.no_grad():
        for one in network.trainee.parameters.values():
            one += torch.from_numpy(rng.normal(0, 0.2, tuple(one.shape)).astype(np.float32))


def words_by_hand(model, sentence):
    """Mean of the last layer's states over each word's subwords, then the two special tokens."""
    coded = model.tokenizer(sentence.text, return_offsets_mapping=True)
    states = model.hidden_states([np.array(coded["input_ids"])], [3])[3][0].numpy().astype(np.float64)
    offsets = coded["offset_mapping"]
    inside = lambda span, off: off[1] > off[0] and off[0] < span[1] and off[1] > span[0]
    tokens = model.tokenizer.convert_ids_to_tokens(coded["input_ids"])
    content = [n for n in range(1, len(offsets) - 1) if tokens[n] != "▁"]  # a lone word mark is no part of a word
    vectors = [states[[n for n in content if inside(span, offsets[n])]].mean(axis=0) for span in sentence.spans]
    return np.stack([*vectors, states[0], states[len(offsets) - 1]])


@pytest.mark.parametrize("flipped", [False, True])
def test_both_terms_by_hand(tiny, flipped):
    data = bitext(3, seed=1)
    with Job.temporary() as job:
        strategy, step = ready(tiny, (data.flipped() if flipped else data,), job, align=0.5, anchor=2.0)
        network = step().network
        shake(network)
        found = strategy.parallel(step(), [0, 1, 2])
    live, base = network.trainee.live, network.trainee.base
    distances, drifts = [], []
    for source, target, links in zip(data.source, data.target, data.links, strict=True):
        s, t, t0 = words_by_hand(live, source), words_by_hand(live, target), words_by_hand(base, target)
        linked = [(i, j) for i, j in links.sure if source.words[i] != target.words[j]]
        linked += [(len(source.words), len(target.words)), (len(source.words) + 1, len(target.words) + 1)]
        distances += [(s[i] - t[j]) ** 2 for i, j in linked]
        drifts.append((t - t0) ** 2)
    assert float(found["align"].detach()) == pytest.approx(0.5 * np.mean(distances), rel=1e-4)
    assert float(found["anchor"].detach()) == pytest.approx(2.0 * np.mean(np.concatenate(drifts)), rel=1e-4)
    assert found["anchor"].item() > 1e-3


def test_the_filters_are_those_of_efimov_and_the_labels_language_is_the_target(tiny):
    with Job.temporary() as job:
        strategy, _ = ready(tiny, (hand(ROWS).flipped(),), job)
    # Row 1 and row 3 have no link between different words; special tokens are the last two words.
    assert [one.tolist() for one in strategy.examples.links] == [[[0, 0], [2, 2], [3, 3]], [[2, 1], [3, 2], [4, 3]]]
    assert strategy.examples.language == ("es", "es")


def test_nothing_has_drifted_at_the_start_and_the_draw_is_that_of_the_step(tiny):
    with Job.temporary() as job:
        strategy, step = ready(tiny, (bitext(30),), job, pairs=4)
        one, again, other = (strategy.terms(step(number)) for number in (1, 1, 2))
    assert one["anchor"].item() == pytest.approx(0, abs=1e-10)
    assert one["align"].item() == again["align"].item() != other["align"].item()


@pytest.mark.parametrize(("values", "names"), [({"align": 0}, {"task", "anchor"}), ({"anchor": 0}, {"task", "align"})])
def test_each_weight_switches_its_term(tiny, values, names):
    with Job.temporary() as job:
        strategy, step = ready(tiny, (bitext(8),), job, **values)
        assert set(strategy.terms(step())) == names


def test_what_gets_a_gradient(tiny):
    with Job.temporary() as job:
        strategy, step = ready(tiny, (bitext(8),), job, log_every=0)
        network = step().network
        shake(network)
        strategy.backward(strategy.parallel(step(), [0, 1]), step())
    moved = {name for name, one in network.parameters.items() if one.grad is not None and bool(one.grad.any())}
    assert moved == set(network.trainee.parameters)  # the task's head has no part in it
    assert all(one.grad is None for one in network.trainee.base.network.parameters())


def test_the_anchor_is_what_holds(tiny):
    drift = {}
    for anchor in (0.0, 50.0):
        network = train(tiny, "joint", extras=Extras(bitexts=(bitext(40),)), align=0, max_steps=25, lr=5e-3,
                        anchor=anchor or 1e-9, **STILL)  # fmt: skip
        ids = [one.ids for one in network.encode(classes().items).first]
        a, b = (model.hidden_states(ids, [3])[3].numpy() for model in (network.trainee.live, network.trainee.base))
        keep = np.array([[n < len(one) for n in range(a.shape[1])] for one in ids])
        drift[anchor] = float(((a - b)[keep] ** 2).mean())
    assert drift[50.0] < 0.7 * drift[0.0]


@pytest.mark.parametrize(("task", "data"), [("topics", classes), ("nli", pairs), ("pos", tagged)])
def test_a_run_is_finite_changes_the_weights_and_repeats(tiny, task, data):
    extras = Extras(bitexts=(bitext(12, links=False), bitext(12, seed=2)))
    one, again = (weights(train(tiny, "joint", task, data(), extras=extras, pairs=4)) for _ in range(2))
    assert all(np.isfinite(value).all() for value in one.values())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(np.abs(one[name]).max() > 1e-6 for name in one if "lora_B" in name)  # they start at 0


def test_the_cosine_by_hand_and_the_gradient_is_untouched_by_looking(tiny, tmp_path):
    extras = Extras(bitexts=(bitext(20),))
    looked = Record(tmp_path / "a")
    one = weights(train(tiny, "joint", extras=extras, job=looked, log_every=2, max_steps=5))
    other = weights(train(tiny, "joint", extras=extras, log_every=0, max_steps=5))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    found = looked.of("cosine")
    assert [line["step"] for line in found] == [1, 3, 5]
    assert all(-1 <= line["with_task"]["align"] <= 1 for line in found)

    job = Record(tmp_path / "b")
    strategy, step = ready(tiny, (bitext(8),), job, log_every=1, align=0.3)
    shake(step().network)
    grads = {}
    for name in ("task", "align"):
        step().network.trainee.network.zero_grad()
        strategy.terms(step())[name].backward()
        grads[name] = np.concatenate([p.grad.numpy().ravel() for p in step().network.trainee.parameters.values()])
    strategy.backward(strategy.terms(step()), step())
    a, b = grads["task"].astype(np.float64), grads["align"].astype(np.float64)
    by_hand = a @ b / np.sqrt((a @ a) * (b @ b))
    assert job.of("cosine")[0]["with_task"]["align"] == pytest.approx(by_hand, abs=1e-4)


def test_a_resumed_run_ends_as_an_undisturbed_one(tiny, monkeypatch):
    extras = Extras(bitexts=(bitext(20),))
    whole = weights(train(tiny, "joint", extras=extras, max_steps=6))
    found = interrupted(tiny, monkeypatch, "joint", extras=extras, max_steps=6)
    assert all(np.array_equal(whole[name], found[name]) for name in whole)


def interrupted(tiny, monkeypatch, regime, **values):
    """The weights of a run that is stopped at its fourth step and goes on."""
    monkeypatch.setattr(fit, "CHECKPOINT_SECONDS", 0.0)
    step, told = fit._Loop._step, []

    def broken(self, number, items):
        if number == 4 and not told and self.work.network.settings.max_steps == values["max_steps"]:
            told.append(number)
            raise KeyboardInterrupt
        step(self, number, items)

    monkeypatch.setattr(fit._Loop, "_step", broken)
    with Job.temporary() as job:
        with pytest.raises(KeyboardInterrupt):
            train(tiny, regime, job=job, **values)
        return weights(train(tiny, regime, job=job, **values))


def test_refusals(tiny):
    with pytest.raises(InputError, match="needs --data"):
        train(tiny, "joint")
    with pytest.raises(InputError, match=r"lacks 'en', the language of the labels"):
        train(tiny, "joint", extras=Extras(bitexts=(bitext(4), spanish_german())))
    with pytest.raises(InputError, match="both 0"):
        train(tiny, "joint", extras=Extras(bitexts=(bitext(4),)), align=0, anchor=0)
    with pytest.raises(InputError, match="no sentence pair of --data"):
        train(tiny, "joint", extras=Extras(bitexts=(hand(ROWS[3:]),)))
    with pytest.raises(InputError, match="link between two different words"):
        train(tiny, "joint", extras=Extras(bitexts=(hand(ROWS[1:2]),)))


def spanish_german():
    """Pairs without English."""
    from dataclasses import replace

    return replace(bitext(4), languages=("es", "de"))
