"""What every measure shares: units, needs, provenance, curves over layers."""

import numpy as np
import pytest

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures._parts.link_scores import LinkSettings
from analysis.registry import registered
from analysis.scoring.measure import Need, fits, layer_curve, pair_space
from analysis.scoring.pairs import find_units, linked_words, paired_sentences, sum_rows
from tests.measures.spaces import bitext, diagonal, noisy_words, sentence_vectors, word_vectors

pytestmark = pytest.mark.fast

MEASURES = {name: one for name, one in registered("measures").items() if one.needs in (Need.PAIRS, Need.LINKS)}


def data(rows=8, words=3, dim=5, layers=3, linked=True):
    """A bitext with vectors of both sides, words where they are linked, at some layers."""
    generator = np.random.default_rng(0)
    source = [" ".join(f"s{n}w{k}" for k in range(words)) for n in range(rows)]
    target = [" ".join(f"t{n}w{k}" for k in range(words)) for n in range(rows)]
    text = bitext(source, target, diagonal(rows, words) if linked else None)
    return text, generator.standard_normal((2, layers, rows * (words if linked else 1), dim))


def sides(name, text, values):
    """The vectors that a measure asks for."""
    unit = MEASURES[name].unit_for(text)
    make = word_vectors if unit is Unit.WORD else sentence_vectors
    values = values if unit is Unit.WORD else values[:, :, : len(text)]
    return make(text.source, values[0]), make(text.target, values[1])


@pytest.mark.parametrize("name", ["word_retrieval", "sentence_retrieval", "link_f1", "aer", "cka"])
def test_curves_are_the_measure_at_each_layer(name):
    text, values = data()
    source, target = sides(name, text, values)
    curve = layer_curve(MEASURES[name], source, target, text, seed=4)
    assert [result.provenance["layer"] for result in curve] == [0, 1, 2]
    for layer, result in enumerate(curve):
        single = MEASURES[name].compute(pair_space(source, target, layer=layer, bitext=text), None, seed=4)
        assert result == single
        assert np.array_equal(result.replicates, single.replicates)
    assert len({result.score for result in curve}) > 1


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_results_say_where_they_come_from_and_leave_vectors_alone(name):
    text, values = data()
    source, target = sides(name, text, values)
    before = source.values.copy(), target.values.copy()
    result = MEASURES[name].compute(pair_space(source, target, layer=1, bitext=text), None, seed=9)
    assert result.measure == name
    expected = {"data": "test", "data_sha256": text.digest, "encoder": "tiny", "revision": "r1", "layer": 1, "seed": 9}
    assert {key: result.provenance[key] for key in expected} == expected
    assert result.provenance["settings"].keys() == set(MEASURES[name].settings.__dataclass_fields__)
    assert np.array_equal(before[0], source.values)
    assert np.array_equal(before[1], target.values)
    assert len({len(column) for column in result.items.values()}) == 1
    for value in (result.score, *result.parts.values()):
        assert value is None or type(value) in (int, float)


@pytest.mark.parametrize("name", sorted(MEASURES))
@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_and_one_row_are_no_error(name, rows):
    text, values = data(rows=rows)
    source, target = sides(name, text, values)
    result = MEASURES[name].compute(pair_space(source, target, layer=0, bitext=text), None)
    if result.score is None:
        assert result.note
    else:
        assert rows == 1
        assert np.isfinite(result.score)


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_vectors_that_are_not_numbers_never_make_a_silent_nan(name):
    text, values = data()
    source, target = sides(name, text, np.full_like(values, np.nan))
    result = MEASURES[name].compute(pair_space(source, target, layer=0, bitext=text), None)
    assert result.score is None or np.isfinite(result.score)
    if result.score is None:
        assert result.note


def test_fits_tells_pages_what_is_missing():
    linked, plain = data()[0], data(linked=False)[0]
    assert {name for name in MEASURES if not fits(MEASURES[name], plain)} >= {"sentence_retrieval", "cka"}
    assert "pass --links FILE" in fits(MEASURES["aer"], plain)
    assert not any(fits(measure, linked) for measure in MEASURES.values())
    assert "no sentence pairs" in fits(MEASURES["cka"], data(rows=0)[0])


def test_the_unit_to_encode_follows_links_and_level():
    linked, plain = data()[0], data(linked=False)[0]
    assert MEASURES["cka"].unit_for(linked) is Unit.WORD
    assert MEASURES["cka"].unit_for(plain) is Unit.SENTENCE
    assert MEASURES["sentence_retrieval"].unit_for(linked) is Unit.SENTENCE
    assert MEASURES["word_retrieval"].unit_for(linked) is Unit.WORD
    assert MEASURES["aer"].unit_for(linked, LinkSettings(level="subword")) is Unit.SUBWORD


def test_sides_of_different_units_are_refused():
    text, values = data()
    with pytest.raises(InputError, match="use one unit"):
        pair_space(
            word_vectors(text.source, values[0]), sentence_vectors(text.target, values[1][:, :8]), layer=0, bitext=text
        )


def test_units_are_found_in_any_order():
    space = noisy_words(rows=3, words=2)
    order = np.array([5, 0, 3, 1, 4, 2])
    units = space.source_units.take(order)
    sentence, position = np.array([0, 1, 2, 2, 9]), np.array([0, 1, 1, 7, 0])
    assert find_units(units, sentence, position).tolist() == [1, 2, 0, -1, -1]
    assert find_units(units.take(np.array([], dtype=int)), sentence, position).tolist() == [-1] * 5


def test_pairs_are_sorted_by_row():
    pairs = linked_words(noisy_words(rows=3, words=2))
    assert pairs.row.tolist() == [0, 0, 1, 1, 2, 2]
    assert len(paired_sentences(noisy_words(rows=3, words=2))) == 3


def test_sums_of_rows():
    sums = sum_rows(np.array([0, 2, 2]), [np.ones(3), np.array([1.0, 0.5, 4])], 4)
    assert sums.tolist() == [[1, 1], [0, 0], [2, 4.5], [0, 0]]
