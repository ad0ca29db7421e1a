"""The encoders that come along: small, documented, loadable, and the recommended one is the best on development data."""

import json
from statistics import mean

import pytest

from analysis.assets import assets_folder
from analysis.encoders.load import load_encoder
from analysis.scoring.evaluate import evaluate
from analysis.store import folder_bytes
from analysis.text.load import load_corpus

CARDS = {path.parent.name: json.loads(path.read_text("utf-8"))
         for path in sorted((assets_folder() / "encoders").glob("*/isogloss.json"))}  # fmt: skip
MOST_BYTES = 6_000_000


@pytest.mark.fast
@pytest.mark.parametrize("name", CARDS)
def test_a_shipped_encoder_is_small_and_says_where_it_comes_from(name):
    card, folder = CARDS[name], assets_folder() / "encoders" / name
    assert folder_bytes(folder) <= MOST_BYTES
    assert card["base"] == "bundled"
    first = card.get("stages", [card])[0]["method"]
    assert card["command"].startswith(f"python -m analysis align {first} --encoder bundled")
    assert card["command"].count(f"assets/encoders/{name}") == 1
    assert card["development"]
    assert all(source["licence"] and source["licence"] != "licence not stated" for source in card["sources"])
    assert all(source["name"] in (folder / "README.md").read_text("utf-8") for source in card["sources"])
    assert "tour" not in card["command"]
    assert len(card["languages"]) >= 12


@pytest.mark.fast
def test_the_recommended_one_is_the_best_on_development_data():
    scores = {name: mean(row["aligned"] for row in card["development"]) for name, card in CARDS.items()}
    assert [name for name, card in CARDS.items() if card.get("recommended")] == [max(scores, key=scores.__getitem__)]


@pytest.mark.real
@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card["method"] == "contrastive"])
def test_an_encoder_trained_by_contrast_finds_more_translations_in_the_tour(name, bundled):
    pairs = load_corpus("tour").pair("en", "es")
    before, after = (
        evaluate("word_retrieval", encoder, pairs) for encoder in (bundled, load_encoder(f"bundled+{name}"))
    )
    assert after.score > before.score
