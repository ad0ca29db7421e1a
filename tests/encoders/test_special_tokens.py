"""Special tokens as units: the one that opens a sentence and the one that closes it."""

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.text.corpus import Sentence
from tests.encoders.test_vectors import SENTENCES
from tests.tiny import DEPTH, FAMILIES, WIDTH

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_the_first_and_the_last_state_of_a_plain_call(family, tiny_folders):
    import torch

    encoder = load_encoder(str(tiny_folders[family]))
    found = encoder.vectors(SENTENCES, unit=Unit.SPECIAL, cache=False)
    assert found.values.shape == (DEPTH + 1, 2 * len(SENTENCES), WIDTH)
    assert found.units.sentence.tolist() == [n for n in range(len(SENTENCES)) for _ in (0, 1)]
    assert found.units.position.tolist() == [0, 1] * len(SENTENCES)
    for row, sentence in enumerate(SENTENCES):
        coded = encoder.model.tokenizer(sentence.text, return_tensors="pt")
        with torch.inference_mode():
            states = encoder.model.network(
                input_ids=coded["input_ids"], attention_mask=coded["attention_mask"], output_hidden_states=True
            ).hidden_states
        for layer in range(DEPTH + 1):
            expected = states[layer][0, [0, -1]].numpy()
            np.testing.assert_allclose(found.layer(layer)[2 * row : 2 * row + 2], expected, atol=1e-5)


def test_the_opening_one_is_the_first_pooling_of_a_sentence(tiny):
    encoder = load_encoder(tiny)
    special = encoder.vectors(SENTENCES, unit=Unit.SPECIAL, cache=False).values
    first = encoder.sentences(SENTENCES, pool=Pool.FIRST, cache=False).values
    np.testing.assert_allclose(special[:, ::2], first, atol=1e-6)


def test_a_sentence_of_many_windows_closes_in_the_last_one(tiny):
    encoder = load_encoder(tiny)
    long = Sentence.from_words(["fox"] * 200, "en")
    found = encoder.vectors([long, SENTENCES[0]], unit=Unit.SPECIAL, cache=False)
    assert found.units.truncated.tolist() == [True, True, False, False]
    assert (np.abs(found.values).sum(axis=2) > 0).all()
