"""The page of regimes and tasks is what they say of themselves, and what it says can be followed."""

import re
import shlex
import sys

import pytest

from analysis.registry import registered
from analysis.settings import fields
from analysis.transfer.job import make_spec
from tests.docs.test_catalogue import DOCS

pytestmark = pytest.mark.fast
REGIMES = sorted(registered("regimes"))


@pytest.fixture(scope="module")
def catalogue():
    """docs/transfer_catalogue.py, which is a script and no package."""
    sys.path.insert(0, str(DOCS))
    try:
        import transfer_catalogue

        return transfer_catalogue
    finally:
        sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def page(catalogue):
    return catalogue.page()


def section(page, title):
    return page.split(f"\n### {title}\n")[1].split("\n### ")[0].split("\n## ")[0]


def test_the_page_is_what_they_say(page):
    written = (DOCS / "regimes.md").read_text("utf-8")
    assert written == page, "docs/regimes.md is not up to date: run `python docs/transfer_catalogue.py`"


@pytest.mark.parametrize("name", REGIMES)
def test_a_regime_has_its_facts_prose_and_settings(page, name):
    spec = registered("regimes")[name]
    text = section(page, spec.title).replace("\\", "")
    for told in (spec.summary, spec.citation.rstrip("."), spec.fidelity, f"`{name}`", "**Source.**", "**In plain words.**",
                 "**Relatives.**", "```text"):  # fmt: skip
        assert told in text
    shown = set(re.findall(r"^\| `(\w+)`", text + page.split("\n## Transfer settings\n")[1], re.MULTILINE))
    assert shown >= {field.name for field in fields(spec.settings)}


@pytest.mark.parametrize("name", REGIMES)
def test_its_command_is_taken(catalogue, name, tmp_path):
    words = shlex.split(catalogue.command_line(registered("regimes")[name]))[5:]
    given = {"data": [], "dictionary": [], "monolingual": []}
    for option, value in zip(words[::2], words[1::2]):
        key = option.removeprefix("--")
        if key in given:
            given[key].append(value)
    task = words[words.index("--task") + 1]
    spec = make_spec(name, task, "bundled", train=[], test=[], out=tmp_path / "out", **given)
    assert spec["regime"] == name


def test_every_task_is_there(page):
    assert all(f"| `{name}` |" in page for name in registered("tasks"))
