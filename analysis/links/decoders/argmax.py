"""Mutual argmax: two words are linked when each is the other's most similar word."""

import numpy as np

from analysis.links.decoder import Decoder, mutual_argmax
from analysis.settings import NoSettings


def choose(similarity: np.ndarray, settings: NoSettings) -> np.ndarray:
    """The (m, n) mask of mutually most similar words; ties go to the lowest index."""
    return mutual_argmax(similarity)


SPEC = Decoder(
    name="argmax",
    title="Mutual argmax",
    summary="Links two words when each is the other's most similar one: few links, most of them right.",
    citation="Jalili Sabet et al. 2020, SimAlign, section 2.1 (Argmax)",
    choose=choose,
)
