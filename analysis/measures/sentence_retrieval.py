"""Sentence retrieval: is a sentence's nearest neighbour in the other language its translation?"""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.centring import centre_rows
from analysis.measures._parts.recall import distinct, recall_parts
from analysis.measures._parts.scorers import make_scorer, rank_golds
from analysis.neighbours.exact import Score, ranks
from analysis.neighbours.mutual import mutual_first
from analysis.neighbours.rows import has_direction, normalise_rows
from analysis.records import Result, both_ways
from analysis.scoring.measure import Measure, Need, require_unit, scored, unscored
from analysis.scoring.pairs import Pairs, paired_sentences, sum_rows
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class SentenceRetrievalSettings:
    """Settings of sentence retrieval."""

    score: Annotated[
        str,
        Setting(
            "what the main score ranks by; cosine and CSLS are parts anyway. ratio_margin divides the cosine by the "
            "mean cosine of both sentences with their neighbours",
            choices=("cosine", "csls", "euclidean", "ratio_margin"),
            source="Libovický et al. 2020, section 4; Artetxe and Schwenk 2019, section 3",
        ),
    ] = "cosine"
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10
    margin_k: Annotated[
        int, Setting("neighbourhood of ratio_margin", ge=1, le=1000, source="Artetxe and Schwenk 2019, section 3")
    ] = 4
    centre: Annotated[
        bool,
        Setting(
            "subtract each language's mean over the very sentences that are scored (transductive)",
            source="Libovický et al. 2020, on centring",
        ),
    ] = False


@dataclass(frozen=True)
class _Sides:
    """The paired sentences: vectors, texts, the first sentence of each text and the number of every one's text."""

    vectors: tuple[np.ndarray, np.ndarray]
    texts: tuple[list[str], list[str]]
    first: tuple[np.ndarray, np.ndarray]
    kind: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class _Found:
    """What each query found by one score: the pair (-1 for none) and whether that is its translation's text."""

    index: tuple[np.ndarray, np.ndarray]
    hit: tuple[np.ndarray, np.ndarray]

    @property
    def both(self) -> np.ndarray:
        """Hits of both directions of each pair, 0 to 2."""
        return self.hit[0].astype(float) + self.hit[1]


def compute(space: PairSpace, settings: SentenceRetrievalSettings | None = None, *, seed: int = 0) -> Result:
    """Retrieve each sentence's translation, in both directions.

    Sentences with the same text are one candidate, so whichever of them is found, the text decides. Averaging the
    results of all pairs of a multi-way text is averaging over ordered pairs of languages, since each has both
    directions.

    Args:
        space: sentence vectors of both sides.
        settings: see `SentenceRetrievalSettings`.
        seed: seed of the bootstrap over sentence pairs.

    Returns:
        Recall at 1, mean of both directions, in percent. Parts: each direction, both scores, by the main score
        recall at 1 to 100 with what chance gives (K / candidates) and `mrr` (mean reciprocal rank, 0 to 1), and
        `margin` (mean cosine of translations minus that of all other pairs); `uncentred`, the score without
        centring, where the setting is on. Items: every query with the row it found.

    Raises:
        InputError: other than sentence vectors.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual
    representations, section 4 (recall); Ethayarajh 2019 for judging a cosine against random pairs.
    """
    settings = settings or SentenceRetrievalSettings()
    check(settings)
    require_unit(SPEC, space, Unit.SENTENCE)
    pairs = paired_sentences(space)
    if not len(pairs):
        return unscored(SPEC, space, settings, seed=seed, note="no row has a sentence on both sides")
    plain = _sides(space, pairs)
    sides = plain
    if settings.centre:
        sides = replace(plain, vectors=(centre_rows(plain.vectors[0]), centre_rows(plain.vectors[1])))
    found, places = _search(sides, settings)
    main = found[settings.score]
    candidates = len(sides.first[1]), len(sides.first[0])
    parts: dict[str, float | int | None] = {
        "forward": float(100 * main.hit[0].mean()),
        "backward": float(100 * main.hit[1].mean()),
        **{score: float(50 * one.both.mean()) for score, one in found.items()},
        **recall_parts(places, candidates),
        "margin": _margin(*sides.vectors),
        "candidates_forward": candidates[0],
        "candidates_backward": candidates[1],
    }
    if settings.centre:
        parts["uncentred"] = compute(space, replace(settings, centre=False), seed=seed).score
    return scored(
        SPEC, space, settings, seed=seed, sums=sum_rows(pairs.row, [np.ones(len(pairs)), main.both], space.rows),
        score=both_ways, n=len(pairs), parts=parts, items=_items(pairs, sides, found, settings.score, places),
        note=_note(sides),
    )  # fmt: skip


def _sides(space: PairSpace, pairs: Pairs) -> _Sides:
    """Both sides of the paired sentences."""
    left, right = ([units.text[n] for n in index] for units, index in (
        (space.source_units, pairs.source), (space.target_units, pairs.target)))  # fmt: skip
    one, other = distinct(left), distinct(right)
    vectors = space.source[pairs.source], space.target[pairs.target]
    return _Sides(vectors, (left, right), (one[0], other[0]), (one[1], other[1]))


def _search(sides: _Sides, settings: SentenceRetrievalSettings) -> tuple[dict[str, _Found], list[np.ndarray]]:
    """What is found by cosine, CSLS and the main score, and both ways the rank of each translation by the latter."""
    both = mutual_first(
        *sides.vectors, source_pool=sides.first[0], target_pool=sides.first[1], csls_k=settings.csls_k, scores=Score
    )
    found = {str(score): _judge(sides, ways.forward, ways.backward) for score, ways in both.items()}
    (x, y), (first_x, first_y), (kind_x, kind_y) = sides.vectors, sides.first, sides.kind
    ways = [(x, first_y, y[first_y], kind_y), (y, first_x, x[first_x], kind_x)]
    if settings.score in found:
        return found, [
            ranks(queries, offered, gold, score=settings.score, csls_k=settings.csls_k)
            for queries, _, offered, gold in ways
        ]
    index, places = [], []
    for queries, first, offered, gold in ways:
        at, rank = rank_golds(make_scorer(settings.score, queries, offered, k=settings.margin_k), gold)
        index.append(np.where(at >= 0, first[at], -1))
        places.append(rank)
    return found | {settings.score: _judge(sides, index[0], index[1])}, places


def _judge(sides: _Sides, forward: np.ndarray, backward: np.ndarray) -> _Found:
    """Whether the pairs found have the text that was looked for."""
    right = [(at >= 0) & (kind[at] == kind) for at, kind in zip((forward, backward), sides.kind[::-1], strict=True)]
    return _Found((forward, backward), (right[0], right[1]))


def _margin(source: np.ndarray, target: np.ndarray) -> float | None:
    """Mean cosine of paired sentences minus the mean over all other pairs; None for a single pair."""
    a, b = normalise_rows(source).astype(np.float64), normalise_rows(target).astype(np.float64)
    n = len(a)
    if n < 2:
        return None
    paired = float((a * b).sum())
    return paired / n - (float(a.sum(axis=0) @ b.sum(axis=0)) - paired) / (n * (n - 1))


def _items(
    pairs: Pairs, sides: _Sides, found: dict[str, _Found], main: str, places: list[np.ndarray]
) -> dict[str, list[Any]]:
    """One line a query: its text, its translation, what it found and the rank of its translation."""
    table: dict[str, list[Any]] = {}
    for way, name in enumerate(("forward", "backward")):
        here, there = sides.texts[way], sides.texts[1 - way]
        at = found[main].index[way]
        columns = {
            "row": pairs.row.tolist(),
            "direction": [name] * len(pairs),
            "text": here,
            "gold": there,
            "found": [there[n] if n >= 0 else "" for n in at],
            "found_row": [int(pairs.row[n]) if n >= 0 else None for n in at],
            **{f"{score}_hit": one.hit[way].tolist() for score, one in found.items()},
            "rank": places[way].tolist(),
        }
        for column, values in columns.items():
            table.setdefault(column, []).extend(values)
    return table


def _note(sides: _Sides) -> str:
    """What the reader must know about duplicates and sentences without a vector."""
    notes = []
    doubles = sum(len(kind) - len(first) for kind, first in zip(sides.kind, sides.first, strict=True))
    if doubles:
        notes.append(f"{doubles:,} repeated sentences count as one candidate with the first of their text")
    source, target = sides.vectors
    empty = int(np.sum(~(has_direction(source) & has_direction(target))))
    if empty:
        notes.append(f"{empty:,} of {len(source):,} pairs have a sentence without a vector and count as misses")
    return "; ".join(notes)


SPEC = Measure(
    name="sentence_retrieval",
    title="Sentence retrieval",
    summary="How often a sentence's nearest neighbour among all sentences of the other side is its translation.",
    unit="percent",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.SENTENCE,
    citation="Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations",
    hides="It does not show whether single words line up; a few tell-tale words can be enough, and the score "
    "falls as the file grows.",
    compute=compute,
    settings=SentenceRetrievalSettings,
)
