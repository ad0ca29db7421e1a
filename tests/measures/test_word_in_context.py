"""Word in context by hand, thresholds by brute force, the area under the curve against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.measures._parts.thresholds import best_threshold, fold_thresholds, percent_auc
from analysis.measures.word_in_context import WordInContextSettings, compute
from analysis.text.corpus import Bitext, Relation, Sentence
from analysis.text.pharaoh import Links
from tests.measures.spaces import bitext, sentence_space, word_space

pytestmark = pytest.mark.fast
VALUES = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=25)


def circle(*degrees):
    """Unit vectors in the plane at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def marked(degrees, same):
    """One marked word a row: the first side at 0 degrees, the second at these angles."""
    one = Links(frozenset({(0, 0)}))
    rows = len(degrees)
    sides = [
        tuple(Sentence(f"{side}{n}", tag, ((0, 2),)) for n in range(rows)) for side, tag in (("s", "en"), ("t", "fr"))
    ]
    text = Bitext("test", ("en", "fr"), *sides, (one,) * rows, "gold", (), Relation.SENSE, tuple(map(float, same)))
    return word_space(text, circle(*[0] * rows), circle(*degrees))


def test_a_fixed_threshold_by_hand():
    # Cosines 1, 0.87, 0.5, 0, -1 with a threshold of 0.6: the first two are said to be of one sense.
    result = compute(marked([0, 30, 60, 90, 180], [1, 0, 1, 0, 0]), WordInContextSettings("0.6"))
    assert result.items["said"] == [True, True, False, False, False]
    assert result.items["right"] == [True, False, False, True, True]
    assert result.score == pytest.approx(60)
    # Of the six (same, different) pairs of rows the same-sense row is closer in all but (60, 30).
    assert result.parts == pytest.approx({"auc": 500 / 6, "threshold": 0.6, "chance": 60})
    assert result.items["cosine"] == pytest.approx([1, np.sqrt(3) / 2, 0.5, 0, -1], abs=1e-6)
    assert result.items["source"][2] == "s2"


def test_folds_never_see_what_they_score():
    # All rows are told apart by 45 degrees, so any two others set a threshold that is right for the third kind.
    result = compute(marked([1, 2, 3, 4, 81, 82, 83, 84], [1] * 4 + [0] * 4))
    assert (result.score, result.parts["auc"], result.parts["chance"]) == (100, 100, 50)
    # Cosine says nothing about sense: cross-validation cannot win by looking.
    generator = np.random.default_rng(0)
    blind = compute(marked(generator.uniform(0, 180, 400), generator.permutation([0, 1] * 200)))
    assert blind.low < 55
    assert blind.score < best_accuracy(np.array(blind.items["cosine"]), np.array(blind.items["same"])) * 100


def best_accuracy(values, same):
    """The best share of right answers of any threshold, by trying all."""
    cuts = [values.min() - 1, *values]
    return max(float(np.mean((values > cut) == same)) for cut in cuts)


@settings(max_examples=80)
@given(VALUES)
def test_the_best_threshold_is_the_best(rows):
    values, same = np.array([float(value) for value, _ in rows]), np.array([kind for _, kind in rows])
    found = best_threshold(values, same)
    assert np.mean((values > found) == same) == pytest.approx(best_accuracy(values, same))


@settings(max_examples=80)
@given(VALUES)
def test_the_area_is_that_of_scikit_learn(rows):
    from sklearn.metrics import roc_auc_score

    values, same = np.array([float(value) for value, _ in rows]), np.array([kind for _, kind in rows])
    found = percent_auc(values, same)
    if len(set(same)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(100 * roc_auc_score(same, values))


def test_thresholds_of_folds_depend_on_others_only():
    generator = np.random.default_rng(3)
    values, same = generator.uniform(size=40), generator.random(40) < 0.5
    before = fold_thresholds(values, same, 10, seed=1)
    turned = same.copy()
    turned[7] = not turned[7]
    after = fold_thresholds(values, turned, 10, seed=1)
    assert after[7] == before[7]
    assert len(set(before)) > 1


def test_a_word_in_pieces_is_the_mean_of_its_pieces():
    links = (Links(frozenset({(0, 0), (0, 1)})), Links(frozenset({(0, 0)})))
    source = (Sentence("bank", "en", ((0, 4),)),) * 2
    target = (Sentence("macht es auf", "de", ((0, 5), (9, 12))), Sentence("Ufer", "de", ((0, 4),)))
    text = Bitext("test", ("en", "de"), source, target, links, "gold", (), Relation.SENSE, (1.0, 0.0))
    space = word_space(text, circle(45, 45), circle(0, 90, 180))
    result = compute(space, WordInContextSettings("0"))
    assert result.items["cosine"] == pytest.approx([1, -np.sqrt(0.5)], abs=1e-6)
    assert result.items["target"] == ["macht auf", "Ufer"]


def test_words_without_a_vector_count_as_wrong_and_not_in_the_area():
    space = marked([1, 2, 80, 81, 3], [1, 1, 0, 0, 0])
    space.target[4] = 0
    result = compute(space, WordInContextSettings("0.5"))
    assert result.score == pytest.approx(80)
    assert result.parts["auc"] == 100
    assert (result.items["cosine"][4], result.items["said"][4]) == (None, None)
    assert "1 of 5 rows" in result.note


@pytest.mark.parametrize(("degrees", "same"), [([10], [1]), ([10, 20], [1, 1]), ([], [])])
def test_one_sense_only_gives_no_threshold_and_a_reason(degrees, same):
    result = compute(marked(degrees, same))
    assert (result.score, result.low) == (None, None)
    assert result.note
    if degrees:
        fixed = compute(marked(degrees, same), WordInContextSettings("0.5"))
        assert (fixed.score, fixed.parts["auc"], fixed.parts["chance"]) == (100, None, 100)


@pytest.mark.parametrize("threshold", ["high", "1.5", "nan", ""])
def test_what_is_no_threshold_is_bad_input(threshold):
    with pytest.raises(InputError, match="is no cosine; valid: folds, or a number"):
        compute(marked([1], [1]), WordInContextSettings(threshold))


def test_sentences_and_missing_judgements_are_bad_input():
    text = bitext(["a"], ["b"], [Links()])
    with pytest.raises(InputError, match="needs vectors of word units"):
        compute(sentence_space(text, np.ones((1, 2)), np.ones((1, 2))))
    with pytest.raises(InputError, match="needs words judged for sense"):
        compute(word_space(text, np.ones((1, 2)), np.ones((1, 2))))
