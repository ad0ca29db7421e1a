"""Retrieval after a map fitted on other sentences."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures.projection import SPEC, ProjectionSettings
from tests.measures.spaces import bitext, diagonal, noisy_words, sentence_space, word_space

pytestmark = pytest.mark.fast


def turned(rows=60, dim=8, noise=0.1, seed=0, bend=False, shift=0.0):
    """Sentence pairs whose second language is a rotated (or bent) copy of the first."""
    generator = np.random.default_rng(seed)
    text = bitext([f"s {n}" for n in range(rows)], [f"t {n}" for n in range(rows)])
    values = generator.standard_normal((rows, dim))
    turn = generator.standard_normal((dim, dim)) if bend else np.linalg.qr(generator.standard_normal((dim, dim)))[0]
    return sentence_space(text, values, values @ turn + shift + noise * generator.standard_normal(values.shape))


@pytest.mark.parametrize("options", [
    {}, {"map": "procrustes"}, {"map": "procrustes", "rows": "raw"}, {"map": "procrustes", "rows": "centred_unit"},
])  # fmt: skip
def test_rotated_copies_are_found_after_the_map(options):
    result = SPEC.compute(turned(noise=0.7), ProjectionSettings(**options))
    assert 80 < result.score < 100
    assert result.parts["before"] < 40
    assert result.parts["gain"] == pytest.approx(result.score - result.parts["before"])
    assert 0 < result.parts["gain_low"] < result.parts["gain"] < result.parts["gain_high"]
    assert result.parts["residual"] < 0.5 < result.parts["residual_shuffled"]


def test_only_least_squares_undoes_bending():
    space = turned(bend=True, rows=120, noise=0.05)
    bent, rotated = (SPEC.compute(space, ProjectionSettings(map=kind)) for kind in ("least_squares", "procrustes"))
    assert bent.score > 95 > rotated.score
    assert rotated.parts["residual"] > 0.15


def test_a_shift_is_a_gain_of_centring_alone():
    generator = np.random.default_rng(0)
    values = generator.standard_normal((60, 8))
    text = bitext([f"s {n}" for n in range(60)], [f"t {n}" for n in range(60)])
    space = sentence_space(text, values, values + 20 + 0.1 * generator.standard_normal(values.shape))
    parts = SPEC.compute(space, ProjectionSettings(map="procrustes")).parts
    assert parts["before"] < 50 < 95 < parts["centred"]


def test_unrelated_vectors_stay_at_chance_though_the_map_fits_them():
    generator = np.random.default_rng(1)
    rows = 60
    text = bitext([f"s {n}" for n in range(rows)], [f"t {n}" for n in range(rows)])
    # As many dimensions as pairs: a map scored on what it was fitted on would find everything.
    space = sentence_space(text, generator.standard_normal((rows, 80)), generator.standard_normal((rows, 80)))
    result = SPEC.compute(space)
    assert result.score < 3 * result.parts["chance"]
    assert "maps are fitted on 48 pairs and have 80 dimensions" in result.note


def test_no_pair_is_scored_by_a_map_that_knows_it():
    space = turned()
    result = SPEC.compute(space, ProjectionSettings(folds=4))
    folds, rows = np.array(result.items["fold"][:60]), np.array(result.items["row"][:60])
    assert sorted(np.bincount(folds)) == [15, 15, 15, 15]
    found = np.array(result.items["found_row"][:60])
    assert all(folds[rows == there][0] == fold for there, fold in zip(found, folds, strict=True))
    assert (result.parts["chance"], result.parts["fitted_on"]) == (pytest.approx(100 / 15), 45)
    # Changing one pair changes nothing of the map that scores it: its own fold's other pairs find the same.
    target = space.target.copy()
    target[0] = target[0] + 0.01
    again = SPEC.compute(replace(space, target=target), ProjectionSettings(folds=4))
    peers = (folds == folds[0]) & (rows != 0)
    assert np.array(again.items["found_row"][:60])[peers].tolist() == found[peers].tolist()


def test_sentences_stay_whole():
    space = noisy_words(rows=20, words=4)
    items = SPEC.compute(space).items
    by_row = {}
    for row, fold in zip(items["row"], items["fold"], strict=True):
        by_row.setdefault(row, set()).add(fold)
    assert all(len(folds) == 1 for folds in by_row.values())


def test_repeated_sentences_are_left_out():
    space = turned(rows=20)
    texts = ("s 1", *space.source_units.text[1:])
    result = SPEC.compute(replace(space, source_units=replace(space.source_units, text=texts)))
    assert result.n == 19
    assert "1 pairs repeat a sentence" in result.note


def test_english_is_mapped_onto_whichever_side_it_is():
    space = turned(noise=0.6)
    flipped = replace(
        space, source=space.target, source_units=space.target_units, target=space.source,
        target_units=space.source_units, languages=("de", "en"),
    )  # fmt: skip
    there, back = SPEC.compute(space), SPEC.compute(flipped)
    assert back.score == pytest.approx(there.score)
    assert (back.parts["forward"], back.parts["backward"]) == (there.parts["backward"], there.parts["forward"])
    assert back.items["found"][:60] == there.items["found"][60:]


def test_scores_and_sums_agree_with_the_table():
    result = SPEC.compute(turned(noise=0.6), ProjectionSettings(score="csls", csls_k=3))
    assert result.score == pytest.approx(100 * np.mean(result.items["after_csls_hit"]))
    assert result.parts["before"] == pytest.approx(100 * np.mean(result.items["before_csls_hit"]))
    right = [a == b for a, b in zip(result.items["gold"], result.items["found"], strict=True)]
    assert right == result.items["after_csls_hit"]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_little_is_a_note(rows):
    text = bitext([f"s{n}" for n in range(rows)], [f"t{n}" for n in range(rows)], diagonal(rows, 1))
    result = SPEC.compute(word_space(text, np.ones((rows, 2)), np.ones((rows, 2))))
    assert result.score is None
    assert f"at least 4 pairs in two sentences, got {rows}" in result.note


def test_vectors_that_do_not_vary_give_a_number():
    text = bitext([f"s{n}" for n in range(8)], [f"t{n}" for n in range(8)])
    result = SPEC.compute(sentence_space(text, np.ones((8, 3)), np.ones((8, 3))))
    assert np.isfinite(result.score)
    assert result.parts["residual"] is None


def test_subwords_are_refused():
    with pytest.raises(InputError, match="projection needs vectors of word or sentence units"):
        SPEC.compute(replace(noisy_words(), unit=Unit.SUBWORD))
