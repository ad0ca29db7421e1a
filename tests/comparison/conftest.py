"""Toy measures that are registered for one test, a file in four languages, requests on tiny encoders."""

import pytest

from analysis.comparison.request import Asked, Request
from analysis.registry import registered
from tests.comparison import toys
from tests.tiny import write_tiny


@pytest.fixture
def toy(monkeypatch):
    """The toy measures, registered; gives the list of what they were asked."""
    for measure in (toys.NEAR, toys.PICKY):
        monkeypatch.setitem(registered("measures"), measure.name, measure)
    toys.CALLS.clear()
    return toys.CALLS


@pytest.fixture
def table(tmp_path):
    """A file in four languages."""
    path = tmp_path / "four, languages.tsv"
    path.write_text(toys.TSV, "utf-8")
    return str(path)


@pytest.fixture(scope="session")
def second_tiny(tmp_path_factory):
    """Another random encoder with the same tokenizer."""
    return str(write_tiny(tmp_path_factory.mktemp("second") / "tiny", "xlmr", seed=7))


@pytest.fixture
def asking(cache, toy, tiny, second_tiny, table):
    """Makes a request: two tiny encoders, the near toy, the file, unless told otherwise."""

    def make(*measures, **fields):
        asked = tuple(map(Asked.parse, measures or ("toy_near",)))
        return Request(**{"encoders": (tiny, second_tiny), "measures": asked, "data": (table,)} | fields)

    return make
