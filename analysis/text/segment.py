"""From a sentence to its words, in any script, as character offsets.

Words follow UAX #29 with ICU's dictionaries for Chinese, Japanese, Thai, Khmer, Lao and Burmese. Punctuation
marks and emoji are words of their own, since gold alignments count them; white space and characters that
nobody can see are not.
"""

import re
import threading
import unicodedata
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import Any, Protocol

from analysis.text.corpus import Sentence, Span
from analysis.text.languages import LANGUAGES


class Segmenter(Protocol):
    """Anything that finds the words of a text: replace `segment` by passing another one to `split`."""

    def __call__(self, text: str, language: str) -> tuple[Span, ...]:
        """The (start, end) of each word in code points, ascending, without overlap."""


# Default_Ignorable_Code_Point of Unicode 17 (DerivedCoreProperties.txt), plus annotation marks and controls.
_INVISIBLE = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Direction marks that ICU leaves at the end of a word; a variation selector or joiner there is part of it.
_TRAILING = "\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_VISIBLE = re.compile(f"[^\\s{_INVISIBLE}]")
_WORD = re.compile(r"\S+")
# ICU would join words at a narrow no-break space, and lone surrogates are no text: one stand-in each, so that
# offsets stay.
_ODD = re.compile(r"[\s\ud800-\udfff]")
_local = threading.local()


def segment(text: str, language: str = "und") -> tuple[Span, ...]:
    """The words of a text.

    Args:
        text: any string, also empty, with lone surrogates, or 200,000 characters long (linear time).
        language: BCP-47 tag; it matters little, since dictionaries go by script.

    Returns:
        (start, end) of each word in code points, end exclusive, ascending.
    """
    clean = _ODD.sub(lambda match: " " if match[0].isspace() else "\ufffd", text)
    breaker = _breaker(language)
    ends = _unicode_breaks(clean) if breaker is None else _icu_breaks(breaker, clean)
    spans, start = [], 0
    for end in ends:
        visible = _VISIBLE.search(clean, start, end)
        if visible:
            first = visible.start()
            spans.append((first, first + len(clean[first:end].rstrip(_TRAILING))))
        start = end
    return tuple(spans)


def split(text: str, language: str = "und", *, segmenter: Segmenter = segment) -> Sentence:
    """A sentence with the words a segmenter finds."""
    return Sentence(text, language, segmenter(text, language))


def split_pretokenised(text: str, language: str = "und") -> Sentence:
    """A sentence whose words are separated by white space already; offsets are those of the text as read."""
    return Sentence(text, language, tuple(match.span() for match in _WORD.finditer(text)))


def _breaker(tag: str) -> Any:
    """This thread's ICU word iterator for a language, or None where ICU is missing."""
    icu = _icu()
    if icu is None:
        return None
    primary = tag.replace("_", "-").split("-")[0].lower()
    name = primary if primary in LANGUAGES else "und"
    mine = vars(_local).setdefault("breakers", {})
    if name not in mine:
        mine[name] = icu.BreakIterator.createWordInstance(icu.Locale(name))
    return mine[name]


@cache
def _icu() -> Any:
    """The ICU binding, or None after one warning."""
    try:
        import icu
    except ImportError:
        message = "ICU is missing: Chinese and Japanese are cut by character, Thai not at all; pip install icukit-pyicu"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
        return None
    return icu


def _icu_breaks(breaker: Any, text: str) -> list[int]:
    """The end of each segment in code points; ICU counts UTF-16 units."""
    breaker.setText(text)
    units = list(breaker)
    if not text or max(text) <= "\uffff":
        return units
    # positions[n] = UTF-16 units before code point n; breaks never fall inside a surrogate pair.
    positions = list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))
    ends, at = [], 0
    for unit in units:
        at = bisect_left(positions, unit, at)
        ends.append(at)
    return ends


def _unicode_breaks(text: str) -> Iterator[int]:
    """The end of each segment by the standard library alone: each CJK character, each run of letters and digits."""
    base, flags = "", 0
    for n, char in enumerate(text):
        kind = _kind(char)
        if kind == "mark" and base in ("", "space"):
            kind = "other"
        elif kind == "mark" or (kind == "other" and n and text[n - 1] == _JOINER):
            continue
        if char in _INNER.get(base, "") and n + 1 < len(text) and _kind(text[n + 1]) == base:
            continue
        flags = flags + 1 if kind == "flag" else 0
        together = (base in _INNER and kind in _INNER) or kind == base == "space" or (kind == "flag" and flags % 2 == 0)
        if n and not together:
            yield n
        base = kind
    if text:
        yield len(text)


_JOINER = "\u200d"
_INNER = {"letter": "'’.·", "digit": ".,"}  # what may stand between two letters, two digits, of one word
_CJK = re.compile("[\u2e80-\ua4cf\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")


def _kind(char: str) -> str:
    """What a character is to the fallback: space, mark, letter, digit, cjk, flag or other."""
    category = unicodedata.category(char)
    if char.isspace() or char == "\u200b":
        return "space"
    if category[0] == "M" or category == "Cf" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return "mark"
    if category[0] == "L":
        return "cjk" if _CJK.match(char) else "letter"
    if category[0] == "N" or char == "_":
        return "digit"
    return "flag" if "\U0001f1e6" <= char <= "\U0001f1ff" else "other"
