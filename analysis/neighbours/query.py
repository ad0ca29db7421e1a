"""A word somebody looks up: typed alone, typed in a sentence with the word marked, or told as a finding."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.languages import language
from analysis.text.segment import split

LONGEST = 2000
_MARK = re.compile(r"\[([^\[\]]+)\]")


@dataclass(frozen=True)
class Query:
    """A sentence somebody typed and the word they mean.

    Attributes:
        sentence: the text without the mark.
        position: 0-based word, None where no word was marked and there are several.
    """

    sentence: Sentence
    position: int | None


@dataclass(frozen=True)
class Move:
    """Where the true translation stands by encoder A and by encoder B.

    Attributes:
        language: the language of the candidates.
        before: rank by A, None where the word has no vector.
        after: rank by B.
        of: number of candidates.
        word: the translation as it stands in its sentence.
    """

    language: str
    before: int | None
    after: int | None
    of: int
    word: str = ""


def read_query(text: str, tag: str) -> Query:
    """Read a typed sentence; `The river [bank] is steep` marks the word.

    Args:
        text: one word, or a sentence; only the first pair of brackets around a word counts as the mark.
        tag: its language.

    Raises:
        InputError: no word in it, or longer than 2,000 characters.
    """
    if len(text) > LONGEST:
        raise InputError(f"the sentence has {len(text):,} characters; at most {LONGEST:,}, so cut it")
    plain = " ".join(text.split())
    mark = _MARK.search(plain)
    start = end = -1
    if mark:
        plain = plain[: mark.start()] + mark[1] + plain[mark.end() :]
        start, end = mark.start(), mark.start() + len(mark[1])
    sentence = split(plain, tag)
    if not sentence.spans:
        raise InputError("no word found in the sentence; type a word, or a sentence with its word in [brackets]")
    inside = (n for n, (first, last) in enumerate(sentence.spans) if first < end and start < last)
    return Query(sentence, next(inside, 0 if len(sentence.spans) == 1 else None))


def describe_word(sentence: Sentence, position: int) -> str:
    """A word with its sense where one is known: `bank (river)`, `берегу, bank (river)`."""
    word = sentence.words[position]
    sense = sentence.senses[position] if position < len(sentence.senses) else ""
    if not sense or sense.casefold() == word.casefold():
        return word
    named = re.fullmatch(r"(.+) \((.+)\)", sense)
    if named:
        return f"{word} ({named[2]})" if named[1].casefold() == word.casefold() else f"{word}, {sense}"
    return f"{word} ({sense})"


def cut_around(text: str, start: int, end: int, *, width: int = 120) -> tuple[str, int, int]:
    """A stretch of a text around a word, with the word's place in it; cuts show as an ellipsis.

    Args:
        text: of any length.
        start: first code point of the word.
        end: the one behind its last.
        width: about how many code points to keep.
    """
    if len(text) <= width:
        return text, start, end
    end = min(end, start + width)
    spare = max(0, width - (end - start))
    first = max(0, min(start - spare // 2, len(text) - width))
    last = min(len(text), first + max(width, end - first))
    before, after = "…" * (first > 0), "…" * (last < len(text))
    return f"{before}{text[first:last]}{after}", start - first + len(before), end - first + len(before)


def tell_moves(word: str, moves: Sequence[Move], a: str, b: str) -> str:
    """The finding in one line: the language whose translation moves most, and how many come nearer.

    Args:
        word: the query as `describe_word` gives it.
        moves: one a language, with ranks by A and B.
        a: name of encoder A.
        b: name of encoder B.
    """
    known = [move for move in moves if move.before and move.after]
    if not known:
        return f"{word}: no true translation is known here"
    if a == b:
        first = sum(move.after == 1 for move in known)
        return f"{word}: {b} finds its translation first in {first} of {len(known)} {_languages(len(known))}"
    most = max(known, key=lambda move: max(move.before or 1, move.after or 1) / min(move.before or 1, move.after or 1))
    name = language(most.language).name
    if most.before == most.after:
        ranks = sorted({move.after for move in known if move.after})
        stays = f"at rank {ranks[0]}" if len(ranks) == 1 else "where they are"
        return f"{word}: the translations in {len(known)} {_languages(len(known))} stay {stays} in {b}"
    told = f"{word}: the {name} translation moves from rank {most.before:,} to rank {most.after:,}"
    if len(known) == 1:
        return told
    nearer = sum((move.after or 0) < (move.before or 0) for move in known)
    farther = sum((move.after or 0) > (move.before or 0) for move in known)
    return f"{told}; of {len(known)} languages {nearer} come nearer, {farther} fall back"


def _languages(count: int) -> str:
    """`language` or `languages`."""
    return "language" if count == 1 else "languages"
