"""A base encoder with closed-form maps per language and layer: x becomes (x - mean) W + shift."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from analysis.encoders.defaults import from_card, stored_link_defaults
from analysis.encoders.encoder import Encoder, Progress
from analysis.encoders.folder import revision
from analysis.encoders.model import Model
from analysis.encoders.vectors import Pool, Unit, Vectors
from analysis.errors import InputError
from analysis.text.corpus import Sentence

MAPS = "maps.safetensors"


class MappedEncoder(Encoder):
    """A base encoder whose vectors are mapped by language and layer.

    An affine map commutes with the mean, so mapping pooled vectors is mapping every token. A language or layer
    without a map keeps its vectors. Tensors are named `LANGUAGE/LAYER/part`, part being `mean` (dim,), `weight`
    (dim, dim; row vectors are multiplied by it from the right) or `shift` (dim,); a missing part is left out.
    Instead of a weight W there may be a `core` C (rank, rank) with a `_basis/LAYER` B (dim, rank) that all
    languages share: W = I + B C B'.

    Args:
        name: as the user gave it.
        base: the encoder whose vectors are mapped.
        folder: holds isogloss.json and maps.safetensors.
        card: the parsed isogloss.json.
    """

    def __init__(self, name: str, base: Encoder, folder: Path, card: Mapping[str, Any]) -> None:
        super().__init__(
            name, revision=f"{base.revision}+{revision(folder)}", depth=base.depth, dim=base.dim,
            folder=lambda: folder, prefix=base.prefix,
        )  # fmt: skip
        self.link_defaults = stored_link_defaults(name, self.revision) or from_card(card) or self.link_defaults
        if card.get("base_revision") not in (None, base.revision):
            warnings.warn(f"{name} was fitted on another revision of {base.name}; align it anew", stacklevel=2)
        if not (folder / MAPS).exists():
            raise InputError(f"encoder {name!r} has no {MAPS}; align it anew or restore the file")
        self.base = base.name
        self.base_encoder, self.folder, self.card = base, folder, dict(card)
        self.default_layer = int(card.get("default_layer", base.depth))
        self._told: set[str] = set()

    @property
    def model(self) -> Model:
        """The base's model: the maps change its output only."""
        return self.base_encoder.model

    @property
    def origin(self) -> Encoder:
        """The encoder below the maps."""
        return self.base_encoder.origin

    @cached_property
    def maps(self) -> dict[str, np.ndarray]:
        """All tensors of maps.safetensors as float32.

        Raises:
            InputError: the file is broken or of another width than the base.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            found = {key: value.astype(np.float32) for key, value in load_file(self.folder / MAPS).items()}
        except (SafetensorError, OSError) as error:
            raise InputError(f"encoder {self.name!r}: {MAPS} cannot be read ({error}); align it anew") from error
        for key, value in found.items():
            if not key.endswith("/core") and value.shape[0] != self.dim:
                raise InputError(
                    f"encoder {self.name!r}: map {key} is for width {value.shape[0]}, {self.base} is {self.dim}"
                )
        return found

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages that have a map."""
        return frozenset(key.split("/")[0] for key in self.maps if not key.startswith("_"))

    def vectors(
        self, sentences: Sequence[Sentence], *, unit: Unit | str = Unit.WORD, layers: Iterable[int] | None = None,
        pool: Pool | str = Pool.MEAN, cache: bool = True, progress: Progress | None = None,
    ) -> Vectors:  # fmt: skip
        """The base's vectors, mapped; see `Encoder.vectors`."""
        found = self.base_encoder.vectors(
            sentences, unit=unit, layers=layers, pool=pool, cache=cache, progress=progress
        )
        return self.map_vectors(found)

    def map_vectors(self, found: Vectors) -> Vectors:
        """Map vectors of the base at any of its layers; they are not changed."""
        values = np.array(found.values)
        languages = np.array(found.units.language)
        for language in sorted(set(found.units.language)):
            rows = np.flatnonzero(languages == language)
            # A unit without subwords is a row of zeros and stays one.
            rows = rows[np.any(values[-1, rows] != 0, axis=1)] if len(rows) else rows
            tag = self.map_of(language)
            if tag is None:
                continue
            for slot, layer in enumerate(found.layers):
                values[slot, rows] = self.apply(values[slot, rows], f"{tag}/{layer}")
        return replace(found, values=values, encoder=self.name, revision=self.revision)

    def apply(self, vectors: np.ndarray, key: str) -> np.ndarray:
        """(n, dim) vectors through the map of one language and layer."""
        if f"{key}/mean" in self.maps:
            vectors = vectors - self.maps[f"{key}/mean"]
        if f"{key}/weight" in self.maps:
            vectors = vectors @ self.maps[f"{key}/weight"]
        if f"{key}/core" in self.maps:
            basis = self.maps[f"_basis/{key.split('/')[1]}"]
            vectors = vectors + vectors @ basis @ self.maps[f"{key}/core"] @ basis.T
        if f"{key}/shift" in self.maps:
            vectors = vectors + self.maps[f"{key}/shift"]
        return vectors

    def map_of(self, language: str) -> str | None:
        """The language's map, else its primary subtag's, else None, said once."""
        for tag in (language, language.split("-")[0]):
            if tag in self.languages:
                return tag
        anchor = self.card.get("settings", {}).get("anchor", "en")
        if language not in self._told and language != anchor:
            self._told.add(language)
            warnings.warn(f"{self.name} has no map for {language}; its vectors are those of {self.base}", stacklevel=3)
        return None
