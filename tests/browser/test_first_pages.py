"""Home, explore and heatmap in a real browser, with the bundled encoder."""

import pytest

from tests.browser.app import settle
from tests.browser.conftest import overlapping, plotted, press_slider

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_home_tells_its_finding(visit, theme):
    page = visit("/", theme=theme)
    assert "%" in page.locator("h2").first.inner_text()
    assert len(plotted(page)) > 1000
    assert page.locator("[data-testid=stVegaLiteChart]").count() == 1
    assert overlapping(page, "h2, h3, [data-testid=stPlotlyChart], [data-testid=stVegaLiteChart]") == []
    page.get_by_role("link", name="See where the words for bank lie").click()
    page.wait_for_url("**/explore**")
    settle(page)
    assert "word=bank" in page.url
    assert "corpus=tour" in page.url


def test_explore_follows_the_layer_and_keeps_it_in_the_url(visit):
    page = visit("/explore?word=bank&langs=en,ar,hi,zh,th")
    before = plotted(page)
    shown = page.locator("mark").all_inner_texts()
    assert "bank" in shown
    assert len(set(shown)) >= 8
    press_slider(page, "Layer of A")
    assert plotted(page) != before
    assert "la=11" in page.url
    assert "lb=11" in page.url
    after = plotted(page)
    page.reload()
    settle(page)
    assert plotted(page) == after


def test_heatmap_follows_the_layer_and_runs_arabic_from_right_to_left(visit):
    page = visit("/heatmap?row=t002&source=en&target=ar")
    before = plotted(page)
    labels = page.locator(".xtick text").all_text_contents()
    boxes = [page.locator(".xtick text").nth(n).bounding_box()["x"] for n in (0, 1)]
    assert labels[0]
    assert boxes[0] > boxes[1]
    press_slider(page, "Layer of A")
    assert plotted(page) != before


def test_pasted_html_is_shown_and_not_run(visit):
    page = visit("/explore")
    page.get_by_role("combobox", name="Corpus").click()
    page.get_by_role("option", name="My text").click()
    settle(page)
    page.get_by_role("textbox", name="One row a line, languages separated by |||").fill(
        "<img src=x onerror=alert(1)> the <b>small</b> dog ||| el perro <script>alert(2)</script>\nthe sea ||| el mar"
    )
    page.get_by_role("button", name="Use this text").click()
    page.wait_for_url("**corpus=text-**")
    settle(page)
    assert len(plotted(page)) > 50
    assert page.locator("img[src=x]").count() == 0
    # Even a failed request for the image would be seen by the fixture.


def test_an_encoder_that_does_not_exist_is_one_line_and_the_page_stays(visit):
    page = visit("/heatmap")
    before = plotted(page)
    box = page.get_by_role("combobox", name="Encoder B")
    box.fill("no-such-encoder")
    box.press("Enter")
    page.wait_for_selector("[data-testid=stSidebar] [data-testid=stAlert]")
    settle(page)
    assert "unknown encoder 'no-such-encoder'" in page.locator("[data-testid=stAlert]").first.inner_text()
    assert plotted(page) == before
