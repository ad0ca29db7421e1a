"""Many heads: the loss by hand, which ones go, that held-out items never train, and that a resumed run agrees."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.transfer.regime import Step
from analysis.transfer.regimes.multiverse import Multiverse, MultiverseSettings, held_rows, shared, weak_heads
from tests.transfer.material import classes, pairs, scores, tagged, train, weights

pytestmark = pytest.mark.fast
STILL = {"dropout": False, "head_dropout": 0.0}


def step_on(network, items, number=1, steps=10):
    return Step(network.encode(items), number, steps, np.random.default_rng(0), network)


def strategy_of(**settings):
    return Multiverse(MultiverseSettings(**settings))


def test_what_maps_share_by_hand():
    maps = np.random.default_rng(0).normal(size=(3, 2, 4))
    unit = maps / np.linalg.norm(maps, axis=2, keepdims=True)
    parts = [((unit[k] @ unit[m].T) ** 2).sum() for k in range(3) for m in range(k + 1, 3)]
    tensors = [torch.from_numpy(one) for one in maps]
    assert float(shared(tensors, "sum")) == pytest.approx(sum(parts))
    assert float(shared(tensors, "mean")) == pytest.approx(np.mean(parts))
    assert float(shared(tensors[:1], "sum")) == 0
    corner = torch.eye(4)
    assert float(shared([corner[:2], 3 * corner[2:]], "sum")) == 0
    assert float(shared([corner[:2], 3 * corner[:2]], "sum")) == pytest.approx(2)


@pytest.mark.parametrize("combine", ["sum", "mean"])
def test_the_loss_by_hand(tiny, combine):
    network = train(tiny, "multiverse", max_steps=1, heads=3, held_out=0.0, lr=1e-9, head_lr=1e-9, **STILL)
    network.head.module.active[1] = False
    items = classes().items[:5]
    step = step_on(network, items)
    terms = strategy_of(heads=3, combine=combine, orthogonal=0.5).terms(step)
    view = network.view(step.batch)
    means = np.stack([
        view.first[n, slice(*one.content)].detach().numpy().mean(axis=0) for n, one in enumerate(step.batch.first)
    ])  # fmt: skip
    places = [network.head.labels.index(item.label) for item in items]
    losses, maps = [], []
    for head in (network.head.heads[0], network.head.heads[2]):
        weight, bias = (getattr(head.module[1], name).detach().numpy() for name in ("weight", "bias"))
        logits = means @ weight.T + bias
        losses.append(np.mean([np.log(np.exp(row).sum()) - row[at] for row, at in zip(logits, places, strict=True)]))
        maps.append(weight / np.linalg.norm(weight, axis=1, keepdims=True))
    total = sum(losses) if combine == "sum" else np.mean(losses)
    assert float(terms["task"].detach()) == pytest.approx(total, rel=1e-5)
    assert float(terms["orthogonal"].detach()) == pytest.approx(0.5 * ((maps[0] @ maps[1].T) ** 2).sum(), rel=1e-4)


def test_it_says_what_the_remaining_heads_say_on_average(tiny):
    network = train(tiny, "multiverse", heads=3, max_steps=1, held_out=0.0, head_lr=0.5)
    network.trains(False)
    network.head.module.active[0] = False
    batch = network.encode(classes().items)
    view = network.view(batch)
    softmax = lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    each = [softmax(network.head.heads[n].outputs(view).detach().numpy().astype(np.float64)) for n in (1, 2)]
    mean = (each[0] + each[1]) / 2
    outputs = network.outputs(batch)
    np.testing.assert_allclose(np.exp(outputs.detach().numpy()), mean, rtol=1e-5)
    gold = [network.head.labels.index(item.label) for item in batch.items]
    wanted = -np.log(mean[np.arange(len(gold)), gold]).mean()
    assert float(network.loss(batch).detach()) == pytest.approx(wanted, rel=1e-5)
    said = network.predict(classes().items)
    assert said == [network.head.labels[n] for n in mean.argmax(axis=1)]


def test_which_heads_are_weak():
    assert weak_heads([1.0, 2.0, 3.0, 6.0], 1) == [3]  # the mean is 3, and 3 is not above it
    assert weak_heads([5.0, 1.0, 4.0, 0.0], 3) == [0]
    assert weak_heads([5.0, 1.0, 4.0, 0.0], 1) == [0, 2]
    assert weak_heads([5.0, 1.0], 2) == []
    assert weak_heads([2.0, 2.0], 1) == []


def test_weak_heads_go_on_what_is_held_out(tiny):
    network = train(tiny, "multiverse", heads=4, max_steps=1, drop_every=1.0, keep=4, lr=1e-9, head_lr=1e-9)
    strategy, said = strategy_of(heads=4, keep=2, drop_every=0.5, held_out=0.25), []
    data = classes()
    strategy.prepare(SimpleNamespace(network=network, train=data, seed=0, job=SimpleNamespace(say=said.append)))
    held = [data.items[row] for row in strategy.held]
    right = {item.label for item in held}
    with torch.no_grad():  # heads 1 and 3 are sure of the wrong labels whatever they read
        for n in (1, 3):
            network.head.heads[n].module[1].weight.zero_()
            network.head.heads[n].module[1].bias.copy_(torch.tensor([9.0 if one not in right else -9.0 for one in
                                                                     network.head.labels]))  # fmt: skip
        if len(right) == 2:
            network.head.heads[1].module[1].bias.copy_(torch.tensor([9.0, -9.0]))
            network.head.heads[3].module[1].bias.copy_(torch.tensor([-9.0, 9.0]))
    losses = strategy.held_out_losses()
    network.trains(False)
    batch = network.encode(held)
    view = network.view(batch)
    alone = [float(one.loss(one.outputs(view), batch).detach()) for one in network.head.heads]
    network.trains(True)
    assert losses == pytest.approx(alone, rel=1e-4)
    with torch.no_grad():
        strategy.after(step_on(network, data.items[:2], number=4))
        assert network.head.active == [0, 1, 2, 3]  # not yet
        strategy.after(step_on(network, data.items[:2], number=5))
        assert network.head.active == [0, 2]
        strategy.after(step_on(network, data.items[:2], number=10))
    assert network.head.active == [0, 2]  # no fewer than keep
    assert "dropped 2, 4, 2 left" in said[-1]


def test_close_losses_are_told_apart_in_low_precision(tiny):
    network = train(
        tiny, "multiverse", heads=8, keep=8, held_out=0.3, max_steps=1, lr=1e-9, head_lr=1e-9, precision="bfloat16"
    )
    strategy = strategy_of(heads=8, held_out=0.3)
    job = SimpleNamespace(say=lambda _line: None)
    strategy.prepare(SimpleNamespace(network=network, train=classes(), seed=0, job=job))
    losses = torch.tensor(strategy.held_out_losses(), dtype=torch.float32)
    assert len(set(losses.tolist())) == 8
    assert not torch.equal(losses, losses.bfloat16().float())


def test_early_looks_drop_no_head(tiny):
    job, said = SimpleNamespace(say=lambda line: said.append(line)), []
    for first, left in ((0.5, 4), (0.2, 2)):
        network = train(tiny, "multiverse", heads=4, keep=4, max_steps=1)
        strategy = strategy_of(heads=4, keep=2, drop_every=0.2, drop_from=first, held_out=0.3)
        strategy.prepare(SimpleNamespace(network=network, train=classes(), seed=0, job=job))
        with torch.no_grad():
            for number in (2, 4):  # of ten steps
                strategy.after(step_on(network, classes().items[:2], number=number))
        assert (len(network.head.active) == 4) == (left == 4)  # which go, the held-out items say


def test_a_dropped_head_stands_still(tiny):
    network = train(tiny, "multiverse", heads=2, held_out=0.0, max_steps=1, **STILL)
    network.head.module.active[1] = False
    terms = strategy_of(heads=2).terms(step_on(network, classes().items[:4]))
    for one in network.parameters.values():
        one.grad = None
    torch.stack(list(terms.values())).sum().backward()
    moved = {name for name, one in network.parameters.items() if one.grad is not None and one.grad.any()}
    assert {name for name in moved if name.startswith("head.")} == {"head.0.1.weight", "head.0.1.bias"}
    assert any("lora" in name for name in moved)
    assert network.trainee.network.get_input_embeddings().weight.grad is None


def test_the_push_apart_moves_the_heads_alone(tiny):
    network = train(tiny, "multiverse", heads=3, held_out=0.0, max_steps=1, **STILL)
    for one in network.parameters.values():
        one.grad = None
    strategy_of(heads=3).terms(step_on(network, classes().items[:4]))["orthogonal"].backward()
    moved = {name for name, one in network.parameters.items() if one.grad is not None and one.grad.any()}
    assert moved == {f"head.{n}.1.weight" for n in range(3)}


def test_heads_start_apart_and_become_more_so(tiny):
    settings = {"heads": 3, "max_steps": 25, "head_lr": 0.02, "keep": 3}
    ends = [
        float(shared(train(tiny, "multiverse", orthogonal=one, **settings).head.maps(), "mean").detach())
        for one in (0.0, 5.0)
    ]
    assert 0 < ends[1] < 0.2 * ends[0]


def test_held_out_items_are_in_no_step(tiny, monkeypatch):
    seen = set()
    before = Multiverse.items
    monkeypatch.setattr(
        Multiverse, "items", lambda self, items, rng: seen.update(one.id for one in items) or before(self, items, rng)
    )
    network = train(tiny, "multiverse", heads=2, max_steps=12, held_out=0.25, seed=5)
    held = {classes().items[row].id for row in held_rows(classes().items, 0.25, 5)}
    assert len(held) == 3
    assert seen == {item.id for item in classes().items} - held
    assert network.head.labels == ("animal", "money")


def test_a_label_is_never_held_out_as_a_whole():
    items = classes().take([0, 6, 7, 8]).items  # one animal, three of money
    for seed in range(8):
        rows = held_rows(items, 0.5, seed)
        assert len(rows) == 2
        assert 0 not in rows
    with pytest.raises(InputError, match="set held_out=0"):
        held_rows(items[:2], 0.5, 0)


@pytest.mark.parametrize(("task", "data"), [("topics", classes), ("nli", pairs)])
def test_a_run_changes_the_weights_and_repeats(tiny, task, data):
    settings = {"task": task, "data": data(), "heads": 3}
    start = weights(train(tiny, "multiverse", **settings, max_steps=1, lr=1e-9, head_lr=1e-9))
    one, again = (train(tiny, "multiverse", **settings) for _ in range(2))
    assert one.head.active == again.head.active
    one, again = weights(one), weights(again)
    assert all(np.isfinite(value).all() for value in one.values())
    assert any(not np.allclose(one[name], start[name], atol=1e-5) for name in one)
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.allclose(start["head.0.1.weight"], start["head.1.1.weight"])


def test_words_can_be_tagged(tiny):
    from analysis.transfer.heads.tags import TagsHead

    network, data = train(tiny, "multiverse", heads=2, max_steps=1), tagged()
    strategy, said = strategy_of(heads=2, keep=1, drop_every=1.0, held_out=0.3), []
    network.head = strategy.make_head(data.items, network.encoder.dim, TagsHead)
    strategy.prepare(SimpleNamespace(network=network, train=data, seed=0, job=SimpleNamespace(say=said.append)))
    assert all(bool(torch.isfinite(one)) for one in strategy.terms(step_on(network, data.items[:3])).values())
    with torch.no_grad():
        strategy.after(step_on(network, data.items[:3], number=10))
    assert len(network.head.active) == 1
    words = [len(one) for one in network.predict(data.items)]
    assert words == [len(item.label) for item in data.items]


def test_a_resumed_run_ends_as_an_undisturbed_one(tiny, monkeypatch):
    from analysis.transfer import fit

    settings = {
        "heads": 4,
        "keep": 1,
        "drop_every": 0.3,
        "drop_from": 0.0,
        "max_steps": 7,
        "held_out": 0.3,
        "head_lr": 0.05,
    }
    whole = train(tiny, "multiverse", **settings)
    assert len(whole.head.active) < 4
    monkeypatch.setattr(fit, "CHECKPOINT_SECONDS", 0.0)
    step = fit._Loop._step

    def broken(self, number, items):
        if number == 5 and not getattr(broken, "told", False):
            broken.told = True
            assert len(self.network.head.active) < 4  # some are gone before the stop
            raise KeyboardInterrupt
        step(self, number, items)

    monkeypatch.setattr(fit._Loop, "_step", broken)
    with Job.temporary() as job:
        with pytest.raises(KeyboardInterrupt):
            train(tiny, "multiverse", job=job, **settings)
        found = train(tiny, "multiverse", job=job, **settings)
    assert found.head.active == whole.head.active
    one, other = weights(whole), weights(found)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_the_heads_that_are_left_are_saved(tiny, tmp_path):
    from safetensors.numpy import load_file

    network = train(tiny, "multiverse", heads=3, held_out=0.0, max_steps=1)
    network.head.module.active[1] = False
    network.head.save(tmp_path)
    assert load_file(tmp_path / "head.safetensors")["active"].tolist() == [True, False, True]
    card = json.loads((tmp_path / "head.json").read_text("utf-8"))
    assert (card["class"], card["of"], card["active"]) == ("MultiHead", "SequenceHead", [0, 2])


def test_refusals(tiny):
    with pytest.raises(InputError, match="keep=9 is more than heads=8"):
        train(tiny, "multiverse", keep=9)
    with pytest.raises(InputError, match="does not work with task 'sts'"):
        train(tiny, "multiverse", task="sts", data=scores())
    with pytest.raises(InputError, match="cannot spare one of 2"):
        train(tiny, "multiverse", data=classes().take([0, 6]))
