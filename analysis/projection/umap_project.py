"""UMAP of one set of vectors, and AlignedUMAP of two over the same units.

Importing umap alone takes seconds, so pages ask for these through `jobs.request`, never directly.
"""

import warnings
from collections.abc import Sequence

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.rows import has_direction

FEWEST = 10
MOST = 20_000  # points a side; about 1 GB, and minutes of waiting


def umap(
    vectors: np.ndarray, *, seed: int = 0, n_neighbors: int = 15, min_dist: float = 0.1, metric: str = "cosine"
) -> np.ndarray:
    """Project vectors by UMAP.

    Args:
        vectors: (n, dim) vectors.
        seed: the same seed gives the same picture.
        n_neighbors: small values show detail, large ones the whole; lowered where there are fewer vectors.
        min_dist: how close points may stand.
        metric: distance in the space.

    Returns:
        (n, 2) float64; NaN for a row without a direction. Axes have no meaning.

    Raises:
        InputError: fewer than 10 or more than 20,000 usable vectors.

    Source: McInnes, Healy and Melville 2018, UMAP.
    """
    rows = has_direction(vectors)
    _check(int(rows.sum()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed seed means one thread; umap says so every time
        from umap import UMAP

        neighbours = min(n_neighbors, int(rows.sum()) - 1)
        model = UMAP(n_neighbors=neighbours, min_dist=min_dist, metric=metric, random_state=seed)
        return _place(model.fit_transform(vectors[rows]), rows)


def aligned_umap(
    sets: Sequence[np.ndarray],
    *,
    seed: int = 0,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    metric: str = "cosine",
) -> list[np.ndarray]:
    """Project the same units in several encoders into one frame, where a point's move means something.

    Args:
        sets: for each encoder (n, dim) vectors of the same units in the same order; widths may differ.
        seed: the same seed gives the same picture.
        n_neighbors: size of the neighbourhood.
        min_dist: how close points may stand.
        metric: distance in the space.

    Returns:
        For each encoder (n, 2) float64; NaN for a unit without a direction in one of the encoders.

    Raises:
        InputError: different numbers of units, fewer than two encoders, fewer than 10 or more than 20,000
            usable units.

    Source: McInnes, Healy and Melville 2018, UMAP; AlignedUMAP of the umap-learn package.
    """
    if len(sets) < 2 or len({len(vectors) for vectors in sets}) > 1:
        sizes = ", ".join(str(len(vectors)) for vectors in sets)
        raise InputError(f"a shared picture needs the same units in at least two encoders; got {sizes or 'none'}")
    rows = np.logical_and.reduce([has_direction(vectors) for vectors in sets])
    n = int(rows.sum())
    _check(n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import AlignedUMAP

        same = {unit: unit for unit in range(n)}
        model = AlignedUMAP(n_neighbors=min(n_neighbors, n - 1), min_dist=min_dist, metric=metric, random_state=seed)
        placed = model.fit([vectors[rows] for vectors in sets], relations=[same] * (len(sets) - 1)).embeddings_
        return [_place(points, rows) for points in placed]


def _check(usable: int) -> None:
    """Raise unless UMAP can draw that many vectors in bearable time and memory."""
    if not FEWEST <= usable <= MOST:
        raise InputError(f"UMAP draws {FEWEST} to {MOST:,} vectors, got {usable:,}; use PCA or a sample")


def _place(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Points back at the positions of their units, NaN elsewhere."""
    placed = np.full((len(rows), 2), np.nan)
    placed[rows] = points
    return placed
