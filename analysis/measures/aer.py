"""Alignment error rate: the classic score of word alignment against sure and possible gold links."""

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.link_scores import (
    LinkSettings,
    count_links,
    error_rate,
    link_items,
    link_note,
    link_parts,
)
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, PairSpace, scored, unscored


def compute(space: PairSpace, settings: LinkSettings | None = None, *, seed: int = 0) -> Result:
    """Decode every sentence pair and score the links over the whole file (micro average).

    AER = 1 - (|A and S| + |A and P|) / (|A| + |S|), with decoded links A, sure S and possible P.

    Args:
        space: word or subword vectors of both sides and gold links.
        settings: see `LinkSettings`.
        seed: seed of the bootstrap over sentence pairs.

    Returns:
        AER in percent, lower is better. Parts: precision, recall, F1, numbers of links. Items: every pair
        with its links.

    Raises:
        InputError: no gold links, an unknown decoder or option, or sentence vectors.

    Source: Och and Ney 2003, A systematic comparison of various statistical alignment models, section 6.
    """
    settings = settings or LinkSettings()
    counts = count_links(SPEC, space, settings)
    if not np.isfinite(error_rate(counts.sums.sum(axis=0))):
        return unscored(SPEC, space, settings, seed=seed, note="no sure gold link and no decoded link to compare")
    return scored(
        SPEC, space, settings, seed=seed, sums=counts.sums, score=error_rate, n=int(np.sum(counts.scored)),
        parts=link_parts(counts), items=link_items(space, counts), note=link_note(counts),
    )  # fmt: skip


SPEC = Measure(
    name="aer",
    title="Alignment error rate",
    summary="Share of word links that are wrong or missing, with sure and possible gold links; lower is better.",
    unit="percent",
    higher_is_better=False,
    needs=Need.LINKS,
    unit_of=Unit.WORD,
    citation="Och and Ney 2003, A systematic comparison of various statistical alignment models",
    hides="It rewards few, safe links where many gold links are only possible; the decoder counts as much as "
    "the encoder.",
    compute=compute,
    settings=LinkSettings,
)
