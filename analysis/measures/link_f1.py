"""Link F1: how many of the gold word links a decoder finds, and how many of its links are right."""

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.link_scores import SURE, LinkSettings, count_links, f1, link_items, link_note, link_parts
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, PairSpace, scored, unscored


def compute(space: PairSpace, settings: LinkSettings | None = None, *, seed: int = 0) -> Result:
    """Decode every sentence pair and score the links over the whole file (micro average).

    Precision counts a link as right when it is at least possible, recall asks for the sure ones.

    Args:
        space: word or subword vectors of both sides and gold links.
        settings: see `LinkSettings`.
        seed: seed of the bootstrap over sentence pairs.

    Returns:
        F1 in percent. Parts: precision, recall, AER, numbers of links. Items: every pair with its links.

    Raises:
        InputError: no gold links, an unknown decoder or option, or sentence vectors.

    Source: Och and Ney 2003, A systematic comparison of various statistical alignment models, section 6.
    """
    settings = settings or LinkSettings()
    counts = count_links(SPEC, space, settings)
    if not counts.sums[:, SURE].sum():
        return unscored(SPEC, space, settings, seed=seed, note="the data have no sure link, so recall is undefined")
    return scored(
        SPEC, space, settings, seed=seed, sums=counts.sums, score=f1, n=int(np.sum(counts.scored)),
        parts=link_parts(counts), items=link_items(space, counts), note=link_note(counts),
    )  # fmt: skip


SPEC = Measure(
    name="link_f1",
    title="Link F1",
    summary="Balance of precision and recall of the word links that a decoder reads off the similarities.",
    unit="percent",
    higher_is_better=True,
    needs=Need.LINKS,
    unit_of=Unit.WORD,
    citation="Och and Ney 2003, A systematic comparison of various statistical alignment models",
    hides="It looks inside sentence pairs only, so it does not show whether words find each other across the file; "
    "the decoder counts as much as the encoder.",
    compute=compute,
    settings=LinkSettings,
)
