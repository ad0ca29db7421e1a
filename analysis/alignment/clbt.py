"""One linear map per language and layer by least squares or SVD, after CLBT."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.linear import Affine, fit_languages
from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.pairs import PairSettings, WordPairs
from analysis.alignment.rotation import procrustes
from analysis.alignment.types import word_pairs
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting


@dataclass(frozen=True)
class ClbtSettings(PairSettings):
    """Settings of clbt."""

    solver: Annotated[
        str,
        Setting(
            "least_squares may stretch, svd is orthogonal; neither subtracts a mean",
            choices=("least_squares", "svd"),
            source="Wang et al. 2019, section 3.2; their README prefers the unconstrained map in most languages",
        ),
    ] = "least_squares"
    ridge: Annotated[
        float,
        Setting(
            "pull towards the identity, as a share of the words' mean squared norm; 0 is plain least squares",
            ge=0, source="stands in for early stopping from the identity",
        ),
    ] = 0.01  # fmt: skip


def least_squares(source: np.ndarray, target: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """The W that minimises `|source W - target|^2 / n + ridge s |W - I|^2`, s being the mean variance of a dimension.

    Args:
        source: (n, dim) row vectors.
        target: (n, dim) their counterparts.
        ridge: strength of the pull towards the identity.

    Returns:
        (dim, dim) float64.
    """
    x, y = np.asarray(source, np.float64), np.asarray(target, np.float64)
    dim, pull = x.shape[1], ridge * float((x**2).mean())
    if not pull:
        return np.linalg.lstsq(x, y, rcond=None)[0]
    gram = x.T @ x / len(x) + pull * np.eye(dim)
    return np.linalg.solve(gram, x.T @ y / len(x) + pull * np.eye(dim))


def fit(
    encoder: Encoder, data: AlignmentData, settings: ClbtSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Map every language's vectors onto the anchor's with one matrix a layer.

    In plain words: find the matrix that sends each word of a language closest to its translation; unlike a
    rotation it may stretch some directions and shrink others.

    Needs sentence pairs, or a dictionary and text of both languages as `rotation` does; word links are made by the
    encoder where the data bring none. The paper maps
    multilingual vectors into the space of a monolingual English model at WordPiece level; here both sides are
    words of one encoder.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, or dictionaries and text.
        settings: see `ClbtSettings`.
        seed: decides which pairs are drawn where there are more than `max_pairs`.
        say: told what was fitted.
        job: told how far the types of a dictionary are; there is nothing to resume.

    Returns:
        Tensors `LANGUAGE/LAYER/weight`.

    Raises:
        InputError: no word pairs, a dictionary that covers no word of the text, or a layer the encoder does not have.

    Source: Wang, Che, Guo, Liu and Liu 2019, Cross-lingual BERT transformation for zero-shot dependency parsing,
    section 3.2. Relatives: `rotation` keeps the distances within a language, and needs more word pairs than the
    encoder has dimensions; with fewer, the pull of `ridge` leaves the vectors here nearly where they are.
    """
    found = word_pairs(encoder, data, settings, seed=seed, say=say, job=job)

    def fit_one(pairs: WordPairs, slot: int) -> Affine:
        """The map of one language at one layer."""
        source, target = pairs.source[slot], pairs.target[slot]
        svd = settings.solver == "svd"
        weight = procrustes(source, target) if svd else least_squares(source, target, settings.ridge)
        return Affine(np.zeros(len(weight)), np.zeros(len(weight)), weight=weight)

    return Fitted.maps(fit_languages(encoder, found, settings, say, fit_one))


SPEC = Method(
    name="clbt",
    title="Linear map",
    summary="One matrix per language and layer by least squares (may stretch) or SVD (orthogonal).",
    citation="Wang et al. 2019, Cross-Lingual BERT Transformation for Zero-Shot Dependency Parsing",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.DATA, Uses.DICTIONARY}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DICTIONARY, Uses.MONOLINGUAL, Uses.DEV}),
    fit=fit,
    settings=ClbtSettings,
)
