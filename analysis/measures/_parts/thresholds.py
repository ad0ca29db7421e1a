"""Deciding by a threshold on closeness: the best one, one for each fold, and how good closeness is without any."""

import numpy as np


def best_threshold(values: np.ndarray, same: np.ndarray) -> float:
    """The threshold with the most right answers when a value above it says "same".

    It lies halfway between two neighbouring values; of several best ones the middle one is taken. Below all values,
    or above, it is their end minus or plus a hair.

    Args:
        values: (n,) finite closeness, at least one.
        same: (n,) whether it is a pair of one sense.
    """
    distinct, group = np.unique(values, return_inverse=True)
    of_same = np.bincount(group, weights=same, minlength=len(distinct))
    of_other = np.bincount(group, minlength=len(distinct)) - of_same
    # Right answers with the first k distinct values below the threshold.
    right = np.concatenate([[0], np.cumsum(of_other)]) + np.concatenate([np.cumsum(of_same[::-1])[::-1], [0]])
    cuts = np.concatenate([[distinct[0] - 1e-6], (distinct[1:] + distinct[:-1]) / 2, [distinct[-1] + 1e-6]])
    best = np.flatnonzero(right == right.max())
    return float(cuts[best[len(best) // 2]])


def fold_thresholds(values: np.ndarray, same: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """For each item the best threshold of the items in other folds.

    Args:
        values: (n,) finite closeness, at least two.
        same: (n,) whether it is a pair of one sense.
        folds: how many there are, at most one an item.
        seed: seed of the folds, which do not depend on the values.

    Returns:
        (n,) thresholds.
    """
    count = min(folds, len(values))
    fold = np.random.default_rng(seed).permutation(len(values)) % count
    found = np.empty(len(values))
    for one in range(count):
        found[fold == one] = best_threshold(values[fold != one], same[fold != one])
    return found


def percent_auc(values: np.ndarray, same: np.ndarray) -> float | None:
    """The chance, in percent, that an item of the one kind has a higher value than one of the other; ties count half.

    It is the area under the ROC curve, by way of the Mann-Whitney statistic (Hanley and McNeil 1982).

    Args:
        values: (n,) finite closeness.
        same: (n,) whether it is of the one kind.

    Returns:
        0 to 100, None where all items are of one kind.
    """
    from scipy.stats import rankdata

    positive = int(np.sum(same))
    negative = len(same) - positive
    if not positive or not negative:
        return None
    wins = rankdata(values)[np.asarray(same, dtype=bool)].sum() - positive * (positive + 1) / 2
    return float(100 * wins / (positive * negative))
