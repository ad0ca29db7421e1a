"""Differences, corrected tests, ranks, means, matrices and agreement, from results made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.comparison.assemble import assemble
from analysis.comparison.request import Asked, Control, Request
from analysis.comparison.scores import Skipped, correlations
from analysis.errors import InputError
from tests.comparison.toys import cell, result

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("toy")]
PAIRS = ("en-de", "en-fr", "en-es", "en-ru", "en-tr", "en-zh")


def request(*encoders, **fields):
    return Request(encoders or ("a", "b", "c"), (Asked("toy_near"),), ("d",), **fields)


def made(scores, **fields):
    """A comparison from {encoder: {pair: result}}."""
    found = [(cell(name, f"d {pair}"), one) for pair in PAIRS for name, row in scores.items() if (one := row.get(pair))]
    return assemble(request(*scores, **fields), found, [])


def three(pairs=PAIRS):
    """A worst, B clearly better, C hardly better than B."""
    return {
        "a": {pair: result(50.0 + n) for n, pair in enumerate(pairs)},
        "b": {pair: result(60.0 + n, shift=1.0) for n, pair in enumerate(pairs)},
        "c": {pair: result(60.1 + n, shift=2.0) for n, pair in enumerate(pairs)},
    }


def test_differences_are_against_the_first_encoder_and_corrected_over_the_table():
    scores = made(three())
    first, second, third = scores.entries[:3]
    assert first.difference is None
    assert (first.p_adjusted, first.significant) == (None, None)
    assert second.difference.difference == pytest.approx(10.0)
    assert second.p_adjusted >= second.difference.p_value
    assert second.significant
    assert third.significant
    plain = made(three(), correction="none")
    assert plain.entries[1].p_adjusted == plain.entries[1].difference.p_value


def test_holm_counts_every_test_of_a_measure():
    rows = {"a": {pair: result(50.0) for pair in PAIRS}, "b": {pair: result(52.0, shift=1.0) for pair in PAIRS}}
    alone = made({name: dict(list(row.items())[:1]) for name, row in rows.items()}).entries[1]
    among = made(rows).entries[1]
    assert among.difference == alone.difference
    assert among.p_adjusted == pytest.approx(min(1.0, 6 * alone.p_adjusted))


def test_ranks_and_the_best_that_a_test_cannot_tell_apart():
    scores = made(three())
    assert [(entry.encoder, entry.rank, entry.best) for entry in scores.entries[:3]] == [
        ("a", 3, False), ("b", 2, True), ("c", 1, True)
    ]  # fmt: skip
    equal = made({"a": {"en-de": result(50.0)}, "b": {"en-de": result(50.0)}})
    assert [(entry.rank, entry.best) for entry in equal.entries] == [(1, True), (1, True)]


def test_lower_is_better_turns_ranks_round():
    found = [(cell(name, measure="toy_picky"), result(score, measure="toy_picky", better=False))
             for name, score in (("a", 0.5), ("b", 0.2))]  # fmt: skip
    scores = assemble(request("a", "b"), found, [])
    assert [(entry.encoder, entry.rank, entry.best) for entry in scores.entries] == [("a", 2, False), ("b", 1, True)]
    assert scores.entries[1].significant


def test_means_over_languages_with_both_tests():
    scores = made(three())
    a, b, _c = scores.means
    assert a.result.score == pytest.approx(52.5)
    assert (b.difference.difference, b.mean, b.label) == (pytest.approx(10.0), True, "d, mean of 6")
    assert b.p_languages == pytest.approx(2 / 2**6)
    assert a.languages == ("en", "de", "fr", "es", "ru", "tr", "zh")
    assert made(three(PAIRS[:5])).means[1].p_languages is None
    assert made(three(PAIRS[:1])).means == ()
    assert [entry.label for entry in made(three(PAIRS[:1])).summary] == ["d en-de"] * 3
    assert scores.summary == scores.means


def test_a_mean_compares_only_languages_that_both_have():
    rows = three(PAIRS[:3])
    rows["b"]["en-es"] = result(None, note="too short")
    del rows["c"]["en-de"]
    scores = made(rows)
    a, b, c = scores.means
    assert b.difference.difference == pytest.approx(10.0)
    assert c.difference.difference == pytest.approx(10.1)
    assert "2 languages that both have" in c.result.note
    assert "1 of 3 data have no score" in b.result.note
    assert a.difference is None
    missing = scores.entries[6]
    assert (missing.encoder, missing.result.score, missing.rank, missing.difference) == ("b", None, None, None)


def test_controls_are_held_against_the_first_encoder_but_never_ranked_nor_counted():
    found = [(cell("a"), result(50.0)), (cell("b"), result(52.0, shift=1.0)),
             (cell("a", control=Control.SHUFFLED), result(1.0)), (cell("random:a", control=Control.RANDOM), result(2.0)),
             (cell("b", control=Control.SAME), result(99.0))]  # fmt: skip
    scores = assemble(request("a", "b"), found, [])
    assert [entry.name for entry in scores.entries] == ["a", "b", "a (shuffled)", "random:a", "b (same)"]
    assert [entry.rank for entry in scores.entries] == [2, 1, None, None, None]
    assert [entry.difference and round(entry.difference.difference) for entry in scores.entries] == [
        None,
        2,
        -49,
        -48,
        49,
    ]
    assert scores.entries[1].p_adjusted == scores.entries[1].difference.p_value
    assert scores.encoders == ("a", "b")


def test_without_the_first_encoder_the_next_one_is_the_base():
    rows = three()
    rows["a"] = {pair: result(None) for pair in PAIRS}
    scores = made(rows)
    assert {entry.encoder for entry in scores.entries if entry.difference} == {"c"}


def test_encoders_with_layers_of_their_own_meet_on_one_cell():
    found = [(cell("a", layer=12), result(50.0)), (cell("b", layer=8), result(60.0, shift=1.0))]
    assert assemble(request("a", "b"), found, []).entries[1].difference.difference == pytest.approx(10.0)
    apart = [(replace(one, slot=one.layer), score) for one, score in found]
    assert assemble(request("a", "b"), apart, []).entries[1].difference is None


def test_layers_and_the_best_of_them():
    found = [(replace(cell(layer=layer), slot=layer), result(score))
             for layer, score in ((2, 70.0), (0, 10.0), (1, 70.0), (3, None))]  # fmt: skip
    scores = assemble(request("a"), found, [])
    assert [entry.layer for entry in scores.layers("toy_near")] == [0, 1, 2, 3]
    assert scores.best_layer("toy_near", "a") == 1
    assert scores.best_layer("toy_near", "a", ("en", "de")) == 1
    assert scores.best_layer("toy_near", "b") is None
    with pytest.raises(InputError, match="valid: toy_near"):
        scores.layers("cka")


def test_mean_ranks():
    ranking = made(three()).mean_rank("toy_near")
    assert ranking.ranks == {"a": 3.0, "b": 2.0, "c": 1.0}
    assert ranking.n == 6
    assert ranking.p_value == pytest.approx(0.002479, abs=1e-5)
    assert ranking.apart == pytest.approx(2.343 * np.sqrt(3 * 4 / 36), abs=0.005)
    assert made({"a": {"en-de": result(None)}}).mean_rank("toy_near").ranks == {}


def test_what_agrees():
    pairs = {"en-de": (1, 10, 5), "en-fr": (2, 9, 5), "en-es": (3, 8, 5), "en-ru": (4, 7, 5)}
    found = [
        (cell("a", f"d {pair}", measure=name), result(float(score), measure=name))
        for pair, row in pairs.items() for name, score in zip(("toy_near", "toy_picky", "cka"), row, strict=True)
    ]  # fmt: skip
    told = {(one.first, one.second): (one.rho, one.n) for one in correlations(assemble(request("a"), found, []))}
    # The picky toy is better when lower: the two put the languages in one order.
    assert told["toy_near", "toy_picky"] == (pytest.approx(1.0), 4)
    assert told["toy_near", "cka"] == (None, 4)
    few = assemble(request("a"), found[:9], [])
    assert correlations(few)[0].rho is None


def test_skipped_lines_are_said_once():
    line = Skipped("no word links", "aer", "d")
    scores = assemble(request("a"), [(cell("a"), result(1.0))], [line, line, Skipped("gone", encoder="b")])
    assert [str(one) for one in scores.skipped] == ["aer on d: no word links", "b: gone"]
