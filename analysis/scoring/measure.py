"""What a measure is, whether it fits some data, and how its result is made."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from analysis.encoders.vectors import Unit, Vectors
from analysis.errors import InputError
from analysis.records import Result, bootstrap
from analysis.scoring.space import PairSpace, Space, pair_space
from analysis.settings import NoSettings
from analysis.text.corpus import Bitext, Relation
from analysis.text.multitext import Multitext, Text

NO_LINKS = "no word links: pass --links FILE or choose data that has them"


class Need(StrEnum):
    """What the data must have for a measure."""

    PAIRS = "sentence pairs"
    LINKS = "word links"
    SCORES = "sentence pairs with human scores"
    SENSES = "marked words in two sentences, of one sense or not"
    QUESTIONS = "questions with the paragraphs that answer them"
    MANY = "the same rows in several languages"
    TEXT = "text in one language"


RELATIONS = {
    Need.PAIRS: Relation.TRANSLATION,
    Need.LINKS: Relation.TRANSLATION,
    Need.SCORES: Relation.SCORED,
    Need.SENSES: Relation.SENSE,
    Need.QUESTIONS: Relation.ANSWER,
}
Material = Bitext | Multitext | Text


@dataclass(frozen=True)
class Measure:
    """A registered measure of how well languages line up, or of what that cost.

    Attributes:
        name: name on the command line.
        title: name on a page.
        summary: one sentence on what it measures.
        unit: `percent`, or the name of a scale such as `[-1, 1]`.
        higher_is_better: direction; None where neither end is better.
        needs: what the data must have. It decides the space: `ManySpace` for MANY, `TextSpace` for TEXT, else
            `PairSpace`.
        unit_of: the unit whose vectors it looks at.
        citation: paper it comes from.
        hides: one line on what it does not show.
        compute: `compute(space, settings, *, seed)` gives the result; settings None means the defaults. Where
            the data allow no score the result has none and its note says why; the only error is InputError,
            for missing needs or bad settings.
        settings: the settings class.
        needs_base: whether it compares an aligned encoder with its base (only for `Need.TEXT`).
        needs_head: whether it needs a masked-LM head (only for `Need.TEXT`).
        has_floor: whether exchanging the vectors of a side among its units destroys what it measures, so that this is
            its floor and a text against itself its ceiling. A measure that looks at which vectors there are has none.
    """

    name: str
    title: str
    summary: str
    unit: str
    higher_is_better: bool | None
    needs: Need
    unit_of: Unit
    citation: str
    hides: str
    compute: Callable[..., Result]
    settings: type = NoSettings
    needs_base: bool = False
    needs_head: bool = False
    has_floor: bool = True

    def unit_for(self, material: Material, settings: Any = None) -> Unit:
        """The unit to encode for this data.

        The `level` of the settings where there is one (link measures); sentences where a measure of words
        can do without links and there are none; else `unit_of`.
        """
        level = getattr(settings, "level", None)
        if level is not None:
            return Unit(level)
        if self.needs is Need.PAIRS and isinstance(material, Bitext) and material.links is None:
            return Unit.SENTENCE
        return self.unit_of


def fits(measure: Measure, material: Material) -> str:
    """Why a measure cannot be computed on this data, or "" if it can: pages ask before they offer it."""
    if not len(material):
        return f"{material.name} has no {'sentence pairs' if isinstance(material, Bitext) else 'sentences'}"
    if measure.needs is Need.MANY:
        many = isinstance(material, Multitext) and len(material.languages) > 1
        return "" if many else f"{material.name} is not {Need.MANY}"
    if measure.needs is Need.TEXT:
        return "" if isinstance(material, Text) else f"{material.name} is not {Need.TEXT}"
    if not isinstance(material, Bitext) or material.relation is not RELATIONS[measure.needs]:
        return f"{material.name} holds no {measure.needs}"
    if measure.needs is Need.LINKS and not any(pair.possible for pair in material.links or ()):
        return NO_LINKS
    return ""


def layer_curve(
    measure: Measure, source: Vectors, target: Vectors, bitext: Bitext, settings: Any = None, *, seed: int = 0
) -> list[Result]:
    """The measure at every computed layer, in order of layer; `provenance["layer"]` says which is which.

    Args:
        measure: what to compute.
        source: vectors of `bitext.source` at some layers.
        target: vectors of `bitext.target` at the same layers.
        bitext: the sentence pairs.
        settings: settings of the measure, its defaults if None.
        seed: seed of the bootstrap; layers share resamples, so neighbouring layers compare as pairs.

    Raises:
        InputError: missing needs, or bad settings.
    """
    spaces = (pair_space(source, target, layer=layer, bitext=bitext) for layer in source.layers)
    return [measure.compute(space, settings, seed=seed) for space in spaces]


def scored(
    measure: Measure,
    space: Space,
    settings: Any,
    *,
    seed: int,
    sums: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    n: int,
    parts: Mapping[str, float | int | None],
    items: Mapping[str, Any],
    note: str = "",
) -> Result:
    """A result whose score is a function of sums over sentences, with its bootstrap interval.

    Args:
        measure: the measure that was computed.
        space: what it was computed on.
        settings: its settings, for provenance.
        seed: seed of the resampling plan.
        sums: (rows, k) per-sentence counts.
        score: maps (..., k) summed counts to scores, NaN where undefined.
        n: number of scored items.
        parts: secondary scores.
        items: the table behind the score.
        note: what the reader of the number must see.
    """
    point, low, high, replicates = bootstrap(np.asarray(sums, dtype=np.float64), score, seed=seed)
    if len(sums) < 2:
        note = "; ".join(filter(None, (note, "one sentence pair gives no interval")))
    known = len(sums) > 1 and np.isfinite(low)
    return Result(
        measure.name, point, low if known else None, high if known else None, n, measure.unit,
        measure.higher_is_better, replicates, len(sums), parts, items, provenance(space, settings, seed), note,
    )  # fmt: skip


def unscored(measure: Measure, space: Space, settings: Any, *, seed: int, note: str) -> Result:
    """A result without a score, because the data allow none."""
    origin = provenance(space, settings, seed)
    return Result(
        measure.name, None, None, None, 0, measure.unit, measure.higher_is_better,
        clusters=space.rows, provenance=origin, note=note,
    )  # fmt: skip


def provenance(space: Space, settings: Any, seed: int) -> dict[str, Any]:
    """Where a number came from: the space's provenance, the settings and the seed."""
    return {**space.provenance, "settings": asdict(settings), "seed": seed}


def require_unit(measure: Measure, space: PairSpace, *units: Unit) -> None:
    """Raise unless the space holds vectors of one of these units.

    Raises:
        InputError: it holds others.
    """
    if space.unit not in units:
        raise InputError(f"{measure.name} needs vectors of {' or '.join(units)} units, got {space.unit}")
