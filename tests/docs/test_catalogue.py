"""The catalogue of methods is what the methods say of themselves, and what it says can be followed."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from analysis.alignment.job import make_spec
from analysis.alignment.method import Fidelity, Uses
from analysis.registry import registered
from analysis.settings import fields

pytestmark = pytest.mark.fast
DOCS = Path(__file__).parents[2] / "docs"
METHODS = sorted(registered("methods"))
REPEATED = ("data", "dictionary", "monolingual")


@pytest.fixture(scope="module")
def catalogue():
    """docs/catalogue.py, which is a script and no package."""
    sys.path.insert(0, str(DOCS))
    spec = importlib.util.spec_from_file_location("catalogue", DOCS / "catalogue.py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(DOCS))
    return module


@pytest.fixture(scope="module")
def page(catalogue):
    return catalogue.page()


def section(page, title):
    """The text below a heading."""
    return page.split(f"\n### {title}\n")[1].split("\n### ")[0].split("\n## ")[0]


def test_the_page_is_what_the_methods_say(page):
    written = (DOCS / "catalogue.md").read_text("utf-8")
    assert written == page, "docs/catalogue.md is not up to date: run `python docs/catalogue.py`"


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_its_facts_prose_and_settings(page, name):
    spec = registered("methods")[name]
    text = section(page, spec.title).replace("\\", "")
    for told in (spec.summary, spec.citation.rstrip("."), spec.fidelity, f"`{name}`", "**Source.**"):
        assert told in text
    assert not re.search(r"^(Args|Returns|Raises):", text, re.MULTILINE)
    shown = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    for title in re.findall(r"\[(\w+ settings)\]", text):
        shown |= set(re.findall(r"^\| `(\w+)`", section(page, title), re.MULTILINE))
    assert shown == {field.name for field in fields(spec.settings)}


@pytest.mark.parametrize("name", METHODS)
def test_its_commands_are_taken(catalogue, name, tmp_path):
    spec = registered("methods")[name]
    lines = catalogue.command_lines(spec)
    assert len(set(lines)) == len(lines) >= 1
    for line in lines:
        assert line in section(catalogue.page(), spec.title)
        words = shlex.split(line)
        assert words[:5] == ["python", "-m", "analysis", "align", name]
        given = {key.removeprefix("--"): value for key, value in zip(words[5::2], words[6::2], strict=True)}
        data = {key: [given[key]] if key in given else [] for key in REPEATED}
        made = make_spec(name, given["encoder"], out=tmp_path, **data)
        assert made["method"] == name


def test_every_table_is_whole_and_every_link_leads_somewhere(catalogue, page):
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
    headings = [catalogue.slug(title) for title in re.findall(r"^#+ (.*)$", page, re.MULTILINE)]
    assert len(set(headings)) == len(headings)
    assert set(re.findall(r"\]\(#(.*?)\)", page)) <= set(headings)
    assert page.count("```") % 2 == 0


def test_every_kind_of_data_and_grounding_is_explained(catalogue, page):
    assert set(catalogue.KINDS) == set(Uses)
    assert set(catalogue.GROUNDED) == set(Fidelity)
    assert all(meaning in page for meaning in catalogue.GROUNDED.values())


def test_what_markdown_would_take_for_itself_is_escaped(catalogue):
    assert catalogue.cell("a|b *c* <d> `e_f`") == "a\\|b \\*c\\* \\<d\\> `e_f`"
    assert catalogue.slug("Squared distance (Cao et al.)") == "squared-distance-cao-et-al"
