"""Tasks at layers of their own: what is drawn, what is computed where, what is left of it, and what is refused."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from analysis.text.corpus import Sentence
from analysis.training.examples import sides_of
from analysis.training.feeding import fed
from analysis.training.objective import Material
from analysis.training.order import SentenceOrder, shifted
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.tiny import FAMILIES
from tests.training.material import WORDS, Record, chosen, trained

pytestmark = pytest.mark.fast
TEXT = {
    tag: tuple(Sentence.from_words(list(np.roll(list(words), n)[:4]), tag) for n in range(12))
    for tag, words in (("en", WORDS), ("es", WORDS.values()))
}
QUICK = {"head_steps": 2, "distil": 0, "epochs": 100}


def run(encoder, **values):
    return trained(encoder, (), method="hierarchical", **{"monolingual": TEXT, "max_steps": 3} | QUICK | values)


def prepared(name, **values):
    """An objective with a step of all text, made by hand."""
    from analysis.training.data import TrainingData, make_examples

    encoder, settings = load_encoder(name), chosen("hierarchical", **QUICK | values)
    trainee = Trainee(encoder, settings, seed=0)
    objective = find("methods", "hierarchical").objective(encoder, settings)
    data = TrainingData((), ("es",), (), TEXT)
    examples = make_examples(trainee.base, data, settings, 0, text=True).examples
    torch.manual_seed(0)
    objective.prepare(Material(encoder, trainee, examples, TEXT, (), settings, 0))
    return objective, make_step(trainee, examples, np.arange(8, 20), objective), trainee


def cross_entropy(scores, labels):
    rows = [row - math.log(sum(math.exp(one) for one in row)) for row in scores.astype(float)]
    return -np.mean([row[label] for row, label in zip(rows, labels, strict=True)])


def test_next_sentences_are_next_and_others_are_of_the_language():
    languages = ("en",) * 5 + ("es",) * 4 + ("fr",) * 2
    order, rng = SentenceOrder(languages), np.random.default_rng(0)
    assert order.usable
    assert not SentenceOrder(("en", "en", "es", "es")).usable
    found = [order.draw(range(11), rng) for _ in range(400)]
    first, second, follows = (np.concatenate([getattr(one, name) for one in found])
                              for name in ("first", "second", "follows"))  # fmt: skip
    assert set(first) == set(range(9)), "two sentences are too few"
    assert all(languages[a] == languages[b] for a, b in zip(first, second, strict=True))
    assert (second == first + 1).tolist() == follows.astype(bool).tolist()
    assert not (first == second).any()
    assert not follows[np.isin(first, [4, 8])].any(), "nothing follows the last sentence"
    assert abs(follows[~np.isin(first, [4, 8])].mean() - 0.5) < 0.05
    for row, others in ((0, {2, 3, 4}), (2, {0, 1, 4}), (4, {0, 1, 2, 3}), (7, {5, 6})):
        assert set(second[(first == row) & (follows == 0)]) == others
    empty = order.draw([9, 10], rng)
    assert len(empty.first) == len(empty.second) == len(empty.follows) == 0


def test_a_swap_moves_two_different_neighbours_and_nothing_else(tiny):
    model, rng = load_encoder(tiny).model, np.random.default_rng(0)
    sides = sides_of(model, [Sentence.from_words(["the", "quick", "brown", "fox"], "en")] * 300, "mean")
    ids, labels = shifted(sides, rng)
    assert 0.4 < labels.mean() < 0.6
    start, stop = sides[0].content
    for side, one, label in zip(sides, ids, labels, strict=True):
        changed = np.flatnonzero(one != side.ids)
        assert len(changed) == 2 * label
        if label:
            assert changed[1] == changed[0] + 1
            assert start <= changed[0]
            assert changed[1] < stop
            assert one[changed].tolist() == side.ids[changed[::-1]].tolist()
    one = sides[0]
    alike = replace(one, ids=np.where(np.arange(len(one.ids)) < start, one.ids, one.ids[start]))
    short = replace(one, ids=one.ids[[0, 1, -1]], content=(1, 2))
    for odd in (alike, short):
        ids, labels = shifted([odd] * 20, rng)
        assert not labels.any()
        assert all(np.array_equal(given, odd.ids) for given in ids)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_change_is_fed_to_the_block_above_and_leaves_nothing(tiny_folders, family, layer):
    model = load_encoder(str(tiny_folders[family])).model
    ids, seen = [np.array([0, 9, 12, 2]), np.array([0, 7, 2])], []
    before = model.hidden_states(ids, [0, 1, 2, 3])

    def change(states):
        seen.append(states.clone())
        return states + torch.linspace(-1, 1, states.shape[-1])  # a norm would not see a constant

    with fed(model.blocks, layer, change):
        during = {at: model.hidden_states(ids, [at])[at] for at in (layer + 1, 3)}
    with pytest.raises(ZeroDivisionError), fed(model.blocks, layer, lambda states: 1 / 0):
        model.hidden_states(ids, [3])
    after = model.hidden_states(ids, [0, 1, 2, 3])
    assert all(torch.equal(after[at], before[at]) for at in before)
    assert torch.allclose(seen[0][0, :3], before[layer][0, :3], atol=1e-6)
    assert all((during[at] - before[at])[0].abs().max() > 1e-4 for at in during)


def test_the_heads_read_their_layers(tiny):
    """The two binary tasks by hand, with the states of the network as it is."""
    objective, step, trainee = prepared(tiny)
    assert (objective.next_layer, objective.shift_layer, objective.layers) == (1, 2, (3,))
    weights = {name: one.detach().numpy() for name, one in objective.module.state_dict().items()}
    ids, labels = shifted(step.batch[0], np.random.default_rng(5))
    cls = trainee.states(ids, [2])[2][:, 0].detach().numpy()
    hidden = np.tanh(cls @ weights["shift.0.weight"].T + weights["shift.0.bias"])
    scores = hidden @ weights["shift.2.weight"].T + weights["shift.2.bias"]
    found = objective.swaps(replace(step, rng=np.random.default_rng(5)))
    assert float(found.detach()) == pytest.approx(cross_entropy(scores, labels), abs=1e-5)

    masked = []
    real = objective.head.masked
    objective.head.masked = lambda *given: masked.append(real(*given)) or masked[-1]
    pairs = objective._pairs(step)
    masks, following = objective.sentences(step, pairs)
    cls = trainee.states(masked[0].ids, [1])[1][:, 0].detach().numpy()
    pooled = np.tanh(cls @ weights["pooler.weight"].T + weights["pooler.bias"])
    scores = pooled @ weights["next.weight"].T + weights["next.bias"]
    assert float(following.detach()) == pytest.approx(cross_entropy(scores, pairs.follows), abs=1e-5)
    # Nothing is passed yet, so that the masks are filled from the states as they are.
    states = trainee.states(masked[0].ids, [3])[3][masked[0].row, masked[0].place]
    assert float(masks.detach()) == pytest.approx(float(objective.head.loss(states, masked[0].gold).detach()), abs=1e-5)
    masks.backward()
    assert objective.module["passed"].weight.grad.any(), "it learns what to pass"


def test_what_is_passed_reaches_the_masks_and_their_loss_the_lower_head(tiny):
    objective, step, trainee = prepared(tiny)
    pairs = objective._pairs(step)
    fresh = lambda: replace(step, rng=np.random.default_rng(3))
    before = float(objective.sentences(fresh(), pairs)[0].detach())
    with torch.no_grad():
        objective.module["passed"].weight += 0.3 * torch.randn(16, 16)
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.01
    masks, _ = objective.sentences(fresh(), pairs)
    assert abs(float(masks.detach()) - before) > 1e-4
    masks.backward()
    assert objective.module["pooler"].weight.grad.any()
    assert objective.module["next"].weight.grad is None, "its own two scores are not passed"
    low = {name for name, one in trainee.parameters.items() if one.grad is not None and one.grad.any()}
    assert any(".layer.0." in name for name in low)
    for one in trainee.parameters.values():
        one.grad = None
    objective.swaps(fresh()).backward()
    assert not any(one.grad is not None and one.grad.any() for name, one in trainee.parameters.items()
                   if ".layer.2." in name), "the block above the task does not learn from it"  # fmt: skip
    objective, step, _ = prepared(tiny, passing=0)
    objective.sentences(step, objective._pairs(step))[0].backward()
    assert objective.module["passed"].weight.grad is None


def test_pairs_that_do_not_fit_the_window_are_left_out(tiny):
    objective, step, trainee = prepared(tiny)
    sides = objective._material.examples.source
    model, longest = trainee.base, int(np.median([len(a.ids) + len(b.ids) - 1 for a, b in pairwise(sides[8:20])]))
    trainee.base = replace(model, limit=longest)
    found = objective._pairs(step)
    lengths = [len(sides[a].ids) + len(sides[b].ids) - 1 for a, b in zip(found.first, found.second, strict=True)]
    assert 0 < len(lengths) < 12
    assert max(lengths) <= longest
    trainee.base = replace(model, limit=3)
    terms = objective(step)
    assert float(terms["masks"].detach()) == float(terms["next"].detach()) == 0
    assert float(terms["shift"].detach()) > 0
    sum(terms.values()).backward()


@pytest.mark.parametrize("values", [{}, {"adapter": "full", "embeddings": True}])
def test_the_loss_falls(tiny, tmp_path, values):
    job = Record(tmp_path / "run")
    found = run(tiny, max_steps=60, lr=0.01, job=job, batch_tokens=512, head_steps=20, **values)
    lines = job.of("loss")
    assert found.state.step == len(lines) == 60
    assert set(lines[0]["terms"]) == {"masks", "next", "shift"}
    assert np.mean([line["loss"] for line in lines[-8:]]) < np.mean([line["loss"] for line in lines[:8]]) - 0.05
    assert any("layer 1 tells the next sentence and passes it on" in line for line in job.said)


def test_terms_without_weight_are_not_computed(tiny, tmp_path):
    job = Record(tmp_path / "run")
    run(tiny, next_sentence=0, masks=0, distil=1, job=job)
    assert set(job.of("loss")[0]["terms"]) == {"shift", "distil"}
    assert job.of("loss")[0]["terms"]["distil"] == pytest.approx(0, abs=1e-6)
    job = Record(tmp_path / "other")
    run(tiny, bigram_shift=0, job=job)
    assert set(job.of("loss")[0]["terms"]) == {"masks", "next"}


def test_stop_and_resume_give_the_same_weights(tiny, tmp_path, monkeypatch):
    from analysis.training import loop

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    options = {"max_steps": 6, "lr": 0.01}
    whole = run(tiny, job=Record(tmp_path / "whole"), **options)
    real = loop.Loop._step

    def stops(self, step, rows):
        real(self, step, rows)
        if step == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop.Loop, "_step", stops)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, job=Record(tmp_path / "run"), **options)
    monkeypatch.setattr(loop.Loop, "_step", real)
    again = run(tiny, job=Record(tmp_path / "run"), **options)
    for name, value in whole.tensors().items():
        assert np.array_equal(value, again.tensors()[name]), name


def test_what_it_cannot_do_is_said_in_one_line(tiny):
    from analysis.alignment.method import Uses, check_needs

    def refused(match, **values):
        with pytest.raises(InputError, match=match) as caught:
            run(tiny, **values)
        assert "\n" not in str(caught.value)

    spec = find("methods", "hierarchical")
    with pytest.raises(InputError, match="does not use --dictionary"):
        check_needs(spec, {Uses.MONOLINGUAL: ["x"], Uses.DICTIONARY: ["x"]})
    with pytest.raises(InputError, match="needs --data .* or --monolingual"):
        check_needs(spec, {})
    refused("a placebo shuffles translations, and hierarchical reads none", placebo=True)
    refused("needs three sentences of a language in a row", monolingual={tag: one[:2] for tag, one in TEXT.items()})
    refused("next_layer=3 lies outside the encoder; valid: -1, or 1 to 2", next_layer=3)
    refused("shift_layer=0 lies outside the encoder; valid: -1, or 1 to 3", shift_layer=0)
