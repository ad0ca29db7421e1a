"""CKA between two languages: do translations have the same geometry, up to rotation and scale?"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures.hsic import MINIMUM, Estimator, Gram, centre, cka_with_floor, hsic, ratio
from analysis.measures.measure import (
    NO_LINKS,
    Measure,
    Need,
    PairSpace,
    provenance,
    require_unit,
    unscored,
)
from analysis.measures.pairs import Pairs, linked_words, paired_sentences
from analysis.neighbours.rows import has_direction
from analysis.records import Result, interval
from analysis.settings import Setting, check

HALVES = 200  # replicates behind the interval
SHUFFLES = 5  # random pairings behind the floor


@dataclass(frozen=True)
class CkaSettings:
    """Settings of CKA."""

    estimator: Annotated[
        str,
        Setting(
            "debiased does not grow as pairs get fewer, plain does",
            choices=("debiased", "plain"),
            source="Song et al. 2012, equation 5",
        ),
    ] = "debiased"
    max_pairs: Annotated[
        int, Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=10_000)
    ] = 2000


def compute(space: PairSpace, settings: CkaSettings | None = None, *, seed: int = 0) -> Result:
    """Linear CKA over translated pairs: words in one-to-one links, or sentences.

    The interval comes from halves of the sentences drawn without replacement, recentred on the estimate.
    Drawing with replacement would repeat pairs, which counts as extra likeness and pushes HSIC1 up.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `CkaSettings`.
        seed: seed of the sample, the halves and the shuffles.

    Returns:
        CKA, not clipped. Parts: both estimators, the number of pairs, and `shuffled`: the mean over five
        random pairings of the same vectors, the floor for this n. Items: the pairs that were used.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Kornblith et al. 2019, Similarity of neural network representations revisited, section 3.
    """
    settings = settings or CkaSettings()
    check(settings)
    require_unit(SPEC, space, Unit.WORD, Unit.SENTENCE)
    if space.unit is Unit.WORD and space.links is None:
        raise InputError(f"{NO_LINKS}; without links cka compares sentence vectors")
    known = linked_words(space) if space.unit is Unit.WORD else paired_sentences(space)
    usable = has_direction(space.source)[known.source] & has_direction(space.target)[known.target]
    pairs = _sample(known.take(usable), settings.max_pairs, space.rows, seed)
    estimator = Estimator(settings.estimator)
    x, y = centre(space.source[pairs.source]), centre(space.target[pairs.target])
    scores = cka_with_floor(x, y, shuffles=SHUFFLES, seed=seed) if len(pairs) >= MINIMUM else {}
    value, floor = scores.get(estimator, (np.nan, np.nan))
    if not np.isfinite(value):
        why = f"needs at least {MINIMUM} pairs, got {len(pairs)}" if len(pairs) < MINIMUM else "one side does not vary"
        return unscored(SPEC, space, settings, seed=seed, note=f"CKA {why}")
    replicates = _halves_scores(x, y, pairs.row, space.rows, estimator, seed)
    replicates = value + replicates - np.nanmean(replicates) if np.isfinite(replicates).any() else replicates
    low, high = interval(replicates)
    known_interval = bool(np.isfinite(low))
    parts: dict[str, float | int | None] = {
        "plain": _finite(scores[Estimator.PLAIN][0]),
        "debiased": _finite(scores[Estimator.DEBIASED][0]),
        "n": len(pairs),
        "shuffled": _finite(floor),
    }
    notes = [_note(known, usable, pairs), "" if known_interval else "too few sentences for an interval"]
    return Result(
        SPEC.name, value, low if known_interval else None, high if known_interval else None, len(pairs), SPEC.unit,
        SPEC.higher_is_better, replicates, space.rows, parts, _items(space, pairs), provenance(space, settings, seed),
        "; ".join(filter(None, notes)),
    )  # fmt: skip


@cache
def half_samples(clusters: int, seed: int = 0, replicates: int = HALVES) -> np.ndarray:
    """Which sentences each replicate uses: half of them, rounded down, without replacement.

    Args:
        clusters: number of sentences.
        seed: the same seed gives the same halves, which makes comparisons paired.
        replicates: number of replicates.

    Returns:
        (replicates, clusters) bool, read-only.
    """
    order = np.random.default_rng(seed).random((replicates, clusters)).argsort(axis=1, kind="stable")
    chosen = np.zeros((replicates, clusters), dtype=bool)
    np.put_along_axis(chosen, order[:, : clusters // 2], True, axis=1)
    chosen.flags.writeable = False
    return chosen


def _halves_scores(
    x: np.ndarray, y: np.ndarray, row: np.ndarray, rows: int, estimator: Estimator, seed: int
) -> np.ndarray:
    """CKA of each half of the sentences: (replicates,), NaN where a half has too few pairs.

    Gram matrices are summed over the pairs of each sentence first, since a half takes or leaves whole sentences.
    """
    present, starts, counts = np.unique(row, return_index=True, return_counts=True)
    chosen = half_samples(rows, seed)[:, present].astype(np.float64)
    items = np.repeat(chosen, counts, axis=1)
    k, l = x @ x.T, y @ y.T  # noqa: E741
    if estimator is Estimator.DEBIASED:
        np.fill_diagonal(k, 0)
        np.fill_diagonal(l, 0)
    sums_k, sums_l = (chosen @ np.add.reduceat(gram, starts, axis=0) * items for gram in (k, l))

    def between(a: np.ndarray, b: np.ndarray, sums_a: np.ndarray, sums_b: np.ndarray) -> np.ndarray:
        """HSIC of two Gram matrices in each half."""
        cells = np.add.reduceat(np.add.reduceat(a * b, starts, axis=0), starts, axis=1)
        trace = (chosen @ cells * chosen).sum(axis=1)
        cross, totals = (sums_a * sums_b).sum(axis=1), (sums_a.sum(axis=1), sums_b.sum(axis=1))
        return hsic(Gram(trace, cross, *totals, items.sum(axis=1)), estimator)

    return ratio(between(k, l, sums_k, sums_l), between(k, k, sums_k, sums_k), between(l, l, sums_l, sums_l))


def _sample(pairs: Pairs, limit: int, rows: int, seed: int) -> Pairs:
    """All pairs of sentences drawn in random order until the limit; at least one sentence, at most the limit."""
    if len(pairs) <= limit:
        return pairs
    order = np.random.default_rng(seed).permutation(rows)
    running = np.cumsum(np.bincount(pairs.row, minlength=rows)[order])
    chosen = np.zeros(rows, dtype=bool)
    chosen[order[: max(1, int(np.searchsorted(running, limit, side="right")))]] = True
    return pairs.take(np.flatnonzero(chosen[pairs.row])[:limit])


def _finite(value: float) -> float | None:
    """The value, or None for NaN."""
    return value if np.isfinite(value) else None


def _items(space: PairSpace, pairs: Pairs) -> dict[str, list[Any]]:
    """The pairs behind the number."""
    return {
        "row": pairs.row.tolist(),
        "source": [space.source_units.text[n] for n in pairs.source],
        "target": [space.target_units.text[n] for n in pairs.target],
    }


def _note(known: Pairs, usable: np.ndarray, pairs: Pairs) -> str:
    """What the reader must know about the pairs that were used."""
    notes = []
    if len(pairs) < int(usable.sum()):
        notes.append(f"a sample of {len(pairs):,} of {int(usable.sum()):,} pairs, whole sentences")
    if not usable.all():
        notes.append(f"{int(np.sum(~usable)):,} of {len(known):,} pairs have no vector on one side and are left out")
    return "; ".join(notes)


SPEC = Measure(
    name="cka",
    title="Linear CKA",
    summary="How alike the geometry of translations is in the two languages, up to rotation and one scale.",
    unit="[-1, 1]",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Kornblith et al. 2019, Similarity of neural network representations revisited",
    hides="It cannot show that translations lie close together: a rotated copy scores 1, so read it beside retrieval, "
    "and never against a value at another n.",
    compute=compute,
    settings=CkaSettings,
)
