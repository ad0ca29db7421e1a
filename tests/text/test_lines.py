import gzip
import io
import sys

import pytest

from analysis.errors import InputError
from analysis.text import lines as module
from analysis.text.lines import Source, read_lines, split_lines
from analysis.text.problems import Problem, Problems, excerpt

pytestmark = pytest.mark.fast


def read(value, problems=None):
    return list(read_lines(value, problems=Problems() if problems is None else problems))


def test_a_line_ends_at_newline_and_nothing_else():
    data = "a\rb\x0bc\x0cd\x85e\u2028f\u2029g\x1ch\r\nzwei\n\ndrei\r".encode()
    assert read(data) == ["a\rb\x0bc\x0cd\x85e\u2028f\u2029g\x1ch", "zwei", "", "drei\r"]


def test_split_lines_agrees_with_read_lines():
    for text in ("a\nb", "a\nb\n", "a\r\n\r\nb", "\n", "a\r", "x\u2028y\n\n"):
        assert split_lines(text) == read(text.encode())


def test_byte_order_mark_and_gzip_are_taken_off(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress("\ufeffeins\nzwei\n".encode()))
    assert read(path) == ["eins", "zwei"]
    assert Source.of(path).head(7) == "\ufeffeins".encode()


def test_bad_bytes_are_none_and_a_problem():
    problems = Problems()
    data = b"good\n" * 199 + b"b\xe4d\n"
    assert read(data, problems)[198:] == ["good", None]
    assert [str(problem) for problem in problems] == [
        "warning: uploaded text:200: not UTF-8 (byte 0xe4 at 1); the line is left out"
    ]


@pytest.mark.parametrize(
    ("good", "bad", "accepted"), [(99, 1, True), (98, 1, False), (49, 1, False), (198, 2, True), (197, 3, False)]
)
def test_more_than_one_percent_is_bad_input(good, bad, accepted):
    data = b"x\n" * good + b"\xff\n" * bad
    if accepted:
        assert read(data).count(None) == bad
    else:
        with pytest.raises(InputError, match=f"{bad} of {good + bad} lines"):
            read(data)


@pytest.mark.parametrize("data", [b"a\0b", b"a\nb\0", "hello".encode("utf-16"), b"\xff\xfe\x00"])
def test_a_nul_byte_is_bad_input(data):
    with pytest.raises(InputError, match="NUL"):
        read(data)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])  # No clock in a test name
def test_nothing_is_bad_input(data):
    with pytest.raises(InputError, match="empty"):
        read(data)


def test_unreadable_files_say_so(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="file name"):
        read("a\0b")
    with pytest.raises(InputError):
        read("x" * 5000)
    with pytest.raises(InputError, match=r"a\?b\?"):
        read("a\nb\udcff")


@pytest.mark.parametrize("cut", [5, 15, -4])
def test_a_broken_gzip_file_is_bad_input(cut):
    with pytest.raises(InputError, match="gzip"):
        read(gzip.compress(b"line\n" * 100)[:cut])


def test_a_gzip_bomb_is_stopped(monkeypatch):
    monkeypatch.setattr(module, "MAX_UNPACKED", 1000)
    for bomb in (b"x" * 5000, b"x\n" * 5000):
        with pytest.raises(InputError, match="unpacks to more"):
            read(gzip.compress(bomb))


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("é\nb".encode())))
    source = Source.of("-")
    assert read(source) == read(source) == ["é", "b"]


def test_problems_count_beyond_what_they_keep():
    seen = []
    problems = Problems(echo=seen.append, limit=2)
    for line in range(5):
        problems.add("f", line, "m")
    assert (len(problems), list(problems), len(seen)) == (5, [Problem("f", 0, "m"), Problem("f", 1, "m")], 5)


@pytest.mark.parametrize("text", ["a\nb", "\ud800", "\u202ex", "x" * 500, "\x1b[31m"])
def test_excerpts_are_one_short_printable_line(text):
    shown = excerpt(text)
    assert shown.isprintable()
    assert len(shown) < 60
    shown.encode("utf-8")
