"""The combination: its terms are those of its parts, links given by people count, and it trains."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.alignment.combined import Combined, lone
from analysis.alignment.contrastive import Contrastive
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training import loop, losses
from analysis.training.data import TrainingData, make_examples
from analysis.training.frozen import freeze
from analysis.training.links import link
from analysis.training.pooling import pool_sentences, pool_words
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.alignment.test_self_training import chances
from tests.training.material import Record, bitext, chosen, trained

pytestmark = pytest.mark.fast
BARE = {"distil": 0, "anchor_relations": 0, "within": 0, "links_temperature": 0.1, "layers": "3", "link_layer": 2}


@pytest.fixture
def one_step(tiny):
    """An objective, its trainee and a step of twelve pairs, links of the first six given by people."""

    def make(**values):
        encoder = load_encoder(tiny)
        settings = chosen("combined", **BARE | values)
        trainee, objective = Trainee(encoder, settings, seed=0), Combined(encoder, settings)
        data = TrainingData([bitext(6), bitext(6, seed=1, links=False, language="pt")], ("es", "pt"))
        found = make_examples(encoder.model, data, settings, 0, text=False)
        examples = link(found.examples, found.bitexts, trainee, encoder, settings)
        rows = range(len(examples))
        frozen = freeze(trainee, examples.target, objective.layers, np.array(rows)) if objective.reads_frozen else None
        return objective, trainee, make_step(trainee, examples, rows, objective, frozen)

    return make


def test_links_of_one_word_only():
    pairs = torch.tensor([[0, 0], [1, 1], [1, 2], [2, 3], [3, 3], [5, 4]])
    assert lone(pairs).tolist() == [[0, 0], [5, 4]]
    assert lone(torch.empty(0, 2, dtype=torch.long)).shape == (0, 2)


def test_every_given_link_asks_for_its_share(one_step):
    objective, trainee, step = one_step(words=0, sentences=0, given_links=2)
    assert step.given == [True] * 6 + [False] * 6
    nats, linked = np.zeros(2), np.zeros(2)
    rows = zip(chances(trainee.live, step, 2), *step.batch, step.links, step.given, strict=True)
    for (p, q), source, target, links, given in rows:
        table = np.zeros_like(p)
        for i, j in links if given else ():
            table[np.ix_(source.column[source.word == i] - 1, target.column[target.word == j] - 1)] = 1
        for at, (chance, links_of, axis) in enumerate(((p, table, 1), (q, table, 0))):
            count = links_of.sum(axis)
            nats[at] -= ((np.log(chance) * links_of).sum(axis) / np.maximum(count, 1)).sum()
            linked[at] += (count > 0).sum()
    assert linked.all()
    assert float(objective(step)["given links"].detach()) == pytest.approx(2 * float((nats / linked).mean()), rel=1e-4)


def test_own_links_are_those_of_pairs_without_given_ones(one_step):
    objective, trainee, step = one_step(words=0, sentences=0, given_links=0, own_links=1)
    nats, linked = np.zeros(2), np.zeros(2)
    for (p, q), given in zip(chances(trainee.live, step, 2), step.given, strict=True):
        table = ((p + q) / 2 > 0.5) & (not given)
        for at, (chance, axis) in enumerate(((p, 1), (q, 0))):
            count = table.sum(axis)
            nats[at] -= ((np.log(chance) * table).sum(axis) / np.maximum(count, 1)).sum()
            linked[at] += (count > 0).sum()
    assert linked.all()
    assert float(objective(step)["own links"].detach()) == pytest.approx(float((nats / linked).mean()), rel=1e-4)


def test_words_are_those_of_the_contrast_and_sentences_find_each_other(one_step, tiny):
    objective, trainee, step = one_step(within=0.5, distil=1, words=3, sentences=2, given_links=0)
    terms = objective(step)
    states = [trainee.live.hidden_states([one.ids for one in sides], [3]) for sides in step.batch]
    words, means = (
        [{3: pool(one[3], sides)} for one, sides in zip(states, step.batch, strict=True)]
        for pool in (pool_words, pool_sentences)
    )
    seen = replace(
        step, source=words[0], target=words[1], source_sentences=means[0], target_sentences=means[1],
        pairs=lone(step.pairs),
    )  # fmt: skip
    alone = Contrastive(load_encoder(tiny), objective.settings)(seen)
    for name, wanted in alone.items():
        weight = 1 if name == "distil" else 3
        assert float(terms[name].detach()) == pytest.approx(weight * float(wanted.detach()), rel=1e-4), name
    assert set(terms) == set(alone) | {"sentences"}
    own = torch.arange(12)
    both = [losses.info_nce(a[3], b[3], own, 0.05) for a, b in (means, means[::-1])]
    assert float(terms["sentences"].detach()) == pytest.approx(float(sum(both)), rel=1e-4)


def test_gradients_reach_every_weight_and_the_loss_falls(one_step, tiny, tmp_path):
    objective, trainee, step = one_step(distil=1, anchor_relations=1, own_links=1, layers="2,3")
    with torch.no_grad():
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.1
    trainee.accelerator.backward(sum(objective(step).values()))
    assert {name for name, one in trainee.parameters.items() if one.grad is None or not one.grad.any()} == set()
    job = Record(tmp_path / "run")
    found = trained(tiny, [bitext(20)], method="combined", job=job, epochs=40, max_steps=20, lr=0.01, **BARE)
    falling = [line["loss"] for line in job.of("loss")]
    assert (found.steps, len(falling)) == (20, 20)
    assert np.mean(falling[-3:]) < falling[0] - 0.05


def test_special_tokens_are_no_subwords_to_link(one_step):
    plain, marked = (one_step(words=0, sentences=0, specials=value) for value in (False, True))
    assert sum(len(one) for one in marked[2].links) > sum(len(one) for one in plain[2].links)
    wanted = float(plain[0](plain[2])["given links"].detach())
    assert float(marked[0](marked[2])["given links"].detach()) == pytest.approx(wanted, rel=1e-4)


def test_it_says_so_where_no_link_came_with_the_data(tiny, tmp_path):
    job = Record(tmp_path / "run")
    trained(tiny, [bitext(8, links=False)], method="combined", job=job, max_steps=1, **BARE)
    assert any("no word links came with the data" in line for line in job.said)
    with pytest.raises(InputError, match="corpus:bible"):
        trained(tiny, [bitext(8, links=False)], method="combined", max_steps=1, **BARE | {"words": 0, "sentences": 0})


def test_a_resumed_run_ends_with_the_same_weights(tiny, tmp_path, monkeypatch):
    real, breaks = loop.Loop._step, []

    def step(self, number, rows):
        if number == 4 and not breaks:
            breaks.append(number)
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    mixed = [bitext(20), bitext(20, seed=1, links=False, language="pt")]
    options = BARE | {
        "method": "combined",
        "languages": ("es", "pt"),
        "own_links": 1,
        "distil": 1,
        "max_steps": 6,
        "lr": 0.01,
    }
    whole = trained(tiny, mixed, **options)
    monkeypatch.setattr(loop.Loop, "_step", step)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, mixed, job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, mixed, job=Record(tmp_path / "run"), **options)
    assert breaks
    assert all(np.array_equal(resumed.tensors()[name], one) for name, one in whole.tensors().items())


@pytest.mark.parametrize(("values", "line"), [
    ({"layers": "top"}, "layers='top' is not a list of layers"), ({"link_layer": 9}, "layer 9 does not exist"),
    ({"pool": "first"}, "pool='first' cannot be followed"),
    ({"words": 0, "sentences": 0, "given_links": 0}, "all terms are switched off"),
])  # fmt: skip
def test_refusals(tiny, values, line):
    with pytest.raises(InputError) as caught:
        trained(tiny, [bitext(4)], method="combined", max_steps=1, **BARE | values)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
