"""The names of emoji in 14 languages, from the package `emoji`."""

from functools import cache

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus, Sentence
from analysis.text.segment import split

LANGUAGES = ("en", "ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh")
_TONES = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_FULLY_QUALIFIED = 2


@cache
def load() -> Corpus:
    """The corpus: one row an emoji without skin tone that has a name in every language.

    Row ids are the English short names ("1st_place_medal").
    """
    import emoji

    emoji.config.load_language(list(LANGUAGES))
    rows, row_ids = [], []
    for symbol, names in emoji.EMOJI_DATA.items():
        named = names["status"] == _FULLY_QUALIFIED and all(tag in names for tag in LANGUAGES)
        if named and not _TONES & set(symbol):
            rows.append({tag: _sentence(names[tag], tag) for tag in LANGUAGES})
            row_ids.append(names["en"].strip(":"))
    return Corpus(
        SPEC.name, SPEC.title, tuple(rows), tuple(row_ids), source=SPEC.source, licence=SPEC.licence, unit=SPEC.unit
    )


def _sentence(name: str, tag: str) -> Sentence:
    """A short name such as `:bed:` as text."""
    return split(name.strip(":").replace("_", " "), tag)


SPEC = CorpusSpec(
    "emoji",
    "Emoji names",
    "The name of an emoji: terms without context, machine-checked by nobody, translated by Unicode's contributors.",
    "BSD-3-Clause (package), Unicode-3.0 (names)",
    "PyPI package emoji; the names are those of Unicode CLDR",
    "phrase",
    1923,
    LANGUAGES,
    load,
)
