"""Linear CKA: how alike two sets of vectors of the same items are, up to rotation and one scale.

With column-centred X and Y, K = XX' and L = YY', everything needed is tr(KL) = ||X'Y||^2 and the diagonals of
K and L, because the rows of K and L sum to zero. All sums are float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.errors import InputError

MINIMUM = 4
BLOCK = 256


class Estimator(StrEnum):
    """How HSIC is estimated from n items."""

    PLAIN = "plain"
    DEBIASED = "debiased"


@dataclass(frozen=True)
class Gram:
    """Sums over two Gram matrices K and L of n items; each number or an array of one shape.

    Attributes:
        trace: sum of K * L over all cells.
        cross: sum over items of (row sum of K) * (row sum of L).
        total_k, total_l: sum of all cells.
        n: number of items.
    """

    trace: np.ndarray | float
    cross: np.ndarray | float
    total_k: np.ndarray | float
    total_l: np.ndarray | float
    n: np.ndarray | float


def hsic(gram: Gram, estimator: Estimator) -> np.ndarray:
    """HSIC up to a factor that CKA cancels.

    Args:
        gram: sums over the full matrices (`plain`) or over those with a zero diagonal (`debiased`).
        estimator: `plain` is the biased HSIC0 of centred matrices, `debiased` the unbiased HSIC1.

    Returns:
        HSIC in the shape of the sums; NaN for fewer than 2 (`plain`) or 4 (`debiased`) items.

    Source: Song et al. 2012, Feature selection via dependence maximization, equation 5 (HSIC1).
    """
    n = np.asarray(gram.n, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        if estimator is Estimator.PLAIN:
            value = gram.trace + gram.total_k * gram.total_l / n**2 - 2 * gram.cross / n
            return np.where(n >= 2, value, np.nan)
        totals = gram.total_k * gram.total_l / ((n - 1) * (n - 2))
        value = (gram.trace + totals - 2 * gram.cross / (n - 2)) / (n * (n - 3))
    return np.where(n >= MINIMUM, value, np.nan)


def centre(vectors: np.ndarray) -> np.ndarray:
    """Vectors with columns of mean 0, float64; a copy."""
    vectors = np.asarray(vectors, dtype=np.float64)
    return vectors - vectors.mean(axis=0) if len(vectors) else vectors.copy()


def linear_cka(x: np.ndarray, y: np.ndarray, *, estimator: Estimator | str = Estimator.DEBIASED) -> float:
    """Linear CKA of two representations of the same n items.

    Args:
        x: (n, dim_x) vectors.
        y: (n, dim_y) vectors of the same items in the same order.
        estimator: `plain` grows with dim / n, so it is never to be compared at different n; `debiased` does
            not, and may be a little below zero.

    Returns:
        CKA, 1 for equal up to rotation and scale; NaN where there are too few items (`debiased` needs 4) or
        one side does not vary.

    Raises:
        InputError: different numbers of items.

    Source: Kornblith et al. 2019, Similarity of neural network representations revisited, section 3.
    """
    return float(cka_matrix([x], [y], estimator=estimator)[0, 0])


def cka_matrix(
    layers_a: Sequence[np.ndarray] | np.ndarray,
    layers_b: Sequence[np.ndarray] | np.ndarray,
    *,
    estimator: Estimator | str = Estimator.DEBIASED,
) -> np.ndarray:
    """Linear CKA of every layer of one encoder with every layer of another, over the same items.

    Args:
        layers_a: for each layer (n, dim) vectors; depth and width may differ between the two encoders.
        layers_b: the same items in the same order.
        estimator: `plain` or `debiased`.

    Returns:
        (layers_a, layers_b) float64; NaN where CKA is not defined.

    Raises:
        InputError: layers with different numbers of items.
    """
    estimator = Estimator(estimator)
    a, b = [centre(layer) for layer in layers_a], [centre(layer) for layer in layers_b]
    counts = {len(layer) for layer in (*a, *b)}
    if len(counts) != 1:
        raise InputError(f"CKA compares the same items; got layers with {sorted(counts)} items")
    diagonals_a, diagonals_b = _diagonals(a), _diagonals(b)
    both = _from_products(cross_products(a, b), diagonals_a[:, None], diagonals_b[None, :], estimator)
    own_a, own_b = (
        np.array([_from_products(_own_product(layer), diagonal, diagonal, estimator) for layer, diagonal in own])
        for own in (zip(a, diagonals_a, strict=True), zip(b, diagonals_b, strict=True))
    )
    return ratio(both, own_a[:, None], own_b[None, :])


def cka_with_floor(
    x: np.ndarray, y: np.ndarray, *, shuffles: int = 5, seed: int = 0
) -> dict[Estimator, tuple[float, float]]:
    """CKA by both estimators, each with the mean over random pairings of the same vectors.

    Args:
        x: (n, dim_x) vectors.
        y: (n, dim_y) vectors of the same items in the same order.
        shuffles: number of random pairings.
        seed: seed of the pairings.

    Returns:
        For each estimator the CKA and its floor at this n; NaN where CKA is not defined.
    """
    x, y = centre(x), centre(y)
    generator = np.random.default_rng(seed)
    orders = [np.arange(len(y)), *(generator.permutation(len(y)) for _ in range(shuffles))]
    products = np.array([cross_products([x], [y[order]])[0, 0] for order in orders])
    (diagonal_x,), (diagonal_y,) = _diagonals([x]), _diagonals([y])
    diagonals = np.stack([diagonal_y[order] for order in orders])
    own_x, own_y = _own_product(x), _own_product(y)
    found = {}
    for estimator in Estimator:
        values = ratio(
            _from_products(products, diagonal_x, diagonals, estimator),
            _from_products(own_x, diagonal_x, diagonal_x, estimator),
            _from_products(own_y, diagonal_y, diagonal_y, estimator),
        )
        found[estimator] = (float(values[0]), float(np.mean(values[1:])))
    return found


def ratio(both: np.ndarray, own_a: np.ndarray, own_b: np.ndarray) -> np.ndarray:
    """CKA from HSIC(a, b), HSIC(a, a) and HSIC(b, b); NaN where one side does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((own_a > 0) & (own_b > 0), both / np.sqrt(own_a * own_b), np.nan)


def cross_products(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
    """||X'Y||^2 for every X of `a` and Y of `b`: (len(a), len(b)), by features or by Gram blocks, what is cheaper."""
    n = len(a[0])
    widths_a, widths_b = [x.shape[1] for x in a], [y.shape[1] for y in b]
    if sum(widths_a) * sum(widths_b) <= n * (sum(widths_a) + sum(widths_b)):
        return np.array([[np.square(x.T @ y).sum() for y in b] for x in a])
    result = np.zeros((len(a), len(b)))
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        left, right = (np.stack([(x[rows] @ x.T).ravel() for x in layers]) for layers in (a, b))
        result += left @ right.T
    return result


def _own_product(x: np.ndarray) -> float:
    """||X'X||^2 = ||XX'||^2, by the smaller of the two."""
    return float(np.square(x.T @ x if x.shape[1] <= len(x) else x @ x.T).sum())


def _diagonals(layers: Sequence[np.ndarray]) -> np.ndarray:
    """The diagonal of each layer's Gram matrix: (layers, n)."""
    return np.stack([np.einsum("nd,nd->n", layer, layer) for layer in layers])


def _from_products(
    products: np.ndarray | float, diagonal_a: np.ndarray, diagonal_b: np.ndarray, estimator: Estimator
) -> np.ndarray:
    """HSIC from ||X'Y||^2 of centred X and Y and the diagonals (..., n) of their Gram matrices."""
    n = diagonal_a.shape[-1]
    if estimator is Estimator.PLAIN:
        return hsic(Gram(products, 0.0, 0.0, 0.0, n), estimator)
    # Rows of K sum to zero, so without the diagonal they sum to minus the diagonal.
    shared = (diagonal_a * diagonal_b).sum(axis=-1)
    totals = -diagonal_a.sum(axis=-1), -diagonal_b.sum(axis=-1)
    return hsic(Gram(products - shared, shared, *totals, n), estimator)
