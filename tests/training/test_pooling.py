"""The trainer's word and sentence vectors are those of the encoder."""

import numpy as np
import pytest
import torch

from analysis.encoders.load import load_encoder
from analysis.text.corpus import Sentence
from analysis.text.segment import split
from analysis.training.encode import encode
from analysis.training.examples import sides_of
from analysis.training.pooling import pool_sentences, pool_words, word_sentences
from analysis.training.trainee import Trainee
from tests.tiny import FAMILIES, TEXT
from tests.training.material import chosen

pytestmark = pytest.mark.fast
ODD = ["a", "the  fox,  (quick)", "x\u200b the fox", "<s> [MASK] fox", "ÉCOLE école"]


def sentences():
    return [split(text, "en") for text in [*TEXT, *ODD]]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("pool", ["mean", "first", "last"])
def test_words_and_sentences_are_the_encoders(tiny_folders, family, pool):
    encoder, text = load_encoder(str(tiny_folders[family])), sentences()
    trainee = Trainee(encoder, chosen(), seed=0)
    sides = sides_of(encoder.model, text, pool)
    words = encoder.words(text, pool=pool, layers=[1, 3], cache=False)
    means = encoder.sentences(text, layers=[1, 3], cache=False)
    for live in (False, True):  # LoRA starts at no change
        found = encode(trainee, sides, [1, 3], model=trainee.live if live else None)
        for layer in (1, 3):
            np.testing.assert_allclose(np.concatenate(found.words[layer]), words.layer(layer), atol=1e-5)
            np.testing.assert_allclose(found.sentences[layer], means.layer(layer), atol=1e-5)
    states = trainee.states([side.ids for side in sides], [3])[3]
    np.testing.assert_allclose(pool_words(states, sides).detach().numpy(), words.layer(3), atol=1e-5)
    np.testing.assert_allclose(pool_sentences(states, sides).detach().numpy(), means.layer(3), atol=1e-5)
    assert word_sentences(sides).tolist() == words.units.sentence.tolist()
    assert np.linalg.norm(words.layer(3)) > 1


def test_special_tokens_are_two_more_words_at_the_end(tiny):
    model = load_encoder(tiny).model
    text = sentences()
    plain, special = (sides_of(model, text, "last", specials=on) for on in (False, True))
    states = torch.randn(len(text), max(len(side.ids) for side in special), 8)
    flat = pool_words(states, special)
    start = np.cumsum([0, *(side.words for side in special)])
    for row, (a, b) in enumerate(zip(plain, special)):
        mine = flat[start[row] : start[row + 1]]
        assert b.words == a.words + 2 == len(mine)
        torch.testing.assert_close(mine[-2], states[row, 0])
        torch.testing.assert_close(mine[-1], states[row, len(b.ids) - 1])
        torch.testing.assert_close(mine[:-2], pool_words(states[row : row + 1], [a]))
        assert len(set(b.keys[-2:])) == 2
        assert not set(b.keys[-2:]) & set(a.keys)
    assert len({tuple(side.keys[-2:]) for side in special}) == 1


def test_equal_words_have_equal_keys_whatever_their_case(tiny):
    model = load_encoder(tiny).model
    keys = sides_of(model, [Sentence.from_words(["École", "fox", "ÉCOLE", "école", "dog"], "fr")], "mean")[0].keys
    assert keys[0] == keys[2] == keys[3]
    assert len(set(keys)) == 3
