"""Scores of tagged words: the share of right tags, and F1 over spans."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.transfer.item import Item
from analysis.transfer.metric import Metric, ratio

PREFIXES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S"}  # L and U are what BILOU calls E and S


def to_iob2(tags: Sequence[str]) -> tuple[str, ...] | None:
    """Tags of spans in one spelling, IOB2: each span begins with B-, so that training and test data agree.

    Reads IOB1 (B- only between two spans of one type that touch), IOB2, BIOES and BILOU; the spans stay the same.

    Args:
        tags: of one sentence: `O`, or a prefix and a type such as `B-PER`.

    Returns:
        The same number of tags, or None where one of them is no such tag.
    """
    found = []
    before, inside = "O", ""
    for tag in tags:
        head, dash, kind = tag.partition("-")
        if tag == "O":
            found.append("O")
        elif head in PREFIXES and (kind or not dash):
            begins = before in "OES" or PREFIXES[head] in "BS" or kind != inside
            found.append(f"{'B' if begins else 'I'}{dash}{kind}")
        else:
            return None
        before, inside = PREFIXES.get(head, "O"), kind
    return tuple(found)


def _words(items: Sequence[Item], predictions: Sequence[Any]) -> np.ndarray:
    """(items, 2): words, and words whose tag was predicted."""
    found = [
        (len(said), sum(a == b for a, b in zip(item.label, said, strict=True)))  # type: ignore[arg-type]
        for item, said in zip(items, predictions, strict=True)
    ]
    return np.array(found, float).reshape(-1, 2)


def _spans(items: Sequence[Item], predictions: Sequence[Any]) -> np.ndarray:
    """(items, 3): spans with the right ends and type, predicted spans, gold spans."""
    from seqeval.metrics.sequence_labeling import get_entities

    found = []
    for item, said in zip(items, predictions, strict=True):
        gold, guess = (set(get_entities(list(tags))) for tags in (item.label, said))  # type: ignore[arg-type]
        found.append((len(gold & guess), len(guess), len(gold)))
    return np.array(found, float).reshape(-1, 3)


def _f1(stats: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """100 times F1 of each resample; NaN where there is no span, neither predicted nor gold."""
    right, guess, gold = (counts.astype(np.float64) @ stats.astype(np.float64)).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(guess + gold > 0, 200 * right / (guess + gold), np.nan)


WORD_ACCURACY = Metric("word_accuracy", "accuracy over words", _words, ratio(1, 0))
# As conlleval and seqeval's default mode count (Tjong Kim Sang and De Meulder 2003): I- that follows O or another type
# begins a span. seqeval's strict mode would drop such spans.
SPAN_F1 = Metric("span_f1", "F1 over spans", _spans, _f1, (("precision", ratio(0, 1)), ("recall", ratio(0, 2))))
