"""Contextual word retrieval: does a word's nearest neighbour in the other language translate it, right there?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.word_queries import WordSide, identical_words, make_sides, query_items, query_pairs
from analysis.neighbours.exact import Score, ranks
from analysis.neighbours.first import legacy_matches
from analysis.neighbours.mutual import BothWays, mutual_first
from analysis.neighbours.rows import has_direction
from analysis.records import Result, both_ways
from analysis.scoring.breakdown import word_class
from analysis.scoring.measure import Measure, Need, require_unit, scored, unscored
from analysis.scoring.pairs import Pairs, require_links, sum_rows
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

LEGACY = "legacy"
Sides = tuple[WordSide, WordSide]
Found = dict[str, BothWays]


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
    special_tokens: Annotated[
        bool,
        Setting(
            "the tokens that open and close each sentence ask and are offered too; theirs is the translation's",
            source="the script of Cao et al. 2020 adds them",
        ),
    ] = False
    centre: Annotated[
        bool,
        Setting(
            "subtract each language's mean over the words of this data", source="Libovický et al. 2020, on centring"
        ),
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
    ranks: Annotated[
        bool, Setting("also give the rank of every linked word and their mean reciprocal; twice the work")
    ] = False


def compute(space: PairSpace, settings: WordRetrievalSettings | None = None, *, seed: int = 0) -> Result:
    """Retrieve each linked word's counterpart, in both directions.

    Queries are the words in one-to-one links; a hit is exactly the linked occurrence at rank 1, so another
    occurrence of the same word is a miss. A word without a vector is a query that misses. The score falls as the
    data grow, so compare languages at one number of words only.

    Args:
        space: word vectors of both sides and the links, with `special_tokens` also `space.special`.
        settings: see `WordRetrievalSettings`.
        seed: seed of the bootstrap over sentences.

    Returns:
        The mean of both directions in percent. Parts: each direction, every score (`legacy` if wanted), queries and
        candidates, the share of links between identical strings and the score with and without these queries and
        with and without special tokens, the score of open-class and closed-class words where their parts of speech
        are known, `mrr` if ranks are wanted. Items: every query with the word it found; `breakdown.breakdown`
        groups them by part of speech, frequency and the like.

    Raises:
        InputError: no links, other than word vectors, or special tokens that the space does not have.

    Source: Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations, section 2.
    """
    settings = settings or WordRetrievalSettings()
    check(settings)
    require_links(space)
    require_unit(SPEC, space, Unit.WORD)
    sides = make_sides(space, special_tokens=settings.special_tokens, centre=settings.centre)
    pairs = query_pairs(space, sides)
    identical, words = identical_words(sides, pairs), ~sides[0].special[pairs.source]
    share = float(100 * identical[words].mean()) if words.any() else None
    if settings.drop_identical:
        pairs, words = pairs.take(~identical), words[~identical]
    if not words.any():
        return unscored(SPEC, space, settings, seed=seed, note="the data have no one-to-one links to score")
    main = LEGACY if settings.legacy else settings.score
    found = _retrieve(sides, pairs, settings)
    hits = {score: _hits(both, pairs) for score, both in found.items()}
    places = _ranks(sides, pairs, settings) if settings.ranks and not settings.legacy else None
    parts: dict[str, float | int | None] = {
        "forward": float(100 * hits[main][0].mean()),
        "backward": float(100 * hits[main][1].mean()),
        **{str(score): float(100 * hit.mean()) for score, hit in hits.items()},
        "n_forward": len(pairs),
        "n_backward": len(pairs),
        "n_special": int(np.sum(~words)),
        "candidates_forward": _pool_size(sides[1], pairs.target, settings),
        "candidates_backward": _pool_size(sides[0], pairs.source, settings),
        "identical_share": share,
        **_identical_parts(sides, pairs, hits[main], settings),
        **_special_parts(sides, pairs, words, hits[main], main, settings),
        **_class_parts(sides, pairs, hits[main]),
        "mrr": None if places is None else float(np.mean([1 / place for place in places])),
    }
    return scored(
        SPEC, space, settings, seed=seed,
        sums=sum_rows(pairs.row, [np.ones(len(pairs)), hits[main].sum(axis=0)], space.rows),
        score=both_ways, n=len(pairs), parts=parts, items=query_items(sides, pairs, found, main, places),
        note=_note(sides, pairs, words),
    )  # fmt: skip


def _retrieve(sides: Sides, pairs: Pairs, settings: WordRetrievalSettings) -> Found:
    """For each score the unit found for each query, both ways."""
    left, right = (side.vectors for side in sides)
    aligned = settings.pool_candidates == "aligned"
    both = mutual_first(
        left, right, source_index=pairs.source, target_index=pairs.target,
        source_pool=pairs.source if aligned else None, target_pool=pairs.target if aligned else None,
        csls_k=settings.csls_k, scores=Score,
    )  # fmt: skip
    found = {str(score): ways for score, ways in both.items()}
    if settings.legacy:
        found[LEGACY] = BothWays(
            _legacy(left, right, pairs.source, _pool(right, pairs.target, settings), settings.csls_k),
            _legacy(right, left, pairs.target, _pool(left, pairs.source, settings), settings.csls_k),
        )
    return found


def _legacy(queries: np.ndarray, candidates: np.ndarray, query: np.ndarray, pool: np.ndarray, k: int) -> np.ndarray:
    """What the public copies of the script find."""
    index = legacy_matches(queries[query], candidates[pool], csls_k=k)
    return np.where(index >= 0, pool[index], -1)


def _pool(candidates: np.ndarray, gold: np.ndarray, settings: WordRetrievalSettings) -> np.ndarray:
    """The candidates of one direction, ascending."""
    return np.arange(len(candidates)) if settings.pool_candidates == "all" else np.sort(gold)


def _pool_size(side: WordSide, gold: np.ndarray, settings: WordRetrievalSettings) -> int:
    """How many candidates one direction has."""
    return len(_pool(side.vectors, gold, settings))


def _hits(both: BothWays, pairs: Pairs) -> np.ndarray:
    """Whether each query hit, (2, n) float: forward and backward."""
    return np.stack([both.forward == pairs.target, both.backward == pairs.source]).astype(float)


def _ranks(sides: Sides, pairs: Pairs, settings: WordRetrievalSettings) -> tuple[np.ndarray, np.ndarray]:
    """The rank of each linked word, both ways."""
    found = []
    for here, there, query, gold in ((*sides, pairs.source, pairs.target), (*sides[::-1], pairs.target, pairs.source)):
        pool = _pool(there.vectors, gold, settings)
        place = np.searchsorted(pool, gold)
        asked, offered = here.vectors[query], there.vectors[pool]
        found.append(ranks(asked, offered, place, score=settings.score, csls_k=settings.csls_k))
    return found[0], found[1]


def _mean(hits: np.ndarray, which: np.ndarray) -> float | None:
    """Percent of hits of some queries in both directions, None where there are none."""
    return float(100 * hits[:, which].mean()) if which.any() else None


def _identical_parts(
    sides: Sides, pairs: Pairs, hits: np.ndarray, settings: WordRetrievalSettings
) -> dict[str, float | None]:
    """The score with and without links between identical strings."""
    every = np.ones(len(pairs), dtype=bool)
    return {
        "with_identical": None if settings.drop_identical else _mean(hits, every),
        "without_identical": _mean(hits, ~identical_words(sides, pairs)),
    }


def _special_parts(
    sides: Sides, pairs: Pairs, words: np.ndarray, hits: np.ndarray, main: str, settings: WordRetrievalSettings
) -> dict[str, float | None]:
    """The score with and without special tokens, which are then neither asked nor offered."""
    if words.all() and not settings.special_tokens:
        return {"with_special": None, "without_special": float(100 * hits.mean())}
    plain, asked = (sides[0].words_only(), sides[1].words_only()), pairs.take(words)
    without = _hits(_retrieve(plain, asked, settings)[main], asked)
    return {"with_special": float(100 * hits.mean()), "without_special": float(100 * without.mean())}


def _class_parts(sides: Sides, pairs: Pairs, hits: np.ndarray) -> dict[str, float | None]:
    """The score of open-class and of closed-class words, by the part of speech of the query."""
    ways = zip(sides, (pairs.source, pairs.target), hits, strict=True)
    found = [(word_class(side.pos[n]), hit) for side, query, row in ways for n, hit in zip(query, row, strict=True)]
    parts: dict[str, float | None] = {}
    for kind in ("open", "closed"):
        of = [hit for name, hit in found if name == kind]
        parts[f"{kind}_class"] = float(100 * np.mean(of)) if of else None
    return parts


def _note(sides: Sides, pairs: Pairs, words: np.ndarray) -> str:
    """What the reader must know about words that could not be looked up."""
    notes = []
    usable = has_direction(sides[0].vectors[pairs.source]) & has_direction(sides[1].vectors[pairs.target])
    if not usable.all():
        of = f"{np.sum(~usable):,} of {int(words.sum()):,}"
        notes.append(f"{of} links have a word without a vector and count as misses")
    if pairs.missing:
        notes.append(f"{pairs.missing:,} links point at words that are not there and are left out")
    lacking = int(sides[0].special.sum()) - int(np.sum(~words))
    if lacking:
        notes.append(f"{lacking:,} special tokens have no vector and ask nothing")
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
