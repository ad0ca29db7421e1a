"""Masked-language modelling beside an alignment: masks, joined pairs, the head that is made or borrowed."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.training.data import TrainingData, make_examples
from analysis.training.examples import sides_of
from analysis.training.masked_lm import MaskedLM, MaskedSettings
from analysis.training.masking import content, join_sides, joined_content, mask
from analysis.training.objective import Material
from analysis.training.trainee import Trainee
from tests.measures.materials import write_headed
from tests.tiny import FAMILIES
from tests.training.material import Record, bitext

pytestmark = pytest.mark.fast
SETTINGS = MaskedSettings(precision="float32", rank=2, head_steps=3)


def material(name, tmp_path=None, *, settings=SETTINGS, pairs=None):
    """What an objective is given of a small run."""
    encoder = load_encoder(name)
    data = TrainingData([pairs or bitext(20)], ("es",))
    trainee = Trainee(encoder, settings, seed=0)
    examples = make_examples(trainee.base, data, settings, 0, text=False).examples
    job = Record(tmp_path / "run") if tmp_path else None
    return Material(encoder, trainee, examples, {}, (), settings, 0, job)


def test_eighty_ten_ten():
    sequences = [np.arange(10, 1010)]
    found = mask(sequences, [np.arange(1000)], np.random.default_rng(0), share=0.5, mask_id=3,
                 pieces=np.array([7, 8]))  # fmt: skip
    now = found.ids[0][found.place]
    kinds = Counter("mask" if one == 3 else "random" if one in (7, 8) else "kept" for one in now)
    assert len(found.place) == 500
    assert found.gold.tolist() == sequences[0][found.place].tolist()
    assert kinds["mask"] == pytest.approx(400, abs=40)
    assert kinds["random"] == pytest.approx(50, abs=25)
    assert all(now[n] == gold for n, gold in enumerate(found.gold) if now[n] not in (3, 7, 8))
    untouched = np.setdiff1d(np.arange(1000), found.place)
    assert np.array_equal(found.ids[0][untouched], sequences[0][untouched])
    assert sequences[0][0] == 10, "the sequence itself is left alone"


def test_one_subword_at_least_and_none_where_nothing_may_be_masked():
    found = mask([np.arange(5), np.arange(5)], [np.array([2]), np.empty(0, int)], np.random.default_rng(0), share=0.01,
                 mask_id=99, pieces=np.array([7]))  # fmt: skip
    assert found.row.tolist() == [0]
    assert found.place.tolist() == [2]
    nothing = mask(
        [np.arange(5)], [np.empty(0, int)], np.random.default_rng(0), share=0.5, mask_id=9, pieces=np.ones(1)
    )
    assert len(nothing.gold) == 0
    assert nothing.ids[0].tolist() == list(range(5))


@pytest.mark.parametrize("family", FAMILIES)
def test_joined_pairs_are_what_the_tokenizer_makes_of_them(tiny_folders, family):
    model = load_encoder(str(tiny_folders[family])).model
    made = bitext(3, links=False)
    first, second = (sides_of(model, side, "mean") for side in (made.source, made.target))
    joined = join_sides(first[0], second[0])
    assert joined.ids.tolist() == [*first[0].ids, *second[0].ids[second[0].content[0] :]]
    assert joined.words == first[0].words + second[0].words
    assert joined.keys.tolist() == [*first[0].keys, *second[0].keys]
    text = [*first[0].ids[content(first[0])], *second[0].ids[content(second[0])]]
    assert joined.ids[joined_content(first[0], second[0])].tolist() == text
    # The subwords of a word are the same in the joined sequence as in its own.
    for word in range(second[0].words):
        own = second[0].ids[second[0].column[second[0].word == word]]
        there = joined.ids[joined.column[joined.word == word + first[0].words]]
        assert own.tolist() == there.tolist()


def test_the_made_head_scores_against_the_embeddings(tiny):
    given = material(tiny)
    head = MaskedLM(given)
    states = torch.randn(4, given.encoder.dim)
    with torch.no_grad():
        head.module["output"]["bias"].copy_(torch.linspace(-1, 1, len(head.pieces)))
        found = head.scores(states).numpy()
    hidden = torch.nn.functional.gelu(states)  # the map starts as the identity
    hidden = torch.nn.functional.layer_norm(hidden, (given.encoder.dim,)).numpy()
    table = given.encoder.model.network.get_input_embeddings().weight.detach().numpy()[head.pieces]
    np.testing.assert_allclose(found, hidden @ table.T + np.linspace(-1, 1, len(head.pieces)), rtol=1e-4, atol=1e-5)
    gold = head.pieces[[0, 3, 1, 2]]
    expected = -np.mean(torch.log_softmax(torch.tensor(found), 1).numpy()[range(4), [0, 3, 1, 2]])
    with torch.no_grad():
        assert float(head.loss(states, gold)) == pytest.approx(expected, rel=1e-5)
        # An id that is no subword of the text is left out, and nothing but such ids gives 0.
        unknown = int(np.setdiff1d(np.arange(300), head.pieces)[0])
        some = np.array([*gold[:3], unknown])
        shorter = -np.mean(torch.log_softmax(torch.tensor(found[:3]), 1).numpy()[range(3), [0, 3, 1]])
        assert float(head.loss(states, some)) == pytest.approx(shorter, rel=1e-5)
        assert float(head.loss(states[:1], np.array([unknown]))) == 0


def test_no_special_token_is_scored(tiny):
    given = material(tiny)
    assert not np.isin(MaskedLM(given).pieces, given.encoder.model.tokenizer.all_special_ids).any()


def test_the_warm_up_is_told_learned_and_kept_for_other_seeds(tiny, cache, tmp_path):
    settings = replace(SETTINGS, head_steps=60)
    first = material(tiny, tmp_path / "a", settings=settings)
    before = [one.detach().clone() for one in first.trainee.network.parameters()]
    cold, warm = MaskedLM(replace(first, job=None)), MaskedLM(first)
    assert any("no masked-LM head" in line and "60 steps" in line for line in first.job.said)
    assert all(torch.equal(a, b) for a, b in zip(before, first.trainee.network.parameters(), strict=True))
    sides = [*first.examples.source, *first.examples.target]
    found = warm.masked([one.ids for one in sides], [content(one) for one in sides], np.random.default_rng(5))
    states = first.trainee.base.hidden_states(found.ids, [3])[3]
    states = states[torch.from_numpy(found.row), torch.from_numpy(found.place)].clone()
    with torch.no_grad():
        assert float(warm.loss(states, found.gold)) < float(cold.loss(states, found.gold)) - 0.01
    second = material(tiny, tmp_path / "b", settings=settings)
    again = MaskedLM(second)
    assert not any("no masked-LM head" in line for line in second.job.said), "it was warmed up a second time"
    for name, one in warm.module.state_dict().items():
        assert torch.equal(one, again.module.state_dict()[name])


@pytest.mark.parametrize("family", ["bert", "xlmr", "distilbert", "modernbert"])
def test_an_encoder_with_a_head_lends_its_own(tmp_path, family):
    from transformers import AutoModelForMaskedLM

    folder = write_headed(tmp_path / family, family)
    head = MaskedLM(material(str(folder)))
    assert head.module is None
    whole = AutoModelForMaskedLM.from_pretrained(folder)
    ids = torch.tensor([[5, 6, 7, 8]])
    states = whole.base_model(ids).last_hidden_state[0]
    with torch.no_grad():
        expected = whole(ids).logits[0][:, head.pieces]
        torch.testing.assert_close(head.scores(states), expected, rtol=1e-4, atol=1e-5)
    states = states.detach().requires_grad_()
    head.loss(states, head.pieces[:4]).backward()
    assert states.grad.any()


def test_an_encoder_without_a_mask_token_is_refused(tiny, monkeypatch):
    given = material(tiny)
    given.trainee.base.tokenizer.mask_token = None
    try:
        with pytest.raises(InputError, match="has no mask token"):
            MaskedLM(given)
    finally:
        given.trainee.base.tokenizer.mask_token = "<mask>"


def test_the_warm_up_depends_on_the_text_and_not_on_its_order(tiny, cache, tmp_path, monkeypatch):
    settings = replace(SETTINGS, head_steps=5)
    first = material(tiny, tmp_path / "a", settings=settings)
    turned = replace(first.examples, source=first.examples.source[::-1], target=first.examples.target[::-1])
    heads = []
    for examples in (first.examples, turned):
        monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / str(len(heads))))
        heads.append(MaskedLM(replace(first, examples=examples)).module.state_dict())
    for name, one in heads[0].items():
        assert torch.equal(one, heads[1][name])


def test_text_that_the_tokenizer_does_not_know_is_refused(tiny):
    given = material(tiny)
    nothing = replace(given.examples, source=(), target=())
    with pytest.raises(InputError, match="knows no subword of the text"):
        MaskedLM(replace(given, examples=nothing))


def test_an_encoder_with_narrow_embeddings_is_refused(tiny):
    given = material(tiny)
    given.encoder.dim += 1
    with pytest.raises(InputError, match=r"embeddings of \d+ numbers and states of \d+"):
        MaskedLM(given)
