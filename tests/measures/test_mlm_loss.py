"""The masked-LM loss against transformers itself, and encoders without a head."""

import json
import shutil

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.records import compare
from analysis.scoring.evaluate import evaluate
from analysis.scoring.masked_lm import headed_folder, load_masked_lm, losses, mask_tokens
from analysis.text.corpus import Sentence
from analysis.text.multitext import Text
from analysis.text.segment import split
from tests.measures.materials import write_aligned, write_headed
from tests.tiny import TEXT, write_tiny

pytestmark = pytest.mark.fast
# One sentence is longer than the window of a tiny encoder, and one has no token.
SENTENCES = (*(split(text, "en") for text in TEXT), split(" ".join(TEXT), "en"), Sentence("", "en"))


@pytest.fixture(scope="module")
def headed(tmp_path_factory):
    """Tiny encoders with a head, of several families."""
    root = tmp_path_factory.mktemp("headed")
    return {family: str(write_headed(root / family, family)) for family in ("bert", "xlmr", "distilbert", "modernbert")}


def material(sentences=SENTENCES):
    return Text("text", "en", tuple(sentences))


@pytest.mark.parametrize("family", ["bert", "xlmr", "distilbert", "modernbert"])
def test_losses_are_those_of_transformers(headed, family):
    import torch
    from transformers import AutoModelForMaskedLM

    encoder = load_encoder(headed[family])
    text = mask_tokens(encoder, SENTENCES, 0.15, 0)
    found = losses(load_masked_lm(encoder), text, encoder.model.tokenizer.pad_token_id)
    direct = AutoModelForMaskedLM.from_pretrained(headed[family]).eval()
    expected = []
    for ids, place in zip(text.inputs, text.place):
        gold = torch.full((1, len(ids)), -100)
        gold[0, place] = torch.from_numpy(text.gold[len(expected) : len(expected) + len(place)])
        with torch.no_grad():
            logits = direct(input_ids=torch.from_numpy(ids)[None]).logits[0]
        each = torch.nn.functional.cross_entropy(logits, gold[0], ignore_index=-100, reduction="none")
        expected += each[place].tolist()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    result = evaluate("mlm_loss", encoder, material())
    assert result.score == pytest.approx(np.mean(expected), abs=1e-5)
    assert result.parts["pseudo_perplexity"] == pytest.approx(np.exp(result.score))
    assert (result.n, result.unit, result.clusters) == (len(expected), "nats", len(SENTENCES))


def test_the_mask_is_a_share_of_each_sentence_at_least_one_and_seeded(headed):
    encoder = load_encoder(headed["xlmr"])
    tokenizer = encoder.model.tokenizer
    text = mask_tokens(encoder, SENTENCES, 0.3, 1)
    counts = np.bincount(text.sentence, minlength=len(SENTENCES))
    for sentence, masked in zip(SENTENCES, counts):
        tokens = len(tokenizer(sentence.text, add_special_tokens=False)["input_ids"])
        assert masked == (max(1, round(0.3 * tokens)) if tokens else 0)
    hidden = [ids[place] for ids, place in zip(text.inputs, text.place)]
    assert all((ids == tokenizer.mask_token_id).all() for ids in hidden)
    assert not set(text.gold) & {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id}
    again, other = mask_tokens(encoder, SENTENCES, 0.3, 1), mask_tokens(encoder, SENTENCES, 0.3, 2)
    assert np.array_equal(text.gold, again.gold)
    assert not all(np.array_equal(a, b) for a, b in zip(text.place, other.place))


def test_an_aligned_network_stands_below_the_head_of_its_base(headed, tmp_path):
    # A "full" encoder is a whole network of its own: another random one, saved without a head.
    folder = write_tiny(tmp_path / "tuned", "xlmr", seed=9)
    (folder / "isogloss.json").write_text(json.dumps({"base": headed["xlmr"], "kind": "full", "method": "hand"}))
    tuned, base = load_encoder(str(folder)), load_encoder(headed["xlmr"])
    assert headed_folder(tuned).name == base.name
    model = load_masked_lm(tuned)
    own, head = tuned.model.network.state_dict(), load_masked_lm(base).lm_head.state_dict()
    for key, value in model.base_model.state_dict().items():
        assert (value == own[key]).all(), key
    assert (model.lm_head.dense.weight == head["dense.weight"]).all()
    results = [evaluate("mlm_loss", encoder, material()) for encoder in (base, tuned)]
    assert results[0].score != results[1].score
    assert results[0].n == results[1].n
    assert compare(*results).difference == pytest.approx(results[1].score - results[0].score)


def test_maps_leave_the_loss_as_it_is_and_say_so(headed, tmp_path):
    mapped = load_encoder(str(write_aligned(tmp_path / "mapped", headed["bert"])))
    base = evaluate("mlm_loss", load_encoder(headed["bert"]), material())
    result = evaluate("mlm_loss", mapped, material())
    assert result.score == base.score
    assert f"this is the loss of {headed['bert']}" in result.note
    assert not base.note


def test_the_layer_makes_no_difference_and_the_note_says_so(headed):
    encoder = load_encoder(headed["bert"])
    first, last = (evaluate("mlm_loss", encoder, material(), layer=layer) for layer in (1, 3))
    assert first.score == last.score
    assert "reads the last layer" in first.note


def test_a_random_encoder_has_the_head_of_its_base(headed):
    result = evaluate("mlm_loss", load_encoder(f"random:{headed['xlmr']}#3"), material())
    assert result.score == pytest.approx(np.log(300), abs=1.5)


def test_what_has_no_head_or_a_broken_one_is_one_line(headed, tiny, tmp_path):
    with pytest.raises(InputError, match="has no masked-LM head .* such as hub:") as caught:
        evaluate("mlm_loss", load_encoder(tiny), material())
    assert "\n" not in str(caught.value)
    folder = tmp_path / "claims"
    shutil.copytree(tiny, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["XLMRobertaForMaskedLM"]}))
    with pytest.raises(InputError, match="lacks the weights of its masked-LM head"):
        evaluate("mlm_loss", load_encoder(str(folder)), material())
    folder = write_tiny(tmp_path / "other", "bert")
    (folder / "isogloss.json").write_text(json.dumps({"base": headed["xlmr"], "kind": "full"}))
    with pytest.raises(InputError, match="does not fit the head"):
        load_masked_lm(load_encoder(str(folder)))


def test_text_without_tokens_has_no_score_and_a_reason(headed):
    result = evaluate("mlm_loss", load_encoder(headed["bert"]), material([Sentence("", "en")]))
    assert result.score is None
    assert "no sentence has a token" in result.note
