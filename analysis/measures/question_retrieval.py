"""Question retrieval: does a question find the paragraph that answers it, in another language?"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.centring import centre_rows
from analysis.measures._parts.recall import distinct, recall_parts
from analysis.neighbours.exact import Score, ranks
from analysis.neighbours.first import first_matches
from analysis.neighbours.rows import has_direction
from analysis.records import Result, percent
from analysis.scoring.measure import Measure, Need, require_unit, scored, unscored
from analysis.scoring.pairs import Pairs, paired_sentences, sum_rows
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check


@dataclass(frozen=True)
class QuestionRetrievalSettings:
    """Settings of question retrieval."""

    score: Annotated[str, Setting("what the main score ranks by; the other is a part", choices=("cosine", "csls"))] = (
        "cosine"
    )
    csls_k: Annotated[
        int, Setting("neighbourhood of CSLS", ge=1, le=1000, source="Conneau et al. 2018, section 2.3")
    ] = 10
    centre: Annotated[
        bool, Setting("subtract the mean of all questions from questions, that of all paragraphs from paragraphs")
    ] = False


@dataclass(frozen=True)
class _Task:
    """The questions, the distinct paragraphs, and the paragraph that is right for each question."""

    pairs: Pairs
    questions: np.ndarray
    paragraphs: np.ndarray
    texts: list[str]
    gold: np.ndarray


def compute(space: PairSpace, settings: QuestionRetrievalSettings | None = None, *, seed: int = 0) -> Result:
    """Retrieve the paragraph of each question among all distinct paragraphs of the other language.

    The interval resamples paragraphs, each with all its questions: questions of one paragraph succeed and fail
    together, and treating them as independent would make the interval too narrow.

    Args:
        space: sentence vectors; row n of the source is a question, row n of the target its paragraph.
        settings: see `QuestionRetrievalSettings`.
        seed: seed of the bootstrap over paragraphs.

    Returns:
        Recall at 1 in percent; its clusters are paragraphs. Parts: both scores, the number of paragraphs, and by
        the main score recall at 1 to 100 with what chance gives (K / paragraphs) and `mrr`. Items: every question
        with its paragraph, the one it found and the rank of its own.

    Raises:
        InputError: other than sentence vectors.

    Source: Roy et al. 2020, LAReQA: Language-agnostic answer retrieval from a multilingual pool, section 3.1
    (there answers are sentences, and a pool has all languages at once).
    """
    settings = settings or QuestionRetrievalSettings()
    check(settings)
    require_unit(SPEC, space, Unit.SENTENCE)
    task = _task(space, settings.centre)
    if not len(task.pairs):
        return unscored(SPEC, space, settings, seed=seed, note="no row has a question and a paragraph")
    found = first_matches(task.questions, task.paragraphs, csls_k=settings.csls_k)
    hits = {str(score): (index == task.gold).astype(float) for score, index in found.items()}
    main = Score(settings.score)
    places = ranks(task.questions, task.paragraphs, task.gold, score=main, csls_k=settings.csls_k)
    parts: dict[str, float | int | None] = {
        **{score: float(100 * hit.mean()) for score, hit in hits.items()},
        **recall_parts([places], [len(task.texts)]),
        "paragraphs": len(task.texts),
    }
    sums = sum_rows(task.gold, [np.ones(len(task.gold)), hits[main]], len(task.texts))
    return scored(
        SPEC, space, settings, seed=seed, sums=sums, score=percent, n=len(task.pairs), parts=parts,
        items=_items(space, task, found[main], hits, places), note=_note(task),
    )  # fmt: skip


def _task(space: PairSpace, centre: bool) -> _Task:
    """Questions and distinct paragraphs."""
    pairs = paired_sentences(space)
    texts = [space.target_units.text[n] for n in pairs.target]
    first, gold = distinct(texts)
    questions, paragraphs = space.source[pairs.source], space.target[pairs.target[first]]
    if centre:
        questions, paragraphs = centre_rows(questions), centre_rows(paragraphs)
    return _Task(pairs, questions, paragraphs, [texts[n] for n in first], gold)


def _items(
    space: PairSpace, task: _Task, found: np.ndarray, hits: dict[str, np.ndarray], places: np.ndarray
) -> dict[str, list[Any]]:
    """One line a question."""
    return {
        "row": task.pairs.row.tolist(),
        "question": [space.source_units.text[n] for n in task.pairs.source],
        "gold": [task.texts[n] for n in task.gold],
        "found": [task.texts[n] if n >= 0 else "" for n in found],
        "paragraph": task.gold.tolist(),
        "found_paragraph": [int(n) if n >= 0 else None for n in found],
        **{f"{score}_hit": hit.astype(bool).tolist() for score, hit in hits.items()},
        "rank": places.tolist(),
    }


def _note(task: _Task) -> str:
    """What is resampled, and what has no vector."""
    notes = []
    if len(task.texts) > 1:
        notes.append(f"the interval resamples {len(task.texts):,} paragraphs with all their questions")
    usable = has_direction(task.questions) & has_direction(task.paragraphs)[task.gold]
    if not usable.all():
        of = f"{int(np.sum(~usable)):,} of {len(usable):,}"
        notes.append(f"{of} questions have no vector, or their paragraph has none, and count as misses")
    return "; ".join(notes)


SPEC = Measure(
    name="question_retrieval",
    title="Question retrieval",
    summary="How often a question's nearest paragraph, among all paragraphs in the other language, holds its answer.",
    unit="percent",
    higher_is_better=True,
    needs=Need.QUESTIONS,
    unit_of=Unit.SENTENCE,
    citation="Roy et al. 2020, LAReQA: Language-agnostic answer retrieval from a multilingual pool",
    hides="It does not show whether the answer itself is found; shared names and numbers help, and how well an encoder "
    "matches questions with texts at all is part of it: compare with both in one language.",
    compute=compute,
    settings=QuestionRetrievalSettings,
)
