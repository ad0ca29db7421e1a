"""From an encoder and data to the spaces a measure looks at, each text encoded once for all layers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder, Progress
from analysis.encoders.vectors import Pool, Unit, Vectors
from analysis.errors import InputError
from analysis.scoring.measure import Material, Measure, Need
from analysis.scoring.space import ManySpace, PairSpace, Space, TextSpace, pair_space, provenance_of
from analysis.text.corpus import Bitext, Sentence
from analysis.text.multitext import Multitext, Text


@dataclass(frozen=True)
class Coder:
    """How text is encoded: what is the same for all texts of one comparison.

    Attributes:
        layers: the layers that are computed in one pass.
        pool: how a unit's tokens become one vector.
        cache: whether to use the vector cache.
        progress: called with the number of tokens done and to do.
    """

    layers: tuple[int, ...]
    pool: Pool = Pool.MEAN
    cache: bool = True
    progress: Progress | None = None

    def __call__(self, encoder: Encoder, sentences: Sequence[Sentence], unit: Unit) -> Vectors:
        """The vectors of one text at all layers."""
        return encoder.vectors(
            sentences, unit=unit, layers=encoder.check_layers(self.layers), pool=self.pool, cache=self.cache,
            progress=self.progress,
        )  # fmt: skip


def make_spaces(
    measure: Measure, settings: Any, encoder: Encoder, material: Material, code: Coder, *, base: Encoder | None = None
) -> Iterator[Space]:
    """The space of a measure at every layer of `code`, in order of layer.

    Args:
        measure: decides the unit and the kind of space.
        settings: of the measure.
        encoder: the encoder.
        material: what `load_materials` gave for the measure.
        code: layers, pooling, cache.
        base: for measures of forgetting, the base of an aligned encoder; its layers are those of `code`.

    Raises:
        InputError: a layer the encoder does not have, or a measure that needs a base without one.
    """
    unit = measure.unit_for(material, settings)
    if isinstance(material, Bitext):
        return _pair_spaces(measure, settings, encoder, material, unit, code)
    if isinstance(material, Multitext):
        return _many_spaces(encoder, material, unit, code)
    return _text_spaces(measure, encoder, base, material, unit, code)


def _pair_spaces(
    measure: Measure, settings: Any, encoder: Encoder, bitext: Bitext, unit: Unit, code: Coder
) -> Iterator[PairSpace]:
    """Both sides of sentence pairs; special tokens too where the measure's settings want them."""
    repeated = measure.needs is Need.QUESTIONS
    sides = [_distinct(encoder, side, unit, code) if repeated else code(encoder, side, unit)
             for side in (bitext.source, bitext.target)]  # fmt: skip
    special = None
    if getattr(settings, "special_tokens", False):
        special = (code(encoder, bitext.source, Unit.SPECIAL), code(encoder, bitext.target, Unit.SPECIAL))
    for layer in sides[0].layers:
        yield pair_space(*sides, layer=layer, bitext=bitext, special=special)


def _distinct(encoder: Encoder, sentences: Sequence[Sentence], unit: Unit, code: Coder) -> Vectors:
    """Sentence vectors of a side in which long texts repeat: each is encoded once."""
    first: dict[Sentence, int] = {}
    at = np.array([first.setdefault(sentence, len(first)) for sentence in sentences])
    found = code(encoder, tuple(first), unit).take(at)
    found.units.sentence[:] = np.arange(len(at))
    return found


def _many_spaces(encoder: Encoder, many: Multitext, unit: Unit, code: Coder) -> Iterator[ManySpace]:
    """All languages of a multi-way text."""
    found = {tag: code(encoder, side, unit) for tag, side in many.sentences.items()}
    first = next(iter(found.values()))
    for layer in first.layers:
        origin = provenance_of(first, layer, many.name, many.digest) | {"languages": list(many.languages)}
        yield ManySpace({tag: one.layer(layer) for tag, one in found.items()}, len(many), origin)


def _text_spaces(
    measure: Measure, encoder: Encoder, base: Encoder | None, text: Text, unit: Unit, code: Coder
) -> Iterator[TextSpace]:
    """One language's text in the encoder and in its base."""
    if measure.needs_base and base is None:
        raise InputError(
            f"{measure.name} compares an aligned encoder with its base; {encoder.name} is no aligned encoder"
        )
    own = code(encoder, text.sentences, unit)
    below = code(base, text.sentences, unit) if base is not None and measure.needs_base else None
    for layer in own.layers:
        origin = provenance_of(own, layer, text.name, text.digest) | {"languages": [text.language]}
        if base is not None and below is not None:
            origin |= {"base": base.name, "base_revision": base.revision}
        yield TextSpace(
            own.layer(layer), None if below is None else below.layer(layer), own.units, len(text), text.language,
            unit, text.sentences, encoder, base, origin,
        )  # fmt: skip


def base_of(encoder: Encoder, load: Callable[[str], Encoder]) -> Encoder | None:
    """The encoder an aligned one stands on, None for a base encoder."""
    return load(encoder.base) if encoder.base else None
