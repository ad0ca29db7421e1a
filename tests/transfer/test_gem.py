"""Gradient episodic memory: the quadratic programme, the memories by hand, what a step does, refusals."""

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.transfer.heads import make_head
from analysis.transfer.network import TaskNetwork
from analysis.transfer.projection import dual, project
from analysis.transfer.regime import Extras, Step, Work
from analysis.transfer.regimes.gem import Gem, GemSettings, equal_rows, retrieval_loss
from tests.training.material import Record, bitext
from tests.transfer.material import classes, pairs, train, weights
from tests.transfer.test_joint import interrupted

pytestmark = pytest.mark.fast
DATA = Extras(bitexts=(bitext(24),))
TEXT = Extras(monolingual={"en": bitext(12).target, "es": bitext(12, seed=2).source})
QUICK = {"head_steps": 2, "memory_batch": 6}


def ready(tiny, extras, job, **values):
    """A prepared strategy and a function that makes its steps."""
    encoder, task = load_encoder(tiny), find("tasks", "topics")
    settings = GemSettings(**{"dropout": False, "head_dropout": 0.0, "precision": "float32", **QUICK, **values})
    network = TaskNetwork(encoder, classes().items, settings, lambda i, d: make_head(task)(i, d, settings), seed=0)
    rng = np.random.default_rng(3)
    with torch.no_grad():  # away from the start, where half of LoRA's gradient is zero
        for one in network.trainee.parameters.values():
            one += torch.from_numpy(rng.normal(0, 0.1, tuple(one.shape)).astype(np.float32))
    strategy = Gem(settings)
    strategy.prepare(Work(network, task, classes(), extras, settings, 0, job))
    batch = network.encode(classes().items[:6])
    return strategy, network, lambda number=1: Step(batch, number, 10, np.random.default_rng(number), network)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_programme_against_another_solver(count):
    from scipy.optimize import minimize

    rng, turned = np.random.default_rng(count), 0
    for _ in range(40):
        memories, task = rng.normal(size=(count, 6)), rng.normal(size=6)
        found, factors = project([torch.from_numpy(task)], [[torch.from_numpy(one)] for one in memories])
        found = found[0].numpy()
        other = minimize(
            lambda x, task=task: ((x - task) ** 2).sum() / 2, task, jac=lambda x, task=task: x - task, method="SLSQP",
            constraints={"type": "ineq", "fun": lambda x, m=memories: m @ x, "jac": lambda _, m=memories: m},
            options={"ftol": 1e-14, "maxiter": 500},
        )  # fmt: skip
        np.testing.assert_allclose(found, other.x, atol=1e-5)
        assert (memories @ found >= -1e-5).all()
        assert (factors >= 0).all()
        np.testing.assert_allclose(factors * (memories @ found), 0, atol=1e-5)  # no more than is needed
        if (memories @ task >= 0).all():
            np.testing.assert_array_equal(found, task)
        turned += bool(factors.any())
    assert turned > 10


def test_one_memory_by_hand_and_the_awkward_ones():
    task, memory = np.array([1.0, 0.0]), np.array([-2.0, 2.0])
    found, factors = project([torch.tensor(task)], [[torch.tensor(memory)]])
    assert factors.tolist() == pytest.approx([0.25])  # 2 / 8
    assert found[0].tolist() == pytest.approx([0.5, 0.5])
    # The same memory twice, one of them ten million times longer, and one that says nothing.
    found, _ = project([torch.tensor(task)], [[torch.tensor(one)] for one in (memory, 1e7 * memory, 0 * memory)])
    assert found[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-5)
    # Two opposite ones leave what is orthogonal to both.
    found, _ = project([torch.tensor([1.0, 1.0])], [[torch.tensor([1.0, 0.0])], [torch.tensor([-1.0, 0.0])]])
    assert found[0].tolist() == pytest.approx([0, 1], abs=1e-6)
    assert np.isnan(dual(np.array([[np.nan]]), np.array([1.0]))).all()


def test_the_retrieval_loss_by_hand():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    same = np.eye(4, dtype=bool)
    same[0, 2] = same[2, 0] = True
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    logits = unit(a) @ unit(b).T / 0.3
    parts = []
    for n in range(4):
        for row in (logits[n], logits[:, n]):
            kept = [m for m in range(4) if m == n or not same[n, m]]
            parts.append(np.log(np.exp(row[kept]).sum()) - row[n])
    found = retrieval_loss(torch.from_numpy(a), torch.from_numpy(b), 0.3, same)
    assert found.item() == pytest.approx(np.mean(parts), abs=1e-9)


def test_pairs_that_share_a_sentence_are_no_negatives(tiny):
    with Job.temporary() as job:
        strategy, *_ = ready(tiny, Extras(bitexts=(bitext(3), bitext(3, language="de"))), job, memory="retrieval")
    examples = strategy.examples
    assert equal_rows(examples.source, examples.target).tolist() == np.tile(np.eye(3, dtype=bool), (2, 2)).tolist()


def test_the_retrieval_memory_reads_mean_vectors_of_the_last_layer(tiny):
    with Job.temporary() as job:
        strategy, network, step = ready(tiny, Extras(bitexts=(bitext(4),)), job, memory="retrieval", temperature=0.1)
        found = strategy.retrieval(step()).item()
    means = []
    for side in (strategy.examples.source, strategy.examples.target):
        states = [network.trainee.live.hidden_states([one.ids], [3])[3][0].numpy()[1:-1] for one in side]
        means.append(np.stack([one.mean(axis=0) / np.linalg.norm(one.mean(axis=0)) for one in states]))
    logits = (means[0] @ means[1].T / 0.1).astype(np.float64)
    parts = [np.log(np.exp(row).sum()) - row[n] for table in (logits, logits.T) for n, row in enumerate(table)]
    assert found == pytest.approx(np.mean(parts), abs=1e-4)


@pytest.mark.parametrize("memory", ["mlm", "retrieval", "both"])
def test_a_step_never_goes_against_a_memory(tiny, memory):
    extras = Extras(bitexts=DATA.bitexts, monolingual=TEXT.monolingual)
    turns = 0
    with Job.temporary() as job:
        strategy, network, step = ready(tiny, extras, job, memory=memory)
        own = list(network.trainee.parameters.values())
        flat = lambda: np.concatenate([one.grad.numpy().ravel() for one in own]).astype(np.float64)
        for number in range(1, 9):
            network.trainee.network.zero_grad()
            network.head.module.zero_grad()
            now = step(number)
            held = {}
            for name in strategy.memories:  # in the order in which backward draws
                strategy.memories[name](now).backward()
                held[name] = flat()
                network.trainee.network.zero_grad()
            strategy.terms(step(number))["task"].backward()
            task = flat()
            head = [one.grad.numpy().copy() for name, one in network.parameters.items() if name.startswith("head.")]
            network.trainee.network.zero_grad()
            network.head.module.zero_grad()
            now = step(number)
            strategy.backward(strategy.terms(now), now)
            found = flat()
            for one in held.values():
                assert one @ found >= -1e-5 * np.linalg.norm(one) * np.linalg.norm(found)
            if all(one @ task >= 0 for one in held.values()):
                np.testing.assert_allclose(found, task, atol=1e-6)
            else:
                turns += 1
                assert np.linalg.norm(found) <= np.linalg.norm(task) * (1 + 1e-6)
            if len(held) == 1 and (one := next(iter(held.values()))) @ task < 0:
                np.testing.assert_allclose(found, task - (one @ task) / (one @ one) * one, atol=1e-5)
            after = [one.grad.numpy() for name, one in network.parameters.items() if name.startswith("head.")]
            assert all(np.allclose(a, b) for a, b in zip(head, after))
        assert strategy.module.counts.tolist() == [8, turns]
    assert turns
    assert all(one.grad is None for one in network.trainee.base.network.parameters())


def test_multitask_adds_the_memories_and_trains_the_made_head(tiny):
    with Job.temporary() as job:
        strategy, _, step = ready(tiny, DATA, job, mode="multitask", weight=0.5)
        terms = strategy.terms(step())
        assert set(terms) == {"task", "mlm", "retrieval"}
        once = strategy.memories["mlm"](step())
        assert terms["mlm"].item() == pytest.approx(0.5 * once.item(), abs=1e-6)
        strategy.backward(terms, step())
        parts = dict(strategy.module.named_parameters())
        assert parts
        assert all(one.grad is not None and bool(one.grad.any()) for one in parts.values())
        still, *_ = ready(tiny, DATA, job)
        assert not dict(still.module.named_parameters())
        assert not any(one.requires_grad for one in still.head.module.parameters())


@pytest.mark.parametrize(("mode", "memory", "extras"), [
    ("gem", "mlm", TEXT), ("gem", "both", DATA), ("multitask", "both", DATA),
])  # fmt: skip
def test_a_run_is_finite_changes_the_weights_and_repeats(tiny, mode, memory, extras):
    values = {"extras": extras, "mode": mode, "memory": memory, **QUICK}
    one, again = (weights(train(tiny, "gem", "nli", pairs(), **values)) for _ in range(2))
    assert all(np.isfinite(value).all() for value in one.values())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(np.abs(one[name]).max() > 1e-6 for name in one if "lora_B" in name)  # they start at 0


def test_it_ends_elsewhere_than_the_task_alone_and_says_how_often(tiny, tmp_path):
    job = Record(tmp_path)
    values = {"max_steps": 8, "lr": 5e-3, "dropout": False, "head_dropout": 0.0}
    found = weights(train(tiny, "gem", extras=DATA, job=job, every=2, **QUICK, **values))
    plain = weights(train(tiny, **values))
    lines = job.of("gem")
    assert [line["step"] for line in lines] == [1, 3, 5, 7]
    assert lines[-1]["share"] > 0
    assert any("looks" in line for line in job.said)
    assert any(not np.allclose(found[name], plain[name], atol=1e-6) for name in found)


def test_a_resumed_run_ends_as_an_undisturbed_one(tiny, monkeypatch):
    whole = weights(train(tiny, "gem", extras=DATA, max_steps=6, **QUICK))
    found = interrupted(tiny, monkeypatch, "gem", extras=DATA, max_steps=6, **QUICK)
    assert all(np.array_equal(whole[name], found[name]) for name in whole)


def test_refusals(tiny):
    for memory in ("retrieval", "both"):
        with pytest.raises(InputError, match=r"needs --data .* or --set memory=mlm"):
            train(tiny, "gem", extras=TEXT, memory=memory)
    with pytest.raises(InputError, match="needs --monolingual"):
        train(tiny, "gem", memory="mlm")
    with pytest.raises(InputError, match="no negative"):
        train(tiny, "gem", extras=Extras(bitexts=(bitext(1),)), memory="retrieval")
