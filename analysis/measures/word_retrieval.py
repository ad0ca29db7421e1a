"""Contextual word retrieval: does a word's nearest neighbour in the other language translate it, right there?"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit, Units
from analysis.measures.measure import Measure, Need, PairSpace, require_unit, scored, unscored
from analysis.measures.pairs import Pairs, linked_words, require_links, sum_rows
from analysis.neighbours.exact import Score
from analysis.neighbours.first import first_matches, legacy_matches
from analysis.neighbours.rows import has_direction
from analysis.records import Result
from analysis.settings import Setting, check


@dataclass(frozen=True)
class WordRetrievalSettings:
    """Settings of word retrieval."""

    score: Annotated[str, Setting("what the main score ranks by; the other is a part", choices=("cosine", "csls"))] = (
        "cosine"
    )
    pool_candidates: Annotated[
        str,
        Setting(
            "all words of the other side, or only those in one-to-one links (easier)",
            choices=("all", "aligned"),
            source="Cao et al. 2020 use aligned",
        ),
    ] = "all"
    drop_identical: Annotated[
        bool, Setting("leave out links between identical strings", source="Wu and Dredze 2020; Efimov et al. 2022")
    ] = False
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10
    legacy: Annotated[
        bool,
        Setting(
            "rank by CSLS as public copies of the original script do, which is close to a raw dot product: they "
            "divide a matrix by its one norm"
        ),
    ] = False


def compute(space: PairSpace, settings: WordRetrievalSettings | None = None, *, seed: int = 0) -> Result:
    """Retrieve each linked word's counterpart, in both directions.

    Queries are the words in one-to-one links; a hit is exactly the linked occurrence at rank 1, so another
    occurrence of the same word is a miss. A word without a vector is a query that misses.

    Args:
        space: word vectors of both sides and the links.
        settings: see `WordRetrievalSettings`.
        seed: seed of the bootstrap over sentences.

    Returns:
        The mean of both directions in percent. Parts: each direction, both scores, queries, the share of
        links between identical strings and the score with and without these queries. Items: every query with
        the word it found.

    Raises:
        InputError: no links, or other than word vectors.

    Source: Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations, section 2.
    """
    settings = settings or WordRetrievalSettings()
    check(settings)
    require_links(space)
    require_unit(SPEC, space, Unit.WORD)
    pairs = linked_words(space)
    identical = _identical(space, pairs)
    identical_share = float(100 * identical.mean()) if len(pairs) else None
    if settings.drop_identical:
        pairs, identical = pairs.take(~identical), identical[~identical]
    if not len(pairs):
        return unscored(SPEC, space, settings, seed=seed, note="the data have no one-to-one links to score")
    main = Score.CSLS if settings.legacy else Score(settings.score)
    forward = _retrieve(space.source, space.target, pairs.source, pairs.target, settings)
    backward = _retrieve(space.target, space.source, pairs.target, pairs.source, settings)
    hits = {
        (score, way): (found[score] == gold).astype(float)
        for way, found, gold in (("forward", forward, pairs.target), ("backward", backward, pairs.source))
        for score in Score
    }
    both = {score: hits[score, "forward"] + hits[score, "backward"] for score in Score}
    parts = {
        "forward": float(100 * hits[main, "forward"].mean()),
        "backward": float(100 * hits[main, "backward"].mean()),
        "cosine": float(50 * both[Score.COSINE].mean()),
        "csls": None if settings.legacy else float(50 * both[Score.CSLS].mean()),
        "n_forward": len(pairs),
        "n_backward": len(pairs),
        "identical_share": identical_share,
        "with_identical": None if settings.drop_identical else float(50 * both[main].mean()),
        "without_identical": float(50 * both[main][~identical].mean()) if not identical.all() else None,
    }
    items = _items(space, pairs, {"forward": forward, "backward": backward}, hits, main)
    return scored(
        SPEC, space, settings, seed=seed, sums=sum_rows(pairs.row, [np.ones(len(pairs)), both[main]], space.rows),
        score=_percent, n=len(pairs), parts=parts,
        items=items, note=_note(space, pairs),
    )  # fmt: skip


def _percent(sums: np.ndarray) -> np.ndarray:
    """Mean accuracy of both directions from summed queries and hits."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 50 * sums[..., 1] / sums[..., 0]


def _retrieve(
    queries: np.ndarray, candidates: np.ndarray, query: np.ndarray, gold: np.ndarray, settings: WordRetrievalSettings
) -> dict[Score, np.ndarray]:
    """For each score the unit found for each query."""
    asked = queries[query]
    pool = np.arange(len(candidates)) if settings.pool_candidates == "all" else np.sort(gold)
    offered = candidates[pool]
    found = first_matches(asked, offered, csls_k=settings.csls_k)
    if settings.legacy:
        found[Score.CSLS] = legacy_matches(asked, offered, csls_k=settings.csls_k)
    return {score: np.where(index >= 0, pool[index], -1) for score, index in found.items()}


def _identical(space: PairSpace, pairs: Pairs) -> np.ndarray:
    """Which pairs are one and the same string on both sides."""
    left, right = space.source_units.text, space.target_units.text
    return np.array([left[a] == right[b] for a, b in zip(pairs.source, pairs.target, strict=True)], dtype=bool)


def _items(
    space: PairSpace, pairs: Pairs, found: dict[str, dict[Score, np.ndarray]], hits: dict[Any, np.ndarray], main: Score
) -> dict[str, list[Any]]:
    """One line a query: where it stands, what it should find and what it found."""
    table: dict[str, list[Any]] = {}
    sides = (
        ("forward", pairs.source, pairs.target, space.source_units, space.target_units),
        ("backward", pairs.target, pairs.source, space.target_units, space.source_units),
    )
    for way, query, gold, here, there in sides:
        at = found[way][main]
        columns = {
            "row": pairs.row.tolist(),
            "direction": [way] * len(pairs),
            "position": here.position[query].tolist(),
            "word": _texts(here, query),
            "gold": _texts(there, gold),
            "found": _texts(there, at),
            "found_row": [int(there.sentence[n]) if n >= 0 else None for n in at],
            "found_position": [int(there.position[n]) if n >= 0 else None for n in at],
            **{f"{score}_hit": hits[score, way].astype(bool).tolist() for score in Score},
        }
        for name, column in columns.items():
            table.setdefault(name, []).extend(column)
    return table


def _texts(units: Units, index: np.ndarray) -> list[str]:
    """The surface of each unit, "" for -1."""
    return [units.text[n] if n >= 0 else "" for n in index]


def _note(space: PairSpace, pairs: Pairs) -> str:
    """What the reader must know about words that could not be looked up."""
    notes = []
    usable = has_direction(space.source)[pairs.source] & has_direction(space.target)[pairs.target]
    if not usable.all():
        notes.append(f"{np.sum(~usable):,} of {len(pairs):,} links have a word without a vector and count as misses")
    if pairs.missing:
        notes.append(f"{pairs.missing:,} links point at words that are not there and are left out")
    return "; ".join(notes)


SPEC = Measure(
    name="word_retrieval",
    title="Contextual word retrieval",
    summary="How often a word's nearest neighbour among all words of the other side is the very word it is linked to.",
    unit="percent",
    higher_is_better=True,
    needs=Need.LINKS,
    unit_of=Unit.WORD,
    citation="Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations",
    hides="It does not show how near the misses are, nor anything about words outside one-to-one links; "
    "the score falls as the file grows.",
    compute=compute,
    settings=WordRetrievalSettings,
)
