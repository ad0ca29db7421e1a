"""A transfer in a real browser: started, left, found again, done; and every registered regime from its form."""

import json
import re
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from analysis.alignment.method import Uses
from analysis.jobs.control import discard
from analysis.jobs.runs import list_runs
from analysis.jobs.state import Status, state
from analysis.registry import registered
from analysis.text.load import load_corpus
from analysis.transfer.item import Kind
from analysis.transfer.job import KIND
from tests.browser.app import IDLE, WAIT, settle
from tests.browser.conftest import overlapping

pytestmark = pytest.mark.browser
MAIN = "[data-testid=stMain]"
RUN = 240  # seconds
PREFERRED = (Kind.CLASS, Kind.PAIR, Kind.TAGS, Kind.TREE, Kind.SPAN, Kind.SCORE)
WORDS = (
    ("fox", "zorro"),
    ("dog", "perro"),
    ("bank", "banco"),
    ("account", "cuenta"),
    ("the", "el"),
    ("brown", "marrón"),
)
SHORT = "max_steps=3|batch=4|test_items=20"  # a form leaves out what it does not know


@pytest.fixture(autouse=True)
def _clean(tiny):
    """Of the runs on the tiny encoder nothing is left afterwards."""
    yield
    for run in list_runs(KIND):
        if run.spec["encoder"] == tiny:
            discard(run)
            shutil.rmtree(run.spec["out"], ignore_errors=True)


def start(page):
    """The button that starts."""
    return page.locator(MAIN).get_by_role("button", name=re.compile(r"^Start( \d runs)?$"))


def mine(tiny):
    """The newest run on the tiny encoder."""
    return next(run for run in list_runs(KIND) if run.spec["encoder"] == tiny)


def ended(run):
    """The state of a run once it has ended."""
    for _ in range(RUN * 4):
        if state(run).status is not Status.RUNNING:
            break
        time.sleep(0.25)
    return state(run)


def test_a_transfer_outlives_its_tab_and_shows_its_result(visit, tiny):
    page = visit(f"/transfer?a={tiny}&b={tiny}&langs=en,es&tongues=en,es,ar&how-learned={quote(SHORT)}")
    assert page.locator("h2").first.inner_text().startswith("Does a task learned in one language")
    start(page).click()
    page.wait_for_url(re.compile(r"transfer=[0-9a-f]{8}"))
    run = mine(tiny)
    address = page.url[page.url.index("/transfer") :]
    page.goto("about:blank")
    said = ended(run)
    assert said.status is Status.DONE, said.error

    again = visit(address)
    title = again.locator(f"{MAIN} h2").first.inner_text()
    assert "on the mean of 2 languages" in title
    found = json.loads((Path(run.spec["out"]) / "transfer.json").read_text("utf-8"))
    assert f"{found['source']:.1f}" in title
    assert again.locator(f"{MAIN} [data-testid=stVegaLiteChart]").first.is_visible()
    again.locator(".iso-errors td").first.wait_for()
    wide = again.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert wide <= 0
    assert overlapping(again, f"{MAIN} :is(h2, h3), {MAIN} [data-testid=stVegaLiteChart]") == []
    with again.expect_download() as fetched:
        again.locator(MAIN).get_by_role("button", name="JSON", exact=True).click()
    assert json.loads(Path(fetched.value.path()).read_text("utf-8")) == found


@pytest.fixture(scope="module")
def page(app_url, chromium):
    """One page for all regimes."""
    opened = chromium.new_page(viewport={"width": 1440, "height": 1500})
    opened.set_default_timeout(WAIT)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    """A few word pairs as a file of two columns."""
    path = tmp_path_factory.mktemp("dictionary") / "en-es.tsv"
    path.write_text("".join(f"{one}\t{other}\n" for one, other in WORDS), "utf-8")
    return path


def labelled(folder, kind, tag):
    """A small labelled file of one language; gives what a form calls it."""
    texts = [row[tag].text for row in load_corpus("tour").rows[:6]]  # pairs of the tour are translations of these
    first, second = texts[:3], texts[3:]
    path = folder / f"{tag}.{ {Kind.TAGS: 'conllu', Kind.TREE: 'conllu', Kind.SPAN: 'json'}.get(kind, 'tsv') }"
    if kind is Kind.CLASS:
        rows = [f"{text}\t{label}" for label, side in (("animal", first), ("money", second)) for text in side]
        lines = ["text\tlabel", *rows]
    elif kind in (Kind.PAIR, Kind.SCORE):
        same, other = ("same", "other") if kind is Kind.PAIR else ("5.0", "1.5")
        rows = [f"{one}\t{two}\t{label}" for side, label in ((first[::-1], same), (second, other))
                for one, two in zip(first, side, strict=True)]  # fmt: skip
        lines = ["text\ttext2\tlabel", *rows]
    elif kind is Kind.SPAN:
        asked = [
            {
                "id": str(n),
                "question": text,
                "answers": [{"text": text.split()[1], "answer_start": text.index(" ") + 1}],
            }
            for n, text in enumerate(first)
        ]
        data = [{"paragraphs": [{"context": text, "qas": [one]} for text, one in zip(first, asked, strict=True)]}]
        path.write_text(json.dumps({"data": data}, ensure_ascii=False), "utf-8")
        return f"{path}:{tag}"
    else:
        blocks = []
        for text in (*first, *second):
            cells = [
                "\t".join((str(n), word, "_", *(("NOUN", "_", "_", "1", "dep") if n > 1 else ("DET", "_", "_", "0", "root")),
                           "_", "O")) for n, word in enumerate(text.split(), 1)
            ]  # fmt: skip
            blocks.append("\n".join(cells) + "\n")
        lines = blocks
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return f"{path}:{tag}"


@pytest.mark.parametrize("regime", sorted(registered("regimes")))
def test_a_regime_goes_from_its_form_to_scores(page, app_url, tiny, tmp_path, dictionary, regime):
    spec, tasks = registered("regimes")[regime], registered("tasks")
    kind = next(one for one in PREFERRED if one in spec.kinds)
    task = next(name for name, one in tasks.items() if one.kind is kind)
    train, others = labelled(tmp_path, kind, "en"), labelled(tmp_path, kind, "es")
    needed = spec.needs | spec.needs_all
    extra = {use: "corpus:tour" if use in needed else "none" for use in (Uses.DATA, Uses.MONOLINGUAL)}
    page.goto(
        f"{app_url}/transfer?a={tiny}&b={tiny}&langs=en,es&task={task}&regime={regime}&learn={quote(train)}"
        f"&score-on={quote(f'{train}|{others}')}&with-pairs={extra[Uses.DATA]}&with-text={extra[Uses.MONOLINGUAL]}"
        f"&with-words=none&with-langs=en,es&how-learned={quote(SHORT)}&task-called=catalogue-{regime.replace('_', '-')}"
    )
    settle(page)
    if Uses.DICTIONARY in needed:
        box = page.locator(f"{MAIN} [data-testid=stFileUploader]").filter(has_text="Your own dictionary")
        box.locator("input[type=file]").set_input_files(dictionary)
        box.get_by_text(dictionary.name).wait_for()
        page.wait_for_timeout(300)
        page.wait_for_selector(IDLE)
    assert start(page).is_enabled(), page.locator(MAIN).inner_text()
    start(page).click()
    page.wait_for_url(re.compile(r"transfer=[0-9a-f]{8}"))
    run = mine(tiny)
    assert run.spec["regime"] == regime
    assert "max_steps=3" in run.spec["settings"]
    said = ended(run)
    assert said.status is Status.DONE, said.error
    page.locator(f"{MAIN} h2").filter(has_text="on 1 other language").wait_for()  # the open page has seen the end
    settle(page)
    assert page.locator("[data-testid=stException]").count() == 0
