"""Word links of the training pairs: those of the data, or the encoder's own, filtered as the method asks."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from analysis import store
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.links.align import similarity_matrix
from analysis.links.aligner import Aligner
from analysis.links.decoder import Decoder
from analysis.neighbours.rows import has_direction
from analysis.registry import find
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links
from analysis.training.encode import Progress, encode
from analysis.training.examples import Examples, Side
from analysis.training.settings import TrainSettings
from analysis.training.trainee import Trainee

CHOSEN = "chosen"  # the encoder's own decoder, level and settings
CHUNK = 512  # pairs whose vectors are in memory at once


def link(
    examples: Examples, bitexts: Sequence[Bitext], trainee: Trainee, encoder: Encoder, settings: TrainSettings, *,
    live: bool = False, progress: Progress | None = None,
) -> Examples:  # fmt: skip
    """The examples with their word links.

    Args:
        examples: all pairs.
        bitexts: the same pairs in the same order, with their sentences and perhaps links.
        trainee: makes the vectors of own links.
        encoder: the base; its stored choice names the layer.
        settings: `links`, `link_layer`, `link_decoder`, `one_to_one`, `drop_identical`.
        live: whether own links are made by the network that trains, as it is now; links of the data stay.
        progress: called with pairs done and to do.

    Raises:
        InputError: no pair has a link that passes the filters.
    """
    found: list[np.ndarray] = []
    origin: list[bool] = []
    given = settings.links == "data"
    ends = np.cumsum([0, *(len(bitext) for bitext in bitexts)])
    for number, bitext in enumerate(bitexts):
        own = bitext.links is None or not given
        part = examples.take(range(ends[number], ends[number + 1])) if own else examples
        links = _own(part, bitext, trainee, encoder, settings, live, progress) if own else bitext.links or ()
        found += [_filtered(one, a, b, settings) for one, a, b in zip(links, bitext.source, bitext.target, strict=True)]
        origin += [not own] * len(bitext)
    if not any(len(one) for one in found):
        raise InputError(
            "no pair has a word link that passes the filters; give --links, or --set one_to_one=false, or more text"
        )
    if settings.specials:
        found = [_with_specials(examples, row, one) for row, one in enumerate(found)]
    return replace(examples, links=tuple(found), given=tuple(origin))


def only_linked(examples: Examples, bitexts: Sequence[Bitext]) -> tuple[Examples, list[Bitext]]:
    """The pairs with at least one link between words, special tokens not counted.

    Args:
        examples: all pairs with their links.
        bitexts: the same pairs in the same order.
    """
    kept = [
        row for row, links in enumerate(examples.links)
        if len(links) > 2 * (examples.source[row].has_specials and examples.target[row].has_specials)
    ]  # fmt: skip
    ends = np.cumsum([0, *(len(bitext) for bitext in bitexts)])
    parts = [
        bitext.take([row - start for row in kept if start <= row < start + len(bitext)])
        for bitext, start in zip(bitexts, ends, strict=False)
    ]
    return examples.take(kept), [part for part in parts if len(part)]


def _own(
    examples: Examples, bitext: Bitext, trainee: Trainee, encoder: Encoder, settings: TrainSettings, live: bool,
    progress: Progress | None,
) -> Sequence[Links]:  # fmt: skip
    """Links by an encoder's own vectors; those of the base are kept in the cache, because seeds share them."""
    layer = encoder.link_defaults.layer if settings.link_layer < 0 else settings.link_layer
    encoder.check_layers([layer])
    key = {
        "kind": "links", "encoder": encoder.name, "revision": encoder.revision, "layer": layer, "text": bitext.digest,
        "decoder": settings.link_decoder, "pool": settings.pool, "precision": trainee.precision,
    }  # fmt: skip
    if settings.link_level != "word" or settings.link_decoder == CHOSEN:
        key |= {"level": settings.link_level, "chosen": asdict(encoder.link_defaults)}
    stored = None if live else store.get(key)
    if stored is None:
        made = list(_decoded(examples, bitext, trainee, encoder, layer, settings, live, progress))
        flat = [(row, i, j) for row, links in enumerate(made) for i, j in sorted(links.sure)]
        stored = {"links": np.array(flat, np.int32).reshape(-1, 3)}
        if not live:
            store.put(key, stored)
    sure: list[set[tuple[int, int]]] = [set() for _ in range(len(bitext))]
    for row, i, j in stored["links"].tolist():
        sure[row].add((i, j))
    return [Links(frozenset(one), frozenset(one)) for one in sure]


def _decoded(
    examples: Examples, bitext: Bitext, trainee: Trainee, encoder: Encoder, layer: int, settings: TrainSettings,
    live: bool, progress: Progress | None,
) -> Iterable[Links]:  # fmt: skip
    """Links of every pair from the vectors of one layer, chunk by chunk; special tokens are not linked here."""
    decoder, level, chosen = find_decoder(encoder, settings)
    for start in range(0, len(examples), CHUNK):
        sides = [side[start : start + CHUNK] for side in (examples.source, examples.target)]
        if level == "subword":
            sides = [tuple(subwords(one) for one in side) for side in sides]
        source, target = (
            encode(trainee, side, [layer], model=trainee.live if live else trainee.frozen).words[layer]
            for side in sides
        )
        for at, (a, b) in enumerate(zip(source, target, strict=True)):
            if level == "subword":
                links = decoder.decode(similarity_matrix(a, b), chosen)
                yield _of_subwords(links, examples.source[start + at], examples.target[start + at], bitext, start + at)
                continue
            a, b = a[: len(bitext.source[start + at].spans)], b[: len(bitext.target[start + at].spans)]
            yield _usable(decoder.decode(similarity_matrix(a, b), chosen), has_direction(a), has_direction(b))
        if progress:
            progress(min(start + CHUNK, len(examples)), len(examples))


def find_decoder(encoder: Encoder, settings: TrainSettings) -> tuple[Decoder, str, Any]:
    """The decoder of own links, the level it compares at, and its settings.

    Raises:
        InputError: no such decoder.
    """
    if settings.link_decoder != CHOSEN:
        return find("decoders", settings.link_decoder), settings.link_level, None
    best = Aligner.choose(encoder)
    return best.decoder, best.level, best.settings


def subwords(side: Side) -> Side:
    """A side whose words are its single subwords, those of its words in order."""
    order = np.argsort(side.column, kind="stable")
    inside = order[(side.column[order] >= side.content[0]) & (side.column[order] < side.content[1])]
    count = len(inside)
    return replace(
        side, column=side.column[inside], word=np.arange(count), weight=np.ones(count, np.float32), words=count,
        keys=side.word[inside],
    )  # fmt: skip


def _of_subwords(links: Links, source: Side, target: Side, bitext: Bitext, row: int) -> Links:
    """Links of subwords as links of the words they belong to."""
    left, right = subwords(source).keys, subwords(target).keys
    kept = frozenset((int(left[i]), int(right[j])) for i, j in links.sure)
    inside = frozenset(
        (i, j) for i, j in kept if i < len(bitext.source[row].spans) and j < len(bitext.target[row].spans)
    )
    return Links(inside, inside)


def _usable(links: Links, source: np.ndarray, target: np.ndarray) -> Links:
    """Links between words that have a vector."""
    kept = frozenset((i, j) for i, j in links.sure if source[i] and target[j])
    return Links(kept, kept)


def _filtered(links: Links, source: Sentence, target: Sentence, settings: TrainSettings) -> np.ndarray:
    """(links, 2) word positions that pass the filters, sorted."""
    kept = links.one_to_one() if settings.one_to_one else links.sure
    left, right = source.words, target.words
    inside = [
        (i, j) for i, j in sorted(kept)
        if i < len(left) and j < len(right) and not (settings.drop_identical and left[i] == right[j])
    ]  # fmt: skip
    return np.array(inside, np.int64).reshape(-1, 2)


def _with_specials(examples: Examples, row: int, links: np.ndarray) -> np.ndarray:
    """The links with those between opening and between closing special tokens (Cao et al. 2020)."""
    source, target = examples.source[row], examples.target[row]
    if not (source.has_specials and target.has_specials):
        return links
    a, b = source.words, target.words
    return np.concatenate([links, [[a - 2, b - 2], [a - 1, b - 1]]])
