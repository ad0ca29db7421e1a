"""The paired test over items and seeds: what it finds, what it does not, and how often it errs."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.transfer.metric import ACCURACY
from analysis.transfer.scores import Scored, sampled, summarise
from analysis.transfer.significance import compare_runs, corrected
from tests.transfer.material import classes

pytestmark = pytest.mark.fast


def run(rng, accuracy, items=200, languages=("en", "de", "hi"), shift=0.0):
    """One seed: hits of some accuracy in every language, the items of all languages alike in difficulty."""
    hard = np.random.default_rng(99).normal(size=items)
    found = []
    for tag in languages:
        level = np.quantile(hard, accuracy + shift)
        hits = (hard + 0.3 * rng.normal(size=items) < level).astype(float)
        found.append(Scored(tag, tuple(map(str, range(items))), np.stack([np.ones(items), hits], axis=1)))
    return found


def runs(seed, accuracy, spread=0.0, count=3, items=200):
    rng = np.random.default_rng(seed)
    return [run(rng, accuracy, items, shift=float(np.clip(spread * rng.normal(), -0.28, 0.28))) for _ in range(count)]


def test_the_difference_is_that_of_the_means():
    a, b = runs(0, 0.6), runs(1, 0.8)
    by_hand = [
        np.mean([100 * one.stats[:, 1].mean() for seed in side for one in seed if one.language != "en"])
        for side in (a, b)
    ]  # fmt: skip
    found = compare_runs(a, b, ACCURACY, "en")
    assert (found.a, found.b) == pytest.approx(by_hand)
    assert found.difference == pytest.approx(by_hand[1] - by_hand[0])
    assert found.low < found.difference < found.high
    assert found.p_value < 0.01


def test_a_gain_smaller_than_the_spread_of_seeds_is_none():
    found = compare_runs(runs(0, 0.70, spread=0.08), runs(1, 0.72, spread=0.08), ACCURACY, "en")
    assert found.p_value > 0.05
    calm = compare_runs(runs(0, 0.70), runs(1, 0.78), ACCURACY, "en")
    assert calm.p_value < 0.05


def errors(spread, level, count=150):
    """How often two encoders that do not differ are told apart."""
    found = [
        compare_runs(runs(100 + n, 0.7, spread, items=60), runs(9000 + n, 0.7, spread, items=60), ACCURACY, "en").p_value
        for n in range(count)
    ]  # fmt: skip
    return np.mean(np.array(found) < level)


@pytest.mark.parametrize(("level", "most"), [(0.05, 0.09), (0.01, 0.04)])
def test_it_holds_its_level_where_seeds_are_all_that_differs(level, most):
    """The bounds are the level and two standard errors of 150 draws."""
    assert errors(0.1, level) <= most


def test_it_holds_its_level_where_items_are_all_that_differs():
    assert errors(0.0, 0.05) <= 0.09


def test_the_order_of_languages_does_not_matter():
    a, b = runs(0, 0.6), runs(1, 0.65)
    turned = [list(reversed(run)) for run in b]
    assert compare_runs(a, b, ACCURACY, "en") == compare_runs(a, turned, ACCURACY, "en")


def test_one_seed_against_several_varies_as_they_do():
    """Equal items, so that the interval is the seeds' alone: s sqrt(1/3 + 1) times Student's t of 2 degrees."""
    ids = tuple(map(str, range(100)))

    def hits(count):
        stats = np.stack([np.ones(100), np.arange(100) < count], axis=1)
        return [Scored("en", ids, stats), Scored("de", ids, stats)]

    several, one = [hits(60), hits(64), hits(68)], [hits(70)]
    found = compare_runs(several, one, ACCURACY, "en")
    alone = compare_runs([hits(64)], one, ACCURACY, "en")
    assert found.difference == pytest.approx(6)
    least = 2 * 4.303 * 4 * np.sqrt(1 / 3 + 1)  # of a seed's spread of 4 points
    assert found.high - found.low > 0.9 * least > 3 * (alone.high - alone.low)
    turned = compare_runs(one, several, ACCURACY, "en")
    assert turned.high - turned.low == pytest.approx(found.high - found.low, rel=0.3)  # of draws with a heavy tail


def test_a_language_without_a_score_counts_for_neither_side():
    a, b = runs(0, 0.6), runs(1, 0.6)
    empty = np.zeros((200, 2))
    b[1][2] = Scored("hi", b[1][2].ids, empty)  # no item that counts: no accuracy
    found = compare_runs(a, b, ACCURACY, "en")
    assert found.left_out == ("hi",)
    alone = (
        [[one for one in run if one.language != "hi"] for run in a],
        [[one for one in run if one.language != "hi"] for run in b],
    )
    without = compare_runs(*alone, ACCURACY, "en")
    assert (found.difference, found.p_value) == (without.difference, without.p_value)


def test_one_seed_is_tested_over_items_alone():
    a, b = runs(0, 0.6, count=1), runs(1, 0.8, count=1)
    found = compare_runs(a, b, ACCURACY, "en")
    one, other = (summarise(side[0], ACCURACY, "en").mean_others.replicates for side in (a, b))
    low, high = np.quantile(other - one, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high))


def test_holm_over_tasks():
    found = {name: compare_runs(runs(0, 0.6), runs(n, 0.62), ACCURACY, "en") for n, name in enumerate("abc", start=1)}
    done = corrected(found)
    smallest = min(found.values(), key=lambda one: one.p_value)
    assert min(one.p_adjusted for one in done.values()) == pytest.approx(min(1.0, 3 * smallest.p_value))
    assert all(done[name].p_adjusted >= found[name].p_value for name in found)


def test_a_few_items_bear_no_test():
    with pytest.raises(InputError, match="5 test items bear no test"):
        compare_runs(runs(0, 0.6, items=5), runs(1, 0.6, items=5), ACCURACY, "en")


def test_other_items_cannot_be_paired():
    with pytest.raises(InputError, match="same --test"):
        compare_runs(runs(0, 0.6), [run(np.random.default_rng(0), 0.6, items=100)], ACCURACY, "en")
    with pytest.raises(InputError, match="at least one run"):
        compare_runs([], runs(0, 0.6), ACCURACY, "en")


def test_a_resample_draws_an_item_in_all_its_languages():
    """Two languages with equal hits have equal replicates, and so has their mean."""
    hits = np.random.default_rng(0).random(50) < 0.5
    stats = np.stack([np.ones(50), hits], axis=1)
    ids = tuple(map(str, range(50)))
    found = summarise([Scored(tag, ids, stats) for tag in ("en", "de", "hi")], ACCURACY, "en")
    np.testing.assert_allclose(found.languages["de"].replicates, found.mean_others.replicates)
    np.testing.assert_allclose(found.gap.replicates, 0, atol=1e-9)


def test_a_language_that_lacks_items_is_scored_on_its_own():
    ids = tuple(map(str, range(40)))
    whole = np.stack([np.ones(40), np.arange(40) % 2], axis=1)
    found = summarise([Scored("en", ids, whole), Scored("de", ids[:10], whole[:10])], ACCURACY, "en")
    assert (found.source.score, found.mean_others.score, found.gap.score) == (50, 50, 0)
    assert found.languages["de"].high - found.languages["de"].low > found.source.high - found.source.low


def test_no_score_without_the_source_or_without_others():
    ids, stats = ("0", "1", "2"), np.ones((3, 2))
    alone = summarise([Scored("en", ids, stats)], ACCURACY, "en")
    assert alone.mean_others is None
    assert alone.gap is None
    others = summarise([Scored("de", ids, stats)], ACCURACY, "en")
    assert others.source is None
    assert others.mean_others.score == 100


def test_samples_hold_the_same_items_in_every_language():
    one, other = (sampled(classes(tag, repeats=3), 7) for tag in ("en", "es"))
    assert [item.id for item in one.items] == [item.id for item in other.items]
    assert len(one) == 7
    assert len(sampled(classes(), 0)) == len(sampled(classes(), 99)) == 12
