"""The dual encoder: its loss by hand, the warm-up, what gets gradients, and stopping."""

import math

import numpy as np
import pytest
import torch

from analysis.alignment.labse import Labse, additive_margin
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training.examples import prepare, select
from analysis.training.objective import Material
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext, chosen, trained
from tests.training.test_losses import unit

pytestmark = pytest.mark.fast
# Equal seeds: the French pairs are the first three Spanish ones once more.
TWO = [bitext(4, seed=1), bitext(3, seed=1, language="fr")]


def ready(encoder, bitexts=TWO, **values):
    """An objective and a step over all pairs."""
    encoder = load_encoder(encoder) if isinstance(encoder, str) else encoder
    settings = chosen("labse", **{"head_steps": 0} | values)
    trainee = Trainee(encoder, settings, seed=0)
    pairs = select(bitexts, tuple(one.languages[0] for one in bitexts), settings, 0)
    examples, _ = prepare(trainee.base, pairs, settings)
    objective = Labse(encoder, settings)
    torch.manual_seed(0)
    objective.prepare(Material(encoder, trainee, examples, {}, (), settings, 0))
    return (
        objective,
        trainee,
        lambda number=1: make_step(trainee, examples, range(len(examples)), objective, number=number, steps=10),
    )


def by_hand(source, target, margin, scale, same=lambda i, j: False):
    """The sum over both directions of the mean of -log of the softmax."""
    cosines = unit(np.asarray(source)) @ unit(np.asarray(target)).T
    total = 0.0
    for table in (cosines, cosines.T):
        for i in range(len(table)):
            own = math.exp(scale * (table[i, i] - margin))
            others = sum(math.exp(scale * table[i, j]) for j in range(len(table)) if j != i and not same(i, j))
            total -= math.log(own / (own + others)) / len(table)
    return total


def tensor(values, **options):
    return torch.tensor(np.asarray(values), dtype=torch.float64, **options)


def test_the_loss_of_two_pairs_on_paper():
    # Cosines 1 and 0 in the first row, 0 and 1 in the second; with margin .3 and scale 2: log(1 + e^-1.4) four times / 2.
    found = additive_margin(tensor([[2, 0], [0, 3]]), tensor([[1, 0], [0, 9]]), 0.3, 2)
    assert float(found) == pytest.approx(2 * math.log(1 + math.exp(-1.4)))
    without = additive_margin(tensor([[2, 0], [0, 3]]), tensor([[1, 0], [0, 9]]), 0, 2)
    assert float(without) == pytest.approx(2 * math.log(1 + math.exp(-2)))


@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_the_loss_of_many_pairs(margin):
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 6, 4))
    assert float(additive_margin(tensor(source), tensor(target), margin, 20)) == pytest.approx(
        by_hand(source, target, margin, 20)
    )
    alike = {(0, 3), (3, 0), (2, 4), (4, 2)}
    same = torch.eye(6, dtype=torch.bool)  # a pair itself counts even where it is called the same
    for i, j in alike:
        same[i, j] = True
    found = additive_margin(tensor(source), tensor(target), margin, 20, same)
    assert float(found) == pytest.approx(by_hand(source, target, margin, 20, lambda i, j: (i, j) in alike))


def test_one_pair_and_none():
    one = tensor([[1.0, 2.0]], requires_grad=True)
    loss = additive_margin(one, tensor([[-1.0, 2.0]]), 0.3, 20)
    loss.backward()
    assert float(loss.detach()) == 0
    assert not one.grad.any()
    assert float(additive_margin(tensor(np.empty((0, 2))), tensor(np.empty((0, 2))), 0.3, 20)) == 0


def test_gradients_are_those_of_small_differences():
    rng = np.random.default_rng(2)
    source, target = (tensor(side, requires_grad=True) for side in rng.normal(size=(2, 4, 3)))
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[1, 2] = same[2, 1] = True
    assert torch.autograd.gradcheck(lambda a, b: additive_margin(a, b, 0.3, 5, same), (source, target))


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_step(tiny, pooling, masked):
    objective, trainee, step = ready(tiny, pooling=pooling, mask_duplicates=masked)
    vectors, texts = [], []
    for sides in step().batch:
        texts.append([side.ids.tolist() for side in sides])
        states = [trainee.base.hidden_states([side.ids], [3])[3][0].double().numpy() for side in sides]
        if pooling == "cls":
            dense = objective.module["dense"]
            weight, bias = (one.detach().double().numpy() for one in (dense.weight, dense.bias))
            vectors.append([np.tanh(weight @ one[0] + bias) for one in states])
        else:
            vectors.append([one[a:b].mean(0) for one, (a, b) in zip(states, (s.content for s in sides), strict=True)])
    alike = lambda i, j: masked and any(side[i] == side[j] for side in texts)
    assert sum(alike(i, j) for i in range(7) for j in range(7)) == (7 + 2 * 3 if masked else 0)
    terms = objective(step())
    assert set(terms) == {"sentence"}
    assert float(terms["sentence"].detach()) == pytest.approx(by_hand(*vectors, 0.3, 20, alike), rel=1e-4)
    assert (objective.module is None) is (pooling == "mean")


def test_the_warm_up_ends_after_its_share(tiny):
    objective, _, step = ready(tiny, pretrain=0.3)
    names = [set(objective(step(number))) for number in range(1, 11)]
    assert names == [{"mlm", "tlm"}] * 3 + [{"sentence"}] * 7
    assert ready(tiny)[0].head is None


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_what_gets_gradients(tiny, pooling):
    objective, trainee, step = ready(tiny, pooling=pooling, pretrain=0.5)
    with torch.no_grad():
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.01

    def reached(number):
        own = {} if objective.module is None else dict(objective.module.named_parameters())
        for one in [*trainee.parameters.values(), *own.values()]:
            one.grad = None
        sum(objective(step(number)).values()).backward()
        assert all(one.grad is not None and one.grad.any() for one in trainee.parameters.values())
        return {name.split(".")[0] for name, one in own.items() if one.grad is not None and one.grad.any()}

    assert reached(1) == {"masked"}
    assert reached(9) == ({"dense"} if pooling == "cls" else set())
    assert all(one.grad is None for one in trainee.base.network.parameters())


def test_a_run_that_was_stopped_ends_in_the_same_bits(tiny, monkeypatch, tmp_path):
    from analysis.training import loop

    options = {"method": "labse", "max_steps": 6, "lr": 0.01, "head_steps": 2, "pretrain": 0.5, "pooling": "cls",
               "dropout": True}  # fmt: skip
    data, kept, real = [bitext(40)], [], loop.Loop._step
    stored = lambda self: {name: value.detach().clone() for name, value in self._stored().items()}
    monkeypatch.setattr(loop.Loop, "_keep", lambda self: kept.append(stored(self)))
    trained(tiny, data, **options)

    def step(self, number, rows):
        if number == 5 and len(kept) == 1:
            kept.append({})
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop.Loop, "_step", step)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, data, job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, data, job=Record(tmp_path / "run"), **options)
    assert resumed.state.step == resumed.steps == 6
    assert "objective.dense.weight" in kept[0]
    assert set(kept[0]) == set(kept[2])
    assert all(torch.equal(one, kept[2][name]) for name, one in kept[0].items())


@pytest.mark.parametrize(("pooling", "share"), [("cls", 0.75), ("mean", 0.5)])
def test_the_loss_falls(tiny, tmp_path, pooling, share):
    """All pairs in every step: the loss of smaller steps depends on how many pairs they hold."""
    job = Record(tmp_path / "run")
    found = trained(tiny, [bitext(8, seed=3)], method="labse", job=job, max_steps=60, epochs=99, lr=0.01,
                    pooling=pooling, batch_tokens=512)  # fmt: skip
    assert found.state.step == 60
    assert found.links == 0
    losses = [line["loss"] for line in job.of("loss")]
    assert np.mean(losses[-6:]) < share * np.mean(losses[:6])


def test_a_placebo_learns_from_other_pairs(tiny):
    plain, placebo = (
        trained(tiny, [bitext(8, seed=3)], method="labse", max_steps=2, placebo=one).tensors() for one in (False, True)
    )
    assert any((plain[name] != placebo[name]).any() for name in plain)


def test_refusals(tiny):
    with pytest.raises(InputError, match="layers='2,3' names 2 layers; labse compares one: last, middle or a number"):
        ready(tiny, layers="2,3")
    encoder = load_encoder(tiny)
    encoder.model.tokenizer.mask_token = None
    ready(encoder)
    with pytest.raises(InputError, match="has no mask token") as caught:
        ready(encoder, pretrain=0.1)
    assert "\n" not in str(caught.value)
