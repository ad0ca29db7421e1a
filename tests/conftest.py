"""Fixtures for all tests: tiny encoders made on the spot, a private cache folder, the bundled encoder once a process."""

import os
import signal
from pathlib import Path

import hypothesis
import pytest

from tests.tiny import FAMILIES, write_tiny

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every process they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A first call imports libraries, so how long an example takes says nothing.
hypothesis.settings.register_profile("isogloss", deadline=None)
hypothesis.settings.load_profile("isogloss")
MARKS = ("fast", "real", "browser", "deep")


def pytest_collection_modifyitems(items):
    """Every test carries one of the four marks, so that `make test` and CI know what they run."""
    bare = [item.nodeid for item in items if not any(item.get_closest_marker(mark) for mark in MARKS)]
    if bare:
        raise pytest.UsageError(f"tests without a mark ({', '.join(MARKS)}): {', '.join(bare[:5])}")


@pytest.fixture(scope="session", autouse=True)
def _shared_cache(tmp_path_factory):
    """The converted bundled weights are kept for the whole run of a test process; nothing touches the user's own cache."""
    folder = os.environ.get("ISOGLOSS_TEST_CACHE") or str(tmp_path_factory.mktemp("cache"))
    before = os.environ.get("ISOGLOSS_CACHE")
    os.environ["ISOGLOSS_CACHE"] = folder
    yield
    if before is None:
        del os.environ["ISOGLOSS_CACHE"]
    else:
        os.environ["ISOGLOSS_CACHE"] = before


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ISOGLOSS_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory) -> dict[str, Path]:
    """A random encoder of each family, two layers deep and 16 wide, in folders."""
    root = tmp_path_factory.mktemp("tiny")
    return {family: write_tiny(root / family, family) for family in FAMILIES}


@pytest.fixture(scope="session")
def tiny(tiny_folders) -> str:
    """The name of one tiny encoder, for tests that need any encoder."""
    return str(tiny_folders["xlmr"])


@pytest.fixture(scope="session")
def bundled():
    """The bundled encoder; its weights are converted and loaded once a test process."""
    from analysis.encoders.load import load_encoder

    return load_encoder("bundled")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public evaluation sets, which are not part of the project."""
    named = os.environ.get("ISOGLOSS_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the public sets are not here; set ISOGLOSS_DATA to their folder")
    return folder
