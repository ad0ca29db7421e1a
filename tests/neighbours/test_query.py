"""Typed words and sentences, cut sentences, and the headline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.neighbours.query import Move, cut_around, describe_word, read_query, tell_moves
from analysis.text.corpus import Sentence

pytestmark = pytest.mark.fast


def test_the_bracketed_word_is_the_query():
    query = read_query("The river [bank] is steep.", "en")
    assert query.sentence.text == "The river bank is steep."
    assert query.sentence.words[query.position] == "bank"


def test_one_word_needs_no_mark_and_several_do():
    assert read_query("  bank ", "en").position == 0
    assert read_query("the bank", "en").position is None


def test_right_to_left_and_unspaced_scripts():
    arabic = read_query("جلسنا على [ضفة] النهر.", "ar")
    assert arabic.sentence.words[arabic.position] == "ضفة"
    chinese = read_query("老师在[银行]开了账户。", "zh")
    assert chinese.sentence.words[chinese.position] == "银行"


@pytest.mark.parametrize("text", ["", "   ", "[ ]", "\u202e"])
def test_nothing_typed_is_one_line(text):
    with pytest.raises(InputError, match="no word found"):
        read_query(text, "en")


def test_a_huge_text_is_refused():
    with pytest.raises(InputError, match="at most 2,000"):
        read_query("a " * 2000, "en")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        query = read_query(text, "und")
    except InputError:
        return
    assert query.sentence.spans
    assert query.position is None or 0 <= query.position < len(query.sentence.spans)


@given(st.integers(0, 500), st.integers(1, 300), st.integers(0, 400), st.integers(10, 150))
def test_a_cut_sentence_keeps_its_word(before, length, after, width):
    text = "a" * before + "W" * length + "b" * after
    shown, start, end = cut_around(text, before, before + length, width=width)
    assert shown[start:end] == "W" * min(length, width if len(text) > width else length)
    assert len(shown) <= max(width, min(length, width)) + 2
    assert shown.strip("…") in text


def sentence(senses):
    plain = Sentence.from_words(["bank", "x"], "en")
    return Sentence(plain.text, "en", plain.spans, (1, 0), senses)


def test_a_word_is_told_with_its_sense():
    assert describe_word(sentence(("bank (river)", "")), 0) == "bank (river)"
    assert describe_word(sentence(("shore", "")), 0) == "bank (shore)"
    assert describe_word(sentence(("key (lock)", "")), 0) == "bank, key (lock)"
    assert describe_word(sentence(("bank", "")), 0) == "bank"
    assert describe_word(sentence(()), 1) == "x"


def test_the_headline_tells_the_greatest_move():
    moves = [Move("ru", 7, 1, 400), Move("es", 1, 1, 500), Move("zh", 2, 4, 300)]
    told = tell_moves("bank (river)", moves, "bundled", "other")
    assert told.startswith("bank (river): the Russian translation moves from rank 7 to rank 1")
    assert told.endswith("of 3 languages 1 come nearer, 1 fall back")
    assert tell_moves("bank", moves[:1], "a", "b") == "bank: the Russian translation moves from rank 7 to rank 1"


def test_the_headline_when_nothing_moves_or_is_known():
    still = [Move("ru", 1, 1, 9), Move("es", 1, 1, 9)]
    assert tell_moves("bank", still, "a", "b") == "bank: the translations in 2 languages stay at rank 1 in b"
    assert tell_moves("bank", still, "a", "a") == "bank: a finds its translation first in 2 of 2 languages"
    assert "no true translation" in tell_moves("bank", [Move("ru", None, None, 9)], "a", "b")
