"""Take the pictures of the README: start the app, open its pages in Chromium, write assets/screenshots/.

    python docs/screenshots.py [NAME,...]

Needs `chromium` on the path and `pip install playwright`. The pages Evaluate and Transfer show finished runs, so their
pictures are taken by hand.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "assets" / "screenshots"
WAIT = 300_000  # milliseconds; the first view of a page encodes its text
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


@dataclass(frozen=True)
class Picture:
    """A page as its link opens it, in a window of this size."""

    name: str
    link: str
    themes: tuple[str, ...] = ("light", "dark")
    width: int = 1360
    height: int = 1150


PICTURES = (
    Picture("home", "/", width=1440, height=1000),
    Picture("explore", "/explore?word=bank&langs=en,ar,es,hi,ru,zh"),
    Picture("heatmap", "/heatmap?row=t001&source=en&target=es", height=1050),
    Picture("layers", "/layers?langs=en,ru"),
    Picture("translate", "/translate?langs=en,es,ru,zh,hi&row=t002"),
    Picture("data", "/data?langs=en,ar,es,hi,ru,zh", themes=("light",), height=1000),
    Picture("strengthen", "/strengthen", themes=("light",)),
)


def main() -> None:
    """Take those asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="?", default="", help="of pictures, separated by commas; all without")
    wanted = [name for name in parser.parse_args().names.split(",") if name]
    if unknown := [name for name in wanted if name not in {picture.name for picture in PICTURES}]:
        raise SystemExit(f"no picture {unknown[0]!r}; valid: {', '.join(picture.name for picture in PICTURES)}")
    with serving() as url:
        for picture in PICTURES:
            for theme in picture.themes if not wanted or picture.name in wanted else ():
                take(url, picture, theme)


@contextmanager
def serving() -> Iterator[str]:
    """The address of an app that runs as on the first day, with an empty cache and no runs."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    cache = tempfile.mkdtemp(prefix="isogloss-pictures-")
    environment = os.environ | {"ISOGLOSS_CACHE": cache}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://localhost:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                if server.poll() is not None:
                    raise SystemExit("the app ended before it answered") from None
                time.sleep(0.25)
        yield url
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(cache, ignore_errors=True)


def take(url: str, picture: Picture, theme: str) -> None:
    """Open a page, wait until it stands still, and write what the window shows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without its sandbox it runs as root, too; it opens this app only.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": picture.width, "height": picture.height}, color_scheme=theme)
        page.set_default_timeout(WAIT)
        page.goto(url + picture.link)
        page.wait_for_selector("[data-testid=stSidebar] [data-testid=stSlider]")
        for _ in range(3):  # a page may run again once its figures are there
            page.wait_for_selector(IDLE)
            page.wait_for_timeout(1500)
        path = FOLDER / f"{picture.name}-{theme}.png"
        page.screenshot(path=path)
        browser.close()
    print(path.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    main()
