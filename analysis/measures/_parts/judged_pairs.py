"""What measures of human scores share: the cosine of each sentence pair, and its correlation with the scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.neighbours.rows import has_direction, normalise_rows, row_products
from analysis.records import Result, resamples
from analysis.scoring.correlation import LEAST, Kind, correlation, correlations
from analysis.scoring.measure import Measure, require_unit, unscored
from analysis.scoring.pairs import Pairs, paired_sentences
from analysis.scoring.resampled import resampled
from analysis.scoring.space import PairSpace


@dataclass(frozen=True)
class ScoredPairs:
    """The pairs of a space that have a vector on both sides and a score.

    Attributes:
        pairs: which they are.
        source: (n, dim) vectors of the first side.
        target: (n, dim) vectors of the second side.
        gold: (n,) human scores.
        note: how many were left out, or "".
    """

    pairs: Pairs
    source: np.ndarray
    target: np.ndarray
    gold: np.ndarray
    note: str

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.pairs)


def scored_pairs(measure: Measure, space: PairSpace) -> ScoredPairs:
    """The sentence pairs with a human score; those without a vector on one side are left out and counted.

    Args:
        measure: who asks, for messages.
        space: sentence vectors with scores.

    Raises:
        InputError: other than sentence vectors, or no scores.
    """
    require_unit(measure, space, Unit.SENTENCE)
    if space.scores is None:
        raise InputError(f"{measure.name} needs human scores; use a set such as set:stsb_multi:en-de:dev, or a file")
    known = paired_sentences(space)
    usable = has_direction(space.source)[known.source] & has_direction(space.target)[known.target]
    usable &= np.isfinite(space.scores[known.row])
    pairs = known.take(usable)
    lost = space.rows - len(pairs)
    note = f"{lost:,} of {space.rows:,} pairs have a sentence without a vector and are left out" if lost else ""
    return ScoredPairs(pairs, space.source[pairs.source], space.target[pairs.target], space.scores[pairs.row], note)


def cosines(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The cosine of each row of one side with the same row of the other, (n,) float64."""
    return row_products(normalise_rows(source), normalise_rows(target)).astype(np.float64)


def correlated(
    measure: Measure, space: PairSpace, settings: Any, found: ScoredPairs, closeness: np.ndarray, kind: Kind, *,
    seed: int, sign: int = 1, parts: Mapping[str, float | None] | None = None,
) -> Result:  # fmt: skip
    """The correlation of the pairs' cosines with their human scores, with an interval over pairs.

    Args:
        measure: the measure that is computed.
        space: what it is computed on.
        settings: its settings, for provenance.
        found: the pairs.
        closeness: (n,) cosine of each pair.
        kind: which correlation is the score; both are parts.
        seed: of the shared resamples.
        sign: -1 where a low human score is a good one.
        parts: further secondary scores.
    """
    reason = _undefined(closeness, found.gold)
    if reason:
        note = "; ".join(filter(None, (reason, found.note)))
        return unscored(measure, space, settings, seed=seed, note=note)
    gold = sign * found.gold
    counts = resamples(space.rows, seed)[:, found.pairs.row]
    both: dict[str, float | None] = {str(one): correlation(closeness, gold, one) for one in Kind}
    value = correlation(closeness, gold, kind)
    return resampled(
        measure, space, settings, seed=seed, value=value, replicates=correlations(closeness, gold, counts, kind),
        clusters=space.rows, n=len(found), parts={**both, **(parts or {})},
        items={
            "row": found.pairs.row.tolist(),
            "source": [space.source_units.text[n] for n in found.pairs.source],
            "target": [space.target_units.text[n] for n in found.pairs.target],
            "gold": found.gold.tolist(),
            "cosine": closeness.tolist(),
        },
        note=found.note,
    )  # fmt: skip


def _undefined(closeness: np.ndarray, gold: np.ndarray) -> str:
    """Why there is no correlation, or ""."""
    if len(gold) < LEAST:
        return f"a correlation needs at least {LEAST} scored pairs with vectors, got {len(gold)}"
    if np.ptp(gold) == 0:
        return f"all human scores are {gold[0]:g}, which nothing correlates with"
    if not np.isfinite(correlation(closeness, gold, Kind.PEARSON)):
        return "all pairs have the same cosine"
    return ""
