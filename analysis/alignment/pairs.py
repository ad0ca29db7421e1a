"""Vectors of linked words, the training pairs of every closed-form map."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.alignment.method import AlignmentData
from analysis.encoders.encoder import Encoder
from analysis.encoders.vectors import Vectors
from analysis.errors import InputError, unknown
from analysis.links.align import decode_pairs
from analysis.links.aligner import Aligner
from analysis.settings import Setting
from analysis.text.corpus import Bitext
from analysis.text.languages import normalise_tag
from analysis.text.pharaoh import Link, Links


@dataclass(frozen=True)
class PairSettings:
    """Settings that every method on word pairs shares."""

    layers: Annotated[str, Setting("all, or numbers separated by commas")] = "all"
    anchor: Annotated[str, Setting("language that the others are mapped to")] = "en"
    languages: Annotated[str, Setting("languages to map, separated by commas, or all that the data have")] = "all"
    one_to_one: Annotated[
        bool, Setting("keep only words that occur in one link", source="Cao et al. 2020, section 2")
    ] = True
    drop_identical: Annotated[
        bool, Setting("leave out links between identical strings", source="Wu and Dredze 2020")
    ] = False
    min_count: Annotated[
        int, Setting("with a dictionary: words that occur less often in the text are left out", ge=1)
    ] = 1
    max_pairs: Annotated[int, Setting("word pairs per language, drawn at random", ge=10)] = 20_000
    max_steps: Annotated[
        int, Setting("taken so that one command line fits every method; a closed form has no optimiser steps", ge=0)
    ] = 0
    precision: Annotated[str, Setting("how the maps are stored", choices=("float16", "float32"))] = "float16"


@dataclass(frozen=True)
class WordPairs:
    """Vectors of linked words of one language and the anchor.

    Attributes:
        language: the language that is mapped.
        source: (layers, pairs, dim) float32, vectors of its words.
        target: (layers, pairs, dim) float32, vectors of the anchor's words.
    """

    language: str
    source: np.ndarray
    target: np.ndarray


def parse_layers(encoder: Encoder, text: str) -> tuple[int, ...]:
    """The layers of a `layers` setting.

    Raises:
        InputError: not a list of numbers, or a layer the encoder does not have.
    """
    try:
        wanted = None if text == "all" else [int(part) for part in text.replace(" ", ",").split(",") if part]
    except ValueError:
        raise InputError(f"layers={text!r} is not a list of layers; valid: all, or numbers like 8,12") from None
    return encoder.check_layers(wanted)


def wanted_languages(data: AlignmentData, text: str) -> tuple[str, ...]:
    """The languages of a `languages` setting.

    Raises:
        InputError: a language that the data do not have.
    """
    if text == "all":
        return data.languages
    wanted = tuple(normalise_tag(tag) for tag in text.replace(" ", ",").split(",") if tag)
    for tag in wanted:
        if tag not in data.languages:
            raise unknown("language of the data", tag, data.languages)
    return wanted


def collect(
    encoder: Encoder, bitexts: Sequence[Bitext], language: str, settings: PairSettings, *, seed: int
) -> WordPairs | None:
    """The word pairs of one language over all its bitexts, or None where there are too few.

    Links that a bitext lacks are made by the encoder itself, with its own layer and decoder.

    Args:
        encoder: gives the vectors, and links where there are none.
        bitexts: with the anchor on the target side.
        language: whose bitexts are used.
        settings: filters and the number of pairs.
        seed: decides which pairs are drawn where there are more than `max_pairs`.
    """
    layers = parse_layers(encoder, settings.layers)
    aligner = Aligner.choose(encoder)
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for bitext in bitexts:
        if bitext.languages[0] != language:
            continue
        own = bitext.links is None and aligner.level == "word"
        wanted = {*layers, aligner.layer} if own else set(layers)
        vectors = [encoder.words(sentences, layers=wanted) for sentences in (bitext.source, bitext.target)]
        links = _links(aligner, bitext, vectors) if bitext.links is None else bitext.links
        kept = list(_filtered(bitext, links, settings))
        for side, found in enumerate(vectors):
            sides[side].append(_rows(found, layers, [(row, link[side]) for row, link in kept]))
    if not sides[0]:
        return None
    source, target = (np.concatenate(parts, axis=1) for parts in sides)
    usable = np.flatnonzero(np.any(source[-1] != 0, axis=1) & np.any(target[-1] != 0, axis=1))
    if len(usable) > settings.max_pairs:
        usable = np.sort(np.random.default_rng(seed).choice(usable, settings.max_pairs, replace=False))
    return WordPairs(language, source[:, usable], target[:, usable]) if len(usable) > 1 else None


def _links(aligner: Aligner, bitext: Bitext, vectors: Sequence[Vectors]) -> Sequence[Links]:
    """The encoder's own links, read off the vectors that are there where its level allows it."""
    if aligner.level != "word":
        return aligner.align(list(zip(bitext.source, bitext.target, strict=True)))
    source, target = vectors
    return decode_pairs(
        source, target, len(bitext), layer=aligner.layer, decoder=aligner.decoder, settings=aligner.settings
    )


def _filtered(bitext: Bitext, links: Sequence[Links], settings: PairSettings) -> Iterable[tuple[int, Link]]:
    """(row, link) of the links that pass the filters, in order."""
    for row, pair in enumerate(links):
        kept = pair.one_to_one() if settings.one_to_one else pair.sure
        source, target = bitext.source[row].words, bitext.target[row].words
        for i, j in sorted(kept):
            if not (settings.drop_identical and source[i] == target[j]):
                yield row, (i, j)


def _rows(vectors: Vectors, layers: Sequence[int], words: Sequence[tuple[int, int]]) -> np.ndarray:
    """(layers, words, dim) vectors of (sentence, position) words."""
    first = np.searchsorted(vectors.units.sentence, np.arange(int(vectors.units.sentence.max(initial=-1)) + 2))
    index = np.array([first[sentence] + position for sentence, position in words], dtype=np.int64)
    return np.stack([np.asarray(vectors.layer(layer)[index]) for layer in layers])
