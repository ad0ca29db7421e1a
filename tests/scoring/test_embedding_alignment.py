"""ALIGN-MLM's alignment score by hand, over rows of a table and through a dictionary."""

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.scoring.embedding_alignment import dictionary_alignment, embedding_table, row_alignment
from analysis.text.dictionary import Dictionary

pytestmark = pytest.mark.fast
TABLE = np.array([[1, 0], [0, 1], [1, 1], [3, 0.1], [0.2, 1], [-1, 0], [0, 0]], np.float32)


def test_rows_find_their_own_among_the_candidates():
    found = row_alignment(TABLE, np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([3, 4, 5]))
    assert (found.score, found.asked, found.candidates) == (pytest.approx(200 / 3), 3, 3)
    wanted = [3 / np.hypot(3, 0.1), 1 / np.hypot(0.2, 1), -1 / np.sqrt(2)]
    assert found.cosine == pytest.approx(np.mean(wanted), abs=1e-6)


def test_it_is_cosine_and_not_distance_or_product():
    assert row_alignment(TABLE, np.array([0]), np.array([3]), np.array([2, 3])).score == 100
    assert row_alignment(TABLE, np.array([2]), np.array([4]), np.array([3, 4])).score == 100, "the product prefers 3"


def test_rows_without_a_direction_are_neither_asked_nor_found():
    found = row_alignment(TABLE, np.array([0, 6]), np.array([3, 3]), np.array([3, 6]))
    assert (found.score, found.asked, found.candidates) == (100, 1, 1)
    with pytest.raises(InputError, match="no word to ask"):
        row_alignment(TABLE, np.array([6]), np.array([3]), np.array([3]))


def test_a_dictionary_is_asked_by_the_means_of_subwords(tiny):
    encoder = load_encoder(tiny)
    entries = (("fox", "zorro"), ("dog", "perro"), ("dog", "el"), ("quick", "quick"))
    found = dictionary_alignment(encoder, Dictionary(("en", "es"), entries, "d.tsv"))
    table, tokenizer = embedding_table(encoder), encoder.model.tokenizer
    bare = tokenizer.convert_tokens_to_ids("▁")

    def mean(word):
        pieces = [piece for piece in tokenizer(word, add_special_tokens=False)["input_ids"] if piece != bare]
        vector = table[pieces].mean(axis=0)
        return vector / np.linalg.norm(vector)

    others = ["zorro", "perro", "el", "quick"]
    there = np.stack([mean(word) for word in others])
    right = []
    for word, golds in (("fox", {"zorro"}), ("dog", {"perro", "el"}), ("quick", {"quick"})):
        right.append(others[int(np.argmax(there @ mean(word)))] in golds)
    assert found.score == pytest.approx(100 * np.mean(right))
    assert right[2], "a word is its own neighbour"
    assert (found.asked, found.candidates) == (3, 4)


def test_a_dictionary_that_the_tokenizer_does_not_know_is_refused(tiny):
    with pytest.raises(InputError, match="knows no entry of odd.tsv") as refused:
        dictionary_alignment(load_encoder(tiny), Dictionary(("en", "es"), (("Ω", "Ψ"),), "odd.tsv"))
    assert "\n" not in str(refused.value)
