"""The shared choice of all pages and the URL."""

import pytest

from pages._parts.state import default_languages, follow

pytestmark = pytest.mark.fast


def layers(app):
    return [slider.value for slider in app.sidebar.slider]


def test_a_link_restores_the_view(run_page, tiny_folders):
    app = run_page(la="1", lb="2", lock="0", pool="first", langs="de,en", corpus="tour")
    assert not app.exception
    assert not app.error
    assert layers(app) == [1, 2]
    assert app.sidebar.multiselect[0].value == ["de", "en"]
    assert app.sidebar.radio[0].value == "first"
    assert app.query_params["langs"] == "de,en"
    assert app.query_params["lock"] == "0"
    assert app.query_params["a"] == str(tiny_folders["xlmr"])


def test_the_url_follows_the_widgets(run_page):
    app = run_page()
    app.sidebar.slider[0].set_value(1).run()
    assert app.query_params["la"] == "1"
    assert app.query_params["lb"] == "1"
    app.sidebar.toggle[0].set_value(False).run()
    app.sidebar.slider[1].set_value(3).run()
    assert (app.query_params["la"], app.query_params["lb"], app.query_params["lock"]) == ("1", "3", "0")


def test_names_that_cannot_be_give_one_line_each_and_the_last_good_value(run_page, tiny_folders):
    app = run_page()
    wrong = {"a": "nope", "b": "hub:", "corpus": "xx", "langs": "en,xx", "la": "99", "pool": "zz"}
    for key, value in wrong.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    said = " ".join(error.value for error in app.error)
    for value in ("nope", "hub", "'xx'", "no xx in tour", "99"):
        assert value in said
    assert all("\n" not in error.value for error in app.error)
    assert app.query_params["a"] == str(tiny_folders["xlmr"])
    assert app.query_params["corpus"] == "tour"
    assert app.query_params["langs"] == "en"
    assert app.query_params["pool"] == "mean"


def test_layers_are_locked_by_relative_depth():
    assert follow(3, 3, 12) == 12
    assert follow(6, 12, 3) == 2
    assert follow(0, 0, 12) == 0


def test_pasted_text_becomes_the_corpus_and_a_link(run_page):
    app = run_page()
    app.sidebar.selectbox[2].set_value("my text").run()
    assert app.query_params["corpus"] == "tour"
    app.sidebar.text_area[0].set_value("one small house ||| una casa pequeña\ntwo dogs ||| dos perros")
    app.sidebar.button[0].click().run()
    assert not app.exception
    assert not app.error
    corpus = app.query_params["corpus"]
    assert corpus.startswith("text-")
    again = run_page(corpus=corpus)
    assert again.query_params["corpus"] == corpus
    assert "casa pequeña" in again.sidebar.text_area[0].value


def test_a_page_value_in_the_url_reaches_the_page_and_a_wrong_one_does_not_break_it(run_page):
    app = run_page("heatmap", row="t003", decoder="itermax", source="es", target="en")
    assert app.query_params["row"] == "t003"
    assert app.query_params["decoder"] == "itermax"
    app = run_page("heatmap", row="no such row", decoder="no such decoder")
    assert not app.exception
    assert app.query_params["row"] == "t001"


def test_default_languages_prefer_many_scripts():
    chosen = default_languages(("en", "ar", "de", "el", "es", "fr", "hi", "ja", "ru", "zh"))
    assert set(chosen) == {"en", "es", "ru", "ar", "hi", "zh"}
    assert default_languages(("sw", "tr")) == ("sw", "tr")
