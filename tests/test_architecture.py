"""The house's order: who may import whom, and what never happens below analysis/."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[1]
LEAVES = {"errors", "settings", "records", "registry", "store", "assets", "jobs"}
# A room may import itself, leaves, and rooms that stand before it; rooms in one group may not import each other
# unless the group's order allows it.
ORDER = [
    "text", "encoders", "neighbours", "links", "projection", "scoring", "measures", "comparison", "training",
    "alignment", "transfer", "figures", "cli",
]  # fmt: skip
MAY = {room: set(ORDER[: n + 1]) for n, room in enumerate(ORDER)}
HEAVY = {"torch", "transformers", "umap", "sklearn", "scipy", "pyarrow", "icu", "pandas"}


def modules():
    return sorted(path for path in (ROOT / "analysis").rglob("*.py"))


def imports(path, *, top_only=False):
    """Names of the modules a file imports."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_stands_before_it(path):
    parts = path.relative_to(ROOT / "analysis").with_suffix("").parts
    room = parts[0]
    for name in imports(path):
        if not name.startswith("analysis."):
            continue
        wanted = name.split(".")[1]
        if room in LEAVES:
            assert wanted in LEAVES, f"leaf {room} imports room {wanted}"
        elif room in MAY and wanted not in LEAVES:
            assert wanted in MAY[room], f"{room} imports {wanted}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_interface_below_analysis_and_nothing_heavy_at_the_top(path):
    assert not {name.split(".")[0] for name in imports(path)} & {"streamlit", "pages", "app"}
    if "figures" not in path.parts:
        assert not {name.split(".")[0] for name in imports(path, top_only=True)} & HEAVY


def test_files_stay_readable():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*modules(), ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
        if (lines := path.read_text("utf-8").count("\n")) > 300
    }
    assert not long


def test_every_room_is_packaged():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    rooms = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "analysis").rglob("__init__.py")}
    assert listed == rooms | {"analysis._assets"}


def test_the_package_installs_with_its_assets():
    done = subprocess.run(
        [sys.executable, "-c", "import analysis.assets as a; print((a.assets_folder() / 'corpora' / 'tour').is_dir())"],
        cwd=ROOT / "tests", capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "True"
