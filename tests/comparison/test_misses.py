"""Each error of a retrieval has a kind, each wrong link its words."""

import pytest

from analysis.comparison.misses import KINDS, classify, count_kinds, error_table, link_errors, main_hit
from analysis.records import Result
from analysis.scoring.evaluate import evaluate
from tests.comparison.toys import result
from tests.measures.spaces import bitext, noisy_words
from tests.test_registered import bitext as linked

pytestmark = pytest.mark.fast
# word, gold, found, row, found_row, hit
QUERIES = [
    ("dog", "Hund", "Hund", 0, 0, True), ("dog", "Hund", "hund", 0, 3, False), ("bank", "Ufer", "bank", 0, 2, False),
    ("dog", "Hund", "läuft", 0, 0, False), ("houses", "Häuser", "Häusern", 0, 4, False), ("a", "ein", "ei", 0, 4, False),
    ("x", "y", "z", 0, 4, False), ("x", "y", "", 0, None, False), ("same", "same", "same", 0, 5, False),
    *[("w", "gold", "und", n, 9, False) for n in range(6)],
]  # fmt: skip


def items(rows=QUERIES):
    names = ("word", "gold", "found", "row", "found_row", "cosine_hit")
    table = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    return table | {"direction": ["forward"] * len(rows), "found_position": [0] * len(rows)}


def test_every_kind_by_hand():
    found = classify(items())["error"]
    assert found[:9] == [
        "", "another occurrence", "identical string", "neighbour in the sentence", "same sense, wrong form",
        "same sense, wrong form", "other", "nothing found", "another occurrence",
    ]  # fmt: skip
    assert set(found[9:]) == {"hub"}
    assert set(classify(items(), hub_queries=6)["error"][9:]) == {"other"}
    assert set(found) - {""} == set(KINDS)


def test_counts_are_shares_of_the_errors():
    told = count_kinds(classify(items()))
    assert told[0] == {"error": "hub", "n": 6, "share": 6 / 14, "meaning": "is found by many queries"}
    assert sum(one["n"] for one in told) == 14
    assert count_kinds({}) == []


def test_sentences_have_no_neighbours_and_no_forms():
    table = items()
    table["text"] = table.pop("word")
    found = classify(table)["error"]
    assert not {"neighbour in the sentence", "same sense, wrong form"} & set(found)


def test_items_of_other_measures_have_no_such_errors():
    assert classify({"row": [1], "cosine": [0.5]}) == {}
    assert error_table(result(1.0)) == {}


def test_links_with_their_words():
    text = bitext(["a b c"], ["x y z"])
    table = link_errors({"row": [0], "found": ["0-0 1-2"], "gold": ["0-0 1-1 1p2 2-2"]}, text)
    assert table == {
        "row": [0, 0], "error": ["missed", "missed"], "source": ["b", "c"], "target": ["y", "z"],
        "source_position": [1, 2], "target_position": [1, 2],
    }  # fmt: skip
    wrong = link_errors({"row": [0], "found": ["2-0"], "gold": [""]}, text)
    assert (wrong["error"], wrong["source"], wrong["target"]) == (["wrong"], ["c"], ["x"])


def test_real_results_of_word_retrieval_and_links(tiny):
    from analysis.encoders.load import load_encoder
    from analysis.registry import find

    words = find("measures", "word_retrieval").compute(noisy_words(rows=12, noise=2.0))
    assert main_hit(words) == "cosine_hit"
    table = error_table(words)
    misses = [kind for kind, hit in zip(table["error"], table["cosine_hit"], strict=True) if not hit]
    assert misses
    assert all(misses)
    assert len(misses) == sum(one["n"] for one in count_kinds(table))
    links = evaluate("link_f1", load_encoder(tiny), linked())
    told = error_table(links, linked())
    assert set(told) == {"row", "error", "source", "target", "source_position", "target_position"}


def test_the_hit_is_that_of_the_score_that_was_asked_for():
    asked = {"settings": {"score": "csls"}}
    made = Result("m", 1.0, None, None, 1, "percent", True, items={"csls_hit": [True]}, provenance=asked)
    assert main_hit(made) == "csls_hit"
    assert main_hit(result(1.0)) is None
