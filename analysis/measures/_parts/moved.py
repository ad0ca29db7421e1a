"""What measures of an aligned encoder against its base share: the units to look at, and the result they make."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.records import Result
from analysis.scoring.measure import Measure, provenance
from analysis.scoring.samples import draw_rows
from analysis.scoring.space import TextSpace


@dataclass(frozen=True)
class Moved:
    """The units of a text in the base and in the aligned encoder.

    Attributes:
        base: (n, base dim) vectors of the base.
        aligned: (n, dim) vectors of the aligned encoder.
        sentence: (n,) sentence of each unit.
        text: surface of each unit.
        note: what was left out, or "".
    """

    base: np.ndarray
    aligned: np.ndarray
    sentence: np.ndarray
    text: tuple[str, ...]
    note: str


def moved_units(measure: Measure, space: TextSpace, limit: int) -> Moved:
    """The units of a text, or those of whole sentences drawn at random where there are more than `limit`.

    Args:
        measure: who asks, for messages.
        space: vectors of an aligned encoder and of its base.
        limit: most units. The sample does not depend on the encoder or on a seed: the share of neighbours depends
            on how many units there are and which.

    Raises:
        InputError: there is no base.
    """
    if space.base_vectors is None:
        raise InputError(f"{measure.name} compares an aligned encoder with its base; use one that has a base")
    rows = draw_rows(np.bincount(space.units.sentence, minlength=space.rows), limit, 0)
    index = np.flatnonzero(np.isin(space.units.sentence, rows))[:limit]
    units = space.units.take(index)
    note = "" if len(index) == len(space.units) else f"a sample of {len(index):,} of {len(space.units):,} {space.unit}s"
    return Moved(space.base_vectors[index], space.vectors[index], units.sentence, units.text, note)


def told(
    measure: Measure, space: TextSpace, settings: Any, found: Result, units: Moved, *, seed: int,
    parts: Mapping[str, float | int | None] | None = None,
) -> Result:  # fmt: skip
    """The result of a function of `forgetting` as that of a registered measure.

    Args:
        measure: the measure that is computed.
        space: what it is computed on.
        settings: its settings, for provenance.
        found: score and interval; its items are one value a unit.
        units: whose units they are.
        seed: seed of the bootstrap.
        parts: further secondary scores.
    """
    items = {"sentence": units.sentence.tolist(), str(space.unit): list(units.text), **found.items}
    return replace(
        found, measure=measure.name, items=items if found.items else {}, parts={**found.parts, **(parts or {})},
        clusters=found.clusters or space.rows, provenance=provenance(space, settings, seed),
        note="; ".join(filter(None, (units.note, found.note))),
    )  # fmt: skip
