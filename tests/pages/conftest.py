"""Pages run without a browser: the whole app by AppTest, with tiny encoders unless a test says otherwise."""

from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app.py"
WAIT = 120


@pytest.fixture(autouse=True)
def _by_navigation(monkeypatch):
    """Every run goes through app.py, as on a server where st.navigation has been called once.

    AppTest forgets that before each run and would take the folder pages/ for an app of the old kind.
    """
    from streamlit.runtime.pages_manager import PagesManager

    original = PagesManager.__init__

    def made(self, *args, **options):
        original(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", made)


@pytest.fixture
def run_page(tiny_folders):
    """Run one page with query parameters; A and B are tiny encoders by default."""
    from streamlit.testing.v1 import AppTest

    def run(name="home", **query):
        app = AppTest.from_file(str(APP), default_timeout=WAIT)
        defaults = {"a": str(tiny_folders["xlmr"]), "b": str(tiny_folders["bert"]), "langs": "en,es"}
        if "corpus" in query:
            defaults.pop("langs")
        for key, value in {**defaults, **query}.items():
            app.query_params[key] = value
        app.run()
        if name != "home":
            app.switch_page(f"pages/{name}.py").run()
        return app

    return run


@pytest.fixture
def store_text():
    """Store text as somebody would paste it and give its id as a corpus."""
    from analysis.text.uploads import save_text

    return lambda text, languages=None: f"text-{save_text(text, languages)}"


def headers(app):
    """The text of all headers."""
    return " ".join(header.value for header in app.header)
