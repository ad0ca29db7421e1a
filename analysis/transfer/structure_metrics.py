"""Scores of structure: attachment of trees, and exact match and F1 of answers."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from analysis.transfer.item import Answers, Item, Tree
from analysis.transfer.metric import Metric, ratio

# Articles as the evaluation script of MLQA drops them; every other language keeps all its words.
ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": "ال",  # the script's first alternative can never match, so the letters go wherever they stand
}
# Characters that are tokens by themselves. MLQA knows those of Chinese; kana and Thai are added here in its manner.
SINGLE = {
    "zh": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
    "ja": re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"),
    "th": re.compile("[\u0e01-\u0e3a\u0e40-\u0e5b]"),
}


def universal(relation: str) -> str:
    """The part of a relation that all treebanks share: `nsubj` of `nsubj:pass`."""
    return relation.partition(":")[0]


def attachments(items: Sequence[Item], predictions: Sequence[Any]) -> np.ndarray:
    """(items, 3): words, those with the right head, and those with the right head and relation.

    Punctuation counts like any word. Of a relation the universal part counts, as in the LAS of the CoNLL 2018 shared
    task. A word that got no relation ("") was not parsed, so it is wrong even where its head is right by chance.
    """
    rows = []
    for item, said in zip(items, predictions, strict=True):
        gold = item.label
        assert isinstance(gold, Tree)
        heads = [a == b and bool(name) for a, b, name in zip(gold.heads, said.heads, said.relations, strict=True)]
        both = [
            right and universal(a) == universal(b)
            for right, a, b in zip(heads, gold.relations, said.relations, strict=True)
        ]
        rows.append((len(heads), sum(heads), sum(both)))
    return np.array(rows, float).reshape(-1, 3)


def answered(items: Sequence[Item], predictions: Sequence[Any]) -> np.ndarray:
    """(items, 3): one, exact match and F1 of the words, each the best over the right answers.

    Both by the rules of SQuAD 1.1 (Rajpurkar et al. 2016): lower case, without punctuation and articles. As in MLQA
    (Lewis et al. 2020) punctuation is that of Unicode, articles are those of the text's language (en, es, de, ar, vi; hi
    has none), and a Chinese character is a word; so is a Japanese or Thai one, which MLQA does not have. Other languages
    keep their articles and are cut at white space. Two answers of which nothing is left (a bare article) agree, as
    in SQuAD 2.0.
    """
    rows = []
    for item, said in zip(items, predictions, strict=True):
        gold = item.label
        assert isinstance(gold, Answers)
        language = (item.other or item.sentence).language
        words = normalised(str(said), language)
        right = [normalised(text, language) for text in gold.texts]
        rows.append((1.0, max(float(words == one) for one in right), max(overlap(words, one) for one in right)))
    return np.array(rows, float).reshape(-1, 3)


def normalised(answer: str, language: str) -> tuple[str, ...]:
    """The words of an answer that count."""
    base = language.split("-")[0]
    text = "".join(char for char in answer.lower() if not _punctuation(char))
    if base in ARTICLES:
        text = re.sub(ARTICLES[base], " ", text)
    if base in SINGLE:
        text = SINGLE[base].sub(r" \g<0> ", text)
    return tuple(text.split())


def overlap(said: Sequence[str], right: Sequence[str]) -> float:
    """F1 of two bags of words."""
    if not (said and right):
        return float(not said and not right)
    same = sum((Counter(said) & Counter(right)).values())
    return 2 * same / (len(said) + len(right))


@cache
def _punctuation(char: str) -> bool:
    """Whether a character is dropped."""
    return unicodedata.category(char).startswith("P") or char in string.punctuation


LAS = Metric("las", "labelled attachment score", attachments, ratio(2, 0), (("uas", ratio(1, 0)),))
ANSWER_F1 = Metric("answer_f1", "F1 of the answer's words", answered, ratio(2, 0), (("exact_match", ratio(1, 0)),))
