"""From vectors to links: grouping by sentence, subwords to words, words without a vector."""

import numpy as np
import pytest

from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.errors import InputError
from analysis.links.align import decode_pairs, similarities, similarity_matrix, word_links
from analysis.links.decoders.softmax import SoftmaxSettings
from analysis.registry import find, registered

pytestmark = pytest.mark.fast


def vectors(values, sentence, position, unit=Unit.WORD):
    """Vectors of one layer (number 3) over a table of units."""
    n = len(sentence)
    zeros = np.zeros(n, dtype=np.int32)
    units = Units(
        np.array(sentence, dtype=np.int32), np.array(position, dtype=np.int32), ("w",) * n, zeros, zeros,
        ("und",) * n, zeros.astype(bool),
    )  # fmt: skip
    return Vectors(np.asarray(values, dtype=np.float32)[None], (3,), units, unit)


def test_similarity_is_the_cosine():
    a, b = np.array([[2.0, 0], [0, 0], [1, 1]]), np.array([[0, 3.0], [4, 0]])
    half = 1 / np.sqrt(2)
    assert np.allclose(similarity_matrix(a, b), [[0, 1], [0, 0], [half, half]])
    assert similarity_matrix(a, b[:0]).shape == (3, 0)


def test_pairs_are_linked_sentence_by_sentence():
    eye = np.eye(3)
    source = vectors([eye[0], eye[1], eye[2]], [0, 0, 2], [0, 1, 0])
    target = vectors([eye[1], eye[0], eye[0], eye[2]], [0, 0, 1, 2], [0, 1, 0, 0])
    links = decode_pairs(source, target, 4, layer=3, decoder=find("decoders", "argmax"))
    assert [set(pair.sure) for pair in links] == [{(0, 1), (1, 0)}, set(), {(0, 0)}, set()]


def test_the_order_of_units_does_not_matter():
    generator = np.random.default_rng(0)
    sentence = np.repeat(np.arange(5), 6)
    position = np.tile(np.arange(6), 5)
    source, target = (vectors(generator.standard_normal((30, 8)), sentence, position) for _ in range(2))
    shuffled = generator.permutation(30)
    decoder = find("decoders", "itermax")
    expected = decode_pairs(source, target, 5, layer=3, decoder=decoder)
    assert decode_pairs(source.take(shuffled), target, 5, layer=3, decoder=decoder) == expected
    assert any(pair.sure for pair in expected)


def test_words_are_linked_when_any_of_their_subwords_are():
    eye = np.eye(4)
    source = vectors([eye[0], eye[1], eye[2]], [0, 0, 0], [0, 0, 1], Unit.SUBWORD)
    target = vectors([0.9 * eye[1] + 0.1 * eye[3], eye[0], eye[2]], [0, 0, 0], [0, 1, 2], Unit.SUBWORD)
    links = decode_pairs(source, target, 1, layer=3, decoder=find("decoders", "argmax"), level="subword")[0]
    assert links.sure == {(0, 0), (0, 1), (1, 2)}
    assert links.scores[0, 1] == pytest.approx(1)
    assert links.scores[0, 0] == pytest.approx(0.9 / np.hypot(0.9, 0.1), rel=1e-6)


@pytest.mark.parametrize("name", sorted(registered("decoders")))
@pytest.mark.parametrize("missing", [0.0, np.nan])
def test_words_without_a_vector_are_never_linked(name, missing):
    values = np.eye(3)
    values[1] = missing
    side = vectors(values, [0, 0, 0], [0, 1, 2])
    links = decode_pairs(side, side, 1, layer=3, decoder=find("decoders", name))[0]
    assert links.sure == {(0, 0), (2, 2)}


@pytest.mark.parametrize("name", sorted(registered("decoders")))
def test_every_decoder_links_words_by_their_subwords(name):
    eye = np.eye(4)
    source = vectors([eye[0], eye[1], eye[2]], [0, 0, 0], [0, 0, 1], Unit.SUBWORD)
    target = vectors([eye[2], eye[0], eye[1]], [0, 0, 0], [0, 1, 1], Unit.SUBWORD)
    links = decode_pairs(source, target, 1, layer=3, decoder=find("decoders", name), level="subword")[0]
    assert links.sure == {(0, 1), (1, 0)}
    assert set(links.scores.values()) == {1.0}


def test_one_set_of_similarities_serves_every_decoder():
    generator = np.random.default_rng(1)
    source, target = (vectors(generator.standard_normal((6, 5)), [0, 0, 0, 2, 2, 2], [0, 1, 2, 0, 1, 2]) for _ in "ab")
    made = list(similarities(source.layer(3), source.units, target.layer(3), target.units, 3))
    assert [pair.matrix.shape for pair in made] == [(3, 3), (0, 0), (3, 3)]
    for decoder in registered("decoders").values():
        found = word_links((pair, decoder.decode(pair.matrix)) for pair in made)
        assert found == decode_pairs(source, target, 3, layer=3, decoder=decoder)


def test_the_softmax_of_dot_products_sees_lengths():
    source = vectors([[1.0, 0], [0, 1]], [0, 0], [0, 1])
    target = vectors([[10.0, 0], [0, 0.1]], [0, 0], [0, 1])
    decoder = find("decoders", "softmax")
    by = {
        kind: decode_pairs(
            source, target, 1, layer=3, decoder=decoder,
            settings=SoftmaxSettings(threshold=0.53, temperature=1, similarity=kind),
        )[0].sure
        for kind in ("cosine", "dot")
    }  # fmt: skip
    assert by["cosine"] == {(0, 0), (1, 1)}
    assert by["dot"] == {(0, 0)}


def test_inputs_are_not_changed():
    values = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    side = vectors(values, [0, 0, 1, 1], [0, 1, 0, 1])
    decode_pairs(side, side, 2, layer=3, decoder=find("decoders", "argmax"))
    assert np.array_equal(side.values[0], values)


def test_the_wrong_unit_or_layer_is_named():
    side = vectors(np.eye(2), [0, 0], [0, 1])
    decoder = find("decoders", "argmax")
    with pytest.raises(InputError, match="level subword need subword vectors, got word"):
        decode_pairs(side, side, 1, layer=3, decoder=decoder, level="subword")
    with pytest.raises(InputError, match="layer 7 was not computed"):
        decode_pairs(side, side, 1, layer=7, decoder=decoder)
