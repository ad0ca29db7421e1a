"""Match: the one-to-one matching of words with the greatest total similarity."""

import numpy as np

from analysis.links.decoder import Decoder
from analysis.settings import NoSettings


def choose(similarity: np.ndarray, settings: NoSettings) -> np.ndarray:
    """The (m, n) mask of a maximum-weight matching; every word of the shorter side gets a link."""
    from scipy.optimize import linear_sum_assignment

    links = np.zeros(similarity.shape, dtype=bool)
    links[linear_sum_assignment(similarity, maximize=True)] = True
    return links


SPEC = Decoder(
    name="match",
    title="Best matching",
    summary="Pairs words one to one for the greatest total similarity: every word of the shorter side is linked.",
    citation="Jalili Sabet et al. 2020, SimAlign, section 2.1 (Match)",
    choose=choose,
)
