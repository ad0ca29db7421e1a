"""Momentum contrast with TLM: the loss by hand, the queue, the averages, and what gets gradients."""

import numpy as np
import pytest
import torch

from analysis.alignment.ppa import SPEC, Ppa
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training.examples import prepare, select
from analysis.training.objective import Material
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext, chosen, trained
from tests.training.test_losses import cross_entropy, unit

pytestmark = pytest.mark.fast
TWO = [bitext(4, seed=1), bitext(3, seed=2, language="fr")]


class Ready:
    """An objective with its network, and steps over some text."""

    def __init__(self, name, bitexts=TWO, **values):
        self.encoder = load_encoder(name) if isinstance(name, str) else name
        self.settings = chosen("ppa", **{"head_steps": 0, "queue": 9, "projected": 5, "momentum": 0.75} | values)
        self.trainee = Trainee(self.encoder, self.settings, seed=0)
        chosen_pairs = select(bitexts, tuple(one.languages[0] for one in bitexts), self.settings, 0)
        self.examples, _ = prepare(self.trainee.base, chosen_pairs, self.settings)
        self.objective = Ppa(self.encoder, self.settings)
        torch.manual_seed(0)
        self.objective.prepare(Material(self.encoder, self.trainee, self.examples, {}, (), self.settings, 0))
        self.module = self.objective.module

    def step(self, number=1, rows=None):
        rows = range(len(self.examples)) if rows is None else rows
        return make_step(self.trainee, self.examples, rows, self.objective, number=number, steps=5)

    def sides(self, number=1, rows=None):
        """Query side and key side of a step, as its coin falls."""
        step = self.step(number, rows)
        source, target = step.batch
        return (target, source) if step.rng.random() < 0.5 else (source, target)

    def move(self, amount=0.3):
        """Change all that trains."""
        rng = np.random.default_rng(3)
        with torch.no_grad():
            for one in [*self.trainee.parameters.values(), *self.module.projector.parameters()]:
                one += torch.tensor(rng.normal(0, amount, one.shape), dtype=one.dtype)

    def weights(self):
        return [
            one.detach().clone() for one in (*self.trainee.parameters.values(), *self.module.projector.parameters())
        ]

    def vectors(self, sides, weights, place=0):
        """Projected vectors with some weights, in numpy behind the network."""
        held = {name: one.data for name, one in self.trainee.parameters.items()}
        for one, value in zip(self.trainee.parameters.values(), weights, strict=False):
            one.data = value
        found = []
        for side in sides:
            states = self.trainee.live.hidden_states([side.ids], [self.encoder.depth])[self.encoder.depth][0].numpy()
            found.append(states[0] if place == 0 else states[side.content[0] : side.content[1]].mean(0))
        for name, one in self.trainee.parameters.items():
            one.data = held[name]
        first, shift, second, offset = (one.double().numpy() for one in weights[-4:])
        return np.maximum(np.array(found) @ first.T + shift, 0) @ second.T + offset


def by_hand(queries, keys, queue, no_negative):
    """The mean over queries of -log softmax; `no_negative(query, candidate)` counts candidates from the fresh keys on."""
    both = np.concatenate([keys, queue]) if len(queue) else keys
    logits = unit(queries) @ unit(both).T / 0.05
    allowed = np.array([[c == q or not no_negative(q, c) for c in range(len(both))] for q in range(len(queries))])
    return cross_entropy(logits, np.arange(len(queries)), allowed)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("in_batch", [True, False])
def test_the_loss_of_two_steps(tiny, pooling, in_batch):
    """The second step's keys come of averaged weights, and its negatives of the first step's keys."""
    one = Ready(tiny, pooling=pooling, in_batch=in_batch, tlm=0)
    place = 0 if pooling == "cls" else 1
    language = ["es"] * 4 + ["fr"] * 3
    start = one.weights()
    first, second = one.sides()
    keys = one.vectors(second, start, place)
    fresh = lambda q, c: language[q] != language[c] or not in_batch
    wanted = by_hand(one.vectors(first, start, place), keys, [], fresh)
    step = one.step()
    terms = one.objective(step)
    assert set(terms) == {"sentence"}
    assert float(terms["sentence"].detach()) == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    assert bool(wanted > 1e-9) is in_batch, "without the step's own keys the empty queue has no negatives"
    one.move()
    with torch.no_grad():
        one.objective.after(step)
    now = one.weights()
    average = [0.75 * a + 0.25 * b for a, b in zip(start, now, strict=True)]
    assert int(one.module.count) == 7
    np.testing.assert_allclose(one.module.queue[:7].numpy(), unit(keys), rtol=1e-4, atol=1e-5)
    rows = [0, 5]
    first, second = one.sides(2, rows)
    stored = one.module.sentences[:7].tolist()
    texts = [tuple(side.ids) for side in one.sides()[1]]
    assert [stored.index(key) for key in stored] == [texts.index(text) for text in texts]

    def other(q, c):
        if c < len(rows):
            return fresh(rows[q], rows[c])
        own = {tuple(first[q].ids), tuple(second[q].ids)}
        return language[rows[q]] != language[c - len(rows)] or texts[c - len(rows)] in own

    new = one.vectors(second, average, place)
    wanted = by_hand(one.vectors(first, now, place), new, keys, other)
    found = float(one.objective(one.step(2, rows))["sentence"].detach())
    assert found == pytest.approx(wanted, rel=1e-4)
    assert found > 0
    assert all(torch.equal(a, b) for a, b in zip(one.weights(), now, strict=True)), "the weights are lent, not moved"


@pytest.mark.parametrize("masked", [True, False])
def test_repetitions_are_no_negatives(tiny, masked):
    one = Ready(tiny, [bitext(1)], tlm=0, mask_duplicates=masked)
    step = one.step()
    assert float(one.objective(step)["sentence"].detach()) == pytest.approx(0), "one pair alone has no negative"
    one.objective.after(step)
    again = float(one.objective(step)["sentence"].detach())
    # The same pair once more: as a negative, the key in the queue halves the chance or does worse.
    assert (again < 1e-6) is masked


def test_the_queue_goes_round(tiny):
    one = Ready(tiny, tlm=0, queue=5)
    expected, count = [None] * 5, 0
    for number, rows in enumerate(([0, 1, 2], [4, 5, 6], [0, 1, 2, 3, 4, 5, 6]), 1):
        step = one.step(number, rows)
        one.objective(step)
        keys = one.objective._fresh["keys"].numpy()
        one.objective.after(step)
        for key in keys[-5:]:
            expected[count % 5] = key
            count += 1
        filled = [n for n in range(5) if expected[n] is not None]
        np.testing.assert_array_equal(one.module.queue[filled].numpy(), np.array([expected[n] for n in filled]))
        assert int(one.module.count) == count
    assert one.module.pairs.tolist() == [1, 0, 0, 1, 1], "es es fr fr fr from place 1 on"


def test_what_gets_gradients(tiny):
    one = Ready(tiny)
    one.move(0.05)
    step = one.step()
    terms = one.objective(step)
    assert set(terms) == {"sentence", "tlm"}
    assert not one.objective._fresh["keys"].requires_grad
    assert all(not buffer.requires_grad for buffer in one.module.buffers())
    terms["sentence"].backward(retain_graph=True)
    reached = {name for name, own in one.module.named_parameters() if own.grad is not None and own.grad.any()}
    assert reached == {f"projector.{n}.{kind}" for n in (0, 2) for kind in ("weight", "bias")}
    assert all(own.grad is not None and own.grad.any() for own in one.trainee.parameters.values())
    terms["tlm"].backward()
    assert any(own.grad.any() for name, own in one.module.named_parameters() if name.startswith("masked."))
    assert all(own.grad is None for own in one.encoder.model.network.parameters())


def test_keys_are_made_without_dropout_and_queries_with_it(tiny):
    one = Ready(tiny, dropout=True, tlm=0)
    step = one.step()
    values = []
    for _ in range(2):
        loss = float(one.objective(step)["sentence"].detach())
        values.append((loss, one.objective._fresh["keys"]))
        assert one.trainee.network.training
        object.__setattr__(step, "rng", np.random.default_rng([0, 1, 11]))
    assert torch.equal(values[0][1], values[1][1])
    assert values[0][0] != values[1][0]


def test_the_coin_falls_both_ways_and_orders_the_joined_pair(tiny, monkeypatch):
    one = Ready(tiny)
    seen = {}
    monkeypatch.setattr(one.objective.head, "tlm", lambda step, a, b, layer: seen.update({step.number: a}) or 0 * layer)
    for number in range(1, 9):
        one.objective(one.step(number))
        wanted = one.sides(number)[0]
        assert [side.ids.tolist() for side in seen[number]] == [side.ids.tolist() for side in wanted]
    sources = [side.ids.tolist() for side in one.examples.source]
    assert 0 < sum([side.ids.tolist() for side in first] == sources for first in seen.values()) < 8


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_a_run_that_was_stopped_ends_in_the_same_bits(tiny, monkeypatch, tmp_path, adapter):
    from analysis.training import loop

    options = {"method": "ppa", "languages": ("es", "fr"), "max_steps": 6, "lr": 0.01, "head_steps": 2, "queue": 20,
               "momentum": 0.8, "adapter": adapter, "dropout": True}  # fmt: skip
    data, kept, real = [bitext(40), bitext(20, seed=4, language="fr")], [], loop.Loop._step
    stored = lambda self: {name: value.clone() for name, value in self._stored().items()}
    monkeypatch.setattr(loop.Loop, "_keep", lambda self: kept.append(stored(self)))
    whole = trained(tiny, data, **options)

    def step(self, number, rows):
        if number == 4 and len(kept) == 1:
            kept.append({})
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop.Loop, "_step", step)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, data, job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, data, job=Record(tmp_path / "run"), **options)
    assert whole.steps == resumed.steps == resumed.state.step == 6
    names = set(kept[0])
    assert {"objective.queue", "objective.count", "objective.average_0", "objective.projector_3"} <= names
    assert all(torch.equal(kept[0][name], kept[2][name]) for name in names)
    count = len(whole.trainee.parameters)
    assert f"objective.average_{count - 1}" in names
    assert not torch.equal(kept[0]["objective.projector_0"], kept[0]["objective.projector.0.weight"])


def test_the_loss_falls_and_a_placebo_learns_from_other_pairs(tiny, tmp_path):
    options = {"method": "ppa", "max_steps": 60, "lr": 0.01, "head_steps": 2, "queue": 8, "momentum": 0.9, "epochs": 99,
               "pooling": "mean", "batch_tokens": 512}  # fmt: skip
    job = Record(tmp_path / "run")
    found = trained(tiny, [bitext(8, seed=3)], job=job, **options)
    assert found.state.step == 60
    assert found.links == 0
    values = [line["terms"] for line in job.of("loss")]
    for name in ("sentence", "tlm"):
        early, late = (np.mean([one[name] for one in part]) for part in (values[:6], values[-6:]))
        assert late < (0.7 if name == "sentence" else 0.99) * early, name
    few = options | {"max_steps": 2}
    plain, placebo = (trained(tiny, [bitext(8, seed=3)], placebo=one, **few).tensors() for one in (False, True))
    assert any((plain[name] != placebo[name]).any() for name in plain)


def test_refusals(tiny):
    with pytest.raises(InputError, match="ppa compares one: last, middle or a number") as caught:
        Ready(tiny, layers="all")
    assert "\n" not in str(caught.value)
    maskless = load_encoder(tiny)
    maskless.model.tokenizer.mask_token = None
    with pytest.raises(InputError, match="has no mask token, which masked-language modelling needs"):
        Ready(maskless)
    assert Ready(maskless, tlm=0).objective.head is None
    assert (SPEC.settings().pooling, SPEC.settings().temperature) == ("cls", 0.05)
