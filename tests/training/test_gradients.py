"""What trains and what does not: the chosen blocks, never the base, never the embeddings."""

import numpy as np
import pytest
import torch

from analysis.alignment.run import align
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from analysis.training.examples import prepare, select, sides_of
from analysis.training.frozen import freeze
from analysis.training.links import link
from analysis.training.objective import held_encoder
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.tiny import FAMILIES
from tests.training.material import Record, bitext, chosen, trained

pytestmark = pytest.mark.fast
BLOCKS = {"bert": "encoder.layer.", "xlmr": "encoder.layer.", "distilbert": "transformer.layer.",
          "modernbert": "layers.", "t5": "encoder.block."}  # fmt: skip


def one_step(encoder, settings, make_objective):
    """Gradients of one batch after the LoRA matrices have left zero; returns the trainee."""
    trainee = Trainee(encoder, settings, seed=0)
    objective = make_objective(encoder, settings)
    examples, kept = prepare(trainee.base, select([bitext(6)], ("es",), settings, 0), settings)
    examples = link(examples, kept, trainee, encoder, settings)
    frozen = freeze(trainee, examples.target, objective.layers, np.arange(6)) if objective.reads_frozen else None
    with torch.no_grad():
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.01
    step = make_step(trainee, examples, range(6), objective, frozen)
    trainee.accelerator.backward(sum(objective(step).values()))
    return trainee, step


def blocks_of(names, family):
    """The numbers of the blocks that some parameters belong to, counted from 1."""
    return {int(name.partition(BLOCKS[family])[2].partition(".")[0]) + 1 for name in names}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("adapter", "blocks", "wanted"), [("lora", "2-3", {2, 3}), ("lora", "all", {1, 2, 3}),
                                                          ("full", "2", {2})])  # fmt: skip
def test_only_the_chosen_blocks_get_gradients(tiny_folders, family, adapter, blocks, wanted):
    from analysis.alignment.contrastive import Contrastive

    encoder = load_encoder(str(tiny_folders[family]))
    trainee, _ = one_step(encoder, chosen(adapter=adapter, blocks=blocks, layers="2,3"), Contrastive)
    reached = {name for name, one in trainee.network.named_parameters() if one.grad is not None and one.grad.any()}
    assert reached
    assert reached <= set(trainee.parameters)
    assert blocks_of(trainee.parameters, family) == wanted
    assert blocks_of(reached, family) == wanted
    assert all(("lora_" in name) is (adapter == "lora") for name in trainee.parameters)
    if adapter == "lora":
        kinds = {name.rpartition("lora_")[0] for name in reached}
        assert all({f"{kind}lora_A.default.weight", f"{kind}lora_B.default.weight"} <= reached for kind in kinds)
    base = dict(encoder.model.network.named_parameters())
    assert all(one.grad is None for one in base.values())
    shared = {id(one) for one in base.values()}
    trainable = {id(one) for one in trainee.parameters.values()}
    assert not shared & trainable
    embedding = trainee.network.get_input_embeddings().weight
    assert id(embedding) in shared, "the embeddings are held twice"


@pytest.mark.parametrize("target", ["frozen", "live"])
def test_the_anchors_side_gets_gradients_from_a_live_target_only(tiny, target):
    from analysis.alignment.cao import Cao

    encoder = load_encoder(tiny)
    settings = chosen("cao", target=target, regularise=0)
    trainee, step = one_step(encoder, settings, Cao)
    assert Cao(encoder, settings).reads_frozen is (target == "frozen")
    for one in trainee.parameters.values():
        one.grad = None
    terms = Cao(encoder, settings)(step)
    found = torch.autograd.grad(sum(terms.values()), [step.source[3], step.target[3]], allow_unused=True)
    assert found[0].any()
    assert (found[1] is not None) is (target == "live")
    assert all(not one.requires_grad for one in step.frozen.values())


@pytest.mark.parametrize("values", [{}, {"adapter": "full", "method": "cao", "dropout": True}])
def test_the_base_gives_the_same_bits_before_and_after(tiny, values):
    encoder, sentences = load_encoder(tiny), bitext(20).source
    before = encoder.words(sentences, cache=False).values
    flags = encoder.model.network.training
    found = trained(encoder, [bitext(20)], max_steps=4, lr=0.01, **values)
    np.testing.assert_array_equal(encoder.words(sentences, cache=False).values, before)
    assert encoder.model.network.training is flags is False
    ids = [np.array(encoder.model.tokenizer("el zorro")["input_ids"])]
    after, still = (model.hidden_states(ids, [3])[3] for model in (found.trainee.live, encoder.model))
    assert float((after - still).abs().max()) > 1e-3


@pytest.mark.parametrize("adapter", ["full", "lora"])
def test_the_distance_is_the_norm_of_what_changed(tiny, adapter):
    encoder = load_encoder(tiny)
    trainee = trained(encoder, [bitext(6)], max_steps=2, lr=0.01, adapter=adapter).trainee
    distance = float(trainee.distance().detach())
    network = trainee.peft.merge_and_unload() if trainee.peft else trainee.network
    now = dict(network.named_parameters())
    changed = sum(((now[name] - one) ** 2).sum() for name, one in encoder.model.network.named_parameters())
    assert float(changed.detach()) > 0
    assert distance == pytest.approx(float(changed.detach()) ** 0.5, rel=1e-4)


def test_anchors_hold_on_to_the_start_or_to_the_first_base(tiny, tmp_path):
    """Trained twice, the second run can be held where the first base is, so that what the first run lost comes back."""
    settings = chosen(lr=0.1, max_steps=3)
    align(find("methods", "contrastive"), load_encoder(tiny), [bitext(12)], out=tmp_path / "out", settings=settings,
          say=lambda _: None)  # fmt: skip
    base, above = load_encoder(tiny), load_encoder(str(tmp_path / "out"))
    assert held_encoder(base, chosen(anchor_to="first")) is base
    with pytest.raises(InputError, match="anchor_to=start"):
        held_encoder(above, chosen(anchor_to="first", anchor_weights=1))
    text = [bitext(6).target[row] for row in range(6)]
    for anchor_to, encoder in (("start", above), ("first", base)):
        settings = chosen(anchor_to=anchor_to, distil=1)
        assert held_encoder(above, settings).revision == encoder.revision
        trainee = Trainee(above, settings, seed=0, held=held_encoder(above, settings))
        found = freeze(trainee, sides_of(above.model, text, "mean"), [2], np.arange(6))
        np.testing.assert_allclose(
            found.sentences[2], encoder.sentences(text, layers=[2], cache=False).layer(2), atol=1e-5
        )
    assert not np.allclose(*(one.sentences(text, layers=[2], cache=False).layer(2) for one in (base, above)), atol=1e-3)


def test_a_run_asks_for_the_first_base(tiny, tmp_path):
    """The first step of a run that only distils: its loss is how far the start has moved from what is held on to."""
    settings = chosen(lr=0.1, max_steps=3)
    align(find("methods", "contrastive"), load_encoder(tiny), [bitext(12)], out=tmp_path / "out", settings=settings,
          say=lambda _: None)  # fmt: skip
    only = {"distil": 1, "temperature": 1, "max_steps": 1}
    losses = {}
    for anchor_to in ("start", "first"):
        job = Record(tmp_path / anchor_to)
        trained(str(tmp_path / "out"), [bitext(12)], job=job, anchor_to=anchor_to, **only)
        losses[anchor_to] = job.of("loss")[0]["terms"]["distil"]
    assert losses["first"] != pytest.approx(losses["start"], rel=1e-3)
