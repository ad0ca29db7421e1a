"""Language clusters on means made by hand, against scipy and scikit-learn."""

import numpy as np
import pytest

from analysis.measures.language_clusters import LanguageClustersSettings, compute
from analysis.scoring.space import ManySpace
from analysis.text.languages import language

pytestmark = pytest.mark.fast
GERMANIC, ROMANCE, SLAVIC = ("en", "de", "nl"), ("fr", "es", "it"), ("ru", "uk", "pl")
ALL = (*GERMANIC, *ROMANCE, *SLAVIC)


def space(centres, rows=40, noise=0.05, seed=0, dim=6):
    """Rows scattered around a mean for each language."""
    generator = np.random.default_rng(seed)
    return ManySpace(
        {tag: (np.asarray(mean) + noise * generator.standard_normal((rows, dim))).astype(np.float32)
         for tag, mean in centres.items()}, rows,
    )  # fmt: skip


def families():
    """A mean for each family, with a little of the language's own."""
    generator = np.random.default_rng(1)
    bases = dict(zip(("Germanic", "Romance", "Slavic"), np.eye(6)[:3]))
    return {tag: bases[language(tag).family] + 0.1 * generator.standard_normal(6) for tag in ALL}


def test_families_that_lie_together_are_found():
    result = compute(space(families()))
    assert (result.score, result.parts["homogeneity"], result.parts["completeness"]) == (1, 1, 1)
    assert (result.low, result.high, result.higher_is_better) == (1, 1, None)
    assert (result.parts["families"], result.parts["languages"]) == (3, 9)
    assert 0.2 < result.parts["shuffled"] < 0.8
    of = dict(zip(result.items["language"], result.items["cluster"]))
    assert of["en"] == of["de"] == of["nl"] != of["fr"]
    assert result.items["family"][0] == "Germanic"


@pytest.mark.parametrize("linkage", ["average", "complete", "single"])
def test_it_is_scipy_and_scikit_learn_put_together(linkage):
    from scipy.cluster.hierarchy import fcluster
    from scipy.cluster.hierarchy import linkage as link
    from sklearn.metrics import v_measure_score

    generator = np.random.default_rng(4)
    made = space({tag: generator.standard_normal(6) for tag in ALL}, noise=0.5)
    result = compute(made, LanguageClustersSettings(linkage=linkage))
    means = np.stack([made.vectors[tag].mean(axis=0) for tag in ALL])
    clusters = fcluster(link(means, method=linkage, metric="cosine"), 3, criterion="maxclust")
    expected = v_measure_score([language(tag).family for tag in ALL], clusters)
    assert result.score == pytest.approx(expected)
    assert 0 < result.score < 1
    assert len(result.replicates) == 200
    assert result.replicates.std() > 0


def test_rotation_and_scale_change_nothing():
    made = space(families(), noise=0.4)
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((6, 6)))[0]
    moved = ManySpace({tag: 7 * vectors @ turn for tag, vectors in made.vectors.items()}, made.rows)
    first, again = compute(made), compute(moved)
    assert (first.score, first.parts) == (pytest.approx(again.score), pytest.approx(again.parts))


def test_small_and_unknown_families_are_left_out_by_name():
    centres = {**families(), "eu": np.ones(6), "qqq": np.ones(6), "hi": -np.ones(6)}
    made = space(centres)
    made.vectors["hi"][:] = 0
    result = compute(made)
    assert result.parts["languages"] == 9
    assert "no vector: hi" in result.note
    assert "no known family: qqq" in result.note
    assert "too small a family here: eu" in result.note
    assert compute(made, LanguageClustersSettings(least=1)).parts["families"] == 4


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (("en", "de"), "at least 3 languages"),
        (GERMANIC, "all languages are of one family"),
        (("en", "fr", "ru"), "at least 3 languages"),
        ((), "at least 3 languages"),
    ],
)
def test_where_nothing_can_be_compared_there_is_a_reason(tags, reason):
    result = compute(space({tag: np.ones(6) for tag in tags}))
    assert (result.score, result.low) == (None, None)
    assert reason in result.note


def test_each_language_alone_in_its_family_says_so():
    result = compute(space({tag: np.ones(6) for tag in ("en", "fr", "ru")}), LanguageClustersSettings(least=1))
    assert "each language is of a family of its own" in result.note


def test_rows_without_a_vector_do_not_move_a_mean():
    made = space(families())
    before = compute(made)
    for vectors in made.vectors.values():
        vectors[0] = 0
        vectors[1] = np.nan
    assert compute(made).score == before.score
