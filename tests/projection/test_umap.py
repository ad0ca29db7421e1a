"""UMAP and AlignedUMAP for real, once, in their own process; importing umap takes seconds."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.projection.faithfulness import knn_kept
from analysis.projection.jobs import wait
from analysis.projection.umap_project import aligned_umap, umap


def clusters():
    """Three groups of vectors in six dimensions, one vector missing."""
    generator = np.random.default_rng(0)
    vectors = np.repeat(np.eye(3, 6), 15, axis=0) + 0.05 * generator.standard_normal((45, 6))
    vectors[4] = 0
    return vectors.astype(np.float32)


def check(points, vectors):
    """A picture of the right shape that keeps groups together and leaves out the missing vector."""
    assert points.shape == (45, 2)
    assert np.flatnonzero(np.isnan(points).any(axis=1)).tolist() == [4]
    assert knn_kept(vectors, points, k=10) > 0.5


@pytest.mark.real
def test_a_shared_map_through_the_subprocess(cache):
    a = clusters()
    arrays, options = {"a": a, "b": a[:, ::-1].copy()}, {"seed": 3, "n_neighbors": 8}
    both = wait({"test": 1}, arrays, options=options, seconds=300)
    check(both.a, a)
    check(both.b, a)
    again = wait({"test": 1}, arrays, options=options, seconds=1)
    assert np.array_equal(again.a, both.a, equal_nan=True)


@pytest.mark.deep
def test_a_map_of_one_encoder_is_the_same_for_the_same_seed():
    a = clusters()
    first = umap(a, seed=3, n_neighbors=8)
    check(first, a)
    assert np.array_equal(first, umap(a, seed=3, n_neighbors=8), equal_nan=True)


@pytest.mark.fast
def test_too_few_and_mismatched_vectors_are_refused_before_umap_is_imported():
    with pytest.raises(InputError, match="UMAP draws 10 to 20,000 vectors, got 3"):
        umap(np.eye(3))
    with pytest.raises(InputError, match="the same units"):
        aligned_umap([np.eye(12), np.eye(11)])
