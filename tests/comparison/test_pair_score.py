"""Precision and recall of one sentence pair."""

import pytest

from analysis.comparison.pair_score import score_pair
from analysis.text.pharaoh import parse_links

pytestmark = pytest.mark.fast


def test_precision_counts_possible_links_and_recall_sure_ones():
    score = score_pair(parse_links("0-0 1-1 2-5"), parse_links("0-0 1p1 3-3 4-4"))
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(1 / 3)


def test_nothing_found_and_nothing_known_have_no_score():
    assert score_pair(parse_links(""), parse_links("0-0")).precision is None
    assert score_pair(parse_links("0-0"), parse_links("0p0")).recall is None
