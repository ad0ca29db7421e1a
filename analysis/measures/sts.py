"""Semantic textual similarity: do pairs that people find alike lie close together?"""

from dataclasses import dataclass
from typing import Annotated

from analysis.encoders.vectors import Unit
from analysis.measures._parts.judged_pairs import correlated, cosines, scored_pairs
from analysis.records import Result
from analysis.scoring.correlation import Kind
from analysis.scoring.measure import Measure, Need, PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class StsSettings:
    """Settings of semantic textual similarity."""

    correlation: Annotated[
        str,
        Setting(
            "what the main score is; the other is a part",
            choices=("spearman", "pearson"),
            source="Reimers and Gurevych 2019, section 4: ranks, since a cosine need not be linear in likeness",
        ),
    ] = "spearman"


def compute(space: PairSpace, settings: StsSettings | None = None, *, seed: int = 0) -> Result:
    """Correlate the cosine of each sentence pair with the score people gave it.

    Published tables print this number times 100; here it is a correlation like any other, from -1 to 1.

    Args:
        space: sentence vectors of both sides, with human scores.
        settings: see `StsSettings`.
        seed: seed of the bootstrap over pairs.

    Returns:
        Spearman's correlation. Parts: Spearman's and Pearson's. Items: every pair with its score and its cosine.
        No score for fewer than three pairs, or where scores or cosines are all the same.

    Raises:
        InputError: other than sentence vectors, or no human scores.

    Source: Cer et al. 2017, SemEval-2017 task 1, section 2 (the data and their scale); Reimers and Gurevych 2019,
    Sentence-BERT, section 4 (cosine, Spearman).
    """
    settings = settings or StsSettings()
    check(settings)
    found = scored_pairs(SPEC, space)
    closeness = cosines(found.source, found.target)
    return correlated(SPEC, space, settings, found, closeness, Kind(settings.correlation), seed=seed)


SPEC = Measure(
    name="sts",
    title="Semantic similarity",
    summary="How well the cosine of two sentences follows the likeness that people see between them.",
    unit="[-1, 1]",
    higher_is_better=True,
    needs=Need.SCORES,
    unit_of=Unit.SENTENCE,
    citation="Cer et al. 2017, SemEval-2017 task 1: semantic textual similarity; Reimers and Gurevych 2019, section 4",
    hides="It ranks pairs within one file, so a whole language may lie far from the other unpunished; and the "
    "sentences of the translated sets are machine translations scored in English.",
    compute=compute,
    settings=StsSettings,
)
