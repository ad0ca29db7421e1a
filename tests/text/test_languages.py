import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.text.languages import LANGUAGES, language, normalise_tag, pairs_of, parse_langs

pytestmark = pytest.mark.fast
TOUR = ["en", "de", "fr", "es", "tr", "sw", "ru", "el", "ar", "hi", "zh", "ja", "ko", "th"]


@pytest.mark.parametrize(
    ("raw", "tag"),
    [
        ("zh_Hant", "zh-Hant"),
        ("ZH-hANT-tw", "zh-Hant-TW"),
        ("EN_us", "en-US"),
        ("iw", "he"),
        (" sw ", "sw"),
        ("es-419", "es-419"),
    ],
)
def test_tags_get_one_spelling(raw, tag):
    assert normalise_tag(raw) == tag


@pytest.mark.parametrize("raw", ["", "e", "english", "en-", "de en", "../x", "1a", "en--de", "zh_Hant_", "é"])
def test_what_is_no_tag_is_refused(raw):
    with pytest.raises(InputError, match="language code"):
        normalise_tag(raw)


def test_a_pair_keeps_underscored_subtags_together():
    assert parse_langs("zh_Hant-en") == ("zh-Hant", "en")
    assert parse_langs("en-pt_BR") == ("en", "pt-BR")


@pytest.mark.parametrize("langs", ["en", "en-de-fr", "en_de", "", "en-", "zh-Hant-en", "en-xxxxxx"])
def test_what_is_no_pair_is_refused(langs):
    with pytest.raises(InputError):
        parse_langs(langs)


def test_subtags_fall_back_and_script_decides_direction():
    hant = language("zh_Hant")
    assert (hant.tag, hant.script, hant.colour, hant.symbol) == (
        "zh-Hant",
        "Hant",
        language("zh").colour,
        language("zh").symbol,
    )
    assert language("az-Arab").direction == "rtl"
    assert language("az").direction == "ltr"
    assert [language(tag).direction for tag in ("ar", "he", "fa", "ur", "de", "hi")] == ["rtl"] * 4 + ["ltr"] * 2


@given(st.text(max_size=20))
def test_any_string_has_an_entry(tag):
    assert language(tag).direction in ("ltr", "rtl")


def test_an_unknown_language_keeps_its_tag():
    assert language("xzz").tag == "xzz"
    assert language("xzz").colour == language("und").colour
    assert language("!?").tag == "!?"


def test_every_language_looks_different():
    looks = {(entry.colour, entry.symbol) for entry in LANGUAGES.values()}
    assert len(looks) == len(LANGUAGES) >= 45
    assert len({language(tag).colour for tag in TOUR}) == len({language(tag).symbol for tag in TOUR}) == len(TOUR)


def _luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("tag", TOUR)
def test_colours_stand_out_on_white_and_on_dark(tag):
    own = _luminance(language(tag).colour) + 0.05
    assert 1.05 / own >= 2.8
    assert own / (_luminance("#0E1117") + 0.05) >= 2.8


def test_every_language_of_the_public_sets_is_known():
    sets = "ar bg bn cs da de el en es fa fi fr he hi hu id it ja ko nl pl pt ro ru sl sw ta th tr uk ur vi zh"
    assert set(sets.split()) <= LANGUAGES.keys()


def test_pairs_go_through_english_or_the_first():
    assert pairs_of(["de", "en", "fr"]) == [("en", "de"), ("en", "fr")]
    assert pairs_of(["de", "fr", "ru"]) == [("de", "fr"), ("de", "ru")]
