"""Text from users on a page: shown as it is, never run."""

import pytest

from pages._parts import chrome

pytestmark = pytest.mark.fast


def test_plain_text_means_nothing_to_markdown():
    shown = chrome.plain("<b>x</b> ![i](http://a.b/c.png) $x^2$ :red[y] `z`\nnext \ud800")
    for mark in ("<", ">", "[", "]", "(", ")", "!", "$", ":", "`"):
        assert all(shown[at - 1] == "\\" for at, char in enumerate(shown) if char == mark)
    assert "\n" not in shown
    assert "\ud800" not in shown


def test_a_marked_word_is_escaped_and_runs_its_own_way():
    shown = chrome.marked("a <i> & <script>", 2, 5, "en")
    assert 'dir="auto"' in shown
    assert 'lang="en"' in shown
    assert "&lt;i&gt;</mark>" in shown
    assert "<script>" not in shown
    assert "&amp;" in shown
    assert "<mark" not in chrome.marked("nothing", 0, 0)


@pytest.mark.parametrize(
    ("value", "better_high", "expected"),
    [
        (4.84, True, ":green-badge[+4.8]"),
        (-1.25, True, ":red-badge[−1.2]"),
        (-1.25, False, ":green-badge[−1.2]"),
        (0.04, True, ":gray-badge[±0.0]"),
        (None, True, ":gray-badge[–]"),
        (float("nan"), True, ":gray-badge[–]"),
    ],
)
def test_a_chip_is_signed_and_coloured_by_what_is_better(value, better_high, expected):
    assert chrome.chip(value, better_high=better_high) == expected


def test_a_sample_is_said_on_screen():
    assert chrome.sample_line(5, 5) == ""
    assert chrome.sample_line(1486, 3612).startswith("A sample: 1,486 of 3,612")
