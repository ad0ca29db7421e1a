"""Figures of comparisons: the right marks in valid Vega-Lite, findings that say no more than the tests, clusterings."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.figures import languages, matrix, scores, sweep, theme
from tests.figures.comparisons import comparison, entry

pytestmark = pytest.mark.fast
NAMES = {"a": "bundled", "b": "bundled+x", "c": "other"}


def marks(chart):
    """The records of every panel."""
    spec = chart.to_dict()
    return [row for panel in spec["concat"] for row in panel_rows(spec, panel)]


def panel_rows(spec, panel):
    data = panel.get("data") or panel["layer"][0].get("data")
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def test_the_finding_counts_only_what_the_corrected_test_says():
    found = scores.at_layer(comparison().summary)
    assert scores.tell_scores(found, NAMES) == "bundled+x is ahead of bundled on 3 of 3 measures"
    even = scores.at_layer(comparison(gain=0.5).summary)
    assert scores.tell_scores(even, NAMES) == "No clear difference between bundled and bundled+x on 3 measures"
    worse = scores.at_layer(comparison(gain=-5.0).summary)
    assert scores.tell_scores(worse, NAMES) == "bundled+x is behind bundled on 3 of 3 measures, ahead on none"
    three = scores.at_layer(comparison(("a", "b", "c")).summary)
    assert scores.tell_scores(three, NAMES).startswith("other is best, or not clearly worse than the best, on 3 of 3")
    alone = scores.at_layer(comparison(("a",)).summary)
    assert "choose a second encoder" in scores.tell_scores(alone, NAMES)


def test_measures_without_a_direction_count_for_nobody():
    both = scores.at_layer(comparison(measures=("word_retrieval", "norms")).summary)
    assert scores.tell_scores(both, NAMES) == "bundled+x is ahead of bundled on 1 of 1 measure"
    only = scores.at_layer(comparison(measures=("norms",)).summary)
    assert scores.tell_scores(only, NAMES) == "No measure has a score that could be better or worse"


def test_dots_have_their_intervals_and_controls_their_ticks():
    found = scores.at_layer(comparison(controls=("shuffled", "same")).summary)
    rows = marks(scores.draw_scores(found, ["a", "b"], NAMES))
    assert len(rows) == 3 * 4
    assert {row["line"] for row in rows} == {"bundled", "bundled+x", "floor: shuffled", "ceiling: same language"}
    b = next(row for row in rows if row["encoder"] == "b" and row["measure"] == "Linear CKA")
    assert b["low"] < b["score"] < b["high"]
    assert b["sure"]
    even = marks(scores.draw_scores(scores.at_layer(comparison(gain=0.1).summary), ["a", "b"], NAMES))
    assert [row["sure"] for row in even if not row["control"]] == [True, False] * 3


def test_the_layer_asked_for_or_the_deepest_is_shown():
    found = comparison(layers=4)
    assert {one.slot for one in scores.at_layer(found.summary)} == {3}
    assert {one.slot for one in scores.at_layer(found.summary, 1)} == {1}


def test_languages_are_joined_from_a_to_b_and_sorted():
    found = comparison().of("word_retrieval")
    rows = languages.draw_languages(found, ["a", "b"], NAMES).to_dict()
    drawn = next(iter(rows.get("datasets", {}).values()), None) or rows["data"]["values"]
    first = {row["row"]: row["first"] for row in drawn if row["encoder"] == "b"}
    assert first == {"Spanish": 60.0, "Russian": 53.0, "Chinese": 46.0}
    assert languages.ordered(found, ["a", "b"], "name") == [("en", "zh"), ("en", "ru"), ("en", "es")]
    errors = comparison(measures=("aer",)).of("aer")
    assert languages.ordered(errors, ["a", "b"], "score")[0] == ("en", "zh")
    assert languages.tell_languages(found, ["a", "b"], NAMES) == (
        "bundled+x is clearly better than bundled on 3 of 3 language pairs, worse on none"
    )


def test_languages_where_b_loses_are_named():
    pairs = [("es", 60.0, 70.0), ("ru", 60.0, 40.0)]
    found = [entry("a", "word_retrieval", a, languages=("en", tag)) for tag, a, _ in pairs]
    found += [entry("b", "word_retrieval", b, languages=("en", tag), against=a) for tag, a, b in pairs]
    assert languages.tell_languages(found, ["a", "b"], NAMES) == (
        "bundled+x is clearly better than bundled on 1 of 2 language pairs, clearly worse on Russian"
    )


def test_a_far_floor_does_not_squeeze_the_languages():
    near, far = languages.near(comparison().of("word_retrieval"))
    assert {one.control for one in far} == {"shuffled"}
    assert not any(one.control for one in near)


@pytest.mark.parametrize(("tags", "name"), [
    (("en", "ru"), "Russian"), (("en",), "English"), (("ru", "zh"), "Russian – Chinese"), (("en", "en"), "English alone"),
    (("en", "ar", "hi", "th"), "4 languages"),
])  # fmt: skip
def test_names_of_languages(tags, name):
    assert languages.language_names(tags) == name


def test_the_sweep_marks_the_best_layer_of_each_encoder_and_no_control():
    found = comparison(layers=5, measures=("word_retrieval", "aer", "norms"))
    rows = sweep.sweep_rows(found, found.keys)
    best = {(row["key"], row["encoder"]): row["layer"] for row in rows if row["best layer"]}
    assert best == {
        ("word_retrieval", "a"): 2, ("word_retrieval", "b"): 2, ("aer", "a"): 0, ("aer", "b"): 0,
    }  # fmt: skip
    assert sweep.tell_sweep(found, "word_retrieval", NAMES) == (
        "Contextual word retrieval is best in bundled at layer 2, in bundled+x at layer 2"
    )
    assert sweep.tell_sweep(found, "norms", NAMES) == "Norms by layer"
    assert len(sweep.draw_sweep(found, found.keys, NAMES).to_dict()["concat"]) == 3
    one = sweep.sweep_rows(found, ["aer"], ("en", "ru"))
    assert {row["languages"] for row in one} == {"en-ru"}


def test_languages_that_are_alike_stand_together():
    near, far = 0.9, 0.1
    apart = np.full((4, 4), far)
    apart[0, 2] = apart[2, 0] = apart[1, 3] = apart[3, 1] = near
    np.fill_diagonal(apart, np.nan)
    order = matrix.cluster_order(apart)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}
    assert sorted(matrix.cluster_order(1 - apart, higher_is_better=False)) == [0, 1, 2, 3]
    assert matrix.cluster_order(np.full((3, 3), np.nan)) == [0, 1, 2]
    gaps = np.where(apart == far, np.nan, apart)
    assert sorted(matrix.cluster_order(gaps)) == [0, 1, 2, 3]


def test_the_matrix_holds_its_values_and_takes_clicks():
    tags = ["en", "ru", "zh"]
    a = np.array([[np.nan, 90, 80], [90, np.nan, 70], [80, 70, np.nan]])
    panels = [("A", a), ("B", a + 5), ("B minus A", np.where(np.isnan(a), np.nan, 5.0))]
    fig = matrix.draw_matrix(tags, panels, unit="percent", dark=False, difference=2)
    points = [trace for trace in fig.data if trace.type == "scatter"]
    assert len(points) == 3
    assert len(points[0].customdata) == 6
    assert list(points[1].customdata[0]) == [1, "en", "ru"]
    assert points[2].text[0] == "+5"
    assert matrix.tell_matrix(tags, a, "X") == "X: English and Russian are closest, Russian and Chinese furthest apart"
    table = matrix.matrix_table(tags, panels[:1])
    assert table["first"][:3] == ["en"] * 3
    assert table["A"][:2] == [None, 90.0]


def test_nothing_to_draw_is_one_line():
    empty = [entry("a", "cka", None)]
    for draw in (
        lambda: scores.draw_scores(empty, ["a"], NAMES), lambda: languages.draw_languages(empty, ["a"], NAMES),
    ):  # fmt: skip
        with pytest.raises(InputError, match="choose data"):
            draw()
    assert languages.tell_languages(empty, ["a"], NAMES) == "No language has a score"


def test_figures_become_svg_with_names_escaped():
    bad = {"a": "<script>", "b": "b"}
    found = scores.at_layer(comparison().summary)
    for chart in (
        scores.draw_scores(found, ["a", "b"], bad), sweep.draw_sweep(comparison(layers=2), ["cka"], bad),
        languages.draw_languages(comparison().of("cka"), ["a", "b"], bad),
    ):  # fmt: skip
        svg = theme.altair_svg(chart).decode()
        assert svg.startswith("<svg")
        assert "<script>" not in svg
