"""The cosine margin and its baselines against loops over all pairs of words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures.anisotropy import SPEC
from analysis.records import resamples
from tests.measures.geometry import noisy_sentences, rotation, spread_against_width, with_vectors
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def by_loops(x, y, sentence, of=None):
    """Mean cosines over all pairs of words; `of` tells copies of one sentence from each other."""
    n, of = len(x), sentence if of is None else of
    every = [(i, j) for i in range(n) for j in range(n)]
    apart = [(i, j) for i, j in every if sentence[i] != sentence[j]]
    inside = [(i, j) for i, j in every if of[i] == of[j] and i != j]
    mean = lambda a, b, pairs: np.mean([cosine(a[i], b[j]) for i, j in pairs]) if pairs else None
    return {
        "aligned": mean(x, y, [(i, i) for i in range(n)]),
        "random_cross": mean(x, y, apart),
        "random_within": mean(x, y, inside),
        "anisotropy_source": mean(x, x, apart),
        "anisotropy_target": mean(y, y, apart),
    }


@pytest.mark.parametrize(("make", "dim"), [(noisy_words, 8), (noisy_sentences, 6)])
def test_means_equal_loops_over_all_pairs(make, dim):
    space = make(rows=7)
    space = with_vectors(space, space.source + 1, space.target + 0.5)
    expected = by_loops(space.source, space.target, space.source_units.sentence)
    result = SPEC.compute(space)
    for name, value in expected.items():
        assert result.parts[name] == (None if value is None else pytest.approx(value, abs=1e-5)), name
    assert result.score == pytest.approx(expected["aligned"] - expected["random_cross"], abs=1e-5)
    same = (expected["anisotropy_source"] + expected["anisotropy_target"]) / 2
    assert result.parts["random_same"] == pytest.approx(same, abs=1e-5)
    assert result.items["cosine"] == pytest.approx([cosine(a, b) for a, b in zip(space.source, space.target)], abs=1e-5)


def test_one_word_a_sentence_has_no_baseline_within_sentences():
    assert SPEC.compute(noisy_sentences()).parts["random_within"] is None
    assert SPEC.compute(noisy_words(words=1)).parts["random_within"] is None
    assert SPEC.compute(noisy_words()).parts["random_within"] is not None


def test_the_top_component_is_its_share_of_variance():
    space = noisy_words()
    variances = np.linalg.eigvalsh(np.cov(space.source.T.astype(float)))
    assert SPEC.compute(space).parts["top_component_source"] == pytest.approx(
        variances.max() / variances.sum(), rel=1e-5
    )


@given(st.integers(0, 999))
@settings(max_examples=20)
def test_a_joint_rotation_and_the_length_of_vectors_change_nothing(seed):
    space = noisy_words(rows=8, seed=seed)
    lengths = np.random.default_rng(seed).uniform(0.1, 10, (2, 32, 1))
    turn = rotation(8, seed)
    turned = with_vectors(space, lengths[0] * space.source @ turn, lengths[1] * space.target @ turn)
    before, after = SPEC.compute(space), SPEC.compute(turned)
    assert after.score == pytest.approx(before.score, abs=1e-5)
    for name in ("aligned", "random_within", "anisotropy_source"):
        assert after.parts[name] == pytest.approx(before.parts[name], abs=1e-5)


@given(st.integers(0, 999))
@settings(max_examples=20)
def test_a_rotation_of_one_side_is_not_ignored(seed):
    space = noisy_words(noise=0.3, seed=seed)
    turned = with_vectors(space, target=space.target @ rotation(8, seed))
    assert SPEC.compute(turned).score < SPEC.compute(space).score - 0.2


def test_a_common_offset_raises_every_cosine_and_lowers_the_margin():
    space = noisy_words()
    offset = np.eye(8, dtype=np.float32)[0] * 5
    plain, shifted = (
        SPEC.compute(space),
        SPEC.compute(with_vectors(space, space.source + offset, space.target + offset)),
    )
    assert shifted.parts["aligned"] > plain.parts["aligned"]
    assert shifted.parts["anisotropy_source"] > 0.7 > plain.parts["anisotropy_source"]
    assert shifted.score < plain.score / 2


def test_a_collapsed_side_has_no_margin():
    space = noisy_words()
    result = SPEC.compute(with_vectors(space, target=np.ones_like(space.target)))
    assert result.score == pytest.approx(0, abs=1e-6)
    assert result.parts["anisotropy_target"] == pytest.approx(1)
    assert result.parts["top_component_target"] is None


def test_one_sentence_has_nothing_to_compare_with():
    result = SPEC.compute(noisy_words(rows=1, words=6))
    assert result.score is None
    assert "needs two sentences" in result.note


def test_replicates_take_copies_of_a_sentence_for_one_sentence():
    space = noisy_words(rows=6, words=2)
    result = SPEC.compute(space, seed=4)
    for k in (0, 300, 700):
        drawn = np.repeat(np.arange(12), resamples(6, 4)[k].astype(int)[space.source_units.sentence])
        expected = by_loops(space.source[drawn], space.target[drawn], space.source_units.sentence[drawn])
        assert result.replicates[k] == pytest.approx(expected["aligned"] - expected["random_cross"], abs=1e-5)


def test_the_width_of_the_interval_is_about_right():
    assert 0.7 < spread_against_width(SPEC.compute, lambda seed: noisy_words(rows=40, noise=1, seed=seed)) < 1.5
