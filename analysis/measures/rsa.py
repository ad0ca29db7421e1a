"""Representational similarity analysis: are the same translations close to each other in both languages?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import half_samples, moved_onto, resampled
from analysis.scoring.samples import CONSTANT, MINIMUM, sample_pairs, too_few
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

SHUFFLES = 5  # random pairings behind the floor
DIGITS = 9  # cosines that agree to so many decimals are ties
SPEARMAN, PEARSON = "spearman", "pearson"


@dataclass(frozen=True)
class RsaSettings:
    """Settings of representational similarity analysis."""

    correlation: Annotated[
        str,
        Setting(
            "spearman compares only the order of the similarities, pearson their values",
            choices=(SPEARMAN, PEARSON),
            source="Kriegeskorte et al. 2008, step 4",
        ),
    ] = SPEARMAN
    max_pairs: Annotated[
        int, Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=3000)
    ] = 1000


def compute(space: PairSpace, settings: RsaSettings | None = None, *, seed: int = 0) -> Result:
    """Correlation of the similarities within one language with those within the other.

    For every two of n translated pairs there is a cosine in the first language and one in the second; the score
    correlates the n (n - 1) / 2 of them. The languages are never compared with each other, so each may be
    rotated and scaled on its own.

    The interval comes from halves of the sentences, recentred on the estimate; for spearman a half keeps the ranks of
    the whole.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `RsaSettings`.
        seed: seed of the sample, the halves and the shuffles.

    Returns:
        The correlation, -1 to 1. Parts: both correlations, the number of pairs and of similarities, and `shuffled`:
        the mean over five random pairings, the floor. Items: the pairs that were used.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Kriegeskorte, Mur and Bandettini 2008, Representational similarity analysis, step 4 (comparing dissimilarity
    matrices by rank correlation; cosine similarity stands for their correlation distance).
    """
    settings = settings or RsaSettings()
    check(settings)
    sample = sample_pairs(SPEC, space, settings.max_pairs, seed)
    few = too_few(len(sample), "pairs")
    if few:
        return unscored(SPEC, space, settings, seed=seed, note=f"RSA: {few}")
    cosines = cosine_matrix(sample.x), cosine_matrix(sample.y)
    # One kind after the other: a matrix of 3,000 pairs holds 72 MB.
    other = PEARSON if settings.correlation == SPEARMAN else SPEARMAN
    scores = {other: _correlation(*(_standardised(side, other) for side in cosines))}
    left, right = (_standardised(side, settings.correlation) for side in cosines)
    value = scores[settings.correlation] = _correlation(left, right)
    if not np.isfinite(value):
        return unscored(SPEC, space, settings, seed=seed, note=f"RSA: the similarities of {CONSTANT}")
    chosen = half_samples(sample.clusters, seed)[:, sample.cluster]
    n = len(sample)
    parts: dict[str, float | int | None] = {
        SPEARMAN: scores[SPEARMAN], PEARSON: scores[PEARSON], "shuffled": _floor(left, right, seed), "n": n,
        "similarities": n * (n - 1) // 2,
    }  # fmt: skip
    return resampled(
        SPEC, space, settings, seed=seed, value=value, replicates=moved_onto(value, _halves(left, right, chosen)),
        clusters=sample.clusters, n=n, parts=parts, items=sample.items(space), note=sample.note,
    )  # fmt: skip


def cosine_matrix(vectors: np.ndarray) -> np.ndarray:
    """Cosines of all rows of (n, dim) vectors with each other, float64, rounded so that equal ones are ties."""
    rows = np.asarray(vectors, dtype=np.float64)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.round(rows @ rows.T, DIGITS)


def _standardised(cosines: np.ndarray, kind: str) -> np.ndarray:
    """The cosines (spearman: their ranks) as a symmetric matrix of mean 0 and mean square 1 off a zero diagonal.

    All NaN where they do not vary by more than rounding.
    """
    above = np.triu_indices(len(cosines), 1)
    values = cosines[above]
    if np.ptp(values) < 10.0**-6:
        return np.full_like(cosines, np.nan)
    if kind == SPEARMAN:
        from scipy.stats import rankdata

        values = rankdata(values)
    values = values - values.mean()
    whole = np.zeros_like(cosines)
    whole[above] = values / np.sqrt(np.square(values).mean())
    return whole + whole.T


def _correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Pearson correlation of two standardised matrices."""
    n = len(left)
    return float(np.einsum("ij,ij->", left, right) / (n * (n - 1)))


def _floor(left: np.ndarray, right: np.ndarray, seed: int) -> float:
    """Mean correlation over random pairings of the same vectors."""
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(right)) for _ in range(SHUFFLES)]
    return float(np.mean([_correlation(left, right[np.ix_(order, order)]) for order in orders]))


def _halves(left: np.ndarray, right: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Pearson correlation over the pairs of each half: (replicates,), NaN where a half has too few."""
    items = chosen.astype(np.float64)
    inside = items.sum(axis=1)
    cells = inside * (inside - 1)

    def total(matrix: np.ndarray) -> np.ndarray:
        """Sum over the cells of each half."""
        return ((items @ matrix) * items).sum(axis=1)

    with np.errstate(invalid="ignore", divide="ignore"):
        mean_left, mean_right = total(left) / cells, total(right) / cells
        spread = (total(left**2) / cells - mean_left**2) * (total(right**2) / cells - mean_right**2)
        found = (total(left * right) / cells - mean_left * mean_right) / np.sqrt(spread)
    return np.where((inside >= MINIMUM) & (spread > 0), found, np.nan)


SPEC = Measure(
    name="rsa",
    title="Representational similarity",
    summary="Whether translations that are close to each other in one language are so in the other.",
    unit="[-1, 1]",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Kriegeskorte, Mur and Bandettini 2008, Representational similarity analysis, step 4",
    hides="It cannot show that translations lie close together: each language may be rotated on its own. Words of "
    "one sentence are alike in both languages because they share it, which counts too.",
    compute=compute,
    settings=RsaSettings,
)
