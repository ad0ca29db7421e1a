"""The sense model: its choices and its loss by hand, what trains, what moves, and what it refuses."""

import math
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from analysis.text.corpus import Sentence
from analysis.text.dictionary import Dictionary
from analysis.training.examples import sides_of
from analysis.training.senses import Senses, sense_loss
from tests.training.material import WORDS, Record, chosen, trained

pytestmark = pytest.mark.fast
S, DIM, DIMS = 3, 5, 2
RNG = np.random.default_rng(11)
DICTIONARY = Dictionary(("es", "en"), tuple((b, a) for a, b in WORDS.items()), "made.tsv")
TEXT = {
    tag: tuple(Sentence.from_words(list(np.roll(list(words), n)[:6]), tag) for n in range(12))
    for tag, words in (("en", WORDS), ("es", WORDS.values()))
}
QUICK = {"head_steps": 2, "distil": 0, "buffer": 64, "components": 4, "epochs": 100}


def run(encoder, **values):
    given = {"monolingual": TEXT, "max_steps": 4, "dictionaries": [DICTIONARY]} | QUICK | values
    return trained(encoder, (), method="multisense", **given)


@pytest.fixture(scope="module")
def wordy(tiny_folders):
    """An encoder whose tokenizer has some words as one subword."""
    return str(tiny_folders["bert"])


@pytest.fixture
def senses():
    """Four subwords of three senses with everything drawn at random."""
    made = Senses(torch.zeros(4, DIM), torch.zeros(4), senses=S, dims=DIMS, size=6, rho=0.25)
    for part in (made.module.weight.data, made.module.bias.data, made.module.centres, made.module.basis,
                 made.module.mean):  # fmt: skip
        part.copy_(torch.tensor(RNG.normal(size=part.shape)))
    return made


def plain(senses):
    return {name: one.detach().numpy().astype(float) for name, one in senses.module.state_dict().items()}


def cosine(a, b):
    return a @ b / math.sqrt(a @ a) / math.sqrt(b @ b)


def by_hand(values, state, subword):
    """The cosines of a state with a subword's centres, in the components."""
    seen = (state - values["mean"]) @ values["basis"]
    return [cosine(seen, (values["centres"][subword * S + k] - values["mean"]) @ values["basis"]) for k in range(S)]


def tensor(array):
    return torch.tensor(array, dtype=torch.float32)


def test_the_sense_that_is_meant_has_the_nearest_centre(senses):
    states, own, values = RNG.normal(size=(7, DIM)), np.array([0, 1, 2, 3, 3, 0, 1]), plain(senses)
    wanted = [y * S + int(np.argmax(by_hand(values, state, y))) for state, y in zip(states, own, strict=True)]
    assert senses.meant(tensor(states), own).tolist() == wanted
    assert len(set(wanted)) > 4
    assert senses.meant(torch.zeros(0, DIM), np.empty(0, np.int64)).tolist() == []


def test_of_all_senses_of_all_translations_the_nearest_is_the_second_target(senses):
    states, values = RNG.normal(size=(4, DIM)), plain(senses)
    candidates = [np.array([1, 3]), np.empty(0, np.int64), np.array([2]), np.array([0, 1, 2])]
    wanted = []
    for state, pieces in zip(states, candidates, strict=True):
        near = {y * S + k: by_hand(values, state, y)[k] for y in pieces for k in range(S)}
        wanted.append(max(near, key=near.get) if near else -1)
    assert senses.translation(tensor(states), candidates).tolist() == wanted
    assert senses.translation(tensor(states), [np.empty(0, np.int64)] * 4).tolist() == [-1] * 4


@pytest.mark.parametrize("share", [0.5, 0.2, 0.0])
def test_the_loss_shares_the_target_where_there_is_a_translation(share):
    scores, own, other = RNG.normal(size=(4, 12)), np.array([0, 5, 7, 2]), np.array([9, -1, 7, -1])
    wanted = 0.0
    for row, a, b in zip(scores, own, other, strict=True):
        log = row - math.log(sum(math.exp(one) for one in row))
        part = share if b >= 0 else 0.0
        wanted -= ((1 - part) * log[a] + part * log[b]) / len(own)
    leaf = torch.tensor(scores, requires_grad=True)
    found = sense_loss(leaf, own, other, share)
    assert float(found.detach()) == pytest.approx(wanted, abs=1e-6)
    found.backward()
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    probabilities[0, 0] -= 1 - share
    probabilities[0, 9] -= share
    np.testing.assert_allclose(leaf.grad[0].numpy(), probabilities[0] / 4, atol=1e-6)


def test_centres_move_by_the_mean_of_a_batch_and_absent_ones_stay(senses):
    before, states, classes = plain(senses)["centres"], RNG.normal(size=(4, DIM)), np.array([7, 2, 7, 7])
    senses.move(tensor(states), classes)
    wanted = before.copy()
    wanted[7] = 0.75 * before[7] + 0.25 * states[[0, 2, 3]].mean(0)
    wanted[2] = 0.75 * before[2] + 0.25 * states[1]
    np.testing.assert_allclose(plain(senses)["centres"], wanted, atol=1e-6)
    senses.move(torch.zeros(0, DIM), np.empty(0, np.int64))
    np.testing.assert_allclose(plain(senses)["centres"], wanted, atol=1e-6)


def test_the_buffer_is_an_even_sample_and_the_components_are_those_of_it(senses):
    states = np.arange(40, dtype=float)[:, None] + np.zeros(DIM)
    counts, rng = np.zeros(40), np.random.default_rng(0)
    for _ in range(400):
        senses.module.seen.zero_()
        for start in (0, 4, 17):
            senses.remember(tensor(states[start : {0: 4, 4: 17, 17: 40}[start]]), rng)
        kept = senses.module.states[:, 0].numpy().astype(int)
        assert len(set(kept)) == 6
        counts[kept] += 1
    assert int(senses.module.seen) == 40
    assert counts.min() > 30, "each of 40 states is kept 60 times in 400"
    assert counts.max() < 100
    senses.module.states.copy_(tensor(RNG.normal(size=(6, DIM))))
    senses.refresh()
    kept = plain(senses)["states"]
    _, _, rows = np.linalg.svd(kept - kept.mean(0))
    found = plain(senses)["basis"]
    np.testing.assert_allclose(plain(senses)["mean"], kept.mean(0), atol=1e-6)
    np.testing.assert_allclose(np.abs(rows[:DIMS] @ found[:, ::-1]), np.eye(DIMS), atol=1e-4)


def test_when_senses_divide_they_are_copies_of_the_first_with_states_as_centres(senses):
    first = plain(senses)["weight"][::S]
    senses.remember(tensor(RNG.normal(size=(4, DIM))), np.random.default_rng(0))
    senses.divide(np.random.default_rng(1))
    values = plain(senses)
    np.testing.assert_array_equal(values["weight"], np.repeat(first, S, 0))
    assert {tuple(row) for row in values["centres"]} <= {tuple(row) for row in values["states"][:4]}
    assert torch.allclose(senses.scores(torch.ones(2, DIM), plain=True), senses.scores(torch.ones(2, DIM))[:, ::S])
    spread = senses.spread(np.array([0, 4]))
    spread.backward()
    assert float(spread.detach()) == pytest.approx(0, abs=1e-6)
    assert senses.module.weight.grad.isfinite().all(), "no gradient is lost where all vectors are one"


def test_the_spread_is_the_distance_from_the_words_mean(senses):
    weight, chosen = plain(senses)["weight"], np.array([1, 5, 5])
    wanted = np.mean([np.linalg.norm(weight[c] - weight[c // S * S : c // S * S + S].mean(0)) for c in chosen])
    assert float(senses.spread(chosen).detach()) == pytest.approx(wanted, abs=1e-6)


def kept_objective(monkeypatch):
    """The objectives that runs make."""
    spec, made = find("methods", "multisense"), []
    real = spec.objective.prepare
    monkeypatch.setattr(spec.objective, "prepare", lambda self, material: (made.append(self), real(self, material)))
    return made


def test_only_words_of_one_subword_translate_both_ways(wordy, monkeypatch):
    made = kept_objective(monkeypatch)
    more = Dictionary(("en", "es"), (("Fox", "Perro"), ("fox", "absent")), "more.tsv")
    run(wordy, max_steps=1, dictionaries=[DICTIONARY, more])
    tokenizer, objective = load_encoder(wordy).model.tokenizer, made[-1]
    cut = lambda word: tokenizer.tokenize(word)
    whole = {(b, a) for a, b in WORDS.items() if len(cut(a)) == len(cut(b)) == 1}
    assert 3 < len(whole) < len(WORDS)
    wanted = {("es", b): {cut(a)[0]} for b, a in whole} | {("en", a): {cut(b)[0]} for b, a in whole}
    wanted["en", "fox"] |= {"perro"}
    wanted["es", "perro"] |= {"fox"}
    found = {
        (tag, key): set(tokenizer.convert_ids_to_tokens(objective.head.pieces[places].tolist()))
        for tag, words in objective.translations.items() for key, places in words.items()
    }  # fmt: skip
    assert found == {(tag, crc32(word.encode())): pieces for (tag, word), pieces in wanted.items()}


def test_a_place_has_candidates_where_a_whole_word_of_its_language_stands(wordy):
    model = load_encoder(wordy).model
    pieces = {word: model.tokenizer.tokenize(word) for word in WORDS}  # what it holds whole depends on its training
    one = next(word for word in WORDS if len(pieces[word]) == 1)
    many = next(word for word in WORDS if len(pieces[word]) > 1)
    sides = sides_of(model, [Sentence.from_words([many, one, "el"], tag) for tag in ("en", "es")], "mean")
    objective = find("methods", "multisense").objective(load_encoder(wordy), chosen("multisense", **QUICK))
    objective.translations = {"en": {crc32(one.encode()): np.array([4, 9]), crc32(many.encode()): np.array([1])}}
    first = {many: sides[0].content[0]}
    first[one] = first[many] + len(pieces[many])
    first["el"] = first[one] + 1
    rows, places = np.array([0, 0, 0, 1]), np.array([first[one], first[many], first["el"], first[one]])
    step = SimpleNamespace(languages=["en", "es"])
    assert [found.tolist() for found in objective._candidates(step, sides, rows, places)] == [[4, 9], [], [], []]


def test_what_trains_and_what_does_not(wordy, monkeypatch):
    from analysis.training.objective import Objective

    made, seen = kept_objective(monkeypatch), {}
    real = find("methods", "multisense").objective.after

    def after(self, step):
        if step.number == 3:
            module = self.module
            seen["grads"] = {name: one.grad is not None and bool(one.grad.any())
                             for name, one in module.named_parameters()}  # fmt: skip
            seen["buffers"] = {name: one.requires_grad for name, one in module.named_buffers()}
        real(self, step)

    monkeypatch.setattr(find("methods", "multisense").objective, "after", after)
    found = run(wordy, max_steps=4, plain=0.25, repulsion=0.1)
    assert seen["grads"] == dict.fromkeys(seen["grads"], True)
    assert set(seen["grads"]) == {"dense.weight", "dense.bias", "norm.weight", "norm.bias", "senses.weight",
                                  "senses.bias"}  # fmt: skip
    assert set(seen["buffers"]) == {f"senses.{name}" for name in ("centres", "basis", "mean", "states", "seen")}
    assert not any(seen["buffers"].values())
    assert all("senses" not in name for name in found.tensors()), "the encoder does not keep them"
    assert isinstance(made[-1], Objective)


@pytest.mark.parametrize("values", [{}, {"adapter": "full", "embeddings": True, "lr": 0.003}, {"start": "random"}])
def test_the_loss_falls(wordy, tmp_path, values):
    job = Record(tmp_path / "run")
    found = run(wordy, **{"max_steps": 80, "lr": 0.02, "job": job, "batch_tokens": 512, "head_steps": 20} | values)
    lines = job.of("loss")
    assert found.state.step == len(lines) == 80
    plain_steps = [line["terms"]["mlm"] for line in lines if "mlm" in line["terms"]]
    senses = [line["terms"]["senses"] for line in lines if "senses" in line["terms"]]
    assert (len(plain_steps), len(senses)) == (16, 64)
    assert np.mean(senses[-10:]) < np.mean(senses[:10]) - 0.03
    assert any("classes: about" in line and "have a translation" in line for line in job.said)


def test_without_a_dictionary_it_says_so(wordy, tmp_path):
    job = Record(tmp_path / "run")
    run(wordy, dictionaries=(), job=job)
    assert any("no dictionary, so no cross-lingual targets" in line for line in job.said)
    assert run(wordy, dictionaries=(), distil=1).state.step == 4


def test_stop_and_resume_give_the_same_weights(wordy, tmp_path, monkeypatch):
    from analysis.training import loop

    made = kept_objective(monkeypatch)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    options = {"max_steps": 8, "lr": 0.01, "refresh": 2, "rho": 0.3}
    whole = run(wordy, job=Record(tmp_path / "whole"), **options)
    once = made[-1].module.state_dict()
    real = loop.Loop._step

    def stops(self, step, rows):
        real(self, step, rows)
        if step == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop.Loop, "_step", stops)
    with pytest.raises(KeyboardInterrupt):
        run(wordy, job=Record(tmp_path / "run"), **options)
    monkeypatch.setattr(loop.Loop, "_step", real)
    job = Record(tmp_path / "run")
    again = run(wordy, job=job, **options)
    assert any("continuing after step 4" in line for line in job.said)
    for name, value in whole.tensors().items():
        assert np.array_equal(value, again.tensors()[name]), name
    for name, value in made[-1].module.state_dict().items():
        assert torch.equal(value, once[name]), name


def test_the_placebo_trains_on_another_dictionary(wordy):
    plain, placebo = (run(wordy, lr=0.01, max_steps=8, placebo=placebo) for placebo in (False, True))
    assert any(not np.array_equal(value, placebo.tensors()[name]) for name, value in plain.tensors().items())


def test_what_it_lacks_is_said_in_one_line(wordy):
    from analysis.alignment.method import Uses, check_needs

    def refused(match, **values):
        with pytest.raises(InputError, match=match) as caught:
            run(wordy, **values)
        assert "\n" not in str(caught.value)

    with pytest.raises(InputError, match="needs --data .* or --monolingual"):
        check_needs(find("methods", "multisense"), {Uses.DICTIONARY: ["x"]})
    check_needs(find("methods", "multisense"), {Uses.MONOLINGUAL: ["x"]})
    refused("a placebo shuffles the translations", dictionaries=(), placebo=True)
    refused("covers no word of the text", dictionaries=[Dictionary(("es", "en"), (("nadie", "nobody"),), "none.tsv")])
    refused("names 2 layers; multisense compares one", layers="2,3")
    long = Dictionary(("es", "en"), (("perezoso", "account"),), "long.tsv")
    refused("no entry of long.tsv has a word and a translation that are one subword each", dictionaries=[long])
