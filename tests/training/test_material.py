"""What an objective may do beside its loss: state of its own, text instead of pairs, embeddings, borrowed weights."""

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.text.corpus import Sentence
from analysis.text.dictionary import Dictionary
from analysis.training.data import TrainingData, make_examples, shuffled_dictionaries
from analysis.training.fit import train
from analysis.training.links import find_decoder, subwords
from analysis.training.objective import Objective
from analysis.training.settings import TrainSettings
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext

pytestmark = pytest.mark.fast
SETTINGS = {"precision": "float32", "batch_tokens": 64, "rank": 2, "lr": 0.01}


class Counting(Objective):
    """Pulls a trained vector to a batch's mean and counts in a buffer; draws from both kinds of random numbers."""

    reads_links = False

    def __init__(self, encoder, settings):
        self.layers, self.seen = (encoder.depth,), []
        self.module = torch.nn.Module()
        self.module.register_parameter("middle", torch.nn.Parameter(torch.zeros(encoder.dim)))
        self.module.register_buffer("count", torch.zeros(1))

    def __call__(self, step):
        self.seen.append((step.number, step.steps, float(step.rng.random())))
        mean = step.source_sentences[self.layers[0]].mean(0)
        return {
            "pull": ((mean - self.module.middle) ** 2).sum() + 0 * torch.rand(1).sum() + self.module.count.sum() * 0
        }

    def after(self, step):
        self.module.count += step.number * float(torch.rand(1))


class Text(Counting):
    """The same on text without translations."""

    reads_text = True


def run(tiny, cls=Counting, job=None, data=None, **values):
    data = data or TrainingData([bitext(40)], ("es",))
    made = []

    def make(encoder, settings):
        made.append(cls(encoder, settings))
        return made[-1]

    found = train(load_encoder(tiny), data, TrainSettings(**SETTINGS | values), make, seed=3, job=job)
    return found, made[0]


def test_parts_and_buffers_of_the_objectives_own_survive_a_stop(tiny, tmp_path, monkeypatch):
    whole, once = run(tiny, max_steps=6)
    assert once.module.count > 0
    monkeypatch.setattr("analysis.training.loop.CHECKPOINT_SECONDS", -1.0)
    real = Job.progress

    def stops(self, done, total, what, **options):
        if what.startswith("step 4"):
            raise KeyboardInterrupt
        return real(self, done, total, what, **options)

    job = Record(tmp_path / "run")
    monkeypatch.setattr(Record, "progress", stops, raising=False)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, job=job, max_steps=6)
    monkeypatch.undo()
    found, again = run(tiny, job=Record(tmp_path / "run"), max_steps=6)
    assert any("continuing after step 3" in line for line in again.seen) or again.seen[0][0] == 4
    assert again.seen == once.seen[3:]
    assert torch.equal(again.module.count, once.module.count)
    assert torch.equal(again.module.middle, once.module.middle)
    for name, one in whole.tensors().items():
        np.testing.assert_array_equal(found.tensors()[name], one)


def test_text_is_both_sides_and_what_stands_alone_each_once(tiny):
    alone = (Sentence.from_words(["zorro"], "es"), bitext(40).source[0], Sentence.from_words(["a", "b"], "fr"))
    data = TrainingData([bitext(40)], ("es",), monolingual={"es": alone[:2], "fr": alone[2:]})
    text = data.text()
    assert set(text) == {"es", "en"}, "a language that is not trained on is left out"
    assert [one.text for one in text["es"]][:2] == ["zorro", bitext(40).source[0].text]
    assert len({one.text for one in text["es"]}) == len(text["es"])
    model = load_encoder(tiny).model
    found = make_examples(model, data, TrainSettings(max_pairs=5), 0, text=True)
    assert found.counts == {"es": 5, "en": 5}
    assert found.examples.source is found.examples.target
    assert found.examples.rows[0].startswith("es sentence ")
    trained, _ = run(tiny, Text, data=data, max_steps=2)
    assert trained.state.step == 2
    assert trained.languages == ("en", "es")


def test_a_shuffled_dictionary_has_every_word_beside_a_wrong_one():
    entries = tuple((f"a{n}", f"b{n}") for n in range(9))
    (found,) = shuffled_dictionaries([Dictionary(("es", "en"), entries, "made")], 0)
    assert [a for a, _ in found.entries] == [a for a, _ in entries]
    assert sorted(b for _, b in found.entries) == sorted(b for _, b in entries)
    assert not set(found.entries) & set(entries)


def test_a_placebo_keeps_no_right_translation_of_an_ambiguous_word():
    entries = (("Bank", "bank"), ("bank", "bench"), ("Haus", "house"), ("Hund", "dog"), ("Katze", "cat"))
    for seed in range(20):
        (found,) = shuffled_dictionaries([Dictionary(("de", "en"), entries, "made")], seed)
        kept = {(a.lower(), b.lower()) for a, b in found.entries} & {(a.lower(), b.lower()) for a, b in entries}
        assert not kept
    for few in (entries[:1], entries[:2]):
        with pytest.raises(InputError, match="made is too small for a placebo"):
            shuffled_dictionaries([Dictionary(("de", "en"), few, "made")], 0)


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_embeddings_train_only_when_asked_and_never_the_bases(tiny, adapter):
    encoder = load_encoder(tiny)
    before = encoder.model.network.get_input_embeddings().weight.detach().clone()
    still, _ = run(tiny, max_steps=2, adapter=adapter)
    assert torch.equal(still.trainee.network.get_input_embeddings().weight, before)
    moved, _ = run(tiny, max_steps=2, adapter=adapter, embeddings=True)
    names = [name for name in moved.trainee.parameters if "embed" in name]
    assert names
    network = moved.trainee.peft.merge_and_unload() if moved.trainee.peft else moved.trainee.network
    assert float((network.get_input_embeddings().weight - before).detach().abs().max()) > 1e-5
    assert torch.equal(encoder.model.network.get_input_embeddings().weight, before)
    assert not {id(one) for one in moved.trainee.parameters.values()} & {
        id(one) for one in encoder.model.network.parameters()
    }


def test_borrowed_weights_are_given_back(tiny):
    encoder = load_encoder(tiny)
    trainee = Trainee(encoder, TrainSettings(**SETTINGS), seed=0)
    own = {name: one.detach().clone() for name, one in trainee.parameters.items()}
    ids = [np.array([5, 6, 7])]
    before = trainee.states(ids, [3])[3].detach()
    with trainee.borrowing({name: torch.randn_like(one) for name, one in own.items()}):
        other = trainee.states(ids, [3])[3]
    assert not other.requires_grad
    assert float((other - before).abs().max()) > 1e-3
    assert torch.equal(trainee.states(ids, [3])[3].detach(), before)
    assert all(torch.equal(one, own[name]) for name, one in trainee.parameters.items())


def test_subwords_as_words(tiny):
    from analysis.training.examples import sides_of

    encoder = load_encoder(tiny)
    (side,) = sides_of(encoder.model, [Sentence.from_words(["perezoso", "zorro"], "es")], "mean")
    cut = subwords(side)
    assert cut.words == len(side.column)
    assert cut.column.tolist() == sorted(side.column)
    assert set(cut.keys.tolist()) == {0, 1}
    decoder, level, settings = find_decoder(encoder, TrainSettings(link_decoder="chosen"))
    stored = encoder.link_defaults
    assert (decoder.name, level) == (stored.decoder, stored.level)
    assert settings is not None
