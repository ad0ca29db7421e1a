import sys
import threading
import time
import unicodedata
import warnings
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.text import segment as module
from analysis.text.segment import segment, split, split_pretokenised

pytestmark = pytest.mark.fast

# Hangul fillers are letters by category that nobody can see.
FILLERS = "\u115f\u1160\u3164\uffa0"
SENTENCES = [
    ("en", "It's 3.5 o'clock — don't!", ["It's", "3.5", "o'clock", "—", "don't", "!"]),
    ("en", "“awesome!” (1,000.25%)", ["“", "awesome", "!", "”", "(", "1,000.25", "%", ")"]),
    ("fr", "Aujourd’hui\u202f: l’eau\u00a0?", ["Aujourd’hui", ":", "l’eau", "?"]),
    ("zh", "我爱北京天安门。", ["我", "爱", "北京", "天安门", "。"]),
    ("ja", "これは日本語です。", ["これ", "は", "日本語", "です", "。"]),
    ("th", "ภาษาไทยง่าย", ["ภาษา", "ไทย", "ง่าย"]),
    ("km", "ប្រទេសកម្ពុជា", ["ប្រទេស", "កម្ពុជា"]),
    ("hi", "हिन्दी में लिखा है।", ["हिन्दी", "में", "लिखा", "है", "।"]),
    ("ar", "مرحبا بالعالم، كيف؟", ["مرحبا", "بالعالم", "،", "كيف", "؟"]),
    ("ko", "저는 학생입니다.", ["저는", "학생입니다", "."]),
]


def words(text, language="und"):
    return [text[start:end] for start, end in segment(text, language)]


@pytest.mark.parametrize(("language", "text", "expected"), SENTENCES)
def test_words_by_hand(language, text, expected):
    assert words(text, language) == expected


@pytest.mark.parametrize("unit", ["👩‍👩‍👧", "🇩🇪", "👍🏽", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "é", "\U00020000"])
def test_what_looks_like_one_is_one(unit):
    assert words(f"a {unit}, {unit} b") == ["a", unit, ",", unit, "b"]


def test_flags_side_by_side_are_two():
    assert words("🇩🇪🇫🇷") == ["🇩🇪", "🇫🇷"]


def test_offsets_are_code_points_after_astral_characters():
    assert segment("😀😀 ab 😀c", "en") == ((0, 1), (1, 2), (3, 5), (6, 7), (7, 8))


@pytest.mark.parametrize(
    "nothing", ["", " ", "\u200b", "\u202e\u202c", "\ufeff", "\u00ad", "\t\u3000\u00a0", "\u200d", FILLERS]
)
def test_what_nobody_sees_is_no_word(nothing):
    assert words(nothing) == []
    assert words(f"a {nothing} b") == ["a", "b"]


def test_direction_marks_at_the_end_are_outside():
    assert words("\u202eabc\u202c, \u200fשלום\u200f") == ["abc", ",", "שלום"]


def test_a_lone_surrogate_is_a_word_and_moves_nothing():
    assert segment("a\ud800b \udfff😀") == ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6))


any_text = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from("ab1.,' \u200b\u200d\u202e\ufe0f\u0301👩🏽🇩🇪字はกा다ـ\ud83d\ude00\u202f\r\n")
)


def check(spans, text):
    covered = set()
    end_before = 0
    for start, end in spans:
        assert end_before <= start < end <= len(text)
        assert not any(char.isspace() for char in text[start:end])
        covered.update(range(start, end))
        end_before = end
    lost = [at for at, char in enumerate(text) if at not in covered and char.isalnum() and char not in FILLERS]
    assert lost == []


@settings(max_examples=400)
@given(any_text, st.sampled_from(["en", "zh", "ja", "th", "ar", "und", "x!"]))
def test_spans_ascend_and_lose_no_letter(text, language):
    check(segment(text, language), text)


@settings(max_examples=400)
@given(any_text)
def test_the_fallback_keeps_the_same_promises(text):
    with mock.patch.object(module, "_breaker", return_value=None):
        check(segment(text), text)


def test_without_icu_it_warns_once_and_cuts_chinese_by_character(monkeypatch):
    monkeypatch.setitem(sys.modules, "icu", None)
    module._icu.cache_clear()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert words("我爱北京, it's 3.5 हिन्दी 👩‍👩‍👧🇩🇪🇫🇷!") == [
                "我", "爱", "北", "京", ",", "it's", "3.5", "हिन्दी", "👩‍👩‍👧", "🇩🇪", "🇫🇷", "!",
            ]  # fmt: skip
            words("noch einmal")
        assert ["icukit-pyicu" in str(warning.message) for warning in caught] == [True]
    finally:
        module._icu.cache_clear()


@pytest.mark.parametrize(
    "piece",
    ["a", "字", "ก", "👩‍", "!", "\u0301", "🇩", "1.", "a'", " ", "\u202e", "\ud800", "😀a ", "<b>", "ー", "\u200b"],
    ids=lambda piece: ascii(piece),
)
def test_two_hundred_thousand_characters_take_linear_time(piece):
    text = piece * (200_000 // len(piece))
    began = time.perf_counter()
    check_last = segment(text, "ja")
    assert time.perf_counter() - began < 3
    assert all(end <= len(text) for _, end in check_last[-1:])


def test_threads_do_not_share_an_iterator():
    texts = [f"{'слово ' * n}{n}" for n in range(200)]
    expected = [segment(text, "ru") for text in texts]
    wrong = []

    def work():
        wrong.extend(n for n, text in enumerate(texts) if segment(text, "ru") != expected[n])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_segmenter_can_be_replaced():
    sentence = split("abc", "en", segmenter=lambda text, language: ((0, 1), (1, 3)))
    assert sentence.words == ("a", "bc")


@given(st.text())
def test_pretokenised_words_are_those_of_str_split(text):
    sentence = split_pretokenised(text, "en")
    assert sentence.text == text
    assert list(sentence.words) == text.split()


def test_invisible_characters_are_unicodes_default_ignorables():
    # By property: every format character but the visible Arabic, Syriac, Kaithi and hieroglyph signs.
    visible = {chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) == "Cf" and segment(chr(c))}
    assert all(
        "ARABIC" in (name := unicodedata.name(char)) or "SYRIAC" in name or "KAITHI" in name or "EGYPTIAN" in name
        for char in visible
    )
