"""The encoder: a name, a revision, a depth and a width, and vectors of words, subwords and sentences."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from analysis import store
from analysis.encoders import tokens as tk
from analysis.encoders.model import TOKENS_PER_BATCH, Model, load_model
from analysis.encoders.vectors import Pool, Unit, Units, Vectors
from analysis.errors import InputError
from analysis.text.corpus import Sentence, digest

# Part of every cache key: raise it when the way tokens become words changes.
POOLING = 1
# Sentences in one batch lie in one chunk of so many, so that a text embedded chunk by chunk gives the same bits.
CHUNK = 2000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LinkDefaults:
    """Layer, decoder and level for word alignment, chosen on development data.

    Attributes:
        layer: hidden layer, 0 is the embedding output.
        decoder: registered name.
        level: `word` or `subword`.
        settings: the decoder's settings that differ from their defaults.
        chosen_on: the development data, or "" for the built-in default at two thirds of the depth.
    """

    layer: int
    decoder: str = "argmax"
    level: str = "word"
    settings: dict[str, Any] = field(default_factory=dict)
    chosen_on: str = ""


class Encoder:
    """An encoder whose weights are loaded when the first vector is needed and not in the cache.

    Args:
        name: as the user gave it.
        revision: hash or commit that decides the vectors.
        depth: number of layers; hidden states are 0 (embedding output) to depth.
        dim: width of a vector.
        folder: gives the `transformers` folder; called when the model is loaded.
        link_defaults: the stored choice for word alignment, if there is one.
        prefix: text put before every sentence when sentence vectors are made ("query: " for e5).
    """

    def __init__(
        self, name: str, *, revision: str, depth: int, dim: int, folder: Callable[[], Path],
        link_defaults: LinkDefaults | None = None, prefix: str = "",
    ) -> None:  # fmt: skip
        self.name, self.revision, self.depth, self.dim = name, revision, depth, dim
        self.link_defaults = link_defaults or LinkDefaults(layer=round(2 * depth / 3))
        self.prefix = prefix
        self.base: str | None = None
        self.default_layer = depth
        self._folder, self._lock = folder, Lock()

    def __repr__(self) -> str:
        """`<Encoder bundled, 12 layers x 384>`."""
        return f"<Encoder {self.name}, {self.depth} layers x {self.dim}>"

    @cached_property
    def _loaded(self) -> Model:
        """The model; loading it takes seconds."""
        return load_model(self._folder(), self.name)

    @property
    def model(self) -> Model:
        """The loaded `transformers` model and tokenizer.

        Raises:
            InputError: the folder cannot be loaded.
        """
        with self._lock:
            return self._loaded

    def folder_of_weights(self) -> Path:
        """The `transformers` folder, downloaded or converted where need be."""
        return self._folder()

    def check_layers(self, layers: Iterable[int] | None) -> tuple[int, ...]:
        """Layers in ascending order without repeats; None means all.

        Raises:
            InputError: a layer the encoder does not have.
        """
        wanted = tuple(sorted(set(range(self.depth + 1) if layers is None else layers)))
        for layer in wanted:
            if not 0 <= layer <= self.depth:
                raise InputError(f"layer {layer} does not exist in {self.name}; valid: 0 to {self.depth}")
        if not wanted:
            raise InputError(f"no layer given; valid: 0 to {self.depth}")
        return wanted

    def words(self, sentences: Sequence[Sentence], **options: Any) -> Vectors:
        """Word vectors; see `vectors`."""
        return self.vectors(sentences, unit=Unit.WORD, **options)

    def subwords(self, sentences: Sequence[Sentence], **options: Any) -> Vectors:
        """Vectors of the subwords of each word; see `vectors`."""
        return self.vectors(sentences, unit=Unit.SUBWORD, **options)

    def sentences(self, sentences: Sequence[Sentence], **options: Any) -> Vectors:
        """Sentence vectors; see `vectors`."""
        return self.vectors(sentences, unit=Unit.SENTENCE, **options)

    def vectors(
        self, sentences: Sequence[Sentence], *, unit: Unit | str = Unit.WORD, layers: Iterable[int] | None = None,
        pool: Pool | str = Pool.MEAN, cache: bool = True, progress: Progress | None = None,
    ) -> Vectors:  # fmt: skip
        """Vectors of all words, subwords or sentences at a set of layers, in one pass over the text.

        A word is the mean (first, last) of the tokens that share a character with it. A sentence is the mean of
        its tokens without special ones; its `first` is the opening special token ([CLS]). Sentences past the
        encoder's limit are read in overlapping windows and are marked `truncated`.

        Args:
            sentences: with their words' spans.
            unit: what a row stands for.
            layers: 0 to depth; None means all. Nothing past the deepest one is computed.
            pool: how a unit's tokens become one vector.
            cache: whether to look in the vector cache and to store the result there.
            progress: called with the number of tokens done and to do.

        Returns:
            (layers, units, dim) float32 with the table of units.

        Raises:
            InputError: a layer the encoder does not have, or an encoder that cannot be loaded.
        """
        unit, pool, wanted = Unit(unit), Pool(pool), self.check_layers(layers)
        key = self.key(sentences, unit, pool, wanted)
        stored = store.get(key) if cache else None
        if stored is None:
            stored = self.compute(sentences, unit, pool, wanted, progress)
            if cache:
                store.put(key, stored)
        units = _units(sentences, unit, stored)
        return Vectors(stored["values"], wanted, units, unit, self.name, self.revision, pool)

    @property
    def origin(self) -> "Encoder":
        """The encoder whose vectors are computed and stored: this one, or the one below its maps."""
        return self

    def key(self, sentences: Sequence[Sentence], unit: Unit, pool: Pool, layers: tuple[int, ...]) -> dict[str, Any]:
        """Everything that decides the vectors: what `vectors` stores them under.

        Args:
            sentences: with their words' spans.
            unit: what a row stands for.
            pool: how a unit's tokens become one vector.
            layers: ascending (see `check_layers`).
        """
        return {
            "pooling": POOLING, "encoder": self.name, "revision": self.revision, "unit": str(unit), "pool": str(pool),
            "layers": list(layers), "prefix": self.prefix if unit is Unit.SENTENCE else "", "text": digest(sentences),
        }  # fmt: skip

    def compute(
        self, sentences: Sequence[Sentence], unit: Unit, pool: Pool, layers: tuple[int, ...],
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:  # fmt: skip
        """The arrays that `vectors` stores: values, and what of the table does not follow from the sentences.

        Args:
            sentences: with their words' spans.
            unit: what a row stands for.
            pool: how a unit's tokens become one vector.
            layers: ascending (see `check_layers`).
            progress: called with the number of tokens done and to do.

        Returns:
            `values` (layers, units, dim) float32, `truncated` (sentences,) bool; for subwords also `owner`, `word`
            and `spans`.

        Raises:
            InputError: an encoder that cannot be loaded.
        """
        model = self.model
        prefix = self.prefix if unit is Unit.SENTENCE else ""
        texts = [prefix + tk.readable(sentence.text) for sentence in sentences]
        coded = tk.tokenise(model.tokenizer, texts) if texts else []
        windows = [w for n, one in enumerate(coded) for w in tk.windows(one, n, model.limit)]
        members, arrays = _memberships(coded, sentences, unit, pool)
        counts = np.bincount([w.sentence for w in windows], minlength=len(sentences))
        arrays["truncated"] = counts > 1
        arrays["values"] = _pool(
            model, windows, members, (len(layers), int(arrays.pop("rows")), self.dim), layers, progress
        )
        return arrays


def _memberships(
    coded: Sequence[tk.Tokens], sentences: Sequence[Sentence], unit: Unit, pool: Pool
) -> tuple[list[tk.Membership], dict[str, Any]]:
    """For each sentence which tokens make up which output rows, and the columns only the tokenizer knows."""
    if unit is Unit.SENTENCE:
        return [tk.sentence_membership(one, row, pool) for row, one in enumerate(coded)], {"rows": len(coded)}
    if unit is Unit.SPECIAL:
        return [tk.special_membership(one, 2 * row) for row, one in enumerate(coded)], {"rows": 2 * len(coded)}
    if unit is Unit.WORD:
        offsets = np.cumsum([0, *(len(sentence.spans) for sentence in sentences)])
        found = [tk.word_membership(one, s, int(o), pool) for one, s, o in zip(coded, sentences, offsets, strict=False)]
        return found, {"rows": int(offsets[-1])}
    members, owner, word, spans, offset = [], [], [], [np.empty((0, 2), np.int32)], 0
    for number, (one, sentence) in enumerate(zip(coded, sentences, strict=True)):
        member, of_word, of_span = tk.subword_membership(one, sentence, offset)
        members.append(member)
        owner.append(np.full(len(of_word), number))
        word.append(of_word)
        spans.append(of_span)
        offset += len(of_word)
    flat = lambda parts: np.concatenate([np.empty(0, np.int64), *parts])  # noqa: E731
    return members, {"rows": offset, "owner": flat(owner), "word": flat(word), "spans": np.concatenate(spans)}


def _pool(
    model: Model, windows: Sequence[tk.Window], members: Sequence[tk.Membership], shape: tuple[int, int, int],
    layers: tuple[int, ...], progress: Progress | None,
) -> np.ndarray:  # fmt: skip
    """Run the windows in batches of similar length and add each token to its units."""
    import torch

    values = torch.zeros(shape)
    chunk = [window.sentence // CHUNK for window in windows]
    order = sorted(range(len(windows)), key=lambda n: (chunk[n], -len(windows[n].ids)))
    total, done = sum(len(window.ids) for window in windows), 0
    while order:
        size = max(1, TOKENS_PER_BATCH // len(windows[order[0]].ids))
        size = sum(chunk[n] == chunk[order[0]] for n in order[:size])
        batch, order = [windows[n] for n in order[:size]], order[size:]
        longest = len(batch[0].ids)
        parts = [_places(window, members[window.sentence], row * longest) for row, window in enumerate(batch)]
        place, unit = (torch.from_numpy(np.concatenate([part[n] for part in parts])) for n in (0, 1))
        weight = torch.from_numpy(np.concatenate([part[2] for part in parts]))[:, None]
        if len(place):
            later = any(window.positions[-1] != len(window.ids) - 1 for window in batch)
            positions = [window.positions for window in batch] if later else None
            with model.lock:
                states = model.hidden_states([window.ids for window in batch], layers, positions)
            for slot, layer in enumerate(layers):
                values[slot].index_add_(0, unit, states[layer].flatten(0, 1)[place] * weight)
        done += sum(len(window.ids) for window in batch)
        if progress:
            progress(done, total)
    return values.numpy()


def _places(window: tk.Window, member: tk.Membership, shift: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions in the flattened batch, output rows and weights of the tokens this window is read for."""
    if not len(window.token):
        empty = np.empty(0, np.int64)
        return empty, empty, np.empty(0, np.float32)
    at = np.searchsorted(window.token, member.token)
    inside = (at < len(window.token)) & (window.token[np.minimum(at, len(window.token) - 1)] == member.token)
    return window.kept[at[inside]] + shift, member.unit[inside].astype(np.int64), member.weight[inside]


def _units(sentences: Sequence[Sentence], unit: Unit, stored: dict[str, np.ndarray]) -> Units:
    """The table of units, from the sentences and what was stored."""
    truncated = np.asarray(stored["truncated"])
    if unit is Unit.WORD:
        return tk.word_units(sentences, truncated)
    if unit is Unit.SENTENCE:
        return tk.sentence_units(sentences, truncated)
    if unit is Unit.SPECIAL:
        return tk.special_units(sentences, truncated)
    owner, word, spans = (np.asarray(stored[name]) for name in ("owner", "word", "spans"))
    return tk.subword_units(sentences, owner, word, spans, truncated)
