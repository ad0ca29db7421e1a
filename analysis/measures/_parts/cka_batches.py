"""Linear CKA batch by batch: the minibatch estimator, and CKA of many halves of the items at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.measures._parts.hsic import BLOCK, MINIMUM, Estimator, Gram, centre, hsic, ratio


def random_batches(n: int, size: int, seed: int = 0) -> list[np.ndarray]:
    """Items dealt at random into batches of nearly one size, none smaller than HSIC1 can take.

    Items are dealt one by one, not by sentence, so that each batch is a random sample of all items and the mean
    of its HSIC1 is that of the whole.

    Args:
        n: number of items, at least 4.
        size: largest batch, at least 4; batches are larger by a few where n would leave fewer than 4 over.
        seed: seed of the deal.

    Returns:
        Arrays of item indices that hold every item once.
    """
    count = max(1, min(-(-n // size), n // MINIMUM))
    return np.array_split(np.random.default_rng(seed).permutation(n), count)


def minibatch_cka(x: np.ndarray, y: np.ndarray, batches: Sequence[np.ndarray]) -> float:
    """Linear CKA as a ratio of sums of HSIC1 over batches: memory grows with a batch, not with n.

    HSIC1 is unbiased at any n, so batches may be added up; the mean of the CKA of each batch would not be the CKA
    of the whole. It does not change when vectors or Gram matrices are centred first, as long as the diagonal
    is set to zero afterwards.

    Args:
        x: (n, dim_x) vectors.
        y: (n, dim_y) vectors of the same items in the same order.
        batches: item indices of each batch, at least 4 each.

    Returns:
        CKA, not clipped; NaN where one side does not vary or a batch has fewer than 4 items.

    Source: Nguyen, Raghu and Kornblith 2021, Do wide and deep networks learn the same things?, section 3 (minibatch
    CKA); Song et al. 2012, Feature selection via dependence maximization, equation 5 (HSIC1).
    """
    if not batches:
        return float("nan")
    x, y = centre(x), centre(y)
    everything = [np.ones((1, len(batch))) for batch in batches]
    sums = [
        _batch_hsic(x[batch], y[batch], items, Estimator.DEBIASED)
        for batch, items in zip(batches, everything, strict=True)
    ]
    both, own_x, own_y = np.sum(sums, axis=0)
    return float(ratio(both, own_x, own_y)[0])


def cka_of_subsets(
    x: np.ndarray, y: np.ndarray, chosen: np.ndarray, estimator: Estimator, batches: Sequence[np.ndarray]
) -> np.ndarray:
    """CKA of many subsets of the items, by sums over Gram matrices that are made only once.

    Args:
        x: (n, dim_x) vectors.
        y: (n, dim_y) vectors of the same items in the same order.
        chosen: (replicates, n) bool, the items of each subset.
        estimator: `plain` or `debiased` HSIC.
        batches: item indices of each batch; one batch with every item for CKA proper.

    Returns:
        (replicates,) CKA, NaN where a subset is too small or one side does not vary in it. Batches in which a
        subset has too few items are left out of its sums.
    """
    x, y = centre(x), centre(y)
    sums = np.zeros((3, len(chosen)))
    counted = np.zeros(len(chosen), dtype=int)
    for batch in batches:
        values = _batch_hsic(x[batch], y[batch], chosen[:, batch].astype(np.float64), estimator)
        defined = np.isfinite(values).all(axis=0)
        sums += np.where(defined, values, 0)
        counted += defined
    return np.where(counted > 0, ratio(*sums), np.nan)


def _batch_hsic(x: np.ndarray, y: np.ndarray, items: np.ndarray, estimator: Estimator) -> np.ndarray:
    """HSIC(x, y), HSIC(x, x) and HSIC(y, y) of each subset of one batch: (3, replicates)."""
    traces = np.zeros((3, len(items)))
    row_sums = np.zeros((2, *items.shape))
    for rows, k, l in _gram_blocks(x, y, estimator):  # noqa: E741
        inside = items[:, rows]
        for at, product in enumerate((k * l, k * k, l * l)):
            traces[at] += ((inside @ product) * items).sum(axis=1)
        row_sums[0] += inside @ k
        row_sums[1] += inside @ l
    sums_k, sums_l = row_sums * items
    n = items.sum(axis=1)

    def between(trace: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """HSIC of two Gram matrices in each subset."""
        return hsic(Gram(trace, (a * b).sum(axis=1), a.sum(axis=1), b.sum(axis=1), n), estimator)

    return np.stack(
        [between(traces[0], sums_k, sums_l), between(traces[1], sums_k, sums_k), between(traces[2], sums_l, sums_l)]
    )


def _gram_blocks(x: np.ndarray, y: np.ndarray, estimator: Estimator) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Rows of both Gram matrices block by block, with a zero diagonal for `debiased`."""
    for start in range(0, len(x), BLOCK):
        rows = slice(start, min(start + BLOCK, len(x)))
        k, l = x[rows] @ x.T, y[rows] @ y.T  # noqa: E741
        if estimator is Estimator.DEBIASED:
            at = np.arange(rows.stop - start)
            k[at, start + at] = 0
            l[at, start + at] = 0
        yield rows, k, l
