"""Orthogonal Procrustes: one rotation per language and layer into the anchor's space."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from analysis.alignment.linear import Affine, covariance, fit_languages, principal_axes
from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.pairs import PairSettings, WordPairs, parse_layers
from analysis.alignment.types import word_pairs
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
    encoder: Encoder,
    data: AlignmentData,
    settings: RotationSettings,
    *,
    seed: int = 0,
    say: Say = print,
    job: Any = None,
) -> Fitted:
    """Rotate every language's vectors onto the anchor's, layer by layer.

    In plain words: the words of both languages are two clouds of points; if they have the same shape and only
    lie differently in space, a rotation lays one on the other and keeps all distances within a language.

    With X the vectors of a language's words and Y those of their translations, both less their mean, the rotation is
    `W = U V'` with `U S V' = svd(X' Y)`, and x becomes `(x - mean(X)) W + mean(Y)`.

    Needs sentence pairs, or a dictionary and text of both languages. From sentence pairs, X and Y are words in their
    sentences, paired by word links; the encoder makes these where the data bring none. From a dictionary they are
    word types, each the mean of its contextual vectors over all text of its language, paired by the entries whose
    words both occur; the sides of sentence pairs are text like any other then. The paper found sentence pairs the
    better teacher in most cases: a type mixes the senses of a word. Prefer a dictionary where there are no
    translations of sentences, and choose text like that the encoder is for.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, or dictionaries with the anchor and text.
        settings: see `RotationSettings`.
        seed: decides which pairs are drawn where there are more than `max_pairs`.
        say: told what was fitted.
        job: told how far the types of a dictionary are; there is nothing to resume.

    Returns:
        Tensors `LANGUAGE/LAYER/mean`, `/weight` (or `/core` with a shared `_basis/LAYER`) and `/shift`.

    Raises:
        InputError: no word pairs, a dictionary without text or without a word of it, or a layer the encoder does not
            have.

    Source: Kulshreshtha, Redondo-Garcia and Chang 2020, Cross-lingual alignment methods for multilingual BERT.
    Relatives: `clbt` lets the map stretch as well, which fits better and generalises worse from few pairs;
    `centring` only moves the clouds. Prefer rotation where distances within a language must stay as they are.
    """
    if settings.to == "zero" and settings.normalisation == "none":
        raise InputError(
            "to=zero needs the languages' means; valid with normalisation=centre, centre_std or centre_unit"
        )
    if settings.rank > encoder.dim:
        raise InputError(
            f"rank={settings.rank} exceeds the encoder's {encoder.dim} dimensions; valid: 0 to {encoder.dim}"
        )
    bases = None
    if settings.rank:  # the vectors, or the means of types, come from the cache the second time
        bases = _bases(word_pairs(encoder, data, settings, seed=seed, say=lambda _: None, job=job), settings.rank)
    centres: list[np.ndarray] = []

    def fit_one(one: WordPairs, slot: int) -> Affine:
        """The map of one language at one layer; the anchor's mean is kept for the end."""
        if slot == 0:
            _warn_of_few(one, settings.rank or encoder.dim, say)
            centres.append(one.target.mean(axis=1, dtype=np.float64))
        basis = None if bases is None else bases[slot]
        found = _fit_one(one.source[slot], one.target[slot], settings.normalisation, basis)
        return found if settings.to == "anchor" else replace(found, shift=np.zeros_like(found.shift))

    pairs = word_pairs(encoder, data, settings, seed=seed, say=say, job=job)
    tensors = fit_languages(encoder, pairs, settings, say, fit_one, bases)
    if settings.to == "zero":
        for layer, mean in zip(parse_layers(encoder, settings.layers), np.mean(centres, axis=0), strict=True):
            tensors[f"{data.anchor}/{layer}/mean"] = mean.astype(settings.precision)
    return Fitted.maps(tensors)


def _warn_of_few(one: WordPairs, dim: int, say: Say) -> None:
    """Say so where the word pairs leave the rotation of some directions to chance."""
    count = one.source.shape[1]
    if count < dim:
        say(f"warning: {one.language}: {count:,} word pairs leave {dim - count:,} of {dim} dimensions to chance, which does "
            f"more harm than good; give more pairs, or fewer dimensions: --set rank={max(1, count // 10)}")  # fmt: skip


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


def _bases(pairs: Iterable[tuple[str, WordPairs | None]], rank: int) -> list[np.ndarray]:
    """For each layer the (dim, rank) principal axes of all languages' and the anchor's centred words."""
    totals: list[np.ndarray] = []
    for _, one in pairs:
        if one is None:
            continue
        spread = [covariance(x) + covariance(y) for x, y in zip(one.source, one.target, strict=True)]
        totals = [a + b for a, b in zip(totals, spread, strict=True)] if totals else spread
    return [principal_axes(total, rank) for total in totals]


SPEC = Method(
    name="rotation",
    title="Rotation",
    summary="Orthogonal Procrustes per language and layer: rotates each language onto the anchor, keeps distances.",
    citation="Kulshreshtha et al. 2020, Cross-lingual Alignment Methods for Multilingual BERT; Schönemann 1966",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.DATA, Uses.DICTIONARY}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DICTIONARY, Uses.MONOLINGUAL, Uses.DEV}),
    fit=fit,
    settings=RotationSettings,
)
