"""Plain fine-tuning: its loss by hand, what moves, and that a stopped run ends as an undisturbed one."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.transfer.regimes.plain import PlainSettings
from tests.transfer.material import classes, pairs, scores, train, weights

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(("task", "data"), [("topics", classes), ("nli", pairs), ("sts", scores)])
def test_it_learns_its_training_data(tiny, task, data):
    settings = {"max_steps": 150, "epochs": 100.0, "lr": 2e-3, "head_lr": 2e-2, "head_dropout": 0.0, "dropout": False}
    network, items = train(tiny, task=task, data=data(), **settings), data().items
    said = network.predict(items)
    if task == "sts":
        assert np.corrcoef(said, [one.label for one in items])[0, 1] > 0.8
    else:
        assert np.mean([a == b.label for a, b in zip(said, items, strict=True)]) >= 0.9


def test_the_loss_is_the_mean_cross_entropy(tiny):
    network = train(tiny, max_steps=1)
    network.trains(False)
    items = classes().items[:5]
    batch = network.encode(items)
    logits = network.outputs(batch).detach().numpy().astype(np.float64)
    places = [network.head.labels.index(one.label) for one in items]
    by_hand = np.mean([np.log(np.exp(row).sum()) - row[at] for row, at in zip(logits, places, strict=True)])
    assert float(network.loss(batch).detach()) == pytest.approx(by_hand, abs=1e-5)


def test_an_unknown_label_is_no_part_of_the_loss(tiny):
    network = train(tiny, max_steps=1)
    network.trains(False)
    known, strange = classes().items[0], classes("es").items[0]
    strange = type(strange)(strange.id, strange.sentence, "never seen")
    whole = float(network.loss(network.encode([known, strange])).detach())
    assert whole == pytest.approx(float(network.loss(network.encode([known])).detach()), abs=1e-4)


def moved(before, after):
    return {name for name in after if not np.array_equal(before[name], after[name])}


def test_what_moves_in_each_mode(tiny):
    start = {mode: weights(train(tiny, mode=mode, lr=1e-9, head_lr=1e-9, max_steps=1)) for mode in ("all", "upper")}
    whole = moved(start["all"], weights(train(tiny)))
    upper = moved(start["upper"], weights(train(tiny, mode="upper")))
    probe = weights(train(tiny, mode="probe"))
    assert any("layer.0." in name for name in whole)
    assert upper
    assert not any("layer.0." in name for name in upper)
    assert all(name.startswith("head.") for name in probe)


def test_an_encoder_that_stands_still_gives_its_own_vectors(tiny):
    network = train(tiny, mode="probe")
    ids = [one.ids for one in network.encode(classes().items[:3]).first]
    live, base = (network.trainee.live, network.trainee.base)
    network.trains(False)
    # Plain and fused attention round differently.
    np.testing.assert_allclose(live.hidden_states(ids, [3])[3], base.hidden_states(ids, [3])[3], atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tiny):
    one, again, other = (weights(train(tiny, seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


def test_a_resumed_run_ends_as_an_undisturbed_one(tiny, monkeypatch):
    from analysis.transfer import fit

    whole = weights(train(tiny, max_steps=6))
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
            train(tiny, max_steps=6, job=job)
        assert job.latest()[0] == 3
        found = weights(train(tiny, max_steps=6, job=job))
    assert whole.keys() == found.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(value, found[name])


def test_refusals(tiny):
    with pytest.raises(InputError, match="at least two"):
        train(tiny, data=classes().take(range(3)))
    with pytest.raises(InputError, match="give one of them"):
        train(tiny, mode="upper", blocks="1-2")
    with pytest.raises(InputError, match="layer 9 does not exist"):
        train(tiny, layer=9)
    assert PlainSettings().mode == "all"


def test_a_head_speaks_in_full_precision_whatever_the_encoder_does(tiny):
    import torch

    from analysis.transfer.heads.head import pooled

    network = train(tiny, precision="bfloat16", max_steps=1)
    for _rows, outputs, batch in network.passes(classes().items):
        assert outputs.dtype == torch.float32
        assert not torch.equal(outputs, outputs.bfloat16().float())
        with torch.no_grad():
            view = network.view(batch)
        linear = network.head.module[1]
        wanted = pooled(view.first.float(), batch.first, "mean") @ linear.weight.T + linear.bias
        assert torch.allclose(outputs, wanted.detach(), atol=1e-5)
