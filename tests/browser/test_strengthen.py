"""A training in a real browser: started, left, found again, stopped, resumed, done, before against after."""

import re
import shutil

import pytest

from analysis.encoders.trained import trained_folder
from analysis.jobs.control import discard
from analysis.jobs.runs import list_runs
from analysis.jobs.state import Status, metrics, state
from tests.browser.app import settle
from tests.browser.conftest import overlapping

pytestmark = pytest.mark.browser
STEPS = 60
MAIN = "[data-testid=stMain]"


@pytest.fixture
def link(tiny):
    """A new training of some length on a tiny encoder; its runs are gone afterwards."""
    settings = f"epochs=10000|max_steps={STEPS}|dev_every=10".replace("|", "%7C")
    yield (
        f"/strengthen?a={tiny}&b={tiny}&langs=en,es&method=contrastive&data=corpus:tour&train=en,es&set={settings}"
        f"&called=in-browser"
    )
    for run in list_runs("align"):
        if run.spec["encoder"] == tiny:
            discard(run)
    shutil.rmtree(trained_folder("in-browser"), ignore_errors=True)


def press(page, name):
    """Press a button of the page."""
    page.locator(MAIN).get_by_role("button", name=name, exact=True).click()


def wait_for_step(run, step):
    """Wait until a run has come this far."""
    import time

    for _ in range(600):
        if state(run).done >= step or state(run).status is not Status.RUNNING:
            return
        time.sleep(0.5)


def test_a_training_outlives_its_tab_and_opens_when_it_is_done(visit, link, tiny):
    page = visit(link)
    press(page, "Start training")
    page.wait_for_url(re.compile(r"run=[0-9a-f]{8}"))
    run = next(run for run in list_runs("align") if run.spec["encoder"] == tiny)
    assert run.title == "in-browser"
    wait_for_step(run, 3)
    address = page.url[page.url.index("/strengthen") :]
    page.goto("about:blank")

    again = visit(address)
    again.locator(MAIN).get_by_role("button", name="Stop", exact=True).wait_for()
    press(again, "Stop")
    again.get_by_role("button", name="Resume", exact=True).wait_for()
    stopped = state(run)
    assert stopped.status is Status.STOPPED
    assert again.locator(MAIN).get_by_text("stopped", exact=True).count() >= 1
    press(again, "Resume")
    again.locator(MAIN).get_by_role("button", name="Stop", exact=True).wait_for()

    # The open page sees the end on its own: nobody touches it from here.
    again.wait_for_url(re.compile(r"b=[^&]*in-browser"))
    settle(again)
    assert state(run).status is Status.DONE
    steps = [line["step"] for line in metrics(run) if line["kind"] == "loss"]
    assert steps == sorted(set(steps))
    assert steps[-1] == STEPS
    assert again.locator(MAIN).get_by_text("done", exact=True).count() >= 1
    boxes = again.locator("[data-testid=stSidebar] input[role=combobox]")
    assert [boxes.nth(n).input_value() for n in (0, 1)] == [tiny, f"{tiny}+in-browser"]
    assert overlapping(again, f"{MAIN} :is(h2, h3, h4), {MAIN} [data-testid=stVegaLiteChart]") == []
    with again.expect_download() as fetched:
        again.locator(MAIN).get_by_role("button", name="Download", exact=True).first.click()
    assert fetched.value.suggested_filename == "in-browser.zip"
    again.get_by_role("link", name="The picture and the scores").click()
    again.wait_for_url(re.compile(r"b=[^&]*in-browser"))
    settle(again)
    assert "%" in again.locator("h2").first.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_form_fits_its_page(visit, link, theme):
    page = visit(link, theme=theme)
    assert page.locator("h2").first.inner_text().startswith("Bring the languages")
    assert overlapping(page, f"{MAIN} [data-testid=stSelectbox], {MAIN} [data-testid=stNumberInput]") == []
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert wide <= 0
    page.locator(MAIN).get_by_role("textbox", name="Name of the new encoder").fill("Not A Name")
    page.locator(MAIN).get_by_role("textbox", name="Name of the new encoder").press("Enter")
    page.locator(MAIN).locator("[data-testid=stAlert]").wait_for()
    settle(page)
    assert page.get_by_role("button", name="Start training", exact=True).is_disabled()
