"""Rows that match and words that are linked."""

import pytest

from analysis.text.browse import find_rows, linked_groups
from analysis.text.corpus import Corpus, Sentence
from analysis.text.load import load_corpus
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast


def plain(*words):
    return Sentence.from_words(words)


@pytest.fixture
def corpus():
    rows = (
        {"en": plain("Red", "house"), "de": plain("rotes", "Haus")},
        {"en": plain("STRASSE")},
        {"de": plain("Straße")},
    )
    links = (Links(frozenset({(0, 0)}), frozenset({(0, 0), (1, 1)})), Links(), Links())
    return Corpus("c", "C", rows, ("r1", "r2", "r3"), ("a", "b", ""), {("en", "de"): links}, "gold")


def test_rows_are_found_by_text_category_and_language(corpus):
    assert find_rows(corpus) == [0, 1, 2]
    assert find_rows(corpus, text="strasse") == [1, 2]
    assert find_rows(corpus, text="R1") == [0]
    assert find_rows(corpus, category="b") == [1]
    assert find_rows(corpus, languages=["de"]) == [0, 2]
    assert find_rows(corpus, languages=["de"], text="house") == []
    assert find_rows(corpus, languages=["fr"]) == []
    assert find_rows(corpus, limit=2) == [0, 1]


def test_listed_links_keep_sure_and_possible(corpus):
    assert linked_groups(corpus, 0, ["de", "en"]) == [
        {"en": "Red", "de": "rotes", "link": "sure"}, {"en": "house", "de": "Haus", "link": "possible"},
    ]  # fmt: skip
    assert linked_groups(corpus, 0, ["en"]) == []
    assert linked_groups(corpus, 1, ["en", "de"]) == []


def test_concepts_group_the_words_of_the_tour():
    tour = load_corpus("tour")
    groups = linked_groups(tour, 0, ["en", "de", "fr"])
    bank = next(group for group in groups if group["meaning"] == "bank (money)")
    assert bank["en"] == "bank"
    assert bank["de"] == "Bank"
    assert all(set(group) == {"meaning", "en", "de", "fr"} for group in groups)
