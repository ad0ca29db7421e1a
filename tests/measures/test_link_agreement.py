"""Link agreement on worked examples."""

import numpy as np
import pytest

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures import link_agreement
from analysis.measures.link_agreement import LinkAgreementSettings
from analysis.scoring.evaluate import choose_settings, default_layer
from tests.measures.spaces import bitext, noisy_words, sentence_space, word_space

pytestmark = pytest.mark.fast
SPEC = link_agreement.SPEC


def test_a_worked_example():
    # Row 0: a and c both prefer A, A prefers a, B prefers b: 2 of 3 + 2 links agree twice. Row 1: all agree.
    text = bitext(["a b c", "d"], ["A B", "D"])
    source = np.array([[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0.2], [0, 0, 1]])
    target = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    found = SPEC.compute(word_space(text, source, target))
    assert found.score == pytest.approx(100 * 2 * 3 / (4 + 3))
    assert found.parts == {"links_agreed": 3, "links_forward": 4, "links_backward": 3}
    assert found.items["forward"] == ["0-0 1-1 2-0", "0-0"]
    assert found.items["backward"] == ["0-0 1-1", "0-0"]
    assert found.items["agreement"] == pytest.approx([80, 100])
    assert found.n == 2


def test_noise_lowers_it():
    scores = [SPEC.compute(noisy_words(noise=noise)).score for noise in (0.0, 1.0, 20.0)]
    assert scores[0] == 100
    assert scores[0] > scores[1] > scores[2]


def test_rows_without_words_count_nothing():
    text = bitext(["a", "b"], ["A", "B"])
    found = SPEC.compute(word_space(text, np.array([[1.0, 0], [0, 0]]), np.eye(2)))
    assert (found.score, found.n) == (100, 1)
    assert "1 sentence pairs without words" in found.note
    nothing = SPEC.compute(word_space(text, np.zeros((2, 2)), np.eye(2)))
    assert nothing.score is None
    assert "no sentence pair has words" in nothing.note


def test_the_encoder_chooses_layer_and_level(tiny):
    from analysis.encoders.load import load_encoder

    encoder = load_encoder(tiny)
    assert default_layer(SPEC, encoder) == encoder.link_defaults.layer
    assert choose_settings(SPEC, encoder).level == encoder.link_defaults.level


def test_other_units_are_refused():
    with pytest.raises(InputError, match="word or subword"):
        SPEC.compute(sentence_space(bitext(["a"], ["A"]), np.ones((1, 2)), np.ones((1, 2))))
    with pytest.raises(InputError, match="level=subword needs subword"):
        SPEC.compute(noisy_words(), LinkAgreementSettings(Unit.SUBWORD))
