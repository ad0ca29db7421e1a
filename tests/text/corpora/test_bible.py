"""The Greek New Testament out of a made-up wheel in the package's format."""

import json
import zipfile

import pytest

from analysis.text.corpora import bible
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


@pytest.fixture
def wheel(tmp_path):
    """A wheel with three verses a side, two of them in both; a quotation mark and an empty word among them."""
    path = tmp_path / "made.whl"
    sides = {"grc": ("n", "id\taltId\ttext", GREEK), "en": ("", "id\tsource_verse\ttext", ENGLISH)}
    with zipfile.ZipFile(path, "w") as file:
        for tag, (letter, head, verses) in sides.items():
            lines = [head]
            for verse, words in verses:
                lines += [f"{letter}{verse}{n:03}\t{verse}\t{word}" for n, word in enumerate(words, start=1)]
            file.writestr(bible._FILES[tag], "\n".join(lines) + "\n")
        records = [{"source": a, "target": b} for a, b in LINKED]
        file.writestr(bible._LINKS, json.dumps({"records": records}))
    with zipfile.ZipFile(path) as file:
        yield file


def test_verses_of_both_texts_with_links_of_several_words(wheel):
    corpus = bible.read(wheel, ("en", "grc"), None)
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
        corpus = bible.read(wheel, ("en", "grc"), split)
        assert len(corpus) == (2 if split == side else 0)


def test_one_language_alone_has_no_links(wheel):
    corpus = bible.read(wheel, ("grc",), None)
    assert corpus.languages == ("grc",)
    assert corpus.sentences("grc")[1].text == "Ἀβραὰμ ἐγέννησεν"
