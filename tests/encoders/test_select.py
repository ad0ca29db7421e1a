"""Vectors of some layers and sentences."""

import numpy as np
import pytest

from analysis.encoders.select import select_layers, select_sentences
from analysis.encoders.tokens import word_units
from analysis.encoders.vectors import Unit, Vectors
from analysis.errors import InputError
from analysis.text.corpus import Sentence

pytestmark = pytest.mark.fast


@pytest.fixture
def vectors():
    sentences = [Sentence.from_words(text.split(), "en") for text in ("a b", "c", "d e f")]
    units = word_units(sentences, np.zeros(3, dtype=bool))
    return Vectors(np.arange(3 * 6 * 2, dtype=np.float32).reshape(3, 6, 2), (0, 2, 4), units, Unit.WORD)


def test_layers_are_views_where_one_is_asked_for(vectors):
    one = select_layers(vectors, [2])
    assert one.layers == (2,)
    assert np.shares_memory(one.values, vectors.values)
    assert np.array_equal(one.layer(2), vectors.layer(2))
    assert select_layers(vectors, [0, 4]).values.shape == (2, 6, 2)
    with pytest.raises(InputError, match="layer 3"):
        select_layers(vectors, [3])


def test_sentences_are_renumbered(vectors):
    chosen = select_sentences(vectors, [0, 2])
    assert chosen.units.text == ("a", "b", "d", "e", "f")
    assert chosen.units.sentence.tolist() == [0, 0, 1, 1, 1]
    assert np.array_equal(chosen.values, vectors.values[:, [0, 1, 3, 4, 5]])
    assert len(select_sentences(vectors, []).units) == 0
