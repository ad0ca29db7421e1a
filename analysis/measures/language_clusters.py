"""Language clusters: do the mean vectors of related languages lie together?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.neighbours.rows import has_direction, normalise_rows
from analysis.records import Result, resamples
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import HALVES, resampled
from analysis.scoring.space import ManySpace
from analysis.settings import Setting, check
from analysis.text.languages import language

SHUFFLES = 20  # assignments of families at random behind the floor


@dataclass(frozen=True)
class LanguageClustersSettings:
    """Settings of language clusters."""

    linkage: Annotated[
        str,
        Setting(
            "how the distance of two clusters comes from the cosine distances of their languages; the authors' script "
            "has single, which chains languages",
            choices=("average", "complete", "single"),
            source="Libovický, Rosa and Fraser 2020, section 4",
        ),
    ] = "average"
    least: Annotated[int, Setting("families with fewer languages than this are left out", ge=1, le=20)] = 2


def compute(space: ManySpace, settings: LanguageClustersSettings | None = None, *, seed: int = 0) -> Result:
    """Cluster the languages by their mean vectors, into as many clusters as there are families, and compare the two.

    Families are the groups of the table of languages (Germanic, Slavic, Bantu ...). A high value means that an
    encoder's idea of a language follows descent (or script and borrowed words, which go with it); a low one that
    nothing is left of it. Neither is better for transfer.

    Args:
        space: sentence vectors of the same rows in several languages.
        settings: see `LanguageClustersSettings`.
        seed: seed of the resamples of rows and of the shuffled families.

    Returns:
        V-measure, 0 to 1. Parts: `homogeneity`, `completeness`, numbers of families and languages, `shuffled` (mean
        over 20 random assignments of the families: with few languages it is far above 0). Items: each language with
        its cluster and family. No score for fewer than three languages, or where all are of one family or each is
        of its own.

    Raises:
        InputError: a setting out of bounds.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations,
    section 4 (language similarity); Rosenberg and Hirschberg 2007, V-measure, section 2.
    """
    settings = settings or LanguageClustersSettings()
    check(settings)
    tags, families, note = _choose(space, settings.least)
    reason = _undefined(families)
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note="; ".join(filter(None, (reason, note))))
    weights = np.ones((1, space.rows)), resamples(space.rows, seed, HALVES)
    centroids, redrawn = (_centroids(space, tags, counts) for counts in weights)
    clusters = _cluster(centroids[0], len(set(families)), settings.linkage)
    homogeneity, completeness, value = _agreement(families, clusters)
    generator = np.random.default_rng(seed)
    floor = [_agreement([families[n] for n in generator.permutation(len(tags))], clusters)[2] for _ in range(SHUFFLES)]
    replicates = [_agreement(families, _cluster(one, len(set(families)), settings.linkage))[2] for one in redrawn]
    return resampled(
        SPEC, space, settings, seed=seed, value=value, replicates=np.array(replicates), clusters=space.rows,
        n=len(tags), parts={
            "homogeneity": homogeneity, "completeness": completeness, "families": len(set(families)),
            "languages": len(tags), "shuffled": float(np.mean(floor)),
        },
        items={"language": list(tags), "cluster": clusters.tolist(), "family": list(families)}, note=note,
    )  # fmt: skip


def _choose(space: ManySpace, least: int) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The languages that have vectors and a family of some size, their families, and what was left out."""
    present = {tag: language(tag).family for tag, vectors in space.vectors.items() if has_direction(vectors).any()}
    sizes = Counter(family for family in present.values() if family)
    tags = tuple(tag for tag, family in present.items() if family and sizes[family] >= least)
    notes = []
    silent = [tag for tag in space.vectors if tag not in present]
    unknown = [tag for tag, family in present.items() if not family]
    alone = [tag for tag in present if tag not in tags and tag not in unknown]
    for left, why in ((silent, "no vector"), (unknown, "no known family"), (alone, "too small a family here")):
        if left:
            notes.append(f"left out for {why}: {', '.join(left)}")
    return tags, tuple(present[tag] for tag in tags), "; ".join(notes)


def _undefined(families: Sequence[str]) -> str:
    """Why clusters and families cannot be compared, or ""."""
    kinds = len(set(families))
    if len(families) < 3:
        return f"clusters need at least 3 languages of known families, got {len(families)}"
    if kinds in (1, len(families)):
        return "all languages are of one family" if kinds == 1 else "each language is of a family of its own"
    return ""


def _centroids(space: ManySpace, tags: Sequence[str], counts: np.ndarray) -> np.ndarray:
    """(replicates, languages, dim) mean vectors of each language under (replicates, rows) counts."""
    found = []
    for tag in tags:
        usable = has_direction(space.vectors[tag])
        drawn = counts[:, usable].astype(np.float64)
        # A resample without any usable row of a language keeps the mean of all its rows.
        drawn[drawn.sum(axis=1) == 0] = 1
        found.append(drawn @ space.vectors[tag][usable].astype(np.float64) / drawn.sum(axis=1, keepdims=True))
    return np.stack(found, axis=1)


def _cluster(centroids: np.ndarray, clusters: int, linkage: str) -> np.ndarray:
    """(languages,) number of each language's cluster, from 1; a mean of zero is at distance 1 from all others."""
    from scipy.cluster.hierarchy import cut_tree
    from scipy.cluster.hierarchy import linkage as link
    from scipy.spatial.distance import squareform

    rows = normalise_rows(centroids).astype(np.float64)
    distances = np.clip(1 - rows @ rows.T, 0, 2)
    np.fill_diagonal(distances, 0)
    tree = link(squareform((distances + distances.T) / 2, checks=False), method=linkage)
    return cut_tree(tree, n_clusters=clusters)[:, 0] + 1


def _agreement(families: Sequence[str], clusters: np.ndarray) -> tuple[float, float, float]:
    """Homogeneity, completeness and V-measure."""
    from sklearn.metrics import homogeneity_completeness_v_measure

    return homogeneity_completeness_v_measure(list(families), clusters)


SPEC = Measure(
    name="language_clusters",
    title="Language clusters",
    summary="How well clusters of the languages' mean vectors agree with their families.",
    unit="[0, 1]",
    higher_is_better=None,
    needs=Need.MANY,
    unit_of=Unit.SENTENCE,
    citation="Libovický, Rosa and Fraser 2020, section 4; Rosenberg and Hirschberg 2007, V-measure, section 2",
    hides="It sees means only, and family goes with script and shared words here: it cannot say why languages lie "
    "together, nor whether their sentences line up.",
    compute=compute,
    settings=LanguageClustersSettings,
)
