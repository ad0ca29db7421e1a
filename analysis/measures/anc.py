"""Average neuron-wise correlation: does each coordinate mean the same in both languages?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.hsic import centre
from analysis.records import Result, resamples
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import resampled
from analysis.scoring.samples import CONSTANT, MINIMUM, ROUNDING, PairSample, sample_pairs, sum_clusters, why_unscored
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

SHUFFLES = 5  # random pairings behind the floor
NEURONS = 64  # neurons resampled at once


@dataclass(frozen=True)
class AncSettings:
    """Settings of the average neuron-wise correlation."""

    absolute: Annotated[
        bool,
        Setting("average the size of each correlation instead of its signed value; unrelated vectors then score > 0"),
    ] = False
    max_pairs: Annotated[
        int,
        Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=50_000,
                source="Del and Fishel 2022 use 10,000 sentences"),
    ] = 10_000  # fmt: skip


def compute(space: PairSpace, settings: AncSettings | None = None, *, seed: int = 0) -> Result:
    """Mean Pearson correlation of each neuron with itself in the other language, over translated pairs.

    A neuron is one coordinate of the vectors. Unlike CKA and CCA it is tied to the coordinates: rotate one
    language and it falls, just as a classifier trained on the other language would stop working. The paper takes
    mean-pooled sentences; for words in one-to-one links the same is done over the linked words.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `AncSettings`.
        seed: seed of the sample, the bootstrap and the shuffles.

    Returns:
        The mean correlation, -1 to 1. Parts: `signed`, `absolute`, the number of pairs and of neurons that
        vary in both languages (others are left out), and `shuffled`: the mean over five random pairings.
        Items: the correlation of each neuron, None where it does not vary.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Del and Fishel 2022, Cross-lingual similarity of multilingual representations revisited, the definition of
    ANC.
    """
    settings = settings or AncSettings()
    check(settings)
    sample = sample_pairs(SPEC, space, settings.max_pairs, seed)
    reason = why_unscored(sample)
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note=f"ANC: {reason}")
    x, y = _standardised(sample.x), _standardised(sample.y)
    alive = np.isfinite(x).all(axis=0) & np.isfinite(y).all(axis=0)
    if not alive.any():
        return unscored(SPEC, space, settings, seed=seed, note=f"ANC: {CONSTANT} along any one neuron")
    x, y = x[:, alive], y[:, alive]
    correlations = np.full(len(alive), np.nan)
    correlations[alive] = (x * y).mean(axis=0)
    scores = {name: _mean(correlations[alive], name == "absolute") for name in ("signed", "absolute")}
    value = scores["absolute" if settings.absolute else "signed"]
    parts: dict[str, float | int | None] = {
        **scores, "shuffled": _floor(x, y, settings.absolute, seed), "n": len(sample), "neurons": int(alive.sum()),
    }  # fmt: skip
    dead = int(np.sum(~alive))
    note = f"{dead:,} of {len(alive):,} neurons do not vary and are left out" if dead else ""
    return resampled(
        SPEC, space, settings, seed=seed, value=value, replicates=_replicates(x, y, sample, settings.absolute, seed),
        clusters=sample.clusters, n=len(sample), parts=parts, items=_items(correlations),
        note="; ".join(filter(None, (sample.note, note))),
    )  # fmt: skip


def neuron_correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson correlation of each column of (n, dim) vectors with its like: (dim,), NaN where constant."""
    return (_standardised(x) * _standardised(y)).mean(axis=0)


def _standardised(vectors: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and mean square 1, float64; NaN for a column that varies by no more than rounding."""
    rows = centre(vectors)
    spread = np.sqrt(np.square(rows).mean(axis=0))
    size = np.sqrt(np.square(np.asarray(vectors, dtype=np.float64)).mean(axis=0))
    return rows / np.where(spread > ROUNDING * size, spread, np.nan)


def _mean(correlations: np.ndarray, absolute: bool) -> float:
    """Mean over neurons of the correlations or of their sizes."""
    return float(np.mean(np.abs(correlations) if absolute else correlations))


def _floor(x: np.ndarray, y: np.ndarray, absolute: bool, seed: int) -> float:
    """Mean score over random pairings of the same vectors."""
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(y)) for _ in range(SHUFFLES)]
    return float(np.mean([_mean((x * y[order]).mean(axis=0), absolute) for order in orders]))


def _replicates(x: np.ndarray, y: np.ndarray, sample: PairSample, absolute: bool, seed: int) -> np.ndarray:
    """The score in each bootstrap resample of the sentences, neurons that do not vary in it left out."""
    counts = resamples(sample.clusters, seed)
    total, alive = np.zeros(len(counts)), np.zeros(len(counts))
    ones = np.ones((len(x), 1))
    n = counts @ sum_clusters(ones, sample.cluster, sample.clusters)
    for columns in _blocks(x.shape[1]):
        a, b = x[:, columns], y[:, columns]
        sums = counts @ sum_clusters(np.hstack([a, b, a * a, b * b, a * b]), sample.cluster, sample.clusters)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean_a, mean_b, square_a, square_b, both = np.split(sums / n, 5, axis=1)
            spread = np.maximum(square_a - mean_a**2, 0) * np.maximum(square_b - mean_b**2, 0)
            found = np.clip((both - mean_a * mean_b) / np.sqrt(np.where(spread > ROUNDING**2, spread, np.nan)), -1, 1)
        total += np.nansum(np.abs(found) if absolute else found, axis=1)
        alive += np.isfinite(found).sum(axis=1)
    return total / np.where(alive > 0, alive, np.nan)


def _blocks(dim: int) -> Iterator[slice]:
    """Slices of neurons."""
    return (slice(start, start + NEURONS) for start in range(0, dim, NEURONS))


def _items(correlations: np.ndarray) -> dict[str, list[int] | list[float | None]]:
    """The correlation of each neuron."""
    return {
        "neuron": list(range(len(correlations))),
        "correlation": [float(value) if np.isfinite(value) else None for value in correlations],
    }


SPEC = Measure(
    name="anc",
    title="Average neuron-wise correlation",
    summary="Whether each coordinate of the vectors moves alike over translations in the two languages.",
    unit="[-1, 1]",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Del and Fishel 2022, Cross-lingual similarity of multilingual representations revisited",
    hides="It counts every coordinate alike, however little it varies, and says nothing about an offset between the "
    "languages; after a rotation of both it is another number.",
    compute=compute,
    settings=AncSettings,
)
