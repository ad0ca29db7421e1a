"""Scores of language pairs against the distance of their languages."""

import sys
from itertools import combinations, permutations

import numpy as np
import pytest

from analysis.comparison import kinship
from analysis.comparison.distance import against_distance, score_against_distance
from analysis.comparison.kinship import language_distance
from analysis.comparison.request import Asked, Request
from analysis.comparison.scores import Entry, Scores
from analysis.errors import InputError
from analysis.records import Result

pytestmark = pytest.mark.fast
OTHERS = ("de", "nl", "fr", "tr", "ru", "hi")


def star(scores, tags=OTHERS):
    """English with each other language."""
    return {("en", tag): score for tag, score in zip(tags, scores)}


def test_distance_by_family_and_script():
    found = [language_distance("en", tag) for tag in OTHERS]
    assert found == [0, 0, 0.5, 0.5, 1, 1]
    assert language_distance("hi", "ur") == 0.5  # one family, two scripts
    assert language_distance("ru", "ru") == 0
    assert language_distance("en", "qqq") is None


def test_distance_in_the_tree():
    pytest.importorskip("qq")
    tree = lambda a, b: language_distance(a, b, "glottolog")
    assert tree("en", "en") == pytest.approx(0)
    assert tree("ru", "uk") < tree("ru", "pl") < tree("ru", "hi") < tree("ru", "tr") == 1
    assert tree("en", "ar") == tree("zh", "sw") == 1
    assert 0 < tree("ar", "he") < 1  # a language Glottolog knows by its members only
    assert tree("pt-BR", "pt") == pytest.approx(0)
    assert tree("en", "qqq") is None


def test_the_correlation_is_that_of_scipy_and_the_p_value_that_of_all_orders():
    from scipy.stats import spearmanr

    values = [90, 80, 85, 60, 40, 20]
    result = score_against_distance(star(values))
    far = [0, 0, 0.5, 0.5, 1, 1]
    assert result.score == pytest.approx(spearmanr(far, values).statistic)
    every = [spearmanr(order, values).statistic for order in permutations(far)]
    expected = np.mean([abs(one) >= abs(result.score) - 1e-9 for one in every])
    assert result.parts == {"p_value": pytest.approx(expected), "languages": 7, "exact": 1}
    assert (result.n, result.clusters, len(result.replicates)) == (6, 6, 1000)
    assert result.low <= result.score <= result.high
    assert result.items["distance"] == far
    assert result.items["pair"][0] == "en-de"


def test_languages_are_permuted_not_pairs():
    # With all pairs of five languages there are 120 orders, not 10 factorial.
    tags = ("en", "de", "fr", "ru", "hi")
    generator = np.random.default_rng(0)
    scores = {pair: 50 - 20 * language_distance(*pair) + generator.normal() for pair in combinations(tags, 2)}
    result = score_against_distance(scores)
    assert result.parts["exact"] == 1
    assert result.parts["p_value"] * 120 == pytest.approx(round(result.parts["p_value"] * 120))
    assert result.clusters == 5


def test_many_languages_are_permuted_at_random_and_by_seed():
    tags = ("de", "nl", "sv", "fr", "es", "it", "ru", "uk", "hi", "ja", "ar", "tr")
    generator = np.random.default_rng(1)
    close = star([100 - 50 * language_distance("en", tag) + generator.normal() for tag in tags], tags)
    first, again = (score_against_distance(close, seed=3) for _ in range(2))
    assert first == again
    assert (first.parts["exact"], first.parts["p_value"] < 0.01, first.high < 0) == (0, True, True)
    unrelated = score_against_distance(star(generator.normal(size=len(tags)), tags))
    assert unrelated.parts["p_value"] > 0.05


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({}, "at least 4 language pairs, got 0"),
        (star([1, 2, 3]), "at least 4 language pairs, got 3"),
        (star([1, 2, 3, None, float("nan")]), "2 of 5 pairs have no score"),
        (star([5, 5, 5, 5, 5]), "all scores are the same"),
        (star([1, 2, 3, 4], ("ru", "hi", "zh", "ar")), "all pairs are at distance 1"),
        ({**star([1, 2, 3]), ("en", "en"): 9, ("en", "qqq"): 4}, "2 of 5 pairs"),
    ],
)
def test_too_little_gives_no_score_and_a_reason(scores, reason):
    result = score_against_distance(scores)
    assert (result.score, result.low) == (None, None)
    assert reason in result.note


def test_without_the_package_there_is_one_line_with_the_remedy(monkeypatch):
    kinship._ancestors.cache_clear()
    kinship._database.cache_clear()
    monkeypatch.setitem(sys.modules, "qq", None)
    with pytest.raises(InputError, match="pip install qwanqwa") as caught:
        score_against_distance(star([1, 2, 3, 4, 5]), by="glottolog")
    assert "\n" not in str(caught.value)
    assert score_against_distance(star([1, 2, 3, 4, 5])).score is not None


def test_a_comparison_is_held_against_distance_measure_by_measure():
    scores = far_and_near()
    (fall,) = against_distance(scores)
    assert (fall.encoder, fall.key, fall.data) == ("toy", "cka", "set:toy")
    assert fall.result.score == pytest.approx(-1)
    assert "Spearman -1.00" in str(fall)
    assert fall.as_dict()["n"] == 4


def far_and_near():
    """Four pairs whose score falls with the distance of their languages."""
    values = {("en", "de"): 0.9, ("en", "nl"): 0.9, ("en", "fr"): 0.5, ("en", "ru"): 0.1}
    entries = tuple(
        Entry(
            "toy", "", "cka", "", "cka", "CKA", "set:toy", f"set:toy {a}-{b}", (a, b), 12, None, "[-1, 1]", True,
            Result("cka", value, None, None, 10, "[-1, 1]", True),
        )
        for (a, b), value in values.items()
    )  # fmt: skip
    return Scores(Request(("toy",), (Asked("cka"),), ("set:toy",)), entries, (), ())
