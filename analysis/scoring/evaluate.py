"""From an encoder and data to a score: the one call behind command line, pages and Python."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder, Progress
from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Pool
from analysis.errors import InputError
from analysis.records import Result, interval
from analysis.registry import find
from analysis.scoring.measure import Material, Measure, fits
from analysis.scoring.spaces import Coder, base_of, make_spaces
from analysis.settings import fields, parse_settings


def evaluate(
    measure: str | Measure, encoder: Encoder, material: Material, *, layer: int | None = None, settings: Any = (),
    seed: int = 0, pool: Pool | str = Pool.MEAN, cache: bool = True, progress: Progress | None = None,
) -> Result:  # fmt: skip
    """Score an encoder on sentence pairs, judged pairs, many languages or one text, whatever the measure needs.

    Args:
        measure: a registered name or a measure.
        encoder: the encoder.
        material: the data, as `load_materials` reads them for the measure.
        layer: hidden layer; None means the last one, and for link measures the encoder's own choice.
        settings: a settings object of the measure, or `key=value` strings. Decoder and level of link measures
            that are not given are the encoder's own choice.
        seed: seed of the bootstrap.
        pool: how a unit's tokens become one vector.
        cache: whether to use the vector cache.
        progress: called with the number of tokens done and to do.

    Raises:
        InputError: unknown measure, setting or layer, or data or an encoder that lack what the measure needs.
    """
    measure = find("measures", measure) if isinstance(measure, str) else measure
    layer = default_layer(measure, encoder) if layer is None else layer
    return evaluate_layers(
        measure, encoder, material, layers=[layer], settings=settings, seed=seed, pool=pool, cache=cache,
        progress=progress,
    )[0]  # fmt: skip


def evaluate_layers(
    measure: Measure, encoder: Encoder, material: Material, *, layers: Sequence[int] | None = None,
    settings: Any = (), seed: int = 0, pool: Pool | str = Pool.MEAN, cache: bool = True,
    progress: Progress | None = None,
) -> list[Result]:  # fmt: skip
    """The measure at several layers, the text encoded once; `provenance["layer"]` says which is which.

    Args:
        measure: what to compute.
        encoder: the encoder.
        material: the data.
        layers: hidden layers; None means all.
        settings: see `evaluate`.
        seed: seed of the bootstrap; layers share resamples, so they compare as pairs.
        pool: how a unit's tokens become one vector.
        cache: whether to use the vector cache.
        progress: called with the number of tokens done and to do.

    Raises:
        InputError: unknown setting or layer, or data or an encoder that lack what the measure needs.
    """
    reason = fits(measure, material)
    if reason:
        raise InputError(f"{measure.name} does not fit {material.name}: {reason.removeprefix(material.name).strip()}")
    options = choose_settings(measure, encoder, settings)
    code = Coder(encoder.check_layers(layers), Pool(pool), cache, progress)
    base = base_of(encoder, load_encoder) if measure.needs_base else None
    spaces = make_spaces(measure, options, encoder, material, code, base=base)
    return [measure.compute(space, options, seed=seed) for space in spaces]


def choose_settings(measure: Measure, encoder: Encoder, settings: Any = ()) -> Any:
    """The measure's settings, gaps in decoder and level filled by the encoder's own choice.

    Args:
        measure: whose settings.
        encoder: its `link_defaults` fill the gaps.
        settings: a settings object, or `key=value` strings.

    Raises:
        InputError: unknown settings or values.
    """
    if not isinstance(settings, Sequence):
        return settings
    known = {field.name for field in fields(measure.settings)}
    given = {key: value for key, _, value in (pair.partition("=") for pair in settings)}
    stored = encoder.link_defaults
    pairs = list(settings)
    if "decoder" in known and "decoder" not in given:
        pairs.append(f"decoder={stored.decoder}")
    own = "decoder" in known and given.get("decoder", stored.decoder) == stored.decoder
    if own and stored.settings and "options" not in given:
        pairs.append("options=" + " ".join(f"{key}={value}" for key, value in stored.settings.items()))
    if "level" in known and "level" not in given:
        pairs.append(f"level={stored.level}")
    return parse_settings(measure.settings, pairs)


def default_layer(measure: Measure, encoder: Encoder) -> int:
    """The layer where none is given: the last, and for link measures the encoder's choice on development data."""
    link_measure = "level" in {field.name for field in fields(measure.settings)}
    return encoder.link_defaults.layer if link_measure else encoder.depth


def average(results: Sequence[Result]) -> Result:
    """The unweighted mean of several results, with the interval of the mean of their replicates.

    Results without a score are left out and counted in the note.

    Args:
        results: of one measure and one seed, at least one.
    """
    scored = [result for result in results if result.score is not None]
    note = "" if len(scored) == len(results) else f"{len(results) - len(scored)} of {len(results)} data have no score"
    if not scored:
        return replace(results[0], note=note)
    lows = [result for result in scored if result.low is not None]
    replicates = np.mean([result.replicates for result in lows], axis=0) if len(lows) == len(scored) else np.empty(0)
    low, high = interval(replicates) if len(replicates) else (None, None)
    shared = {
        key: value for key, value in scored[0].provenance.items()
        if all(result.provenance.get(key) == value for result in scored)
    }  # fmt: skip
    return replace(
        scored[0], score=float(np.mean([result.score for result in scored])), low=low, high=high,
        n=sum(result.n for result in scored), replicates=replicates, clusters=sum(r.clusters for r in scored),
        parts={}, items={}, provenance=shared, note=note,
    )  # fmt: skip
