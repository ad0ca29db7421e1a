"""Tests and corrections against hand-worked examples and other implementations."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.comparison.significance import adjust, friedman, over_languages, paired, spearman
from analysis.records import Result, compare
from tests.comparison.toys import result

pytestmark = pytest.mark.fast
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_by_hand():
    # Sorted 0.005 0.01 0.03 0.04: times 4, 3, 2, 1 is 0.02 0.03 0.06 0.04; the last may not be below the one before.
    assert adjust([0.01, 0.04, 0.03, 0.005], "holm") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust([0.4, 0.5], "holm") == pytest.approx([0.8, 0.8])
    assert adjust([0.9, 0.8, 0.7], "holm") == [1.0, 1.0, 1.0]


def test_benjamini_hochberg_by_hand():
    # Sorted 0.01 0.02 0.03 0.5, times 4/rank: 0.04 0.04 0.04 0.5, from the largest down.
    assert adjust([0.02, 0.5, 0.01, 0.03], "bh") == pytest.approx([0.04, 0.5, 0.04, 0.04])
    assert adjust([0.2, 0.1], "none") == [0.2, 0.1]
    assert adjust([], "holm") == []


@given(P_VALUES)
def test_holm_is_between_nothing_and_bonferroni(p):
    holm, bh = np.array(adjust(p, "holm")), np.array(adjust(p, "bh"))
    assert (holm >= np.array(p) - 1e-12).all()
    assert (holm <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (bh <= holm + 1e-12).all()


@given(st.permutations([0.001, 0.01, 0.02, 0.2, 0.9]))
def test_a_corrected_p_does_not_depend_on_the_order(p):
    told = dict(zip([0.001, 0.01, 0.02, 0.2, 0.9], adjust([0.001, 0.01, 0.02, 0.2, 0.9], "holm"), strict=True))
    assert adjust(p, "holm") == pytest.approx([told[one] for one in p])


def test_a_paired_test_counts_replicates_and_follows_the_normal_law_past_them():
    near = paired(result(50.0), result(51.0, shift=1.0))
    assert near.difference == pytest.approx(1.0)
    assert 0.2 < near.p_value < 0.5
    far = paired(result(50.0), result(58.0, shift=1.0))
    assert far.p_value < 1e-10 < 2 / 1001
    same = paired(result(50.0), result(50.0))
    assert (same.difference, same.p_value) == (0.0, 1.0)


def test_what_cannot_be_paired():
    assert paired(result(1.0), result(2.0, clusters=7)) is None
    assert paired(result(1.0), result(None)) is None
    undefined = result(2.0)
    undefined.replicates[:] = np.nan
    assert paired(result(1.0), undefined) is None


def test_undefined_replicates_do_not_make_a_difference_sure():
    half = result(50.0, shift=1.0)
    half.replicates[::2] = np.nan
    assert paired(result(50.0), half).p_value > 0.5


def test_languages_as_a_sample():
    a = [10.0, 20, 30, 40, 50, 60]
    assert over_languages(a[:5], a[:5]) is None
    assert over_languages(a, a) == 1.0
    assert over_languages(a, [x + n + 1 for n, x in enumerate(a)]) == pytest.approx(2 / 2**6)


def test_the_critical_difference_of_demsar():
    # Demšar 2006, section 3.2.2: four classifiers on fourteen data sets differ where mean ranks are 1.25 apart.
    ranks = np.array([[1, 2, 3, 4]] * 7 + [[2, 1, 4, 3]] * 7)
    p, apart = friedman(ranks)
    assert apart == pytest.approx(1.25, abs=0.005)
    assert p < 0.001
    assert friedman(np.ones((5, 3)))[0] == 1.0
    assert friedman(ranks[:, :2]) == (None, None)


def test_rank_correlation():
    assert spearman([1, 2, 3, 4], [10, 20, 30, 31]) == pytest.approx(1.0)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert spearman([1, 2, 3, 4], [2, 2, 2, 2]) is None


def test_a_handful_of_sentences_is_not_tested_and_rounding_is_no_difference():
    replicates = np.random.default_rng(0).normal(size=200)
    few = Result("m", 1.0, None, None, 5, "u", True, replicates, 5, provenance={"data_sha256": "x", "seed": 0})
    assert paired(few, replace(few, score=2.0, replicates=replicates + 1)) is None
    many = replace(few, clusters=50)
    assert paired(many, replace(many, score=1 + 1e-12, replicates=replicates * 1.1)).p_value == 1
    assert paired(many, replace(many, score=2.0, replicates=replicates + 1)).p_value < 0.05


def test_undefined_replicates_take_no_side():
    base = Result("m", 1.0, None, None, 5, "u", True, np.zeros(100), 50, provenance={"data_sha256": "x", "seed": 0})
    lower = np.full(100, -0.5) + np.linspace(0, 0.01, 100)
    lower[:30] = np.nan
    found = compare(base, replace(base, score=0.5, replicates=lower))
    assert found.p_value < 0.05
    assert found.high < 0
