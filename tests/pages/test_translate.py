"""The translate page on tiny encoders: clicked and typed words, rank changes, hostile text."""

import re

import pytest

from analysis.text.uploads import save_text
from tests.pages.opened import findings, html_of, open_page

pytestmark = pytest.mark.fast


@pytest.fixture
def pair(tiny_folders):
    """Two encoders of different tokenizers."""
    return {"a": tiny_folders["xlmr"], "b": tiny_folders["bert"]}


def test_a_word_of_the_tour_has_neighbours_in_each_language(pair):
    app = open_page("translate", **pair, langs="en,es,ar", source="en", row="t002")
    assert not app.exception
    assert not app.error
    (told,) = findings(app)
    assert told.startswith("bank (river): the ")
    assert "moves from rank" in told
    page = html_of(app)
    assert page.count('<table class="iso-list">') == 4
    assert re.search(r"<mark[^>]*>bank</mark>", page)
    assert 'dir="rtl"' in page
    assert 'class="true"' in page
    ranks = app.dataframe[0].value
    assert list(ranks.columns) == ["", "translation", "A cosine", "B cosine", "A CSLS", "B CSLS", "of"]
    assert ranks["translation"].tolist() == ["orilla", "ضفة"]


def test_a_click_moves_to_another_word_and_the_link_keeps_it(pair):
    app = open_page("translate", **pair, langs="en,es", row="t002")
    app.button_group[1].set_value(4).run()
    assert not app.exception
    assert app.query_params["at"] == "en t002 4"
    assert findings(app)[0].startswith(("fishing", "Nearest neighbours of fishing"))
    again = open_page("translate", **pair, langs="en,es", row="t002", at="en t002 4")
    assert findings(again) == findings(app)


def test_a_row_with_another_word_does_not_keep_the_old_position(pair):
    app = open_page("translate", **pair, langs="en,es", row="t001", at="en t002 11")
    assert findings(app)[0].startswith("bank (money)")


def test_equal_encoders_at_one_layer_do_not_move(tiny):
    app = open_page("translate", a=tiny, b=tiny, langs="en,es", row="t002")
    assert not app.exception
    assert "▲" not in html_of(app).replace("▲ and ▼", "")


def test_types_and_length_and_csls_come_from_the_link(pair):
    app = open_page("translate", **pair, langs="en,es", score="csls", k=3, once=1, own=1)
    assert not app.exception
    assert any("word types" in item.value for item in app.markdown)
    assert "English, in its sentence" in html_of(app)


def test_a_typed_sentence_with_its_word_marked(pair):
    link = {"from": "typed", "text": "We sat on the [bank].", "lang": "en"}
    app = open_page("translate", **pair, langs="en,es", **link)
    assert not app.exception
    assert findings(app) == ["Nearest neighbours of bank"]
    assert re.search(r"We sat on the <mark[^>]*>bank</mark>\.", html_of(app))


def test_a_typed_language_the_corpus_lacks_goes_by_cosine(pair):
    text = save_text("one two ||| eins zwei\nthree ||| drei", ["en", "de"])
    link = {"from": "typed", "text": "вода", "corpus": f"text-{text}", "score": "csls"}
    app = open_page("translate", **pair, **link)
    assert not app.exception
    assert any("only the cosine is shown" in item.value for item in app.caption)


def test_nothing_marked_and_nothing_typed(pair):
    app = open_page("translate", **pair, langs="en,es", **{"from": "typed", "text": "two words"})
    assert [item.value for item in app.info] == ["Click a word above, or put it in [brackets]."]
    app = open_page("translate", **pair, langs="en,es", **{"from": "typed", "text": "  "})
    assert "nothing typed yet" in app.error[0].value


def test_hostile_text_stays_text(pair):
    rows = "<script>alert(1)</script> & <img src=x onerror=y> ||| \u202eabc\u202c مرحبا **x**\nplain ||| عادي"
    app = open_page("translate", **pair, corpus=f"text-{save_text(rows, ['en', 'ar'])}")
    assert not app.exception
    page = html_of(app)
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;" in page


def test_one_language_finds_neighbours_in_itself(pair):
    app = open_page("translate", **pair, corpus=f"text-{save_text('the red house stands here', ['en'])}")
    assert not app.exception
    assert "English, in its sentence" in html_of(app)


def test_a_language_without_words_is_one_line(pair):
    app = open_page("translate", **pair, corpus=f"text-{save_text(chr(0x200B) + ' ||| x', ['en', 'de'])}")
    assert not app.exception
    assert len(app.error) <= 1
