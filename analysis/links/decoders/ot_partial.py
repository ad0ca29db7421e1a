"""Partial optimal transport: only a fixed share of the words' mass moves, along the cheapest links."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder
from analysis.links.transport import link_costs, links_by_mass, solver
from analysis.settings import Setting


@dataclass(frozen=True)
class PartialSettings:
    """Settings of partial transport."""

    share: Annotated[
        float,
        Setting("share of the shorter side's words that is to be linked", ge=0.01, le=1,
                source="Arase et al. 2023, section 3.2"),
    ] = 0.9  # fmt: skip
    threshold: Annotated[
        float, Setting("share of a word's mass that must move along a link (see `links_by_mass`)", ge=0, le=1)
    ] = 0.01


def choose(similarity: np.ndarray, settings: PartialSettings) -> np.ndarray:
    """The (m, n) mask of links along which mass moves; every word of both sides has mass 1.

    Args:
        similarity: (m, n) cosines.
        settings: share of the mass and threshold.
    """
    source, target = (np.ones(size) for size in similarity.shape)
    return links_by_mass(move(similarity, settings.share), source, target, settings.threshold)


def move(similarity: np.ndarray, share: float) -> np.ndarray:
    """The (m, n) exact plan that moves a share of the shorter side's mass, where every word has mass 1.

    Source: Chapel, Alaya and Gasso 2020, Partial Optimal Transport, proposition 1.
    """
    ot = solver()
    source, target = (np.ones(size) for size in similarity.shape)
    # One more for every link changes no plan that moves a given mass, and keeps the price of moving nothing above 0.
    cost = link_costs(similarity) + 1
    return ot.partial.partial_wasserstein(source, target, cost, m=share * min(similarity.shape))


SPEC = Decoder(
    name="ot_partial",
    title="Partial transport",
    summary="Links the most similar words one to one, but only a set share of them: the rest is taken to have no match.",
    citation="Arase, Bao and Yokoi 2023, Unbalanced Optimal Transport for Unbalanced Word Alignment, section 3.2",
    choose=choose,
    settings=PartialSettings,
    tried=((), ("share=0.8",)),
)
