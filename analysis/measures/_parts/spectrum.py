"""How variance is spread over directions: the spectrum of a set of vectors, and what resampling does to it."""

from dataclasses import dataclass

import numpy as np

from analysis.records import resamples
from analysis.scoring.samples import ROUNDING, sum_clusters

TOP = 10  # principal components of the second share


@dataclass(frozen=True)
class Spectrum:
    """Principal components of a set of vectors, centred.

    Attributes:
        variances: (dim,) variance along each, descending: the eigenvalues of the covariance matrix; 0 where there is
            none beyond rounding.
        axes: (rank, dim) unit directions of those that are not 0.
        mean: (dim,) mean of the vectors.
    """

    variances: np.ndarray
    axes: np.ndarray
    mean: np.ndarray

    def share(self, components: int) -> float:
        """Share of all variance along the first components, 0 to 1; NaN where nothing varies."""
        total = self.variances.sum()
        return float(self.variances[:components].sum() / total) if total > 0 else float("nan")


def spectrum_of(vectors: np.ndarray) -> Spectrum:
    """The principal components of (n, dim) vectors, n at least 1, by the smaller of covariance and Gram matrix."""
    rows = np.asarray(vectors, dtype=np.float64)
    n, dim = rows.shape
    mean = rows.mean(axis=0)
    # What lies below the rounding of float32 rows is no variance.
    floor = ROUNDING**2 * np.square(rows).sum() / n
    rows = rows - mean
    wide = dim > n
    values, columns = np.linalg.eigh((rows @ rows.T if wide else rows.T @ rows) / n)
    kept = np.flatnonzero(values > max(floor, ROUNDING**2 * values.max()))[::-1]
    axes = columns[:, kept].T
    if wide:
        axes = axes @ rows / np.sqrt(n * values[kept])[:, None]
    variances = np.zeros(dim)
    variances[: len(kept)] = values[kept]
    return Spectrum(variances, axes, mean)


def resampled_variances(
    spectrum: Spectrum, vectors: np.ndarray, cluster: np.ndarray, clusters: int, seed: int = 0
) -> np.ndarray:
    """Variance along the axes of a spectrum in each bootstrap resample of the sentences.

    A resample has axes of its own, but turning onto them changes its eigenvalues only to second order, so one
    decomposition is enough for an interval.

    Args:
        spectrum: of the same vectors.
        vectors: (n, dim) vectors.
        cluster: (n,) sentence of each.
        clusters: number of sentences.
        seed: seed of the resampling plan.

    Returns:
        (replicates, rank) variances, NaN where a resample has no vector.

    Source: Efron and Tibshirani 1993, An introduction to the bootstrap, section 7.2 (eigenvalues of a covariance);
    the first-order change of an eigenvalue is Magnus 1985, On differentiating eigenvalues and eigenvectors, theorem 1.
    """
    along = (np.asarray(vectors, dtype=np.float64) - spectrum.mean) @ spectrum.axes.T
    ones = np.ones((len(along), 1))
    sums = resamples(clusters, seed) @ sum_clusters(np.hstack([ones, along, along**2]), cluster, clusters)
    count, first, second = np.split(sums, [1, 1 + along.shape[1]], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum(second / count - (first / count) ** 2, 0)


def effective_dimensions(weights: np.ndarray) -> np.ndarray:
    """The exponential of the entropy of (..., k) weights that are normalised to sum 1; NaN where they are all 0.

    Source: Roy and Vetterli 2007, The effective rank: a measure of effective dimensionality, section 2.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = weights / weights.sum(axis=-1, keepdims=True)
        entropy = -np.sum(np.where(shares > 0, shares * np.log(shares), 0), axis=-1)
    return np.where(np.isfinite(shares).all(axis=-1), np.exp(entropy), np.nan)


def participation(variances: np.ndarray) -> np.ndarray:
    """(sum of variances)^2 / sum of squared variances of (..., k) variances: k where all are equal, 1 for a line."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return variances.sum(axis=-1) ** 2 / np.square(variances).sum(axis=-1)
