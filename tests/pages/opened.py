"""Opens one page of the app without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "app.py"


def open_page(name, **link):
    """The page with this name, run once for a link with these parameters."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    for key, value in link.items():
        app.query_params[key] = str(value)
    app.switch_page(f"pages/{name}.py")
    return app.run()


def findings(app):
    """The titles that tell a finding, as they read."""
    marks = ("## ", "### ")
    return [item.value.lstrip("# ").replace("\\", "") for item in app.markdown if item.value.startswith(marks)]


def html_of(app):
    """All HTML of the page."""
    return "".join(item.proto.body for item in app.get("html"))
