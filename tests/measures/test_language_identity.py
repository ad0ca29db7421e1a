"""Language identity on separable and inseparable clouds."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.measures.language_identity import LanguageIdentitySettings, _folds, compute
from analysis.records import compare
from analysis.scoring.space import ManySpace

pytestmark = pytest.mark.fast
TAGS = ("en", "de", "ru", "zh")


def clouds(rows=60, dim=12, offset=3.0, stretch=0.0, seed=0, tags=TAGS):
    """Rows with a content of their own in every language; languages differ by an offset and by their spread."""
    generator = np.random.default_rng(seed)
    content = generator.standard_normal((rows, dim))
    found = {}
    for n, tag in enumerate(tags):
        spread = 1 + stretch * n
        moved = spread * (content + generator.standard_normal((rows, dim)))
        found[tag] = (moved + offset * generator.standard_normal(dim)).astype(np.float32)
    return ManySpace(found, rows, {"data_sha256": "x"})


def test_an_offset_tells_languages_and_centring_takes_it_away():
    result = compute(clouds(rows=400))
    assert result.score > 99
    assert result.parts["chance"] == 25
    assert result.parts["centred"] == pytest.approx(25, abs=6)
    assert (result.n, result.clusters, result.higher_is_better) == (1600, 400, False)
    assert result.items["language"] == list(TAGS)
    assert np.mean(result.items["accuracy"]) == pytest.approx(result.score)
    assert np.mean(result.items["centred"]) == pytest.approx(result.parts["centred"])


def test_without_an_offset_nothing_tells_them():
    result = compute(clouds(rows=400, offset=0))
    assert result.low < 25 < result.high + 3
    assert result.score == pytest.approx(25, abs=5)


def test_what_is_left_beyond_the_mean_is_seen():
    # Languages of one mean that differ in spread: no linear classifier tells them, one with a hidden layer does.
    result = compute(clouds(rows=400, offset=0, stretch=3))
    assert result.score < 40
    assert result.parts["centred"] > result.score + 10


def test_translations_of_a_row_are_in_one_fold():
    # Each row is its own content without noise, so a classifier that had seen a row's translations would know it.
    row = np.tile(np.arange(10), 3)
    fold = _folds(row, 10, 2, seed=3)
    assert all(len(set(fold[row == one])) == 1 for one in range(10))
    assert np.bincount(fold).tolist() == [15, 15]


def test_a_row_that_lacks_a_language_or_all_is_no_crash():
    space = clouds(rows=30)
    space.vectors["de"][4] = 0
    space.vectors["ru"][5] = np.nan
    for vectors in space.vectors.values():
        vectors[9] = 0
    result = compute(space)
    assert result.n == 4 * 30 - 6
    assert "6 sentences have no vector" in result.note
    assert result.clusters == 30


def test_a_language_without_vectors_is_left_out_by_name():
    space = clouds(rows=30)
    space.vectors["zh"][:] = 0
    result = compute(space)
    assert result.parts["languages"] == 3
    assert "no sentence of zh has a vector" in result.note


@pytest.mark.parametrize(("rows", "tags"), [(1, TAGS), (20, ("en",)), (0, TAGS)])
def test_too_little_gives_no_score_and_a_reason(rows, tags):
    result = compute(clouds(rows=rows, tags=tags))
    assert result.score is None
    assert "needs 2 languages and 2 rows" in result.note


def test_two_encoders_are_paired_and_order_and_scale_do_not_matter():
    space = clouds(rows=100, offset=0.4)
    scaled = ManySpace({tag: 5 * space.vectors[tag] for tag in reversed(TAGS)}, 100, space.provenance)
    first, again = compute(space), compute(scaled)
    assert again.score == pytest.approx(first.score, abs=1)
    assert len(first.replicates) == len(again.replicates) == 1000
    easier = compute(clouds(rows=100, offset=3))
    assert compare(first, easier).significant


def test_settings_are_checked():
    with pytest.raises(InputError, match="out of range"):
        compute(clouds(rows=5), LanguageIdentitySettings(folds=1))
