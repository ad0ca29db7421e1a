"""How far a picture can be trusted, and how far units moved in the space that the picture flattens."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.exact import nearest
from analysis.neighbours.rows import has_direction, normalise_rows, row_products


@dataclass(frozen=True)
class Displacement:
    """How far each unit moved between two encoders, relative to its neighbours, in the encoders' own spaces.

    Attributes:
        kept: (n,) share of A's k nearest neighbours that are among B's, 0 to 1.
        jaccard: (n,) neighbours in both over neighbours in either, 0 to 1.
        shift: (n,) mean absolute change of the unit's cosine distance to those neighbours, each distance
            counted in units of its encoder's mean distance between units; 0 for an unmoved unit.
        approach: (n,) the same with its sign: negative where the unit came closer to them.

    NaN for a unit without a vector in one of the encoders.
    """

    kept: np.ndarray
    jaccard: np.ndarray
    shift: np.ndarray
    approach: np.ndarray


def trustworthiness(
    vectors: np.ndarray, points: np.ndarray, *, k: int = 10, limit: int = 3000, seed: int = 0
) -> float | None:
    """Whether neighbours in the picture are neighbours in the space, by cosine.

    Args:
        vectors: (n, dim) vectors.
        points: (n, 2) their places in the picture.
        k: size of the neighbourhood, lowered where there are fewer than 2 k units.
        limit: more units than this are sampled, since the cost is quadratic.
        seed: seed of the sample.

    Returns:
        0 to 1, 1 for a picture that makes up no neighbour; None for fewer than 4 units with a vector.

    Source: Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods.
    """
    from sklearn.manifold import trustworthiness as compute

    rows = np.flatnonzero(has_direction(vectors) & np.isfinite(points).all(axis=1))
    if len(rows) > limit:
        rows = np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))
    k = min(k, (len(rows) - 1) // 2)
    if len(rows) < 4:
        return None
    return float(compute(normalise_rows(vectors[rows]), points[rows], n_neighbors=k, metric="cosine"))


def knn_kept(vectors: np.ndarray, points: np.ndarray, *, k: int = 10) -> float | None:
    """The share of each unit's k nearest neighbours in the space that are so in the picture too.

    Args:
        vectors: (n, dim) vectors, compared by cosine.
        points: (n, 2) their places in the picture, compared by distance.
        k: size of the neighbourhood, lowered where there are fewer units.

    Returns:
        Mean share, 0 to 1; None for fewer than 3 units with a vector.
    """
    rows = has_direction(vectors) & np.isfinite(points).all(axis=1)
    k = min(k, int(rows.sum()) - 1)
    if rows.sum() < 3:
        return None
    space, picture = neighbours_of_units(vectors[rows], k), _near_points(points[rows], k)
    return float(_overlap(space, picture).mean() / k)


def displacement(a: np.ndarray, b: np.ndarray, *, k: int = 10) -> Displacement:
    """How far each unit moved relative to its neighbours between two encoders.

    Nothing is compared across the encoders but ranks and relative distances, so their widths may differ and
    no frame or rotation matters.

    Args:
        a: (n, dim_a) vectors.
        b: (n, dim_b) vectors of the same units.
        k: size of the neighbourhood, lowered where there are fewer units.

    Raises:
        InputError: A and B count different units.
    """
    if len(a) != len(b):
        raise InputError(f"displacement compares the same units; A has {len(a)} and B {len(b)}")
    rows = np.flatnonzero(has_direction(a) & has_direction(b))
    k = min(k, len(rows) - 1)
    columns = np.full((4, len(a)), np.nan)
    if k >= 1:
        left, right = normalise_rows(a[rows]), normalise_rows(b[rows])
        near_a, near_b = neighbours_of_units(left, k), neighbours_of_units(right, k)
        shared = _overlap(near_a, near_b)
        change = _distances(right, near_a, near_b) - _distances(left, near_a, near_b)
        # A neighbour in both encoders stands in both halves of `change`; it counts once.
        weight = np.ones(change.shape)
        weight[:, k:] = ~(near_b[:, :, None] == near_a[:, None, :]).any(axis=2)
        mean = lambda values: (values * weight).sum(axis=1) / weight.sum(axis=1)  # noqa: E731
        columns[:, rows] = shared / k, shared / (2 * k - shared), mean(np.abs(change)), mean(change)
    return Displacement(*columns)


def neighbours_of_units(vectors: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other units of each unit by cosine: (n, k) indices; every row needs a direction."""
    found = nearest(vectors, vectors, k=k + 1).indices
    return _without_self(found, k)


def _without_self(found: np.ndarray, k: int) -> np.ndarray:
    """The first k of each row that are not the row's own number, in order."""
    other = found != np.arange(len(found))[:, None]
    # A unit with many twins may not be in its own list: then the last one drops out.
    other[:, -1] &= ~other.all(axis=1)
    return found[other].reshape(-1, k)


def _near_points(points: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other points of each point of the picture: (n, k) indices."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points, return_distance=False)
    return _without_self(found, k)


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many numbers two (n, k) tables share in each row."""
    return (a[:, :, None] == b[:, None, :]).any(axis=2).sum(axis=1)


def _distances(unit_rows: np.ndarray, near_a: np.ndarray, near_b: np.ndarray) -> np.ndarray:
    """Cosine distance of each unit to its neighbours in A and in B, over the mean distance of all pairs: (n, 2 k)."""
    others = np.concatenate([near_a, near_b], axis=1)
    n, count = others.shape
    cosines = np.stack([row_products(unit_rows, unit_rows[others[:, place]]) for place in range(count)], axis=1)
    total = np.square(unit_rows.sum(axis=0, dtype=np.float64)).sum() - n
    mean = 1 - total / (n * (n - 1))
    return (1 - cosines.astype(np.float64)) / (mean if mean > 1e-12 else 1.0)
