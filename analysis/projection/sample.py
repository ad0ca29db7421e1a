"""A sample that every language has its share in."""

from collections.abc import Sequence

import numpy as np


def stratified_sample(languages: Sequence[str], limit: int, seed: int = 0) -> np.ndarray:
    """Choose at most `limit` units, as many of each language as of any other.

    A language with fewer units than its share is taken whole and the rest is shared out among the others; what
    cannot be shared evenly goes to the first tags in alphabetical order.

    Args:
        languages: the tag of each unit.
        limit: how many units to keep.
        seed: seed of the choice within a language.

    Returns:
        Ascending indices of the chosen units; all of them if there are no more than `limit`.
    """
    if len(languages) <= limit:
        return np.arange(len(languages))
    tags, kind = np.unique(np.asarray(languages), return_inverse=True)
    shares = _shares(np.bincount(kind, minlength=len(tags)), max(limit, 0))
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(kind == number))[:share] for number, share in enumerate(shares.tolist())
    ]
    return np.sort(np.concatenate(chosen))


def _shares(available: np.ndarray, limit: int) -> np.ndarray:
    """How many units each language gives: level up from the smallest language."""
    shares = np.zeros(len(available), dtype=np.int64)
    order = np.argsort(available, kind="stable")
    for done, number in enumerate(order):
        shares[number] = min(available[number], (limit - shares.sum()) // (len(order) - done))
    for number in range(len(available)):
        if shares.sum() < limit and shares[number] < available[number]:
            shares[number] += 1
    return shares
