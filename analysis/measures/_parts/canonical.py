"""Canonical correlations of two sets of vectors of the same items, and how much each of them weighs."""

from dataclasses import dataclass

import numpy as np

from analysis.measures._parts.hsic import centre
from analysis.scoring.samples import ROUNDING


@dataclass(frozen=True)
class Side:
    """One set of vectors along its principal components, each scaled to variance 1.

    Attributes:
        scores: (n, kept) coordinates; columns have mean 0 and mean square 1 and are uncorrelated.
        back: (kept, dim) matrix that turns them into the centred vectors (without the components left out).
        dim: number of components with variance, before any were left out.
    """

    scores: np.ndarray
    back: np.ndarray
    dim: int

    @property
    def kept(self) -> int:
        """Number of components kept."""
        return len(self.back)


@dataclass(frozen=True)
class Canonical:
    """Canonical correlations, descending, and the weight of each for the vectors of either side.

    Attributes:
        correlations: (k,) from 0 to 1, k the smaller number of components.
        weights_x: (k,) how much of the vectors of x lies along each canonical variate of x, summing to 1.
        weights_y: (k,) the same for y.
    """

    correlations: np.ndarray
    weights_x: np.ndarray
    weights_y: np.ndarray

    @property
    def mean(self) -> float:
        """Mean canonical correlation (Raghu et al. 2017, section 2)."""
        return float(self.correlations.mean())

    @property
    def projection_weighted(self) -> float:
        """Mean weighted by how much each direction carries, of both sides (Morcos et al. 2018, section 2.1)."""
        return float(((self.weights_x + self.weights_y) / 2) @ self.correlations)


def principal_side(vectors: np.ndarray, *, variance: float = 1.0, most: int | None = None) -> Side:
    """The principal components of (n, dim) vectors that carry a share of their variance.

    Args:
        vectors: (n, dim) vectors, not all the same.
        variance: share of the variance to keep, 0 to 1; 1 keeps every component with variance.
        most: never keep more components than this.
    """
    rows = centre(vectors)
    left, sizes, right = np.linalg.svd(rows, full_matrices=False)
    dim = int((sizes > ROUNDING * sizes[0]).sum())
    shares = np.cumsum(sizes[:dim] ** 2) / np.sum(sizes[:dim] ** 2)
    kept = dim if variance >= 1 else min(dim, 1 + int(np.searchsorted(shares, variance - 1e-12)))
    kept = kept if most is None else max(1, min(kept, most))
    root = np.sqrt(len(rows))
    return Side(left[:, :kept] * root, sizes[:kept, None] / root * right[:kept], dim)


def canonical(x: Side, y: Side, chosen: np.ndarray | None = None) -> Canonical | None:
    """Canonical correlation analysis of two sides, of all items or of some.

    The canonical variates of either side are the rotation of its whitened components that lines both sides up best.

    Args:
        x: one side.
        y: the other side, the same items in the same order.
        chosen: (n,) bool, the items to use; all of them if None.

    Returns:
        The correlations and weights; None where there are too few items to tell the components apart.

    Source: Björck and Golub 1973, Numerical methods for computing angles between linear subspaces, theorem 1.
    """
    a, b = (side.scores if chosen is None else side.scores[chosen] for side in (x, y))
    if len(a) <= max(x.kept, y.kept):
        return None
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    try:
        root_x, root_y = np.linalg.cholesky(a.T @ a), np.linalg.cholesky(b.T @ b)
        cross = np.linalg.solve(root_y, np.linalg.solve(root_x, a.T @ b).T).T
        turn_x, values, turn_y = np.linalg.svd(cross, full_matrices=False)
    except np.linalg.LinAlgError:
        return None
    weights = (_weights(turn_x.T @ root_x.T @ x.back), _weights(turn_y @ root_y.T @ y.back))
    return Canonical(np.clip(values, 0, 1), *weights)


def _weights(projections: np.ndarray) -> np.ndarray:
    """Weight of each variate from its inner products (k, dim) with the neurons: their absolute sum, normalised."""
    sizes = np.abs(projections).sum(axis=1)
    return sizes / sizes.sum()
