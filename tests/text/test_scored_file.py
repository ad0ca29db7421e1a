"""Files of scored pairs: tables and JSON lines, whole and broken."""

import pytest

from analysis.errors import InputError
from analysis.text.judged import load_judged
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.text.scored_file import read_scored

pytestmark = pytest.mark.fast


def read(content, langs=None):
    """The bitexts and the problems of a file in memory."""
    problems = Problems()
    return read_scored(Source.of(content.encode(), "file"), langs, problems), problems


def rows(bitext):
    """Both texts and the score of each row."""
    return [(a.text, b.text, score) for a, b, score in zip(bitext.source, bitext.target, bitext.scores)]


def test_a_table_of_two_languages():
    (found,), problems = read("en\tde\tscore\na b\tc d\t1.5\n\nx\ty\t-2e-1\n")
    assert (found.languages, found.relation, found.row_ids) == (("en", "de"), "scored", ("2", "4"))
    assert rows(found) == [("a b", "c d", 1.5), ("x", "y", -0.2)]
    assert found.source[0].words == ("a", "b")
    assert not len(problems)


@pytest.mark.parametrize(
    "content", ['en,de,score\n"a, b",c,1\n', 'score;en;de\n1;"a, b";c\n', "en\tx\tde\tscore\na, b\t\tc\t1\n"]
)
def test_commas_semicolons_tabs_and_other_columns(content):
    (found,), problems = read(content)
    assert rows(found) == [("a, b", "c", 1.0)]
    assert not len(problems)


def test_source_and_target_are_named_by_langs():
    (found,), _ = read("source\ttarget\tscore\na\tb\t1\n", ("en", "en"))
    assert (found.languages, rows(found)) == (("en", "en"), [("a", "b", 1.0)])
    with pytest.raises(InputError, match="source and target are with --langs A-B"):
        read("source\ttarget\tscore\na\tb\t1\n")


def test_one_language_twice_and_sides_turned_round():
    (found,), _ = read("en\ten\tscore\na\tb\t1\n")
    assert (found.languages, rows(found)) == (("en", "en"), [("a", "b", 1.0)])
    (found,), _ = read("en\tde\tscore\na\tb\t1\n", ("de", "en"))
    assert (found.languages, rows(found)) == (("de", "en"), [("b", "a", 1.0)])


def test_of_more_languages_english_with_each_other():
    found, problems = read("de\ten\tfr\tscore\na\tb\tc\t1\nd\te\t\t2\n")
    assert [one.languages for one in found] == [("en", "de"), ("en", "fr")]
    assert [len(one) for one in found] == [2, 1]
    assert [str(one) for one in problems] == ["warning: file:3: no text on the target side of en-fr; left out"]


def test_a_column_of_row_names_is_not_indonesian():
    (found,), _ = read("id\ten\tde\tscore\ns-1\ta\tb\t1\n")
    assert found.languages == ("en", "de")
    found, _ = read("id\ten\tscore\nhalo dunia\ta\t1\n")
    assert found[0].languages == ("id", "en")


def test_json_lines_in_any_order():
    lines = ['{"en": "no score"}', '{"en": "a", "de": "b", "score": 3}', '{"score": "0.5", "de": "d", "en": "c"}',
             '{"en": "e", "de": "f", "score": true}', "[1]", "{broken", '{"en": 3, "de": "f", "score": 1}']  # fmt: skip
    (found,), problems = read("\n".join(lines))
    assert rows(found) == [("a", "b", 3.0), ("c", "d", 0.5)]
    assert sorted(problem.line for problem in problems) == [1, 4, 5, 6, 7]


def test_bad_rows_are_warnings_with_their_line():
    bad = ["x\ty\tnan", "x\ty\tinf", "x\ty\tgood", "x\ty\t", "x\ty", "x\ty\t1\t2", "\ty\t1", "x\t \t1"]
    (found,), problems = read("\n".join(["en\tde\tscore", *bad, "a\tb\t1"]))
    assert rows(found) == [("a", "b", 1.0)]
    assert sorted(problem.line for problem in problems) == list(range(2, 10))
    (found,), problems = read('en,de,score\n"never closed,b,1\na,b,1\n')
    assert len(found) == len(problems) == 1


@pytest.mark.parametrize(
    ("content", "langs", "message"),
    [
        ("en\tde\na\tb\n", None, "no column score"),
        ("score\n1\n", None, "fewer than two languages"),
        ("en\tscore\na\t1\n", None, "fewer than two languages"),
        ("en\tde\tscore\na\tb\t1\n", ("en", "fr"), "unknown language of file 'fr'; valid: de, en"),
        ("en\tde\tscore\na\tb\t1\n", ("en", "en"), "unknown language of file 'en'"),
        ("en\tde\tscore\na\tb\tbad\n", None, "no usable row"),
        ("en\tde\tscore\n", None, "no usable row"),
        ("\n\n", None, "has no text"),
        ('{"en": "a", "de": "b"}\n', None, "no column score"),
        ("{", None, "no column score"),
        ("", None, "is empty"),
    ],
)
def test_what_is_no_such_file_is_one_line(content, langs, message):
    with pytest.raises(InputError, match=message) as caught:
        read(content, langs)
    assert "\n" not in str(caught.value)


def test_a_path_is_judged_data(tmp_path):
    path = tmp_path / "quality.tsv"
    path.write_text("en\tde\tscore\na\tb\t0.25\nc\td\t0.5\n", "utf-8")
    (found,) = load_judged(str(path), "scored")
    assert (found.name, found.scores) == (str(path), (0.25, 0.5))
