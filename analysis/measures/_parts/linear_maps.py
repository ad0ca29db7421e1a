"""Linear maps from one language's vectors to another's: least squares and orthogonal Procrustes, in float64."""

from dataclasses import dataclass

import numpy as np

ROWS = ("raw", "centred", "centred_unit")
ROUNDING = 1e-6  # sides that vary less than this share of their size do not vary


@dataclass(frozen=True)
class LinearMap:
    """A map of one language's row vectors into the space where they meet the other's.

    Attributes:
        weight: (dim, dim).
        mean: (dim,) subtracted before the map.
        shift: (dim,) added after it.
        origin: (dim,) subtracted from the other language.
    """

    weight: np.ndarray
    mean: np.ndarray
    shift: np.ndarray
    origin: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """The images of (n, dim) vectors, float64."""
        return (vectors.astype(np.float64) - self.mean) @ self.weight + self.shift

    def meet(self, vectors: np.ndarray) -> np.ndarray:
        """The (n, dim) vectors of the other language where the images are, float64."""
        return vectors.astype(np.float64) - self.origin


def least_squares(x: np.ndarray, y: np.ndarray) -> LinearMap:
    """The affine map of least squares from x to y; with fewer rows than dimensions the one of least norm.

    Solved by the eigenvalues of the smaller Gram matrix; directions that vary less than float32 vectors can tell
    are left out.

    Args:
        x: (n, dim) rows, n at least 1.
        y: (n, dim) their counterparts.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual
    representations, on projection (least squares with intercept).
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    mean, shift = x.mean(axis=0), y.mean(axis=0)
    a, b = x - mean, y - shift
    wide = len(a) < a.shape[1]
    values, axes = np.linalg.eigh(a @ a.T if wide else a.T @ a)
    kept = values > max(a.shape) * np.finfo(np.float64).eps * max(values.max(initial=0), 0)
    axes, values = axes[:, kept], values[kept]
    inverse = (axes / values) @ (axes.T @ (b if wide else a.T @ b))
    return LinearMap(a.T @ inverse if wide else inverse, mean, shift, np.zeros_like(shift))


def procrustes(x: np.ndarray, y: np.ndarray, rows: str = "centred") -> LinearMap:
    """The orthogonal W that minimises the Frobenius norm of `x @ W - y`.

    Args:
        x: (n, dim) rows, n at least 1.
        y: (n, dim) their counterparts.
        rows: `raw`; `centred`, each side less its mean; `centred_unit`, then also every row of length 1. Centred
            sides meet around zero.

    Source: Schönemann 1966, A generalized solution of the orthogonal Procrustes problem; `W = U V'` with
    `U S V' = svd(x' y)`.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    zero = np.zeros(x.shape[1])
    mean, origin = (zero, zero) if rows == "raw" else (x.mean(axis=0), y.mean(axis=0))
    a, b = x - mean, y - origin
    if rows == "centred_unit":
        a, b = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in (a, b))
    left, _, right = np.linalg.svd(a.T @ b)
    return LinearMap(left @ right, mean, zero, origin)


def procrustes_residual(x: np.ndarray, y: np.ndarray) -> float | None:
    """What of two clouds no rotation and one scale can lay on each other, 0 (same shape) to 1.

    Args:
        x: (n, dim) rows.
        y: (n, dim) their counterparts.

    Returns:
        `1 - (sum S)^2 / (|x|^2 |y|^2)` of centred rows, S the singular values of `x' y`; it falls as n does. None
        where a side does not vary.

    Source: Schönemann and Carroll 1970, Fitting one matrix to another under choice of a central dilation and a rigid
    motion (symmetric, normalised measure of fit).
    """
    a, b = (side.astype(np.float64) - side.mean(axis=0, dtype=np.float64) for side in (x, y))
    spread = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if any(left <= ROUNDING * np.linalg.norm(side) for left, side in zip(spread, (x, y), strict=True)):
        return None
    values = np.linalg.svd(a.T @ b, compute_uv=False)
    return max(0.0, float(1 - (values.sum() / (spread[0] * spread[1])) ** 2))
