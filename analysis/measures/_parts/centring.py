"""Subtracting the mean of a language, without giving a direction to rows that have none."""

import numpy as np

from analysis.neighbours.rows import has_direction

ROUNDING = 1e-6  # a row that is this little of its own length away from the mean is the mean


def side_mean(vectors: np.ndarray) -> np.ndarray:
    """The mean of the rows that have a direction, (dim,) float64; zeros where none has."""
    usable = vectors[has_direction(vectors)]
    return usable.mean(axis=0, dtype=np.float64) if len(usable) else np.zeros(vectors.shape[1])


def centre_rows(vectors: np.ndarray, mean: np.ndarray | None = None) -> np.ndarray:
    """Subtract a mean from every row that has a direction.

    Args:
        vectors: (n, dim) rows; not changed.
        mean: (dim,) what to subtract, the mean of these rows if None.

    Returns:
        (n, dim) float32. Rows without a direction, and those that are the mean itself, are rows of zeros.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual
    representations, on centring.
    """
    usable = has_direction(vectors)
    centred = np.zeros(vectors.shape, dtype=np.float32)
    rows = vectors[usable].astype(np.float64)
    moved = rows - (side_mean(vectors) if mean is None else mean)
    moved[np.linalg.norm(moved, axis=1) <= ROUNDING * np.linalg.norm(rows, axis=1)] = 0
    centred[usable] = moved
    return centred
