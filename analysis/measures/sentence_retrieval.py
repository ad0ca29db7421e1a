"""Sentence retrieval: is a sentence's nearest neighbour in the other language its translation?"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures.measure import Measure, Need, PairSpace, require_unit, scored, unscored
from analysis.measures.pairs import Pairs, paired_sentences, sum_rows
from analysis.neighbours.exact import Score, ranks
from analysis.neighbours.first import first_matches
from analysis.neighbours.rows import has_direction, normalise_rows
from analysis.records import Result
from analysis.settings import Setting, check


@dataclass(frozen=True)
class SentenceRetrievalSettings:
    """Settings of sentence retrieval."""

    score: Annotated[str, Setting("what the main score ranks by; the other is a part", choices=("cosine", "csls"))] = (
        "cosine"
    )
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10


def compute(space: PairSpace, settings: SentenceRetrievalSettings | None = None, *, seed: int = 0) -> Result:
    """Retrieve each sentence's translation, in both directions.

    Sentences with the same text are one candidate, so whichever of them is found, the text decides.

    Args:
        space: sentence vectors of both sides.
        settings: see `SentenceRetrievalSettings`.
        seed: seed of the bootstrap over sentence pairs.

    Returns:
        Recall at 1, mean of both directions, in percent. Parts: each direction, both scores, `mrr` (mean
        reciprocal rank by cosine, 0 to 1), `margin` (mean cosine of translations minus that of all other
        pairs). Items: every query with the row it found.

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
    main = Score(settings.score)
    source, target = space.source[pairs.source], space.target[pairs.target]
    texts = [space.source_units.text[n] for n in pairs.source], [space.target_units.text[n] for n in pairs.target]
    forward = _retrieve(source, target, texts[1], settings.csls_k)
    backward = _retrieve(target, source, texts[0], settings.csls_k)
    hits = {score: (forward[score][0].astype(float), backward[score][0].astype(float)) for score in Score}
    both = {score: ahead + back for score, (ahead, back) in hits.items()}
    reciprocal = _reciprocal_ranks(source, target, texts[1]), _reciprocal_ranks(target, source, texts[0])
    parts: dict[str, float | int | None] = {
        "forward": float(100 * hits[main][0].mean()),
        "backward": float(100 * hits[main][1].mean()),
        "cosine": float(50 * both[Score.COSINE].mean()),
        "csls": float(50 * both[Score.CSLS].mean()),
        "mrr": float((reciprocal[0] + reciprocal[1]).mean() / 2),
        "margin": _margin(source, target),
        "candidates_forward": len(set(texts[1])),
        "candidates_backward": len(set(texts[0])),
    }
    return scored(
        SPEC, space, settings, seed=seed, sums=sum_rows(pairs.row, [np.ones(len(pairs)), both[main]], space.rows),
        score=_percent, n=len(pairs), parts=parts,
        items=_items(pairs, texts, {"forward": forward, "backward": backward}, main), note=_note(source, target, texts),
    )  # fmt: skip


def _percent(sums: np.ndarray) -> np.ndarray:
    """Mean recall of both directions from summed queries and hits."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 50 * sums[..., 1] / sums[..., 0]


def _distinct(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The first sentence of each text, and for every sentence the number of its text."""
    number: dict[str, int] = {}
    kind = np.array([number.setdefault(text, len(number)) for text in texts])
    return np.unique(kind, return_index=True)[1], kind


def _retrieve(
    queries: np.ndarray, candidates: np.ndarray, texts: list[str], csls_k: int
) -> dict[Score, tuple[np.ndarray, np.ndarray]]:
    """For each score whether each query found its translation's text, and the pair found (-1 for none)."""
    first, kind = _distinct(texts)
    found = first_matches(queries, candidates[first], csls_k=csls_k)
    return {score: (index == kind, np.where(index >= 0, first[index], -1)) for score, index in found.items()}


def _reciprocal_ranks(queries: np.ndarray, candidates: np.ndarray, texts: list[str]) -> np.ndarray:
    """1 / rank of each query's translation by cosine."""
    first, kind = _distinct(texts)
    return 1 / ranks(queries, candidates[first], kind)


def _margin(source: np.ndarray, target: np.ndarray) -> float | None:
    """Mean cosine of paired sentences minus the mean over all other pairs; None for a single pair."""
    a, b = normalise_rows(source).astype(np.float64), normalise_rows(target).astype(np.float64)
    n = len(a)
    if n < 2:
        return None
    paired = float((a * b).sum())
    return paired / n - (float(a.sum(axis=0) @ b.sum(axis=0)) - paired) / (n * (n - 1))


def _items(
    pairs: Pairs,
    texts: tuple[list[str], list[str]],
    found: dict[str, dict[Score, tuple[np.ndarray, np.ndarray]]],
    main: Score,
) -> dict[str, list[Any]]:
    """One line a query: its text, its translation and what it found."""
    table: dict[str, list[Any]] = {}
    for way, here, there in (("forward", texts[0], texts[1]), ("backward", texts[1], texts[0])):
        at = found[way][main][1]
        columns = {
            "row": pairs.row.tolist(),
            "direction": [way] * len(pairs),
            "text": here,
            "gold": there,
            "found": [there[n] if n >= 0 else "" for n in at],
            "found_row": [int(pairs.row[n]) if n >= 0 else None for n in at],
            **{f"{score}_hit": found[way][score][0].tolist() for score in Score},
        }
        for name, column in columns.items():
            table.setdefault(name, []).extend(column)
    return table


def _note(source: np.ndarray, target: np.ndarray, texts: tuple[list[str], list[str]]) -> str:
    """What the reader must know about duplicates and sentences without a vector."""
    notes = []
    doubles = sum(len(side) - len(set(side)) for side in texts)
    if doubles:
        notes.append(f"{doubles:,} repeated sentences count as one candidate with the first of their text")
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
