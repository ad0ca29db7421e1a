"""The task at a middle layer: both losses by hand, what moves, what is passed, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.transfer.regime import Step, Work
from analysis.transfer.regimes.hierarchical import HierarchicalTask, HierarchicalTaskSettings, head_layer
from tests.transfer.material import classes, pairs, scores, train, weights

pytestmark = pytest.mark.fast
STILL = {"dropout": False, "head_dropout": 0.0}
QUICK = {"head_steps": 2}


def prepared(tiny, data=None, task="topics", **settings):
    """A strategy and a step on some items."""
    data = data or classes()
    chosen = {**STILL, **QUICK, "precision": "float32", **settings}
    network = train(tiny, "hierarchical", task=task, data=data, **{**chosen, "mlm": 0.0, "max_steps": 1, "lr": 1e-9,
                                                                  "head_lr": 1e-9})  # fmt: skip
    strategy = HierarchicalTask(HierarchicalTaskSettings(**chosen))
    with Job.temporary() as job:
        torch.manual_seed(0)
        extras = SimpleNamespace()
        strategy.prepare(Work(network, find("tasks", task), data, extras, strategy.settings, 0, job))
    return strategy, Step(network.encode(data.items[:5]), 1, 4, np.random.default_rng(3), network)


def lines(strategy, network, data):
    """What `prepare` says."""
    said = []
    job = SimpleNamespace(say=said.append, progress=lambda *_args: None)
    strategy.prepare(Work(network, find("tasks", "topics"), data, SimpleNamespace(), strategy.settings, 0, job))
    return said


def test_the_default_layer():
    assert [head_layer(depth, -1) for depth in (1, 2, 3, 6, 12, 24)] == [1, 1, 2, 4, 8, 16]
    assert head_layer(12, 12) == 12
    for wrong in (0, 13):
        with pytest.raises(InputError, match="valid: -1, or 1 to 12"):
            head_layer(12, wrong)


def test_a_made_head_trains_at_its_own_rate(tiny):
    from analysis.transfer import fit

    rates = {}

    class Spied(fit._Loop):
        def run(self):
            names = {id(one): name for name, one in self.parameters.items()}
            rates.update(
                {names[id(one)]: group["peak"] for group in self.optimiser.param_groups for one in group["params"]}
            )
            super().run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "_Loop", Spied)
        train(tiny, "hierarchical", head_lr=0.02, lr=3e-4, max_steps=1, **STILL, **QUICK)
    assert {rate for name, rate in rates.items() if name.startswith("head.")} == {0.02}
    assert {rate for name, rate in rates.items() if name.startswith("strategy.")} == {1e-3}
    assert {rate for name, rate in rates.items() if not name.startswith(("head.", "strategy."))} == {3e-4}


def test_the_head_reads_its_layer(tiny):
    network = train(tiny, "hierarchical", head_layer=1, mlm=0.0, max_steps=1, **STILL)
    assert network.layer == 1
    batch = network.encode(classes().items[:4])
    ids = [one.ids for one in batch.first]
    states = network.trainee.live.hidden_states(ids, [0, 1, 2, 3])
    means = np.stack([states[1][n, slice(*one.content)].numpy().mean(axis=0) for n, one in enumerate(batch.first)])
    linear = network.head.module[1]
    wanted = means @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
    np.testing.assert_allclose(network.outputs(batch).detach().numpy(), wanted, atol=1e-5)


@pytest.mark.parametrize("passing", [False, True])
def test_both_losses_by_hand(tiny, passing):
    strategy, step = prepared(tiny, mlm=0.3, passing=passing, head_layer=2)
    network, batch = step.network, step.batch
    if passing:
        with torch.no_grad():
            strategy.module["passed"].weight.normal_(std=0.5)
    terms = {name: float(one.detach()) for name, one in strategy.terms(step).items()}
    assert terms["task"] == pytest.approx(float(network.loss(batch).detach()), rel=1e-6)

    columns = [np.arange(*one.content) for one in batch.first]
    found = strategy.masker.masked([one.ids for one in batch.first], columns, np.random.default_rng(3))
    assert len(found.gold) >= 5
    live = network.trainee.live
    top = live.hidden_states(found.ids, [3])[3].numpy()
    if passing:  # block 3 by hand, on what layer 2 gives with its mean added
        low = live.hidden_states(found.ids, [2])[2].numpy().copy()
        matrix = strategy.module["passed"].weight.detach().numpy()
        longest = low.shape[1]
        shut = np.zeros((len(low), 1, 1, longest), np.float32)
        for n, one in enumerate(batch.first):
            low[n] += low[n, slice(*one.content)].mean(axis=0) @ matrix.T
            shut[n, ..., len(one.ids) :] = -1e9
        with torch.no_grad():
            given = live.blocks[2](torch.from_numpy(low), torch.from_numpy(shut))
        changed = (given[0] if isinstance(given, tuple) else given).numpy()
        assert not np.allclose(changed[0, 0], top[0, 0], atol=1e-3)
        top = changed
    at = top[found.row, found.place]
    masks = strategy.module["masks"]
    hidden = at @ masks["dense"].weight.detach().numpy().T + masks["dense"].bias.detach().numpy()
    hidden = np.asarray(torch.nn.functional.gelu(torch.from_numpy(hidden)))
    spread = (hidden - hidden.mean(1, keepdims=True)) / np.sqrt(hidden.var(1, keepdims=True) + 1e-5)
    features = spread * masks["norm"].weight.detach().numpy() + masks["norm"].bias.detach().numpy()
    table = network.trainee.network.get_input_embeddings().weight.detach().numpy()[strategy.masker.pieces]
    logits = features @ table.T + masks["output"]["bias"].detach().numpy()
    gold = np.searchsorted(strategy.masker.pieces, found.gold)
    wanted = np.mean([np.log(np.exp(row).sum()) - row[n] for row, n in zip(logits, gold, strict=True)])
    assert terms["masks"] == pytest.approx(0.3 * wanted, rel=1e-4)


def test_passing_starts_as_none(tiny):
    one, first = prepared(tiny, passing=True)
    other, second = prepared(tiny, passing=False)
    other.module["masks"].load_state_dict(one.module["masks"].state_dict())
    assert float(one.masks(first).detach()) == float(other.masks(second).detach())
    assert "passed" not in other.module


def moves(strategy, step, name):
    own = {f"own.{key}": one for key, one in strategy.module.named_parameters()}
    both = {**own, **step.network.parameters}
    for one in both.values():
        one.grad = None
    strategy.terms(step)[name].backward()
    return {key for key, one in both.items() if one.grad is not None and one.grad.any()}


def test_what_gets_a_gradient(tiny):
    strategy, step = prepared(tiny, head_layer=2)
    task, masks = moves(strategy, step, "task"), moves(strategy, step, "masks")
    assert any("layer.1." in name for name in task)
    assert not any("layer.2." in name or name.startswith("own.") for name in task)
    assert any(name.startswith("head.") for name in task)
    assert all(any(f"layer.{n}." in name for name in masks) for n in range(3))
    assert {"own.passed.weight", "own.masks.dense.weight", "own.masks.output.bias"} <= masks
    assert not any(name.startswith("head.") for name in masks)
    assert step.network.trainee.network.get_input_embeddings().weight.grad is None


def test_without_masks_the_blocks_above_stand_still(tiny):
    settings = {"mlm": 0.0, "head_layer": 1, "lr": 0.01}
    start = weights(train(tiny, "hierarchical", **{**settings, "max_steps": 1, "lr": 1e-9, "head_lr": 1e-9}))
    network = train(tiny, "hierarchical", **settings)
    end = weights(network)
    moved = {name for name in end if not np.allclose(start[name], end[name], atol=1e-6)}
    assert any("layer.0." in name for name in moved)
    assert not any("layer.1." in name or "layer.2." in name for name in moved)
    said = lines(HierarchicalTask(HierarchicalTaskSettings(mlm=0.0)), network, classes())
    assert said == ["the head reads layer 1; mlm=0, so the blocks above it stay as they are and are not run"]


@pytest.mark.parametrize(
    ("task", "data", "more"),
    [
        ("topics", classes, {}),
        ("nli", pairs, {"pair": "apart"}),
        ("nli", pairs, {"passing": False}),
        ("sts", scores, {}),
    ],
)
def test_a_run_changes_the_weights_and_repeats(tiny, task, data, more):
    settings = {"task": task, "data": data(), "max_steps": 3, **QUICK, **more}
    start = weights(train(tiny, "hierarchical", **{**settings, "max_steps": 1, "lr": 1e-9, "head_lr": 1e-9}))
    one, again = (weights(train(tiny, "hierarchical", **settings)) for _ in range(2))
    assert all(np.isfinite(value).all() for value in one.values())
    moved = {name for name in one if not np.allclose(one[name], start[name], atol=1e-5)}
    assert any("layer.2." in name for name in moved)
    assert all(np.array_equal(one[name], again[name]) for name in one)


def test_both_texts_of_a_joined_pair_are_masked(tiny):
    strategy, step = prepared(tiny, data=pairs(), task="nli", masked=0.9)
    seen = []
    before = strategy.masker.masked
    strategy.masker.masked = lambda ids, columns, rng: seen.extend(columns) or before(ids, columns, rng)
    strategy.masks(step)
    for one, columns in zip(step.batch.first, seen, strict=True):
        assert columns.tolist() == [*range(*one.content), *range(*one.second)]
        assert one.second[1] > one.second[0]


@pytest.mark.parametrize("family", ["bert", "distilbert", "modernbert"])
def test_other_families(tiny_folders, family):
    strategy, step = prepared(str(tiny_folders[family]))
    assert all(bool(torch.isfinite(one)) for one in strategy.terms(step).values())
    assert "own.passed.weight" in moves(strategy, step, "masks")


def test_long_texts_are_cut(tiny):
    from dataclasses import replace

    from analysis.text.segment import split

    data = classes()
    long = replace(data.items[0], sentence=split("the quick brown fox " * 60, "en"))
    data = replace(data, items=(long, *data.items[1:]))
    train(tiny, "hierarchical", data=data, max_steps=2, **QUICK)


def test_a_resumed_run_ends_as_an_undisturbed_one(tiny, monkeypatch):
    from analysis.transfer import fit

    whole = weights(train(tiny, "hierarchical", max_steps=5, **QUICK))
    monkeypatch.setattr(fit, "CHECKPOINT_SECONDS", 0.0)
    step = fit._Loop._step

    def broken(self, number, items):
        if number == 4 and not getattr(broken, "told", False):
            broken.told = True
            raise KeyboardInterrupt
        step(self, number, items)

    monkeypatch.setattr(fit._Loop, "_step", broken)
    with Job.temporary() as job:
        with pytest.raises(KeyboardInterrupt):
            train(tiny, "hierarchical", max_steps=5, job=job, **QUICK)
        found = weights(train(tiny, "hierarchical", max_steps=5, job=job, **QUICK))
    for name, value in whole.items():
        np.testing.assert_array_equal(value, found[name])


def test_refusals(tiny):
    with pytest.raises(InputError, match="layer=2 says which layer the head reads, and so does head_layer"):
        train(tiny, "hierarchical", layer=2)
    with pytest.raises(InputError, match="head_layer=4 lies outside the encoder"):
        train(tiny, "hierarchical", head_layer=4)
    with pytest.raises(InputError, match=r"head_layer=3 is the last.*passing=false"):
        train(tiny, "hierarchical", head_layer=3)
    with pytest.raises(InputError, match="trains nothing that layer 1 depends on"):
        train(tiny, "hierarchical", head_layer=1, blocks="2-3")
    assert train(tiny, "hierarchical", head_layer=3, passing=False, max_steps=1, **QUICK).layer == 3
