"""Self-training of word links: its terms on a real step, what it trains, and how it refuses."""

import numpy as np
import pytest
import torch

from analysis.alignment.self_training import SelfTraining, joined_or_not
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training import loop, subwords
from analysis.training.data import TrainingData, make_examples
from analysis.training.frozen import freeze
from analysis.training.links import link
from analysis.training.masking import join_sides
from analysis.training.objective import Material
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext, chosen, trained

pytestmark = pytest.mark.fast
EVERYTHING = {"consistency": 0.5, "tlm": 1, "mlm": 1, "identification": 1, "head_steps": 2, "distil": 1,
              "anchor_words": 1, "anchor_relations": 1, "anchor_weights": 0.1, "layers": "2,3"}  # fmt: skip
PLAIN = {"distil": 0, "anchor_relations": 0, "anchor_words": 0, "tlm": 0, "mlm": 0, "identification": 0}


@pytest.fixture
def one_step(tiny):
    """An objective, its trainee and a step of six pairs; LoRA has left zero, so the base differs."""

    def make(data=None, **values):
        encoder = load_encoder(tiny)
        settings = chosen("self_training", **PLAIN | {"temperature": 0.1} | values)
        trainee, objective = Trainee(encoder, settings, seed=0), SelfTraining(encoder, settings)
        given = TrainingData(data or [bitext(6)], ("es",))
        found = make_examples(encoder.model, given, settings, 0, text=False)
        examples = link(found.examples, found.bitexts, trainee, encoder, settings)
        objective.prepare(Material(encoder, trainee, examples, {}, (), settings, 0))
        rows = range(len(examples))
        frozen = freeze(trainee, examples.target, objective.layers, np.array(rows)) if objective.reads_frozen else None
        chance = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, one in trainee.parameters.items():
                if "lora_B" in name:
                    one += 0.2 * torch.randn(one.shape, generator=chance)
        return objective, trainee, make_step(trainee, examples, rows, objective, frozen)

    return make


def chances(model, step, layer, temperature=0.1):
    """For each pair of a step its cosines under both softmaxes, sentence by sentence."""
    for source, target in zip(*step.batch, strict=True):
        x, y = (model.hidden_states([one.ids], [layer])[layer][0, slice(*one.content)].numpy().astype(float)
                for one in (source, target))  # fmt: skip
        x, y = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (x, y))
        power = np.exp(x @ y.T / temperature)
        yield power / power.sum(1, keepdims=True), power / power.sum(0, keepdims=True)


@pytest.mark.parametrize("teacher", ["live", "frozen"])
@pytest.mark.parametrize("where", ["same", "link"])
def test_links_and_agreement_at_each_layer(one_step, teacher, where):
    objective, trainee, step = one_step(
        layers="2,3", link_layer=1, teacher=teacher, teacher_layer=where, consistency=0.5, threshold=0.25
    )
    assert not objective.reads_links
    terms = {name: one.detach() for name, one in objective(step).items()}
    assert set(terms) == {"links@2", "links@3", "consistency@2", "consistency@3"}
    for layer in (2, 3):
        model = trainee.base if teacher == "frozen" else trainee.live
        taught = list(chances(model, step, layer if where == "same" else 1))
        loss, agreement, linked = 0.0, 0.0, 0
        for (p, q), (a, b) in zip(chances(trainee.live, step, layer), taught, strict=True):
            links = (a > 0.25) & (b > 0.25)
            linked += links.sum()
            loss -= ((p * links).sum() / p.shape[0] + (q * links).sum() / p.shape[1]) / 6
            agreement -= np.trace(p @ q.T) / min(p.shape) / 6
        assert linked
        assert float(terms[f"links@{layer}"]) == pytest.approx(loss / 2, rel=1e-4)
        assert float(terms[f"consistency@{layer}"]) == pytest.approx(0.5 * agreement / 2, rel=1e-4)


def test_given_links_teach_all_subwords_of_their_words(one_step):
    objective, trainee, step = one_step(layers="3", teacher="given", one_to_one=False)
    assert objective.reads_links
    loss = 0.0
    for (p, q), source, target, links in zip(chances(trainee.live, step, 3), *step.batch, step.links, strict=True):
        assert len(links)
        for i, j in links:
            rows, columns = source.column[source.word == i] - 1, target.column[target.word == j] - 1
            loss -= p[np.ix_(rows, columns)].sum() / p.shape[0] / 6 + q[np.ix_(rows, columns)].sum() / p.shape[1] / 6
    assert float(objective(step)["links@3"].detach()) == pytest.approx(loss, rel=1e-4)


def test_the_terms_that_hold_are_those_of_pooled_words(one_step):
    from analysis.training.objective import anchors
    from analysis.training.pooling import pool_sentences, pool_words

    objective, trainee, step = one_step(**EVERYTHING)
    terms = objective(step)
    assert {"distil", "anchor words", "anchor relations", "anchor weights", "tlm", "mlm", "identification"} < set(terms)
    states = [trainee.live.hidden_states([one.ids for one in sides], [3])[3] for sides in step.batch]
    step.target[3] = pool_words(states[1], step.batch[1])
    for n, place in enumerate((step.source_sentences, step.target_sentences)):
        place[3] = pool_sentences(states[n], step.batch[n])
    for name, wanted in anchors(step, objective.settings, 3).items():
        assert float(terms[name].detach()) == pytest.approx(float(wanted.detach()), rel=1e-4)
    trainee.accelerator.backward(sum(terms.values()))
    assert all(one.grad.any() for one in objective.module["identification"].parameters())
    assert {name for name, one in trainee.parameters.items() if one.grad is None or not one.grad.any()} == set()
    assert all(one.grad is None for one in trainee.base.network.parameters())


def test_a_term_of_no_weight_is_not_computed(one_step, monkeypatch):
    objective, _, step = one_step(self_training=0, identification=1)
    monkeypatch.setattr(subwords, "two_softmaxes", lambda *_, **__: pytest.fail("compared"))
    assert set(objective(step)) == {"identification"}
    assert one_step()[0].module is None


def test_half_of_the_joined_pairs_are_strangers(one_step):
    _, _, step = one_step([bitext(30, seed=4)])
    first, second = step.batch
    joined, same = joined_or_not(first, second, np.random.default_rng(0))
    for row, (one, true) in enumerate(zip(joined, same, strict=True)):
        own = join_sides(first[row], second[row])
        assert np.array_equal(one.ids, own.ids) == true
        assert any(np.array_equal(one.ids, join_sides(first[row], other).ids) for other in second)
    assert 14 <= (~same).sum() <= 15
    alone, same = joined_or_not(first[:1], second[:1], np.random.default_rng(0))
    assert (len(alone), same.tolist()) == (1, [True])
    twin, same = joined_or_not(first[:2], [second[0], second[0]], np.random.default_rng(0))
    assert (len(twin), same.tolist()) == (2, [True, True]), "the same sentence is no stranger"


def test_joined_sentences_are_cut_at_the_window(one_step):
    objective, trainee, step = one_step([bitext(4, longest=12, seed=2)], join=4, tlm=1, identification=1, head_steps=1)
    assert any(len(a.ids) + len(b.ids) > trainee.base.limit for a, b in zip(*step.batch, strict=True))
    assert all(one.isfinite() for one in objective(step).values())


def test_the_loss_falls_and_the_number_of_steps_is_kept(tiny, tmp_path):
    job = Record(tmp_path / "run")
    options = PLAIN | {"temperature": 0.1, "layers": "3", "link_layer": 3, "teacher": "given", "lr": 0.01}
    found = trained(tiny, [bitext(6)], method="self_training", job=job, epochs=40, max_steps=20, **options)
    losses = [line["loss"] for line in job.of("loss")]
    assert (found.steps, len(losses)) == (20, 20)
    assert np.mean(losses[-3:]) < losses[0] - 0.05


def test_a_resumed_run_ends_with_the_same_weights(tiny, tmp_path, monkeypatch):
    real, breaks = loop.Loop._step, []

    def step(self, number, rows):
        if number == 4 and not breaks:
            breaks.append(number)
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    options = EVERYTHING | {"method": "self_training", "lr": 0.01, "temperature": 0.1, "max_steps": 6, "dropout": True}
    whole = trained(tiny, [bitext(40)], **options)
    monkeypatch.setattr(loop.Loop, "_step", step)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, [bitext(40)], job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, [bitext(40)], job=Record(tmp_path / "run"), **options)
    assert breaks
    tensors, wanted = resumed.tensors(), whole.tensors()
    assert all(np.array_equal(tensors[name], one) for name, one in wanted.items())
    placebo = trained(tiny, [bitext(40)], placebo=True, **options).tensors()
    assert not all(np.array_equal(placebo[name], one) for name, one in wanted.items())


@pytest.mark.parametrize(("values", "line"), [
    ({"self_training": 0}, "all terms are switched off; give one of these a weight above 0: self_training, "),
    ({"layers": "top"}, "layers='top' is not a list of layers"),
    ({"link_layer": 9}, "layer 9 does not exist"),
    ({"teacher": "nobody"}, "nobody"), ({"teacher": "given", "pool": "first"}, "pool='first' cannot be followed"),
])  # fmt: skip
def test_refusals(tiny, values, line):
    with pytest.raises(InputError) as caught:
        trained(tiny, [bitext(4)], method="self_training", max_steps=1, **PLAIN | values)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
