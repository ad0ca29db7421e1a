"""Trust in pictures, displacement in the space, samples that every language has a share in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.projection.faithfulness import displacement, knn_kept, neighbours_of_units, trustworthiness
from analysis.projection.sample import stratified_sample

pytestmark = pytest.mark.fast


def circle(n=60, seed=0):
    """Unit vectors on a circle: a picture can show them without loss."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def kept_by_loops(vectors, points, k):
    """The share of neighbours kept, unit by unit."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = []
    for n in range(len(vectors)):
        others = [m for m in range(len(vectors)) if m != n]
        near = sorted(others, key=lambda m: -(unit[n] @ unit[m]))[:k]
        seen = sorted(others, key=lambda m: np.linalg.norm(points[n] - points[m]))[:k]
        shares.append(len(set(near) & set(seen)) / k)
    return float(np.mean(shares))


def test_a_perfect_picture_is_trusted():
    vectors = circle()
    assert trustworthiness(vectors, vectors) == pytest.approx(1)
    assert knn_kept(vectors, vectors) == pytest.approx(1)


def test_kept_neighbours_equal_loops():
    generator = np.random.default_rng(0)
    vectors, points = generator.standard_normal((40, 5)), generator.standard_normal((40, 2))
    assert knn_kept(vectors, points, k=6) == pytest.approx(kept_by_loops(vectors, points, 6))
    assert knn_kept(vectors, points, k=6) < 0.4
    assert trustworthiness(vectors, points, k=6) < 0.8


def test_trustworthiness_samples_large_input_the_same_way_each_time():
    generator = np.random.default_rng(0)
    vectors, points = generator.standard_normal((200, 5)), generator.standard_normal((200, 2))
    sampled = trustworthiness(vectors, points, limit=50)
    assert sampled == trustworthiness(vectors, points, limit=50)
    assert sampled != trustworthiness(vectors, points)


def test_units_without_a_vector_do_not_count_and_few_units_have_no_number():
    vectors = circle()
    points = vectors.copy()
    vectors[0], points[1] = 0, np.nan
    assert trustworthiness(vectors, points) == pytest.approx(1)
    assert knn_kept(vectors, points) == pytest.approx(1)
    assert trustworthiness(vectors[2:5], points[2:5]) is None
    assert knn_kept(vectors[2:4], points[2:4]) is None


def test_neighbours_never_hold_the_unit_itself_even_among_twins():
    twins = np.tile([[1.0, 2.0]], (30, 1))
    found = neighbours_of_units(twins, 4)
    assert found.shape == (30, 4)
    assert not (found == np.arange(30)[:, None]).any()


def test_an_unmoved_encoder_is_unmoved_whatever_its_rotation_scale_and_width():
    a = np.random.default_rng(0).standard_normal((50, 6))
    turned = np.hstack([2 * a, np.zeros((50, 3))]) @ np.linalg.qr(np.random.default_rng(1).standard_normal((9, 9)))[0]
    moved = displacement(a, turned)
    assert np.allclose(moved.kept, 1)
    assert np.allclose(moved.jaccard, 1)
    assert np.allclose(moved.shift, 0, atol=1e-5)
    assert np.allclose(moved.approach, 0, atol=1e-5)


def test_the_unit_that_moved_stands_out():
    generator = np.random.default_rng(0)
    centres = np.repeat(np.eye(4), 12, axis=0)
    a = centres + 0.05 * generator.standard_normal(centres.shape)
    b = a.copy()
    b[5] = a[40]
    moved = displacement(a, b, k=5)
    assert moved.shift.argmax() == 5
    assert moved.kept[5] == 0
    assert moved.jaccard[5] == 0
    assert np.delete(moved.kept, 5).mean() > 0.9


def test_displacement_equals_its_definition_for_one_unit():
    generator = np.random.default_rng(0)
    a, b = generator.standard_normal((2, 12, 4))
    moved = displacement(a, b, k=3)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    distance = [1 - x @ x.T for x in unit]
    mean = [d[~np.eye(12, dtype=bool)].mean() for d in distance]
    near = [set(np.argsort(np.where(np.arange(12) == 0, 9, d[0]))[:3].tolist()) for d in distance]
    change = [distance[1][0, m] / mean[1] - distance[0][0, m] / mean[0] for m in near[0] | near[1]]
    assert moved.kept[0] == pytest.approx(len(near[0] & near[1]) / 3)
    assert moved.jaccard[0] == pytest.approx(len(near[0] & near[1]) / len(near[0] | near[1]))
    assert moved.shift[0] == pytest.approx(np.mean(np.abs(change)), abs=1e-5)
    assert moved.approach[0] == pytest.approx(np.mean(change), abs=1e-5)


def test_displacement_of_missing_units_is_nan_and_of_different_units_an_error():
    a, b = np.random.default_rng(0).standard_normal((2, 9, 4))
    a[2] = 0
    moved = displacement(a, b, k=3)
    assert np.flatnonzero(np.isnan(moved.kept)).tolist() == [2]
    assert np.isnan(displacement(a[:1], b[:1]).kept).all()
    with pytest.raises(InputError, match="the same units"):
        displacement(a, b[:-1])


def test_languages_share_a_sample_evenly():
    languages = ["en"] * 100 + ["de"] * 50 + ["eo"] * 3
    chosen = stratified_sample(languages, 23, seed=1)
    tags = [languages[n] for n in chosen]
    assert [tags.count(tag) for tag in ("en", "de", "eo")] == [10, 10, 3]
    assert np.array_equal(chosen, stratified_sample(languages, 23, seed=1))
    assert not np.array_equal(chosen, stratified_sample(languages, 23, seed=2))


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(0, 70))
def test_a_sample_has_its_size_and_no_language_is_ahead_without_need(languages, limit):
    chosen = stratified_sample(languages, limit)
    assert len(chosen) == len(set(chosen.tolist())) == min(limit, len(languages))
    assert (np.diff(chosen) > 0).all()
    taken = {tag: sum(languages[n] == tag for n in chosen) for tag in set(languages)}
    for tag, count in taken.items():
        if count < languages.count(tag):
            assert count >= max(taken.values()) - 1
