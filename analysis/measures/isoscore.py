"""IsoScore: how evenly the vectors of two languages use all dimensions of their space."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.spectrum import participation, resampled_variances, spectrum_of
from analysis.measures.effective_rank import few_units_note, spectrum_items
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import moved_onto, resampled
from analysis.scoring.samples import MINIMUM, sample_units, too_few
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class IsoScoreSettings:
    """Settings of IsoScore."""

    max_units: Annotated[
        int, Setting("more words or sentences than this are sampled, whole sentences at a time", ge=MINIMUM, le=100_000)
    ] = 10_000


def compute(space: PairSpace, settings: IsoScoreSettings | None = None, *, seed: int = 0) -> Result:
    """IsoScore of both languages' vectors together, and of each alone.

    The variances along the principal components are compared with those of a ball: 1 where all are equal, 0 where
    the vectors lie on a line, and k of d directions used alike give (k - 1) / (d - 1). The distance, defect and
    rescaling of the paper come out as (P - 1) / (d - 1), P = (sum of variances)^2 / sum of squared variances.
    Neither end is better: an encoder that lines languages up well may be far from a ball.

    The interval resamples sentences and keeps the principal axes of the whole (see `resampled_variances`), moved onto
    the estimate.

    Args:
        space: (units, dim) vectors of both sides; of any unit, links are not needed.
        settings: see `IsoScoreSettings`.
        seed: seed of the sample and the bootstrap.

    Returns:
        IsoScore of both languages pooled (each unit counts once), 0 to 1. Parts: that of each language. Items: the
        share of variance of each principal component.

    Raises:
        InputError: bad settings.

    Source: Rudman, Gillman, Rayne and Eickhoff 2022, IsoScore: measuring the uniformity of embedding space utilization,
    algorithm 1.
    """
    settings = settings or IsoScoreSettings()
    check(settings)
    sample = sample_units(space, settings.max_units, seed)
    pooled = np.concatenate(sample.vectors)
    reason = too_few(len(sample), f"{space.unit}s") or ("needs two dimensions" if pooled.shape[1] < 2 else "")
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note=f"IsoScore {reason}")
    spectra = {"pooled": spectrum_of(pooled)}
    for side, vectors in zip(("source", "target"), sample.vectors, strict=True):
        if len(vectors):
            spectra[side] = spectrum_of(vectors)
    dim = pooled.shape[1]
    value = float(isoscore_of(spectra["pooled"].variances, dim))
    if not np.isfinite(value):
        return unscored(SPEC, space, settings, seed=seed, note="IsoScore: the vectors do not vary")
    variances = resampled_variances(spectra["pooled"], pooled, np.concatenate(sample.cluster), sample.clusters, seed)
    return resampled(
        SPEC, space, settings, seed=seed, value=value, replicates=moved_onto(value, isoscore_of(variances, dim)),
        clusters=sample.clusters, n=len(sample),
        parts={side: float(isoscore_of(spectra[side].variances, dim)) if side in spectra else None
               for side in ("source", "target")},
        items=spectrum_items(spectra), note="; ".join(filter(None, (sample.note, few_units_note(len(pooled), dim)))),
    )  # fmt: skip


def isoscore_of(variances: np.ndarray, dim: int) -> np.ndarray:
    """IsoScore from (..., k) variances along the principal components of a `dim`-dimensional space, k at most dim."""
    return (participation(variances) - 1) / (dim - 1)


SPEC = Measure(
    name="isoscore",
    title="IsoScore",
    summary="How evenly the vectors of both languages use all dimensions: 1 for a ball, 0 for a line.",
    unit="[0, 1]",
    higher_is_better=None,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Rudman et al. 2022, IsoScore: measuring the uniformity of embedding space utilization, algorithm 1",
    hides="It says nothing about translations, nor whether one large direction is what both languages share or what "
    "keeps them apart.",
    compute=compute,
    settings=IsoScoreSettings,
)
