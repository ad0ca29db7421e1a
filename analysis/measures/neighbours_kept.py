"""Neighbours kept: do a language's words keep their neighbours when an encoder is aligned?"""

from dataclasses import dataclass
from typing import Annotated

from analysis.encoders.vectors import Unit
from analysis.measures._parts.moved import moved_units, told
from analysis.records import Result
from analysis.scoring import forgetting
from analysis.scoring.measure import Measure, Need
from analysis.scoring.space import TextSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class NeighboursKeptSettings:
    """Settings of neighbours kept."""

    k: Annotated[int, Setting("number of nearest other words that are compared", ge=1, le=1000)] = forgetting.NEIGHBOURS
    max_words: Annotated[
        int, Setting("more words than this are sampled, whole sentences at a time", ge=10, le=50_000)
    ] = 10_000


def compute(space: TextSpace, settings: NeighboursKeptSettings | None = None, *, seed: int = 0) -> Result:
    """Measure which share of each word's nearest other words, by cosine in the base, are nearest when aligned.

    Args:
        space: vectors of the same words in an aligned encoder and in its base, which may differ in width.
        settings: see `NeighboursKeptSettings`.
        seed: seed of the bootstrap over sentences.

    Returns:
        The mean share in percent: 100 where every neighbourhood is as it was, also under a rotation of everything.
        Parts: `k`, and `chance` for unrelated vectors. Items: every word with its share. No score for k + 1 words or
        fewer. Comparable only on one text and at one k.

    Raises:
        InputError: the space has no base.

    Source: Gonen et al. 2020, Simple, interpretable and stable method for detecting words with usage change across
    corpora, section 4 (size of the intersection of a word's neighbours in two spaces).
    """
    settings = settings or NeighboursKeptSettings()
    check(settings)
    units = moved_units(SPEC, space, settings.max_words)
    found = forgetting.neighbours_kept(units.base, units.aligned, settings.k, sentence=units.sentence, seed=seed)
    return told(SPEC, space, settings, found, units, seed=seed)


SPEC = Measure(
    name="neighbours_kept",
    title="Neighbours kept",
    summary="Which share of a word's nearest words in its own language are still its nearest after alignment.",
    unit="percent",
    higher_is_better=True,
    needs=Need.TEXT,
    unit_of=Unit.WORD,
    citation="Gonen et al. 2020, Simple, interpretable and stable method for detecting words with usage change, "
    "section 4",
    hides="Neighbours that were bad to begin with count like good ones, so a loss may be a gain; and most neighbours "
    "are other occurrences of the same word.",
    compute=compute,
    settings=NeighboursKeptSettings,
    needs_base=True,
)
