"""What every measure of geometry does on odd data: too little, constant, missing, reordered, sampled."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.records import compare
from analysis.registry import find
from analysis.scoring.samples import draw_rows, sum_clusters
from tests.measures.geometry import noisy_sentences, reordered, rotation, sentences, with_vectors
from tests.measures.spaces import bitext, noisy_words, word_space

pytestmark = pytest.mark.fast
PAIRED = ["cka", "cca", "anc", "rsa", "anisotropy"]
SINGLE = ["effective_rank", "isoscore", "norms"]
EVERY = PAIRED + SINGLE


def compute(name, space, seed=0, **settings):
    measure = find("measures", name)
    return measure.compute(space, measure.settings(**settings), seed=seed)


def plain(result):
    """Everything that must be equal in two results that are one."""
    return result.score, result.low, result.high, result.n, dict(result.parts)


def assert_close(a, b, rel=1e-5):
    for one, two in zip(plain(a)[:3], plain(b)[:3]):
        assert one == pytest.approx(two, rel=rel, abs=1e-6)
    for key, value in a.parts.items():
        assert value == pytest.approx(b.parts[key], rel=rel, abs=1e-6), key


@pytest.mark.parametrize("name", EVERY)
def test_words_and_sentences_have_a_score_an_interval_and_plain_parts(name):
    for space in (noisy_words(), noisy_sentences()):
        result = compute(name, space)
        assert result.low <= result.score <= result.high
        assert result.clusters == space.rows
        assert result.unit == find("measures", name).unit
        for value in result.parts.values():
            assert value is None or type(value) in (int, float)
        assert len({len(column) for column in result.items.values()}) == 1


@pytest.mark.parametrize("name", EVERY)
def test_the_order_of_units_changes_nothing(name):
    space = noisy_words()
    assert_close(compute(name, space), compute(name, reordered(space)))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_too_few_have_no_score_and_a_reason(name, rows):
    space = noisy_sentences(rows=1 if rows == 3 and name in SINGLE else rows)
    result = compute(name, space)
    assert result.score is None
    assert f"needs at least 4 {'pairs' if name in PAIRED else 'sentences'}, got" in result.note


@pytest.mark.parametrize("name", ["cka", "cca", "anc", "rsa"])
@pytest.mark.parametrize("value", [0.1, 1.0, 1e-20, 12345.678])
def test_a_constant_side_has_no_score_and_a_reason(name, value):
    space = noisy_words()
    result = compute(name, with_vectors(space, target=np.full_like(space.target, value)))
    assert result.score is None
    assert "does not vary" in result.note or "do not vary" in result.note


@pytest.mark.parametrize("name", ["effective_rank", "isoscore"])
def test_nothing_varies_on_either_side(name):
    space = noisy_words()
    same = np.full_like(space.source, 0.1)
    assert "do not vary" in compute(name, with_vectors(space, same, same)).note
    half = compute(name, with_vectors(space, source=same))
    assert half.score is not None
    assert half.parts["source"] is None


@pytest.mark.parametrize("name", EVERY)
def test_words_without_a_vector_are_left_out_and_counted(name):
    space = noisy_words()
    source = space.source.copy()
    source[:2], source[2:5] = 0, np.nan
    result = compute(name, with_vectors(space, source=source))
    assert np.isfinite(result.score)
    assert result.n == (75 if name in PAIRED else 155)
    assert "5 of" in result.note
    assert "no vector" in result.note
    nothing = compute(name, with_vectors(space, np.full_like(source, np.nan), np.zeros_like(source)))
    assert nothing.score is None
    assert nothing.note


@pytest.mark.parametrize("name", EVERY)
def test_many_are_sampled_by_sentence_and_alike_for_every_encoder(name):
    limit = {"max_pairs": 30} if name in PAIRED else {"max_units": 60}
    holes = noisy_words(noise=1.5)
    holes = with_vectors(holes, source=np.where(np.arange(80)[:, None] == 40, 0, holes.source))
    a, b = (compute(name, space, seed=2, **limit) for space in (noisy_words(noise=0.5), holes))
    assert a.n == (28 if name in PAIRED else 56)
    assert a.clusters == b.clusters == 7
    assert "a sample of" in a.note
    assert compute(name, noisy_words(noise=0.5), seed=3, **limit).score != a.score
    assert np.isfinite(compare(a, b).difference)


@pytest.mark.parametrize("name", EVERY)
def test_one_seed_is_one_result_and_replicates_are_paired(name):
    space = noisy_words()
    first, again = compute(name, space, seed=5), compute(name, space, seed=5)
    assert plain(first) == plain(again)
    assert np.array_equal(first.replicates, again.replicates)
    assert not np.array_equal(first.replicates, compute(name, space, seed=6).replicates)
    better = compute(name, noisy_words(noise=0.1))
    if find("measures", name).higher_is_better:
        assert compare(compute(name, noisy_words(noise=2.5)), better).significant


@pytest.mark.parametrize("name", ["cka", "cca", "rsa", "anisotropy", "effective_rank", "isoscore", "norms"])
def test_a_joint_rotation_changes_nothing(name):
    space = noisy_words()
    turn = rotation(8, 3)
    assert_close(
        compute(name, space), compute(name, with_vectors(space, space.source @ turn, space.target @ turn)), 1e-3
    )


@pytest.mark.parametrize("name", PAIRED)
def test_sides_can_be_swapped(name):
    space = noisy_words()
    swapped = replace(
        space, source=space.target, source_units=space.target_units, target=space.source,
        target_units=space.source_units,
    )  # fmt: skip
    assert compute(name, space).score == pytest.approx(compute(name, swapped).score, abs=1e-6)


@pytest.mark.parametrize("name", PAIRED)
def test_words_need_links(name):
    text = bitext(["a b"], ["A B"], None)
    with pytest.raises(InputError, match=f"no word links.*without links {name} compares sentence vectors"):
        compute(name, word_space(text, np.eye(2), np.eye(2)))
    with pytest.raises(InputError, match="needs vectors of word or sentence units"):
        compute(name, replace(noisy_words(), unit=type(noisy_words().unit)("subword")))


@pytest.mark.parametrize("name", SINGLE)
def test_single_units_need_no_links(name):
    assert compute(name, replace(noisy_words(), links=None)).score is not None


@pytest.mark.parametrize("name", ["cka", "cca", "anc", "rsa"])
def test_floors_are_what_unrelated_vectors_score(name):
    generator = np.random.default_rng(1)
    results = [compute(name, sentences(*generator.standard_normal((2, 60, 6)))) for _ in range(60)]
    scores, floors = [r.score for r in results], [r.parts["shuffled"] for r in results]
    assert np.mean(scores) == pytest.approx(np.mean(floors), abs=3 * np.std(scores) / np.sqrt(60))
    assert compute(name, noisy_sentences(noise=0.1)).score > np.max(floors)


def test_rows_are_drawn_whole_up_to_a_limit():
    counts = np.array([5, 0, 3, 9, 1])
    assert draw_rows(counts, 18, 0).tolist() == [0, 1, 2, 3, 4]
    for seed in range(20):
        rows = draw_rows(counts, 9, seed)
        assert counts[rows].sum() <= 9
        assert (np.diff(rows) > 0).all()
    assert len(draw_rows(counts + 10, 1, 0)) == 1


def test_sums_of_sentences():
    sums = sum_clusters(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([2, 0, 2]), 4)
    assert sums.tolist() == [[3, 4], [0, 0], [6, 8], [0, 0]]
