"""Exchanged words: the cross-lingual prediction slot by slot, the leak, what trains, and how it refuses."""

import numpy as np
import pytest
import torch

from analysis.alignment.weam import Weam, exchange
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training import loop
from analysis.training.data import TrainingData, make_examples
from analysis.training.links import link
from analysis.training.masking import join_sides
from analysis.training.objective import Material
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext, chosen, trained

pytestmark = pytest.mark.fast
QUICK = {"head_steps": 2, "masked": 0.5, "distil": 0, "anchor_relations": 0, "anchor_words": 0}


@pytest.fixture
def one_step(tiny):
    """An objective, its trainee and a step of some pairs; LoRA has left zero."""

    def make(data=None, **values):
        encoder, settings = load_encoder(tiny), chosen("weam", **QUICK | values)
        trainee, objective = Trainee(encoder, settings, seed=0), Weam(encoder, settings)
        found = make_examples(encoder.model, TrainingData(data or [bitext(6)], ("es",)), settings, 0, text=False)
        examples = link(found.examples, found.bitexts, trainee, encoder, settings)
        torch.manual_seed(0)
        objective.prepare(Material(encoder, trainee, examples, {}, (), settings, 0))
        with torch.no_grad():
            for name, one in [*trainee.parameters.items(), *objective.module.named_parameters()]:
                if "lora_B" in name or "head" in name:
                    one += 0.1 * torch.randn(one.shape)
        return objective, trainee, make_step(trainee, examples, range(len(examples)), objective)

    return make


def test_exchange_takes_the_mean_of_linked_states():
    rng = np.random.default_rng(0)
    links = np.array([[[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]]], float)
    states = rng.normal(size=(1, 4, 5))
    found = exchange(torch.tensor(links), torch.tensor(states)).numpy()
    np.testing.assert_allclose(found[0], [(states[0, 1] + states[0, 2]) / 2, np.zeros(5), states[0, 2]])
    # The way back is rebuilt: target subword 2 is linked to source subwords 0 and 2.
    back = rng.normal(size=(1, 3, 5))
    turned = exchange(torch.tensor(links).transpose(1, 2), torch.tensor(back)).numpy()[0]
    np.testing.assert_allclose(turned, [np.zeros(5), back[0, 0], (back[0, 0] + back[0, 2]) / 2, np.zeros(5)])
    states[0, 3] = np.nan
    assert np.isfinite(exchange(torch.tensor(links), torch.tensor(states)).numpy()).all()


def slots(objective, trainee, step, *, visible, joint):
    """The state and the gold id of every slot that is predicted across languages, one pair after the other."""
    found = objective._masked(step)
    for number, (source, target, links) in enumerate(zip(*step.batch, step.links, strict=True)):
        ids = found.ids[number]
        whole, limit = join_sides(source, target), trainee.base.limit
        both = trainee.live.hidden_states([ids], [3])[3][0].numpy()
        alone = [trainee.live.hidden_states([one.ids], [3])[3][0].numpy() for one in (source, target)]
        partner = {i: [] for i in range(source.words + target.words)}
        for i, j in links:
            partner[i].append(j + source.words)
            partner[j + source.words].append(i)
        for place in found.place[found.row == number]:
            own = set(whole.word[whole.column == place])  # a lone space belongs to no word
            columns = [
                c
                for word in own
                for w in partner[word]
                for c in whole.column[whole.word == w]
                if c < limit or not joint
            ]
            if not columns or (ids[place] == whole.ids[place] and not visible):
                continue
            if whole.ids[place] not in objective.head.pieces:  # unknown subwords are not predicted
                continue
            states = both
            if not joint:
                other_is_target = place < len(source.ids)
                states = alone[int(other_is_target)]
                columns = [c - (len(source.ids) - target.content[0]) * other_is_target for c in columns]
            yield np.mean([states[c] for c in columns], 0), whole.ids[place]


@pytest.mark.parametrize("encoded", ["joint", "alone"])
@pytest.mark.parametrize("visible", [False, True])
@pytest.mark.parametrize("data", [None, "cut"])
def test_prediction_from_linked_words(one_step, encoded, visible, data):
    """The second data are joined so that some pair passes the window of the encoder."""
    many = {"data": [bitext(4, longest=12, seed=2)], "join": 4} if data else {}
    objective, trainee, step = one_step(encoded=encoded, visible=visible, **many)
    over = [len(join_sides(a, b).ids) > trainee.base.limit for a, b in zip(*step.batch, strict=True)]
    assert any(over) is bool(data)
    state = step.rng.bit_generator.state
    wanted = list(slots(objective, trainee, step, visible=visible, joint=encoded == "joint"))
    assert len(wanted) > 5
    step.rng.bit_generator.state = state
    vectors = torch.tensor(np.stack([one for one, _ in wanted]))
    scores = objective.head.scores(vectors).detach().numpy().astype(float)
    gold = [int(np.flatnonzero(objective.head.pieces == one)[0]) for _, one in wanted]
    chance = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    loss = -np.mean([chance[row, at] for row, at in enumerate(gold)])
    terms = objective(step)
    assert set(terms) == {"multilingual", "crosslingual"}
    assert float(terms["crosslingual"].detach()) == pytest.approx(loss, rel=1e-4)


def test_what_stays_visible_is_left_out(one_step, monkeypatch):
    """Where every chosen subword stays as it was, nothing may be predicted across languages, unless asked for."""
    from analysis.training.masked_lm import MaskedLM
    from analysis.training.masking import Masked

    for visible in (False, True):
        objective, _, step = one_step(visible=visible)
        real = MaskedLM.masked
        unchanged = lambda self, ids, *rest, real=real: Masked(ids, *vars_of(real(self, ids, *rest)))
        with monkeypatch.context() as patch:
            patch.setattr(MaskedLM, "masked", unchanged)
            terms = objective(step)
        assert (float(terms["crosslingual"].detach()) == 0) is not visible
        assert float(terms["multilingual"].detach()) > 0
        sum(terms.values()).backward()


def vars_of(found):
    return found.row, found.place, found.gold


def test_words_without_a_link_give_nothing(one_step):
    objective, _, step = one_step(multilingual=0)
    step.links[:] = [np.empty((0, 2), np.int64)] * len(step.links)
    terms = objective(step)
    assert set(terms) == {"crosslingual"}
    assert float(terms["crosslingual"].detach()) == 0
    terms["crosslingual"].backward()


@pytest.mark.parametrize("encoded", ["joint", "alone"])
def test_gradients_reach_network_and_head_and_not_the_base(one_step, encoded):
    objective, trainee, step = one_step(multilingual=0, encoded=encoded)
    trainee.accelerator.backward(sum(objective(step).values()))
    assert all(one.grad is not None and one.grad.any() for one in trainee.parameters.values())
    assert all(one.grad.any() for one in objective.module.parameters())
    assert all(one.grad is None for one in trainee.base.network.parameters())


def test_terms_that_hold_are_added(tiny, tmp_path):
    job = Record(tmp_path / "run")
    trained(tiny, [bitext(12)], method="weam", job=job, max_steps=2,
            **QUICK | {"distil": 1, "anchor_words": 1, "anchor_weights": 1, "crosslingual": 0})  # fmt: skip
    assert set(job.of("loss")[0]["terms"]) == {"multilingual", "distil", "anchor words", "anchor weights"}


def test_the_loss_falls_and_the_number_of_steps_is_kept(tiny, tmp_path):
    job = Record(tmp_path / "run")
    found = trained(tiny, [bitext(4)], method="weam", job=job, epochs=80, max_steps=60, lr=0.02,
                    adapter="full", embeddings=True, **QUICK)  # fmt: skip
    losses = [line["terms"]["crosslingual"] for line in job.of("loss")]
    assert (found.steps, len(losses)) == (60, 60)
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) - 0.05


def test_a_resumed_run_ends_with_the_same_weights(tiny, tmp_path, monkeypatch):
    real, breaks = loop.Loop._step, []

    def step(self, number, rows):
        if number == 4 and not breaks:
            breaks.append(number)
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    options = QUICK | {"method": "weam", "lr": 0.01, "max_steps": 6, "dropout": True, "encoded": "joint"}
    whole = trained(tiny, [bitext(40)], **options).tensors()
    monkeypatch.setattr(loop.Loop, "_step", step)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, [bitext(40)], job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, [bitext(40)], job=Record(tmp_path / "run"), **options).tensors()
    assert breaks
    assert all(np.array_equal(resumed[name], one) for name, one in whole.items())
    placebo = trained(tiny, [bitext(40)], placebo=True, **options).tensors()
    assert not all(np.array_equal(placebo[name], one) for name, one in whole.items())


@pytest.mark.parametrize(("values", "line"), [
    ({"multilingual": 0, "crosslingual": 0}, "both terms are switched off; give multilingual or crosslingual a weight"),
    ({"layers": "2"}, "layers='2' cannot be followed; weam predicts from the last layer: last"),
    ({"encoded": "apart"}, "apart"), ({"pool": "last"}, "pool='last' cannot be followed where links spread"),
])  # fmt: skip
def test_refusals(tiny, values, line):
    with pytest.raises(InputError) as caught:
        trained(tiny, [bitext(4)], method="weam", max_steps=1, **QUICK | values)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_encoder_without_a_mask_is_refused(tiny, monkeypatch):
    encoder = load_encoder(tiny)
    tokenizer = encoder.model.tokenizer
    monkeypatch.setattr(type(tokenizer), "mask_token_id", None, raising=False)
    with pytest.raises(InputError, match="has no mask token, which masked-language modelling needs"):
        trained(encoder, [bitext(4)], method="weam", max_steps=1, **QUICK)
