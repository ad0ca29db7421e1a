"""The topic probe on toy vectors whose classes are known."""

import numpy as np
import pytest

from analysis.comparison.topic_probe import fit_probe, score_probe
from analysis.errors import InputError
from analysis.records import compare

pytestmark = pytest.mark.fast
TOPICS = ("sports", "travel", "health")


def toy(n=60, dim=8, seed=0, spread=0.1):
    """Vectors around one corner a topic, and their topics."""
    rng = np.random.default_rng(seed)
    labels = [TOPICS[k % 3] for k in range(n)]
    corners = np.eye(dim)[[TOPICS.index(label) for label in labels]]
    return (corners + spread * rng.normal(size=(n, dim))).astype(np.float32), labels


@pytest.fixture(scope="module")
def probe():
    return fit_probe(*toy())


def test_separable_topics_are_learned(probe):
    vectors, labels = toy(30, seed=1)
    found = score_probe(probe, {"de": vectors, "en": vectors}, labels)
    assert [result.score for result in found.languages.values()] == [100, 100]
    assert list(found.languages) == ["en", "de"]
    assert probe.cross_validated == 100
    # Every choice is perfect here, so the simplest and strongest wins.
    assert (probe.scaling, probe.c) == ("none", 0.001)


def test_accuracy_by_hand(probe):
    vectors, labels = toy(30, seed=1)
    wrong = [TOPICS[(TOPICS.index(label) + 1) % 3] if n < 6 else label for n, label in enumerate(labels)]
    found = score_probe(probe, {"en": vectors, "de": vectors, "ar": vectors[::-1]}, wrong)
    assert found.languages["en"].score == pytest.approx(80)
    backwards = np.mean([a == b for a, b in zip(labels[::-1], wrong)]) * 100
    assert found.languages["ar"].score == pytest.approx(backwards)
    assert found.others.score == pytest.approx((80 + backwards) / 2)
    assert (found.others.n, found.others.clusters) == (60, 30)
    assert found.others.low < found.others.score < found.others.high


def test_rows_are_resampled_in_all_languages_at_once(probe):
    vectors, labels = toy(30, seed=1)
    labels = [TOPICS[0]] * 30
    one = score_probe(probe, {"en": vectors, "de": vectors}, labels)
    many = score_probe(probe, {"en": vectors, "de": vectors, "fr": vectors, "es": vectors}, labels)
    # Copies of one language add no evidence, so the interval of the mean stays as wide.
    assert np.allclose(one.others.replicates, many.others.replicates)
    assert np.allclose(one.others.replicates, one.languages["en"].replicates)


def test_the_same_probe_differs_by_exactly_nothing(probe):
    vectors, labels = toy(30, seed=1, spread=0.6)
    a, b = (score_probe(probe, {"en": vectors, "de": vectors[::-1]}, labels) for _ in range(2))
    change = compare(a.others, b.others)
    assert (change.difference, change.low, change.high) == (0, 0, 0)


def test_topics_are_seen_with_english_alone(probe):
    vectors, labels = toy(30, seed=1)
    assert score_probe(probe, {"en": vectors}, labels).others is None


def test_what_cannot_be_learned_or_scored_is_refused(probe):
    vectors, labels = toy()
    with pytest.raises(InputError, match="60 vectors and 59 labels"):
        fit_probe(vectors, labels[1:])
    with pytest.raises(InputError, match="at least 2 labels"):
        fit_probe(vectors, ["sports"] * 60)
    with pytest.raises(InputError, match="the rarest 1 times"):
        fit_probe(vectors, ["sports"] + ["travel"] * 59)
    with pytest.raises(InputError, match="no sentence"):
        score_probe(probe, {"en": vectors[:0]}, [])
    with pytest.raises(InputError, match="vectors of de"):
        score_probe(probe, {"en": vectors, "de": vectors[1:]}, labels)
