"""PCA of one or two encoders in one frame, so that a unit's move from A to B can be read off the picture."""

from dataclasses import dataclass

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.rows import has_direction, normalise_rows

KEPT = 50


@dataclass(frozen=True)
class Frame:
    """Two-dimensional coordinates of the same units in one or two encoders.

    Attributes:
        a: (n, 2) float64; NaN for a unit without a vector.
        b: (n, 2) of the same units in the second encoder, or None.
        explained_a: share of A's variance that the picture shows, 0 to 1.
        explained_b: the same for B, or None.
        joint: whether A and B were fitted together (their coordinates are the same directions), rather than
            each alone and B turned onto A.
        scale: what B was multiplied by to have A's spread.
    """

    a: np.ndarray
    b: np.ndarray | None
    explained_a: float
    explained_b: float | None
    joint: bool = False
    scale: float = 1.0


def shared_pca(a: np.ndarray, b: np.ndarray | None = None, *, joint: bool | None = None) -> Frame:
    """Project one encoder, or two over the same units, onto two shared axes.

    Rows are scaled to length 1 first, so that distances follow cosines, and each side is centred, so that a
    shift of the whole cloud, which no neighbour sees, does not fill the picture. B is scaled to A's spread, so
    that a line joining two units is short or long against the whole cloud. Then

    - joint: one PCA of both sides on top of each other. Right for a base encoder and one aligned from it, whose
      dimensions mean the same: a unit moves in the picture because its vector moved.
    - not joint: a PCA of each (at most 50 axes), B turned onto A by the orthogonal map
      that fits best over the same units (Procrustes), then A's first two axes. Right for encoders of different
      width or origin: what is left of a move is what no rotation explains.

    Args:
        a: (n, dim_a) vectors.
        b: (n, dim_b) vectors of the same units in the same order, or None.
        joint: None means joint where the widths agree; pass False for two unrelated encoders of one width.

    Returns:
        The frame. Signs are fixed (the largest loading of an axis is positive), so equal input gives an equal
        picture.

    Raises:
        InputError: A and B count different units, or joint for different widths.
    """
    if b is None:
        rows = has_direction(a)
        x = _centred(a, rows)
        axes = _axes(x, 2)
        return Frame(_place(x @ axes, rows), None, _share(x, x @ axes), None)
    if len(a) != len(b):
        raise InputError(f"a frame is shared over the same units; A has {len(a)} and B {len(b)}")
    if joint and a.shape[1] != b.shape[1]:
        raise InputError(f"a joint frame needs one width; A has {a.shape[1]} and B {b.shape[1]}; pass joint=False")
    together = a.shape[1] == b.shape[1] if joint is None else joint
    rows = has_direction(a) & has_direction(b)
    x, y = _centred(a, rows), _centred(b, rows)
    spread_x, spread_y = np.linalg.norm(x), np.linalg.norm(y)
    scale = float(spread_x / spread_y) if spread_x > 0 and spread_y > 0 else 1.0
    y = scale * y
    if together:
        axes = _axes(np.concatenate([x, y]), 2)
        flat_x, flat_y = x @ axes, y @ axes
    else:
        flat_x, flat_y = _turned(x, y)
    return Frame(_place(flat_x, rows), _place(flat_y, rows), _share(x, flat_x), _share(y, flat_y), together, scale)


def _turned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sides on A's first two axes, B turned onto A."""
    kept = max(2, min(KEPT, x.shape[1], y.shape[1], len(x)))
    lower_x, lower_y = x @ _axes(x, kept), y @ _axes(y, kept)
    u, _, vt = np.linalg.svd(lower_y.T @ lower_x)
    return lower_x[:, :2], (lower_y @ u @ vt)[:, :2]


def _axes(x: np.ndarray, count: int) -> np.ndarray:
    """The (dim, count) directions of greatest variance of centred rows; zeros where there are fewer."""
    axes = np.zeros((x.shape[1], count))
    _, vectors = np.linalg.eigh(x.T @ x)
    found = vectors[:, ::-1][:, :count]
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])] if len(found) else np.empty(0)
    axes[:, : found.shape[1]] = found * np.where(largest < 0, -1, 1)
    return axes


def _centred(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The chosen rows, of length 1, minus their mean, float64."""
    unit = normalise_rows(vectors[rows]).astype(np.float64)
    return unit - unit.mean(axis=0) if len(unit) else unit


def _place(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Points back at the positions of their units, NaN elsewhere."""
    placed = np.full((len(rows), 2), np.nan)
    placed[rows] = points
    return placed


def _share(x: np.ndarray, flat: np.ndarray) -> float:
    """The share of variance that is left in the picture; 0 where there is none."""
    total = float(np.square(x).sum())
    return float(np.square(flat).sum() / total) if total > 0 else 0.0
