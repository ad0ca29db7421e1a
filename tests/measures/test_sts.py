"""Correlations with human scores against scipy, their replicates, and where there are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.measures import quality, sts
from analysis.measures.quality import QualitySettings
from analysis.measures.sts import StsSettings
from analysis.records import compare, resamples
from analysis.scoring.correlation import correlation, correlations
from analysis.text.corpus import Bitext, Relation
from tests.measures.spaces import bitext, sentence_space, word_space

pytestmark = pytest.mark.fast
MEASURES = {"sts": sts.compute, "quality": quality.compute}


def judged(n=60, seed=0, scores=None, noise=1.0, dim=8):
    """Sentence pairs whose cosine goes with their score, ties among the scores."""
    generator = np.random.default_rng(seed)
    plain = bitext([f"s{k}" for k in range(n)], [f"t{k}" for k in range(n)])
    source, target = generator.standard_normal((2, n, dim))
    gold = generator.integers(0, 6, n).astype(float) if scores is None else np.asarray(scores, dtype=float)
    target = target + source * (gold / 3)[:, None] + noise * generator.standard_normal((n, dim))
    text = Bitext(
        "test", plain.languages, plain.source, plain.target, relation=Relation.SCORED, scores=tuple(gold.tolist())
    )
    return sentence_space(text, source, target)


def cosines(a, b):
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("name", MEASURES)
def test_both_correlations_are_those_of_scipy(name):
    from scipy.stats import pearsonr, spearmanr

    space = judged()
    closeness = cosines(space.source.astype(float), space.target.astype(float))
    result = MEASURES[name](space)
    assert result.parts["spearman"] == pytest.approx(spearmanr(closeness, space.scores).statistic, abs=1e-6)
    assert result.parts["pearson"] == pytest.approx(pearsonr(closeness, space.scores).statistic, abs=1e-6)
    assert result.score == result.parts["spearman" if name == "sts" else "pearson"]
    assert (result.n, result.clusters, result.unit) == (60, 60, "[-1, 1]")
    assert result.low < result.score < result.high


@pytest.mark.parametrize("kind", ["spearman", "pearson"])
def test_replicates_are_the_correlations_of_written_out_resamples(kind):
    from scipy.stats import pearsonr, spearmanr

    generator = np.random.default_rng(1)
    x = generator.integers(0, 5, 30).astype(float)
    y = x + generator.standard_normal(30)
    counts = resamples(30, 4)
    found = correlations(x, y, counts, kind)
    for replicate in range(20):
        drawn = np.repeat(np.arange(30), counts[replicate].astype(int))
        expected = (spearmanr if kind == "spearman" else pearsonr)(x[drawn], y[drawn]).statistic
        assert found[replicate] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=30))
def test_spearman_with_any_ties_and_order(pairs):
    from scipy.stats import spearmanr

    x, y = np.array(pairs, dtype=float).T
    found = correlation(x, y, "spearman")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
        assert correlation(x[::-1], y[::-1], "spearman") == pytest.approx(found, abs=1e-12)
        assert correlation(np.exp(x), 3 * y + 1, "spearman") == pytest.approx(found, abs=1e-12)


def test_blocks_of_replicates_do_not_matter(monkeypatch):
    space = judged()
    whole = sts.compute(space).replicates
    monkeypatch.setattr("analysis.scoring.correlation.BLOCK", 7 * 60)
    np.testing.assert_allclose(sts.compute(space).replicates, whole, atol=1e-12)


def test_rotation_and_scale_of_both_sides_change_nothing():
    space = judged()
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))[0]
    moved = type(space)(**{**space.__dict__, "source": 3 * space.source @ turn, "target": 2 * space.target @ turn})
    assert sts.compute(moved).score == pytest.approx(sts.compute(space).score, abs=1e-9)


def test_the_difference_of_two_encoders_is_paired():
    gold = np.random.default_rng(5).integers(0, 6, 80)
    worse, better = (sts.compute(judged(80, scores=gold, noise=noise)) for noise in (2.5, 0.2))
    found = compare(worse, better)
    assert found.low <= found.difference <= found.high
    apart = better.high - worse.low
    assert found.high - found.low < apart


def test_settings_choose_the_score():
    space = judged()
    assert sts.compute(space, StsSettings("pearson")).score == sts.compute(space).parts["pearson"]
    plain, turned = (quality.compute(space, QualitySettings(scores=kind)) for kind in ("quality", "error"))
    assert turned.score == pytest.approx(-plain.score)
    assert turned.high == pytest.approx(-plain.low)
    with pytest.raises(InputError, match="unknown correlation"):
        sts.compute(space, StsSettings("kendall"))


def test_centring_takes_an_offset_of_a_language_away():
    space = judged(200)
    offset = type(space)(**{**space.__dict__, "target": space.target + 50})
    plain, centred = (quality.compute(offset, QualitySettings(centre=centre)) for centre in (False, True))
    assert plain.parts["centred"] == centred.score == centred.parts["centred"]
    assert plain.score == plain.parts["plain"]
    assert centred.score == pytest.approx(quality.compute(space, QualitySettings(centre=True)).score, abs=1e-4)
    assert centred.score > plain.score + 0.3


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(
    ("space", "reason"),
    [
        (judged(2), "at least 3 scored pairs with vectors, got 2"),
        (judged(5, scores=[2] * 5), "all human scores are 2"),
        (judged(0), "got 0"),
    ],
)
def test_where_there_is_no_correlation_there_is_a_reason(name, space, reason):
    result = MEASURES[name](space)
    assert (result.score, result.low, dict(result.parts)) == (None, None, {})
    assert reason in result.note


def test_equal_cosines_give_no_score():
    space = judged(6)
    same = type(space)(**{**space.__dict__, "target": space.source})
    assert "same cosine" in sts.compute(same).note


def test_pairs_without_a_vector_are_left_out_and_counted():
    space = judged(20)
    space.source[3] = 0
    space.target[5] = np.nan
    result = sts.compute(space)
    assert (result.n, result.clusters) == (18, 20)
    assert "2 of 20 pairs" in result.note
    assert 3 not in result.items["row"]
    assert {len(column) for column in result.items.values()} == {18}


def test_words_and_missing_scores_are_bad_input():
    text = bitext(["a b", "c"], ["d e", "f"])
    with pytest.raises(InputError, match="needs vectors of sentence units"):
        sts.compute(word_space(text, np.ones((3, 4)), np.ones((3, 4))))
    with pytest.raises(InputError, match="needs human scores"):
        quality.compute(sentence_space(text, np.ones((2, 4)), np.ones((2, 4))))
