"""Questions with their answers in a paragraph: the JSON of SQuAD 1.1 and 2.0, which XQuAD and MLQA share."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.identify import identify, majority
from analysis.text.lines import Source, opened
from analysis.text.problems import Problems, excerpt
from analysis.text.segment import split
from analysis.transfer.item import Answers, Dataset, Item

FORMAT = 'the JSON of SQuAD: {"data": [{"paragraphs": [{"context": ..., "qas": [{"id", "question", "answers"}]}]}]}'


@dataclass(frozen=True)
class _Asked:
    """A question of the file with its running number."""

    number: int
    id: str
    question: str
    context: str
    answers: Answers


@dataclass
class _Reading:
    """One pass over a file: what it is called, who is told, how many questions came by and had no answer."""

    name: str
    problems: Problems
    number: int = 0
    unanswered: int = 0
    found: list[_Asked] = field(default_factory=list)

    def problem(self, message: str) -> None:
        """Something cannot be used; JSON has no lines, so the running number of the question stands for one."""
        self.problems.add(self.name, self.number, message)


def read_squad(source: Source, language: str | None, problems: Problems) -> Dataset:
    """The questions of a file that have an answer.

    Args:
        source: the file, packed or not.
        language: of questions and paragraphs; None takes that of most paragraphs.
        problems: told each paragraph, question and answer that cannot be used, with the running number of the question
            in place of a line, and how many questions have no answer (`is_impossible`, or none given).

    Raises:
        InputError: not the JSON of SQuAD, or no usable question.
    """
    reading = _Reading(source.name, problems)
    for context, questions in _paragraphs(_load(source), reading):
        for one in questions:
            reading.number += 1
            _question(one, context, reading)
    if reading.unanswered:
        problems.add(source.name, 0, f"{reading.unanswered} question(s) without an answer; they are left out")
    if not reading.found:
        raise InputError(f"{source.name} has no question with an answer; give {FORMAT}")
    contexts = dict.fromkeys(one.context for one in reading.found)
    tag = language or majority(identify(text) for text in contexts)
    sides: dict[str, Sentence] = {text: split(text, tag) for text in contexts}
    items = tuple(
        Item(one.id, split(one.question, tag), one.answers, sides[one.context], f"{source.name}:{one.number}")
        for one in reading.found
    )
    return Dataset(source.name, tag, items)


def _load(source: Source) -> list[Any]:
    """The articles of a file.

    Raises:
        InputError: not JSON, or JSON of something else.
    """
    with opened(source) as stream:
        raw = stream.read()
    try:
        whole = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{source.name} is not JSON ({said}); give {FORMAT}") from None
    articles = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(articles, list):
        raise InputError(f"{source.name} has no list called 'data'; give {FORMAT}")
    return articles


def _paragraphs(articles: list[Any], reading: _Reading) -> Iterator[tuple[str, list[Any]]]:
    """Text and questions of every paragraph."""
    for place, article in enumerate(articles, start=1):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            reading.problem(f"article {place} has no list of paragraphs; it is left out")
            continue
        for at, paragraph in enumerate(paragraphs, start=1):
            context, questions = (paragraph.get("context"), paragraph.get("qas")) if isinstance(paragraph, dict) else (
                None, None)  # fmt: skip
            if not isinstance(questions, list) or not _is_text(context):
                reading.problem(
                    f"paragraph {at} of article {place} has no text or no list of questions; it is left out"
                )
                continue
            yield str(context), questions


def _question(one: Any, context: str, reading: _Reading) -> None:
    """Take up a question, or say what is wrong with it."""
    known = isinstance(one, dict)
    label = str(one.get("id") or reading.number) if known else str(reading.number)
    if not known or not _is_text(one.get("question")):
        reading.problem(f"question {excerpt(label)} has no text; it is left out")
        return
    answers = one.get("answers", [])
    if one.get("is_impossible") is True or answers == []:
        reading.unanswered += 1
        return
    good: dict[tuple[str, int], None] = {}
    for answer in answers if isinstance(answers, list) else [answers]:
        text, start = (answer.get("text"), answer.get("answer_start")) if isinstance(answer, dict) else (None, None)
        if not isinstance(text, str) or not _is_text(text) or type(start) is not int or start < 0:
            reading.problem(f"question {excerpt(label)}: an answer without text and start; the answer is left out")
            continue
        there = context[start : start + len(text)]
        if there == text:
            good[text, start] = None
            continue
        reading.problem(
            f"question {excerpt(label)}: the answer {excerpt(text)} does not stand at {start}, where the paragraph has "
            f"{excerpt(there)}; the answer is left out"
        )
    if good:
        texts, starts = zip(*good, strict=True)
        reading.found.append(_Asked(reading.number, label, one["question"].strip(), context, Answers(texts, starts)))


def _is_text(value: Any) -> bool:
    """Whether it is a string with something in it and without lone surrogates, which no file can hold."""
    return isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= char <= "\udfff" for char in value)
