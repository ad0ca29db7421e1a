"""Grow-diag-final-and: links both directions agree on, grown by their neighbours that one direction has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder, directed_argmax
from analysis.settings import Setting

HEURISTICS = ("intersection", "union", "grow", "grow-diag", "grow-diag-final", "grow-diag-final-and")
_BESIDE = ((-1, 0), (0, -1), (1, 0), (0, 1))
_DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
Point = tuple[int, int]


@dataclass(frozen=True)
class GrowDiagSettings:
    """Settings of the symmetrisation."""

    heuristic: Annotated[
        str,
        Setting("how the two directions are joined; from few links to many: intersection, grow, ..., union",
                choices=HEURISTICS, source="Koehn et al. 2005, section 2"),
    ] = "grow-diag-final-and"  # fmt: skip


def choose(similarity: np.ndarray, settings: GrowDiagSettings) -> np.ndarray:
    """The (m, n) mask of the two directed argmax alignments, symmetrised.

    Args:
        similarity: (m, n) numbers; ties go to the lowest index.
        settings: the heuristic.
    """
    return symmetrise(*directed_argmax(similarity), settings.heuristic)


def symmetrise(forward: np.ndarray, backward: np.ndarray, heuristic: str) -> np.ndarray:
    """Join the links of two directions.

    Growing and the final step go row by row and take what they meet first, so exchanging the two sentences need not
    give the same links; `intersection` and `union` do not depend on the order.

    Args:
        forward: (m, n) bool, links from source to target.
        backward: (m, n) bool, links from target to source.
        heuristic: one of `HEURISTICS`.

    Returns:
        (m, n) bool, a new array.

    Source: Koehn et al. 2005, Edinburgh System Description for the 2005 IWSLT Evaluation, section 2.
    """
    if heuristic == "union":
        return forward | backward
    links = forward & backward
    if heuristic == "intersection":
        return links
    grow(links, forward | backward, _BESIDE if heuristic == "grow" else _BESIDE + _DIAGONAL)
    if "final" in heuristic:
        for directed in (forward, backward):
            add_final(links, directed, both=heuristic.endswith("and"))
    return links


def grow(links: np.ndarray, union: np.ndarray, neighbours: Sequence[Point]) -> None:
    """Add neighbours of links that are in the union and link a word that has no link yet, until there are none.

    Args:
        links: (m, n) bool; changed in place.
        union: (m, n) bool, all links of both directions.
        neighbours: steps to the cells that count as neighbours, in the order they are tried.
    """
    rows, columns = _linked(links)
    points: list[Point] = list(zip(*(index.tolist() for index in np.nonzero(union)), strict=True))
    known = set(points)
    added = True
    while added:
        added = False
        for i, j in points:
            if not links[i, j]:
                continue
            for down, right in neighbours:
                a, b = i + down, j + right
                if (a, b) in known and not links[a, b] and not (rows[a] and columns[b]):
                    links[a, b] = rows[a] = columns[b] = added = True


def add_final(links: np.ndarray, directed: np.ndarray, *, both: bool) -> None:
    """Add the links of one direction that link a word without a link, or two such words.

    Args:
        links: (m, n) bool; changed in place.
        directed: (m, n) bool, the links of that direction.
        both: whether both words must be without a link.
    """
    rows, columns = _linked(links)
    for i, j in zip(*(index.tolist() for index in np.nonzero(directed & ~links)), strict=True):
        if not (rows[i] or columns[j] if both else rows[i] and columns[j]):
            links[i, j] = rows[i] = columns[j] = True


def _linked(links: np.ndarray) -> tuple[list[bool], list[bool]]:
    """Which rows and which columns have a link."""
    return links.max(axis=1).tolist(), links.max(axis=0).tolist()


SPEC = Decoder(
    name="grow_diag",
    title="Grow-diag-final-and",
    summary="Joins the argmax links of both directions step by step, as phrase-based translation did: links nearly "
    "every word.",
    citation="Koehn, Och and Marcu 2003, section 4.5; Koehn et al. 2005, Edinburgh System Description, section 2",
    choose=choose,
    settings=GrowDiagSettings,
    tried=((), ("heuristic=grow-diag",)),
)
