"""`embed` keeps its contract to the letter."""

import json

import numpy as np
import pyarrow.parquet
import pytest

pytestmark = pytest.mark.fast
COLUMNS = ["sentence", "position", "text", "start", "end", "language", "truncated"]


@pytest.fixture
def embed(isogloss, tiny, tmp_path):
    """Run embed and read what it wrote."""

    def call(file, *options, out="out", encoder=tiny):
        done = isogloss("embed", file, "--encoder", encoder, "--out", tmp_path / out, *options)
        if done.code:
            return done, None, None, None
        folder = tmp_path / out
        table = pyarrow.parquet.read_table(folder / "units.parquet").to_pydict()
        return done, np.load(folder / "vectors.npy"), table, json.loads((folder / "run.json").read_text())

    return call


def test_words_lines_and_offsets(embed, write):
    text = "the quick fox\r\n\n  a\u2028b \x0b c\rd\nthe  dog\n"
    _, vectors, table, run = embed(write("t.txt", text), "--lang", "en")
    assert list(table) == COLUMNS
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, len(table["text"]), 16)
    lines = ["the quick fox", "", "  a\u2028b \x0b c\rd", "the  dog"]
    assert set(table["sentence"]) == {0, 2, 3}
    for sentence, word, start, end in zip(*(table[c] for c in ("sentence", "text", "start", "end")), strict=True):
        assert lines[sentence][start:end] == word
    for sentence in (0, 2, 3):
        positions = [p for s, p in zip(table["sentence"], table["position"], strict=True) if s == sentence]
        assert positions == list(range(len(positions)))
    assert run["command"] == "embed"
    assert run["lines"] == 4


def test_layers_are_ascending_whatever_the_order_asked(embed, write):
    file = write("t.txt", "the quick fox\n")
    _, every, _, _ = embed(file, out="all")
    _, some, _, run = embed(file, "--layers", "3,0,3", out="some")
    assert run["layers"] == [0, 3]
    np.testing.assert_array_equal(some, every[[0, 3]])


def test_sentences_have_position_zero(embed, write):
    _, vectors, table, _ = embed(write("t.txt", "one two\n\nthree\n"), "--unit", "sentence")
    assert table["sentence"] == [0, 2]
    assert table["position"] == [0, 0]
    assert table["text"] == ["one two", "three"]
    assert (table["start"], table["end"]) == ([0, 0], [7, 5])
    assert vectors.shape[1] == 2


def test_pretokenized_words_are_those_of_str_split(embed, write, tiny_folders):
    bert = tiny_folders["bert"]
    line = "  the \t quick, \u200b ||| fox  "
    _, vectors, table, _ = embed(write("t.txt", line + "\n"), "--pretokenized", "--lang", "en", encoder=bert)
    assert table["text"] == line.split()
    assert [line[a:b] for a, b in zip(table["start"], table["end"], strict=True)] == line.split()
    spaced = write("j.txt", " ".join(line.split()) + "\n")
    _, joined, _, _ = embed(spaced, "--pretokenized", "--lang", "en", out="j", encoder=bert)
    np.testing.assert_array_equal(vectors, joined)
    assert not vectors[:, table["text"].index("\u200b")].any(), "a word without subwords is a row of zeros"


def test_a_long_line_is_windowed_and_said(embed, write):
    done, vectors, table, run = embed(write("t.txt", "the quick fox " * 60 + "\nshort\n"), "--lang", "en")
    assert np.isfinite(vectors).all()
    assert table["truncated"] == [s == 0 for s in table["sentence"]]
    assert run["truncated"] == 1
    assert "overlapping windows" in done.err


def test_out_is_made_accepted_replaced_or_refused(embed, write, tmp_path):
    file = write("t.txt", "the fox\n")
    (tmp_path / "empty").mkdir()
    for out in ("deep/er", "empty", "empty"):
        done, *_ = embed(file, out=out)
        assert done.code == 0
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.doc").write_text("mine")
    done, *_ = embed(file, out="foreign")
    assert done.code == 2
    assert "not empty" in done.error
    assert (tmp_path / "foreign" / "thesis.doc").read_text() == "mine"
    done, *_ = embed(file, out="t.txt")
    assert done.code == 2
    assert "is a file" in done.error


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n \n", "no line with text"),
        (b"a\0b\n", "NUL"),
        (b"ok\n\xff\xfe\n", "UTF-8"),
    ],
)
def test_bad_files_are_bad_input_and_leave_nothing(embed, write, tmp_path, content, says):
    done, *_ = embed(write("t.txt", content))
    assert done.code == 2
    assert says in done.error
    assert not (tmp_path / "out").exists()


def test_one_undecodable_line_in_many_is_a_warning(embed, write):
    done, _, table, run = embed(write("t.txt", b"the fox\n" * 150 + b"\xff\n" + b"the dog\n"), "--lang", "en")
    assert done.code == 0
    assert "t.txt:151:" in done.err
    assert done.err.count("warning:") == 1
    assert 150 not in table["sentence"]
    assert table["sentence"][-1] == 151
    assert len(run["problems"]) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--layers", "9"], "valid: 0 to 3"),
        (["--layers", "x"], "not a list of layers"),
        (["--pool", "max"], "pool"),
        (["--unit", "page"], "valid: word, sentence"),
        (["--lang", "not a tag"], "not a tag"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_bad_options(embed, write, options, says):
    done, *_ = embed(write("t.txt", "the fox\n"), *options)
    assert done.code == 2
    assert says in done.error


def test_missing_file_and_encoder(embed, write):
    done, *_ = embed("absent.txt")
    assert (done.code, "absent.txt" in done.error) == (2, True)
    done, *_ = embed(write("t.txt", "a\n"), encoder="nope")
    assert (done.code, "unknown encoder 'nope'" in done.error) == (2, True)


def test_cached_and_uncached_are_the_same(embed, write, cache):
    file = write("t.txt", "the quick fox\n")
    _, fresh, _, _ = embed(file, "--no-cache", out="a")
    assert not (cache / "vectors").exists()
    _, first, _, _ = embed(file, out="b")
    _, again, _, _ = embed(file, out="c")
    assert (cache / "vectors").exists()
    np.testing.assert_array_equal(fresh, first)
    np.testing.assert_array_equal(first, again)
