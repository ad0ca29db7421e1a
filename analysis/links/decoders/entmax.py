"""Entmax: two words are linked when each gives the other some probability, where most probabilities are exactly 0."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder
from analysis.settings import Setting

HALVINGS = 50


@dataclass(frozen=True)
class EntmaxSettings:
    """Settings of the entmax decoder.

    The default temperature was the best of 0.01 to 0.1 for the bundled encoder on development data (XL-WA en-es,
    en-ru); an encoder whose cosines spread wider wants a higher one.
    """

    threshold: Annotated[
        float, Setting("both probabilities must exceed this", ge=0, le=1, source="Dou and Neubig 2021, section 2.2")
    ] = 0.0
    alpha: Annotated[
        float,
        Setting("how sparse: nearly softmax just above 1, sparsemax at 2", ge=1.01, le=4,
                source="Peters, Niculae and Martins 2019, section 3"),
    ] = 1.5  # fmt: skip
    temperature: Annotated[float, Setting("similarities are divided by it; the higher, the more links", ge=1e-4)] = 0.01
    similarity: Annotated[
        str,
        Setting("cosine does not depend on the length of vectors, dot is the paper's", choices=("cosine", "dot")),
    ] = "cosine"


def choose(similarity: np.ndarray, settings: EntmaxSettings) -> np.ndarray:
    """The (m, n) mask of cells whose probability exceeds the threshold in both directions.

    Args:
        similarity: (m, n) cosines, or dot products where `settings.similarity` is `dot`.
        settings: threshold, alpha and temperature.
    """
    logits = similarity / settings.temperature
    forward, backward = entmax(logits, settings.alpha), entmax(logits.T, settings.alpha).T
    return (forward > settings.threshold) & (backward > settings.threshold)


def entmax(logits: np.ndarray, alpha: float) -> np.ndarray:
    """Alpha-entmax of every row: probabilities that sum to 1, exactly 0 where a logit is far below the largest.

    Exact by sorting at alpha 1.5 and 2 (sparsemax); else the threshold is halved in until it is as good as exact.

    Args:
        logits: (m, n) finite numbers, n >= 1.
        alpha: more than 1.

    Source: Peters, Niculae and Martins 2019, Sparse Sequence-to-Sequence Models, section 3 and algorithms 1 and 2.
    """
    # What lies more than 1 below the largest scaled logit has no probability; cutting it there keeps squares small.
    scaled = np.maximum((alpha - 1) * (logits - logits.max(axis=1, keepdims=True)), -1)
    if alpha == 1.5:
        cut = _cut_15(scaled)
    elif alpha == 2:
        cut = _cut_2(scaled)
    else:
        cut = _cut_by_halving(scaled, alpha)
    # Rounding may put the cut a hair below -1, where nothing is left.
    powers = np.maximum(scaled - np.maximum(cut, -1), 0) ** (1 / (alpha - 1))
    return powers / powers.sum(axis=1, keepdims=True)


def _cut_15(scaled: np.ndarray) -> np.ndarray:
    """The (m, 1) thresholds at alpha 1.5, where the squares of what lies above sum to 1."""
    largest = -np.sort(-scaled, axis=1)
    count = np.arange(1, scaled.shape[1] + 1)
    mean = np.cumsum(largest, axis=1) / count
    spread = np.cumsum(largest**2, axis=1) - count * mean**2
    cuts = mean - np.sqrt(np.maximum((1 - spread) / count, 0))
    return np.take_along_axis(cuts, np.sum(cuts <= largest, axis=1, keepdims=True) - 1, axis=1)


def _cut_2(scaled: np.ndarray) -> np.ndarray:
    """The (m, 1) thresholds at alpha 2, where what lies above sums to 1."""
    largest = -np.sort(-scaled, axis=1)
    cuts = (np.cumsum(largest, axis=1) - 1) / np.arange(1, scaled.shape[1] + 1)
    return np.take_along_axis(cuts, np.sum(cuts < largest, axis=1, keepdims=True) - 1, axis=1)


def _cut_by_halving(scaled: np.ndarray, alpha: float) -> np.ndarray:
    """The (m, 1) thresholds at any alpha, by bisection between those of one sure and of all equal entries."""
    low = np.full((len(scaled), 1), -1.0)
    high = np.full((len(scaled), 1), -(scaled.shape[1] ** (1 - alpha)))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = np.sum(np.maximum(scaled - middle, 0) ** (1 / (alpha - 1)), axis=1, keepdims=True) >= 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low


SPEC = Decoder(
    name="entmax",
    title="Two-way entmax",
    summary="Like two-way softmax with probabilities that are exactly zero for unlikely words: needs no threshold.",
    citation="Dou and Neubig 2021, section 2.2; Peters, Niculae and Martins 2019",
    choose=choose,
    settings=EntmaxSettings,
    tried=((), ("temperature=0.03",)),
)
