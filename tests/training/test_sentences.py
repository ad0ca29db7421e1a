"""Vectors of whole sentences, and which sentences are the same."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.errors import InputError
from analysis.training.examples import Side
from analysis.training.sentences import check_opening, one_layer, sentence_keys, sentence_vectors

pytestmark = pytest.mark.fast


def side(ids, start=1):
    empty = np.empty(0, np.int64)
    content = (start, len(ids) - 1)
    return Side(np.array(ids, np.int64), empty, empty, empty.astype(np.float32), 0, empty, content)


def test_a_sentence_is_its_opening_token_or_the_mean_of_its_own_tokens():
    sides = [side([0, 5, 6, 2]), side([0, 7, 2])]
    states = torch.arange(2 * 4 * 3, dtype=torch.float32).reshape(2, 4, 3)
    assert torch.equal(sentence_vectors(states, sides, "cls"), states[:, 0])
    wanted = torch.stack([(states[0, 1] + states[0, 2]) / 2, states[1, 1]])
    assert torch.equal(sentence_vectors(states, sides, "mean"), wanted)


def test_equal_keys_are_equal_sentences():
    keys = sentence_keys([side([0, 5, 6, 2]), side([0, 6, 5, 2]), side([0, 5, 6, 2]), side([0, 5, 2])])
    assert keys.dtype == np.int64
    assert keys[0] == keys[2]
    assert len(set(keys.tolist())) == 3
    assert sentence_keys([]).shape == (0,)


def test_refusals():
    encoder = SimpleNamespace(depth=3, name="hand", check_layers=lambda wanted: tuple(wanted or range(4)))
    assert one_layer(encoder, "last", "made") == (3,)
    with pytest.raises(InputError, match="layers='all' names 4 layers; made compares one: last, middle or a number"):
        one_layer(encoder, "all", "made")
    made = lambda start: SimpleNamespace(
        examples=SimpleNamespace(source=(side([5, 6, 2], start),), target=()), encoder=encoder
    )
    check_opening(made(1))
    with pytest.raises(InputError, match=r"'hand' puts no \[CLS\] before a sentence; give --set pooling=mean"):
        check_opening(made(0))
