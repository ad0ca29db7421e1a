"""Drift: how far an aligned encoder has turned its base's vectors."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.moved import moved_units, told
from analysis.records import Result
from analysis.scoring import forgetting
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.space import TextSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class DriftSettings:
    """Settings of drift."""

    max_words: Annotated[
        int, Setting("more words than this are sampled, whole sentences at a time", ge=10, le=1_000_000)
    ] = 100_000


def compute(space: TextSpace, settings: DriftSettings | None = None, *, seed: int = 0) -> Result:
    """Measure how far each word of a text has turned: 1 - cosine of its vector in the base and when aligned.

    Args:
        space: vectors of the same words in an aligned encoder and in its base.
        settings: see `DriftSettings`.
        seed: seed of the bootstrap over sentences.

    Returns:
        The mean, 0 where nothing moved, 1 for unrelated directions. Parts: `median`, and `most` (of any word).
        Items: every word with its drift. No score where the two encoders differ in width.

    Raises:
        InputError: the space has no base.

    Source: Hamilton, Leskovec and Jurafsky 2016, Cultural shift or linguistic drift?, section 2 (the global measure:
    cosine distance of a word's two vectors; there after a rotation, here without one).
    """
    settings = settings or DriftSettings()
    check(settings)
    units = moved_units(SPEC, space, settings.max_words)
    widths = units.base.shape[1], units.aligned.shape[1]
    if widths[0] != widths[1]:
        why = f"base and aligned encoder are {widths[0]} and {widths[1]} wide, which no angle compares"
        return unscored(SPEC, space, settings, seed=seed, note=why)
    found = forgetting.drift(units.base, units.aligned, sentence=units.sentence, seed=seed)
    known = [value for value in found.items.get("drift", ()) if value is not None]
    parts = {"median": float(np.median(known)), "most": max(known)} if known else {}
    return told(SPEC, space, settings, found, units, seed=seed, parts=parts)


SPEC = Measure(
    name="drift",
    title="Drift",
    summary="How far alignment has turned a language's words away from where the base encoder had them.",
    unit="[0, 2]",
    higher_is_better=False,
    needs=Need.TEXT,
    unit_of=Unit.WORD,
    citation="Hamilton, Leskovec and Jurafsky 2016, Cultural shift or linguistic drift?, section 2",
    hides="It cannot tell harm from a common rotation, which moves everything and loses nothing: read it beside "
    "neighbours_kept.",
    compute=compute,
    settings=DriftSettings,
    needs_base=True,
)
