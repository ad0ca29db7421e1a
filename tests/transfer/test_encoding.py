"""What the network reads of a pair is what its own tokenizer makes of two texts."""

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.text.corpus import Sentence
from analysis.transfer.encoding import encode
from analysis.transfer.item import Item

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(("family", "segments"), [("bert", True), ("distilbert", False)])
def test_a_joint_pair_is_read_as_plain_transformers_reads_it(tiny_folders, family, segments):
    model = load_encoder(str(tiny_folders[family])).model
    texts = ("the fox jumps", "the lazy dog")
    item = Item("1", Sentence.from_words(texts[0].split(), "en"), "x", Sentence.from_words(texts[1].split(), "en"))
    (one,) = encode(model, [item], joint=True, max_tokens=0).first
    coded = model.tokenizer(*texts, return_tensors="pt")
    assert one.ids.tolist() == coded["input_ids"][0].tolist()
    if segments:
        assert model.knows_segments
        assert one.segments.tolist() == coded["token_type_ids"][0].tolist()
        assert set(one.segments.tolist()) == {0, 1}
    else:
        coded.pop("token_type_ids", None)
    with torch.no_grad():
        plain = model.network(**coded).last_hidden_state
        read = model.states([one.ids], [model.depth], segments=[one.segments])[model.depth]
        without = model.states([one.ids], [model.depth])[model.depth]
    np.testing.assert_allclose(read, plain, atol=1e-5)
    assert torch.allclose(read, without) is not segments


def test_one_text_has_one_segment(tiny_folders):
    model = load_encoder(str(tiny_folders["bert"])).model
    item = Item("1", Sentence.from_words(["the", "fox"], "en"), "x")
    assert not encode(model, [item], joint=True, max_tokens=0).first[0].segments.any()


def test_the_word_at_the_cut_is_the_mean_of_what_is_left_of_it(tiny_folders):
    model = load_encoder(str(tiny_folders["xlmr"])).model
    word = "brownfoxesjumpingoveraccounts"
    item = Item("1", Sentence.from_words(["the", word, "dog"], "en"), ("A", "B", "C"))
    whole = encode(model, [item], joint=False, max_tokens=0, pool="mean").first[0]
    counts = np.bincount(whole.word)
    assert whole.cut == 0
    assert counts[1] > 2
    limit = len(whole.ids) - counts[2] - counts[1] + 1
    (one,) = encode(model, [item], joint=False, max_tokens=limit, pool="mean").first
    assert set(one.word) == {0, 1}
    assert one.cut == counts[2] + counts[1] - 1
    np.testing.assert_allclose(np.bincount(one.word, weights=one.weight), 1, atol=1e-6)
