"""Which language a text is in, by an offline naive-Bayes model (py3langid; Lui and Baldwin 2012)."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from analysis.text.languages import LANGUAGES

SURE = 0.9
UNSURE = 0.5
_LONGEST = 2000
_SAMPLE = 1000
# The table of languages, not all 140 of the model: on short sentences that is right more often. Closely related
# ones that hardly anyone means are found only if asked for.
_USUAL = tuple(tag for tag in LANGUAGES if tag not in ("yue", "grc", "hbo", "sa", "la", "nb", "nn"))


@dataclass(frozen=True, slots=True)
class Guess:
    """A language and how probable it is.

    Attributes:
        tag: BCP-47 tag; `und` for a text without letters.
        confidence: probability in [0, 1] among the candidates.
    """

    tag: str
    confidence: float


UNDETERMINED = Guess("und", 0.0)


def identify(text: str, candidates: Sequence[str] | None = None) -> Guess:
    """The most probable language of a text; looks at its first 2,000 characters.

    Args:
        text: any string.
        candidates: tags to choose from, None for the languages of the table but a few that short texts are
            mistaken for; `zh_Hant` counts as `zh`. Tags the model does not know are never chosen.
    """
    head = text[:_LONGEST]
    if not any(char.isalpha() for char in head):
        return UNDETERMINED
    tags = _by_code(_USUAL if candidates is None else tuple(candidates))
    if not tags:
        return UNDETERMINED
    code, confidence = _model(frozenset(tags)).classify(head)
    return Guess(tags[code], float(confidence))


def usually_found(tag: str) -> bool:
    """Whether `identify` may answer a language without being asked for it."""
    return tag.split("-")[0] in _USUAL


def identify_lines(texts: Iterable[str], candidates: Sequence[str] | None = None) -> list[Guess]:
    """One guess a line; a line too short to tell takes the language most of its neighbours are in.

    Lines below a confidence of 0.5 take the majority's tag and keep their confidence; lines without letters
    stay `und`.
    """
    guesses = [identify(text, candidates) for text in texts]
    most = majority(guesses)
    return [Guess(most, g.confidence) if g.tag != "und" and g.confidence < UNSURE else g for g in guesses]


def majority(guesses: Iterable[Guess], without: Iterable[str] = ()) -> str:
    """The tag with the largest sum of confidences, `und` if there is none; ties go to the first by tag."""
    sums: dict[str, float] = {}
    for guess in guesses:
        if guess.tag != "und" and guess.tag not in without:
            sums[guess.tag] = sums.get(guess.tag, 0.0) + guess.confidence
    return min(sums, key=lambda tag: (-sums[tag], tag), default="und")


def identify_columns(columns: Sequence[Sequence[str]], *, distinct: bool = False) -> tuple[str, ...]:
    """The language of each side of a parallel text, by the majority of its first 1,000 lines.

    Args:
        columns: for each side its texts.
        distinct: whether two sides must not get the same tag (a row then has one sentence a language).
    """
    found: list[str] = []
    for texts in columns:
        found.append(majority((identify(text) for text in texts[:_SAMPLE]), found if distinct else ()))
    return tuple(found)


def language_of(text: str, usual: str, candidates: Sequence[str]) -> str:
    """The tag of one line of a file: its side's usual language unless another candidate is clearly right."""
    if len(set(candidates)) < 2:
        return usual
    guess = identify(text, candidates)
    return guess.tag if guess.confidence >= SURE else usual


@lru_cache(maxsize=64)
def _model(codes: frozenset[str] | None) -> Any:
    """The model restricted to some codes; the restricted ones share the big arrays of the whole one."""
    if codes is not None:
        restricted = copy.copy(_model(None))
        restricted.set_languages(sorted(codes))
        return restricted
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=256)
def _by_code(candidates: tuple[str, ...]) -> dict[str, str]:
    """The model's code of each candidate it knows; of two with one code the first counts."""
    known = set(_model(None).labels)
    codes: dict[str, str] = {}
    for tag in candidates:
        code = tag.replace("_", "-").split("-")[0].lower()
        code = {"nb": "no"}.get(code, code)
        if code in known:
            codes.setdefault(code, tag)
    return codes
