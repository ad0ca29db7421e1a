"""Hubness against loops, scipy and the definitions of scikit-hubness, its invariances and its interval."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures.hubness import SPEC, HubnessSettings, occurrences, skewness, statistics
from analysis.neighbours.corrected import Correction
from analysis.records import compare
from tests.measures.spaces import bitext, diagonal, noisy_words, sentence_space, word_space

pytestmark = pytest.mark.fast
NAMES = [str(name) for name in Correction]


def with_hubs(rows=30, words=4, dim=16, noise=1.5, seed=0):
    """Linked words whose sides share a direction, so that what lies near the mean is near to all."""
    space = noisy_words(rows, words, dim, noise, seed)
    return replace(space, source=space.source + 0.7, target=space.target + 0.7)


def by_loops(queries, candidates, k):
    """N_k of each candidate by cosine, one query at a time."""
    counts = [0] * len(candidates)
    for x in queries:
        cosine = [x @ y / (np.linalg.norm(x) * np.linalg.norm(y)) for y in candidates]
        for y in sorted(range(len(candidates)), key=lambda n: -cosine[n])[:k]:
            counts[y] += 1
    return np.array(counts)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_skewness_is_that_of_scipy(counts):
    counts = np.array(counts)
    if len(set(counts.tolist())) == 1:
        assert np.isnan(skewness(counts))
    else:
        assert skewness(counts) == pytest.approx(skew(counts), abs=1e-9)


def test_statistics_are_those_of_scikit_hubness():
    # Its definitions by hand, k = 2, four queries: N_k = 4, 2, 1, 1, 0.
    lists = np.array([[0, 1], [0, 2], [0, 1], [0, 3]])
    counts = occurrences(lists, 5)
    assert counts.tolist() == [4, 2, 1, 1, 0]
    found = statistics(lists, 5)
    mean, deviation = counts.mean(), counts.std()
    assert found.skewness == pytest.approx(((counts - mean) ** 3).mean() / deviation**3)  # k_skewness
    assert found.antihubs == pytest.approx(100 * np.flatnonzero(counts == 0).size / 5)  # antihub_occurrence
    assert found.maximum == pytest.approx(100 * counts.max() / 4)  # groupie_ratio
    assert occurrences(np.array([[-1, 1]]), 3).tolist() == [0, 1, 0]


def test_the_score_is_the_skewness_of_loops_in_both_directions():
    space = with_hubs()
    counts = [by_loops(space.source, space.target, 10), by_loops(space.target, space.source, 10)]
    result = SPEC.compute(space)
    assert result.parts["forward"] == pytest.approx(skew(counts[0]))
    assert result.parts["backward"] == pytest.approx(skew(counts[1]))
    assert result.score == result.parts["cosine"] == pytest.approx(np.mean([skew(each) for each in counts]))
    assert result.parts["cosine_maximum"] == pytest.approx(np.mean([100 * each.max() / 120 for each in counts]))
    assert result.parts["cosine_antihubs"] == pytest.approx(np.mean([100 * np.mean(each == 0) for each in counts]))
    assert (result.n, result.parts["k"], result.clusters, result.unit) == (240, 10, 30, "skewness")
    assert result.higher_is_better is False
    assert result.low < result.score < result.high


def test_items_hold_the_strongest_hubs_and_anti_hubs():
    space = with_hubs()
    counts = by_loops(space.source, space.target, 10)
    items = SPEC.compute(space).items
    rows = [dict(zip(items, row, strict=True)) for row in zip(*items.values(), strict=True)]
    hubs = [row for row in rows if (row["direction"], row["kind"]) == ("forward", "hub")]
    strongest = np.argsort(-counts, kind="stable")[:15]
    assert [row["n_k"] for row in hubs] == counts[strongest].tolist()
    assert [row["text"] for row in hubs] == [space.target_units.text[n] for n in strongest]
    assert [4 * row["row"] + row["position"] for row in hubs] == strongest.tolist()
    assert hubs[0]["queries_percent"] == pytest.approx(100 * counts.max() / 120)
    never = [row for row in rows if (row["direction"], row["kind"]) == ("forward", "anti-hub")]
    assert [row["n_k"] for row in never] == [0] * min(15, (counts == 0).sum())


def test_corrections_lower_hubness_and_each_score_has_the_same_parts():
    space = with_hubs(rows=60)
    results = {name: SPEC.compute(space, HubnessSettings(score=name)) for name in NAMES}
    for name, result in results.items():
        assert result.score == result.parts[name]
        assert {key: result.parts[key] for key in NAMES} == {key: results["cosine"].parts[key] for key in NAMES}
    scores = results["cosine"].parts
    assert all(scores[name] < scores["cosine"] - 0.3 for name in NAMES[1:])
    assert all(scores[f"{name}_antihubs"] <= scores["cosine_antihubs"] for name in NAMES[1:])


def test_random_vectors_lie_at_the_floor():
    generator = np.random.default_rng(5)
    space = noisy_words(rows=100, dim=32)
    space = replace(space, source=generator.standard_normal((400, 32)), target=generator.standard_normal((400, 32)))
    result = SPEC.compute(space)
    assert result.score == pytest.approx(result.parts["random"], abs=0.5)
    assert result.parts["random_antihubs"] < 10
    hubs = SPEC.compute(with_hubs(rows=100, dim=32))
    assert hubs.low > hubs.parts["random"]


def test_queries_are_linked_words_and_candidates_all():
    space = with_hubs()
    links = [pair if row % 2 else type(pair)() for row, pair in enumerate(space.links)]
    result = SPEC.compute(replace(space, links=tuple(links)))
    odd = space.source_units.sentence % 2 == 1
    assert result.n == 2 * odd.sum()
    assert result.parts["forward"] == pytest.approx(skew(by_loops(space.source[odd], space.target, 10)))
    every = SPEC.compute(replace(space, links=None))
    assert every.parts["forward"] == pytest.approx(skew(by_loops(space.source, space.target, 10)))


def test_sentences_are_compared_where_there_are_no_links():
    generator = np.random.default_rng(0)
    text = bitext([f"s {n}" for n in range(40)], [f"t {n}" for n in range(40)])
    x, y = generator.standard_normal((2, 40, 6)) + 0.4
    assert SPEC.unit_for(text) is Unit.SENTENCE
    result = SPEC.compute(sentence_space(text, x, y))
    assert result.parts["forward"] == pytest.approx(skew(by_loops(x, y, 10)))
    assert result.items["text"][0].startswith("t ")
    with pytest.raises(InputError, match="hubness needs vectors of word or sentence units, got subword"):
        SPEC.compute(replace(noisy_words(), unit=Unit.SUBWORD))


def test_units_with_one_vector_are_one_candidate():
    space = with_hubs()
    target = space.target.copy()
    target[50:60] = target[3]
    result = SPEC.compute(replace(space, target=target))
    distinct = np.delete(target, range(50, 60), axis=0)
    assert result.parts["forward"] == pytest.approx(skew(by_loops(space.source, distinct, 10)))
    assert "10 words have the vector of another" in result.note
    hub = result.items["copies"].index(11) if 11 in result.items["copies"] else None
    assert hub is None or result.items["row"][hub] == 0


@given(st.integers(0, 999), st.sampled_from(NAMES))
@settings(max_examples=12)
def test_rotation_scale_and_order_change_nothing(seed, name):
    generator = np.random.default_rng(seed)
    space, options = with_hubs(rows=12, dim=8, seed=seed), HubnessSettings(score=name, k=4)
    turn = np.linalg.qr(generator.standard_normal((8, 8)))[0]
    plain = SPEC.compute(space, options)
    turned = SPEC.compute(replace(space, source=3 * space.source @ turn, target=0.1 * space.target @ turn), options)
    assert turned.score == pytest.approx(plain.score, abs=0.05)
    order = generator.permutation(len(space.source_units))
    mixed = replace(space, source=space.source[order], source_units=space.source_units.take(order))
    assert SPEC.compute(mixed, options).score == pytest.approx(plain.score)


def test_the_width_of_the_interval_is_about_right():
    # Standard deviation over fresh data against the mean half-width of intervals / 1.96.
    options = HubnessSettings(k=5)
    results = [SPEC.compute(with_hubs(rows=60, words=2, seed=seed), options) for seed in range(40)]
    spread = np.std([result.score for result in results])
    width = np.mean([(result.high - result.low) / (2 * 1.96) for result in results])
    assert 0.65 < width / spread < 1.4
    assert all(result.replicates.mean() == pytest.approx(result.score) for result in results)


def test_intervals_of_two_encoders_are_paired():
    even, hubs = noisy_words(rows=60, dim=16, noise=1.5), with_hubs(rows=60)
    a, b = SPEC.compute(hubs, seed=3), SPEC.compute(replace(even, provenance=hubs.provenance), seed=3)
    found = compare(a, b)
    assert found.significant
    assert found.difference < 0
    assert compare(a, a).p_value == 1


def test_many_units_are_sampled_by_sentence_the_same_for_every_encoder():
    spaces = with_hubs(seed=0), with_hubs(seed=1)
    a, b = (SPEC.compute(space, HubnessSettings(max_units=80), seed=2) for space in spaces)
    assert (a.n, b.n, a.clusters) == (80, 80, 10)
    assert "a sample of 80 of 240 words" in a.note
    np.testing.assert_array_equal(set(a.items["row"]) <= set(range(30)), True)


def test_few_candidates_lower_k_and_nothing_to_compare_is_a_note():
    small = SPEC.compute(with_hubs(rows=3))
    assert small.parts["k"] == 6
    assert "k is 6, half of the candidates, instead of 10" in small.note
    one = bitext(["a"], ["A"], diagonal(1, 1))
    none = SPEC.compute(word_space(one, np.eye(1), np.eye(1)))
    assert none.score is None
    assert "two candidates on each side" in none.note
    equal = bitext(["a b"], ["A B"], diagonal(1, 2))
    level = SPEC.compute(word_space(equal, np.eye(2), np.eye(2)))
    assert level.score is None
    assert "retrieved equally often" in level.note


def test_words_without_a_vector_neither_ask_nor_are_found():
    space = with_hubs()
    source, target = space.source.copy(), space.target.copy()
    source[5], target[9] = 0, np.nan
    result = SPEC.compute(replace(space, source=source, target=target))
    counts = by_loops(np.delete(source, 5, axis=0), np.delete(target, 9, axis=0), 10)
    assert result.parts["forward"] == pytest.approx(skew(counts))
    assert result.n == 238
    assert "2 of 240 words have no vector" in result.note


def test_bad_settings_are_named():
    with pytest.raises(InputError, match="unknown score 'euclid'"):
        SPEC.compute(with_hubs(), HubnessSettings(score="euclid"))
    with pytest.raises(InputError, match="k=0 is out of range"):
        SPEC.compute(with_hubs(), HubnessSettings(k=0))
