"""The predictions of a run: the worst items of a language in their sentences; everything escaped."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from analysis.errors import InputError
from analysis.figures.transfer import language_name
from analysis.registry import find
from analysis.text.languages import language
from analysis.text.segment import split
from analysis.transfer.folder import PREDICTIONS
from analysis.transfer.item import MIXED, Kind
from analysis.transfer.outcome import Outcome
from pages._parts import chrome, state
from pages._parts.evaluating.lines import STYLE

PAGE = 8  # items in sight
WIDTH = 400  # characters of a text
ALL, HERE = "all", "here"
Prediction = Mapping[str, Any]


def behind(outcomes: Sequence[Outcome], names: Sequence[str]) -> None:
    """Choose a language and a run, and draw what went wrong.

    Args:
        outcomes: one or two.
        names: what each is called.
    """
    st.markdown("### What went wrong")
    one, two, three = st.columns(3, vertical_alignment="bottom")
    which = 0
    if len(outcomes) > 1:
        sides = ["A", "B"]
        which = sides.index(two.segmented_control(
            "Run", sides, key=state.seeded("whose-items", "B", sides), required=True,
            format_func=lambda side: f"{side}: {names[sides.index(side)]}",
        ) or "B")  # fmt: skip
        state.set_page_value("whose-items", "" if which else "A")
    shown = outcomes[which]
    tags = [row["lang"] for row in shown.record["items"]]
    scores = {row["lang"]: row["score"] for row in shown.record["items"]}
    worst = min(tags, key=lambda tag: 101.0 if scores[tag] is None else scores[tag])
    tag = one.selectbox("Language", tags, key=state.seeded("items-of", worst, tags), format_func=language_name)
    state.set_page_value("items-of", "" if tag == worst else tag)
    rows, values = predictions(shown, tag), item_scores(shown, tag)
    kind = find("tasks", shown.record["task"]).kind
    order = worst_first(values, 0.0 if kind is Kind.SCORE else 100.0)
    rivals = _rivals(outcomes, which, tag)
    if rivals and len(order):
        only = {ALL: "All", HERE: f"Only those that {'AB'[1 - which]} has right"}
        with three:
            kept = st.segmented_control("Items", list(only), key=state.seeded("only", ALL, list(only)), required=True,
                                        format_func=only.__getitem__)  # fmt: skip
        state.set_page_value("only", "" if kept == ALL else kept)
        if kept == HERE:
            order = [n for n in order if rivals.get(rows[n]["id"], 0.0) >= 100]
    _pages(kind, tag, rows, order)


def predictions(outcome: Outcome, tag: str) -> list[Prediction]:
    """The predictions of a language, in the order of its items.

    Raises:
        InputError: the file is gone.
    """
    path = outcome.folder / PREDICTIONS
    return _predictions(str(path), path.stat().st_mtime_ns if path.exists() else 0, tag)


@st.cache_data(max_entries=32, show_spinner="Reading the predictions ...")
def _predictions(path: str, stamp: int, tag: str) -> list[Prediction]:
    """The lines of a language."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            rows = [row for row in map(json.loads, file) if row.get("lang") == tag]
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); run the transfer again") from None
    return rows


def item_scores(outcome: Outcome, tag: str) -> np.ndarray:
    """(items,) the score of each item by itself; of a scale minus its distance from the right number; NaN for none."""
    task = find("tasks", outcome.record["task"])
    if task.kind is Kind.SCORE:
        pairs = [(float(row["gold"]), float(row["predicted"])) for row in predictions(outcome, tag)]
        return np.array([-abs(gold - said) for gold, said in pairs])
    stats = next(one.stats for one in outcome.scored if one.language == tag)
    one = np.ones((1, 1), np.float32)
    return np.array([float(task.metric.scores(row[None], one)[0]) for row in stats])


def worst_first(values: np.ndarray, most: float) -> list[int]:
    """The items that are not wholly right, the worst first.

    Args:
        values: from `item_scores`.
        most: the score of an item that is wholly right.
    """
    return [int(n) for n in np.argsort(values, kind="stable") if values[n] < most - 1e-9]


def _rivals(outcomes: Sequence[Outcome], which: int, tag: str) -> dict[str, float]:
    """The scores of the other run's items by id, {} where there is none or the task has a scale."""
    if len(outcomes) < 2 or find("tasks", outcomes[which].record["task"]).kind is Kind.SCORE:
        return {}
    other = outcomes[1 - which]
    if all(one.language != tag for one in other.scored):
        return {}
    values = item_scores(other, tag)
    return {row["id"]: value for row, value in zip(predictions(other, tag), values, strict=True)}


def _pages(kind: Kind, tag: str, rows: Sequence[Prediction], order: Sequence[int]) -> None:
    """One page of the items."""
    if not order:
        st.info(f"No such item in {language_name(tag)}.")
        return
    last = -(-len(order) // PAGE)
    page = 1
    if last > 1:
        key = state.seeded("items-page", 1, parse=lambda text: max(1, int(text)))
        st.session_state[key] = min(st.session_state[key], last)
        page = st.number_input(f"Page, of {last:,}", 1, last, key=key, width=140)
        state.set_page_value("items-page", page if page > 1 else "")
    shown = [rows[n] for n in order[(page - 1) * PAGE : page * PAGE]]
    head = "<tr><th>text</th><th>should be</th><th>predicted</th></tr>"
    body = "".join(item_html(row, kind) for row in shown)
    st.html(f'{STYLE}<table class="iso-list iso-errors">{head}{body}</table>')
    what = "by distance from the right number" if kind is Kind.SCORE else "not wholly right, the worst first"
    st.caption(f"{len(order):,} of {len(rows):,} items of {chrome.plain(language_name(tag))}, {what}.")


def item_html(row: Prediction, kind: Kind) -> str:
    """One item as a row of a table.

    Args:
        row: a line of predictions.jsonl.
        kind: of the task.
    """
    first, _, second = str(row["lang"]).partition(MIXED)
    tags = (first, second or first)
    gold, said = row["gold"], row["predicted"]
    start = end = 0
    if kind in (Kind.TAGS, Kind.TREE):
        spans = _spans(row["text"], tags[0], _length(gold))
        wrong = [n for n, (a, b) in enumerate(zip(*map(_parts, (gold, said)), strict=False)) if a != b]
        if wrong and spans:
            start, end = spans[wrong[0]]
        gold, said = (_word(one, wrong) for one in (gold, said))
    texts = [_text(row["text"], tags[0], start, end)]
    if row.get("other") is not None:
        texts.append(_text(row["other"], tags[1], *(_answer(gold) if kind is Kind.SPAN else (0, 0))))
    return f"<tr><td>{'<br>'.join(texts)}</td>{_cell(gold)}{_cell(said)}</tr>"


def _text(text: str, tag: str, start: int, end: int) -> str:
    """A text in its own direction with one stretch marked; a long one is cut around it."""
    from analysis.neighbours.query import cut_around

    way = language(tag).direction
    return f'<bdi dir="{html.escape(way)}">{chrome.marked(*cut_around(text, start, end, width=WIDTH), tag)}</bdi>'


def _cell(value: Any) -> str:
    """An answer as people read it, escaped."""
    return f'<td><span dir="auto">{html.escape(told(value))}</span></td>'


def told(value: Any) -> str:
    """A label, a number, answers to a question, or a list, as text."""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, Mapping):
        return " / ".join(dict.fromkeys(map(str, value.get("texts", value.values())))) or "no answer"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "no answer" if value in (None, "") else str(value)


def _answer(gold: Any) -> tuple[int, int]:
    """Where the first right answer stands."""
    if not isinstance(gold, Mapping) or not gold.get("texts"):
        return 0, 0
    start = int(gold["starts"][0])
    return start, start + len(gold["texts"][0])


def _parts(value: Any) -> list[Any]:
    """What is said of each word."""
    if isinstance(value, Mapping):
        return list(zip(value.get("heads", ()), value.get("relations", ()), strict=False))
    return list(value or ())


def _length(value: Any) -> int:
    """The number of words."""
    return len(_parts(value))


def _word(value: Any, wrong: Sequence[int]) -> str:
    """What is said of the marked word, and of how many others it is wrong."""
    parts = _parts(value)
    if not wrong or wrong[0] >= len(parts):
        return told(parts)
    one = parts[wrong[0]]
    shown = f"{one[1]} of word {one[0]}" if isinstance(one, tuple) else str(one)
    return shown + (f" (and {len(wrong) - 1} more words)" if len(wrong) > 1 else "")


def _spans(text: str, tag: str, count: int) -> list[tuple[int, int]]:
    """Where the words stand, [] where they cannot be told from the text alone."""
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, at + len(word)))
        at += len(word)
    if len(found) == count:
        return found
    cut = list(split(text, tag).spans)
    return cut if len(cut) == count else []
