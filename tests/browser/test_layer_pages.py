"""Layers, translate and data in a real browser, in both themes, with tiny encoders that differ."""

import pytest

from tests.browser.app import settle
from tests.browser.conftest import overlapping, press_slider

pytestmark = pytest.mark.browser
CHART = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"


@pytest.fixture(scope="module")
def link(tiny_folders):
    """A and B as they stand in a link."""
    return f"a={tiny_folders['xlmr']}&b={tiny_folders['bert']}"


def drawn(page, number=0):
    """What the n-th chart shows, as the browser painted it."""
    page.wait_for_selector(CHART)
    return page.evaluate(
        """([css, n]) => { const shown = document.querySelectorAll(css)[n];
        return shown.toDataURL ? shown.toDataURL() : shown.outerHTML }""",
        [CHART, number],
    )


def pill(page, word):
    """The pill of a word."""
    return page.locator("[data-testid=stMain] [data-testid=stButtonGroup]").get_by_text(word, exact=True).first


def headings(page):
    """The findings of a page."""
    return page.locator("[data-testid=stMain] :is(h2, h3)").all_inner_texts()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_layers_draws_and_the_slider_changes_it(visit, link, theme):
    page = visit(f"/layers?{link}&langs=en,ru,ar", theme=theme, height=2600)
    assert len(headings(page)) == 3
    assert page.locator(CHART).count() == 3
    before = drawn(page)
    press_slider(page, "Layer of A")
    page.wait_for_timeout(1500)
    assert drawn(page) != before
    assert not overlapping(
        page, "[data-testid=stMain] :is(h2, h3), [data-testid=stVegaLiteChart], [data-testid=stDataFrame]"
    )
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert wide <= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_click_on_a_word_looks_it_up(visit, link, theme):
    page = visit(f"/translate?{link}&langs=en,ar,zh,th,hi&row=t002", theme=theme, height=2600)
    assert headings(page)[0].startswith("bank (river)")
    pill(page, "fishing").click()
    page.wait_for_timeout(400)
    settle(page)
    assert "fishing" in headings(page)[0]
    assert "at=en+t002+4" in page.url
    directions = page.locator(".iso-list td[dir]").evaluate_all("cells => [...new Set(cells.map(c => c.dir))].sort()")
    assert directions == ["ltr", "rtl"]
    marks = page.locator(".iso-list mark").all_inner_texts()
    assert len(marks) >= 40
    cut = page.locator(".iso-list td").evaluate_all(
        "cells => cells.filter(c => c.scrollWidth > c.clientWidth + 1).length"
    )
    assert cut == 0


def test_words_of_a_right_to_left_sentence_run_right_to_left(visit, link):
    page = visit(f"/translate?{link}&langs=ar,en&source=ar&row=t002")
    first, second = (pill(page, word).bounding_box() for word in ("كان", "ثلاثة"))
    assert first["x"] > second["x"]


def test_an_uploaded_corpus_is_reported_and_used(visit, link, tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("en\tar\nThe bank\tالبنك\n<b>bold</b> text\tنص\nbroken line\n", "utf-8")
    page = visit(f"/data?{link}&part=add", height=2000)
    page.locator("input[type=file]").set_input_files(path)
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Read the file").click()
    page.wait_for_timeout(500)
    settle(page)
    assert headings(page) == ["mine.tsv: 2 rows in 2 languages, every row in all of them"]
    assert "1 line could not be read as they are" in page.locator("[data-testid=stMain]").inner_text()
    page.get_by_role("button", name="Use this corpus").click()
    page.wait_for_timeout(500)
    settle(page)
    assert "corpus=upload-" in page.url
    again = visit(page.url[page.url.index("/data") :].replace("part=add", "part=browse"))
    assert headings(again)[0].startswith("mine.tsv: 2 rows")


def test_pasted_text_is_used_at_once(visit, link):
    page = visit(f"/data?{link}&part=add", height=2000)
    page.get_by_test_id("stMain").get_by_role("textbox", name="Text, one row a line").fill("One row ||| Eine Zeile")
    page.get_by_role("button", name="Read the text").click()
    page.wait_for_timeout(500)
    settle(page)
    assert headings(page) == ["My text: 1 row in 2 languages, every row in all of them"]
