"""Which scripts a text is written in: ranges of the scripts that the languages of the table use."""

import re
from collections import Counter

_RANGES = {
    "Latn": "A-Za-z\u00aa\u00ba\u00c0-\u02b8\u1d00-\u1dbf\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\uff21-\uff5a",
    "Grek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrl": "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "Armn": "\u0530-\u058f",
    "Hebr": "\u0590-\u05ff\ufb1d-\ufb4f",
    "Arab": "\u0600-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdff\ufe70-\ufefe",
    "Syrc": "\u0700-\u074f",
    "Thaa": "\u0780-\u07bf",
    "Deva": "\u0900-\u097f\ua8e0-\ua8ff",
    "Beng": "\u0980-\u09ff",
    "Guru": "\u0a00-\u0a7f",
    "Gujr": "\u0a80-\u0aff",
    "Orya": "\u0b00-\u0b7f",
    "Taml": "\u0b80-\u0bff",
    "Telu": "\u0c00-\u0c7f",
    "Knda": "\u0c80-\u0cff",
    "Mlym": "\u0d00-\u0d7f",
    "Sinh": "\u0d80-\u0dff",
    "Thai": "\u0e00-\u0e7f",
    "Laoo": "\u0e80-\u0eff",
    "Mymr": "\u1000-\u109f\uaa60-\uaa7f",
    "Geor": "\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f",
    "Ethi": "\u1200-\u139f\u2d80-\u2ddf",
    "Khmr": "\u1780-\u17ff",
    "Hira": "\u3040-\u309f",
    "Kana": "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "Hang": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff",
    "Hani": "\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}
_RUNS = re.compile("|".join(f"(?P<{name}>[{characters}]+)" for name, characters in _RANGES.items()))
_PARTS = {
    "Jpan": frozenset({"Hira", "Kana", "Hani"}),
    "Kore": frozenset({"Hang", "Hani"}),
    "Hans": frozenset({"Hani"}),
    "Hant": frozenset({"Hani"}),
    "Aran": frozenset({"Arab"}),
}
_LONGEST = 2000


def count_scripts(text: str) -> Counter[str]:
    """Characters of each script in the first 2,000 characters, by ISO 15924 code; other characters do not count."""
    counts: Counter[str] = Counter()
    for run in _RUNS.finditer(text, 0, _LONGEST):
        counts[run.lastgroup or ""] += len(run[0])
    return counts


def fits_script(text: str, script: str) -> bool:
    """Whether at least half of a text's letters are in a language's script.

    A text without letters, and a script this file does not list, fit.
    """
    parts = _PARTS.get(script, frozenset({script}))
    if not parts <= _RANGES.keys():
        return True
    counts = count_scripts(text)
    return 2 * sum(counts[part] for part in parts) >= counts.total()
