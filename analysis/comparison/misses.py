"""The errors behind a score: what retrieval found instead of the translation, which links are wrong or missing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.records import Result
from analysis.text.corpus import Bitext
from analysis.text.pharaoh import parse_links

ANOTHER, IDENTICAL, SENTENCE = "another occurrence", "identical string", "neighbour in the sentence"
FORM, HUB, OTHER, NOTHING = "same sense, wrong form", "hub", "other", "nothing found"
KINDS = {
    ANOTHER: "the right word, at another place of the file",
    IDENTICAL: "the same string as the query",
    SENTENCE: "another word of the right sentence",
    FORM: "shares its beginning with the right word: four letters, or three fifths of it",
    HUB: "is found by many queries",
    OTHER: "none of these",
    NOTHING: "the query has no vector",
}
HUB_QUERIES = 5  # a unit that is first for more queries than this is a hub
PREFIX_LETTERS, PREFIX_SHARE = 4, 0.6
Table = dict[str, list[Any]]
_PLACE = ("direction", "found_row", "found_position", "found")  # what tells one found unit from another


def classify(
    items: Mapping[str, Sequence[Any]], *, hit: str | None = None, hub_queries: int = HUB_QUERIES
) -> Table:  # fmt: skip
    """The items of a retrieval with a column `error`, "" for hits.

    Each error has the first of the kinds in `KINDS` that fits.

    Args:
        items: of a result of word or sentence retrieval: `word` (or `text`), `gold`, `found`, `row`, `found_row` and
            a column that says which are hits.
        hit: name of that column; None for the first that ends in `hit`.
        hub_queries: what more queries than this find first is a hub.

    Returns:
        All columns of the items and `error`; an empty table where these are no items of a retrieval.
    """
    column = hit or next((name for name in items if name.endswith("hit")), None)
    if column is None or not {"gold", "found"} <= set(items):
        return {}
    table = {name: list(values) for name, values in items.items()}
    places = list(zip(*(table.get(name, [""] * len(table["gold"])) for name in _PLACE), strict=True))
    counts = Counter(places)
    queries = table.get("word") or table.get("text") or [""] * len(places)
    words = "word" in table
    table["error"] = [
        "" if right
        else _kind(query, gold, found, words=words, same_row=here == there, hub=counts[place] > hub_queries)
        for right, query, gold, found, here, there, place in zip(
            table[column], queries, table["gold"], table["found"], table.get("row", range(len(places))),
            table.get("found_row", [None] * len(places)), places, strict=True,
        )
    ]  # fmt: skip
    return table


def _kind(query: str, gold: str, found: str, *, words: bool, same_row: bool, hub: bool) -> str:
    """What sort of error."""
    if not found:
        return NOTHING
    query, gold, found = (text.casefold() for text in (query, gold, found))
    if found == gold:
        return ANOTHER
    if found == query:
        return IDENTICAL
    if words and same_row:
        return SENTENCE
    if words and _alike(gold, found):
        return FORM
    return HUB if hub else OTHER


def _alike(gold: str, found: str) -> bool:
    """Whether two words begin alike."""
    differ = (n for n, (a, b) in enumerate(zip(gold, found, strict=False)) if a != b)
    shared = next(differ, min(len(gold), len(found)))
    return shared >= PREFIX_LETTERS or shared >= PREFIX_SHARE * len(gold)


def count_kinds(table: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """How often each kind of error occurs.

    Args:
        table: from `classify`.

    Returns:
        For each kind that occurs `error`, `n`, `share` (of the errors, 0 to 1) and `meaning`, most frequent first.
    """
    counts = Counter(kind for kind in table.get("error", ()) if kind)
    total = sum(counts.values())
    return [
        {"error": kind, "n": n, "share": n / total, "meaning": KINDS[kind]}
        for kind, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def link_errors(items: Mapping[str, Sequence[Any]], bitext: Bitext) -> Table:
    """Wrong and missed links with their words.

    Args:
        items: of a result of a link measure: `row`, `found` and `gold` as Pharaoh links.
        bitext: the pairs they are links of.

    Returns:
        Columns `row`, `error` (`wrong` or `missed`), `source`, `target`, `source_position`, `target_position`;
        empty where these are no items of a link measure.
    """
    if not {"row", "found", "gold"} <= set(items) or any(name.endswith("hit") for name in items):
        return {}
    table: Table = {
        name: [] for name in ("row", "error", "source", "target", "source_position", "target_position")
    }  # fmt: skip
    for row, found, gold in zip(items["row"], items["found"], items["gold"], strict=True):
        made, known = parse_links(found), parse_links(gold)
        words = bitext.source[row].words, bitext.target[row].words
        wrong = [(link, "wrong") for link in made.sure - known.possible]
        missed = [(link, "missed") for link in known.sure - made.sure]
        for (i, j), error in sorted(wrong + missed):
            line = (row, error, words[0][i], words[1][j], i, j)
            for name, value in zip(table, line, strict=True):
                table[name].append(value)
    return table


def main_hit(result: Result) -> str | None:
    """The column of a result's items that says which queries hit by the score that was asked for."""
    settings = result.provenance.get("settings") or {}
    name = f"{settings.get('score', '')}_hit"
    return name if name in result.items else None


def error_table(result: Result, material: Any = None) -> Table:
    """The errors behind one result of whatever measure has any.

    Args:
        result: with its items.
        material: the data, for the words of links.

    Returns:
        Items of a retrieval with their kind of error, wrong and missed links of a link measure, else the items.
    """
    classified = classify(result.items, hit=main_hit(result))
    if classified:
        return classified
    links = link_errors(result.items, material) if isinstance(material, Bitext) else {}
    return links or {name: list(values) for name, values in result.items.items()}
