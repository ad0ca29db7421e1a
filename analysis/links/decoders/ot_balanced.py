"""Balanced optimal transport: all mass of the source words moves to the target words, at the least cost."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder
from analysis.links.transport import ITERATIONS, STOP, link_costs, links_by_mass, solver
from analysis.settings import Setting


@dataclass(frozen=True)
class BalancedSettings:
    """Settings of balanced transport."""

    threshold: Annotated[
        float, Setting("share of a word's mass that must move along a link (see `links_by_mass`)", ge=0, le=1)
    ] = 0.4
    regularisation: Annotated[
        float,
        Setting("weight of the entropy: the higher, the more the mass spreads; 0 is exact transport", ge=0, le=10,
                source="Arase et al. 2023, released program"),
    ] = 0.1  # fmt: skip


def choose(similarity: np.ndarray, settings: BalancedSettings) -> np.ndarray:
    """The (m, n) mask of links along which enough mass moves; every word of a side has the same mass.

    Args:
        similarity: (m, n) cosines.
        settings: threshold and weight of the entropy.
    """
    source, target = (np.full(size, 1 / size) for size in similarity.shape)
    return links_by_mass(move(similarity, settings.regularisation), source, target, settings.threshold)


def move(similarity: np.ndarray, regularisation: float) -> np.ndarray:
    """The (m, n) transport plan between evenly spread masses of 1, by Sinkhorn's iterations or, at 0, exactly.

    Source: Cuturi 2013, Sinkhorn Distances, algorithm 1.
    """
    ot = solver()
    cost = link_costs(similarity)
    source, target = (np.full(size, 1 / size) for size in cost.shape)
    if regularisation == 0:
        return ot.lp.emd(source, target, cost)
    # Powers of a cost over a small regularisation underflow, their logarithms do not.
    method = "sinkhorn" if regularisation >= 0.01 else "sinkhorn_log"
    return ot.bregman.sinkhorn(
        source, target, cost, regularisation, method=method, numItermax=ITERATIONS, stopThr=STOP, warn=False
    )


SPEC = Decoder(
    name="ot_balanced",
    title="Balanced transport",
    summary="Moves all mass from word to word at the least total cost: no word is left out when links compete.",
    citation="Dou and Neubig 2021, section 2.2 (optimal transport); Arase, Bao and Yokoi 2023, section 3.1",
    choose=choose,
    settings=BalancedSettings,
    tried=((), ("regularisation=0", "threshold=0.5")),
)
