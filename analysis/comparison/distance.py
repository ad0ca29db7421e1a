"""Does a score fall as languages get further apart? Any score of language pairs against the distance of the two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np

from analysis.comparison.kinship import Distance, language_distance
from analysis.comparison.scores import Entry, Scores
from analysis.records import Result, interval, resamples
from analysis.scoring.correlation import Kind, correlation, correlations

NAME = "score_against_distance"
UNIT = "[-1, 1]"
LEAST = 4  # pairs
EXACT = 5040  # orders up to which all are tried (7 languages)
ORDERS = 9999  # random orders where there are more
SLACK = 1e-9  # correlations closer than this are equal

Pair = tuple[str, str]


@dataclass(frozen=True)
class Fall:
    """How one encoder's scores by one measure go with language distance.

    Attributes:
        encoder: its name, a control in brackets.
        key: the measure with its settings.
        data: where the pairs come from.
        layer: of the scores.
        result: the correlation.
    """

    encoder: str
    key: str
    data: str
    layer: int | None
    result: Result

    def as_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return {name: value for name, value in asdict(self).items() if name != "result"} | self.result.as_dict()

    def __str__(self) -> str:
        """`word_retrieval of bundled on set:...: Spearman -0.71 [-0.90, -0.32], p = 0.012, 11 pairs`."""
        head = f"{self.key} of {self.encoder} on {self.data}"
        found = self.result
        if found.score is None:
            return f"{head}: {found.note}"
        span = f" [{found.low:+.2f}, {found.high:+.2f}]" if found.low is not None else ""
        return f"{head}: Spearman {found.score:+.2f}{span}, p = {found.parts['p_value']:.3f}, {found.n} pairs"


def against_distance(scores: Scores, by: Distance | str = Distance.FAMILIES) -> list[Fall]:
    """Hold every encoder's scores of language pairs, measure by measure, against the distance of the languages.

    Args:
        scores: a comparison; only scores of two different languages count.
        by: the distance, see `language_distance`.

    Returns:
        One an encoder, measure, data and layer; fewer than four pairs give no score, and the reason.

    Raises:
        InputError: `by` needs a package that is not installed.
    """
    groups: dict[tuple[str, str, str, int | None], list[Entry]] = {}
    for entry in scores.entries:
        if len(entry.languages) == 2 and len(set(entry.languages)) == 2 and not entry.control:
            groups.setdefault((entry.encoder, entry.key, entry.data, entry.layer), []).append(entry)
    return [
        Fall(*key, score_against_distance({(e.languages[0], e.languages[1]): e.result.score for e in group}, by))
        for key, group in groups.items()
    ]


def score_against_distance(
    scores: Mapping[Pair, float | None], by: Distance | str = Distance.FAMILIES, *, seed: int = 0
) -> Result:
    """Correlate scores of language pairs with the distance of their languages.

    Pairs that share a language are not independent, so languages are what is permuted and resampled, not pairs; a
    language that is in every pair (English, mostly) stays where it is.

    Args:
        scores: a score of any measure for each pair of languages; None where there is none.
        by: the distance, see `language_distance`.
        seed: seed of random permutations and of the resamples.

    Returns:
        Spearman's correlation; negative where a higher score goes with closeness. Its interval comes from drawing
        languages with replacement, a pair being in as often as both its languages are. Parts: `p_value`, the
        two-sided share of permutations of the languages with a correlation at least as far from 0 (all of them up to
        seven languages, else 9,999 at random), `languages`, `exact` (1 where all were tried). Items: every pair with
        score and distance. No score for fewer than four pairs, or where scores or distances are all the same.

    Raises:
        InputError: `by` needs a package that is not installed.

    Source: Mantel 1967, section 5 (permuting the items of a distance matrix); Efron and Tibshirani 1993, chapter 13.
    """
    by = Distance(by)
    distances = {pair: language_distance(*pair, by=by) for pair in scores if pair[0] != pair[1]}
    pairs = [pair for pair, far in distances.items() if far is not None and _known(scores[pair])]
    note = _left_out(scores, pairs)
    x = np.array([distances[pair] for pair in pairs], dtype=np.float64)
    y = np.array([scores[pair] for pair in pairs], dtype=np.float64)
    provenance = {"distance": str(by), "seed": seed, "pairs": ["-".join(pair) for pair in pairs]}
    reason = _undefined(x, y)
    if reason:
        whole = "; ".join(filter(None, (reason, note)))
        return Result(NAME, None, None, None, 0, UNIT, None, provenance=provenance, note=whole)
    free = _free(pairs)
    value = correlation(x, y, Kind.SPEARMAN)
    p_value, exact = _p_value(pairs, free, y, value, by, seed)
    replicates = correlations(x, y, _drawn(pairs, free, seed), Kind.SPEARMAN)
    low, high = interval(replicates)
    known = bool(np.isfinite(low))
    return Result(
        NAME, value, low if known else None, high if known else None, len(pairs), UNIT, None, replicates, len(free),
        {"p_value": p_value, "languages": len({tag for pair in pairs for tag in pair}), "exact": int(exact)},
        {"pair": ["-".join(pair) for pair in pairs], "score": y.tolist(), "distance": x.tolist()}, provenance, note,
    )  # fmt: skip


def _known(score: float | None) -> bool:
    """Whether there is a score."""
    return score is not None and bool(np.isfinite(score))


def _left_out(scores: Mapping[Pair, float | None], pairs: Sequence[Pair]) -> str:
    """How many pairs are not used, and why they may not be."""
    lost = len(scores) - len(pairs)
    return f"{lost} of {len(scores)} pairs have no score, no known distance, or one language twice" if lost else ""


def _undefined(x: np.ndarray, y: np.ndarray) -> str:
    """Why there is no correlation, or ""."""
    if len(x) < LEAST:
        return f"a correlation with distance needs at least {LEAST} language pairs, got {len(x)}"
    if np.ptp(x) == 0:
        return f"all pairs are at distance {x[0]:g}; add other languages"
    return "all scores are the same" if np.ptp(y) == 0 else ""


def _free(pairs: Sequence[Pair]) -> list[str]:
    """The languages that are not in every pair, in order of appearance."""
    tags = dict.fromkeys(tag for pair in pairs for tag in pair)
    return [tag for tag in tags if not all(tag in pair for pair in pairs)]


def _drawn(pairs: Sequence[Pair], free: Sequence[str], seed: int) -> np.ndarray:
    """(replicates, pairs) how often each pair is in when its languages are drawn with replacement."""
    place = {tag: n for n, tag in enumerate(free)}
    counts = resamples(len(free), seed)
    found = np.ones((len(counts), len(pairs)))
    for column, pair in enumerate(pairs):
        for tag in pair:
            if tag in place:
                found[:, column] *= counts[:, place[tag]]
    return found


def _p_value(
    pairs: Sequence[Pair], free: Sequence[str], y: np.ndarray, value: float, by: Distance, seed: int
) -> tuple[float, bool]:
    """The share of permutations at least as far from 0, and whether all were tried."""
    exact = factorial(len(free)) <= EXACT
    extreme = count = 0
    for order in permutations(free) if exact else _random(free, seed):
        other = dict(zip(free, order, strict=True))
        far = [language_distance(other.get(a, a), other.get(b, b), by) for a, b in pairs]
        found = correlation(np.array(far, dtype=np.float64), y, Kind.SPEARMAN)
        count += 1
        # An order in which no distance differs correlates with nothing.
        extreme += bool(abs(found) >= abs(value) - SLACK) if np.isfinite(found) else 0
    # The data themselves are one of all orders, and count as one more among random ones.
    return (extreme / count if exact else (extreme + 1) / (count + 1)), exact


def _random(free: Sequence[str], seed: int) -> Iterator[list[str]]:
    """Random orders of the languages."""
    generator = np.random.default_rng(seed)
    for _ in range(ORDERS):
        yield [free[n] for n in generator.permutation(len(free))]
