"""Projection: how much better do translations find each other once one language is mapped onto the other?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.linear_maps import ROWS, LinearMap, least_squares, procrustes, procrustes_residual
from analysis.neighbours.exact import Score
from analysis.neighbours.mutual import mutual_first
from analysis.records import Result, bootstrap, both_ways
from analysis.scoring.measure import Measure, Need, scored, unscored
from analysis.scoring.samples import MINIMUM, PairSample, sample_pairs
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

SHUFFLES = 3  # random pairings behind the floor of the residual
LEAST_SQUARES, PROCRUSTES = "least_squares", "procrustes"


@dataclass(frozen=True)
class ProjectionSettings:
    """Settings of projection."""

    map: Annotated[
        str,
        Setting(
            "least_squares bends and shifts freely, procrustes only rotates",
            choices=(LEAST_SQUARES, PROCRUSTES),
            source="Libovický et al. 2020, on projection; Schönemann 1966",
        ),
    ] = LEAST_SQUARES
    rows: Annotated[
        str,
        Setting(
            "of procrustes: vectors as they are, less each language's mean, or then also of length 1; least squares "
            "has an intercept instead",
            choices=ROWS,
        ),
    ] = "centred"
    score: Annotated[str, Setting("what the main score ranks by; the other is a part", choices=("cosine", "csls"))] = (
        "cosine"
    )
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10
    folds: Annotated[
        int, Setting("parts of the sentences, each scored by a map fitted on the others", ge=2, le=100)
    ] = 5
    max_pairs: Annotated[
        int, Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=50_000)
    ] = 5000


@dataclass(frozen=True)
class _Tally:
    """What the folds found, pair by pair; filled fold by fold.

    Attributes:
        hits: for each kind (`after-cosine`, `before-csls`, `centred-cosine`) the (2, n) hits, forward and backward.
        found: (2, n) the pair found after the map, -1 for none.
        fold: (n,) the fold of each pair.
        pool: (n,) the number of candidates of each pair.
    """

    hits: dict[str, np.ndarray]
    found: np.ndarray
    fold: np.ndarray
    pool: np.ndarray

    @classmethod
    def of(cls, n: int) -> "_Tally":
        """Nothing is found yet."""
        return cls({}, np.full((2, n), -1), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))

    def flipped(self) -> "_Tally":
        """The directions exchanged."""
        return replace(self, hits={kind: hits[::-1] for kind, hits in self.hits.items()}, found=self.found[::-1])

    def mean(self, kind: str) -> float:
        """Percent of hits."""
        return float(100 * self.hits[kind].mean())


def compute(space: PairSpace, settings: ProjectionSettings | None = None, *, seed: int = 0) -> Result:
    """Retrieval after a linear map from one language into the other, fitted on other sentences.

    The sentences are cut into folds; the map of a fold is fitted on the pairs of all other folds, and the pairs of
    the fold are then asked and offered among themselves, so no pair that helped to fit a map is part of what the map
    is scored on. Pools are therefore a fold in size: compare the score with its own `before`, not with retrieval
    over the whole data. A large gain means that the languages have one structure and lie differently; no gain means
    that their structures differ. English is mapped onto; without it the second language is mapped onto the first.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `ProjectionSettings`.
        seed: seed of the sample, the folds, the shuffles and the bootstrap over sentences.

    Returns:
        Accuracy after the map, mean of both directions, in percent. Parts: each direction, both scores, `before`
        (the vectors as they are, same pools), `centred` (each language only less its mean over the fitted pairs),
        `gain` (after less before) with its interval, what chance gives, folds, the fewest pairs a map was fitted on,
        and `residual` (what no rotation and scale can lay on each other, of all pairs, 0 to 1) with
        `residual_shuffled`, its mean over random pairings of the same vectors. Items: every query with what it found.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations,
    on projection (least squares with intercept into English); Schönemann 1966 (procrustes).
    """
    settings = settings or ProjectionSettings()
    check(settings)
    whole = sample_pairs(SPEC, space, settings.max_pairs, seed)
    sample, note = _once(whole, space)
    folds = _folds(sample, settings.folds, seed)
    if len(sample) < MINIMUM or len(folds) < 2:
        least = f"projection needs at least {MINIMUM} pairs in two sentences, got {len(sample)}"
        return unscored(SPEC, space, settings, seed=seed, note=least)
    tally = _Tally.of(len(sample))
    flip = space.languages[1] == "en" != space.languages[0]
    moved, kept = (sample.x, sample.y) if flip else (sample.y, sample.x)
    for number, (fitted, held) in enumerate(folds):
        _score_fold(tally, moved, kept, fitted, held, settings, number)
    tally = tally.flipped() if flip else tally
    sums = _sums(tally, sample, settings.score)
    fewest = min(len(fitted) for fitted, _ in folds)
    return scored(
        SPEC, space, settings, seed=seed, sums=sums, score=both_ways, n=len(sample),
        parts=_parts(tally, sample, settings.score, sums, seed) | {"folds": len(folds), "fitted_on": fewest},
        items=_items(tally, sample, space), note="; ".join(filter(None, (note, _few(fewest, sample.x.shape[1])))),
    )  # fmt: skip


def _once(sample: PairSample, space: PairSpace) -> tuple[PairSample, str]:
    """Sentences without repeats of either side, which would be both fitted on and scored; words as they are."""
    if space.unit is not Unit.SENTENCE:
        return sample, sample.note
    seen: tuple[set[str], set[str]] = set(), set()
    kept = []
    for n, (a, b) in enumerate(zip(sample.pairs.source, sample.pairs.target, strict=True)):
        texts = space.source_units.text[a], space.target_units.text[b]
        if texts[0] not in seen[0] and texts[1] not in seen[1]:
            kept.append(n)
        seen[0].add(texts[0])
        seen[1].add(texts[1])
    at = np.array(kept, dtype=np.int64)
    left_out = len(sample) - len(at)
    told = f"{left_out:,} pairs repeat a sentence and are left out" if left_out else ""
    once = PairSample(
        sample.pairs.take(at), sample.x[at], sample.y[at], sample.cluster[at], sample.clusters, sample.note
    )
    return once, "; ".join(filter(None, (sample.note, told)))


def _folds(sample: PairSample, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each fold the pairs to fit on and those to score, cut by whole sentences."""
    used = np.unique(sample.cluster)
    folds = min(folds, len(used))
    if folds < 2:
        return []
    part = np.random.default_rng(seed).permutation(len(used)) % folds
    of = part[np.searchsorted(used, sample.cluster)]
    return [(np.flatnonzero(of != n), np.flatnonzero(of == n)) for n in range(folds)]


def _score_fold(
    tally: _Tally, moved: np.ndarray, kept: np.ndarray, fitted: np.ndarray, held: np.ndarray,
    settings: ProjectionSettings, number: int,
) -> None:  # fmt: skip
    """Fit the map of one fold, and write down what its pairs find; forward asks the language that stays."""
    x, y = moved[held], kept[held]
    tally.fold[held], tally.pool[held] = number, len(held)
    for kind, (images, others) in _versions(moved, kept, fitted, x, y, settings):
        for score, both in mutual_first(others, images, csls_k=settings.csls_k, scores=Score).items():
            hits = tally.hits.setdefault(f"{kind}-{score}", np.zeros(tally.found.shape))
            for way, index in enumerate((both.forward, both.backward)):
                hits[way, held] = index == np.arange(len(held))
                if kind == "after" and score == settings.score:
                    tally.found[way, held] = np.where(index >= 0, held[index], -1)


def _versions(
    moved: np.ndarray, kept: np.ndarray, fitted: np.ndarray, x: np.ndarray, y: np.ndarray, settings: ProjectionSettings
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """The pairs of a fold as they are, less the means of the fitted pairs, and after the map."""
    mean_x, mean_y = (side[fitted].mean(axis=0, dtype=np.float64) for side in (moved, kept))
    yield "before", (x, y)
    yield "centred", (x - mean_x, y - mean_y)
    found: LinearMap
    if settings.map == PROCRUSTES:
        found = procrustes(moved[fitted], kept[fitted], settings.rows)
    else:
        found = least_squares(moved[fitted], kept[fitted])
    yield "after", (found(x), found.meet(y))


def _sums(tally: _Tally, sample: PairSample, score: str) -> np.ndarray:
    """Queries, hits after and hits before the map of each sentence."""
    columns = [np.ones(len(sample)), *(tally.hits[f"{kind}-{score}"].sum(axis=0) for kind in ("after", "before"))]
    return np.stack([np.bincount(sample.cluster, weights=c, minlength=sample.clusters) for c in columns], axis=1)


def _parts(tally: _Tally, sample: PairSample, score: str, sums: np.ndarray, seed: int) -> dict[str, float | int | None]:
    """Everything beside the score."""
    gain, low, high, _ = bootstrap(sums, lambda s: both_ways(s) - both_ways(s[..., [0, 2]]), seed=seed)
    known = sample.clusters > 1 and np.isfinite(low)
    generator = np.random.default_rng(seed)
    floors = [procrustes_residual(sample.x, sample.y[generator.permutation(len(sample))]) for _ in range(SHUFFLES)]
    return {
        "forward": float(100 * tally.hits[f"after-{score}"][0].mean()),
        "backward": float(100 * tally.hits[f"after-{score}"][1].mean()),
        "cosine": tally.mean("after-cosine"),
        "csls": tally.mean("after-csls"),
        "before": tally.mean(f"before-{score}"),
        "centred": tally.mean(f"centred-{score}"),
        "gain": gain,
        "gain_low": low if known else None,
        "gain_high": high if known else None,
        "chance": float(100 * (1 / tally.pool).mean()),
        "residual": procrustes_residual(sample.x, sample.y),
        "residual_shuffled": None if None in floors else float(np.mean(np.array(floors, dtype=float))),
    }


def _items(tally: _Tally, sample: PairSample, space: PairSpace) -> dict[str, list[Any]]:
    """One line a query: its fold, what it should find and what it found."""
    left, right = (
        [units.text[n] for n in index]
        for units, index in (
            (space.source_units, sample.pairs.source), (space.target_units, sample.pairs.target),
        )
    )  # fmt: skip
    rows = sample.pairs.row.tolist()
    table: dict[str, list[Any]] = {}
    for way, (name, here, there) in enumerate((("forward", left, right), ("backward", right, left))):
        at = tally.found[way].tolist()
        columns = {
            "row": rows,
            "direction": [name] * len(sample),
            "text": here,
            "gold": there,
            "found": [there[n] if n >= 0 else "" for n in at],
            "found_row": [rows[n] if n >= 0 else None for n in at],
            "fold": tally.fold.tolist(),
            **{f"{kind.replace('-', '_')}_hit": hits[way].astype(bool).tolist() for kind, hits in tally.hits.items()},
        }
        for column, values in columns.items():
            table.setdefault(column, []).extend(values)
    return table


def _few(fitted: int, dim: int) -> str:
    """What the reader must know about maps fitted on too little."""
    return f"maps are fitted on {fitted:,} pairs and have {dim:,} dimensions" if fitted < 2 * dim else ""


SPEC = Measure(
    name="projection",
    title="Retrieval after projection",
    summary="How often translations find each other once one language is mapped linearly onto the other, fitted on "
    "other sentences.",
    unit="percent",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations",
    hides="It shows what a map could reach, not what the encoder does; with fewer pairs than dimensions the map fits "
    "noise, and pools are one fold in size, so read it beside `before` only.",
    compute=compute,
    settings=ProjectionSettings,
)
