"""The app on a free port, and the Chromium that opens it: for the browser tests and the pictures of the README."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Without its sandbox Chromium runs as root, too; it opens this app only.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT = 300_000  # milliseconds; the first view of a page encodes its text
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
SECONDS = 60.0  # until the server must answer


@contextmanager
def serving(environment: Mapping[str, str] = {}) -> Iterator[str]:
    """The address of the app, which ends with the block.

    Args:
        environment: variables that it has beside those of this process.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://localhost:{port}"
    try:
        _await(server, f"{url}/_stcore/health")
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _await(server: subprocess.Popen[bytes], health: str) -> None:
    """Wait until the server says that it is well."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(health, timeout=1).close()
            return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError("the app ended before it answered") from None
            time.sleep(0.25)
    raise RuntimeError(f"the app did not answer within {SECONDS:.0f} s")


@contextmanager
def browsing() -> Iterator[Any]:
    """A headless Chromium, the one of the system."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def settle(page: Any) -> None:
    """Wait until the script has run and the page stands still."""
    page.wait_for_selector("[data-testid=stSidebar] [data-testid=stSlider]")
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(300)
    page.wait_for_selector(IDLE)
