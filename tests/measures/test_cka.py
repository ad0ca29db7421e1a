"""CKA against definitions in loops, its invariances, and the interval from halves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures._parts.hsic import Estimator, cka_matrix, linear_cka
from analysis.measures.cka import SPEC, CkaSettings
from analysis.records import compare
from analysis.scoring.resampled import half_samples
from tests.measures.spaces import bitext, noisy_words, sentence_space, word_space

pytestmark = pytest.mark.fast


def hsic1_by_loops(k, l):  # noqa: E741
    """The unbiased estimator as a sum over index tuples without repetition, one loop for each index."""
    n = len(k)
    pairs = triples = quads = 0.0
    for i in range(n):
        for j in range(n):
            if j == i:
                continue
            pairs += k[i, j] * l[i, j]
            for q in range(n):
                if q in (i, j):
                    continue
                triples += k[i, j] * l[i, q]
                for r in range(n):
                    if r not in (i, j, q):
                        quads += k[i, j] * l[q, r]
    return pairs / (n * (n - 1)) + quads / (n * (n - 1) * (n - 2) * (n - 3)) - 2 * triples / (n * (n - 1) * (n - 2))


def pair(n, dim_x, dim_y, noise=1.0, seed=0):
    """Two related representations of n items."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, dim_x)) + 2
    mixed = x @ generator.standard_normal((dim_x, dim_y))
    return x, mixed + noise * generator.standard_normal((n, dim_y))


@pytest.mark.parametrize(("n", "dims"), [(4, (2, 3)), (7, (3, 3)), (8, (30, 20))])
def test_debiased_cka_equals_loops_over_distinct_indices(n, dims):
    x, y = pair(n, *dims)
    k, l = x @ x.T, y @ y.T  # noqa: E741
    own = hsic1_by_loops(k, k) * hsic1_by_loops(l, l)
    expected = hsic1_by_loops(k, l) / np.sqrt(own)
    assert linear_cka(x, y) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("n", "dims"), [(50, (3, 4)), (9, (40, 30))])
def test_plain_cka_equals_its_formula(n, dims):
    x, y = (v - v.mean(0) for v in pair(n, *dims))
    expected = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert linear_cka(x, y, estimator="plain") == pytest.approx(expected, rel=1e-10)


@given(st.integers(0, 999), st.sampled_from(list(Estimator)), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_rotation_scale_shift_and_order_change_nothing(seed, estimator, scale):
    x, y = pair(12, 5, 6, seed=seed)
    generator = np.random.default_rng(seed)
    turn = np.linalg.qr(generator.standard_normal((5, 5)))[0]
    order = generator.permutation(12)
    before = linear_cka(x, y, estimator=estimator)
    assert linear_cka(scale * x @ turn + 3, y, estimator=estimator) == pytest.approx(before, rel=1e-6, abs=1e-9)
    assert linear_cka(x[order], y[order], estimator=estimator) == pytest.approx(before, rel=1e-9)
    assert linear_cka(y, x, estimator=estimator) == pytest.approx(before, rel=1e-9)
    assert linear_cka(x, scale * x @ turn, estimator=estimator) == pytest.approx(1)


def test_the_debiased_estimator_is_near_zero_for_unrelated_vectors_and_not_clipped():
    values = [
        linear_cka(*np.random.default_rng(seed).standard_normal((2, 20, 30)), estimator="debiased")
        for seed in range(200)
    ]
    assert abs(np.mean(values)) < 0.02
    assert min(values) < 0
    plain = linear_cka(*np.random.default_rng(0).standard_normal((2, 20, 30)), estimator="plain")
    assert plain > 0.4


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_too_few_items_are_nan(n):
    assert np.isnan(linear_cka(np.ones((n, 2)), np.ones((n, 2))))


def test_vectors_that_do_not_vary_are_nan():
    assert np.isnan(linear_cka(np.ones((9, 2)), np.random.default_rng(0).random((9, 2))))
    assert np.isnan(linear_cka(np.ones((9, 2)), np.ones((9, 2)), estimator="plain"))


@pytest.mark.parametrize("estimator", list(Estimator))
def test_the_matrix_holds_each_pair_of_layers_whatever_their_widths(estimator):
    generator = np.random.default_rng(0)
    a = [generator.standard_normal((300, 6)) for _ in range(3)]
    b = [a[0] @ generator.standard_normal((6, 900)), generator.standard_normal((300, 4))]
    matrix = cka_matrix(a, b, estimator=estimator)
    expected = [[linear_cka(x, y, estimator=estimator) for y in b] for x in a]
    assert matrix.shape == (3, 2)
    assert np.allclose(matrix, expected, atol=1e-10)
    with pytest.raises(InputError, match="the same items"):
        cka_matrix(a, [b[0][:5]])


def test_the_measure_is_cka_of_linked_words():
    space = noisy_words()
    result = SPEC.compute(space)
    assert result.score == pytest.approx(linear_cka(space.source, space.target))
    assert result.parts["plain"] == pytest.approx(linear_cka(space.source, space.target, estimator="plain"))
    assert (result.n, result.parts["n"], result.clusters) == (80, 80, 20)
    assert result.unit == "[-1, 1]"
    assert abs(result.parts["shuffled"]) < 0.15
    assert result.low < result.score < result.high
    plain = SPEC.compute(space, CkaSettings(estimator="plain"))
    assert plain.score == result.parts["plain"]
    assert plain.parts["shuffled"] > result.parts["shuffled"]
    assert plain.low < plain.score < plain.high


@pytest.mark.parametrize("estimator", list(Estimator))
def test_replicates_are_cka_of_halves_moved_onto_the_estimate(estimator):
    space = noisy_words(rows=12)
    result = SPEC.compute(space, CkaSettings(estimator=str(estimator)), seed=5)
    direct = []
    for half in half_samples(12, 5):
        items = half[space.source_units.sentence]
        direct.append(linear_cka(space.source[items], space.target[items], estimator=estimator))
    assert np.allclose(result.replicates, result.score + np.array(direct) - np.mean(direct), atol=1e-8)
    assert result.replicates.mean() == pytest.approx(result.score)


def test_the_width_of_the_interval_is_about_right():
    # Standard deviation over fresh data against the mean half-width of intervals / 1.96.
    results = [SPEC.compute(noisy_words(rows=40, noise=1, seed=seed)) for seed in range(40)]
    spread = np.std([result.score for result in results])
    width = np.mean([(result.high - result.low) / (2 * 1.96) for result in results])
    assert 0.7 < width / spread < 1.5


def test_halves_are_halves_and_paired():
    halves = half_samples(11, 3)
    assert (halves.sum(axis=1) == 5).all()
    assert np.array_equal(halves, half_samples.__wrapped__(11, 3))
    assert not np.array_equal(halves, half_samples(11, 4))
    a, b = SPEC.compute(noisy_words(noise=1.5)), SPEC.compute(noisy_words(noise=0.2))
    assert compare(a, replace(b, provenance=a.provenance)).significant


def test_many_pairs_are_sampled_by_sentence_and_the_same_for_every_encoder():
    spaces = noisy_words(noise=0.5), noisy_words(noise=1.5)
    a, b = (SPEC.compute(space, CkaSettings(max_pairs=30), seed=2) for space in spaces)
    assert a.n == 28  # seven sentences of four words
    assert a.items["row"] == b.items["row"]
    assert set(np.bincount(a.items["row"]).tolist()) == {0, 4}
    assert "a sample of 28 of 80 pairs" in a.note
    assert SPEC.compute(spaces[0], CkaSettings(max_pairs=30), seed=3).items["row"] != a.items["row"]


def test_sentences_are_compared_where_there_are_no_links():
    generator = np.random.default_rng(0)
    text = bitext([f"s {n}" for n in range(9)], [f"t {n}" for n in range(9)])
    x, y = generator.standard_normal((2, 9, 4))
    assert SPEC.unit_for(text) is Unit.SENTENCE
    result = SPEC.compute(sentence_space(text, x, y))
    assert result.score == pytest.approx(linear_cka(x, y), abs=1e-6)
    with pytest.raises(InputError, match="without links cka compares sentence vectors"):
        SPEC.compute(replace(noisy_words(), links=None))


@pytest.mark.parametrize("rows", [1, 3])
def test_fewer_than_four_pairs_have_no_score(rows):
    result = SPEC.compute(noisy_words(rows=rows, words=1))
    assert result.score is None
    assert f"needs at least 4 pairs, got {rows}" in result.note


def test_constant_vectors_and_missing_vectors_are_notes():
    space = noisy_words()
    assert "does not vary" in SPEC.compute(replace(space, source=np.ones_like(space.source))).note
    source = space.source.copy()
    source[:5] = np.nan
    result = SPEC.compute(replace(space, source=source))
    assert result.n == 75
    assert "5 of 80 pairs have no vector" in result.note
    assert np.isfinite(result.score)


def test_one_sentence_has_a_score_and_no_interval():
    text = noisy_words(rows=1, words=9)
    result = SPEC.compute(text)
    assert result.score is not None
    assert (result.low, result.high) == (None, None)
    assert "too few sentences for an interval" in result.note


def test_a_word_space_with_links_needs_no_sentences():
    text = bitext(["a b"], ["A B"], None)
    with pytest.raises(InputError, match="no word links"):
        SPEC.compute(word_space(text, np.eye(2), np.eye(2)))
