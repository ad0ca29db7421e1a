"""Drift and kept neighbours on hand-made vectors."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.scoring.forgetting import drift, drift_of, kept_share, neighbours_kept

pytestmark = pytest.mark.fast


def circle(*degrees):
    """Unit vectors in the plane at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def cloud(n=200, dim=16, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def rotation(dim=16):
    return np.linalg.qr(np.random.default_rng(7).normal(size=(dim, dim)))[0].astype(np.float32)


def test_drift_by_hand():
    turned = drift_of(circle(0, 0, 0, 0), 3 * circle(0, 60, 90, 180))
    assert turned == pytest.approx([0, 0.5, 1, 2], abs=1e-6)


def test_the_same_vectors_have_not_moved_at_all():
    x = cloud()
    assert np.all(drift_of(x, x) == 0)
    assert np.all(kept_share(x, x) == 1)
    assert (drift(x, x).score, drift(x, x).high) == (0, 0)
    assert (neighbours_kept(x, x).score, neighbours_kept(x, x).low) == (100, 100)


def test_a_rotation_moves_everything_and_keeps_all_neighbours():
    x = cloud()
    assert kept_share(x, x @ rotation()).mean() == pytest.approx(1, abs=1e-3)
    assert drift(x, x @ rotation()).score > 0.8


def test_unrelated_vectors_keep_about_chance():
    found = neighbours_kept(cloud(400), cloud(400, seed=1))
    assert found.parts["chance"] == pytest.approx(1000 / 399)
    assert found.score == pytest.approx(found.parts["chance"], abs=0.8)


def test_kept_share_by_hand():
    # Nearest in the base: 0-1, 1-0, 10-12, 12-10, 40-12; the last unit moves next to the first.
    base, aligned = circle(0, 1, 10, 12, 40), circle(0, 1, 10, 12, -0.5)
    assert kept_share(base, aligned, k=1).tolist() == [0, 1, 1, 1, 0]
    # Two nearest: base 1,10 | 0,10 | 12,1 | 10,1 | 12,10; aligned -0.5,1 | 0,-0.5 | 12,1 | 10,1 | 0,1.
    assert kept_share(base, aligned, k=2).tolist() == [0.5, 0.5, 1, 1, 0]


def test_copies_of_a_unit_do_not_make_it_its_own_neighbour():
    base = circle(0, 0, 0, 0, 90, 91)
    assert np.all(kept_share(base, base, k=2) == 1)
    assert kept_share(base, circle(0, 0, 0, 0, 90, 50), k=1).tolist() == [1, 1, 1, 1, 1, 1]


def test_units_without_a_vector_are_left_out_and_counted():
    base, aligned = circle(0, 1, 10, 12, 40), circle(0, 1, 10, 12, 40)
    base[1] = 0
    shares = kept_share(base, aligned, k=1)
    assert np.isnan(shares[1])
    assert np.nansum(shares) == 4
    assert np.isnan(drift_of(base, aligned)[1])
    found = neighbours_kept(base, aligned, k=1)
    assert found.n == 4
    assert "1 of 5 units have no vector" in found.note


def test_too_few_units_have_no_score():
    x = circle(0, 10, 20)
    found = neighbours_kept(x, x, k=2)
    assert (found.score, found.low) == (None, None)
    assert "2 neighbours need more than 3 units with vectors, got 3" in found.note
    assert neighbours_kept(x, x, k=1).score == 100
    assert drift(0 * x, x).score is None


def test_widths_may_differ_for_neighbours_but_not_for_drift():
    x = cloud(50)
    wide = np.hstack([x, np.zeros_like(x)])
    assert kept_share(x, wide, k=3).mean() == 1
    with pytest.raises(InputError, match="one width, got 16 and 32"):
        drift_of(x, wide)


@pytest.mark.parametrize(("rows", "k", "message"), [(49, 10, "same n units"), (50, 0, "at least 1")])
def test_what_does_not_belong_together_is_refused(rows, k, message):
    with pytest.raises(InputError, match=message):
        kept_share(cloud(50), cloud(rows), k=k)


def test_the_interval_resamples_sentences_not_words():
    # Two sentences that moved as a whole: more words in each do not make the interval narrower.
    base, aligned = circle(*[0] * 100), circle(*[0] * 50, *[60] * 50)
    by_sentence = drift(base, aligned, sentence=np.repeat([0, 1], 50))
    by_word = drift(base, aligned)
    assert (by_sentence.clusters, by_word.clusters) == (2, 100)
    assert (by_sentence.low, by_sentence.high) == pytest.approx((0, 0.5), abs=1e-6)
    assert by_word.high - by_word.low < 0.15
    assert by_sentence.n == by_word.n == 100


def test_one_sentence_gives_no_interval():
    found = drift(circle(0, 0), circle(0, 90), sentence=np.array([3, 3]))
    assert (found.score, found.low) == (pytest.approx(0.5), None)
    assert "no interval" in found.note
