"""Unbalanced optimal transport: mass moves where it is cheap, and a word may send or receive less, at a price."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder
from analysis.links.transport import ITERATIONS, STOP, link_costs, links_by_mass, solver
from analysis.settings import Setting


@dataclass(frozen=True)
class UnbalancedSettings:
    """Settings of unbalanced transport; the defaults were the best of a few on XL-WA en-es and en-ru, development."""

    threshold: Annotated[
        float, Setting("share of a word's mass that must move along a link (see `links_by_mass`)", ge=0, le=1)
    ] = 0.3
    penalty: Annotated[
        float,
        Setting("price of mass that is not moved as given: the lower, the more words are left out",
                ge=0.001, le=1, source="Arase et al. 2023, section 3.3"),
    ] = 0.3  # fmt: skip
    regularisation: Annotated[
        float, Setting("weight of the entropy: the higher, the more the mass spreads", ge=0.02, le=10)
    ] = 0.05


def choose(similarity: np.ndarray, settings: UnbalancedSettings) -> np.ndarray:
    """The (m, n) mask of links along which enough mass moves; every word of both sides has mass 1.

    Args:
        similarity: (m, n) cosines.
        settings: threshold, price of mass that stays, weight of the entropy.
    """
    source, target = (np.ones(size) for size in similarity.shape)
    plan = move(similarity, settings.penalty, settings.regularisation)
    return links_by_mass(plan, source, target, settings.threshold)


def move(similarity: np.ndarray, penalty: float, regularisation: float) -> np.ndarray:
    """The (m, n) plan between words of mass 1 whose marginals may differ from 1, at a Kullback-Leibler penalty.

    Source: Chizat et al. 2018, Scaling Algorithms for Unbalanced Transport Problems, algorithm 1.
    """
    ot = solver()
    source, target = (np.ones(size) for size in similarity.shape)
    return ot.unbalanced.sinkhorn_unbalanced(
        source, target, link_costs(similarity), regularisation, penalty, reg_type="kl",
        method="sinkhorn", numItermax=ITERATIONS, stopThr=STOP,
    )  # fmt: skip


SPEC = Decoder(
    name="ot_unbalanced",
    title="Unbalanced transport",
    summary="Moves mass between similar words and lets words without a match keep theirs: for loose translations.",
    citation="Arase, Bao and Yokoi 2023, Unbalanced Optimal Transport for Unbalanced Word Alignment, section 3.3",
    choose=choose,
    settings=UnbalancedSettings,
    tried=((), ("penalty=0.1", "threshold=0.1")),
)
