"""The looked-up word, the candidates of each language and their rankings by A and B, through caches."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from analysis.encoders.vectors import Unit
from analysis.neighbours.movers import Mover, pick_movers, rank_moves
from analysis.neighbours.query import Move, describe_word
from analysis.neighbours.translations import (
    BACKGROUND,
    Candidates,
    Neighbour,
    Ranking,
    corpus_words,
    hubness,
    list_neighbours,
    rank_words,
    translations_of,
)
from analysis.text.corpus import Corpus, Sentence
from analysis.text.languages import language
from pages._parts import data, encode, state

SCORES = {"cosine": "cosine", "csls": "CSLS"}


@dataclass(frozen=True)
class Word:
    """A word in its sentence.

    Attributes:
        sentence: where it stands.
        position: which word it is.
        row: its row in the corpus, None for a sentence somebody typed.
    """

    sentence: Sentence
    position: int
    row: int | None = None


@dataclass(frozen=True)
class Found:
    """The neighbours of a word in one language.

    Attributes:
        language: tag of the candidates.
        lists: for A and B the nearest candidates, and where it is not among them the true translation.
        moves: for each score the rank of the true translation by A and B.
        candidates: how many words (or types) were ranked.
    """

    language: str
    lists: dict[str, list[Neighbour]]
    moves: dict[str, Move]
    candidates: int


def look_up(view: state.View, word: Word, tag: str, *, score: str, k: int, once: bool) -> Found:
    """The neighbours of a word in one language of the corpus by A and by B.

    Args:
        view: encoders, layers, corpus and pooling.
        word: what is looked up.
        tag: the language of the candidates.
        score: `cosine` or `csls`, for the lists; the moves have both.
        k: length of the lists.
        once: whether each word type is listed once.
    """
    corpus = data.corpus(view.corpus)
    sides = {"A": (view.a, view.layer_a), "B": (view.b, view.layer_b)}
    words = {side: candidates(name, view.corpus, tag, layer, view.pool) for side, (name, layer) in sides.items()}
    at = translations_of(corpus, word.row, word.sentence.language, word.position, tag) if word.row is not None else ()
    true = words["A"].find(word.row, at) if word.row is not None else ()
    itself = tag == word.sentence.language and word.row is not None
    skip = words["A"].find(word.row, [word.position]) if itself and word.row is not None else ()
    found: dict[str, dict[str, Ranking]] = {}
    for kind in SCORES if has_background(view, word) else ("cosine",):
        found[kind] = {}
        for side, (name, layer) in sides.items():
            penalty = None
            if kind == "csls":
                penalty = _hubness(
                    name, data.encoder(name).revision, view.corpus, word.sentence.language, tag, layer, view.pool
                )
            vector = query_vector(view, word, name, layer)
            found[kind][side] = rank_words(vector, words[side], penalty=penalty, leave_out=skip, once=once)
    shown = found[score if score in found else "cosine"]
    lists = {side: _with_truth(shown[side], words[side], k, shown["B" if side == "A" else "A"], true) for side in sides}
    text = " … ".join(corpus.rows[word.row][tag].words[n] for n in at) if word.row is not None and at else ""
    moves = {
        kind: Move(tag, two["A"].best_rank(true), two["B"].best_rank(true), len(two["A"]), text)
        for kind, two in found.items()
    }
    return Found(tag, lists, moves, len(shown["A"]))


def _with_truth(ranking: Ranking, words: Candidates, k: int, other: Ranking, true: tuple[int, ...]) -> list[Neighbour]:
    """The first k lines, and the line of the true translation where it stands further down."""
    lines = list_neighbours(ranking, words, k=k, other=other, translations=true)
    best = ranking.best_rank(true)
    if best is None or best <= k or not len(ranking):
        return lines
    return [*lines, list_neighbours(ranking, words, k=best, other=other, translations=true)[-1]]


def movers(view: state.View, source: str, tags: list[str], score: str) -> list[Mover]:
    """The words of a language whose translation moves most from A to B in any of some languages."""
    sides = ((view.a, view.layer_a), (view.b, view.layer_b))
    revisions = tuple(data.encoder(name).revision for name, _ in sides)
    found = [
        move for tag in tags if tag != source
        for move in _moves(sides, revisions, view.corpus, source, tag, view.pool, score)
    ]  # fmt: skip
    return pick_movers(found)


@st.cache_data(max_entries=128, show_spinner="Looking for the words that move most ...")
def _moves(
    sides: tuple[tuple[str, int], ...], revisions: tuple[str, ...], corpus_id: str, source: str, target: str,
    pool: str, score: str,
) -> list[Mover]:  # fmt: skip
    """The ranks of the known translations of one language pair by A and B."""
    (a, layer_a), (b, layer_b) = sides
    here, there = (
        (candidates(a, corpus_id, tag, layer_a, pool), candidates(b, corpus_id, tag, layer_b, pool))
        for tag in (source, target)
    )
    penalties: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    if score == "csls":
        penalties = (
            _hubness(a, revisions[0], corpus_id, source, target, layer_a, pool),
            _hubness(b, revisions[1], corpus_id, source, target, layer_b, pool),
        )
    return rank_moves(data.corpus(corpus_id), here, there, penalties=penalties)


def mover_label(corpus: Corpus, source: str, move: Mover) -> str:
    """`bank (river), Russian 7 → 1`."""
    word = describe_word(corpus.rows[move.row][source], move.position)
    return f"{word}, {language(move.language).name} {move.before:,} → {move.after:,}"


def row_names(corpus: Corpus, tag: str) -> dict[str, int]:
    """The rows that have words in a language, by a name that is unique."""
    names: dict[str, int] = {}
    for n, (name, row) in enumerate(zip(corpus.row_ids, corpus.rows, strict=True)):
        if tag in row and row[tag].spans:
            names[name if name not in names else f"{name} ({n + 1})"] = n
    return names


def has_background(view: state.View, word: Word) -> bool:
    """Whether the corpus has words of the query's language, which CSLS needs."""
    return word.sentence.language in data.corpus(view.corpus).languages


def background_note(view: state.View, word: Word) -> str:
    """What to say where CSLS is computed against a draw of the words of the query's language, else ""."""
    if not has_background(view, word):
        return ""
    count = sum(len(sentence.spans) for sentence in data.corpus(view.corpus).sentences(word.sentence.language))
    return f"CSLS goes by a draw of {BACKGROUND:,} of {count:,} words." if count > BACKGROUND else ""


def query_vector(view: state.View, word: Word, name: str, layer: int) -> np.ndarray:
    """The (dim,) vector of a word by one encoder at one layer."""
    if word.row is None:
        found = encode.encode(name, [word.sentence], unit=Unit.WORD, pool=view.pool, layers=[layer])
        return found.values[0, word.position]
    words = candidates(name, view.corpus, word.sentence.language, layer, view.pool)
    return words.vectors[words.find(word.row, [word.position])[0]]


def candidates(name: str, corpus_id: str, tag: str, layer: int, pool: str) -> Candidates:
    """All words of one language of a corpus by one encoder at one layer."""
    data.vectors(name, corpus_id, tag, "word", pool, layers=[layer])
    return _candidates(name, data.encoder(name).revision, corpus_id, tag, layer, pool)


@st.cache_resource(max_entries=64, show_spinner=False)
def _candidates(name: str, revision: str, corpus_id: str, tag: str, layer: int, pool: str) -> Candidates:
    """The candidates, their vectors scaled once."""
    found = data.vectors(name, corpus_id, tag, "word", pool, layers=[layer])
    return corpus_words(data.corpus(corpus_id), found, language=tag, layer=layer)


@st.cache_data(max_entries=256, show_spinner=False)
def _hubness(
    name: str, revision: str, corpus_id: str, source: str, target: str, layer: int, pool: str
) -> np.ndarray:  # fmt: skip
    """How close each word of the target language is to the source language in general."""
    here, there = (candidates(name, corpus_id, tag, layer, pool) for tag in (source, target))
    return hubness(there, here)
