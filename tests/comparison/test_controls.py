"""Floor, ceiling and untrained encoder are what their captions say."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.comparison.controls import applies, learned, random_name, same_text, shuffled
from analysis.comparison.plan import plan
from analysis.comparison.request import EXPLAINED, Control
from analysis.comparison.run import run
from analysis.encoders.load import load_encoder
from analysis.registry import find
from analysis.scoring.space import ManySpace
from analysis.text.pharaoh import Links
from tests.measures.spaces import bitext, noisy_words

pytestmark = pytest.mark.fast


def test_every_control_is_explained_and_applies_where_it_is_defined():
    assert set(EXPLAINED) == set(Control)
    assert all(applies(control, find("measures", "cka")) for control in (None, *Control))
    assert [applies(control, find("measures", "sts")) for control in Control] == [True, True, False]
    assert not applies(Control.RANDOM, replace(find("measures", "cka"), needs_base=True))
    assert not applies(Control.SAME, replace(find("measures", "cka"), higher_is_better=None))


def test_shuffled_words_are_the_same_vectors_of_other_words():
    space = noisy_words(noise=0.0)
    space.target[3] = 0
    found = shuffled(space, 5)
    assert not np.array_equal(found.target, space.target)
    np.testing.assert_array_equal(np.sort(found.target, axis=0), np.sort(space.target, axis=0))
    assert not found.target[3].any()
    np.testing.assert_array_equal(found.source, space.source)
    assert found.links == space.links
    np.testing.assert_array_equal(found.target, shuffled(space, 5).target)
    assert not np.array_equal(found.target, shuffled(space, 6).target)
    measure = find("measures", "word_retrieval")
    assert measure.compute(space).score > 95
    assert measure.compute(found).score < 20


def test_shuffled_special_tokens_stay_opening_and_closing():
    space = noisy_words(rows=6)
    special = np.arange(1, 13, dtype=np.float32)[:, None] * np.ones((1, 8), np.float32)
    found = shuffled(replace(space, special=(special, special)), 1)
    np.testing.assert_array_equal(found.special[0], special)
    assert set(found.special[1][::2, 0]) == set(special[::2, 0])
    assert not np.array_equal(found.special[1], special)


def test_shuffled_languages_each_have_an_order_of_their_own():
    side = np.arange(1, 41, dtype=np.float32).reshape(20, 2)
    found = shuffled(ManySpace({"en": side, "de": side.copy()}, 20), 0)
    assert not np.array_equal(found.vectors["en"], found.vectors["de"])
    assert set(found.vectors["de"][:, 0]) == set(side[:, 0])


def test_the_same_text_is_retyped():
    text = bitext(["A b.", "c D İ!", "é", "水。"], ["x y", "z", "w", "v"],
                  [Links(frozenset({(0, 0), (1, 1)})), Links(frozenset({(0, 0), (1, 0)})), Links(), Links()])  # fmt: skip
    found = same_text(text)
    assert [one.text for one in found.target] == ["a b!", "c d İ.", "é.", "水!"]
    assert [one.spans for one in found.target] == [one.spans for one in text.source]
    assert found.languages == ("en", "en")
    assert [pair.one_to_one() for pair in found.links] == [{(0, 0), (1, 1)}, set(), set(), set()]
    assert found.links[1].possible == {(0, 0), (1, 1), (2, 2)}
    assert len(found) == len(text)
    assert all(a.text != b.text for a, b in zip(found.source, found.target))


def test_the_random_encoder_has_the_shape_of_the_first_ones_base(tiny):
    first, drawn = load_encoder(tiny), load_encoder(f"random:{tiny}")
    assert random_name(first, load_encoder) == drawn.name
    assert learned([drawn, first]) is first
    assert learned([drawn]) is drawn


def test_an_untrained_encoder_that_is_compared_anyway_is_no_control_too(asking, tiny):
    made = plan(asking(encoders=(tiny, f"random:{tiny}"), controls=(Control.RANDOM,)))
    assert {cell.control for cell in made.cells} == {None}


def test_controls_stand_beside_every_encoder(asking, tiny, second_tiny):
    scores = run(plan(asking("toy_near", "sentence_retrieval", controls=tuple(Control), languages=("en", "es"))))
    near = {(entry.name, entry.control): entry for entry in scores.of("toy_near")}
    assert list(near) == [
        (tiny, ""), (second_tiny, ""), (f"{tiny} (shuffled)", "shuffled"), (f"{second_tiny} (shuffled)", "shuffled"),
        (f"random:{tiny}", "random"), (f"{tiny} (same)", "same"), (f"{second_tiny} (same)", "same"),
    ]  # fmt: skip
    assert {entry.result.n for entry in near.values()} == {8}
    assert all(entry.rank is None for (_, control), entry in near.items() if control)
    first = near[tiny, ""]
    for (name, control), entry in near.items():
        if control:
            assert entry.result.provenance["control"] == control
            assert entry.difference.difference == pytest.approx(entry.result.score - first.result.score)
        assert entry.result.provenance["data_sha256"] == first.result.provenance["data_sha256"], name
    retrieval = {entry.name: entry.result.score for entry in scores.of("sentence_retrieval")}
    assert retrieval[f"{tiny} (shuffled)"] < retrieval[f"{tiny} (same)"]


def test_what_has_no_ceiling_is_left_without_a_word(asking, tiny, shared_data):
    made = plan(asking("sts", data=("set:stsb_multi:en-de:dev",), controls=tuple(Control), max_rows=4,
                       data_dir=str(shared_data), encoders=(tiny,)))  # fmt: skip
    assert [cell.control for cell in made.cells] == [None, Control.SHUFFLED, Control.RANDOM]
    assert made.skipped == ()
