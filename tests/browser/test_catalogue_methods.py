"""Every registered method trained from the page in a real browser: three steps on a tiny encoder, to the end."""

import shutil
import time

import pytest

from analysis.alignment.method import Uses
from analysis.encoders.trained import trained_folder
from analysis.jobs.control import discard
from analysis.jobs.runs import list_runs
from analysis.jobs.state import Status, state
from analysis.registry import registered
from analysis.text.load import load_corpus
from tests.browser.app import IDLE, WAIT, settle

pytestmark = pytest.mark.browser
MAIN = "[data-testid=stMain]"
RUN = 240  # seconds
SHORT = "max_steps=3|head_steps=2".replace("|", "%7C").replace("=", "%3D")  # a form leaves out what it does not know


@pytest.fixture(scope="module")
def page(app_url, chromium):
    """One page for all methods."""
    opened = chromium.new_page(viewport={"width": 1440, "height": 1500})
    opened.set_default_timeout(WAIT)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    """The words that are linked in the tour, as a file of two columns."""
    bitext = load_corpus("tour", languages=["en", "es"]).pair("en", "es")
    lines = ["en\tes"]
    for source, target, links in zip(bitext.source, bitext.target, bitext.links, strict=True):
        words = [[side.text[start:end] for start, end in side.spans] for side in (source, target)]
        lines += [f"{words[0][i]}\t{words[1][j]}" for i, j in sorted(links.sure)]
    path = tmp_path_factory.mktemp("dictionary") / "tour.tsv"
    path.write_text("\n".join(dict.fromkeys(lines)) + "\n", "utf-8")
    return path


@pytest.fixture
def name(method, page):
    """The name of the new encoder, of which nothing is left afterwards."""
    called = f"catalogue-{method}"
    yield called
    page.goto("about:blank")
    for run in list_runs("align"):
        if run.title == called:
            discard(run)
    shutil.rmtree(trained_folder(called), ignore_errors=True)


def ended(run):
    """The state of a run once it has ended."""
    for _ in range(RUN * 4):
        if state(run).status is not Status.RUNNING:
            break
        time.sleep(0.25)
    return state(run)


@pytest.mark.parametrize("method", sorted(registered("methods")))
def test_a_method_goes_from_its_form_to_an_encoder(page, app_url, tiny, dictionary, method, name):
    spec = registered("methods")[method]
    needed = spec.needs | getattr(spec, "needs_all", frozenset())
    text = {kind: "corpus:tour" if kind in needed else "none" for kind in (Uses.DATA, Uses.MONOLINGUAL)}
    page.goto(
        f"{app_url}/strengthen?a={tiny}&b={tiny}&langs=en,es&method={method}&data={text[Uses.DATA]}"
        f"&mono={text[Uses.MONOLINGUAL]}&dict=none&dev=none&train=en,es&set={SHORT}&called={name}"
    )
    settle(page)
    start = page.locator(MAIN).get_by_role("button", name="Start training", exact=True)
    if Uses.DICTIONARY in needed:
        box = page.locator(f"{MAIN} [data-testid=stFileUploader]").filter(has_text="Your own dictionary")
        box.locator("input[type=file]").set_input_files(dictionary)
        box.get_by_text(dictionary.name).wait_for()
        page.wait_for_timeout(300)
        page.wait_for_selector(IDLE)
    assert start.is_enabled(), page.locator(MAIN).inner_text()
    start.click()
    page.wait_for_url(lambda url: "run=" in url)
    run = next(run for run in list_runs("align") if run.title == name)
    assert run.spec["method"] == method
    assert any(one.startswith("max_steps=3") for one in run.spec["settings"])
    said = ended(run)
    assert said.status is Status.DONE, said.error
    assert (trained_folder(name) / "isogloss.json").is_file()
    page.wait_for_url(lambda url: name in url)  # the page has seen the end and shows the new encoder
    settle(page)
    assert page.locator("[data-testid=stException]").count() == 0
