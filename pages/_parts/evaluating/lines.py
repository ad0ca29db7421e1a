"""Errors as lines of a list: words marked in their sentences, sentences in their own direction; everything escaped."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.neighbours.query import cut_around
from analysis.scoring.measure import Material
from analysis.text.corpus import Bitext, Sentence
from analysis.text.languages import language
from pages._parts import chrome, words

WIDTH = 90  # characters of a sentence in sight
STYLE = words.STYLE.replace(
    "</style>", ".iso-errors td { width: 31% } .iso-errors .k { width: 9.5rem; opacity: .75; font-size: .8rem }</style>"
)
ASKED = ("word", "text", "question")
JUDGED = {"same", "said", "right"}  # columns of words judged for sense
Table = Mapping[str, Sequence[Any]]


def error_list(material: Material, table: Table, kept: Sequence[int]) -> str:
    """HTML of some errors: what was asked, what should be found, what was found, the kind of error.

    Args:
        material: the text they are errors on.
        table: from `misses.error_table`, with a column `error`.
        kept: the lines to show.
    """
    if "source_position" in table:
        head = ("source", "target", "")
        rows = [_link(material, table, n) for n in kept]
    elif set(table) >= JUDGED:
        head = ("first", "second", "")
        rows = [_judged(material, table, n) for n in kept]
    else:
        head = ("asked", "should find", "found")
        rows = [_miss(material, table, n) for n in kept]
    titles = "".join(f"<th>{title}</th>" for title in head if title) + '<th class="k">kind</th>'
    return f'<table class="iso-list iso-errors"><tr>{titles}</tr>{"".join(rows)}</table>'


def _miss(material: Material, table: Table, n: int) -> str:
    """One query that missed."""
    back = table.get("direction", [""] * (n + 1))[n] == "backward"
    here, there = _sides(material, back=back)
    row, position = _at(table, "row", n), _at(table, "position", n)
    asked = next((str(table[name][n]) for name in ASKED if name in table), "")
    gold = str(table["gold"][n])
    found_row, found_position = _at(table, "found_row", n), _at(table, "found_position", n)
    cells = [
        _cell(here, row, position, asked, _tag(material, back)),
        _cell(there, row, _gold(material, row, position, gold, back=back), gold, _tag(material, not back)),
        _cell(there, found_row, found_position, str(table["found"][n]), _tag(material, not back)),
    ]
    return f'<tr>{"".join(cells)}<td class="k">{html.escape(str(table["error"][n]))}</td></tr>'


def _link(material: Material, table: Table, n: int) -> str:
    """One wrong or missed link, both words in their sentences."""
    here, there = _sides(material, back=False)
    row = _at(table, "row", n)
    cells = [
        _cell(here, row, _at(table, "source_position", n), str(table["source"][n]), _tag(material, False)),
        _cell(there, row, _at(table, "target_position", n), str(table["target"][n]), _tag(material, True)),
    ]
    return f'<tr>{"".join(cells)}<td class="k">{html.escape(str(table["error"][n]))}</td></tr>'


def _judged(material: Material, table: Table, n: int) -> str:
    """Two marked words that were taken for what they are not."""
    row, cosine = _at(table, "row", n), table["cosine"][n]
    here, there = _sides(material, back=False)
    cells = [
        _cell(here, row, 0, str(table["source"][n]), _tag(material, False)),
        _cell(there, row, 0, str(table["target"][n]), _tag(material, True)),
    ]
    told = str(table["error"][n]) + (f", cosine {cosine:.2f}" if isinstance(cosine, float) else "")
    return f'<tr>{"".join(cells)}<td class="k">{html.escape(told)}</td></tr>'


def with_verdicts(table: dict[str, Any]) -> dict[str, Any]:
    """The table of words judged for sense with a column `error`; any other as it is."""
    if "error" in table or not set(table) >= JUDGED:
        return table
    kinds = {True: "one sense, taken for two", False: "two senses, taken for one"}
    verdicts = zip(table["same"], table["said"], table["right"], strict=True)
    return table | {"error": ["" if right else "no vector" if said is None else kinds[bool(same)]
                              for same, said, right in verdicts]}  # fmt: skip


def explained(table: Table) -> str:
    """How to read the list."""
    if set(table) >= JUDGED:
        return "The marked word in its two sentences, and how close its two vectors are."
    if "source_position" in table:
        return "Wrong: decoded, and not even a possible gold link. Missed: a sure gold link that was not decoded."
    if "word" in table:
        return (
            "The word asked about, what it should find and what was found, each marked in its sentence. A query is a miss "
            "unless exactly the linked occurrence is found."
        )
    return "What was asked, what should be found, and what was found instead."


def _at(table: Table, name: str, n: int) -> int | None:
    """A whole number of a line, None where there is none."""
    value = table[name][n] if name in table else None
    return int(value) if isinstance(value, int | float) and value == value else None


def _sides(material: Material, *, back: bool) -> tuple[Sequence[Sentence], Sequence[Sentence]]:
    """The sentences asked from and looked through."""
    if not isinstance(material, Bitext):
        return (), ()
    return (material.target, material.source) if back else (material.source, material.target)


def _tag(material: Material, second: bool) -> str:
    """The language of a side."""
    return material.languages[int(second)] if isinstance(material, Bitext) else "und"


def _gold(material: Material, row: int | None, position: int | None, gold: str, *, back: bool) -> int | None:
    """Where the right word stands: the link of the one asked about."""
    if not isinstance(material, Bitext) or material.links is None or row is None or position is None:
        return None
    there = _sides(material, back=back)[1][row].words
    links = [(j, i) if back else (i, j) for i, j in material.links[row].sure]
    linked = [j for i, j in links if i == position and j < len(there)]
    return next((j for j in linked if there[j] == gold), linked[0] if linked else None)


def _cell(sentences: Sequence[Sentence], row: int | None, position: int | None, text: str, tag: str) -> str:
    """A table cell: the sentence with its word marked, else the bare text, in its own direction."""
    shown = text or "nothing"
    start = end = 0
    if row is not None and position is not None and row < len(sentences):
        sentence = sentences[row]
        if position < len(sentence.spans):
            shown, (start, end), tag = sentence.text, sentence.spans[position], sentence.language
    marked = chrome.marked(*cut_around(shown, start, end, width=WIDTH if end else 3 * WIDTH), tag)
    return f'<td dir="{language(tag).direction}"><bdi>{marked}</bdi></td>'


def with_sentences(material: Material, table: Table) -> dict[str, Sequence[Any]]:
    """A table with the sentences of its rows in front, where it names rows of sentence pairs and has no text itself."""
    texts = {*ASKED, "source", "target", "gold", "found"} & set(table)
    if not isinstance(material, Bitext) or "row" not in table or texts:
        return dict(table)
    rows = [int(row) for row in table["row"]]
    sides = {"source": material.source, "target": material.target}
    return {name: [side[row].text for row in rows] for name, side in sides.items()} | dict(table)
