"""What the closed-form methods share: an affine map of one language at one layer, and how it is stored."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.alignment.method import Say
from analysis.alignment.pairs import PairSettings, WordPairs, parse_layers
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError


@dataclass(frozen=True)
class Affine:
    """x becomes (x - mean) W + shift; W is `weight`, or I + basis core basis', or the identity.

    Attributes:
        mean: (dim,) subtracted first.
        shift: (dim,) added last.
        weight: (dim, dim), applied to row vectors from the right.
        core: (rank, rank), the part of W that is not the identity, within a basis stored once a layer.
    """

    mean: np.ndarray
    shift: np.ndarray
    weight: np.ndarray | None = None
    core: np.ndarray | None = None

    def tensors(self, prefix: str, precision: str) -> dict[str, np.ndarray]:
        """The named arrays of maps.safetensors; what is zero or the identity is left out."""
        parts = {name: getattr(self, name) for name in ("mean", "shift", "weight", "core")}
        kept = {name: value for name, value in parts.items() if value is not None and np.any(value)}
        return {f"{prefix}/{name}": value.astype(precision) for name, value in kept.items()}


def covariance(cloud: np.ndarray) -> np.ndarray:
    """(dim, dim) float64 covariance of (n, dim) vectors around their own mean."""
    centred = cloud.astype(np.float64) - cloud.mean(axis=0, dtype=np.float64)
    return centred.T @ centred / max(1, len(cloud))


def principal_axes(covariances: np.ndarray, rank: int) -> np.ndarray:
    """The leading principal axes of a (summed) covariance matrix.

    Args:
        covariances: (dim, dim) float64, symmetric.
        rank: number of axes, at most dim.

    Returns:
        (dim, rank) float64 with orthonormal columns.
    """
    _, axes = np.linalg.eigh(covariances)
    return axes[:, ::-1][:, : min(rank, len(axes))]


def fit_languages(
    encoder: Encoder, pairs: Iterable[tuple[str, WordPairs | None]], settings: PairSettings, say: Say,
    fit_one: Callable[[WordPairs, int], Affine], bases: Sequence[np.ndarray] | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Fit a map for every language and layer and name the tensors.

    Args:
        encoder: whose layers `settings.layers` names.
        pairs: (language, its word pairs), None where there are too few; one language at a time is in memory.
        settings: layers and precision.
        say: told which language was fitted on how many pairs.
        fit_one: makes the map from the word pairs of a language and the layer's place among the layers.
        bases: a basis for each layer that all languages share, if there is one.

    Raises:
        InputError: no language has word pairs.
    """
    layers = parse_layers(encoder, settings.layers)
    tensors: dict[str, np.ndarray] = {}
    for language, one in pairs:
        if one is None:
            say(f"{language}: too few linked words, no map")
            continue
        for slot, layer in enumerate(layers):
            tensors |= fit_one(one, slot).tensors(f"{language}/{layer}", settings.precision)
        say(f"{language}: fitted on {one.source.shape[1]:,} word pairs")
    if not tensors:
        raise InputError("no linked words in the data; give more sentence pairs or --links FILE")
    if bases is not None:
        tensors |= {
            f"_basis/{layer}": basis.astype(settings.precision) for layer, basis in zip(layers, bases, strict=True)
        }
    return tensors
