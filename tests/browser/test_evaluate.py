"""A comparison in a real browser: started, left, found again, its cells clicked, in both themes, on tiny encoders."""

import re

import pytest

from analysis.comparison.job import KIND
from analysis.jobs.control import discard
from analysis.jobs.runs import list_runs
from analysis.jobs.state import Status, state
from tests.browser.app import settle
from tests.browser.conftest import overlapping

pytestmark = pytest.mark.browser
MAIN = "[data-testid=stMain]"
ROW = 31  # pixels of a line of a table


@pytest.fixture
def link(tiny_folders):
    """A small comparison of two tiny encoders; its runs are gone afterwards."""
    a, b = str(tiny_folders["xlmr"]), str(tiny_folders["bert"])
    yield f"/evaluate?a={a}&b={b}&langs=en,es,ru,ar&by=word_retrieval,cka&rows=100"
    for run in list_runs(KIND):
        if run.spec["encoders"] == [a, b]:
            discard(run)


def headings(page):
    """The findings of the page."""
    return page.locator(f"{MAIN} :is(h2, h3)").all_inner_texts()


def press(page, name):
    """Press a button of the page and wait until it stands still."""
    page.locator(MAIN).get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_timeout(400)
    settle(page)


def click_table(page, number, share, row):
    """Click a cell of the n-th table, at a share of its width and in a row counted from 0, until the address shows it."""
    table = page.locator(f"{MAIN} [data-testid=stDataFrame]").nth(number)
    for _ in range(5):
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        page.mouse.click(box["x"] + share * box["width"], box["y"] + ROW * (row + 1.5))
        page.wait_for_timeout(1500)
        settle(page)
        if "look=behind" in page.url:
            return


def finish():
    """Wait for the newest comparison."""
    import time

    run = list_runs(KIND)[0]
    for _ in range(600):
        if state(run).status is not Status.RUNNING:
            break
        time.sleep(0.5)
    return run


def test_a_comparison_outlives_its_tab_and_its_numbers_open(visit, link):
    page = visit(link)
    assert headings(page)[0].startswith("Which encoder lines the languages up better")
    press(page, "Compare")
    page.wait_for_url(re.compile(r"comparison=[0-9a-f]{8}"))
    address = page.url[page.url.index("/evaluate") :]
    page.goto("about:blank")
    assert state(finish()).status is Status.DONE

    again = visit(address, height=2400)
    assert "xlmr" in headings(again)[0]
    assert again.locator(f"{MAIN} [data-testid=stVegaLiteChart]").count() == 2
    assert (
        overlapping(
            again, f"{MAIN} :is(h2, h3), {MAIN} [data-testid=stVegaLiteChart], {MAIN} [data-testid=stDataFrame]"
        )
        == []
    )
    wide = again.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert wide <= 0
    with again.expect_download() as fetched:
        again.locator(MAIN).get_by_role("button", name="LaTeX", exact=True).click()
    assert fetched.value.suggested_filename.endswith(".tex")

    click_table(again, 0, 0.42, 0)
    assert "look=behind" in again.url
    assert any("queries miss" in told for told in headings(again))
    assert again.locator(".iso-errors mark").count() >= 12
    assert again.locator(".iso-errors td[dir=rtl], .iso-errors td[dir=ltr]").count() >= 12


def test_a_click_on_two_languages_opens_their_errors(visit, link):
    page = visit(f"{link}&look=pairs&which=word_retrieval", height=2400)
    if page.locator(MAIN).get_by_role("button", name="Compare", exact=True).count():  # else its scores are there
        press(page, "Compare")
        finish()
    page.get_by_role("button", name="Score every two languages").click()
    page.locator(f"{MAIN} h3", has_text="furthest apart").wait_for()
    settle(page)
    words = page.locator(".js-plotly-plot .scatterlayer text")
    words.first.wait_for()
    assert words.count() == 3 * 4 * 3
    box = words.nth(1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("look=behind"))
    settle(page)
    assert any("queries miss" in told for told in headings(page))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_form_fits_its_page(visit, link, theme):
    page = visit(f"{link}&by=cka,sts", theme=theme, height=1600)
    assert overlapping(page, f"{MAIN} [data-testid=stMultiSelect], {MAIN} [data-testid=stButtonGroup]") == []
    page.locator(f"{MAIN} summary", has_text="Measures:").click()
    page.locator(f"{MAIN} [data-testid=stCheckbox]").first.wait_for()
    assert page.locator(f"{MAIN} [data-testid=stCheckbox]").count() >= 15
    page.locator(f"{MAIN} summary", has_text="left out").wait_for()
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert wide <= 0
