"""Bilingual dictionary induction: is the nearest word type of the other language a translation?"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.lexicon import Types, linked_lexicon, make_types, read_lexicon
from analysis.measures._parts.scorers import make_scorer, rank_golds
from analysis.neighbours.exact import Score
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, require_unit, scored, unscored
from analysis.scoring.pairs import sum_rows
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class DictionaryInductionSettings:
    """Settings of dictionary induction; words are looked at even where there are no links."""

    dictionary: Annotated[
        str,
        Setting(
            "set:bli_xling:en-de:test, or a file with a source word and a target word a line; empty means the pairs "
            "of words most often linked with each other in the data"
        ),
    ] = ""
    min_count: Annotated[int, Setting("word types with fewer occurrences are neither asked nor offered", ge=1)] = 1
    casefold: Annotated[bool, Setting("forms that differ only in case are one type")] = True
    score: Annotated[str, Setting("what the main score ranks by; the other is a part", choices=("cosine", "csls"))] = (
        "cosine"
    )
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10

    # No setting: what `Measure.unit_for` reads, since without it data without links would be taken by sentences.
    level = Unit.WORD.value


@dataclass(frozen=True)
class _Way:
    """One direction: what is asked, what is right, and what was found by each score.

    Attributes:
        name: `forward` or `backward`.
        asked: (q,) types that are asked.
        golds: for each the types that are right.
        found: for each score the (q,) types found, -1 for none.
        rank: for each score the (q,) rank of the best right type.
        listed: number of words the dictionary lists on this side.
    """

    name: str
    asked: np.ndarray
    golds: list[list[int]]
    found: dict[str, np.ndarray]
    rank: dict[str, np.ndarray]
    listed: int

    def hits(self, score: str, k: int = 1) -> np.ndarray:
        """Whether a right type is among the k nearest."""
        return (self.found[score] >= 0) & (self.rank[score] <= k)


def compute(space: PairSpace, settings: DictionaryInductionSettings | None = None, *, seed: int = 0) -> Result:
    """Translate every word of a dictionary that occurs in the data by the nearest word of the other language.

    A word type is the mean of the contextual vectors of its occurrences. A word is asked if it occurs and at least
    one of its translations does; candidates are all types of the other side. CSLS takes neighbourhoods among all
    types, asked or not.

    The data need no links if a dictionary is given; without either there is no score.

    Args:
        space: word vectors of both sides.
        settings: see `DictionaryInductionSettings`.
        seed: seed of the bootstrap over the words of the first language.

    Returns:
        Precision at 1, mean of both directions, in percent; the interval resamples word types, not sentences: an
        entry stands with its source word. Parts: precision at 1 and 5 and mean reciprocal rank by direction and
        together, both scores, the types of each side, words asked, and the coverage of the dictionary (share of its
        words that could be asked). Items: every question with its translations and the word found.

    Raises:
        InputError: other than word vectors, or a dictionary that cannot be read.

    Source: Conneau et al. 2018, Word translation without parallel data, section 3 (the task, CSLS); Schuster et al.
    2019 and Vulić et al. 2020 for types as means of contextual vectors.
    """
    settings = settings or DictionaryInductionSettings()
    check(settings)
    require_unit(SPEC, space, Unit.WORD)
    entries, reason = _entries(space, settings)
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note=reason)
    sides = [
        make_types(units, vectors, casefold=settings.casefold, min_count=settings.min_count)
        for units, vectors in ((space.source_units, space.source), (space.target_units, space.target))
    ]
    forward = _search("forward", sides[0], sides[1], entries, settings.csls_k)
    backward = _search("backward", sides[1], sides[0], [(b, a) for a, b in entries], settings.csls_k)
    if not len(forward.asked):
        why = f"none of the {len(entries):,} entries of the dictionary has both its words in the data"
        return unscored(SPEC, space, settings, seed=seed, note=why)
    return scored(
        SPEC, space, settings, seed=seed, sums=_sums(forward, backward, entries, sides, settings), score=_percent,
        n=len(forward.asked) + len(backward.asked), parts=_parts(forward, backward, sides, settings.score),
        items=_items((forward, backward), sides, settings.score),
        note=f"the interval resamples {forward.listed:,} words of the dictionary",
    )  # fmt: skip


def _percent(sums: np.ndarray) -> np.ndarray:
    """Mean precision of both directions from summed queries and hits of each."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 50 * (sums[..., 1] / sums[..., 0] + sums[..., 3] / sums[..., 2])


def _entries(space: PairSpace, settings: DictionaryInductionSettings) -> tuple[list[tuple[str, str]], str]:
    """The dictionary, and why there is none."""
    if settings.dictionary:
        found = read_lexicon(settings.dictionary, space.languages, casefold=settings.casefold)
        return found, "" if found else f"{settings.dictionary} has no words for {'-'.join(space.languages)}"
    if space.links is None:
        return [], "no word links to make a dictionary from: name one by dictionary=, or pass --links FILE"
    found = linked_lexicon(space, casefold=settings.casefold)
    return found, "" if found else "the data have no one-to-one links to make a dictionary from"


def _search(name: str, here: Types, there: Types, entries: list[tuple[str, str]], csls_k: int) -> _Way:
    """Ask every word of one side that can be asked."""
    own, other = ({form: n for n, form in enumerate(side.forms)} for side in (here, there))
    golds: dict[int, list[int]] = {}
    for a, b in entries:
        if a in own and b in other:
            golds.setdefault(own[a], []).append(other[b])
    asked = np.array(sorted(golds), dtype=np.int64)
    right = [golds[n] for n in asked.tolist()]
    found, rank = {}, {}
    for score in Score if len(asked) else ():
        scorer = make_scorer(score, here.vectors[asked], there.vectors, k=csls_k, background=here.vectors)
        found[str(score)], rank[str(score)] = rank_golds(scorer, right)
    return _Way(name, asked, right, found, rank, len({a for a, _ in entries}))


def _sums(
    forward: _Way, backward: _Way, entries: list[tuple[str, str]], sides: list[Types],
    settings: DictionaryInductionSettings,
) -> np.ndarray:  # fmt: skip
    """For each source word of the dictionary questions and hits of both directions.

    A question of the target's side goes with the first source word that it translates. Every listed word is a
    cluster, asked or not, so that the clusters of two encoders are the same.
    """
    place: dict[str, int] = {}
    first: dict[str, int] = {}
    for a, b in entries:
        first.setdefault(b, place.setdefault(a, len(place)))
    columns = []
    for way, side, of in ((forward, sides[0], place), (backward, sides[1], first)):
        cluster = np.array([of[side.forms[n]] for n in way.asked], dtype=np.int64)
        hits = way.hits(settings.score).astype(float)
        columns.append(sum_rows(cluster, [np.ones(len(hits)), hits], len(place)))
    return np.hstack(columns)


def _parts(forward: _Way, backward: _Way, sides: list[Types], score: str) -> dict[str, float | int | None]:
    """Everything beside the score."""
    ways = (forward, backward)
    mean = lambda values: float(np.mean([np.mean(part) for part in values]))  # noqa: E731
    parts: dict[str, float | int | None] = {
        **{way.name: float(100 * way.hits(score).mean()) for way in ways},
        **{str(name): 100 * mean([way.hits(name) for way in ways]) for name in Score},
        "p_at_5": 100 * mean([way.hits(score, 5) for way in ways]),
        "mrr": mean([1 / way.rank[score] for way in ways]),
        "chance": mean([100 / len(side.forms) for side in sides]),
        "coverage": mean([100 * len(way.asked) / way.listed for way in ways]),
        "types_source": len(sides[0].forms),
        "types_target": len(sides[1].forms),
    }
    for way in ways:
        parts |= {
            f"n_{way.name}": len(way.asked),
            f"p_at_5_{way.name}": float(100 * way.hits(score, 5).mean()),
            f"mrr_{way.name}": float((1 / way.rank[score]).mean()),
            f"coverage_{way.name}": float(100 * len(way.asked) / way.listed),
        }
    return parts


def _items(ways: tuple[_Way, _Way], sides: list[Types], score: str) -> dict[str, list[Any]]:
    """One line a question."""
    table: dict[str, list[Any]] = {}
    for way, here, there in zip(ways, sides, sides[::-1], strict=True):
        columns: dict[str, list[Any]] = {
            "direction": [way.name] * len(way.asked),
            "word": [here.shown[n] for n in way.asked],
            "gold": [", ".join(there.shown[n] for n in gold) for gold in way.golds],
            "found": [there.shown[n] if n >= 0 else "" for n in way.found[score]],
            **{f"{name}_hit": way.hits(name).tolist() for name in Score},
            "rank": way.rank[score].tolist(),
            "frequency": here.counts[way.asked].tolist(),
        }
        for name, column in columns.items():
            table.setdefault(name, []).extend(column)
    return table


SPEC = Measure(
    name="dictionary_induction",
    title="Dictionary induction",
    summary="How often the nearest word of the other language, each word the mean of its occurrences, is a "
    "translation by a dictionary.",
    unit="percent",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Conneau et al. 2018, Word translation without parallel data; Vulić et al. 2020, Probing pretrained "
    "language models for lexical semantics",
    hides="It does not show whether the senses of a word are told apart; translations a dictionary does not list count "
    "as errors, and the score falls as the text has more words.",
    compute=compute,
    settings=DictionaryInductionSettings,
)
