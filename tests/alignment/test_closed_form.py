"""Closed-form maps against independent references, and what an aligned encoder does with them."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from analysis.alignment.clbt import least_squares
from analysis.alignment.linear import covariance, principal_axes
from analysis.alignment.pairs import PairSettings, collect
from analysis.alignment.rotation import procrustes
from analysis.alignment.run import align
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from analysis.settings import parse_settings
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast
ENGLISH = ["the quick fox", "a bank account", "the lazy dog jumps", "brown river bank", "over the fox"]
SPANISH = ["el rápido zorro", "la cuenta perro", "el perro perezoso salta", "marrón zorro salta", "sobre el zorro"]


def bitext(rows=range(5), links=True):
    """English and Spanish with word n linked to word n."""
    source = tuple(Sentence.from_words(ENGLISH[n].split(), "en") for n in rows)
    target = tuple(Sentence.from_words(SPANISH[n].split(), "es") for n in rows)
    made = tuple(
        Links(frozenset((k, k) for k in range(min(len(a.spans), len(b.spans))))) for a, b in zip(source, target)
    )
    return Bitext("test", ("en", "es"), source, target, made if links else None, "gold" if links else "")


@given(st.integers(0, 2**31), st.integers(2, 12), st.integers(1, 40))
def test_procrustes_is_scipys_and_orthogonal(seed, dim, n):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, dim))
    found = procrustes(x, y)
    np.testing.assert_allclose(found @ found.T, np.eye(dim), atol=1e-9)
    expected, _ = scipy.linalg.orthogonal_procrustes(x, y)
    assert np.linalg.norm(x @ found - y) == pytest.approx(np.linalg.norm(x @ expected - y), abs=1e-8)


def test_procrustes_finds_a_rotation_again():
    rng = np.random.default_rng(0)
    x, rotation = rng.normal(size=(50, 8)), np.linalg.qr(rng.normal(size=(8, 8)))[0]
    np.testing.assert_allclose(procrustes(x, x @ rotation), rotation, atol=1e-10)


def test_least_squares_is_numpys_without_ridge_and_the_identity_with_a_strong_one():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30, 5))
    np.testing.assert_allclose(least_squares(x, y), np.linalg.lstsq(x, y, rcond=None)[0])
    np.testing.assert_allclose(least_squares(x, y, ridge=1e9), np.eye(5), atol=1e-6)
    stacked = np.concatenate([x / np.sqrt(30), np.sqrt(0.1 * (x**2).mean()) * np.eye(5)])
    wanted = np.concatenate([y / np.sqrt(30), np.sqrt(0.1 * (x**2).mean()) * np.eye(5)])
    np.testing.assert_allclose(least_squares(x, y, ridge=0.1), np.linalg.lstsq(stacked, wanted, rcond=None)[0])


def test_principal_axes_are_orthonormal_and_find_the_long_axis():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(200, 6)) * [1, 1, 9, 1, 5, 1] + 100
    np.testing.assert_allclose(covariance(cloud), np.cov(cloud.T, bias=True))
    axes = principal_axes(covariance(cloud), 2)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-10)
    assert np.abs(axes[2, 0]) > 0.95
    assert np.abs(axes[4, 1]) > 0.95


def test_pairs_are_the_linked_words(tiny):
    encoder = load_encoder(tiny)
    data = bitext().flipped()
    pairs = collect(encoder, [data], "es", PairSettings(layers="2"), seed=0)
    source, target = encoder.words(data.source, layers=[2]), encoder.words(data.target, layers=[2])
    rows = [(n, i, j) for n, links in enumerate(data.links) for i, j in sorted(links.sure)]
    at = lambda vectors, n, k: vectors.values[0][(vectors.units.sentence == n) & (vectors.units.position == k)][0]
    np.testing.assert_array_equal(pairs.source[0], [at(source, n, i) for n, i, _ in rows])
    np.testing.assert_array_equal(pairs.target[0], [at(target, n, j) for n, _, j in rows])


def made(tiny, tmp_path, method, *settings, data=None, **options):
    spec = find("methods", method)
    chosen = parse_settings(spec.settings, ["precision=float32", *settings])
    return align(spec, load_encoder(tiny), [data or bitext()], out=tmp_path / method, settings=chosen,
                 say=lambda _: None, **options)  # fmt: skip


@pytest.mark.parametrize("method", ["centring", "rotation", "clbt"])
@pytest.mark.parametrize("anchor_first", [True, False])
def test_every_layer_gets_a_map_and_the_anchor_may_stand_on_either_side(tiny, tmp_path, method, anchor_first):
    data = bitext() if anchor_first else bitext().flipped()
    folder = made(tiny, tmp_path, method, data=data)
    encoder, base = load_encoder(str(folder)), load_encoder(tiny)
    spanish, english = ([s] for s in (data.source[0], data.target[0])[:: -1 if anchor_first else 1])
    mapped, plain = encoder.words(spanish), base.words(spanish)
    assert encoder.languages >= {"es"}
    for layer in range(base.depth + 1):
        assert np.abs(mapped.layer(layer) - plain.layer(layer)).max() > 1e-6, f"layer {layer} has no map"
    if method != "centring":
        np.testing.assert_array_equal(encoder.words(english).values, base.words(english).values)


def test_layers_setting_narrows_the_maps(tiny, tmp_path):
    encoder, base = load_encoder(str(made(tiny, tmp_path, "rotation", "layers=1"))), load_encoder(tiny)
    spanish = bitext().target
    for layer in (0, 2, 3):
        np.testing.assert_array_equal(encoder.words(spanish).layer(layer), base.words(spanish).layer(layer))
    assert np.abs(encoder.words(spanish).layer(1) - base.words(spanish).layer(1)).max() > 1e-6


def test_languages_setting_narrows_the_maps(tiny, tmp_path):
    with pytest.raises(InputError, match="unknown language of the data 'de'"):
        made(tiny, tmp_path, "rotation", "languages=de")
    assert load_encoder(str(made(tiny, tmp_path, "rotation", "languages=es"))).languages == {"es"}


def test_centring_puts_every_mean_at_zero_or_at_the_anchors(tiny, tmp_path):
    data = bitext()
    encoder = load_encoder(str(made(tiny, tmp_path, "centring")))
    for side in (data.source, data.target):
        np.testing.assert_allclose(encoder.words(side).values.mean(axis=1), 0, atol=1e-5)
    to_anchor = load_encoder(str(made(tiny, tmp_path, "centring", "to=anchor")))
    means = [to_anchor.words(side).values.mean(axis=1) for side in (data.source, data.target)]
    np.testing.assert_allclose(*means, atol=1e-5)


def test_rotation_keeps_distances_and_full_rank_is_no_rank(tiny, tmp_path):
    spanish = bitext().target
    plain = load_encoder(tiny).words(spanish).layer(2)
    mapped = load_encoder(str(made(tiny, tmp_path, "rotation"))).words(spanish).layer(2)
    np.testing.assert_allclose(scipy.spatial.distance.pdist(mapped), scipy.spatial.distance.pdist(plain), rtol=1e-3)
    ranked = load_encoder(str(made(tiny, tmp_path, "rotation", "rank=16"))).words(spanish).layer(2)
    np.testing.assert_allclose(ranked, mapped, atol=1e-3)


def test_rotation_by_hand(tiny, tmp_path):
    data = bitext().flipped()
    pairs = collect(load_encoder(tiny), [data], "es", PairSettings(), seed=0)
    x, y = pairs.source[2].astype(float), pairs.target[2].astype(float)
    rotation, _ = scipy.linalg.orthogonal_procrustes(x - x.mean(0), y - y.mean(0))
    mapped = load_encoder(str(made(tiny, tmp_path, "rotation"))).words(data.source).layer(2)
    plain = load_encoder(tiny).words(data.source).layer(2)
    np.testing.assert_allclose(mapped, (plain - x.mean(0)) @ rotation + y.mean(0), atol=1e-4)


def test_a_language_without_a_map_keeps_its_vectors_and_says_so_once(tiny, tmp_path):
    encoder = load_encoder(str(made(tiny, tmp_path, "rotation")))
    russian = [Sentence.from_words(["быстрая", "лиса"], "ru")]
    with pytest.warns(UserWarning, match="no map for ru") as caught:
        found = encoder.words(russian)
        encoder.words(russian)
    assert len([w for w in caught if "no map" in str(w.message)]) == 1
    np.testing.assert_array_equal(found.values, load_encoder(tiny).words(russian).values)


def test_the_card_records_data_settings_and_development_scores(tiny, tmp_path):
    folder = made(tiny, tmp_path, "rotation", "normalisation=centre_unit", dev=[bitext()], seed=7)
    card = json.loads((folder / "isogloss.json").read_text())
    assert (card["base"], card["method"], card["seed"], card["languages"]) == (tiny, "rotation", 7, ["es"])
    assert card["settings"]["normalisation"] == "centre_unit"
    assert card["data"][0]["sha256"] == bitext().flipped().digest
    assert card["development"][0]["measure"] == "word_retrieval"
    assert 0 <= card["links"]["layer"] <= 3
    assert "Scores on development data" in (folder / "README.md").read_text()


def test_aligning_again_replaces_the_files_and_leaves_others(tiny, tmp_path):
    folder = made(tiny, tmp_path, "rotation")
    (folder / "notes.txt").write_text("mine")
    before = (folder / "maps.safetensors").read_bytes()
    assert made(tiny, tmp_path, "rotation", "normalisation=none") == folder
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "maps.safetensors").read_bytes() != before


def test_the_base_of_a_folder_is_its_absolute_path(tiny, tiny_folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny_folders["xlmr"].parent)
    spec = find("methods", "rotation")
    folder = align(spec, load_encoder("./xlmr"), [bitext()], out=tmp_path / "new", settings=spec.settings(), say=str)
    assert json.loads((folder / "isogloss.json").read_text())["base"] == str(tiny_folders["xlmr"].resolve())


def test_a_changed_base_is_said(tiny, tmp_path):
    folder = made(tiny, tmp_path, "rotation")
    card = json.loads((folder / "isogloss.json").read_text())
    (folder / "isogloss.json").write_text(json.dumps(card | {"base_revision": "another"}))
    with pytest.warns(UserWarning, match="another revision"):
        load_encoder(str(folder))


def test_the_same_seed_gives_the_same_maps(tiny, tmp_path):
    first = (made(tiny, tmp_path / "a", "rotation", "max_pairs=10", seed=3) / "maps.safetensors").read_bytes()
    assert first == (made(tiny, tmp_path / "b", "rotation", "max_pairs=10", seed=3) / "maps.safetensors").read_bytes()
    assert first != (made(tiny, tmp_path / "c", "rotation", "max_pairs=10", seed=4) / "maps.safetensors").read_bytes()


def test_links_are_made_where_there_are_none(tiny, tmp_path):
    folder = made(tiny, tmp_path, "rotation", data=bitext(links=False))
    assert json.loads((folder / "isogloss.json").read_text())["data"][0]["links"] == "made by the base encoder"


def test_refusals(tiny, tmp_path):
    with pytest.raises(InputError, match="lacks the anchor 'de'"):
        made(tiny, tmp_path, "rotation", "anchor=de")
    with pytest.raises(InputError, match="to=zero needs"):
        made(tiny, tmp_path, "rotation", "to=zero", "normalisation=none")
    with pytest.raises(InputError, match="valid: 0 to 3"):
        made(tiny, tmp_path, "clbt", "layers=9")
    with pytest.raises(InputError, match="is the base encoder itself"):
        align(find("methods", "clbt"), load_encoder(tiny), [bitext()], out=Path(tiny), settings=None)
    (tmp_path / "rotation").mkdir(exist_ok=True)
    (tmp_path / "rotation" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        made(tiny, tmp_path, "rotation")
    assert (tmp_path / "rotation" / "mine.txt").read_text() == "keep"
