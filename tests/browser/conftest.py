"""One server and one headless Chromium for each test process."""

import pytest

from tests.browser.app import WAIT, browsing, serving, settle

# Opened at the address of a page, Streamlit first asks for these beside it, then at the root.
HARMLESS = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture(scope="session")
def app_url(_shared_cache):
    """The address of a running server with the bundled encoder and the run's own cache."""
    with serving() as url:
        yield url


@pytest.fixture(scope="session")
def chromium():
    """The browser."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def visit(app_url, chromium):
    """Open a page of the app and wait until it stands still; at the end nothing may have gone wrong in it."""
    opened = []

    def go(path="/", *, theme="light", height=1500):
        page = chromium.new_page(viewport={"width": 1440, "height": height}, color_scheme=theme)
        page.set_default_timeout(WAIT)
        problems: list[str] = []
        opened.append((page, problems))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "response",
            lambda answer: problems.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        page.on("request", lambda asked: None if is_local(asked.url) else problems.append(f"outside: {asked.url}"))
        page.goto(app_url + path)
        settle(page)
        return page

    yield go
    for page, problems in opened:
        exceptions = page.locator("[data-testid=stException]").all_inner_texts()
        page.close()
        assert not exceptions
        assert not real(problems)


def is_local(url):
    """Whether an address is the server's own."""
    return url.startswith(("http://localhost", "ws://localhost", "data:", "blob:"))


def real(problems):
    """The problems that are some: without the two look-ups that Streamlit makes beside a page's address."""
    kept = [one for one in problems if not one.endswith(HARMLESS)]
    return [one for one in kept if "status of 404" not in one or len(kept) > sum("status of 404" in k for k in kept)]


def plotted(page, number=0):
    """The data of a Plotly figure, as the browser has it."""
    page.wait_for_selector(".js-plotly-plot .main-svg")
    return page.evaluate(
        "n => JSON.stringify(document.querySelectorAll('.js-plotly-plot')[n].data.map(t => [t.x, t.y, t.z]))", number
    )


def press_slider(page, label, key="ArrowLeft"):
    """Move a slider of the sidebar by one step and wait for the page."""
    page.get_by_role("slider", name=label).press(key)
    page.wait_for_timeout(400)
    settle(page)


def overlapping(page, selector):
    """Pairs of visible elements of one kind whose boxes overlap."""
    boxes = [item.bounding_box() for item in page.locator(selector).all() if item.is_visible()]
    edges = [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in boxes if box]
    return [
        (i, j)
        for i, a in enumerate(edges)
        for j, b in enumerate(edges[:i])
        if a[0] < b[2] - 2 and b[0] < a[2] - 2 and a[1] < b[3] - 2 and b[1] < a[3] - 2
    ]
