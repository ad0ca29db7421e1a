"""Rows of the package `datasets`: which columns hold words and tags, and what a row says."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.errors import InputError
from analysis.text.problems import excerpt
from analysis.transfer.readers.tagged import SPANS
from analysis.transfer.tagging_metrics import to_iob2

TOKENS = ("tokens", "words", "token", "form")
TAGS = {
    "ner": ("ner_tags", "ner", "tags", "labels"),
    "slot": ("slots", "slot", "slot_tags", "slot_labels", "ner_tags", "tags", "labels"),
    "upos": ("upos", "pos_tags", "pos", "upos_tags", "tags", "labels"),
}


def tag_column(name: str, features: Mapping[str, Any], column: str) -> tuple[str, str]:
    """The columns of words and of tags.

    Args:
        name: of the data, for messages.
        features: of each column.
        column: of the task.

    Raises:
        InputError: one of them is missing, or the tags are numbers that nothing gives a name.
    """
    found = []
    for valid in (TOKENS, TAGS.get(column, (column, f"{column}_tags", "tags", "labels"))):
        head = next((one for one in valid if one in features), None)
        if head is None:
            raise InputError(
                f"{name} has no column {valid[0]!r}: {', '.join(features)[:80]}; valid: {', '.join(valid)}"
            )
        found.append(head)
    inner = getattr(features[found[1]], "feature", None)
    if column in SPANS and "int" in str(getattr(inner, "dtype", "")) and not getattr(inner, "names", None):
        raise InputError(
            f"{name} has numbers without names in its column {found[1]!r}; give data whose tags are B-PER, I-PER, O"
        )
    return found[0], found[1]


def tagged_row(words: Any, tags: Any, column: str) -> tuple[list[str], tuple[str, ...]]:
    """Words and tags of one row.

    Raises:
        InputError: what makes it unusable.
    """
    if not isinstance(words, list) or not isinstance(tags, list) or not words or len(words) != len(tags):
        raise InputError("words and tags are not two lists of one length")
    both = [(word, tag) for word, tag in zip(words, tags, strict=True)
            if not (column == "upos" and tag == "_")]  # `_` marks the surface token of several words  # fmt: skip
    if not both or not all(isinstance(word, str) and word and tag not in (None, "") for word, tag in both):
        raise InputError("a word without text or tag")
    said = tuple(str(tag) for _, tag in both)
    if column in SPANS:
        spans = to_iob2(said)
        if spans is None:
            bad = next(tag for tag in said if to_iob2([tag]) is None)
            raise InputError(f"{excerpt(bad)} is no tag such as B-PER, I-PER or O")
        said = spans
    return [word for word, _ in both], said


def span_source(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows of question, context and answers as the JSON of SQuAD, a paragraph a row."""
    paragraphs = []
    for row in rows:
        answers = row["answers"]
        if isinstance(answers, Mapping):
            texts, starts = answers.get("text") or [], answers.get("answer_start") or []
            answers = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=False)]
        asked = {"id": row.get("id"), "question": row["question"], "answers": answers or []}
        paragraphs.append({"context": row["context"], "qas": [asked]})
    return json.dumps({"data": [{"paragraphs": paragraphs}]}).encode()
