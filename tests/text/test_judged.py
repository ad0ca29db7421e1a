"""Judged sets made on the spot, whole and broken, and the public ones where they are."""

import gzip
import json

import pytest

from analysis.errors import InputError
from analysis.text.judged import load_judged
from analysis.text.problems import Problems

pytestmark = pytest.mark.fast


def pack(path, content):
    """Write text, or anything else as JSON, packed."""
    path.parent.mkdir(exist_ok=True, parents=True)
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def stsb(tmp_path):
    """Scored sentences in two languages; the German file lacks the last row."""
    rows = [
        "A dog.,A cat.,2.5",
        "One.,Two.,x",
        "Three.,Four.,nan",
        "Five.,Six.,5.0",
        "Seven.,Eight.,1.0",
        "Nine.,Ten.,3",
    ]
    german = ["Ein Hund.,Eine Katze.,2.5", "Eins.,Zwei.,x", "Drei.,Vier.,nan", "Fünf.,Sechs.,4.0", "Sieben.,,1.0"]
    pack(tmp_path / "stsb_multi" / "stsb-en-dev.csv.gz", "\n".join(rows) + "\n")
    pack(tmp_path / "stsb_multi" / "stsb-de-dev.csv.gz", "\n".join(german) + "\n")
    return tmp_path


def wic_row(number, **changes):
    """One row of a cross-lingual word-in-context file."""
    row = {"id": f"dev.{number}", "lemma": "bank", "pos": "NOUN", "sentence1": "the river bank",
           "sentence2": "une banque", "ranges1": "10-14", "ranges2": "4-10"}  # fmt: skip
    return {key: value for key, value in (row | changes).items() if value is not None}


@pytest.fixture
def wic(tmp_path):
    """Write a word-in-context file with its gold."""

    def write(data, gold, pair="en-fr"):
        pack(tmp_path / "mcl_wic" / f"dev.{pair}.data.gz", data)
        pack(tmp_path / "mcl_wic" / f"dev.{pair}.gold.gz", gold)
        return tmp_path

    return write


@pytest.fixture
def xquad(tmp_path):
    """Write an XQuAD file of one language: (number, question, paragraph) rows, one article a row."""

    def write(tag, rows):
        data = [{"paragraphs": [{"context": text, "qas": [{"id": number, "question": asked}]}]}
                for number, asked, text in rows]  # fmt: skip
        pack(tmp_path / "xquad" / f"xquad.{tag}.json.gz", {"data": data})
        return tmp_path

    return write


def test_scored_rows_whose_sides_do_not_belong_together_are_left_out(stsb):
    problems = Problems()
    (found,) = load_judged("set:stsb_multi:en-de:dev", "scored", data_dir=stsb, problems=problems)
    assert [one.text for one in found.source] == ["A dog."]
    assert [one.text for one in found.target] == ["Eine Katze."]
    assert (found.scores, found.row_ids) == ((2.5,), ("0",))
    said = {problem.line: problem.message for problem in problems}
    assert sorted(said) == [2, 3, 4, 5, 6]
    assert "is no finite number" in said[2]
    assert "is no finite number" in said[3]
    assert "the same score" in said[4]  # 5.0 against 4.0
    assert "the same score" in said[6]  # only English has it


def test_a_language_with_itself_and_all_pairs(stsb):
    names = [one.languages for one in load_judged("set:stsb_multi:all:dev", "scored", data_dir=stsb)]
    assert names == [("en", "en"), ("de", "de"), ("en", "de")]
    chosen = load_judged("set:stsb_multi:all:dev", "scored", langs=("de", "de"), data_dir=stsb)
    assert [one.languages for one in chosen] == [("de", "de")]


def test_marked_words_and_pieces_of_words(wic):
    rows = [wic_row(0), wic_row(1, sentence2="auf ... machen", ranges2="8-14,0-3")]
    root = wic(rows, [{"id": "dev.0", "tag": "F"}, {"id": "dev.1", "tag": "T"}])
    (found,) = load_judged("set:mcl_wic:en-fr:dev", "sense", data_dir=root)
    assert [one.words for one in found.source] == [("bank",), ("bank",)]
    assert [one.words for one in found.target] == [("banque",), ("auf", "machen")]
    assert found.scores == (0, 1)
    assert found.links[1].possible == {(0, 0), (0, 1)}


BROKEN = [
    wic_row(1, ranges1="10-99"), wic_row(2, ranges1="4-4"), wic_row(3, ranges1="a-b"), wic_row(4, ranges1="-3-2"),
    wic_row(5, ranges2=None), wic_row(6, sentence1=None), wic_row(7, sentence1=["the"]), wic_row(8), "no object", None,
]  # fmt: skip


def test_bad_ranges_and_missing_gold_are_warnings(wic):
    gold = [{"id": f"dev.{n}", "tag": "T"} for n in range(8)] + ["odd", {"tag": "T"}, {"id": [1], "tag": "F"}]
    root, problems = wic([wic_row(0), *BROKEN], gold), Problems()
    (found,) = load_judged("set:mcl_wic:en-fr:dev", "sense", data_dir=root, problems=problems)
    assert found.row_ids == ("dev.0",)
    assert [problem.line for problem in problems] == list(range(2, 12))
    assert "dev.8: no gold T or F" in str(list(problems)[7])
    assert "is not inside its sentence" in str(next(iter(problems)))


def test_questions_meet_their_paragraphs_by_number(xquad):
    xquad("en", [("q1", "Who?", "She did."), ("q2", "When?", "In May."), ("q3", " ", "Nowhere.")])
    root, problems = xquad("de", [("q2", "Wann?", "Im Mai."), ("q3", "Wo?", "Nirgends.")]), Problems()
    (found,) = load_judged("set:xquad:en-de:test", "answer", data_dir=root, problems=problems)
    assert [(one.text, other.text) for one, other in zip(found.source, found.target)] == [("When?", "Im Mai.")]
    assert [problem.line for problem in problems] == [1, 3]


@pytest.mark.parametrize(
    ("name", "relation", "message"),
    [
        ("set:stsb_multi:en-fr:dev", "scored", "unknown language pair"),
        ("set:stsb_multi:en-de:tets", "scored", "did you mean 'test'"),
        ("set:stsb_multi:en-de", "scored", "is not set:NAME:LANGS:SPLIT"),
        (
            "set:stsb_multi:en-de:dev",
            "sense",
            "set stsb_multi has no marked words judged for sense; valid here: mcl_wic",
        ),
        ("corpus:tour", "scored", "holds no scored sentence pairs; use a set such as"),
        ("some.tsv", "sense", "holds no marked words judged for sense; use a set such as set:mcl_wic"),
        ("missing.tsv", "scored", "no such file"),
    ],
)
def test_what_is_not_there_is_one_line(stsb, name, relation, message):
    with pytest.raises(InputError, match=message) as caught:
        load_judged(name, relation, data_dir=stsb)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_those_of_the_set_are_one_line(wic, xquad, tmp_path):
    root = wic("no json", [])
    with pytest.raises(InputError, match="is not the JSON of this set"):
        load_judged("set:mcl_wic:en-fr:dev", "sense", data_dir=root)
    wic({"rows": []}, [])
    with pytest.raises(InputError, match="no list"):
        load_judged("set:mcl_wic:en-fr:dev", "sense", data_dir=root)
    wic([wic_row(0)], [])
    with pytest.raises(InputError, match="has no usable row"):
        load_judged("set:mcl_wic:en-fr:dev", "sense", data_dir=root)
    (root / "mcl_wic" / "dev.en-fr.data.gz").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_judged("set:mcl_wic:en-fr:dev", "sense", data_dir=root)
    pack(tmp_path / "xquad" / "xquad.en.json.gz", {"data": [{"paragraphs": [{"qas": [{}]}]}]})
    with pytest.raises(InputError, match="is not the JSON of this set"):
        load_judged("set:xquad:en-en:test", "answer", data_dir=tmp_path)


def test_the_public_sets_have_the_counts_of_their_readme(shared_data):
    problems = Problems()
    (scored,) = load_judged("set:stsb_multi:en-zh:dev", "scored", data_dir=shared_data, problems=problems)
    (sense,) = load_judged("set:mcl_wic:en-ar:test", "sense", data_dir=shared_data, problems=problems)
    (asked,) = load_judged("set:xquad:en-th:test", "answer", data_dir=shared_data, problems=problems)
    assert (len(scored), len(sense), len(asked), len(problems)) == (1500, 1000, 1190, 0)
    assert sum(sense.scores) == 500
    assert len(set(asked.target)) == 240
