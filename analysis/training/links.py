"""Word links of the training pairs: those of the data, or the encoder's own, filtered as the method asks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from analysis import store
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.links.align import similarity_matrix
from analysis.neighbours.rows import has_direction
from analysis.registry import find
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links
from analysis.training.encode import Progress, encode
from analysis.training.examples import Examples
from analysis.training.settings import TrainSettings
from analysis.training.trainee import Trainee

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
    given = settings.links == "data"
    ends = np.cumsum([0, *(len(bitext) for bitext in bitexts)])
    for number, bitext in enumerate(bitexts):
        own = bitext.links is None or not given
        part = examples.take(range(ends[number], ends[number + 1])) if own else examples
        links = _own(part, bitext, trainee, encoder, settings, live, progress) if own else bitext.links or ()
        found += [_filtered(one, a, b, settings) for one, a, b in zip(links, bitext.source, bitext.target, strict=True)]
    if not any(len(one) for one in found):
        raise InputError(
            "no pair has a word link that passes the filters; give --links, or --set one_to_one=false, or more text"
        )
    if settings.specials:
        found = [_with_specials(examples, row, one) for row, one in enumerate(found)]
    return replace(examples, links=tuple(found))


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
    stored = None if live else store.get(key)
    if stored is None:
        made = list(_decoded(examples, bitext, trainee, layer, settings, live, progress))
        flat = [(row, i, j) for row, links in enumerate(made) for i, j in sorted(links.sure)]
        stored = {"links": np.array(flat, np.int32).reshape(-1, 3)}
        if not live:
            store.put(key, stored)
    sure: list[set[tuple[int, int]]] = [set() for _ in range(len(bitext))]
    for row, i, j in stored["links"].tolist():
        sure[row].add((i, j))
    return [Links(frozenset(one), frozenset(one)) for one in sure]


def _decoded(
    examples: Examples, bitext: Bitext, trainee: Trainee, layer: int, settings: TrainSettings, live: bool,
    progress: Progress | None,
) -> Iterable[Links]:  # fmt: skip
    """Links of every pair from the vectors of one layer, chunk by chunk; special tokens are not linked here."""
    decoder = find("decoders", settings.link_decoder)
    for start in range(0, len(examples), CHUNK):
        sides = [side[start : start + CHUNK] for side in (examples.source, examples.target)]
        source, target = (encode(trainee, side, [layer], live=live).words[layer] for side in sides)
        for row, (a, b) in enumerate(zip(source, target, strict=True), start=start):
            a, b = a[: len(bitext.source[row].spans)], b[: len(bitext.target[row].spans)]
            yield _usable(decoder.decode(similarity_matrix(a, b)), has_direction(a), has_direction(b))
        if progress:
            progress(min(start + CHUNK, len(examples)), len(examples))


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
