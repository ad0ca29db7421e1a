"""JSON without NaN, tidy CSV, Markdown and LaTeX that survive any name."""

import csv
import io
import json
import re

import pytest

from analysis.comparison.assemble import assemble
from analysis.comparison.formats import as_dict, to_csv, to_json, to_latex, to_markdown
from analysis.comparison.latex import escape_latex
from analysis.comparison.request import Asked, Control, Request
from analysis.comparison.scores import Skipped
from tests.comparison.toys import cell, result

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("toy")]
ODD = 'a|b, "c"_50%_&_данные.tsv'


@pytest.fixture
def scores():
    """Two encoders with odd names on two languages, one score missing, a floor and something left out."""
    names = ("bundled", "my|folder_&_50%")
    found = []
    for pair, (a, b) in {"en-de": (50.0, 60.0), "en-ru": (40.0, None)}.items():
        for name, score in zip(names, (a, b), strict=True):
            made = result(score, shift=1.0 if name != "bundled" else 0.0)
            found.append((cell(name, f"{ODD} {pair}", data=ODD), made))
    found.append((cell("bundled", f"{ODD} en-de", data=ODD, control=Control.SHUFFLED), result(1.0)))
    request = Request(names, (Asked("toy_near"),), (ODD,), seed=3)
    return assemble(request, found, [Skipped("no word links", "aer", ODD)])


def test_json_has_no_nan_and_says_why_a_score_is_null(scores):
    told = json.loads(to_json(scores))
    assert json.dumps(told, allow_nan=False)
    assert "NaN" not in to_json(scores)
    missing = next(entry for entry in told["entries"] if entry["score"] is None)
    assert (missing["note"], missing["difference"]) == ("no score", None)
    assert told["command"].startswith("python -m analysis compare --encoder bundled")
    assert told["skipped"] == [{"reason": "no word links", "asked": "aer", "data": ODD, "encoder": ""}]
    assert told["request"]["seed"] == 3
    assert told["entries"][1]["difference"]["difference"] == pytest.approx(10.0)
    assert told["ranks"]["toy_near"]["n"] == 1
    assert told == as_dict(scores)


def test_csv_is_tidy_whatever_the_names(scores):
    rows = list(csv.DictReader(io.StringIO(to_csv(scores))))
    assert len(rows) == len(scores.entries) + len(scores.means)
    assert {row["data"] for row in rows} == {ODD}
    assert rows[1]["encoder"] == "my|folder_&_50%"
    assert float(rows[1]["difference"]) == pytest.approx(10.0)
    assert rows[1]["significant"] == "True"
    assert (rows[3]["score"], rows[3]["note"], rows[3]["p"]) == ("", "no score", "")
    assert [row["kind"] for row in rows[-3:]] == ["mean"] * 3
    assert rows[0]["difference"] == ""


def test_markdown_escapes_pipes_and_has_a_caption(scores):
    text = to_markdown(scores)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {5}
    assert r"my\|folder\_&\_50%" in table[3]
    assert "60.0\\* \\[" in table[3] or "60.0* [" in table[3]
    assert "| - |" in table[3]
    for said in ("n = 10", "seed 3", "Holm over 1 test;", "Anything \\| at all", "Shuffled: the floor", "Left out"):
        assert said in text, said


def test_latex_is_escaped_and_bold_only_where_the_test_says_so(scores):
    text = to_latex(scores)
    assert r"my\textbar{}folder\_\&\_50\%" in text
    assert r"{\otherscript " in text
    assert "newfontfamily" in text
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    assert r"\textbf{60.0}* {\scriptsize [" in rows[1]
    assert rows[0].count(r"\textbf") == 0
    assert r"\begin{tabular}{lrrr}" in text
    words = re.sub(r"^%.*\n|\\label\{.*\}", "", text, flags=re.MULTILINE).replace(" & ", " ")
    assert not re.search(r"(?<!\\)[%&_#$]", words)


def test_nothing_is_bold_where_nothing_differs():
    found = [(cell(name), result(50.0)) for name in ("a", "b")]
    text = to_latex(assemble(Request(("a", "b"), (Asked("toy_near"),), ("d",)), found, []))
    assert r"\textbf" not in text
    assert "otherscript" not in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50% of a_b & c#d$e", r"50\% of a\_b \& c\#d\$e"),
        ("{x}\\y~z^", r"\{x\}\textbackslash{}y\textasciitilde{}z\textasciicircum{}"),
        ("Demšar ßø", "Demšar ßø"),
        ("日本語.tsv ok", r"{\otherscript 日本語.tsv} ok"),
        ("ر_x", r"{\otherscript ر\_x}"),
        ("a\n\tb\x07", "a b"),
        ("x --a ---b -c", "x -{}-a -{}-{}-b -c"),
    ],
)
def test_escapes(text, escaped):
    assert escape_latex(text) == escaped


def test_every_layer_has_a_table_of_its_own():
    from tests.comparison.toys import with_layer

    found = [(with_layer(cell("a"), layer), result(50.0)) for layer in (0, 6)]
    text = to_markdown(assemble(Request(("a",), (Asked("toy_near"),), ("d",), layers=(0, 6)), found, []))
    assert re.findall(r"### .*", text) == ["### Toy, near & far on d, layer 0", "### Toy, near & far on d, layer 6"]
