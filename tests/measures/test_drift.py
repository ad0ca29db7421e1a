"""The registered measures of forgetting: drift and neighbours kept, over the functions that training calls too."""

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.measures import drift, neighbours_kept
from analysis.registry import find
from analysis.scoring import forgetting
from analysis.scoring.evaluate import evaluate, evaluate_layers
from analysis.scoring.space import TextSpace
from analysis.text.corpus import Sentence
from tests.measures.materials import text, write_aligned
from tests.measures.spaces import word_vectors

pytestmark = pytest.mark.fast
MODULES = {"drift": drift, "neighbours_kept": neighbours_kept}


def made(base, aligned, words=2):
    """A text of that many words a sentence, with vectors by hand."""
    rows = len(aligned) // words
    sentences = tuple(Sentence.from_words([f"w{n}{k}" for k in range(words)], "en") for n in range(rows))
    vectors = word_vectors(sentences, aligned)
    return TextSpace(
        vectors.values[0], base, vectors.units, rows, "en", vectors.unit, sentences, None, None, {"layer": 0}
    )


def cloud(n=60, dim=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def test_scores_are_those_of_the_functions():
    base, aligned = cloud(), cloud() + 0.5 * cloud(seed=1)
    sentence = np.repeat(np.arange(30), 2)
    moved = drift.compute(made(base, aligned), seed=3)
    expected = forgetting.drift(base, aligned, sentence=sentence, seed=3)
    assert (moved.score, moved.low, moved.high) == (expected.score, expected.low, expected.high)
    values = forgetting.drift_of(base, aligned)
    assert moved.items["drift"] == pytest.approx(values)
    assert moved.parts == {"median": pytest.approx(np.median(values)), "most": pytest.approx(values.max())}
    kept = neighbours_kept.compute(made(base, aligned), neighbours_kept.NeighboursKeptSettings(k=4), seed=3)
    expected = forgetting.neighbours_kept(base, aligned, 4, sentence=sentence, seed=3)
    assert (kept.score, kept.low, kept.high) == (expected.score, expected.low, expected.high)
    assert kept.items["kept"] == pytest.approx(100 * forgetting.kept_share(base, aligned, 4))
    assert (kept.items["word"][3], kept.items["sentence"][3]) == ("w11", 1)
    assert (kept.clusters, kept.provenance["settings"]) == (30, {"k": 4, "max_words": 10_000})


def test_a_rotation_drifts_and_keeps_all_neighbours():
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((5, 5)))[0].astype(np.float32)
    space = made(cloud(), cloud() @ turn)
    assert drift.compute(space).score > 0.5
    assert neighbours_kept.compute(space).score == pytest.approx(100, abs=1e-3)


def test_widths_may_differ_for_neighbours_but_not_for_drift():
    space = made(cloud(), np.hstack([cloud(), 0 * cloud()]))
    found = drift.compute(space)
    assert found.score is None
    assert "5 and 10 wide, which no angle compares" in found.note
    assert neighbours_kept.compute(space).score == 100


@pytest.mark.parametrize("name", MODULES)
def test_more_words_than_the_limit_are_sampled_by_sentence(name):
    settings = find("measures", name).settings(max_words=21)
    result = MODULES[name].compute(made(cloud(), cloud()), settings)
    assert result.n == 20
    assert "a sample of 20 of 60 words" in result.note
    assert all(result.items["sentence"].count(one) == 2 for one in result.items["sentence"])
    assert len(set(result.items["sentence"])) == 10


@pytest.mark.parametrize("name", MODULES)
def test_words_without_a_vector_have_no_value_and_no_base_is_bad_input(name):
    aligned = cloud()
    aligned[4] = 0
    result = MODULES[name].compute(made(cloud(), aligned))
    assert result.items[{"drift": "drift", "neighbours_kept": "kept"}[name]][4] is None
    assert "1 of 60 units have no vector" in result.note
    with pytest.raises(InputError, match="compares an aligned encoder with its base"):
        MODULES[name].compute(made(None, cloud()))
    assert MODULES[name].compute(made(cloud(), 0 * cloud())).score is None


def test_an_aligned_encoder_against_its_base_at_every_layer(tiny, tmp_path):
    aligned = load_encoder(str(write_aligned(tmp_path / "rotated", tiny, "rotation")))
    for name in MODULES:
        results = evaluate_layers(find("measures", name), aligned, text())
        assert [result.provenance["layer"] for result in results] == [0, 1, 2, 3]
        assert results[0].provenance["base"] == tiny
        assert all(result.score is not None for result in results)
    with pytest.raises(InputError, match="is no aligned encoder"):
        evaluate("drift", load_encoder(tiny), text())
