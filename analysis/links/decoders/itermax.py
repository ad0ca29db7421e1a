"""Itermax: mutual argmax again among the words that are still free, so that more words get a link."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.links.decoder import Decoder, mutual_argmax
from analysis.settings import Setting


@dataclass(frozen=True)
class ItermaxSettings:
    """Settings of itermax."""

    iterations: Annotated[
        int, Setting("rounds of mutual argmax, the first one included", ge=1, le=20, source="SimAlign, section 2.1")
    ] = 2
    discount: Annotated[
        float,
        Setting("factor on similarities of a word that has a link", ge=0, le=1, source="SimAlign, section 2.1"),
    ] = 0.9


def choose(similarity: np.ndarray, settings: ItermaxSettings) -> np.ndarray:
    """The (m, n) mask of links after some rounds of mutual argmax.

    From the second round on, cells of two linked words are out, cells of one linked word are discounted.
    As in the published program, rounds end when a side has no free word, and a pair with at most two words
    on a side gets the first round only.

    Args:
        similarity: (m, n) cosines; mapped to (cos + 1) / 2 so that a discount always lowers them.
        settings: rounds and discount.
    """
    weights = (similarity + 1) / 2
    links = mutual_argmax(weights)
    if min(similarity.shape) <= 2:
        return links
    for _ in range(settings.iterations - 1):
        rows, columns = links.any(axis=1, keepdims=True), links.any(axis=0, keepdims=True)
        if rows.all() or columns.all():
            break
        both = rows & columns
        factor = np.where(both, 0.0, np.where(rows | columns, settings.discount, 1.0))
        added = mutual_argmax(weights * factor) & ~both
        if not added.any():
            break
        links = links | added
    return links


SPEC = Decoder(
    name="itermax",
    title="Itermax",
    summary="Repeats mutual argmax among words without a link: more links than argmax, a little less precise.",
    citation="Jalili Sabet et al. 2020, SimAlign, section 2.1 (Itermax)",
    choose=choose,
    settings=ItermaxSettings,
)
