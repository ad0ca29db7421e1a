"""Names of languages, territories, currencies, scripts, months, days and units, from the package `babel`."""

import pickle
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus
from analysis.text.segment import split

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES = (
    "en", "ar", "bg", "bn", "cs", "de", "el", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it",
    "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sw", "ta", "th", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
UNITS = (
    "digital-gigabyte", "duration-night", "graphics-dot-per-centimeter", "length-earth-radius", "pressure-kilopascal",
)  # fmt: skip


@cache
def load() -> Corpus:
    """The corpus: one row a name that CLDR has in all 31 languages.

    Row ids are `category:code` ("territory:FR"), categories the part before the colon.
    """
    from babel import Locale

    names = {tag: _names(Locale.parse(tag)) for tag in LANGUAGES}
    shared = [key for key in names["en"] if all(key in named for named in names.values())]
    rows = tuple({tag: split(names[tag][key], tag) for tag in LANGUAGES} for key in shared)
    categories = tuple(key.partition(":")[0] for key in shared)
    return Corpus(
        SPEC.name, SPEC.title, rows, tuple(shared), categories,
        source=SPEC.source, licence=SPEC.licence, unit=SPEC.unit,
    )  # fmt: skip


def _names(locale: "Locale") -> dict[str, str]:
    """All names of one language by `category:code`."""
    from babel.units import get_unit_name

    tables: dict[str, Mapping[Any, str]] = {
        "language": locale.languages,
        "territory": locale.territories,
        "currency": locale.currencies,
        "script": locale.scripts,
        "month": _calendar_names(locale.language, "months"),
        "day": _calendar_names(locale.language, "days"),
        "unit": {unit: get_unit_name(unit, locale=locale) or "" for unit in UNITS},
    }
    return {
        f"{category}:{code}": name
        for category, table in tables.items()
        for code, name in sorted(table.items(), key=lambda item: str(item[0]))
        if name
    }


def _calendar_names(language: str, kind: str) -> dict[int, str]:
    """The stand-alone (nominative) names of months or days, where there are none those used in dates.

    Read from the language's own file: `get_month_names` writes what the first language resolves into tables
    that all languages share (babel 2.18), so that January in Hindi would be Hebrew.
    """
    from babel.localedata import resolve_locale_filename

    with open(resolve_locale_filename(language), "rb") as file:
        contexts = pickle.load(file)[kind]
    alone = contexts.get("stand-alone", {}).get("wide")
    return {**contexts["format"]["wide"], **(alone if isinstance(alone, dict) else {})}


SPEC = CorpusSpec(
    "cldr",
    "CLDR names",
    "The name of a language, territory, currency, script, month, day or unit: terms without context.",
    "BSD-3-Clause (package), Unicode-3.0 (names)",
    "PyPI package babel; the names are those of Unicode CLDR",
    "phrase",
    979,
    LANGUAGES,
    load,
)
