"""Edge cover: every word gets at least one link, and all links together are as cheap as they can be."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder
from analysis.settings import Setting


@dataclass(frozen=True)
class EdgeCoverSettings:
    """Settings of the edge cover."""

    distance: Annotated[
        float,
        Setting(
            "price of a link between opposite ends of the sentences; tiny, it only decides between equal links",
            ge=0, le=1, source="Libovický, Rosa and Fraser 2020, released program",
        ),
    ] = 1e-5  # fmt: skip


def choose(similarity: np.ndarray, settings: EdgeCoverSettings) -> np.ndarray:
    """The (m, n) mask of an edge cover of least total cost.

    The cover is read off an assignment between two copies of the sentence pair: a word is matched either with a
    word of the other side or with its own copy at twice its cheapest link, which stands for that link.

    Args:
        similarity: (m, n) cosines; the cost of a link is 2 - cosine plus the price of its distance.
        settings: the price.
    """
    from scipy.optimize import linear_sum_assignment

    cost = costs(similarity, settings)
    m, n = cost.shape
    doubled = np.full((m + n, m + n), np.inf)
    doubled[:m, :n], doubled[m:, n:] = cost, cost.T
    rows, columns = np.arange(m), np.arange(n)
    doubled[rows, n + rows] = 2 * cost.min(axis=1)
    doubled[m + columns, columns] = 2 * cost.min(axis=0)
    left, right = linear_sum_assignment(doubled)
    matched = (left < m) & (right < n)
    links = np.zeros((m, n), dtype=bool)
    links[left[matched], right[matched]] = True
    alone = left[(left < m) & (right >= n)]
    links[alone, cost[alone].argmin(axis=1)] = True
    alone = right[(left >= m) & (right < n)]
    links[cost[:, alone].argmin(axis=0), alone] = True
    return links


def costs(similarity: np.ndarray, settings: EdgeCoverSettings) -> np.ndarray:
    """The (m, n) costs of single links, 1 or more where similarities are cosines."""
    i, j = np.indices(similarity.shape)
    return 2 - similarity + settings.distance * np.abs(i - j) / max(similarity.shape)


SPEC = Decoder(
    name="edge_cover",
    title="Edge cover",
    summary="Links every word at least once at the least total cost: misses little, but links words that have no match.",
    citation="Libovický, Rosa and Fraser 2020, On the Language Neutrality of Pre-trained Multilingual Representations",
    choose=choose,
    settings=EdgeCoverSettings,
)
