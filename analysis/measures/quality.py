"""Quality estimation without training: is a translation close to its source when people say it is good?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.judged_pairs import ScoredPairs, correlated, cosines, scored_pairs
from analysis.records import Result
from analysis.scoring.correlation import Kind, correlation
from analysis.scoring.measure import Measure, Need, PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class QualitySettings:
    """Settings of quality estimation."""

    correlation: Annotated[
        str,
        Setting(
            "what the main score is; the other is a part",
            choices=("pearson", "spearman"),
            source="Libovický, Rosa and Fraser 2020, section 4",
        ),
    ] = "pearson"
    centre: Annotated[
        bool,
        Setting(
            "subtract from each side the mean of the file's sentences in that language before the cosine",
            source="Libovický, Rosa and Fraser 2020, section 3",
        ),
    ] = False
    scores: Annotated[
        str,
        Setting(
            "what a high human score means: quality (direct assessment) or error (HTER, the share of words to edit)",
            choices=("quality", "error"),
        ),
    ] = "quality"


def compute(space: PairSpace, settings: QualitySettings | None = None, *, seed: int = 0) -> Result:
    """Correlate the cosine of source and machine translation with the human judgement of the translation.

    Args:
        space: sentence vectors of both sides, with human scores.
        settings: see `QualitySettings`. Centring uses the sentences that are scored themselves; their mean is held
            fixed in the bootstrap.
        seed: seed of the bootstrap over pairs.

    Returns:
        Pearson's correlation, higher is better also for `scores=error`, whose sign is turned. Parts: Spearman's and
        Pearson's, and the main one with and without centring. Items: every pair with its score and its cosine. No
        score for fewer than three pairs, or where scores or cosines are all the same.

    Raises:
        InputError: other than sentence vectors, or no human scores.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations,
    section 4 (quality estimation by the cosine of source and translation, Pearson with HTER).
    """
    settings = settings or QualitySettings()
    check(settings)
    found = scored_pairs(SPEC, space)
    kind, sign = Kind(settings.correlation), -1 if settings.scores == "error" else 1
    both = {False: cosines(found.source, found.target), True: _centred(found)}
    parts: dict[str, float | None] = {
        name: correlation(both[centre], sign * found.gold, kind) if len(found) else None
        for name, centre in (("plain", False), ("centred", True))
    }
    return correlated(SPEC, space, settings, found, both[settings.centre], kind, seed=seed, sign=sign, parts=parts)


def _centred(found: ScoredPairs) -> np.ndarray:
    """The cosines after each side's mean over the file was subtracted."""
    if not len(found):
        return cosines(found.source, found.target)
    return cosines(found.source - found.source.mean(axis=0), found.target - found.target.mean(axis=0))


SPEC = Measure(
    name="quality",
    title="Quality estimation",
    summary="How well the cosine of a sentence and its machine translation follows the quality people see in it.",
    unit="[-1, 1]",
    higher_is_better=True,
    needs=Need.SCORES,
    unit_of=Unit.SENTENCE,
    citation="Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations, "
    "section 4",
    hides="Sentence length and rare names alone predict part of the quality, and one file has one system's errors: "
    "it does not show that the encoder sees what is wrong.",
    compute=compute,
    settings=QualitySettings,
)
