"""The data page: browsing, pasting, uploading what is good and what is not, using and deleting."""

import pickle

import pytest

from analysis.text.uploads import list_uploads, save_text
from tests.pages.opened import findings, html_of, open_page

pytestmark = pytest.mark.fast


@pytest.fixture
def link(tiny, cache):
    """A tiny encoder and an empty cache folder."""
    return {"a": tiny, "b": tiny}


def upload(link, name, data, reader=None, languages=""):
    app = open_page("data", **link, part="add")
    app.file_uploader[0].upload(name, data)
    if reader:
        next(box for box in app.selectbox if box.label == "Format").set_value(reader)
    app.text_input(key="upload languages").set_value(languages)
    next(button for button in app.button if button.label == "Read the file").click()
    return app.run()


def test_the_tour_with_its_card_rows_and_links(link):
    app = open_page("data", **link, row="t002", langs="en,ar")
    assert not app.exception
    assert findings(app) == ["Tour: 64 rows in 14 languages, every row in all of them"]
    table, links = app.dataframe[0].value, app.dataframe[1].value
    assert list(table.columns) == ["row", "category", "English (en)", "Arabic (ar)"]
    assert len(table) == 64
    assert "bank (river)" in links["meaning"].tolist()
    assert 'dir="rtl"' in html_of(app)


def test_category_and_search_come_from_the_link(link):
    app = open_page("data", **link, category="idiom", find="a", langs="en")
    assert set(app.dataframe[0].value["category"]) == {"idiom"}
    nothing = open_page("data", **link, find="zzzzzz")
    assert "No row matches" in nothing.info[0].value


def test_pasted_text_is_stored_reported_and_used(link):
    app = open_page("data", **link, part="add")
    app.text_area[0].set_value("The bank. ||| El banco.\n<b>x</b> ||| y ||| z\nHello ||| Hola")
    app.text_input(key="paste languages").set_value("en es")
    next(button for button in app.button if button.label == "Read the text").click()
    app.run()
    assert not app.exception
    assert findings(app) == ["My text: 2 rows in 2 languages, every row in all of them"]
    problems = app.dataframe[0].value
    assert problems["line"].tolist() == [2]
    assert "3 parts where 2 languages belong" in problems["what is wrong"][0]
    next(button for button in app.button if button.label == "Use this corpus").click()
    app.run()
    assert not app.exception
    (stored,) = list_uploads()
    assert app.query_params["corpus"] == f"text-{stored.id}"


@pytest.mark.parametrize(
    ("name", "data", "rows"),
    [
        ("a.tsv", "en\tde\nred\trot\nblue\tblau\n", 2),
        ("a.csv", 'en,de\n"red, dark",rot\n', 1),
        ("a.jsonl", '{"en": "red", "de": "rot"}\n', 1),
        ("a.txt", "red ||| rot\nblue ||| blau\n", 2),
    ],
)
def test_files_are_read_by_their_kind(link, name, data, rows):
    app = upload(link, name, data.encode(), languages="" if name != "a.txt" else "en,de")
    assert not app.exception
    assert not app.error
    assert f"{rows} row" in findings(app)[0]
    assert "added" in app.query_params


def test_reader_and_languages_can_be_overridden(link):
    app = upload(link, "a.tsv", b"en\tde\nred\trot\n", reader="lines", languages="fr")
    assert findings(app) == ["a.tsv: 2 rows in one language"]
    (stored,) = list_uploads()
    assert (stored.reader, stored.languages) == ("lines", ("fr",))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.txt", b"", "is empty"),
        ("zeros.txt", b"a\0b\n", "NUL byte"),
        ("evil.pkl", pickle.dumps({"a": print}), ""),
        ("latin.txt", "caf\xe9\n".encode("latin-1") * 3, "UTF-8"),
        ("broken.parquet", b"PAR1 nonsense", "parquet"),
        ("broken.tmx", b"<tmx><body><tu>", ""),
        ("blank.txt", b"\n\n\n", "no usable row"),
        ("noheader.tsv", b"foo\tbar\n", ""),
        ("x.gz", b"\x1f\x8b\x00", ""),
    ],
)
def test_hostile_files_get_one_line_and_are_not_kept(link, name, data, said):
    app = upload(link, name, data)
    assert not app.exception
    assert len(app.error) == 1
    assert said.casefold() in app.error[0].value.replace("\\", "").casefold()
    assert "\n" not in app.error[0].value
    assert list_uploads() == []


def test_html_bidi_and_huge_lines_stay_text(link):
    text = "<script>alert(1)</script>\n\u202egnp.exe\n" + "word " * 40_000 + "\n"
    app = upload(link, "<b>name</b>.txt", text.encode(), reader="lines", languages="en")
    assert not app.exception
    assert not app.error
    kinds = " ".join(app.dataframe[0].value["what was found"])
    assert "HTML tags" in kinds
    assert "Invisible direction marks" in kinds
    assert "Longer than" in kinds
    (stored,) = list_uploads()
    shown = open_page("data", **link, show=f"upload-{stored.id}")
    assert not shown.exception
    assert "<script>" not in html_of(shown)
    assert max(map(len, shown.dataframe[0].value["English (en)"])) <= 300


def test_no_file_chosen(link):
    app = open_page("data", **link, part="add")
    next(button for button in app.button if button.label == "Read the file").click()
    app.run()
    assert "no file chosen" in app.error[0].value


def test_stored_uploads_open_and_delete(link):
    first, second = save_text("one ||| eins", ["en", "de"]), save_text("two", ["en"])
    app = open_page("data", **link, part="stored", corpus=f"text-{first}")
    assert findings(app) == ["2 stored, 0.0 MB"]
    app.button(key=f"delete {first}").click().run()
    assert not app.exception
    assert [upload.id for upload in list_uploads()] == [second]
    assert app.query_params["corpus"] == "tour"
    app.button(key=f"open {second}").click().run()
    assert not app.exception
    assert findings(app) == ["My text: 1 row in one language"]


def test_nothing_stored_and_links_to_nothing(link):
    app = open_page("data", **link, part="stored")
    assert "Nothing is stored" in app.info[0].value
    app = open_page("data", **link, part="add", added="text-0000000000000000")
    assert not app.exception
    assert "no upload" in app.error[0].value
    app = open_page("data", **link, part="x", show="upload-x", row="?", category="?")
    assert not app.exception
    assert len(findings(app)) == 1
