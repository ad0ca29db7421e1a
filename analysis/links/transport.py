"""What the optimal-transport decoders share: the cost of a link, and links from the mass that moves."""

import os
from types import ModuleType

import numpy as np

ITERATIONS = 1000
ROUNDING = 1e-9  # exact plans move simple fractions, which rounding must not push over a threshold
STOP = 1e-6  # relative change at which iterations end, as in the program of Arase et al. 2023


def solver() -> ModuleType:
    """The library POT, imported without the tensor libraries it would look for."""
    for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{name}", "1")
    import ot

    return ot


def link_costs(similarity: np.ndarray) -> np.ndarray:
    """The cost of moving mass between two words: 0 for the best pair of the sentences, 1 for the worst.

    Args:
        similarity: (m, n) finite numbers.

    Returns:
        (m, n) float64; all 0 where all similarities are equal, for then every link is as good as the best.

    Source: Arase, Bao and Yokoi 2023, section 4.1 (distances scaled to the unit interval within a sentence pair).
    """
    best, worst = similarity.max(), similarity.min()
    return (best - similarity) / (best - worst) if best > worst else np.zeros(similarity.shape)


def links_by_mass(plan: np.ndarray, source: np.ndarray, target: np.ndarray, threshold: float) -> np.ndarray:
    """The (m, n) mask of cells through which enough mass moves.

    Args:
        plan: (m, n) mass that moves.
        source: (m,) mass of each source word.
        target: (n,) mass of each target word.
        threshold: share of the most that can move between the two words, which is the lesser of their masses;
            this share depends neither on the lengths of the sentences nor on the scale of similarities.
    """
    return plan > threshold * np.minimum(source[:, None], target[None, :]) + ROUNDING
