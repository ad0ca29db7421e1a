"""Hubness: do a few units turn up among the nearest neighbours of everything in the other language?"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.neighbours.corrected import Correction, corrected_nearest
from analysis.neighbours.rows import distinct_rows, normalise_rows
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, require_unit, unscored
from analysis.scoring.pairs import linked_words
from analysis.scoring.resampled import half_samples, moved_onto, resampled
from analysis.scoring.samples import UnitSample, sample_units
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

LISTED = 15  # hubs and anti-hubs of each direction in the items
LONGER = 3  # neighbours looked up for the interval, in units of k: a half of the sentences keeps about half of them
WAYS = ("forward", "backward")


@dataclass(frozen=True)
class HubnessSettings:
    """Settings of hubness."""

    score: Annotated[
        str,
        Setting("what the main score ranks by; the others are parts", choices=tuple(str(name) for name in Correction)),
    ] = "cosine"
    k: Annotated[
        int, Setting("neighbours of each query", ge=1, le=1000, source="Radovanović et al. 2010, section 3")
    ] = 10
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10
    inverse_temperature: Annotated[
        float,
        Setting("sharpness of the inverted softmax", ge=0.01, le=1000, source="Conneau et al. 2018, section 2.3"),
    ] = 30.0
    max_units: Annotated[
        int, Setting("more units of both sides than this are sampled, whole sentences at a time", ge=10, le=100_000)
    ] = 10_000


@dataclass(frozen=True)
class Way:
    """One direction of the search.

    Attributes:
        queries: (q, dim) vectors that look for neighbours.
        candidates: (c, dim) vectors of the other side, no two of them equal.
        unit: (c,) index of each candidate among the units of its side, the first of those with its vector.
        copies: (c,) number of units with its vector.
        query_cluster: (q,) number of each query's sentence.
        cluster: (c,) number of each candidate's sentence.
    """

    queries: np.ndarray
    candidates: np.ndarray
    unit: np.ndarray
    copies: np.ndarray
    query_cluster: np.ndarray
    cluster: np.ndarray


@dataclass(frozen=True)
class HubStatistics:
    """What the k-occurrences of the candidates say.

    Attributes:
        skewness: third standardised moment, NaN where all are equal.
        maximum: percent of the queries that have the strongest hub among their neighbours.
        antihubs: percent of the candidates that no query has among its neighbours.
    """

    skewness: float
    maximum: float
    antihubs: float


def compute(space: PairSpace, settings: HubnessSettings | None = None, *, seed: int = 0) -> Result:
    """The skewness of how often units of one language are among the k nearest neighbours of the other's.

    Queries are the words in one-to-one links, as in word retrieval; all words where there are no links; or all
    sentences. Candidates are all units of the other side; units with one vector are one candidate, or else the
    first of them would take all hits. The interval comes from halves of the sentences, queries and candidates
    alike, with half of k, recentred on the estimate; what the corrections subtract stays that of all sentences.

    Args:
        space: word or sentence vectors of both sides.
        settings: see `HubnessSettings`.
        seed: seed of the sample, the halves and the random vectors.

    Returns:
        Skewness of the k-occurrence N_k, mean of both directions: 0 where all are retrieved about equally often,
        above 1 where few take most places. Parts: each direction; for each of the four rankings its skewness,
        `maximum` (percent of queries that have the strongest hub among their neighbours) and `antihubs` (percent
        of candidates that are never retrieved); the same of random Gaussian vectors, as many and as wide (the
        floor); k. Items: the strongest hubs of each direction and some of the anti-hubs.

    Raises:
        InputError: subword vectors.

    Source: Radovanović, Nanopoulos and Ivanović 2010, Hubs in space: popular nearest neighbors in
    high-dimensional data, section 3; Dinu, Lazaridou and Baroni 2015 for hubs between languages.
    """
    settings = settings or HubnessSettings()
    check(settings)
    require_unit(SPEC, space, Unit.WORD, Unit.SENTENCE)
    sample = sample_units(space, settings.max_units, seed)
    ways = _ways(space, sample)
    fewest = min(len(way.candidates) for way in ways)
    if fewest < 2 or not all(len(way.queries) for way in ways):
        return unscored(SPEC, space, settings, seed=seed, note="hubness needs queries and two candidates on each side")
    k, main = min(settings.k, fewest // 2), Correction(settings.score)
    lists = [_neighbours(way, LONGER * k, main, settings) for way in ways]
    found = {main: [statistics(each[:, :k], len(way.candidates)) for each, way in zip(lists, ways, strict=True)]}
    for name in Correction:
        if name is not main:
            found[name] = [statistics(_neighbours(way, k, name, settings), len(way.candidates)) for way in ways]
    value = _mean(found[main]).skewness
    if not np.isfinite(value):
        return unscored(SPEC, space, settings, seed=seed, note="every candidate is retrieved equally often")
    halves = np.mean([_halves(*each, k, sample.clusters, seed) for each in zip(lists, ways, strict=True)], axis=0)
    random = [_random(way, k, main, settings, seed + n) for n, way in enumerate(ways)]
    parts: dict[str, float | int | None] = {way: each.skewness for way, each in zip(WAYS, found[main], strict=True)}
    for key, several in [*((str(name), found[name]) for name in Correction), ("random", random)]:
        mean = _mean(several)
        parts |= {key: mean.skewness, f"{key}_maximum": mean.maximum, f"{key}_antihubs": mean.antihubs}
    return resampled(
        SPEC, space, settings, seed=seed, value=value, replicates=moved_onto(value, halves), clusters=sample.clusters,
        n=sum(len(way.queries) for way in ways), parts=parts | {"k": k}, items=_items(space, ways, lists, k),
        note=_note(space, sample, ways, k, settings),
    )  # fmt: skip


def occurrences(indices: np.ndarray, candidates: int) -> np.ndarray:
    """The k-occurrence of each candidate: how many queries have it among their neighbours.

    Args:
        indices: (q, k) neighbours of each query, -1 where there is none.
        candidates: how many candidates there are.

    Returns:
        (candidates,) int64.
    """
    return np.bincount(indices[indices >= 0], minlength=candidates)


def skewness(counts: np.ndarray) -> float:
    """The third standardised moment of some numbers, without a correction for bias; NaN where all are equal.

    Args:
        counts: (n,) numbers.

    Source: Radovanović et al. 2010, section 3.
    """
    centred = counts - counts.mean() if len(counts) else np.zeros(0)
    spread = np.square(centred).mean() if len(counts) else 0.0
    return float((centred**3).mean() / spread**1.5) if spread > 0 else float("nan")


def statistics(indices: np.ndarray, candidates: int) -> HubStatistics:
    """The statistics of the k-occurrence.

    Args:
        indices: (q, k) neighbours of each query, at least one query.
        candidates: how many candidates there are.
    """
    counts = occurrences(indices, candidates)
    return HubStatistics(skewness(counts), 100 * float(counts.max()) / len(indices), 100 * float(np.mean(counts == 0)))


def _mean(ways: list[HubStatistics]) -> HubStatistics:
    """The mean of both directions."""
    return HubStatistics(
        *(float(np.mean([getattr(way, name) for way in ways])) for name in ("skewness", "maximum", "antihubs"))
    )


def _ways(space: PairSpace, sample: UnitSample) -> tuple[Way, Way]:
    """Both directions of the search."""
    asking = [np.ones(len(index), dtype=bool) for index in sample.index]
    if space.unit is Unit.WORD and space.links is not None:
        linked = linked_words(space)
        asking = [np.isin(index, of) for index, of in zip(sample.index, (linked.source, linked.target), strict=True)]
    distinct = [distinct_rows(normalise_rows(vectors)) for vectors in sample.vectors]

    def way(here: int, there: int) -> Way:
        """The units of one side look for those of the other."""
        first, kind = distinct[there]
        return Way(
            sample.vectors[here][asking[here]], sample.vectors[there][first], sample.index[there][first],
            np.bincount(kind, minlength=len(first)), sample.cluster[here][asking[here]], sample.cluster[there][first],
        )  # fmt: skip

    return way(0, 1), way(1, 0)


def _neighbours(way: Way, k: int, name: Correction, settings: HubnessSettings) -> np.ndarray:
    """The nearest candidates of each query: (q, k), fewer where there are not so many."""
    return corrected_nearest(
        way.queries, way.candidates, k=min(k, len(way.candidates)), correction=name, csls_k=settings.csls_k,
        inverse_temperature=settings.inverse_temperature,
    ).indices  # fmt: skip


def _random(way: Way, k: int, name: Correction, settings: HubnessSettings, seed: int) -> HubStatistics:
    """The statistics of random Gaussian vectors, as many and as wide."""
    generator = np.random.default_rng(seed)
    queries, candidates = (generator.standard_normal(side.shape) for side in (way.queries, way.candidates))
    made = Way(queries, candidates, way.unit, way.copies, way.query_cluster, way.cluster)
    return statistics(_neighbours(made, k, name, settings), len(candidates))


def _halves(lists: np.ndarray, way: Way, k: int, clusters: int, seed: int) -> np.ndarray:
    """The skewness within each half of the sentences: (replicates,).

    Of the longer lists of neighbours the first that lie in the half are its neighbours, half of k of them: so a
    neighbourhood keeps its share of the candidates, and the scores spread as those of all sentences do.
    """
    result, most = [], max(1, k // 2)
    for half in half_samples(clusters, seed):
        inside = half[way.cluster]
        kept = lists[half[way.query_cluster]]
        there = inside[kept]
        there &= np.cumsum(there, axis=1) <= most
        result.append(skewness(np.bincount(kept[there], minlength=len(inside))[inside]))
    return np.array(result)


def _items(space: PairSpace, ways: tuple[Way, Way], lists: list[np.ndarray], k: int) -> dict[str, list[Any]]:
    """The strongest hubs of each direction, and the first of those that are never found."""
    table: dict[str, list[Any]] = {}
    for name, way, found, units in zip(WAYS, ways, lists, (space.target_units, space.source_units), strict=True):
        counts = occurrences(found[:, :k], len(way.unit))
        strongest = np.argsort(-counts, kind="stable")[:LISTED]
        shown = np.concatenate([strongest[counts[strongest] > 0], np.flatnonzero(counts == 0)[:LISTED]])
        at = way.unit[shown]
        columns = {
            "direction": [name] * len(shown),
            "kind": ["hub" if counts[n] else "anti-hub" for n in shown],
            "text": [units.text[n] for n in at],
            "row": units.sentence[at].tolist(),
            "position": units.position[at].tolist(),
            "n_k": counts[shown].tolist(),
            "queries_percent": (100 * counts[shown] / len(way.queries)).tolist(),
            "copies": way.copies[shown].tolist(),
        }
        for key, column in columns.items():
            table.setdefault(key, []).extend(column)
    return table


def _note(space: PairSpace, sample: UnitSample, ways: tuple[Way, Way], k: int, settings: HubnessSettings) -> str:
    """What the reader must know about the units and the neighbourhood."""
    notes = [sample.note]
    same = sum(int((way.copies - 1).sum()) for way in ways)
    if same:
        notes.append(f"{same:,} {space.unit}s have the vector of another and are one candidate with it")
    if k < settings.k:
        notes.append(f"k is {k}, half of the candidates, instead of {settings.k}")
    return "; ".join(filter(None, notes))


SPEC = Measure(
    name="hubness",
    title="Hubness",
    summary="How unevenly the units of one language are spread over the nearest neighbours of the other's.",
    unit="skewness",
    higher_is_better=False,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Radovanović, Nanopoulos and Ivanović 2010, Hubs in space, section 3",
    hides="It does not show whether the right word is found; it grows with the number of units, so compare it only at "
    "one size and beside its random floor.",
    has_floor=False,
    compute=compute,
    settings=HubnessSettings,
)
