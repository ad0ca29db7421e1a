"""The layers page on tiny encoders: figures, settings in the link, corpora that offer little."""

import json

import pytest

from analysis.text.uploads import save_text
from tests.pages.opened import findings, open_page

pytestmark = pytest.mark.fast


@pytest.fixture
def pair(tiny_folders):
    """Two encoders of different tokenizers."""
    return {"a": tiny_folders["xlmr"], "b": tiny_folders["bert"]}


def charts(app):
    return [json.loads(item.proto.spec) for item in app.get("vega_lite_chart")]


def test_curves_cka_and_pairs_of_the_tour(pair):
    app = open_page("layers", **pair, langs="en,ru,ar")
    assert not app.exception
    assert not app.error
    curves, cka, pairs = findings(app)
    assert "en-ru" in curves
    assert "en and ru have a CKA of" in cka
    assert pairs == "xlmr pulls 0 of 2, bert pulls 0 of 2 pairs with English apart towards the last layer"
    assert len(charts(app)) == 3
    assert app.query_params["target"] == "ru"
    captions = " ".join(item.value for item in app.caption)
    assert "choose layers on development data" in captions
    assert "shuffled pairs give" in captions


def test_the_layer_of_the_sidebar_changes_the_table(pair):
    shown = [open_page("layers", **pair, langs="en,ru", la=layer).dataframe[0].value for layer in (0, 3)]
    assert "A, layer 0" in shown[0].columns
    assert "A, layer 3" in shown[1].columns
    assert len(shown[0]) == 4


def test_measures_and_cka_of_encoders_come_from_the_link(pair):
    app = open_page("layers", **pair, langs="en,es", measures="aer,cka", cka="encoders", decoder="itermax")
    assert not app.exception
    assert app.multiselect(key="page measures").value == ["aer", "cka"]
    assert any("see English words with a CKA of" in told for told in findings(app))
    assert app.query_params["decoder"] == "itermax"


def test_encoders_of_other_depth_share_the_page(pair, tmp_path):
    from safetensors.numpy import load_file, save_file

    other = tmp_path / "shallow"
    other.mkdir()
    for path in pair["b"].iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}))
    weights = load_file(other / "model.safetensors")
    save_file({k: v for k, v in weights.items() if "layer.2." not in k}, other / "model.safetensors", {"format": "pt"})
    app = open_page("layers", a=pair["a"], b=other, langs="en,ru", cka="encoders")
    assert not app.exception
    assert not app.error
    assert len(charts(app)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("only one language here\nand a second line", "need two languages that share rows"),
        ("hello ||| привет", "CKA needs at least 4 sentence pairs"),
        ("... ||| ؟؟؟\n<b>x</b> ||| \u202eabc", "CKA needs at least 4 sentence pairs"),
    ],
)
def test_poor_corpora_get_one_clear_line(pair, text, said):
    app = open_page("layers", **pair, corpus=f"text-{save_text(text)}")
    assert not app.exception
    assert any(said in item.value for item in app.info)


def test_languages_without_a_common_row(pair):
    text = save_text("one ||| \n ||| zwei\nthree ||| ", ["en", "de"])
    app = open_page("layers", **pair, corpus=f"text-{text}")
    assert not app.exception
    assert [item.value for item in app.error] == [
        "no row has English and another of the languages chosen; choose others"
    ]


def test_a_bad_link_falls_back(pair):
    app = open_page(
        "layers", **pair, langs="en,ru", measures="x", decoder="y", level="z", pairs="7", source="qq", over="w"
    )
    assert not app.exception
    assert len(findings(app)) == 2


def test_measures_of_many_languages_and_of_one_text_have_curves_too(tiny, cache):
    from tests.pages.fake_runs import write_encoder

    write_encoder(tiny)
    app = open_page("layers", a=tiny, b=f"{tiny}+strong", langs="en,ru,ar", measures="drift,language_identity,norms")
    assert not app.exception
    assert not app.error
    panels = charts(app)[0]["facet"]["sort"]
    assert [panel.rpartition(", ")[2] for panel in panels] == ["en", "3 languages", "en-ru"]
    captions = " ".join(item.value for item in app.caption).replace("\\", "")
    assert "A has no curve of drift" in captions
    table = app.dataframe[0].value
    assert len(table) == 3
    assert table["best layer B"].isna().any()


def test_a_measure_without_a_direction_praises_no_layer(pair):
    app = open_page("layers", **pair, langs="en,ru,ar", measures="norms", over="norms")
    told = findings(app)
    assert not app.exception
    assert "of en-ru at the last layer: xlmr" in told[0]
    assert not any("apart" in one for one in (told[0], told[-1]))
    assert told[-1].endswith("by layer for each language with English")


def test_measures_that_the_corpus_cannot_meet_are_named_with_the_reason(pair):
    app = open_page("layers", **pair, langs="en,ru")
    captions = [item.value.replace("\\", "") for item in app.caption]
    assert any("Semantic similarity" in one and "human scores" in one for one in captions)
    assert any("neither A nor B is aligned" in one for one in captions)
