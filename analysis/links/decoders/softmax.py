"""Softmax: two words are linked when each gives the other enough probability."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder
from analysis.settings import Setting


@dataclass(frozen=True)
class SoftmaxSettings:
    """Settings of the softmax decoder.

    The default temperature was the best of 0.005 to 0.05 for the bundled encoder on development data (XL-WA en-es,
    en-ru); an encoder whose cosines spread wider wants a higher one.
    """

    threshold: Annotated[
        float,
        Setting(
            "both probabilities, or their mean, must exceed this", ge=0, le=1, source="Dou and Neubig 2021, section 2.2"
        ),
    ] = 0.001
    temperature: Annotated[
        float,
        Setting("similarities are divided by it before the softmax; the paper has 1, over dot products", ge=1e-4),
    ] = 0.005
    agreement: Annotated[
        str,
        Setting("both: each probability must exceed the threshold; mean: their mean must, so that one sure direction "
                "can make up for the other and a word can stand for several", choices=("both", "mean"),
                source="both: Dou and Neubig 2021"),
    ] = "both"  # fmt: skip
    similarity: Annotated[
        str,
        Setting("cosine does not depend on the length of vectors, dot is the paper's", choices=("cosine", "dot")),
    ] = "cosine"


def choose(similarity: np.ndarray, settings: SoftmaxSettings) -> np.ndarray:
    """The (m, n) mask of cells whose probability exceeds the threshold in both directions, or in their mean.

    Args:
        similarity: (m, n) cosines, or dot products where `settings.similarity` is `dot`.
        settings: threshold, temperature and agreement. `similarity=dot`, `temperature=1` is the paper's setting.
    """
    logits = similarity / settings.temperature
    forward, backward = _softmax(logits, axis=1), _softmax(logits, axis=0)
    if settings.agreement == "mean":
        return (forward + backward) / 2 > settings.threshold
    return (forward > settings.threshold) & (backward > settings.threshold)


def _softmax(logits: np.ndarray, *, axis: int) -> np.ndarray:
    """Probabilities along an axis, without overflow."""
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


SPEC = Decoder(
    name="softmax",
    title="Two-way softmax",
    summary="Links words whose softmax probability passes a threshold both ways: allows one word to have many links.",
    citation="Dou and Neubig 2021, Word Alignment by Fine-tuning Embeddings on Parallel Corpora, section 2.2",
    choose=choose,
    settings=SoftmaxSettings,
    # A low threshold takes in more links, a high one over a flatter softmax keeps the sure ones; the mean is for
    # encoders that were taught links of several words.
    tried=(
        (),
        ("threshold=0.1", "temperature=0.01"),
        ("threshold=0.5", "temperature=0.01", "agreement=mean"),
        ("threshold=0.5", "temperature=0.02", "agreement=mean"),
    ),
)
