"""Embedding push, attention pull, robust targets: each term by hand, what moves, the bound, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.errors import InputError
from analysis.transfer.encoding import text_mask
from analysis.transfer.regime import Step
from analysis.transfer.regimes.ear import Ear, EarSettings, apart, unpushed
from tests.transfer.material import classes, pairs, scores, tagged, train, weights

pytestmark = pytest.mark.fast
FAMILIES = ("bert", "xlmr", "distilbert", "modernbert", "t5")


def prepared(tiny, data=None, task="topics", **settings):
    """A strategy, and a step on some items, on an encoder that has learned for one step."""
    data = data or classes()
    chosen = {"precision": "float32", "dropout": False, "head_dropout": 0.0, **settings}
    network = train(tiny, task=task, data=data, max_steps=1, lr=1e-9, head_lr=1e-9,
                    **{k: v for k, v in chosen.items() if k in ("precision", "dropout", "head_dropout", "pair")})  # fmt: skip
    strategy = Ear(EarSettings(**chosen))
    torch.manual_seed(0)
    strategy.prepare(SimpleNamespace(network=network, train=data))
    rows = data.items[:5]
    return strategy, Step(network.encode(rows), 1, 4, np.random.default_rng(0), network)


def embeddings(network, batch):
    """The word embeddings of a batch, read from the table."""
    table = network.trainee.network.get_input_embeddings().weight.detach().numpy()
    return [table[one.ids] for one in batch.first]


def test_the_push_by_hand():
    generator = np.random.default_rng(0)
    moved = generator.normal(size=(2, 4, 3)).astype(np.float32)
    place = np.array([[0, 1, 1, 0], [0, 1, 0, 0]])
    lengths = [np.sqrt((moved[r, c] ** 2).sum()) for r, c in ((0, 1), (0, 2), (1, 1))]
    wanted = np.mean([max(0.0, 0.9 - length / 2.0) for length in lengths])
    found = unpushed([torch.from_numpy(moved)], [torch.from_numpy(place)], 2.0, 0.9)
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    far = torch.from_numpy(moved * 100).requires_grad_()
    unpushed([far], [torch.from_numpy(place)], 2.0, 0.9).backward()
    assert not far.grad.any()  # past the bound nothing pushes on


def test_the_pull_by_hand_leaves_padding_out():
    generator = np.random.default_rng(1)
    a, b = (generator.random((2, 2, 2, 3, 3)).astype(np.float32) for _ in range(2))  # blocks, sequences, heads, q, k
    lengths = (3, 2)
    blocks = []
    for block in range(2):
        squares = [
            (a[block, n, h, q, k] - b[block, n, h, q, k]) ** 2
            for n in range(2) for h in range(2) for q in range(lengths[n]) for k in range(lengths[n])
        ]  # fmt: skip
        blocks.append(np.mean(squares))
    mask = torch.tensor([[True, True, True], [True, True, False]])
    found = apart([tuple(torch.from_numpy(a))], [tuple(torch.from_numpy(b))], [mask])
    assert float(found) == pytest.approx(np.mean(blocks), rel=1e-5)


def test_the_learned_generator_by_hand_and_its_bound(tiny):
    strategy, step = prepared(tiny, radius=0.05)
    vectors = embeddings(step.network, step.batch)
    norms = np.concatenate(
        [np.linalg.norm(embeddings(step.network, step.network.encode([item]))[0][slice(*span)], axis=1)
         for item in classes().items for span in [step.network.encode([item]).first[0].content]]
    )  # fmt: skip
    assert strategy.length == pytest.approx(norms.mean(), rel=1e-4)
    one, side = vectors[0], step.batch.first[:1]
    got = strategy._generated(torch.from_numpy(one)[None], side)[0].detach().numpy() - one
    first, last = strategy.module[0], strategy.module[2]
    unit = strategy.length / np.sqrt(one.shape[1])
    hidden = one / unit @ first.weight.detach().numpy().T + first.bias.detach().numpy()
    hidden = np.asarray(torch.nn.functional.gelu(torch.from_numpy(hidden)))
    wanted = unit * (hidden @ last.weight.detach().numpy().T + last.bias.detach().numpy())
    length = np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted = wanted * np.minimum(1, 0.05 * strategy.length / length)
    start, stop = side[0].content
    np.testing.assert_allclose(got[start:stop], wanted[start:stop], atol=1e-6)
    assert not got[:start].any()
    assert not got[stop:].any()
    assert np.linalg.norm(got, axis=1).max() <= 0.05 * strategy.length * 1.0001


@pytest.mark.parametrize("generator", ["learned", "adversarial"])
def test_the_terms_are_those_of_two_passes(tiny, generator):
    strategy, step = prepared(tiny, generator=generator, radius=0.3, push=0.7, pull=5.0, robust=0.4)
    network, batch = step.network, step.batch
    terms = {name: float(one.detach()) for name, one in strategy.terms(step).items()}
    change = strategy._generated if generator == "learned" else strategy._ascended(step)
    plain, pushed = network.looked_into(batch, attentions=True), network.looked_into(batch, change, attentions=True)
    assert terms["task"] == pytest.approx(float(network.loss(batch).detach()), rel=1e-5)

    def entropy(logits):
        logits = logits.detach().numpy().astype(np.float64)
        places = [network.head.labels.index(item.label) for item in batch.items]
        return np.mean([np.log(np.exp(row).sum()) - row[at] for row, at in zip(logits, places, strict=True)])

    assert terms["robust"] == pytest.approx(0.4 * entropy(pushed.outputs), rel=1e-4)
    assert terms["robust"] / 0.4 != pytest.approx(terms["task"], rel=1e-6)
    moved = (pushed.embedded[0] - plain.embedded[0]).detach().numpy()
    lengths = [
        np.linalg.norm(moved[n, at]) / strategy.length for n, one in enumerate(batch.first) for at in range(*one.content)
    ]  # fmt: skip
    assert terms["push"] == pytest.approx(0.7 * np.mean([max(0, 0.3 - one) for one in lengths]), abs=1e-6)
    blocks = []
    for a, b in zip(plain.attentions[0], pushed.attentions[0], strict=True):
        square = ((a - b) ** 2).detach().numpy()
        total = sum(square[n, :, : len(one.ids), : len(one.ids)].sum() for n, one in enumerate(batch.first))
        blocks.append(total / sum(square.shape[1] * len(one.ids) ** 2 for one in batch.first))
    assert terms["pull"] == pytest.approx(5.0 * np.mean(blocks), rel=1e-4)
    assert terms["pull"] > 0


def test_an_adversarial_push_raises_the_loss_and_fills_the_bound(tiny):
    strategy, step = prepared(tiny, generator="adversarial", radius=0.02)
    network, batch = step.network, step.batch
    plain, up = network.looked_into(batch), network.looked_into(batch, strategy._ascended(step))
    assert bool(network.head.loss(up.outputs, batch) > network.head.loss(plain.outputs, batch))
    moved = (up.embedded[0] - plain.embedded[0]).detach()
    place = torch.from_numpy(text_mask(batch.first, moved.shape[1])) > 0
    np.testing.assert_allclose(moved[place].norm(dim=-1).numpy() / strategy.length, 0.02, rtol=1e-2)
    assert not moved[~place].any()


def test_with_dropout_both_passes_drop_the_same(tiny):
    strategy, step = prepared(tiny, radius=0.001, push=0.0, head_dropout=0.3, dropout=True)
    strategy.settings = EarSettings(**{**vars(strategy.settings), "radius": 0.001})
    for one in strategy.module.parameters():
        torch.nn.init.zeros_(one)
    step.network.trains(True)
    terms = strategy.terms(step)
    assert float(terms["robust"].detach()) == float(terms["task"].detach())
    assert float(terms["pull"].detach()) == 0


def test_what_gets_a_gradient(tiny):
    strategy, step = prepared(tiny)
    network = step.network
    own = dict(strategy.module.named_parameters())

    def moves(*names):
        for one in (*own.values(), *network.parameters.values()):
            one.grad = None
        terms = strategy.terms(step)
        torch.stack([terms[name] for name in names]).sum().backward()
        return {
            name for name, one in (*own.items(), *network.parameters.items()) if one.grad is not None and one.grad.any()
        }

    assert moves("push") <= set(own)
    assert moves("push")
    pulled = moves("pull")
    assert set(own) <= pulled
    assert any("layer.1." in name and "lora" in name for name in pulled)
    assert not any(name.startswith("head.") for name in pulled)
    whole = moves("task", "robust", "push", "pull")
    assert any(name.startswith("head.") for name in whole)
    assert network.trainee.network.get_input_embeddings().weight.grad is None


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_pushed_and_pulled(tiny_folders, family):
    strategy, step = prepared(str(tiny_folders[family]))
    terms = strategy.terms(step)
    assert all(bool(torch.isfinite(one)) for one in terms.values())
    assert float(terms["pull"]) > 0
    assert float(terms["push"]) < strategy.settings.push * strategy.settings.radius
    assert float(terms["robust"]) != float(terms["task"])


@pytest.mark.parametrize(
    ("generator", "task", "data", "more"),
    [("learned", "topics", classes, {}), ("adversarial", "nli", pairs, {}), ("learned", "nli", pairs, {"pair": "apart"}),
     ("adversarial", "sts", scores, {})],
)  # fmt: skip
def test_a_run_changes_the_weights_and_repeats(tiny, generator, task, data, more):
    settings = {"task": task, "data": data(), "generator": generator, "max_steps": 2, **more}
    start = weights(train(tiny, "ear", **settings | {"max_steps": 1, "lr": 1e-9, "head_lr": 1e-9}))
    one, again = (weights(train(tiny, "ear", seed=0, **settings)) for _ in range(2))
    assert all(np.isfinite(value).all() for value in one.values())
    assert any(not np.allclose(one[name], start[name], atol=1e-5) for name in one)
    assert all(np.array_equal(one[name], again[name]) for name in one)


def test_words_can_be_tagged(tiny):
    from analysis.transfer.heads.tags import TagsHead

    strategy, step = prepared(tiny)
    network, data = step.network, tagged()
    network.head = TagsHead(data.items, network.encoder.dim, SimpleNamespace(head_dropout=0.0))
    terms = strategy.terms(Step(network.encode(data.items[:3]), 1, 4, np.random.default_rng(0), network))
    assert all(bool(torch.isfinite(one)) for one in terms.values())


def test_refusals(tiny):
    with pytest.raises(InputError, match=r"layer=2 is below the last of 3.*pull=0"):
        train(tiny, "ear", layer=2)
    train(tiny, "ear", layer=2, pull=0.0, max_steps=1)
    with pytest.raises(InputError, match="layer 9 does not exist"):
        train(tiny, "ear", layer=9)
