"""Keeping a share of what training changed."""

import json

import numpy as np
import pytest

from analysis.alignment.run import align
from analysis.alignment.strength import rescale
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from analysis.scoring.evaluate import evaluate
from analysis.settings import parse_settings
from tests.test_registered import bitext

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A tiny encoder trained by the contrast for three steps."""
    spec, out = find("methods", "contrastive"), tmp_path_factory.mktemp("trained") / "new"
    settings = parse_settings(spec.settings, ["max_steps=3", "epochs=3", "lr=0.01", "join=1"])
    return align(spec, load_encoder(tiny), [bitext()], out=out, settings=settings, say=lambda _: None)


def vectors(name):
    return load_encoder(str(name)).words(bitext().source, cache=False).values


def test_no_share_is_the_base_and_the_whole_is_the_trained_encoder(trained, tiny, tmp_path):
    np.testing.assert_allclose(vectors(rescale(str(trained), 0.0, tmp_path / "none")), vectors(tiny), atol=1e-6)
    np.testing.assert_allclose(vectors(rescale(str(trained), 1.0, tmp_path / "all")), vectors(trained), atol=1e-6)


def test_half_lies_between(trained, tiny, tmp_path):
    half = vectors(rescale(str(trained), 0.5, tmp_path / "half"))
    whole = np.linalg.norm(vectors(trained) - vectors(tiny))
    assert 0 < np.linalg.norm(half - vectors(tiny)) < whole
    assert 0 < np.linalg.norm(half - vectors(trained)) < whole


def test_the_card_says_so_and_claims_no_scores(trained, tmp_path):
    card = json.loads((rescale(str(trained), 0.5, tmp_path / "half") / "isogloss.json").read_text("utf-8"))
    assert card["settings"]["strength"] == 0.5
    assert "development" not in card
    assert "recommended" not in card
    again = rescale(str(tmp_path / "half"), 0.5, tmp_path / "quarter")
    assert json.loads((again / "isogloss.json").read_text("utf-8"))["settings"]["strength"] == 0.25


def test_only_the_blocks_that_are_named_change(trained, tiny, tmp_path):
    upper = rescale(str(trained), 0.5, tmp_path / "upper", blocks="3-3")
    layers = {
        name: load_encoder(str(name)).words(bitext().source, layers=[2, 3], cache=False) for name in (trained, upper)
    }
    np.testing.assert_allclose(layers[upper].layer(2), layers[trained].layer(2), atol=1e-6)
    assert np.abs(layers[upper].layer(3) - layers[trained].layer(3)).max() > 1e-4
    every = rescale(str(trained), 0.5, tmp_path / "every", blocks="1-3")
    np.testing.assert_allclose(vectors(every), vectors(rescale(str(trained), 0.5, tmp_path / "half")), atol=1e-6)
    assert "--share 0.5 --out" in json.loads((upper / "isogloss.json").read_text("utf-8"))["command"]
    assert "--blocks 3-3" in json.loads((upper / "isogloss.json").read_text("utf-8"))["command"]
    with pytest.raises(InputError, match="outside the encoder"):
        rescale(str(trained), 0.5, tmp_path / "out", blocks="3-4")


def test_scores_on_development_data_stand_in_the_card(trained, tmp_path):
    told = []
    half = rescale(str(trained), 0.5, tmp_path / "half", dev=[bitext()], say=told.append)
    card = json.loads((half / "isogloss.json").read_text("utf-8"))
    (row,) = card["development"]
    wanted = [evaluate(row["measure"], load_encoder(str(one)), bitext()).score for one in (card["base"], half)]
    assert [row["base"], row["aligned"]] == pytest.approx(wanted)
    assert len(told) == 1
    assert card["links"]["decoder"]
    assert card["command"].endswith("--dev hand")
    assert f"{row['aligned']:.1f}" in (half / "README.md").read_text("utf-8")


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(trained, tmp_path, share):
    with pytest.raises(InputError, match="strength"):
        rescale(str(trained), share, tmp_path / "out")


def test_what_has_no_adapter_and_a_folder_in_use_are_refused(trained, tiny, tmp_path):
    with pytest.raises(InputError, match="no LoRA adapter"):
        rescale(tiny, 0.5, tmp_path / "out")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"):
        rescale(str(trained), 0.5, tmp_path / "used")
