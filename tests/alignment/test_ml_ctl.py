"""The contrast of sentences and words: both losses by hand, what is no negative, gradients, stopping."""

import math

import numpy as np
import pytest
import torch

from analysis.alignment.ml_ctl import CZ, INFO, MlCtl, both_ways, cz_nce
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training.examples import prepare, select
from analysis.training.frozen import freeze
from analysis.training.links import link
from analysis.training.objective import Material, anchors
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext, chosen, trained
from tests.training.test_losses import unit

pytestmark = pytest.mark.fast
# Equal seeds: the French pairs are the first two Spanish ones once more.
TWO = [bitext(4, seed=1), bitext(2, seed=1, language="fr")]


def ready(encoder, bitexts=TWO, **values):
    """An objective, its trainee and a step over all pairs."""
    encoder, settings = load_encoder(encoder), chosen("ml_ctl", **values)
    trainee, objective = Trainee(encoder, settings, seed=0), MlCtl(encoder, settings)
    languages = tuple(one.languages[0] for one in bitexts)
    examples, kept = prepare(trainee.base, select(bitexts, languages, settings, 0), settings)
    if objective.reads_links:
        examples = link(examples, kept, trainee, encoder, settings)
    objective.prepare(Material(encoder, trainee, examples, {}, (), settings, 0))
    every = np.arange(len(examples))
    frozen = freeze(trainee, examples.target, objective.layers, every) if objective.reads_frozen else None
    return objective, trainee, make_step(trainee, examples, every, objective, frozen)


def by_hand(source, target, kind, temperature, same=lambda i, j: False):
    """The mean over both directions of the mean of -log of the quotient."""
    logits = unit(np.asarray(source)) @ unit(np.asarray(target)).T / temperature
    found = []
    for table in (logits, logits.T):
        terms = []
        for i in range(len(table)):
            negatives = [math.exp(table[i, j]) for j in range(len(table)) if j != i and not same(i, j)]
            own = math.exp(table[i, i])
            if kind == "info_nce":
                terms.append(-math.log(own / (own + sum(negatives))))
            elif negatives:
                terms.append(-math.log(own / sum(negatives)))
        found.append(sum(terms) / len(terms) if terms else 0.0)
    return sum(found) / 2


def tensor(values, **options):
    return torch.tensor(np.asarray(values), dtype=torch.float64, **options)


def nothing(n):
    return torch.zeros(n, n, dtype=torch.bool)


def test_two_pairs_on_paper():
    # Cosines 1 and 0, temperature .5: InfoNCE log(1 + e^-2), CZ-NCE log(e^0 / e^2) = -2, below zero.
    pairs = tensor([[2, 0], [0, 3]]), tensor([[1, 0], [0, 9]])
    assert float(both_ways(*pairs, INFO, 0.5, nothing(2))) == pytest.approx(math.log(1 + math.exp(-2)))
    assert float(both_ways(*pairs, CZ, 0.5, nothing(2))) == pytest.approx(-2)


@pytest.mark.parametrize("kind", [CZ, INFO])
def test_many_pairs(kind):
    source, target = np.random.default_rng(0).normal(size=(2, 6, 4))
    assert float(both_ways(tensor(source), tensor(target), kind, 0.1, nothing(6))) == pytest.approx(
        by_hand(source, target, kind, 0.1)
    )
    # Row 5 is like all others, so it has no negative at all.
    alike = {(0, 3), (3, 0)} | {(5, j) for j in range(6)} | {(j, 5) for j in range(6)}
    same = tensor([[(i, j) in alike for j in range(6)] for i in range(6)]).bool()
    found = both_ways(tensor(source), tensor(target), kind, 0.1, same)
    assert float(found) == pytest.approx(by_hand(source, target, kind, 0.1, lambda i, j: (i, j) in alike))


@pytest.mark.parametrize("kind", [CZ, INFO])
@pytest.mark.parametrize("count", [0, 1])
def test_one_pair_and_none(kind, count):
    source = tensor(np.ones((count, 3)), requires_grad=True)
    loss = both_ways(source, tensor(np.full((count, 3), 2.0)), kind, 0.1, nothing(count))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0)
    assert not source.grad.any()


@pytest.mark.parametrize("kind", [CZ, INFO])
def test_gradients_are_those_of_small_differences(kind):
    source, target = (tensor(side, requires_grad=True) for side in np.random.default_rng(2).normal(size=(2, 4, 3)))
    same = nothing(4)
    same[1, 2] = same[2, 1] = True
    assert torch.autograd.gradcheck(lambda a, b: both_ways(a, b, kind, 0.5, same), (source, target))


def test_the_pull_does_not_end_when_the_batch_is_easy():
    """The gradient on the positive: InfoNCE's goes to zero with its loss, that of CZ-NCE stays."""
    from analysis.training.losses import info_nce

    candidates, positive = tensor([[1.0, 0.2], [-1.0, 0.0]]), torch.tensor([0])

    def pull(loss):
        query = tensor([[1.0, 0.0]], requires_grad=True)
        loss(query, candidates, positive, 0.02).backward()
        return float(query.grad.abs().sum())

    assert pull(info_nce) < 1e-12
    assert pull(cz_nce) > 5


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("kinds", [(CZ, INFO), (INFO, CZ)])
def test_a_step(tiny, kinds, pooling, masked):
    objective, trainee, step = ready(tiny, sentence_loss=kinds[0], word_loss=kinds[1], alpha=0.7, temperature=0.2,
                                     pooling=pooling, mask_duplicates=masked)  # fmt: skip
    sentences, words, texts, types = [], [], [], []
    for at, sides in enumerate(step.batch):
        states = [trainee.base.hidden_states([side.ids], [3])[3][0].double().numpy() for side in sides]
        sentences.append([one[0] if pooling == "cls" else one[slice(*side.content)].mean(0)
                          for one, side in zip(states, sides, strict=True)])  # fmt: skip
        linked = [(n, links[at]) for n, found in enumerate(step.links) for links in found]
        words.append([states[n][sides[n].column[sides[n].word == word]].mean(0) for n, word in linked])
        types.append([sides[n].keys[word] for n, word in linked])
        texts.append([side.ids.tolist() for side in sides])
    alike = lambda keys: lambda i, j: masked and any(side[i] == side[j] for side in keys)
    assert sum(alike(texts)(i, j) for i in range(6) for j in range(6)) == (6 + 2 * 2 if masked else 0)
    terms = objective(step)
    assert set(terms) == {"sentence@3", "word@3"}
    sentence = by_hand(*sentences, kinds[0], 0.2, alike(texts))
    assert float(terms["sentence@3"].detach()) == pytest.approx(sentence, rel=1e-4, abs=1e-5)
    word = 0.7 * by_hand(*words, kinds[1], 0.2, alike(types))
    assert float(terms["word@3"].detach()) == pytest.approx(word, rel=1e-4, abs=1e-5)


def test_words_of_one_side_that_share_a_link_are_no_negatives(tiny):
    from tests.training.test_filters import hand

    many = [hand([("perro", "dog fox"), ("zorro", "bank")], [{(0, 0), (0, 1)}, {(0, 0)}])]
    objective, _, step = ready(tiny, many, one_to_one=False, mask_duplicates=False)
    assert objective._alike_links(step).tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_without_words_no_links_are_read(tiny):
    objective, _, step = ready(tiny, [bitext(4, links=False)], alpha=0)
    assert not objective.reads_links
    assert set(objective(step)) == {"sentence@3"}
    assert trained(tiny, [bitext(4, links=False)], method="ml_ctl", alpha=0, max_steps=1).links == 0


def test_layers_are_averaged_and_anchors_are_those_of_other_methods(tiny):
    objective, _, step = ready(tiny, layers="2,3", distil=2, anchor_words=0.5, anchor_relations=0.3)
    found = objective(step)
    assert set(found) == {
        "sentence@2", "sentence@3", "word@2", "word@3", "distil", "anchor words", "anchor relations",
    }  # fmt: skip
    alone = ready(tiny, layers="3")
    assert float(found["word@3"].detach()) == pytest.approx(float(alone[0](alone[2])["word@3"].detach()) / 2, rel=1e-4)
    objective.reads_words = True
    full = make_step_again(tiny, objective)
    wanted = anchors(full, objective.settings, 3)
    for name, one in wanted.items():
        assert float(found[name].detach()) == pytest.approx(float(one.detach()), rel=1e-4, abs=1e-7)


def make_step_again(tiny, objective):
    """The same step with vectors made by the engine."""
    encoder = load_encoder(tiny)
    settings = objective.settings
    trainee = Trainee(encoder, settings, seed=0)
    examples, _ = prepare(trainee.base, select(TWO, ("es", "fr"), settings, 0), settings)
    every = np.arange(len(examples))
    frozen = freeze(trainee, examples.target, objective.layers, every)
    return make_step(trainee, examples, every, objective, frozen)


def test_what_gets_gradients(tiny):
    objective, trainee, step = ready(tiny)
    with torch.no_grad():
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.01
    sum(objective(step).values()).backward()
    assert all(one.grad is not None and one.grad.any() for one in trainee.parameters.values())
    assert all(one.grad is None for one in trainee.base.network.parameters())


@pytest.mark.parametrize("kind", [CZ, INFO])
def test_the_loss_falls_and_steps_are_obeyed(tiny, tmp_path, kind):
    job = Record(tmp_path / "run")
    found = trained(tiny, [bitext(8, seed=3)], method="ml_ctl", job=job, max_steps=60, epochs=99, lr=0.02,
                    batch_tokens=512, sentence_loss=kind, word_loss=kind)  # fmt: skip
    assert found.state.step == 60
    losses = [line["loss"] for line in job.of("loss")]
    assert losses[-1] < losses[0] - 2
    assert (min(losses) < 0) is (kind == CZ), "only CZ-NCE goes below zero"


def test_a_run_that_was_stopped_ends_in_the_same_bits(tiny, monkeypatch, tmp_path):
    from analysis.training import loop

    options = {"method": "ml_ctl", "max_steps": 5, "lr": 0.01, "dropout": True}
    data, real, stopped = [bitext(30)], loop.Loop._step, []
    whole = trained(tiny, data, **options).tensors()

    def step(self, number, rows):
        if number == 4 and not stopped:
            stopped.append(number)
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop.Loop, "_step", step)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, data, job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, data, job=Record(tmp_path / "run"), **options).tensors()
    assert all(np.array_equal(one, resumed[name]) for name, one in whole.items())


def test_a_placebo_learns_from_other_pairs(tiny):
    plain, placebo = (
        trained(tiny, [bitext(8, seed=3)], method="ml_ctl", max_steps=2, placebo=one).tensors() for one in (False, True)
    )
    assert any((plain[name] != placebo[name]).any() for name in plain)


def test_refusals(tiny_folders, tiny, tmp_path):
    from tests.training.test_filters import without_opening_token

    folder = without_opening_token(tiny_folders["t5"], tmp_path / "t5")
    with pytest.raises(InputError, match=r"puts no \[CLS\] before a sentence; give --set pooling=mean") as caught:
        ready(folder, pooling="cls")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="unknown sentence_loss"):
        ready(tiny, sentence_loss="nce")
