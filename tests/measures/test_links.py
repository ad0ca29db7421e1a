"""Link F1 and AER on worked examples."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures import aer, link_f1
from analysis.measures._parts.link_scores import LinkSettings, error_rate, f1
from analysis.records import resamples
from analysis.text.pharaoh import Links
from tests.measures.spaces import bitext, diagonal, noisy_words, word_space

pytestmark = pytest.mark.fast


def worked():
    """Decoded 0-0 1-1 2-2; gold sure 0-0 1-1 2-1, possible also 2-2 in row 0; row 1 all right; row 2 not annotated."""
    gold = [
        Links(frozenset({(0, 0), (1, 1), (2, 1)}), frozenset({(2, 2)})),
        Links(frozenset({(0, 0)})),
        Links(),
    ]
    text = bitext(["a b c", "d", "e"], ["A B C", "D", "E"], gold)
    return word_space(text, np.eye(5), np.eye(5))


def test_a_worked_example():
    space = worked()
    # A = 4 links, A and P = 4, A and S = 3, S = 4.
    found = link_f1.SPEC.compute(space)
    assert found.parts["precision"] == 100
    assert found.parts["recall"] == 75
    assert found.score == pytest.approx(100 * 2 * 0.75 / 1.75)
    error = aer.SPEC.compute(space)
    assert error.score == pytest.approx(100 * (1 - 7 / 8))
    assert not error.higher_is_better
    assert (found.n, found.parts["links_found"], found.parts["links_sure"]) == (2, 4, 4)
    assert "1 sentence pairs have no gold links" in found.note
    assert found.items["found"] == ["0-0 1-1 2-2", "0-0"]
    assert found.items["gold"] == ["0-0 1-1 2-1 2p2", "0-0"]
    assert found.items["recall"] == pytest.approx([200 / 3, 100])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=9))
def test_without_possible_links_aer_is_what_f1_lacks(counts):
    sums = np.array(
        [[max(found, right), min(found, right, sure), min(found, right, sure), sure] for found, right, sure in counts]
    )
    assert np.allclose(error_rate(sums), 100 - f1(sums))


def test_no_decoded_link_is_the_worst_score_not_nan():
    space = worked()
    silent = replace(space, source=np.zeros_like(space.source))
    assert link_f1.SPEC.compute(silent).score == 0
    assert aer.SPEC.compute(silent).score == 100


def test_data_without_sure_links_give_a_note():
    space = replace(worked(), links=(Links(),) * 3)
    for spec in (link_f1.SPEC, aer.SPEC):
        result = spec.compute(space)
        assert result.score is None
        assert "sure" in result.note


def test_the_interval_is_that_of_sentences_drawn_again():
    space = noisy_words(rows=15, noise=1.5)
    result = link_f1.SPEC.compute(space, seed=3)
    found = [set(line.split()) for line in result.items["found"]]
    gold = [set(line.split()) for line in result.items["gold"]]
    replicates = []
    for counts in resamples(15, 3).astype(int):
        drawn = np.repeat(np.arange(15), counts)
        right = sum(len(found[n] & gold[n]) for n in drawn)
        precision, recall = right / sum(len(found[n]) for n in drawn), right / sum(len(gold[n]) for n in drawn)
        replicates.append(200 * precision * recall / (precision + recall))
    assert np.allclose(result.replicates, replicates, atol=1e-3)
    assert result.low < result.score < result.high


def test_decoder_and_its_options_are_settings():
    space = noisy_words(rows=10, noise=1.5)
    parts = [
        link_f1.SPEC.compute(space, LinkSettings(decoder, options)).parts
        for decoder, options in (("argmax", ""), ("match", ""), ("softmax", "threshold=0.4, temperature=0.5"))
    ]
    assert parts[1]["links_found"] == 40
    assert len({part["links_found"] for part in parts}) == 3
    with pytest.raises(InputError, match="unknown decoder 'argmin'"):
        link_f1.SPEC.compute(space, LinkSettings("argmin"))
    with pytest.raises(InputError, match="unknown setting 'heat'"):
        link_f1.SPEC.compute(space, LinkSettings("softmax", "heat=1"))


def test_subwords_are_scored_as_links_of_their_words():
    text = bitext(["a b"], ["A B"], diagonal(1, 2))
    space = word_space(text, np.eye(2), np.eye(2))
    pieces = np.array([0, 0, 1])
    units = space.source_units.take(pieces)
    values = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    subwords = replace(space, source=values, source_units=units, target=values, target_units=units, unit=Unit.SUBWORD)
    result = link_f1.SPEC.compute(subwords, LinkSettings(level="subword"))
    assert (result.score, result.parts["links_found"]) == (100, 2)
    with pytest.raises(InputError, match="level=subword needs subword vectors, got word"):
        link_f1.SPEC.compute(space, LinkSettings(level="subword"))


def test_missing_links_are_named():
    with pytest.raises(InputError, match="no word links"):
        aer.SPEC.compute(replace(worked(), links=None))
