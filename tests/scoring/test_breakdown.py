"""Retrieval by kind of word."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.measures.word_retrieval import SPEC
from analysis.records import resamples
from analysis.scoring.breakdown import breakdown, frequency_band, word_class
from tests.measures.spaces import noisy_words

pytestmark = pytest.mark.fast
ITEMS = {
    "row": [0, 0, 1, 1, 2],
    "pos": ["NOUN", "DET", "NOUN", "", "PUNCT"],
    "frequency": [1, 7, 2, 60, 3],
    "identical": [True, False, False, False, False],
    "cosine_hit": [True, False, False, True, True],
    "csls_hit": [True, True, True, True, True],
}


def told(by, **options):
    return {group.name: (group.n, group.score) for group in breakdown(ITEMS, by, **options)}


def test_groups_by_hand():
    assert told("pos") == {"NOUN": (2, 50), "DET": (1, 0), "PUNCT": (1, 100), "": (1, 100)}
    assert told("class") == {"open": (2, 50), "closed": (1, 0), "other": (1, 100), "": (1, 100)}
    assert list(told("frequency")) == ["1", "2-4", "5-9", "50+"]
    assert told("frequency")["2-4"] == (2, 50)
    assert told("identical", hit="csls_hit") == {"identical": (1, 100), "different": (4, 100)}


def test_bands_and_classes():
    assert [frequency_band(n) for n in (1, 2, 4, 5, 9, 10, 49, 50)] == [
        "1", "2-4", "2-4", "5-9", "5-9", "10-49", "10-49", "50+"
    ]  # fmt: skip
    assert [word_class(tag) for tag in ("PROPN", "NUM", "SYM", "")] == ["open", "closed", "other", ""]


def test_a_group_in_one_sentence_has_no_interval():
    groups = {group.name: group for group in breakdown(ITEMS)}
    assert (groups["DET"].low, groups["DET"].high) == (None, None)
    assert groups["NOUN"].low <= 50 <= groups["NOUN"].high


def test_the_interval_draws_sentences_as_the_score_does():
    result = SPEC.compute(noisy_words(rows=25, noise=1.0), seed=3)
    (forward,) = [g for g in breakdown(result.items, "direction", clusters=25, seed=3) if g.name == "forward"]
    rows, hits = np.array(result.items["row"][:100]), np.array(result.items["cosine_hit"][:100])
    counts = resamples(25, 3)[:, rows]
    replicates = 100 * (counts * hits).sum(axis=1) / counts.sum(axis=1)
    assert (forward.low, forward.high) == pytest.approx(tuple(np.quantile(replicates, [0.025, 0.975])), abs=1e-3)
    assert forward.score == pytest.approx(result.parts["forward"])


def test_an_unknown_column_is_named():
    with pytest.raises(InputError, match="unknown column 'length'"):
        breakdown(ITEMS, "length")


def test_no_queries_no_groups():
    assert breakdown({"row": [], "pos": [], "cosine_hit": []}) == []
