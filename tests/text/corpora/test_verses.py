"""Verses with links made by hand, out of made-up wheels in the package's format."""

import json
import zipfile

import pytest

from analysis.text.corpora import bible, tanakh
from analysis.text.corpora._verses import read
from analysis.text.splits import split_of

pytestmark = pytest.mark.fast
GREEK = [("40001001", ["Βίβλος", "γενέσεως"]), ("40001002", ["Ἀβραὰμ", "ἐγέννησεν"]), ("41001001", ["Ἀρχὴ"])]
ENGLISH = [
    ("40001001", ["a", '"', "record", "of", "the", "genealogy"]),
    ("40001002", ["Abraham", "", "begat"]),
    ("66001001", ["lone"]),
]
LINKED = [
    (["n40001001001"], ["40001001003"]), (["n40001001002"], ["40001001004", "40001001005", "40001001006"]),
    (["n40001002001", "n40001002002"], ["40001002001"]), (["n40001002002"], ["40001002003", "40001001001"]),
    (["n41001001001"], []),
]  # fmt: skip


def made(path, original, words, english, linked):
    """A wheel with the three files of a text; words and English as (number, verse, text)."""
    with zipfile.ZipFile(path, "w") as file:
        for name, head, lines in (
            (original.text, "id\taltId\ttext", words),
            (original.english, "id\tsource_verse\ttext", english),
        ):
            file.writestr(name, "\n".join([head, *("\t".join(line) for line in lines)]) + "\n")
        file.writestr(original.links, json.dumps({"records": [{"source": a, "target": b} for a, b in linked]}))
    return zipfile.ZipFile(path)


@pytest.fixture
def wheel(tmp_path):
    """A wheel with three verses a side, two of them in both; a quotation mark and an empty word among them."""
    sides = [
        [(f"{letter}{verse}{n:03}", verse, word) for verse, words in verses for n, word in enumerate(words, start=1)]
        for letter, verses in (("n", GREEK), ("", ENGLISH))
    ]
    with made(tmp_path / "made.whl", bible.ORIGINAL, *sides, LINKED) as file:
        yield file


def test_verses_of_both_texts_with_links_of_several_words(wheel):
    corpus = read(bible.SPEC, bible.ORIGINAL, wheel, ("en", "grc"), None)
    assert corpus.row_ids == ("40001001", "40001002")
    assert corpus.categories == ("40001", "40001")
    pair = corpus.pair("grc", "en")
    assert pair.links_origin == "gold"
    assert [one.text for one in pair.target] == ['a " record of the genealogy', "Abraham begat"]
    assert [one.words for one in pair.source] == [("Βίβλος", "γενέσεως"), ("Ἀβραὰμ", "ἐγέννησεν")]
    assert sorted(pair.links[0].sure) == [(0, 2), (1, 3), (1, 4), (1, 5)]
    assert sorted(pair.links[1].sure) == [(0, 0), (1, 0), (1, 1)], "a word of another verse has no link here"


def test_a_chapter_is_in_one_split(wheel):
    side = split_of("40001")
    for split in ("train", "dev"):
        corpus = read(bible.SPEC, bible.ORIGINAL, wheel, ("en", "grc"), split)
        assert len(corpus) == (2 if split == side else 0)


def test_one_language_alone_has_no_links(wheel):
    corpus = read(bible.SPEC, bible.ORIGINAL, wheel, ("grc",), None)
    assert corpus.languages == ("grc",)
    assert corpus.sentences("grc")[1].text == "Ἀβραὰμ ἐγέννησεν"


def test_parts_of_a_hebrew_word_are_one_word_without_points(tmp_path):
    """בְּ + רֵאשִׁית, "in the beginning", and הַ + שָּׁמַיִם, "the heavens": numbers end in the part; those of links in English too."""
    words = [
        ("o010010010011", "x-1", "בְּ"), ("o010010010012", "x-1", "רֵאשִׁית"),
        ("o010010010021", "x-1", "הַ"), ("o010010010022", "x-1", "שָּׁמַיִם"),
    ]  # fmt: skip
    english = [
        (f"01001001{n:03}", "01001001", word) for n, word in enumerate(["In", "the", "beginning", "the", "heavens"], 1)
    ]
    linked = [
        (["o010010010011"], ["010010010011"]), (["o010010010012"], ["010010010021", "010010010031"]),
        (["o010010010021", "o010010010022"], ["010010010041", "010010010051"]),
    ]  # fmt: skip
    with made(tmp_path / "made.whl", tanakh.ORIGINAL, words, english, linked) as wheel:
        pair = read(tanakh.SPEC, tanakh.ORIGINAL, wheel, ("en", "hbo"), None).pair("hbo", "en")
    assert pair.source[0].words == ("בראשית", "השמים")
    assert sorted(pair.links[0].sure) == [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)]
