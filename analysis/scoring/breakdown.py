"""Retrieval by kind of word: parts of speech, how often a form occurs, strings that are the same in both languages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.errors import unknown
from analysis.records import bootstrap, percent

# Universal Dependencies, "Universal POS tags"; the others (PUNCT, SYM, X) are neither.
OPEN = frozenset({"ADJ", "ADV", "INTJ", "NOUN", "PROPN", "VERB"})
CLOSED = frozenset({"ADP", "AUX", "CCONJ", "DET", "NUM", "PART", "PRON", "SCONJ"})
BANDS = ((1, "1"), (4, "2-4"), (9, "5-9"), (49, "10-49"))


@dataclass(frozen=True)
class Group:
    """The score of the queries of one kind.

    Attributes:
        name: the kind (`NOUN`, `open`, `2-4`, `identical`); "" where it is unknown.
        n: number of queries, both directions together.
        score: percent of hits.
        low, high: ends of the 95 % bootstrap interval over sentences; None where one sentence holds them all.
    """

    name: str
    n: int
    score: float
    low: float | None
    high: float | None


def word_class(tag: str) -> str:
    """`open`, `closed`, `other`, or "" for an unknown part of speech (Universal Dependencies v2)."""
    if not tag:
        return ""
    return "open" if tag in OPEN else "closed" if tag in CLOSED else "other"


def frequency_band(count: int) -> str:
    """`1`, `2-4`, `5-9`, `10-49` or `50+`."""
    return next((name for most, name in BANDS if count <= most), "50+")


def breakdown(
    items: Mapping[str, Sequence[Any]], by: str = "pos", *, hit: str = "cosine_hit", clusters: int | None = None,
    seed: int = 0,
) -> list[Group]:  # fmt: skip
    """The score of every kind of query.

    Args:
        items: the table behind a result of `word_retrieval` (any table with `row` and a column of hits serves).
        by: `pos`, `class` (open, closed, other), `frequency` (bands), `identical`, or any other column.
        hit: the column that says which queries hit.
        clusters: number of sentences (`Result.clusters`), so that two encoders are resampled alike; one more than
            the highest row if None.
        seed: seed of the bootstrap.

    Returns:
        One group a kind, the most frequent first; bands of frequency in their order.

    Raises:
        InputError: no such column.

    Source: Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations, section 5
    (accuracy by part of speech; open-class words are worse than closed-class ones).
    """
    column, label = _KINDS.get(by, (by, str))
    for name in (column, hit, "row"):
        if name not in items:
            raise unknown("column", name, items)
    names = np.array([label(value) for value in items[column]], dtype=object)
    rows, hits = np.asarray(items["row"], dtype=np.int64), np.asarray(items[hit], dtype=np.float64)
    clusters = (int(rows.max()) + 1 if len(rows) else 0) if clusters is None else clusters
    groups = [_group(name, rows[names == name], hits[names == name], clusters, seed) for name in set(names)]
    order = [name for _, name in BANDS] + ["50+"]
    if by == "frequency":
        return sorted(groups, key=lambda group: order.index(group.name))
    return sorted(groups, key=lambda group: (-group.n, group.name))


def _group(name: str, rows: np.ndarray, hits: np.ndarray, clusters: int, seed: int) -> Group:
    """The score of some queries."""
    sums = np.stack([np.bincount(rows, weights=w, minlength=clusters) for w in (np.ones(len(rows)), hits)], axis=1)
    score, low, high, _ = bootstrap(sums, percent, seed=seed)
    known = len(set(rows.tolist())) > 1
    return Group(name, len(rows), score, low if known else None, high if known else None)


_KINDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "class": ("pos", word_class),
    "frequency": ("frequency", frequency_band),
    "identical": ("identical", lambda same: "identical" if same else "different"),
}
