"""The three first pages with tiny encoders, and with text that tries to break them."""

import json

import pytest

from tests.pages.conftest import headers

pytestmark = pytest.mark.fast

HOSTILE = {
    "strange": "<b>bank</b> <script>alert(1)</script> &amp; ||| <img src=x onerror=alert(1)> banco\n"
    "$$x$$ :red[hi] ![a](http://e.example/x.png) ||| [l](javascript:alert(1)) `c` **b**\n"
    "abc \u202egnip\u202c def ||| \u2067שלום עולם\u2069 \u200f\n"
    "bad \ud800 text \U0001f469\u200d\U0001f467 ||| mal \udfff texto zero\u200bwidth",
    "one language": "The bank is closed.\nThe river is wide.\nWe walk home.",
    "one row": "The bank is closed. ||| El banco está cerrado.",
    "one word": "bank",
    "ragged": "one two three ||| uno dos tres\nonly one side here\n ||| sólo el otro lado",
    "long": ("word " * 450) + "||| " + ("palabra " * 450),
}


def plots(app):
    return app.get("plotly_chart")


@pytest.mark.parametrize("name", ["home", "explore", "heatmap"])
def test_the_page_draws_its_figure(run_page, name):
    app = run_page(name)
    assert not app.exception
    assert not app.error
    assert len(plots(app)) == 1
    assert "A" in headers(app)
    assert "%" in headers(app)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_breaks_a_page(run_page, store_text, text):
    corpus = store_text(text)
    for name, query in (("home", {}), ("explore", {"word": "<b>"}), ("explore", {"unit": "sentence"}), ("heatmap", {})):
        app = run_page(name, corpus=corpus, **query)
        assert not app.exception, (name, query)
        assert len(plots(app)) + len(app.info) + len(app.error) >= 1
        for shown in [*app.markdown, *app.caption, *app.header]:
            assert "<script>" not in shown.value
            assert "<img" not in shown.value


def test_hover_and_tick_labels_of_a_plot_are_escaped(run_page, store_text):
    corpus = store_text(HOSTILE["strange"])
    for name in ("home", "explore", "heatmap"):
        spec = json.dumps(json.loads(plots(run_page(name, corpus=corpus))[0].proto.spec))
        assert "<script" not in spec
        assert "<img" not in spec
        assert "<i>" not in spec


def test_the_layer_slider_changes_the_figure(run_page):
    for name in ("explore", "heatmap"):
        app = run_page(name)
        before = plots(app)[0].proto.spec
        app.sidebar.slider(key="box layer a").set_value(1).run()
        assert not app.exception
        assert plots(app)[0].proto.spec != before


def test_explore_finds_a_word_with_its_translations(run_page):
    app = run_page("explore", word="bank")
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert ">bank</mark>" in shown
    assert ">banco</mark>" in shown
    app = run_page("explore", word="no such word at all")
    assert any("no such word" in caption.value for caption in app.caption)


def test_explore_shows_sentences_and_only_chosen_senses(run_page):
    app = run_page("explore", unit="sentence")
    assert not app.exception
    assert "sentence" in headers(app)
    app = run_page("explore", senses="bank (money)|no such sense", shape="sense")
    assert not app.exception
    assert app.multiselect(key="page senses").value == ["bank (money)"]


def test_explore_says_that_it_shows_a_sample(run_page):
    app = run_page("explore", limit="500", all="1")
    assert any("A sample" in caption.value for caption in app.caption)


def test_heatmap_takes_a_typed_pair_and_restores_it_from_its_link(run_page):
    app = run_page("heatmap", **{"from": "typed"})
    assert not plots(app)
    app.main.text_area[0].set_value("the small dog ||| <b>")
    app.main.text_area[1].set_value("der kleine Hund")
    app.main.button[0].click().run()
    assert not app.exception
    assert len(plots(app)) == 1
    again = run_page("heatmap", **{"from": "typed", "pair": app.query_params["pair"]})
    assert again.main.text_area[1].value == "der kleine Hund"
    assert len(plots(again)) == 1


def test_heatmap_explains_an_empty_side_and_a_pair_that_is_gone(run_page):
    app = run_page("heatmap", **{"from": "typed"})
    app.main.text_area[0].set_value("  ")
    app.main.button[0].click().run()
    assert not app.exception
    assert app.info
    app = run_page("heatmap", **{"from": "typed", "pair": "0" * 16})
    assert not app.exception
    assert app.error


def test_encoders_of_other_depth_and_width_stand_side_by_side(run_page, tmp_path):
    from transformers import BertConfig, BertModel

    from tests.tiny import write_tiny

    folder = write_tiny(tmp_path / "wide", "bert")
    config = BertConfig(
        vocab_size=400, hidden_size=24, num_hidden_layers=5, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    for name in ("home", "explore", "heatmap"):
        app = run_page(name, b=str(folder))
        assert not app.exception
        assert not app.error
        assert len(plots(app)) == 1
        assert app.query_params["lb"] == "5"
