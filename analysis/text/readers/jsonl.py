"""JSON lines: objects with a text for each language."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from analysis.text.languages import known_tag
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import Reader, Row, is_row_name, only_source, segment_row

_TEXT = ("text", "sentence")
_LANGUAGE = ("language", "lang", "lang_code")


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each object.

    Understood are `{"en": ..., "de": ...}`, `{"translation": {"en": ...}}`, `{"text": ..., "language": "en"}`
    and objects or lists of such objects inside an object; other keys are passed over.

    Raises:
        InputError: not one readable text file.
    """
    source = only_source(sources, "jsonl")
    for number, line in enumerate(read_lines(source, problems=problems), start=1):
        if line is None or not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.add(source.name, number, f"not JSON ({str(error)[:80]}): {excerpt(line)}; the row is left out")
            continue
        sentences = segment_row(_texts(value), languages)
        if sentences:
            name, category = (value.get(key, "") for key in ("id", "category")) if isinstance(value, dict) else ("", "")
            yield Row(number, sentences, None, _label(name) if is_row_name(_label(name)) else "", _label(category))
        else:
            problems.add(source.name, number, f"no text under a language code in {excerpt(line)}; the row is left out")


def _texts(value: Any) -> dict[str, str]:
    """The texts of one object by tag; looks one level into objects and lists."""
    if not isinstance(value, dict):
        return {}
    texts: dict[str, str] = {}
    for part in [value, *_inner(value)]:
        tag = next((known_tag(part[key]) for key in _LANGUAGE if isinstance(part.get(key), str)), None)
        text = next((part[key] for key in _TEXT if isinstance(part.get(key), str)), None)
        if tag is not None and text is not None:
            texts.setdefault(tag, text)
            continue
        for key, item in part.items():
            tag = known_tag(key)
            if tag is not None and isinstance(item, str) and not (key == "id" and is_row_name(item)):
                texts.setdefault(tag, item)
    return texts


def _inner(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects directly inside an object, also those in its lists."""
    items = [item for inner in value.values() for item in (inner if isinstance(inner, list) else [inner])]
    return [item for item in items if isinstance(item, dict)]


def _label(value: Any) -> str:
    """A name or category as a string, "" for anything that is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


SPEC = Reader(
    "jsonl", "JSON lines", ("jsonl", "ndjson", "json"), "One object a line with a text for each language.", read
)
