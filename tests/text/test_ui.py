"""The corpora of interface texts: the rules, the .pak format, the alignment, the splits, the real packages."""

import json
import struct
import zipfile
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError, IsoglossError
from analysis.text import ui
from analysis.text.corpora import ui_chromium, ui_chromium_phrases, ui_homeassistant
from analysis.text.corpus import Sentence
from analysis.text.pak import read_texts
from analysis.text.splits import Split, parse_split, split_of

fast = pytest.mark.fast


def make_pak(resources: dict[int, bytes], *, version: int = 5, encoding: int = 1, aliases=()) -> bytes:
    """A .pak file written by hand from the description of the format."""
    if version == 4:
        head = struct.pack("<IIB", 4, len(resources), encoding)
    else:
        head = struct.pack("<IBBBBHH", version, encoding, 0, 0, 0, len(resources), len(aliases))
    at = len(head) + 6 * (len(resources) + 1) + 4 * len(aliases)
    table = b""
    for number, content in resources.items():
        table += struct.pack("<HI", number, at)
        at += len(content)
    table += struct.pack("<HI", 0, at) + b"".join(struct.pack("<HH", *alias) for alias in aliases)
    return head + table + b"".join(resources.values())


@fast
@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize(("encoding", "codec"), [(1, "utf-8"), (2, "utf-16-le")])
def test_pak_texts_come_by_number(version, encoding, codec):
    texts = {800: "Save", 801: "", 4000: "保存 𝒜"}
    content = make_pak({n: text.encode(codec) for n, text in texts.items()}, version=version, encoding=encoding)
    assert read_texts(content) == texts


@fast
def test_pak_by_its_bytes():
    content = bytes.fromhex(
        "05000000 01000000 0200 0100"  # version 5, UTF-8, two resources, one alias
        "0700 22000000 0900 24000000 0000 25000000"  # 7 at 34, 9 at 36, the end at 37
        "0b00 0100"  # 11 is the resource at position 1
        "4869 21"
    )
    assert read_texts(content) == {7: "Hi", 9: "!", 11: "!"}


@fast
def test_pak_leaves_binary_resources_and_their_aliases_out():
    content = make_pak({1: b"\x1f\x8b\x08\x00\xff", 2: b"text"}, aliases=[(3, 0), (4, 1)])
    assert read_texts(content) == {2: "text", 4: "text"}


@fast
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends within its table"),
        (make_pak({1: b"one"})[:20], "ends within its table"),
        (make_pak({1: b"one"})[:-1], "its table says"),
        (make_pak({1: b"one"}, version=9), "version 9; valid: 4, 5"),
        (make_pak({1: b"one"}, encoding=0), "encoding 0"),
        (make_pak({1: b"one"}, aliases=[(2, 7)]), "ends within its table"),
    ],
)
def test_bad_pak_is_one_clear_line(content, message):
    with pytest.raises(IsoglossError, match=message) as error:
        read_texts(content)
    assert "\n" not in str(error.value)


@fast
@pytest.mark.parametrize(
    "text",
    [
        "The lamp is already on.",
        "Do you want to continue?",
        "Try again in a minute!",
        'The word that means "on" again.',
        "Fan speed in percent (0-100%).",
        "Nothing was found; e.g. no lamp.",
        "Salt & pepper are here.",
    ],
)
def test_true_sentences(text):
    assert ui.is_sentence(text)


@fast
@pytest.mark.parametrize(
    "text",
    [
        "The lamp is on",  # no full stop
        "Lamp is on.",  # three words
        "Please wait a little...",
        "The lamp {name} is on.",
        "[%key:common::state::on%] is the value.",
        "Press <b>the button</b> once more.",
        "See https://lamps.test for the list.",
        "See www.lamps.test for the list.",
        "Edit the file lamp.yaml by hand.",
        "Press the **round** button now.",
        "Set `lamp` to some value.",
        "Allow $1 to see it?",
        "Only %s of it remain.",
        "Only %1s of it remain.",
        "A lamp &amp; a chair.",
        "Go to Lamps → All of them.",
        "One line.\nAnd one more.",
        "1 2 3 4.",
        "",
    ],
)
def test_no_true_sentences(text):
    assert not ui.is_sentence(text)


@fast
def test_clean_text_is_composed_and_without_hidden_marks():
    assert ui.clean(" Cafe\u0301  is\u200e open\xad. ") == "Café is open."
    assert ui.clean("می‌خواهم") == "می‌خواهم"  # the joiner of Persian is spelling


@fast
@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    assert ui.clean(ui.clean(text)) == ui.clean(text)


@fast
@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("&Open", "Open"),
        ("Sa&ve as…", "Save as…"),
        ("終了(&X)", "終了"),
        ("取り消し（&U）", "取り消し"),
        ("Salt && pepper", "Salt & pepper"),
        ("Salt & pepper", "Salt & pepper"),
        ("Q&A", "Q&A"),
        ("Kidhibiti Hati&Java", "Kidhibiti HatiJava"),
        ("קונסולה&", "קונסולה"),
        ("&„Lampa“", "„Lampa“"),
        ("&nbsp;x", "&nbsp;x"),
    ],
)
def test_accelerators(marked, plain):
    assert ui_chromium.prepare(marked) == plain


@fast
def test_a_template_is_the_same_for_every_brand_and_day():
    same = {ui.template(f"The address of your {brand} lamp.") for brand in ("Acme", "Foo-Bar 3", "iLamp")}
    assert same == {"the address of your lamp"}
    assert ui.template("The address of your lamps.") not in same


@fast
def test_copies_become_one_row_with_all_places_of_its_text():
    english = {
        "a.x": "Lamp of Acme here.",
        "b.x": "Lamp of Foo here.",
        "c.x": "Lamp of Acme here.",
        "c.y": "No lamp is here.",
    }
    assert ui.choose_rows(english, alike=ui.template) == {"a.x": ["a.x", "c.x"], "c.y": ["c.y"]}


@fast
def test_a_translation_comes_from_the_first_place_that_has_a_true_one():
    english = {"a.x": "Here is a lamp.", "b.y": "Here is a chair.", "c.z": "Here is a bed."}
    rows = {"a.x": ["a.x", "b.x", "c.x"], "b.y": ["b.y"], "c.z": ["c.z"]}
    found = {
        "a.x": "Here is a lamp.",
        "b.x": "Da ist {eine} Lampe.",
        "c.x": "Da ist eine Lampe.",
        "b.y": "Here is a chair.",
    }
    assert ui.align(rows, english, found, ui.clean) == {"a.x": "Da ist eine Lampe."}


@fast
def test_split_is_fixed_and_goes_by_the_group():
    # From `printf NAME | sha256sum`: the first 16 digits as a number, modulo 100; below 10 is for development.
    assert [split_of(name) for name in ("zha", "abode", "102xx")] == [Split.TRAIN, Split.DEV, Split.DEV]
    assert split_of("zha.config.error") == split_of("zha")
    shares = Counter(split_of(f"group{n}") for n in range(5000))
    assert 0.08 < shares[Split.DEV] / 5000 < 0.12


@fast
def test_unknown_split_names_the_valid_ones():
    assert parse_split(None, "tiny") is None
    assert parse_split("dev", "tiny") is Split.DEV
    with pytest.raises(InputError, match=r"unknown split of corpus tiny 'test'; .*dev, train"):
        parse_split("test", "tiny")


@fast
def test_rows_find_words_only_when_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(ui, "find_words", lambda text, tag: asked.append(tag) or Sentence(text, tag, ((0, 1),)))
    row = ui.LazyRow({"en": "A lamp.", "de": "Eine Lampe."})
    assert (len(row), list(row), "de" in row, "fr" in row, asked) == (2, ["en", "de"], True, False, [])
    assert row["de"] is row["de"]
    assert asked == ["de"]
    assert row.get("fr") is None


@pytest.fixture
def serve(cache, tmp_path, monkeypatch):
    """Makes `fetch_wheel` hand out a wheel with these files."""

    def make(files: dict[str, bytes]):
        path = tmp_path / "tiny.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for name, content in files.items():
                wheel.writestr(name, content)
        monkeypatch.setattr(ui, "fetch_wheel", lambda *_, **__: path)
        ui.load_rows.cache_clear()

    yield make
    ui.load_rows.cache_clear()


def translations(integration: str, tag: str, tree: dict) -> dict[str, bytes]:
    """One translation file of Home Assistant."""
    return {f"homeassistant/components/{integration}/translations/{tag}.json": json.dumps(tree).encode()}


HOMEASSISTANT = {
    **translations("lamp", "en", {
        "title": "Lamp",
        "config": {
            "error": {"off": "The lamp is off.", "named": "The lamp {name} is off."},
            "abort": {"new": "This is not translated."},
        },
    }),
    **translations("lamp", "de", {"title": "Lampe", "config": {"error": {"off": "Die Lampe ist aus.", "named": "x"}}}),
    **translations("lamp", "zh-Hans", {"config": {"error": {"off": "灯是关着的。"}}}),
    **translations("chair", "en", {"state": {"free": "The chair is free now."}}),
    **translations("chair", "de", {"state": {"free": "Der Stuhl ist jetzt frei."}}),
    "homeassistant/components/lamp/strings.json": b'{"title": "[%key:x%] is not to be read."}',
}  # fmt: skip


@fast
def test_homeassistant_is_aligned_by_key_path(serve):
    serve(HOMEASSISTANT)
    corpus = ui_homeassistant.load()
    assert corpus.row_ids == ("chair.state.free", "lamp.config.error.off")
    assert corpus.categories == ("chair", "lamp")
    assert corpus.languages == ("en", "de", "zh")
    assert {tag: sentence.text for tag, sentence in corpus.rows[1].items()} == {
        "en": "The lamp is off.", "de": "Die Lampe ist aus.", "zh": "灯是关着的。",
    }  # fmt: skip
    assert corpus.rows[1]["de"].words == ("Die", "Lampe", "ist", "aus", ".")
    assert len(corpus.pair("en", "zh")) == 1


@fast
def test_only_the_languages_asked_for_are_read(serve, cache):
    serve(HOMEASSISTANT)
    corpus = ui_homeassistant.load(languages=["zh"])
    assert (corpus.languages, corpus.row_ids) == (("zh",), ("lamp.config.error.off",))
    assert {path.stem for path in (cache / "converted").rglob("*.json")} == {"en", "zh"}
    with pytest.raises(InputError, match="unknown language of corpus ui_homeassistant 'tlh'"):
        ui_homeassistant.load(languages=["tlh"])


@fast
def test_the_second_time_needs_no_wheel(serve, monkeypatch):
    serve(HOMEASSISTANT)
    first = ui_homeassistant.load()
    ui.load_rows.cache_clear()
    monkeypatch.setattr(ui, "fetch_wheel", lambda *_, **__: pytest.fail("fetched again"))
    assert ui_homeassistant.load() == first


CHROMIUM = {
    "en-US": {810: "The &tab is closed now.", 811: "&Close", 912: "Close 2 tabs with $1", 42700: "find, open",
              950: "TLS", 951: "Close", 1204: "Tabs are kept in Chromium."},
    "ru": {810: "Вкладка закрыта.", 811: "&Закрыть", 912: "x $1", 42700: "найти", 950: "TLS", 951: "Закрыть окно",
           1204: "Вкладки хранятся в Chromium."},
    "de": {810: "Der Tab ist jetzt zu.", 811: "S&chließen", 912: "y $1", 42700: "suchen", 950: "TLS", 951: "Zu"},
}  # fmt: skip


def paks() -> dict[str, bytes]:
    """Chromium's locale files with a few texts each."""
    return {
        f"cef_capi/runtime/locales/{name}.pak": make_pak({n: text.encode() for n, text in sorted(texts.items())})
        for name, texts in CHROMIUM.items()
    }


@fast
def test_chromium_is_aligned_by_resource_number(serve):
    serve(paks())
    sentences = ui_chromium.load(languages=["en", "de"])
    assert (sentences.row_ids, sentences.categories) == (("810", "1204"), ("8xx", "12xx"))
    assert sentences.rows[0]["en"].text == "The tab is closed now."
    assert sentences.rows[0]["de"].text == "Der Tab ist jetzt zu."
    assert list(sentences.rows[1]) == ["en"]
    phrases = ui_chromium_phrases.load(languages=["en", "de"])
    assert [{tag: side.text for tag, side in row.items()} for row in phrases.rows] == [
        {"en": "Close", "de": "Schließen"}
    ]
    assert phrases.unit == "phrase"


@fast
@pytest.mark.parametrize("load", [ui_homeassistant.load, ui_chromium_phrases.load])
def test_splits_share_no_category_and_together_are_everything(serve, monkeypatch, load):
    names = [f"part{n}" for n in range(60)]
    tree = {"en": "Here is lamp {}.", "de": "Da ist Lampe {}."}
    serve({
        name: content for at, integration in enumerate(names) for tag, text in tree.items()
        for name, content in translations(integration, tag, {"a": {"b": text.format("x" * (at + 1))}}).items()
    } | {
        f"cef_capi/runtime/locales/{name}.pak": make_pak({n * 100: f"{tag} {n}".encode() for n in range(10, 70)})
        for name, tag in (("en-US", "Lamp"), ("ru", "Лампа"), ("de", "Lampe"))
    })  # fmt: skip
    both, train, dev = (load(languages=["en", "de"], split=split) for split in (None, "train", "dev"))
    assert len(both) == len(train) + len(dev) == 60
    assert len(dev) > 0
    assert not set(train.categories) & set(dev.categories)
    assert all(split_of(category) == Split.DEV for category in dev.categories)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("module", "languages", "least"),
    [(ui_homeassistant, 10, 3000), (ui_chromium, 28, 950), (ui_chromium_phrases, 28, 5000)],
)
def test_real_package(module, languages, least):
    corpus = module.load()
    counts = Counter(tag for row in corpus.rows for tag in row)
    assert len(corpus) == module.SPEC.rows
    assert set(counts) == set(module.SPEC.languages)
    assert sum(count >= least for count in counts.values()) >= languages
    assert len({row["en"].text for row in corpus.rows}) == len(corpus)
    assert all(ui.is_plain(row[tag].text) for row in corpus.rows[::50] for tag in row)
    greek = [row["el"].text for row in corpus.rows if "el" in row]
    assert sum(any("α" <= char.lower() <= "ω" for char in text) for text in greek) > 0.98 * len(greek)
    train, dev = (len(module.load(split=split)) for split in Split)
    assert train + dev == len(corpus)
    assert 0.05 < dev / len(corpus) < 0.16
