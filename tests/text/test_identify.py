import pytest

from analysis.text.identify import Guess, identify, identify_columns, identify_lines, language_of, majority

pytestmark = pytest.mark.fast
GERMAN = ["Der Hund schläft unter dem Tisch.", "Morgen fahren wir mit dem Zug nach Hause.", "Das ist ein gutes Buch."]
ENGLISH = ["The dog is sleeping under the table.", "Tomorrow we will go home by train.", "This is a good book."]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (GERMAN[0], "de"),
        (ENGLISH[0], "en"),
        ("Mbwa analala chini ya meza yangu leo.", "sw"),
        ("東京は日本の首都です", "ja"),
        ("Завтра мы поедем домой на поезде.", "ru"),
        ("สุนัขนอนอยู่ใต้โต๊ะ", "th"),
        ("הכלב ישן מתחת לשולחן", "he"),
    ],
)
def test_clear_sentences(text, tag):
    guess = identify(text)
    assert guess.tag == tag
    assert 0.5 < guess.confidence <= 1


@pytest.mark.parametrize("text", ["", " ", "12 345,6", "?!", "👩‍👩‍👧", "\u202e"])
def test_without_letters_it_is_undetermined(text):
    assert identify(text) == Guess("und", 0.0)


def test_candidates_restrict_and_keep_their_spelling():
    assert identify("我們明天坐火車回家。", ["en", "zh-Hant"]).tag == "zh-Hant"
    assert identify(GERMAN[0], ["en", "sw"]).tag in ("en", "sw")
    assert identify(GERMAN[0], ["xzz"]) == Guess("und", 0.0)


def test_probabilities_of_two_candidates_sum_to_one():
    text = "Das is good."
    one = identify(text, ["de", "en"])
    assert one.confidence >= 0.5


def test_hostile_text_is_identified_in_bounded_time():
    assert identify("\ud800 abc \udfff").tag
    assert identify("Das Haus ist groß. " * 20_000).tag == "de"


def test_short_lines_follow_their_neighbours():
    guesses = identify_lines([*GERMAN, "Hallo", "42"])
    assert [guess.tag for guess in guesses] == ["de", "de", "de", "de", "und"]


def test_majority_breaks_ties_by_tag_and_skips_the_undetermined():
    assert majority([Guess("fr", 0.5), Guess("de", 0.5), Guess("und", 0.0)]) == "de"
    assert majority([]) == "und"


def test_columns_and_a_swapped_line():
    assert identify_columns([GERMAN, ENGLISH]) == ("de", "en")
    assert identify_columns([GERMAN, GERMAN], distinct=True)[0] == "de"
    assert len(set(identify_columns([GERMAN, GERMAN], distinct=True))) == 2
    assert language_of(GERMAN[0], "en", ("en", "de")) == "de"
    assert language_of("42", "en", ("en", "de")) == "en"
    assert language_of("Bank", "en", ("en", "de")) == "en"
