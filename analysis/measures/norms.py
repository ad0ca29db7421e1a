"""Lengths of vectors: has an encoder shrunk, and does one language have longer vectors than the other?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit, Units
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, scored, unscored
from analysis.scoring.samples import MINIMUM, UnitSample, sample_units, sum_clusters, too_few
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class NormsSettings:
    """Settings of the norms."""

    max_units: Annotated[
        int, Setting("more words or sentences than this are sampled, whole sentences at a time", ge=MINIMUM, le=100_000)
    ] = 20_000


def compute(space: PairSpace, settings: NormsSettings | None = None, *, seed: int = 0) -> Result:
    """Mean Euclidean length of the vectors of both languages, and its ratio between them.

    Training that pulls translations together by their distance can win by shrinking everything: distances then
    have to be divided by this number before two encoders are compared. Cosines do not see it. Neither end is better;
    lengths of different encoders have different scales.

    Args:
        space: (units, dim) vectors of both sides; of any unit, links are not needed.
        settings: see `NormsSettings`.
        seed: seed of the sample and the bootstrap.

    Returns:
        The mean of both languages' mean lengths. Parts: the mean length of each language, `ratio` (target over source,
        1 where alike), and the coefficient of variation (standard deviation over mean) of each. Items: the length of
        each unit.

    Raises:
        InputError: bad settings.

    Source: Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations, section 2 (the
    squared distance that such training minimises).
    """
    settings = settings or NormsSettings()
    check(settings)
    sample = sample_units(space, settings.max_units, seed)
    lengths = [np.linalg.norm(vectors.astype(np.float64), axis=1) for vectors in sample.vectors]
    reason = too_few(len(sample), f"{space.unit}s") or ("" if all(map(len, lengths)) else "one side has no vector")
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note=f"norms: {reason}")
    columns = [
        sum_clusters(np.stack([np.ones(len(length)), length], axis=1), cluster, sample.clusters)
        for length, cluster in zip(lengths, sample.cluster, strict=True)
    ]
    source, target = (float(length.mean()) for length in lengths)
    parts: dict[str, float | int | None] = {
        "source": source, "target": target, "ratio": target / source,
        "cv_source": float(lengths[0].std() / source), "cv_target": float(lengths[1].std() / target),
    }  # fmt: skip
    return scored(
        SPEC, space, settings, seed=seed, sums=np.hstack(columns), score=_mean_length, n=len(sample), parts=parts,
        items=_items(space, sample, lengths), note=sample.note,
    )  # fmt: skip


def _mean_length(sums: np.ndarray) -> np.ndarray:
    """Mean of both sides' mean lengths from summed counts and lengths."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[..., 1] / sums[..., 0] + sums[..., 3] / sums[..., 2]) / 2


def _items(space: PairSpace, sample: UnitSample, lengths: list[np.ndarray]) -> dict[str, list]:
    """One line a unit."""
    table: dict[str, list] = {}
    sides: tuple[tuple[str, Units], ...] = (("source", space.source_units), ("target", space.target_units))
    for (side, units), index, length in zip(sides, sample.index, lengths, strict=True):
        columns = {
            "side": [side] * len(index),
            "row": units.sentence[index].tolist(),
            "position": units.position[index].tolist(),
            "text": [units.text[n] for n in index],
            "length": length.tolist(),
        }
        for name, column in columns.items():
            table.setdefault(name, []).extend(column)
    return table


SPEC = Measure(
    name="norms",
    title="Length of vectors",
    summary="The mean Euclidean length of the vectors of both languages.",
    unit="length",
    higher_is_better=None,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations, section 2",
    hides="It says nothing about directions, so nothing about which words are translations.",
    compute=compute,
    settings=NormsSettings,
)
