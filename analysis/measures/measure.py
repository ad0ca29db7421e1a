"""What a measure is, the vectors of both sides that it looks at, and the curve of a measure over layers."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np

from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.errors import InputError
from analysis.records import Result, bootstrap, versions
from analysis.settings import NoSettings
from analysis.text.corpus import Bitext
from analysis.text.pharaoh import Links

NO_LINKS = "no word links: pass --links FILE or choose data that has them"


class Need(StrEnum):
    """What the data must have for a measure."""

    PAIRS = "sentence pairs"
    LINKS = "word links"


@dataclass(frozen=True)
class PairSpace:
    """Both sides of sentence pairs as vectors of one encoder at one layer.

    Attributes:
        source: (units_a, dim) vectors of the first language; a unit without subwords is a row of zeros.
        source_units: whose vectors they are; `sentence` is the row of the pair.
        target: (units_b, dim) vectors of the second language.
        target_units: whose vectors they are.
        rows: number of sentence pairs.
        links: known word links, one `Links` a row, or None.
        languages: tags of the two sides.
        unit: word, subword or sentence.
        provenance: data and its hash, encoder, revision, layer, pooling, unit, versions.
    """

    source: np.ndarray
    source_units: Units
    target: np.ndarray
    target_units: Units
    rows: int
    links: tuple[Links, ...] | None = None
    languages: tuple[str, str] = ("und", "und")
    unit: Unit = Unit.WORD
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """A registered measure of how well two languages line up.

    Attributes:
        name: name on the command line.
        title: name on a page.
        summary: one sentence on what it measures.
        unit: `percent`, or the name of a scale such as `[-1, 1]`.
        higher_is_better: direction.
        needs: what the data must have.
        unit_of: the unit whose vectors it looks at.
        citation: paper it comes from.
        hides: one line on what it does not show.
        compute: `compute(space, settings, *, seed)` gives the result; settings None means the defaults. Where
            the data allow no score the result has none and its note says why; the only error is InputError,
            for missing needs or bad settings.
        settings: the settings class.
    """

    name: str
    title: str
    summary: str
    unit: str
    higher_is_better: bool
    needs: Need
    unit_of: Unit
    citation: str
    hides: str
    compute: Callable[..., Result]
    settings: type = NoSettings

    def unit_for(self, bitext: Bitext, settings: Any = None) -> Unit:
        """The unit to encode for this data.

        The `level` of the settings where there is one (link measures); sentences where a measure of words
        can do without links and there are none; else `unit_of`.
        """
        level = getattr(settings, "level", None)
        if level is not None:
            return Unit(level)
        if self.needs is Need.PAIRS and bitext.links is None:
            return Unit.SENTENCE
        return self.unit_of


def fits(measure: Measure, bitext: Bitext) -> str:
    """Why a measure cannot be computed on this data, or "" if it can: pages ask before they offer it."""
    if not len(bitext):
        return f"{bitext.name} has no sentence pairs"
    if measure.needs is Need.LINKS and not any(pair.possible for pair in bitext.links or ()):
        return NO_LINKS
    return ""


def pair_space(source: Vectors, target: Vectors, *, layer: int, bitext: Bitext) -> PairSpace:
    """The vectors of both sides of a bitext at one layer.

    Args:
        source: vectors of `bitext.source`, encoded in its order.
        target: vectors of `bitext.target`, of the same unit and encoder.
        layer: one of the computed layers.
        bitext: the sentence pairs.

    Raises:
        InputError: the layer was not computed, or the sides are of different units.
    """
    if source.unit != target.unit:
        raise InputError(f"source vectors are of {source.unit}s and target vectors of {target.unit}s; use one unit")
    provenance = {
        "data": bitext.name, "data_sha256": bitext.digest, "languages": list(bitext.languages),
        "links_origin": bitext.links_origin, "encoder": source.encoder, "revision": source.revision,
        "layer": layer, "pool": str(source.pool), "unit": str(source.unit), "versions": _versions(),
    }  # fmt: skip
    return PairSpace(
        source.layer(layer), source.units, target.layer(layer), target.units,
        len(bitext), bitext.links, bitext.languages, source.unit, provenance,
    )  # fmt: skip


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
    space: PairSpace,
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


def unscored(measure: Measure, space: PairSpace, settings: Any, *, seed: int, note: str) -> Result:
    """A result without a score, because the data allow none."""
    origin = provenance(space, settings, seed)
    return Result(
        measure.name, None, None, None, 0, measure.unit, measure.higher_is_better,
        clusters=space.rows, provenance=origin, note=note,
    )  # fmt: skip


def provenance(space: PairSpace, settings: Any, seed: int) -> dict[str, Any]:
    """Where a number came from: the space's provenance, the settings and the seed."""
    return {**space.provenance, "settings": asdict(settings), "seed": seed}


def require_unit(measure: Measure, space: PairSpace, *units: Unit) -> None:
    """Raise unless the space holds vectors of one of these units.

    Raises:
        InputError: it holds others.
    """
    if space.unit not in units:
        raise InputError(f"{measure.name} needs vectors of {' or '.join(units)} units, got {space.unit}")


@cache
def _versions() -> dict[str, str]:
    """Package versions, looked up once."""
    return versions()
