"""Words to click and words marked: unique labels, escaped text, both directions."""

import re

import pytest

from analysis.text.corpus import Sentence
from analysis.text.segment import split
from pages._parts.encode import names
from pages._parts.words import sentence_html, unique_labels

pytestmark = pytest.mark.fast


def test_repeated_words_get_labels_that_differ_but_look_the_same():
    labels = unique_labels(["the", "cat", "the", "the", "*x*"])
    assert len(set(labels)) == 5
    assert [label.replace("\u2060", "") for label in labels[:4]] == ["the", "cat", "the", "the"]
    assert labels[4] == r"\*x\*"
    assert len(unique_labels(["a" * 500])[0]) == 40


def test_a_sentence_is_escaped_marked_and_isolated():
    sentence = split("<b>bold</b> & \u202eevil", "en")
    shown = sentence_html(sentence, sentence.words.index("bold"))
    assert "<b>" not in shown.replace("<bdi>", "")
    assert re.search(r"&lt;b&gt;<mark[^>]*>bold</mark>&lt;/b&gt; &amp;", shown)
    assert shown.count("<bdi>") == shown.count("</bdi>") == 1


def test_right_to_left_and_huge_sentences():
    assert 'dir="rtl"' in sentence_html(split("جلسنا على ضفة", "ar"), 0)
    huge = Sentence.from_words(["word"] * 50_000)
    shown = sentence_html(huge, 40_000)
    assert len(shown) < 1500
    assert shown.count("…") == 2


def test_folders_go_by_their_last_part_unless_both_have_it():
    assert names("/a/b/xlmr", "bundled") == ("xlmr", "bundled")
    assert names("/a/xlmr", "/b/xlmr") == ("/a/xlmr", "/b/xlmr")
    assert names("hub:org/name", "hub:org/name") == ("hub:org/name", "hub:org/name")
