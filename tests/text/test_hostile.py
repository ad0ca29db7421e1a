"""Whatever bytes or characters come in: a result, a problem or one InputError, never anything else."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.registry import registered
from analysis.text.bitexts import file_bitexts
from analysis.text.lines import Source
from analysis.text.load import read_corpus, read_pairs, read_sentences
from analysis.text.problems import Problems
from analysis.text.sniff import sniff
from analysis.text.uploads import parse_my_text
from analysis.text.validate import report

pytestmark = pytest.mark.fast
pieces = st.sampled_from(
    [
        "en",
        "de",
        "\t",
        ",",
        ";",
        '"',
        " ||| ",
        "|||",
        "\n",
        "\r",
        "\r\n",
        "0-0",
        "1p9",
        "{",
        "}",
        '{"en": "a"}',
        "[",
        "<tmx>",
        "<tu>",
        "<seg>",
        "\u2028",
        "\ufeff",
        "\u200b",
        "\u202e",
        "<b>",
        "1\ta\t",
        "a b",
        "字",
        "👩‍👩‍👧",
        "#",
        "=",
        "_",
        ".",
        " ",
    ]
)
texts = st.lists(pieces, max_size=40).map("".join)
blobs = texts.map(str.encode) | st.binary(max_size=60)


@settings(max_examples=200, deadline=None)
@given(blobs, st.sampled_from(sorted(registered("readers"))))
def test_any_reader_on_any_bytes(data, reader):
    with suppress(InputError):
        corpus = read_corpus([Source.of(data, "x")], reader=reader)
        report(corpus)
    assert sniff("x", data) in registered("readers")


@settings(max_examples=200, deadline=None)
@given(blobs)
def test_places_are_kept_on_any_bytes(data):
    lines = data.split(b"\n")
    count = len(lines) - (lines[-1] == b"")
    for read in (read_pairs, read_sentences):
        with suppress(InputError):
            assert len(read(data)) == count


@settings(max_examples=200, deadline=None)
@given(blobs, texts)
def test_bitexts_of_any_bytes(data, links):
    for given_links in (None, links.encode()):
        with suppress(InputError):
            for bitext in file_bitexts(Source.of(data, "x"), None, given_links, False, Problems()):
                assert len(bitext) > 0
                pairs = zip(bitext.source, bitext.target, bitext.links or (), strict=bitext.links is not None)
                assert all(one.inside(len(left.spans), len(right.spans)) for left, right, one in pairs)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=())) | texts)
def test_any_text_can_be_pasted(text):
    with suppress(InputError):
        corpus, _ = parse_my_text(text)
        report(corpus)


@pytest.mark.parametrize(
    "line", ["x" * 200_000, "字 ||| " * 40_000, "a\t" * 100_000, '"' * 200_000, "{" * 200_000, " " * 200_000]
)
def test_long_lines_take_linear_time(line):
    began = time.perf_counter()
    for reader in registered("readers"):
        with suppress(InputError):
            read_corpus([Source.of(f"en\tde\n{line}\n".encode(), "x")], reader=reader)
    for read in (read_pairs, read_sentences):
        with suppress(InputError):
            read(f"a ||| b\n{line}".encode())
    assert time.perf_counter() - began < 10
