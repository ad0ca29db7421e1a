"""CKA of layers with layers: known geometries, other depths and widths, too few items."""

import numpy as np
import pytest

from analysis.comparison.cka_layers import cka_of_encoders, cka_of_languages
from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.errors import InputError
from analysis.measures._parts.hsic import linear_cka
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast


def vectors(values, texts=None, unit=Unit.WORD):
    values = np.asarray(values, np.float32)
    n = values.shape[1]
    at, zero = np.arange(n, dtype=np.int32), np.zeros(n, np.int32)
    units = Units(at, zero, tuple(texts or map(str, range(n))), zero, zero, ("en",) * n, np.zeros(n, bool))
    return Vectors(values, tuple(range(len(values))), units, unit)


def rotation(dim, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


def test_encoders_of_other_depth_and_width_compare():
    generator = np.random.default_rng(0)
    a, b = vectors(generator.normal(size=(3, 40, 6))), vectors(generator.normal(size=(5, 40, 4)))
    found = cka_of_encoders(a, b)
    assert found.values.shape == (3, 5)
    assert (found.n, found.of, found.items) == (40, 40, "words")
    assert found.values[1, 3] == pytest.approx(linear_cka(a.values[1], b.values[3]))
    assert found.note == ""


def test_a_rotation_is_one_and_the_floor_is_near_zero():
    values = np.random.default_rng(1).normal(size=(2, 300, 8))
    found = cka_of_encoders(vectors(values), vectors(values @ rotation(8)), shuffles=3)
    assert np.diag(found.values) == pytest.approx([1, 1], abs=1e-5)
    assert abs(found.values[0, 1]) < 0.1
    assert abs(found.floor_mean) < 0.05


def test_many_items_are_sampled_with_a_seed():
    a = vectors(np.random.default_rng(2).normal(size=(2, 90, 4)))
    one, two = cka_of_encoders(a, a, max_items=50), cka_of_encoders(a, a, max_items=50)
    assert (one.n, one.of) == (50, 90)
    assert one.note == "a sample of 50 of 90 words"
    assert (one.values == two.values).all()


def test_words_without_a_vector_are_left_out_and_too_few_are_said():
    values = np.random.default_rng(3).normal(size=(2, 5, 4))
    values[:, 1:3] = 0
    found = cka_of_encoders(vectors(values), vectors(values))
    assert np.isnan(found.values).all()
    assert np.isnan(found.floor_mean)
    assert found.note == "CKA needs at least 4 words, there are 3"


def test_other_units_are_refused():
    a = vectors(np.ones((1, 4, 2)))
    with pytest.raises(InputError, match="same units"):
        cka_of_encoders(a, vectors(np.ones((1, 4, 2)), texts="abcd"))


def test_languages_are_paired_by_their_links():
    rows, dim = 30, 5
    english = tuple(Sentence.from_words(["w"], "en") for _ in range(rows))
    bitext = Bitext("t", ("en", "de"), english, english, (Links(frozenset({(0, 0)})),) * rows, "gold")
    values = np.random.default_rng(4).normal(size=(3, rows, dim))
    order = np.arange(rows)[::-1]
    source, target = vectors(values), vectors(values @ rotation(dim))
    found = cka_of_languages(source, target, bitext)
    assert found.items == "linked words"
    assert np.diag(found.values) == pytest.approx([1, 1, 1], abs=1e-5)
    turned = cka_of_languages(source, vectors(values[:, order]), bitext)
    assert np.diag(turned.values).max() < 0.5
    sentences = Bitext("t", ("en", "de"), english, english)
    by_sentence = cka_of_languages(vectors(values, unit=Unit.SENTENCE), vectors(values, unit=Unit.SENTENCE), sentences)
    assert by_sentence.items == "sentence pairs"
    with pytest.raises(InputError, match="links"):
        cka_of_languages(source, target, sentences)
