"""Lengths of vectors, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures.norms import SPEC
from tests.measures.geometry import noisy_sentences, rotation, sentences, spread_against_width, with_vectors
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast


def test_a_worked_example():
    result = SPEC.compute(sentences([[3, 4], [6, 8], [0, 5], [0, 4]], [[1, 0], [0, 2], [3, 0], [0, 2]]))
    assert result.score == pytest.approx((6 + 2) / 2)
    assert result.parts["source"] == pytest.approx(6)
    assert result.parts["target"] == pytest.approx(2)
    assert result.parts["ratio"] == pytest.approx(1 / 3)
    assert result.parts["cv_source"] == pytest.approx(np.std([5, 10, 5, 4]) / 6)
    assert result.parts["cv_target"] == pytest.approx(np.std([1, 2, 3, 2]) / 2)
    assert result.n == 8
    assert result.items["length"] == pytest.approx([5, 10, 5, 4, 1, 2, 3, 2])
    assert result.items["side"] == ["source"] * 4 + ["target"] * 4
    assert result.items["text"][4:6] == ["t0", "t1"]
    assert result.higher_is_better is None


@given(st.integers(0, 999), st.floats(0.01, 100))
@settings(max_examples=20)
def test_rotations_change_nothing_and_scale_scales(seed, scale):
    space = noisy_words(rows=5, seed=seed)
    turned = with_vectors(space, scale * space.source @ rotation(8, seed), scale * space.target @ rotation(8, seed + 1))
    before, after = SPEC.compute(space), SPEC.compute(turned)
    assert after.score == pytest.approx(scale * before.score, rel=1e-5)
    for name in ("ratio", "cv_source", "cv_target"):
        assert after.parts[name] == pytest.approx(before.parts[name], rel=1e-4)


def test_a_constant_side_has_a_length_and_an_empty_one_has_not():
    space = noisy_words()
    same = SPEC.compute(with_vectors(space, target=np.ones_like(space.target)))
    assert same.parts["target"] == pytest.approx(np.sqrt(8), rel=1e-5)
    assert same.parts["cv_target"] == pytest.approx(0, abs=1e-6)
    assert "one side has no vector" in SPEC.compute(with_vectors(space, target=np.zeros_like(space.target))).note


def test_the_width_of_the_interval_is_about_right():
    assert 0.7 < spread_against_width(SPEC.compute, lambda seed: noisy_sentences(40, seed=seed)) < 1.5
