"""From an encoder and sentence pairs to a score: the one call behind command line, pages and Python."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder, Progress
from analysis.errors import InputError
from analysis.measures.measure import Measure, fits, pair_space
from analysis.records import Result, interval
from analysis.registry import find
from analysis.settings import fields, parse_settings
from analysis.text.corpus import Bitext


def evaluate(
    measure: str | Measure, encoder: Encoder, bitext: Bitext, *, layer: int | None = None, settings: Any = (),
    seed: int = 0, cache: bool = True, progress: Progress | None = None,
) -> Result:  # fmt: skip
    """Score an encoder on sentence pairs.

    Args:
        measure: a registered name or a measure.
        encoder: the encoder.
        bitext: the sentence pairs.
        layer: hidden layer; None means the last one, and for link measures the encoder's own choice.
        settings: a settings object of the measure, or `key=value` strings. Decoder and level of link measures
            that are not given are the encoder's own choice.
        seed: seed of the bootstrap.
        cache: whether to use the vector cache.
        progress: called with the number of tokens done and to do.

    Raises:
        InputError: unknown measure, setting or layer, or data that lack what the measure needs.
    """
    measure = find("measures", measure) if isinstance(measure, str) else measure
    reason = fits(measure, bitext)
    if reason:
        raise InputError(f"{measure.name} does not fit {bitext.name}: {reason.removeprefix(bitext.name).strip()}")
    options = choose_settings(measure, encoder, settings)
    (layer,) = encoder.check_layers([default_layer(measure, encoder) if layer is None else layer])
    unit = measure.unit_for(bitext, options)
    source, target = (
        encoder.vectors(side, unit=unit, layers=[layer], cache=cache, progress=progress)
        for side in (bitext.source, bitext.target)
    )
    return measure.compute(pair_space(source, target, layer=layer, bitext=bitext), options, seed=seed)


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
    link_measure = "decoder" in {field.name for field in fields(measure.settings)}
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
