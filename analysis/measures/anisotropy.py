"""Cosine margin over random pairs: are translations closer than words that have nothing to do with each other?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.spectrum import spectrum_of
from analysis.neighbours.rows import normalise_rows, row_products
from analysis.records import Result, resamples
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import resampled
from analysis.scoring.samples import MINIMUM, PairSample, sample_pairs, sum_clusters, too_few
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class AnisotropySettings:
    """Settings of the cosine margin."""

    max_pairs: Annotated[
        int, Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=100_000)
    ] = 20_000


@dataclass(frozen=True)
class Sums:
    """Sums of unit vectors and cosines by sentence; a first axis of replicates may stand before the others.

    Attributes:
        pairs: number of pairs.
        aligned: sum of the cosines of pairs.
        same_sentence: sums over all (word, word) of a sentence: of counts, and of cosines across the languages, within
            the source and within the target.
        source, target: (dim,) sums of unit vectors of all sentences.
    """

    pairs: np.ndarray
    aligned: np.ndarray
    same_sentence: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    source: np.ndarray
    target: np.ndarray


def compute(space: PairSpace, settings: AnisotropySettings | None = None, *, seed: int = 0) -> Result:
    """Mean cosine of translations minus the mean cosine of random pairs across the two languages.

    In an anisotropic encoder any two vectors have a high cosine, so a mean cosine of 0.9 between translations may mean
    nothing. The same words stand on both sides of the difference; only who is paired with whom differs. Random pairs
    are not drawn: each mean is over all pairs of words of different sentences.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `AnisotropySettings`.
        seed: seed of the sample and the bootstrap.

    Returns:
        The margin, -2 to 2. Parts: `aligned`, the mean cosine of translations, and what random pairs have:
        `random_cross` (across the languages, other sentences: the baseline of the score), `random_same` (one language,
        other sentences: the mean of `anisotropy_source` and `anisotropy_target`), `random_within` (across
        the languages, in one sentence pair, not linked to each other; None for sentences); `top_component_source` and
        `top_component_target`, the share of variance along the first principal component. Items: each pair with
        its cosine.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Ethayarajh 2019, How contextual are contextualized word representations?, section 3.4 (anisotropy as the
    mean cosine of random words, subtracted as a baseline).
    """
    settings = settings or AnisotropySettings()
    check(settings)
    sample = sample_pairs(SPEC, space, settings.max_pairs, seed)
    few = too_few(len(sample), "pairs") or ("" if len(np.unique(sample.cluster)) > 1 else "needs two sentences")
    if few:
        return unscored(SPEC, space, settings, seed=seed, note=f"anisotropy {few}")
    x, y = normalise_rows(sample.x), normalise_rows(sample.y)
    cosines = row_products(x, y).astype(np.float64)
    whole, replicates = _sums(x, y, cosines, sample, seed)
    means = _means(whole)
    parts: dict[str, float | int | None] = {name: float(mean) for name, mean in means.items() if name != "margin"}
    for side, vectors in (("source", sample.x), ("target", sample.y)):
        parts[f"top_component_{side}"] = spectrum_of(vectors).share(1)
    return resampled(
        SPEC, space, settings, seed=seed, value=float(means["margin"]), replicates=_means(replicates)["margin"],
        clusters=sample.clusters, n=len(sample), parts=parts | {"n": len(sample)},
        items=sample.items(space) | {"cosine": cosines.tolist()}, note=sample.note,
    )  # fmt: skip


def _sums(x: np.ndarray, y: np.ndarray, cosines: np.ndarray, sample: PairSample, seed: int) -> tuple[Sums, Sums]:
    """The sums over the data, and those over each bootstrap resample of the sentences."""
    left, right = (sum_clusters(side, sample.cluster, sample.clusters) for side in (x, y))
    of_pairs = sum_clusters(np.stack([np.ones(len(x)), cosines], axis=1), sample.cluster, sample.clusters)
    within = np.stack(
        [of_pairs[:, 0] ** 2, row_products(left, right), row_products(left, left), row_products(right, right)], axis=1
    )

    def made(counts: np.ndarray) -> Sums:
        """Sums over sentences drawn so many times; copies of a sentence are one sentence, hence the squares."""
        pairs, aligned = (counts @ of_pairs).T
        inside = tuple((counts**2 @ within).T)
        return Sums(pairs, aligned, (inside[0], inside[1], inside[2], inside[3]), counts @ left, counts @ right)

    # `random_within` needs the words of a sentence without its copies, which only the data themselves have.
    return made(np.ones(sample.clusters)), made(resamples(sample.clusters, seed))


def _means(sums: Sums) -> dict[str, np.ndarray]:
    """Mean cosines and the margin from sums."""
    count, cross, source, target = sums.same_sentence
    with np.errstate(invalid="ignore", divide="ignore"):
        others = sums.pairs**2 - count
        between = {
            "cross": (_inner(sums.source, sums.target) - cross) / others,
            "source": (_inner(sums.source, sums.source) - source) / others,
            "target": (_inner(sums.target, sums.target) - target) / others,
        }
        aligned = sums.aligned / sums.pairs
        inside = (cross - sums.aligned) / (count - sums.pairs)
    return {
        "margin": aligned - between["cross"],
        "aligned": aligned,
        "random_cross": between["cross"],
        "random_same": (between["source"] + between["target"]) / 2,
        "random_within": inside,
        "anisotropy_source": between["source"],
        "anisotropy_target": between["target"],
    }


def _inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products over the last axis."""
    return np.einsum("...d,...d->...", a, b)


SPEC = Measure(
    name="anisotropy",
    title="Cosine margin over random pairs",
    summary="How much closer translations are than random pairs across the languages, in cosine.",
    unit="cosine",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Ethayarajh 2019, How contextual are contextualized word representations?, section 3.4",
    hides="It does not show whether translations are nearest neighbours: a high mean margin is possible with a few "
    "near misses for each word; nor how the cosines spread around their means.",
    compute=compute,
    settings=AnisotropySettings,
)
