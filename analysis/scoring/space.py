"""What a measure looks at: the vectors of one encoder at one layer, of sentence pairs, of many languages, of one text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.encoders.vectors import Pool, Unit, Units, Vectors
from analysis.errors import InputError
from analysis.records import versions
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links

if TYPE_CHECKING:
    from analysis.encoders.encoder import Encoder


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
        scores: (rows,) human judgements of the pairs, or None.
        special: for each side (2 * rows, dim) vectors of the special tokens that open and close each sentence, or
            None where a measure did not ask for them.
        tags: for each side the part of speech of each unit, "" where unknown; or None.
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
    scores: np.ndarray | None = None
    special: tuple[np.ndarray, np.ndarray] | None = None
    tags: tuple[tuple[str, ...], tuple[str, ...]] | None = None


@dataclass(frozen=True)
class ManySpace:
    """Sentences in several languages as vectors of one encoder at one layer, row by row translations of each other.

    Attributes:
        vectors: for each language (rows, dim) sentence vectors; a sentence without tokens is a row of zeros.
        rows: number of rows.
        provenance: data and its hash, encoder, revision, layer, pooling, unit, versions.
    """

    vectors: Mapping[str, np.ndarray]
    rows: int
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags, in the order of the data."""
        return tuple(self.vectors)


@dataclass(frozen=True)
class TextSpace:
    """One language's text as vectors of an encoder at one layer and, where there is one, of its base.

    Attributes:
        vectors: (units, dim) vectors of the encoder.
        base_vectors: (units, base dim) vectors of the same units in the base at its layer, or None.
        units: whose vectors they are; `sentence` counts the sentences.
        rows: number of sentences.
        language: tag.
        unit: word, subword or sentence.
        sentences: the text itself.
        encoder: the encoder, for what vectors do not show.
        base: its base, or None.
        provenance: data and its hash, encoder, base, revision, layer, pooling, unit, versions.
    """

    vectors: np.ndarray
    base_vectors: np.ndarray | None
    units: Units
    rows: int
    language: str
    unit: Unit
    sentences: tuple[Sentence, ...]
    encoder: "Encoder"
    base: "Encoder | None" = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


Space = PairSpace | ManySpace | TextSpace


def pair_space(
    source: Vectors, target: Vectors, *, layer: int, bitext: Bitext,
    special: tuple[Vectors, Vectors] | None = None,
) -> PairSpace:  # fmt: skip
    """The vectors of both sides of a bitext at one layer.

    Args:
        source: vectors of `bitext.source`, encoded in its order.
        target: vectors of `bitext.target`, of the same unit and encoder.
        layer: one of the computed layers.
        bitext: the sentence pairs.
        special: vectors of the special tokens of both sides, where they are wanted.

    Raises:
        InputError: the layer was not computed, or the sides are of different units.
    """
    if source.unit != target.unit:
        raise InputError(f"source vectors are of {source.unit}s and target vectors of {target.unit}s; use one unit")
    origin = provenance_of(source, layer, bitext.name, bitext.digest)
    origin |= {"languages": list(bitext.languages), "links_origin": bitext.links_origin}
    return PairSpace(
        source.layer(layer), source.units, target.layer(layer), target.units,
        len(bitext), bitext.links, bitext.languages, source.unit, origin,
        None if bitext.scores is None else np.asarray(bitext.scores, dtype=np.float64),
        None if special is None else (special[0].layer(layer), special[1].layer(layer)),
        _tags(bitext, source.units, target.units) if source.unit is Unit.WORD else None,
    )  # fmt: skip


def provenance_of(vectors: Vectors, layer: int, data: str, digest: str) -> dict[str, Any]:
    """Where the vectors of a space came from."""
    return {
        "data": data, "data_sha256": digest, "encoder": vectors.encoder, "revision": vectors.revision,
        "layer": layer, "pool": str(Pool(vectors.pool)), "unit": str(vectors.unit), "versions": _versions(),
    }  # fmt: skip


def _tags(bitext: Bitext, left: Units, right: Units) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The part of speech of each word of both sides, None where no sentence has any."""
    if not any(sentence.tags for side in (bitext.source, bitext.target) for sentence in side):
        return None
    return _side_tags(bitext.source, left), _side_tags(bitext.target, right)


def _side_tags(sentences: tuple[Sentence, ...], units: Units) -> tuple[str, ...]:
    """The part of speech of each word, "" where its sentence has none."""
    of = [sentence.tags or ("",) * len(sentence.spans) for sentence in sentences]
    return tuple(of[row][position] for row, position in zip(units.sentence, units.position, strict=True))


@cache
def _versions() -> dict[str, str]:
    """Package versions, looked up once."""
    return versions()
