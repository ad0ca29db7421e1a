"""Isogloss in the browser: `streamlit run app.py`. Navigation and the shared sidebar, nothing else."""

import ast
from pathlib import Path

import streamlit as st

from pages._parts import state

PAGES = Path(__file__).parent / "pages"


def constants(page: Path) -> dict[str, object]:
    """The literals a page assigns at its top (TITLE, ORDER), read without running it."""
    found: dict[str, object] = {}
    for node in ast.parse(page.read_text("utf-8")).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        ):
            found[node.targets[0].id] = node.value.value
    return found


def find_pages() -> list[tuple[Path, str]]:
    """Every page and its title, in order."""
    files = [path for path in PAGES.glob("*.py") if not path.name.startswith("_")]
    known = {path: constants(path) for path in files}
    order = sorted(files, key=lambda path: (float(str(known[path].get("ORDER", 99))), path.stem))
    return [(path, str(known[path].get("TITLE", path.stem.capitalize()))) for path in order]


st.set_page_config("Isogloss", layout="wide")
page = st.navigation([st.Page(path, title=title, default=n == 0) for n, (path, title) in enumerate(find_pages())])
state.sidebar()
page.run()
