"""Rows of vectors: their length, and which of them have a direction at all."""

import numpy as np


def normalise_rows(vectors: np.ndarray) -> np.ndarray:
    """Scale every row to length 1.

    Args:
        vectors: (n, dim) numbers; not changed.

    Returns:
        (n, dim) float32; a row that is all zeros or not finite becomes a row of zeros.
    """
    rows = np.array(vectors, dtype=np.float32, ndmin=2)
    rows[~np.isfinite(rows).all(axis=1)] = 0
    # Dividing by the largest entry first keeps the squares of very large and very small rows in range.
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    rows /= np.where(largest == 0, 1, largest)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    rows /= np.where(lengths == 0, 1, lengths)
    rows += 0.0  # turns a negative zero into zero, so that equal rows are equal bytes
    return rows


def has_direction(vectors: np.ndarray) -> np.ndarray:
    """Which rows are finite and not all zeros, as an (n,) bool array: only these have neighbours."""
    return np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)


def distinct_rows(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct rows.

    Args:
        vectors: (n, dim) float32 rows without a negative zero, as `normalise_rows` gives them.

    Returns:
        (u,) the first row of each distinct vector, ascending, and (n,) the number of every row's vector.
    """
    number: dict[bytes, int] = {}
    kind = np.array([number.setdefault(row.tobytes(), len(number)) for row in vectors], dtype=np.int64)
    return np.unique(kind, return_index=True)[1], kind


def row_products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The inner product of each row of `a` with the same row of `b`, (n,) float32.

    Unlike an entry of a matrix product it does not depend on where in a block the rows stand, so equal rows
    have equal products.
    """
    return np.einsum("nd,nd->n", a, b)
