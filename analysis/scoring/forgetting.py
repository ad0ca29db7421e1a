"""Forgetting: how far an aligned encoder has moved a language's vectors, and whether their neighbourhoods survive.

The two cores, `drift_of` and `kept_share`, take plain arrays and are cheap enough to be called while training.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.neighbours.exact import nearest
from analysis.neighbours.rows import has_direction, normalise_rows
from analysis.records import Result, bootstrap
from analysis.scoring.pairs import sum_rows

NEIGHBOURS = 10


def drift_of(base: np.ndarray, aligned: np.ndarray) -> np.ndarray:
    """How far each unit has turned: 1 - cosine of its base vector and its aligned vector.

    Args:
        base: (n, dim) vectors of the base encoder; not changed.
        aligned: (n, dim) vectors of the same units in the aligned encoder; not changed.

    Returns:
        (n,) float64 in [0, 2], exactly 0 for equal rows; NaN where one side has no direction (all zeros).

    Raises:
        InputError: the two differ in shape.
    """
    _check_rows(base, aligned)
    if base.shape != aligned.shape:
        raise InputError(f"drift compares vectors of one width, got {base.shape[1]} and {aligned.shape[1]}")
    # Half the squared distance of unit rows is 1 - cosine, without its rounding near 0.
    apart = normalise_rows(base).astype(np.float64) - normalise_rows(aligned)
    return np.where(_usable(base, aligned), np.einsum("nd,nd->n", apart, apart) / 2, np.nan)


def kept_share(base: np.ndarray, aligned: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """The share of each unit's k nearest other units in the base that are among its k nearest when aligned.

    Closeness is cosine; ties go to the lowest index on both sides. Units that lack a direction on one side are
    neither asked nor found. All units should be of one language and one set, since neighbours are sought among them.

    Args:
        base: (n, dim) vectors of the base encoder; not changed.
        aligned: (n, any dim) vectors of the same units in the aligned encoder; not changed.
        k: number of neighbours, at least 1.

    Returns:
        (n,) float64 in [0, 1]; NaN for units without a direction, and for all units where no more than k + 1 have
        one: then every other unit is a neighbour on both sides and the share would say nothing.

    Raises:
        InputError: k below 1, or the two do not have the same units.
    """
    if k < 1:
        raise InputError(f"k={k} is out of range; valid: at least 1")
    _check_rows(base, aligned)
    shares = np.full(len(base), np.nan)
    usable = np.flatnonzero(_usable(base, aligned))
    if len(usable) <= k + 1:
        return shares
    before, after = (_others(vectors[usable], k) for vectors in (base, aligned))
    shares[usable] = (before[:, :, None] == after[:, None, :]).any(axis=2).mean(axis=1)
    return shares


def drift(
    base: np.ndarray, aligned: np.ndarray, *, sentence: np.ndarray | None = None, seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> Result:  # fmt: skip
    """Mean drift of units, with an interval over sentences.

    Args:
        base: (n, dim) vectors of the base encoder.
        aligned: (n, dim) vectors of the same units in the aligned encoder.
        sentence: (n,) number of the sentence each unit stands in; None where each row is a sentence.
        seed: seed of the bootstrap over sentences.
        provenance: where the vectors came from.

    Returns:
        Mean of 1 - cosine, 0 where nothing moved; lower is better. It cannot tell harm from a common rotation,
        which moves everything and loses nothing: read it beside `neighbours_kept`. Items: `drift` of each unit.

    Raises:
        InputError: the two differ in shape.
    """
    values = drift_of(base, aligned)
    note = "" if np.isfinite(values).any() else "no unit has a vector in both encoders"
    return _mean(
        "drift", values, sentence, seed, provenance, note, column="drift", unit="[0, 2]", factor=1, higher=False
    )


def neighbours_kept(
    base: np.ndarray, aligned: np.ndarray, k: int = NEIGHBOURS, *, sentence: np.ndarray | None = None, seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> Result:  # fmt: skip
    """Mean share of the k nearest neighbours that survive alignment, in percent, with an interval over sentences.

    Args:
        base: (n, dim) vectors of the base encoder, all of one language and set.
        aligned: (n, any dim) vectors of the same units in the aligned encoder.
        k: number of neighbours.
        sentence: (n,) number of the sentence each unit stands in; None where each row is a sentence.
        seed: seed of the bootstrap over sentences.
        provenance: where the vectors came from.

    Returns:
        100 where every neighbourhood is as it was, also under a rotation of everything; about 100 k / n for
        unrelated vectors (part `chance`). No score for k + 1 units or fewer. Comparable only at one n and k. Items: the
        share `kept` of each unit.

    Raises:
        InputError: k below 1, or the two do not have the same units.
    """
    values = kept_share(base, aligned, k)
    usable = int(np.isfinite(values).sum())
    have = int(_usable(base, aligned).sum())
    note = "" if usable else f"{k} neighbours need more than {k + 1} units with vectors, got {have}"
    parts = {"k": k, "chance": 100 * k / (usable - 1) if usable else None}
    return _mean(
        "neighbours_kept",
        values,
        sentence,
        seed,
        provenance,
        note,
        column="kept",
        unit="percent",
        factor=100,
        higher=True,
        parts=parts,
    )


def mean_result(
    measure: str, sums: np.ndarray, score: Callable[[np.ndarray], np.ndarray], *, n: int, unit: str, higher: bool,
    seed: int, parts: Mapping[str, float | int | None] | None = None, provenance: Mapping[str, Any] | None = None,
    note: str = "", items: Mapping[str, Any] | None = None,
) -> Result:  # fmt: skip
    """A result from sums over sentences, without a pair of languages behind it.

    Args:
        measure: name of what was measured.
        sums: (sentences, columns) sums over each sentence.
        score: maps (..., columns) summed columns to scores.
        n: number of scored items.
        unit: `percent`, or the name of a scale.
        higher: whether higher is better.
        seed: seed of the bootstrap over sentences; one seed and one set of sentences make results paired.
        parts: secondary scores.
        provenance: where the vectors came from.
        note: what the reader of the number must see.
        items: the table behind the score.
    """
    point, low, high, replicates = bootstrap(np.asarray(sums, dtype=np.float64), score, seed=seed)
    known = len(sums) > 1 and np.isfinite(low)
    note = note if known else "; ".join(filter(None, (note, "one sentence gives no interval")))
    return Result(
        measure, point, low if known else None, high if known else None, n, unit, higher, replicates, len(sums),
        parts or {}, items or {}, {**(provenance or {}), "seed": seed}, note,
    )  # fmt: skip


def _mean(
    measure: str, values: np.ndarray, sentence: np.ndarray | None, seed: int, provenance: Mapping[str, Any] | None,
    note: str, *, column: str, unit: str, factor: float, higher: bool,
    parts: Mapping[str, float | int | None] | None = None,
) -> Result:  # fmt: skip
    """The mean of the finite values, resampled by sentence."""
    known = np.isfinite(values)
    if not known.any():
        origin = {**(provenance or {}), "seed": seed}
        return Result(measure, None, None, None, 0, unit, higher, parts=parts or {}, provenance=origin, note=note)
    rows = np.arange(len(values)) if sentence is None else np.asarray(sentence)
    if rows.shape != values.shape:
        raise InputError(f"{measure} needs the sentence of each of {len(values)} units, got {rows.shape[0]}")
    present, row = np.unique(rows[known], return_inverse=True)
    sums = sum_rows(row, [np.ones(len(row)), values[known]], len(present))
    lost = int(np.sum(~known))
    if lost:
        note = "; ".join(filter(None, (note, f"{lost:,} of {len(values):,} units have no vector and are left out")))

    def score(summed: np.ndarray) -> np.ndarray:
        """Mean of the values."""
        return factor * summed[..., 1] / summed[..., 0]

    return mean_result(
        measure, sums, score, n=len(row), unit=unit, higher=higher, seed=seed, parts=parts, provenance=provenance,
        note=note, items={column: [float(value) if np.isfinite(value) else None for value in factor * values]},
    )  # fmt: skip


def _others(vectors: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other rows of each row: (n, k) indices."""
    found = nearest(vectors, vectors, k=k + 1).indices
    itself = found == np.arange(len(vectors))[:, None]
    # Where more than k copies of a row stand before it, it is not among its own neighbours: drop the last instead.
    itself[~itself.any(axis=1), -1] = True
    return found[~itself].reshape(len(vectors), k)


def _usable(base: np.ndarray, aligned: np.ndarray) -> np.ndarray:
    """Which units have a direction on both sides."""
    return has_direction(base) & has_direction(aligned)


def _check_rows(base: np.ndarray, aligned: np.ndarray) -> None:
    """Raise unless both sides are vectors of the same number of units."""
    if base.ndim != 2 or aligned.ndim != 2 or len(base) != len(aligned):
        raise InputError(f"base {base.shape} and aligned {aligned.shape} must be (n, dim) vectors of the same n units")
