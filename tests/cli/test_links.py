"""`links` writes one line for each line it reads, and indices always count words."""

import pytest

from analysis.text.pharaoh import parse_links

pytestmark = pytest.mark.fast
PAIRS = [
    "the quick fox ||| el rápido zorro",
    "",
    "lonely side ||| ",
    " ||| nobody",
    "no separator here",
    "the dog ||| el perro",
]


@pytest.mark.parametrize("level", ["word", "subword"])
@pytest.mark.parametrize("decoder", ["argmax", "itermax", "match", "softmax"])
def test_one_line_out_for_each_line_in(isogloss, tiny, write, level, decoder):
    file = write("p.txt", "\n".join(PAIRS) + "\n")
    done = isogloss("links", file, "--encoder", tiny, "--decoder", decoder, "--level", level, "--langs", "en-es")
    assert done.code == 0
    lines = done.out.split("\n")[:-1]
    assert len(lines) == len(PAIRS)
    assert [bool(line) for line in lines][1:5] == [False] * 4
    for pair, line in zip(PAIRS, lines, strict=True):
        if line:
            source, target = (side.split() for side in pair.split("|||"))
            assert parse_links(line).inside(len(source), len(target))
    assert "p.txt:5:" in done.err


def test_identical_sentences_link_word_by_word(isogloss, tiny, write, tmp_path):
    file = write("p.txt", "the quick brown fox ||| the quick brown fox\n")
    done = isogloss("links", file, "--encoder", tiny, "--langs", "en-en", "--out", tmp_path / "l.txt")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "l.txt").read_text() == "0-0 1-1 2-2 3-3\n"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--decoder", "nope"], "unknown decoder 'nope'"),
        (["--level", "letter"], "valid: subword, word"),
        (["--layer", "17"], "valid: 0 to 3"),
        (["--langs", "english"], "english"),
    ],
)
def test_bad_options(isogloss, tiny, write, options, says):
    done = isogloss("links", write("p.txt", "a ||| b\n"), "--encoder", tiny, *options)
    assert done.code == 2
    assert says in done.error


def test_out_must_not_be_a_folder(isogloss, tiny, write, tmp_path):
    done = isogloss("links", write("p.txt", "a ||| b\n"), "--encoder", tiny, "--out", tmp_path)
    assert (done.code, "is a folder" in done.error) == (2, True)


def test_no_usable_row_is_bad_input(isogloss, tiny, write):
    done = isogloss("links", write("p.txt", "nothing\nhere\n"), "--encoder", tiny)
    assert done.code == 2
