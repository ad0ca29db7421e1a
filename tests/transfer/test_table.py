"""Tables of labelled sentences and pairs: headers, quotes, JSON lines, languages, and what a bad row costs."""

import csv

import pytest

from analysis.errors import InputError
from analysis.registry import find
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.item import Kind
from analysis.transfer.readers.table import read_table
from analysis.transfer.reading import read_all, read_labelled

pytestmark = pytest.mark.fast
GERMAN = "Die Katze sitzt auf dem Tisch und schläft"
ENGLISH = "The weather is very nice this morning"


def read(text, kind=Kind.CLASS, language="en"):
    problems = Problems()
    found = read_table(Source.of(text.encode("utf-8", "surrogateescape"), "t.tsv"), kind, language, problems)
    return found, [str(one) for one in problems]


def rows(text, kind=Kind.CLASS, language="en"):
    (found,), told = read(text, kind, language)
    assert not told
    return [(one.sentence.text, *((one.other.text,) if one.other else ()), one.label) for one in found.items]


@pytest.mark.parametrize("text", [
    "a b\tgood\nc\tbad\n", "text\tlabel\na b\tgood\nc\tbad\n", "Category\tid\tSentence\ngood\t7\ta b\nbad\t8\tc\n",
    "a b,good\nc,bad\n", '"text","label"\n"a b","good"\nc,bad\n', "\ufefftext\tlabel\r\na b\tgood\r\n\r\nc\tbad",
    '{"label": "good", "text": "a b"}\n{"text": "c", "label": "bad", "more": [1]}\n',
])  # fmt: skip
def test_one_table_in_many_forms(text):
    assert rows(text) == [("a b", "good"), ("c", "bad")]


def test_pairs_and_scores():
    assert rows("a\tb\tyes\nc\td\tno\n", Kind.PAIR) == [("a", "b", "yes"), ("c", "d", "no")]
    assert rows("label\thypothesis\tpremise\nyes\tb\ta\n", Kind.PAIR) == [("a", "b", "yes")]
    assert rows("a\tb\t3.5\nc\td\t-1e1\n", Kind.SCORE) == [("a", "b", 3.5), ("c", "d", -10.0)]
    assert rows('{"text": "a", "text2": "b", "score": 2}\n', Kind.SCORE) == [("a", "b", 2.0)]


def test_of_two_columns_that_fit_the_usual_name_counts():
    text = "score\tlabel\tcontent\ttext\ttext2\n4\tx\tnot this\ta\tb\n"
    assert rows(text, Kind.PAIR) == [("a", "b", "x")]
    assert rows(text, Kind.SCORE) == [("a", "b", 4.0)]


def test_csv_quotes_and_the_line_a_row_begins_at():
    text = 'text,label\n"a, ""b""\nand c",good\n\n\nshort\nd,bad\n"e" f,bad\n,bad\ng,good\n'
    (found,), told = read(text)
    assert [(one.sentence.text, one.where, one.id) for one in found.items] == [
        ('a, "b"\nand c', "t.tsv:2", "2"), ("d", "t.tsv:7", "7"), ("g", "t.tsv:10", "10")
    ]  # fmt: skip
    told.sort()
    assert [one.split(": ")[1] for one in told] == ["t.tsv:6", "t.tsv:8", "t.tsv:9"]
    assert "1 column(s) where 2 are needed" in told[0]
    assert "not CSV" in told[1]
    assert "empty text or label" in told[2]


def test_a_quote_that_never_closes_is_told_and_not_a_traceback():
    (found,), told = read('a,good\nb,bad\n"c,good\nd,bad\n')
    assert [one.sentence.text for one in found.items] == ["a", "b"]
    assert len(told) == 1
    assert told[0].startswith("warning: t.tsv:3: not CSV")
    csv.field_size_limit(2**31 - 1)  # as another reader of the process leaves it
    (found,), told = read('a,good\n"' + "x" * 200_000 + '",bad\nb,bad\n')
    assert [one.sentence.text for one in found.items] == ["a", "b"]
    assert "field larger" in told[0]


def test_bad_rows_name_their_lines_and_cost_nothing_else():
    (found,), told = read("a\tgood\n\nonly\n \tgood\nb\t\nc\tbad\textra\n")
    assert [(one.sentence.text, one.where) for one in found.items] == [("a", "t.tsv:1"), ("c", "t.tsv:6")]
    assert [one.split(": ")[1] for one in told] == ["t.tsv:3", "t.tsv:4", "t.tsv:5"]
    (found,), told = read("a\tb\t1\na\tb\tnan\na\tb\tmany\n", Kind.SCORE)
    assert len(found) == 1
    assert [one.split(": ", 2)[1:] for one in told] == [
        ["t.tsv:2", "the score 'nan' is no finite number; the row is left out"],
        ["t.tsv:3", "the score 'many' is no finite number; the row is left out"],
    ]  # fmt: skip
    (found,), told = read('{"text": "a", "label": "x"}\n{"text": \n[1]\n{"text": "b"}\n{"text": null, "label": "x"}\n')
    assert len(found) == 1
    assert [one.split(": ")[1] for one in told] == ["t.tsv:2", "t.tsv:3", "t.tsv:4", "t.tsv:5"]


def test_a_line_that_is_not_utf8_keeps_the_numbers_of_the_others():
    many = "".join(f"row {n},x\n" for n in range(150))
    (found,), told = read(f"{many}\udcff,x\nlast,x\n")
    assert found.items[-1].where == "t.tsv:152"
    assert len(told) == 1


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [("text\tutterance_class\na\tb\n", Kind.CLASS, "without a column 'label': text, utterance_class; valid: label, category"),
     ("utterance\tlabel\na\tb\nc\td\n", Kind.CLASS, "without a column 'text'"),
     ("text\tlabel\na\tb\n", Kind.PAIR, "without a column 'text2'"),
     ("text\tother\tvalue\na\tb\t1\n", Kind.SCORE, "without a column 'label'"),
     ("a b\nc d\n", Kind.CLASS, "t.tsv:1: 1 column.s. where 2 are needed"),
     ("a\tb\n", Kind.PAIR, "2 column.s. where 3 are needed"),
     ("text\tlabel\n", Kind.CLASS, "no usable row"), ("\n\n", Kind.CLASS, "no usable row"),
     ("", Kind.CLASS, "is empty"), ("a\t\n", Kind.CLASS, "no usable row")],
)  # fmt: skip
def test_refusals_are_one_line(text, kind, message):
    with pytest.raises(InputError, match=message) as error:
        read(text, kind)
    assert "\n" not in str(error.value)


def test_a_text_that_is_called_as_a_column_is_no_header_where_its_label_is_one():
    assert rows("Review\tgood\na\tgood\n") == [("Review", "good"), ("a", "good")]
    assert rows("tweet\tb\t3\na\tb\t1\n", Kind.SCORE)[0] == ("tweet", "b", 3.0)


def test_a_language_column_and_shared_ids():
    text = "id\tlang\ttext\tlabel\n7\ten\ta\tx\n7\tzh_hant\tb\tx\n8\ten\tc\ty\n8\tgsw\td\ty\n9\t?!\te\tx\n"
    found, told = read(text, language=None)
    assert [(one.language, [item.id for item in one.items]) for one in found if one.language != "und"][:3] == [
        ("en", ["7", "8"]), ("zh-Hant", ["7"]), ("gsw", ["8"])
    ]  # fmt: skip
    assert len(told) == 1
    assert told[0].startswith("warning: t.tsv:6: '?!' is not a language code")
    (found,), _ = read(text, language="de")
    assert {one.sentence.language for one in found.items} == {"de"}


def test_rows_that_say_no_language_are_in_that_of_most_of_them():
    text = f"{GERMAN}\tx\nVielleicht regnet es morgen wieder\ty\nok\tx\nNo\ty\n"
    (found,), _ = read(text, language=None)
    assert (found.language, len(found)) == ("de", 4)


def test_a_file_says_its_language_on_the_command_line(tmp_path):
    task = find("tasks", "topics")
    path = tmp_path / "a.tsv"
    path.write_text(f"{ENGLISH}\tx\n{ENGLISH}!\ty\n", "utf-8")
    assert [one.language for one in read_labelled(str(path), task)] == ["en"]
    (found,) = read_labelled(f"{path}:sw", task)
    assert (found.language, found.items[0].sentence.language) == ("sw", "sw")
    with pytest.raises(InputError, match="not a language code"):
        read_labelled(f"{path}:nolanguage?", task)
    with pytest.raises(InputError, match="no such file"):
        read_labelled(str(tmp_path / "b.tsv"), task)


def test_two_files_of_one_language_are_joined_and_a_bad_one_costs_only_itself(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tsv").write_text(f"{name}\tx\n", "utf-8")
    names = [f"{tmp_path}/a.tsv:en", f"{tmp_path}/none.tsv:en", f"{tmp_path}/b.tsv:en"]
    (found,), failed = read_all(names, find("tasks", "topics"), problems=Problems())
    assert [one.sentence.text for one in found.items] == ["a", "b"]
    assert len({one.id for one in found.items}) == 2
    assert len(failed) == 1
    assert "none.tsv" in failed[0]


def test_the_keys_of_json_are_no_row():
    lines = "".join(f'{{"utterance": "text {n}", "target": "x"}}\n' for n in range(3))
    with pytest.raises(InputError, match="has a header without a column 'text': utterance, target"):
        read(lines)


def test_half_a_surrogate_pair_costs_its_row():
    lines = (
        '{"text": "good", "label": "x"}\n{"text": "bad \\ud800", "label": "x"}\n{"text": "too", "label": "\\udc00"}\n'
    )
    found, problems = read(lines)
    assert [item.sentence.text for item in found[0].items] == ["good"]
    assert ["t.tsv:2:" in problems[0], "t.tsv:3:" in problems[1]] == [True, True]


def test_what_is_named_twice_counts_once(tmp_path):
    one, other = tmp_path / "a.tsv", tmp_path / "b.tsv"
    one.write_text("good\tx\nbad\ty\n")
    other.write_text("good\tx\nnew\ty\n")
    problems = Problems()
    found, failed = read_all([f"{one}:en", f"{one}:en", f"{other}:en"], find("tasks", "topics"), problems=problems)
    assert not failed
    assert [item.sentence.text for item in found[0].items] == ["good", "bad", "new"]
    assert len({item.id for item in found[0].items}) == 3
    assert "1 items are in" in str(next(iter(problems)))


def test_pairs_in_two_languages_need_one_label():
    from analysis.text.corpus import Sentence
    from analysis.transfer.item import Dataset, Item
    from analysis.transfer.mixed import mixed_pairs

    def data(tag, labels):
        text = lambda name: Sentence.from_words([name], tag)
        return Dataset(tag, tag, tuple(Item(str(n), text("a"), one, text("b")) for n, one in enumerate(labels)))

    problems = Problems()
    found = mixed_pairs([data("en", "xyz"), data("de", "xzz")], "en", problems)
    assert [(one.language, [item.label for item in one.items]) for one in found] == [
        ("en+de", ["x", "z"]),
        ("de+en", ["x", "z"]),
    ]
    assert "1 of 3 items have another label" in str(next(iter(problems)))
