"""Precision and recall of the links of one sentence pair, for looking at it; scores of data are `link_f1` and `aer`."""

from dataclasses import dataclass

from analysis.text.pharaoh import Links


@dataclass(frozen=True)
class PairScore:
    """How found links agree with known ones on one sentence pair.

    Attributes:
        precision: share of the found links that are possible ones, 0 to 1; None where none was found.
        recall: share of the sure links that were found, 0 to 1; None where there is none.
    """

    precision: float | None
    recall: float | None


def score_pair(found: Links, known: Links) -> PairScore:
    """Precision against possible links and recall of sure links (Och and Ney 2003, section 6.1).

    Args:
        found: decoded links.
        known: gold or made links of the same pair.
    """
    precision = len(found.sure & known.possible) / len(found.sure) if found.sure else None
    recall = len(found.sure & known.sure) / len(known.sure) if known.sure else None
    return PairScore(precision, recall)
