"""`compare` from the shell: one table, its formats, its estimate, its failures."""

import csv
import json

import pytest

from tests.cli.test_align import LINKS, PAIRS
from tests.comparison import toys
from tests.comparison.conftest import second_tiny, toy  # noqa: F401

pytestmark = pytest.mark.fast


@pytest.fixture
def compare(cache, isogloss, tiny, second_tiny, toy, write):  # noqa: F811
    """Run compare with two encoders on a file in four languages."""
    table = write("four.tsv", toys.TSV)

    def call(*options, measure="toy_near", encoders=(tiny, second_tiny), data=table):
        named = [part for name in encoders for part in ("--encoder", name)]
        measures = [measure] if isinstance(measure, str) else measure
        asked = [part for name in measures for part in ("--measure", name)]
        return isogloss("compare", *named, *asked, "--data", data, *options)

    return call


def test_the_table_for_people(compare, tiny, second_tiny):  # noqa: F811
    done = compare("--controls", measure=["toy_near", "toy_picky"])
    assert done.code == 0, done.err
    header, *lines = done.out.splitlines()
    assert header.split() == [
        "measure", "data", "encoder", "layer", "score", "interval", "n", "difference", "p", "rank"
    ]  # fmt: skip
    assert len([line for line in lines if line.startswith("toy_near ")]) == 7
    assert "mean of 3" in lines[0]
    assert done.err.splitlines()[0].startswith("42 cells; about ")
    for said in ("difference: against", "Holm", "shuffled: the floor", "random: the architecture", "same: a ceiling to go by",
                 "skipped toy_picky on ", "no Russian today", "unexpected ZeroDivisionError"):  # fmt: skip
        assert said in done.err, said
    again = compare("--controls", measure=["toy_near", "toy_picky"])
    assert again.out == done.out


def test_json_csv_markdown_and_latex(compare, tmp_path):
    told = compare("--json").json
    assert {"request", "entries", "means", "skipped", "command"} <= set(told)
    rows = list(csv.DictReader(compare("--csv").out.splitlines()))
    assert [row["kind"] for row in rows] == ["cell"] * 6 + ["mean"] * 2
    assert "| mean |" in compare("--markdown").out
    assert r"\toprule" in compare("--latex").out
    for ending, start in ((".json", "{"), (".csv", "kind,"), (".md", "### "), (".tex", "% ")):
        path = tmp_path / f"out{ending}"
        done = compare("--out", path)
        assert (done.code, done.out) == (0, "")
        assert path.read_text("utf-8").startswith(start)
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["entries"] == told["entries"]


def test_the_command_in_a_result_gives_the_result(compare, isogloss):
    import shlex

    told = compare("--json", "--layers", "0,3", "--max-rows", "5", "--control", "same", "--langs", "en-it").json
    again = isogloss(*shlex.split(told["command"])[3:], "--json").json
    assert again["entries"] == told["entries"]


def test_settings_for_one_and_for_all(compare):
    told = compare("--json", "--langs", "en-es", "--set", "toy_near.scale=1", "--set", "csls_k=3",
                   measure=["toy_near", "sentence_retrieval score=csls"]).json  # fmt: skip
    assert {entry["settings"] for entry in told["entries"]} == {"scale=1", "score=csls csls_k=3"}
    assert {entry["key"] for entry in told["entries"]} == {"toy_near-scale=1", "sentence_retrieval-score=csls-csls_k=3"}


def test_the_estimate_alone(compare):
    done = compare("--estimate")
    assert done.code == 0
    assert done.out.startswith("6 cells; about ")
    assert toys.CALLS == []
    compare()
    assert compare("--estimate").out == "6 cells, all in the cache\n"


def test_items_behind_each_score(compare, write, tmp_path):
    folder = tmp_path / "items"
    done = compare("--items", folder, "--langs", "en-es", "--links", write("l.txt", LINKS),
                   measure=["word_retrieval", "link_f1"], data=write("p.txt", PAIRS))  # fmt: skip
    assert done.code == 0, done.err
    tables = {path.name.split("--")[0]: path for path in folder.glob("*.csv")}
    assert set(tables) == {"word_retrieval", "link_f1"}
    rows = list(csv.DictReader(tables["word_retrieval"].read_text("utf-8").splitlines()))
    assert {"word", "gold", "found", "error"} <= set(rows[0])
    assert all(bool(row["error"]) != (row["cosine_hit"] == "True") for row in rows)
    assert json.loads((folder / "run.json").read_text())["command"] == "compare"
    assert compare("--items", folder).code == 0
    assert compare("--items", tmp_path).code == 2


def test_a_stopped_run_says_how_it_goes_on(compare, monkeypatch):
    from tests.comparison.test_run import stop_after

    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        done = compare()
    assert (done.code, done.out) == (130, "")
    assert "3 of 6 cells are finished and kept; the same command goes on" in done.error
    toys.CALLS.clear()
    assert compare().code == 0
    assert len(toys.CALLS) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--json", "--csv"], "two formats"),
        (["--out", "x.png"], "says no format"),
        (["--control", "floor"], "unknown control 'floor'"),
        (["--layers", "top"], "--layers 'top'"),
        (["--layers", "99"], "layer 99 does not exist"),
        (["--pool", "max"], "unknown pooling 'max'"),
        (["--correction", "x"], "unknown correction"),
        (["--set", "nope=1"], "unknown setting 'nope'"),
        (["--max-rows", "0"], "max_rows=0"),
        (["--langs", "en-xx"], "xx"),
        (["--links", "a", "--links", "b"], "2 --links for 1 --data"),
    ],
)
def test_bad_usage(compare, options, says):
    done = compare(*options)
    assert (done.code, done.out) == (2, "")
    assert says in done.error


def test_one_encoder_that_is_not_there_and_none_that_is(compare, tiny):
    done = compare(encoders=(tiny, "absent/encoder"))
    assert done.code == 0
    assert "skipped absent/encoder: " in done.err
    assert compare(encoders=("absent/encoder",)).code == 2


def test_p_values_by_benjamini_hochberg(compare):
    holm, bh = (compare("--json", "--correction", how).json["entries"] for how in ("holm", "bh"))
    for one, other in zip(holm, bh, strict=True):
        if one["difference"]:
            assert other["p_adjusted"] <= one["p_adjusted"]
