"""Word in context: does a word's vector tell whether it has the same sense in two sentences?"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit, Units
from analysis.errors import InputError
from analysis.measures._parts.judged_pairs import cosines
from analysis.measures._parts.thresholds import fold_thresholds, percent_auc
from analysis.neighbours.rows import has_direction
from analysis.records import Result, percent
from analysis.scoring.measure import Measure, Need, PairSpace, require_unit, scored, unscored
from analysis.scoring.pairs import require_links, sum_rows
from analysis.settings import Setting, check

FOLDS = "folds"


@dataclass(frozen=True)
class WordInContextSettings:
    """Settings of word in context."""

    threshold: Annotated[
        str,
        Setting(
            "cosine above which two words have one sense: folds chooses it for each fold of pairs on the others; a "
            "number (from -1 to 1), perhaps chosen on dev, is used as it is",
            source="Pilehvar and Camacho-Collados 2019, section 5 (threshold tuned apart from the test set)",
        ),
    ] = FOLDS
    folds: Annotated[int, Setting("number of folds of threshold=folds", ge=2, le=100)] = 10


def compute(space: PairSpace, settings: WordInContextSettings | None = None, *, seed: int = 0) -> Result:
    """Say "same sense" where the cosine of the two marked words is above a threshold; nothing is trained.

    The main score is accuracy, since that is what is published for these data; it needs a threshold, which never
    sees the fold it is scored on. The part `auc` needs none: the share of (same, different) pairs of rows in which
    the same-sense row is closer. Where the two disagree, the encoder knows more than one threshold can use.

    Args:
        space: vectors of the marked words, of one language twice or of two.
        settings: see `WordInContextSettings`.
        seed: seed of the folds and of the bootstrap over rows, in which thresholds are held fixed.

    Returns:
        Accuracy in percent; the data are balanced, so chance is 50. Parts: `auc` (percent, chance 50), `threshold`
        (mean over the folds), `chance` (share of the larger class, percent). Items: every row with its cosine and
        what was said. A row whose word has no vector counts as wrong and is left out of `auc`.

    Raises:
        InputError: other than word vectors, no marks or judgements, or a threshold that is no number.

    Source: Martelli et al. 2021, SemEval-2021 task 2: multilingual and cross-lingual word-in-context disambiguation
    (MCL-WiC), section 3; Pilehvar and Camacho-Collados 2019, WiC: the word-in-context dataset, section 5.
    """
    settings = settings or WordInContextSettings()
    check(settings)
    fixed = _fixed(settings.threshold)
    require_unit(SPEC, space, Unit.WORD)
    if space.scores is None:
        raise InputError(f"{SPEC.name} needs words judged for sense; use a set such as set:mcl_wic:en-en:dev")
    closeness = _closeness(space)
    same, known = space.scores > 0.5, np.isfinite(closeness)
    if not known.any():
        return unscored(SPEC, space, settings, seed=seed, note="no row has a vector of both marked words")
    if fixed is None and (known.sum() < 2 or len(set(same[known])) < 2):
        return unscored(SPEC, space, settings, seed=seed, note="a threshold needs rows of one sense and of two")
    thresholds = np.full(space.rows, np.nan if fixed is None else fixed)
    if fixed is None:
        thresholds[known] = fold_thresholds(closeness[known], same[known], settings.folds, seed)
    said = closeness > thresholds
    right = known & (said == same)
    lost = int(np.sum(~known))
    rows = np.arange(space.rows)
    return scored(
        SPEC, space, settings, seed=seed, sums=sum_rows(rows, [np.ones(len(rows)), right.astype(float)], space.rows),
        score=percent, n=space.rows,
        parts={
            "auc": percent_auc(closeness[known], same[known]), "threshold": float(thresholds[known].mean()),
            "chance": float(100 * max(same.mean(), 1 - same.mean())),
        },
        items={
            "row": rows.tolist(), "source": _marked(space.source_units, space.rows),
            "target": _marked(space.target_units, space.rows),
            "cosine": [float(value) if ok else None for value, ok in zip(closeness, known, strict=True)],
            "same": same.tolist(), "said": [bool(value) if ok else None for value, ok in zip(said, known, strict=True)],
            "right": right.tolist(),
        },
        note=f"{lost:,} of {space.rows:,} rows have a word without a vector and count as wrong" if lost else "",
    )  # fmt: skip


def _fixed(threshold: str) -> float | None:
    """The threshold that was given, None where it is chosen on folds.

    Raises:
        InputError: neither a cosine nor `folds`.
    """
    if str(threshold).strip() == FOLDS:
        return None
    try:
        value = float(threshold)
    except ValueError:
        value = math.nan
    if not -1 <= value <= 1:
        raise InputError(f"threshold={threshold!r} is no cosine; valid: {FOLDS}, or a number from -1 to 1")
    return value


def _closeness(space: PairSpace) -> np.ndarray:
    """(rows,) cosine of the marked words, NaN where one has no vector."""
    marks = require_links(space)
    ends = [{(row, link[side]) for row, pair in enumerate(marks) for link in pair.possible} for side in (0, 1)]
    left = _means(space.source, space.source_units, ends[0], space.rows)
    right = _means(space.target, space.target_units, ends[1], space.rows)
    return np.where(has_direction(left) & has_direction(right), cosines(left, right), np.nan)


def _means(vectors: np.ndarray, units: Units, marked: set[tuple[int, int]], rows: int) -> np.ndarray:
    """(rows, dim) mean vector of each row's marked pieces that have one; zeros where none has."""
    where = zip(units.sentence.tolist(), units.position.tolist(), strict=True)
    chosen = np.array([place in marked for place in where], dtype=bool) & has_direction(vectors)
    sums = np.zeros((rows, vectors.shape[1]))
    np.add.at(sums, units.sentence[chosen], vectors[chosen])
    counts = np.bincount(units.sentence[chosen], minlength=rows)
    return sums / np.maximum(counts, 1)[:, None]


def _marked(units: Units, rows: int) -> list[str]:
    """The marked word of each row, its pieces joined."""
    found: list[list[str]] = [[] for _ in range(rows)]
    for row, text in zip(units.sentence, units.text, strict=True):
        found[row].append(text)
    return [" ".join(pieces) for pieces in found]


SPEC = Measure(
    name="word_in_context",
    title="Word in context",
    summary="How often the closeness of a word's two vectors tells whether it has one sense or two.",
    unit="percent",
    higher_is_better=True,
    needs=Need.SENSES,
    unit_of=Unit.WORD,
    citation="Martelli et al. 2021, SemEval-2021 task 2 (MCL-WiC), section 3; Pilehvar and Camacho-Collados 2019",
    hides="One threshold for all words punishes an encoder whose words differ in how far their senses lie apart; "
    "trained systems score far higher, so it is no measure of what could be learned.",
    compute=compute,
    settings=WordInContextSettings,
)
