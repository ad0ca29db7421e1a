"""Link agreement: do the links of the two directions agree? A stand-in for link F1 where nobody has linked the words."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.links.align import similarities
from analysis.links.decoder import directed_argmax
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, PairSpace, require_unit, scored, unscored
from analysis.settings import Setting, check
from analysis.text.pharaoh import Link, Links, format_links

AGREED, FORWARD, BACKWARD = range(3)


@dataclass(frozen=True)
class LinkAgreementSettings:
    """Settings of the agreement."""

    level: Annotated[
        str,
        Setting("compare words, or subwords whose links become links of their words", choices=("word", "subword")),
    ] = "word"


def compute(space: PairSpace, settings: LinkAgreementSettings | None = None, *, seed: int = 0) -> Result:
    """Link every word to its most similar one of the other sentence, from both sides, and compare the links.

    Args:
        space: word or subword vectors of both sides; links are not read.
        settings: see `LinkAgreementSettings`.
        seed: seed of the bootstrap over sentence pairs.

    Returns:
        Twice the links that both directions have, divided by the links of both, in percent, over the whole file (micro
        average). Parts: their numbers. Items: every pair with the links of each direction. No score where no pair has
        words with vectors on both sides. Word order, segmentation and length bound it, so compare encoders on one
        text only.

    Raises:
        InputError: sentence vectors, or word vectors where subwords are asked for.

    Source: Liang, Taskar and Klein 2006, Alignment by agreement, section 3, which trains two directions to agree;
    as a score here it is the Dice coefficient of their links.
    """
    settings = settings or LinkAgreementSettings()
    check(settings)
    require_unit(SPEC, space, Unit.WORD, Unit.SUBWORD)
    if settings.level == Unit.SUBWORD and space.unit is not Unit.SUBWORD:
        raise InputError(f"{SPEC.name} with level=subword needs subword vectors, got {space.unit}")
    found = _directed_links(space)
    sums = np.array([(len(a & b), len(a), len(b)) for a, b in found], dtype=np.float64).reshape(-1, 3)
    rows = np.flatnonzero(sums[:, FORWARD:].sum(axis=1))
    if not len(rows):
        return unscored(SPEC, space, settings, seed=seed, note="no sentence pair has words on both sides")
    total = sums.sum(axis=0)
    empty = len(sums) - len(rows)
    return scored(
        SPEC, space, settings, seed=seed, sums=sums, score=agreement, n=len(rows),
        parts={
            "links_agreed": int(total[AGREED]), "links_forward": int(total[FORWARD]),
            "links_backward": int(total[BACKWARD]),
        },
        items={
            "row": rows.tolist(), "agreement": agreement(sums[rows]).tolist(),
            "forward": [_formatted(found[row][0]) for row in rows],
            "backward": [_formatted(found[row][1]) for row in rows],
        },
        note=f"{empty:,} sentence pairs without words on both sides count nothing" if empty else "",
    )  # fmt: skip


def agreement(sums: np.ndarray) -> np.ndarray:
    """Dice coefficient in percent from (..., 3) counts of agreed, forward and backward links; NaN without links."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 200 * sums[..., AGREED] / (sums[..., FORWARD] + sums[..., BACKWARD])


def _directed_links(space: PairSpace) -> list[tuple[set[Link], set[Link]]]:
    """For each pair the links of words from source to target and from target to source."""
    found = []
    for pair in similarities(space.source, space.source_units, space.target, space.target_units, space.rows):
        usable = len(pair.source) and len(pair.target)
        masks = directed_argmax(pair.matrix) if usable else ()
        links = [
            {(int(pair.source[i]), int(pair.target[j])) for i, j in zip(*np.nonzero(mask), strict=True)}
            for mask in masks
        ]
        found.append((links[0], links[1]) if links else (set(), set()))
    return found


def _formatted(links: set[Link]) -> str:
    """Links in Pharaoh format."""
    return format_links(Links(frozenset(links)))


SPEC = Measure(
    name="link_agreement",
    title="Link agreement",
    summary="How often the most similar word, asked for from both sides of a sentence pair, is the same link.",
    unit="percent",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Liang, Taskar and Klein 2006, Alignment by agreement",
    hides="Directions can agree on wrong links, and free word order or articles keep it below 100 for any encoder; "
    "where there are gold links, read link F1.",
    compute=compute,
    settings=LinkAgreementSettings,
)
