import time

import pytest

from analysis.registry import find
from analysis.text.corpus import Corpus
from analysis.text.problems import Problem
from analysis.text.scripts import count_scripts, fits_script
from analysis.text.segment import split
from analysis.text.validate import report

pytestmark = pytest.mark.fast


def corpus(*rows, unit="sentence"):
    sentences = tuple({tag: split(text, tag) for tag, text in row.items()} for row in rows)
    return Corpus("x", "x", sentences, tuple(f"r{n}" for n in range(len(rows))), unit=unit)


def findings(made):
    return {
        finding.kind: (finding.count, [example.row for example in finding.examples])
        for finding in report(made).findings
    }


def test_counts():
    shown = report(corpus({"en": "a b", "de": "c"}, {"en": "longer one"}), [Problem("f", 3, "bad")])
    assert (shown.rows, shown.complete, shown.problems[0].line) == (2, 1, 3)
    english = shown.languages[0]
    assert (english.language, english.sentences, english.words, english.characters, english.longest) == (
        "en",
        2,
        4,
        13,
        10,
    )


@pytest.mark.parametrize(
    ("kind", "text", "language"),
    [
        ("script", "это русский", "en"), ("script", "hello there", "ar"), ("bidi", "\u202eabc", "en"),
        ("zero_width", "a\u200bb", "en"), ("surrogate", "a\ud800", "en"), ("control", "a\x07b", "en"),
        ("control", "a\u2028b", "en"), ("markup", "<b>x</b>", "en"), ("markup", "a &amp; b", "en"),
        ("no_words", "\u200b", "en"), ("long", "x " * 600, "en"),
    ],
)  # fmt: skip
def test_each_oddity_is_found_where_it_is(kind, text, language):
    made = corpus({language: "قال نعم" if language == "ar" else "fine words"}, {language: text})
    assert findings(made)[kind] == (1, ["r1"])


def test_clean_text_has_no_findings():
    rows = [
        {"en": "3 < 4 & 5 > 2", "ja": "これはABCです", "ko": "저는 學生입니다", "zh-Hant": "我們", "und": "x"},
        {"en": "ok 👩‍👩‍👧", "ja": "東京タワー", "ko": "네", "zh-Hant": "好", "und": "ни"},
    ]
    assert findings(corpus(*rows)) == {}


def test_duplicates_identical_and_incomplete():
    same = "42 43 44 45 46"
    made = corpus({"en": "a", "de": "b"}, {"en": same, "de": same}, {"de": "b", "en": "a"}, {"en": "a"})
    assert findings(made) == {"duplicate": (1, ["r2"]), "identical": (1, ["r1"]), "incomplete": (1, ["r3"])}


def test_another_language_than_it_says():
    german = "Der Hund schläft unter dem großen Tisch in der Küche."
    made = corpus({"en": "The dog is sleeping under the large kitchen table."}, {"en": german})
    shown = {finding.kind: finding for finding in report(made).findings}["language"]
    assert (shown.count, shown.of, shown.share) == (1, 2, 0.5)
    assert shown.examples[0].text.startswith("de? 'Der Hund")


def test_length_ratio_outliers_need_twenty_pairs():
    rows = [{"en": "some words here", "de": "ein paar Wörter"} for n in range(25)]
    rows = [{tag: f"{text} {n}" for tag, text in row.items()} for n, row in enumerate(rows)]
    rows[7]["de"] = "ja " * 30
    assert findings(corpus(*rows))["length"] == (1, ["r7"])
    assert "length" not in findings(corpus(*rows[:10]))
    assert "length" not in findings(corpus(*rows, unit="phrase"))


def test_examples_are_limited_and_safe_to_print():
    shown = report(corpus(*[{"en": f"\u202e<b>{n}\ud800"} for n in range(9)]), examples=2)
    for finding in shown.findings:
        assert finding.count == 9
        assert len(finding.examples) == 2
        assert all(example.text.isprintable() for example in finding.examples)


def test_scripts():
    assert count_scripts("aб字か") == {"Latn": 1, "Cyrl": 1, "Hani": 1, "Hira": 1}
    assert fits_script("123 !", "Arab")
    assert fits_script("anything", "Zyyy")
    assert not fits_script("abc", "Hans")


def test_the_bundled_tour_is_clean():
    shown = report(find("corpora", "tour").load())
    assert [finding.kind for finding in shown.findings if finding.kind not in ("language", "length")] == []


def test_it_stays_linear():
    began = time.perf_counter()
    for text in ("<a" * 100_000, "&a" * 100_000, "\u202e" * 200_000, "\ud800" * 200_000):
        report(corpus({"en": text, "de": text}))
    assert time.perf_counter() - began < 10
