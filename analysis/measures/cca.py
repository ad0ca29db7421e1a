"""Canonical correlation of two languages: SVCCA, mean CCA and projection-weighted CCA."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.canonical import Canonical, Side, canonical, principal_side
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import half_samples, moved_onto, resampled
from analysis.scoring.samples import MINIMUM, sample_pairs, why_unscored
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

NARROW = "the interval keeps the components of the whole sample and is too narrow"
SHUFFLES = 5  # random pairings behind the floor
SVCCA, MEAN, PWCCA = "svcca", "mean", "pwcca"


@dataclass(frozen=True)
class CcaSettings:
    """Settings of canonical correlation."""

    kind: Annotated[
        str,
        Setting(
            "svcca drops small components first, mean keeps all, pwcca keeps all and weighs directions by their use",
            choices=(SVCCA, MEAN, PWCCA),
            source="Raghu et al. 2017, section 2; Morcos et al. 2018, section 2.1",
        ),
    ] = SVCCA
    variance: Annotated[
        float, Setting("share of variance that svcca keeps", ge=0.1, le=1, source="Raghu et al. 2017, section 2")
    ] = 0.99
    per_dimension: Annotated[
        int,
        Setting(
            "pairs there must be for each dimension: svcca keeps fewer components, mean and pwcca give no score",
            ge=2, le=100,
        ),
    ] = 10  # fmt: skip
    max_pairs: Annotated[
        int, Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=10_000)
    ] = 2000


def compute(space: PairSpace, settings: CcaSettings | None = None, *, seed: int = 0) -> Result:
    """Canonical correlation over translated pairs: words in one-to-one links, or sentences.

    CCA turns and stretches both languages until they agree as well as they can, so it is blind to any linear map
    between them. With n pairs in d dimensions it finds agreement where there is none: all of it for n at most d, and
    still much for n a few times d. So there is no score (svcca: no more components) for fewer than `per_dimension`
    pairs a dimension, and `shuffled` says what these n and d give to unrelated vectors.

    The interval comes from halves of the sentences, recentred on the estimate; a half keeps the components of the
    whole, so on real vectors it is too narrow (it held the value for 60 to 72 of 100 samples of 60 to 150 captions), and
    a difference that it calls clear may not be.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `CcaSettings`.
        seed: seed of the sample, the halves and the shuffles.

    Returns:
        The mean canonical correlation, 0 to 1, for pwcca weighted by how much of each language's vectors lies along
        each direction (mean of both languages). Parts: `shuffled`, the mean over five random pairings; the number of
        pairs, of components kept and of components there are on each side. Items: each canonical
        correlation with its weight in each language.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Raghu et al. 2017, SVCCA, section 2; Morcos, Raghu and Bengio 2018, Insights on representational similarity
    in neural networks with canonical correlation, section 2.1 (pwcca).
    """
    settings = settings or CcaSettings()
    check(settings)
    sample = sample_pairs(SPEC, space, settings.max_pairs, seed)
    reason = why_unscored(sample)
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note=f"CCA: {reason}")
    x, y = (_side(vectors, settings) for vectors in (sample.x, sample.y))
    reason = _too_wide(len(sample), x, y, settings)
    found = None if reason else canonical(x, y)
    if found is None:
        return unscored(SPEC, space, settings, seed=seed, note=f"CCA: {reason or 'too few pairs for its dimensions'}")
    value = _score(found, settings.kind)
    halves = half_samples(sample.clusters, seed)[:, sample.cluster]
    replicates = np.array([_score(canonical(x, y, half), settings.kind) for half in halves])
    parts: dict[str, float | int | None] = {
        "shuffled": _floor(x, y, settings.kind, seed), "n": len(sample),
        "kept_source": x.kept, "kept_target": y.kept, "components_source": x.dim, "components_target": y.dim,
    }  # fmt: skip
    return resampled(
        SPEC, space, settings, seed=seed, value=value, replicates=moved_onto(value, replicates),
        clusters=sample.clusters, n=len(sample), parts=parts, items=_items(found),
        note="; ".join(filter(None, (sample.note, _cut_note(len(sample), x, y, settings), NARROW))),
    )  # fmt: skip


def _side(vectors: np.ndarray, settings: CcaSettings) -> Side:
    """The components of one language that are compared."""
    if settings.kind != SVCCA:
        return principal_side(vectors)
    most = max(1, len(vectors) // settings.per_dimension)
    return principal_side(vectors, variance=settings.variance, most=most)


def _too_wide(n: int, x: Side, y: Side, settings: CcaSettings) -> str:
    """Why there are too few pairs for the dimensions, or ""; svcca has dropped dimensions instead."""
    wide = max(x.kept, y.kept)
    if settings.kind == SVCCA or n >= settings.per_dimension * wide:
        return ""
    return (
        f"needs at least {settings.per_dimension * wide:,} pairs for {wide:,} dimensions "
        f"({settings.per_dimension} each), got {n:,}; with fewer it finds correlation by construction; "
        f"use kind={SVCCA} or more pairs"
    )


def _cut_note(n: int, x: Side, y: Side, settings: CcaSettings) -> str:
    """What to say where svcca keeps fewer components than the share of variance asks for, or ""."""
    most = max(1, n // settings.per_dimension)
    if settings.kind != SVCCA or max(x.kept, y.kept) < most or max(x.dim, y.dim) <= most:
        return ""
    return f"{n:,} pairs allow {most:,} components ({settings.per_dimension} pairs each)"


def _score(found: Canonical | None, kind: str) -> float:
    """The score of a kind; NaN where there is none."""
    if found is None:
        return float("nan")
    return found.projection_weighted if kind == PWCCA else found.mean


def _floor(x: Side, y: Side, kind: str, seed: int) -> float:
    """Mean score over random pairings of the same vectors."""
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(y.scores)) for _ in range(SHUFFLES)]
    return float(np.mean([_score(canonical(x, replace(y, scores=y.scores[order])), kind) for order in orders]))


def _items(found: Canonical) -> dict[str, list[float] | list[int]]:
    """Each canonical correlation with its weights."""
    return {
        "component": list(range(1, len(found.correlations) + 1)),
        "correlation": found.correlations.tolist(),
        "weight_source": found.weights_x.tolist(),
        "weight_target": found.weights_y.tolist(),
    }


SPEC = Measure(
    name="cca",
    title="Canonical correlation",
    summary="How well translations agree in the two languages after the best linear map of each.",
    unit="[0, 1]",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Raghu et al. 2017, SVCCA, section 2; Morcos et al. 2018, section 2.1",
    hides="It cannot show that translations lie close together: any linear map of one language leaves it as it is. It "
    "falls as pairs get more and rises with dimensions, so never compare it at another n or number of components.",
    compute=compute,
    settings=CcaSettings,
)
