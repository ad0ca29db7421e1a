"""Orthogonal Procrustes: one rotation per language and layer into the anchor's space."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.alignment.linear import Affine, fit_languages, principal_axes
from analysis.alignment.method import AlignmentData, Fidelity, Method, Say, Uses
from analysis.alignment.pairs import PairSettings, WordPairs, collect, wanted_languages
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting


@dataclass(frozen=True)
class RotationSettings(PairSettings):
    """Settings of rotation."""

    normalisation: Annotated[
        str,
        Setting(
            "before the fit: nothing, subtract each language's mean, also divide by each dimension's deviation, "
            "or also scale rows to unit length",
            choices=("none", "centre", "centre_std", "centre_unit"),
            source="Kulshreshtha et al. 2020; variants of orthogonal Procrustes",
        ),
    ] = "centre"
    to: Annotated[
        str,
        Setting(
            "anchor leaves the anchor's vectors as they are; zero subtracts the anchor's mean too, so that every "
            "language is centred (needs a normalisation)",
            choices=("anchor", "zero"),
        ),
    ] = "anchor"
    rank: Annotated[
        int, Setting("rotate only within this many principal axes, shared by all languages; 0 rotates all", ge=0)
    ] = 0


def procrustes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal W that minimises the Frobenius norm of `source @ W - target`.

    Args:
        source: (n, dim) row vectors.
        target: (n, dim) row vectors, row by row their counterparts.

    Returns:
        (dim, dim) float64 orthogonal matrix.

    Source: Schönemann 1966; `W = U V'` with `U S V' = svd(source' target)`.
    """
    left, _, right = np.linalg.svd(np.asarray(source, np.float64).T @ np.asarray(target, np.float64))
    return left @ right


def fit(
    encoder: Encoder, data: AlignmentData, settings: RotationSettings, *, seed: int = 0, say: Say = print
) -> dict[str, np.ndarray]:
    """Rotate every language's vectors onto the anchor's, layer by layer.

    In plain words: the words of both languages are two clouds of points; if they have the same shape and only
    lie differently in space, a rotation lays one on the other and keeps all distances within a language.

    Needs sentence pairs; word links are made by the encoder where the data bring none.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor.
        settings: see `RotationSettings`.
        seed: decides which pairs are drawn where there are more than `max_pairs`.
        say: told what was fitted.

    Returns:
        Tensors `LANGUAGE/LAYER/mean`, `/weight` (or `/core` with a shared `_basis/LAYER`) and `/shift`.

    Raises:
        InputError: no word pairs, or a layer the encoder does not have.

    Source: Kulshreshtha, Redondo-Garcia and Chang 2020, Cross-lingual alignment methods for multilingual BERT.
    Relatives: `clbt` lets the map stretch as well, which fits better and generalises worse from few pairs;
    `centring` only moves the clouds. Prefer rotation where distances within a language must stay as they are.
    """
    if settings.to == "zero" and settings.normalisation == "none":
        raise InputError(
            "to=zero needs the languages' means; valid with normalisation=centre, centre_std or centre_unit"
        )
    languages = wanted_languages(data, settings.languages)
    found = {tag: collect(encoder, data.bitexts, tag, settings, seed=seed) for tag in languages}
    pairs = {tag: one for tag, one in found.items() if one is not None}
    bases = _bases(pairs, settings.rank) if settings.rank else None
    tensors = fit_languages(
        encoder, found, settings, say,
        lambda one, slot: _fit_one(one.source[slot], one.target[slot], settings.normalisation,
                                   None if bases is None else bases[slot]),
        bases,
    )  # fmt: skip
    return tensors if settings.to == "anchor" else _centred(tensors, pairs, data.anchor, settings)


def _centred(
    tensors: dict[str, np.ndarray], pairs: dict[str, WordPairs], anchor: str, settings: RotationSettings
) -> dict[str, np.ndarray]:
    """The same maps with every language's centre at zero: no shift, and a mean for the anchor too."""
    kept = {key: value for key, value in tensors.items() if not key.endswith("/shift")}
    layers = [int(key.split("/")[1]) for key in tensors if key.startswith(f"{next(iter(pairs))}/")]
    for slot, layer in enumerate(sorted(set(layers))):
        mean = np.mean([one.target[slot].mean(axis=0, dtype=np.float64) for one in pairs.values()], axis=0)
        kept[f"{anchor}/{layer}/mean"] = mean.astype(settings.precision)
    return kept


def _fit_one(source: np.ndarray, target: np.ndarray, normalisation: str, basis: np.ndarray | None) -> Affine:
    """The map of one language at one layer."""
    source, target = source.astype(np.float64), target.astype(np.float64)
    zero = np.zeros(source.shape[1])
    mean_source, mean_target = (zero, zero) if normalisation == "none" else (source.mean(axis=0), target.mean(axis=0))
    x, y = source - mean_source, target - mean_target
    if normalisation == "centre_std":
        from_scale, to_scale = 1 / np.maximum(x.std(axis=0), 1e-9), y.std(axis=0)
        weight = from_scale[:, None] * procrustes(x * from_scale, y / np.maximum(to_scale, 1e-9)) * to_scale
        return Affine(mean_source, mean_target, weight=weight)
    if normalisation == "centre_unit":
        x, y = (z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-9) for z in (x, y))
    if basis is None:
        return Affine(mean_source, mean_target, weight=procrustes(x, y))
    return Affine(mean_source, mean_target, core=procrustes(x @ basis, y @ basis) - np.eye(basis.shape[1]))


def _bases(pairs: dict[str, WordPairs], rank: int) -> list[np.ndarray]:
    """For each layer the (dim, rank) principal axes of all languages' and the anchor's centred words."""
    layers = len(next(iter(pairs.values())).source) if pairs else 0
    return [principal_axes([side[slot] for one in pairs.values() for side in (one.source, one.target)], rank)
            for slot in range(layers)]  # fmt: skip


SPEC = Method(
    name="rotation",
    title="Rotation",
    summary="Orthogonal Procrustes per language and layer: rotates each language onto the anchor, keeps distances.",
    citation="Kulshreshtha et al. 2020, Cross-lingual Alignment Methods for Multilingual BERT; Schönemann 1966",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=RotationSettings,
)
