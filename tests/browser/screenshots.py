"""Take the pictures of the README: start the app, open its pages in Chromium, write assets/screenshots/.

    python -m tests.browser.screenshots [NAME,...]

Evaluate and Transfer show a finished run: it is started from the page first, which takes two minutes each. Needs
what `requirements-test.txt` and the browser tests need.
"""

import argparse
import tempfile
from dataclasses import dataclass
from typing import Any

from tests.browser.app import ROOT, WAIT, browsing, serving, settle

FOLDER = ROOT / "assets" / "screenshots"
RUN = 900_000  # milliseconds that a run may take


@dataclass(frozen=True)
class Picture:
    """A page as its link opens it, in a window of this size."""

    name: str
    link: str
    themes: tuple[str, ...] = ("light", "dark")
    width: int = 1360
    height: int = 1150
    start: str = ""  # the button that starts the run it shows
    done: str = ""  # what stands on the page when that run has ended


PICTURES = (
    Picture("home", "/", width=1440, height=1000),
    Picture("explore", "/explore?word=bank&langs=en,ar,es,hi,ru,zh"),
    Picture("heatmap", "/heatmap?row=t001&source=en&target=es", height=1050),
    Picture("layers", "/layers?langs=en,ru"),
    Picture("translate", "/translate?langs=en,es,ru,zh,hi&row=t002"),
    Picture("data", "/data?langs=en,ar,es,hi,ru,zh", themes=("light",), height=1000),
    Picture("strengthen", "/strengthen", themes=("light",)),
    Picture("evaluate", "/evaluate?langs=en,ar,es,hi,ru,zh", height=1000, start="Compare", done="text=Mean rank"),
    Picture(
        "transfer", "/transfer", width=1400, height=1000, start="Start a first transfer", done="text=Change of the mean"
    ),
)


def main() -> None:
    """Take those asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="?", default="", help="of pictures, separated by commas; all without")
    wanted = [name for name in parser.parse_args().names.split(",") if name]
    if unknown := [name for name in wanted if name not in {picture.name for picture in PICTURES}]:
        raise SystemExit(f"no picture {unknown[0]!r}; valid: {', '.join(picture.name for picture in PICTURES)}")
    with (
        tempfile.TemporaryDirectory(prefix="isogloss-pictures-", ignore_cleanup_errors=True) as cache,
        serving({"ISOGLOSS_CACHE": cache}) as url,
        browsing() as browser,
    ):
        for picture in PICTURES:
            if not wanted or picture.name in wanted:
                address = url + picture.link
                if picture.start:
                    address = started(browser, address, picture)
                for theme in picture.themes:
                    take(browser, address, picture, theme)


def started(browser: Any, address: str, picture: Picture) -> str:
    """Start the run of a page and wait for its end; the address that shows it."""
    page = opened(browser, address, picture, picture.themes[0])
    page.get_by_role("button", name=picture.start, exact=True).first.click()
    page.wait_for_selector(picture.done, timeout=RUN)
    settle(page)
    found = str(page.url)
    page.close()
    return found


def opened(browser: Any, address: str, picture: Picture, theme: str) -> Any:
    """A page in a window of the picture's size, standing still."""
    page = browser.new_page(viewport={"width": picture.width, "height": picture.height}, color_scheme=theme)
    page.set_default_timeout(WAIT)
    page.goto(address)
    settle(page)
    return page


def take(browser: Any, address: str, picture: Picture, theme: str) -> None:
    """Write what the window shows."""
    page = opened(browser, address, picture, theme)
    for _ in range(2):  # a page may run again once its figures are there
        page.wait_for_timeout(1500)
        settle(page)
    path = FOLDER / f"{picture.name}-{theme}.png"
    page.screenshot(path=path)
    page.close()
    print(path.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    main()
