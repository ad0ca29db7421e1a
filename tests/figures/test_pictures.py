"""The scatter, the heatmap and the dots: what is drawn, and that no text of a user is markup in them."""

import json

import numpy as np
import pytest

from analysis.figures.heatmap import Panel, crop_links, heatmap_table, similarity_figure
from analysis.figures.intervals import Scores, draw_scores, score_rows
from analysis.figures.scatter import Look, scatter_table, shared_scatter, spread_labels, symbols_of
from analysis.figures.theme import hover
from analysis.projection.units import choose_units
from analysis.records import Result
from analysis.text.corpus import Corpus, Sentence
from analysis.text.pharaoh import Links, parse_links

pytestmark = pytest.mark.fast
EVIL = "<b>&amp;</b><a href='x'>"


@pytest.fixture
def corpus():
    rows = tuple({tag: Sentence.from_words([EVIL, "عربي"], tag) for tag in ("en", "ar")} for _ in range(2))
    return Corpus("c", "C", rows, (EVIL, "r2"), (EVIL, "y"))


def drawn(fig):
    """All text of a figure, as the browser gets it."""
    return json.dumps(json.loads(fig.to_json()))


def test_hover_text_is_escaped_isolated_and_short():
    assert hover("<x> & y") == "\u2068&lt;x&gt; &amp; y\u2069"
    assert len(hover("a" * 500)) == 162


def test_the_scatter_draws_every_unit_twice_and_keeps_its_number(corpus):
    shown = choose_units(corpus, ["en", "ar"])
    points = np.random.default_rng(0).normal(size=(len(shown), 2))
    points[0] = np.nan
    fig = shared_scatter(
        corpus, shown, [points, points + 1], ["A", "B"], np.array([[1, 3]]), look=Look(symbols=[EVIL] * len(shown))
    )
    numbers = [int(n) for trace in fig.data if trace.customdata is not None for n in np.ravel(trace.customdata)]
    assert sorted(numbers) == sorted(2 * list(range(len(shown))))
    assert fig.layout.xaxis.range == fig.layout.xaxis2.range
    assert fig.layout.yaxis2.matches == "y"
    assert "<a" not in drawn(fig)
    assert "<b>&amp;" not in drawn(fig)
    table = scatter_table(shown, corpus, [points, points + 1])
    assert table["b_x"][1] == pytest.approx(table["a_x"][1] + 1)
    assert table["text"][0] == EVIL


def test_faded_units_stay_and_only_chosen_lines_are_drawn(corpus):
    shown = choose_units(corpus, ["en", "ar"])
    points = np.random.default_rng(0).normal(size=(len(shown), 2))
    strong = np.zeros(len(shown), dtype=bool)
    strong[[0, 2]] = True
    lines = np.array([[0, 2], [1, 3]])
    fig = shared_scatter(
        corpus, shown, [points], ["A"], lines, look=Look(strong=strong, labelled=spread_labels(strong))
    )
    joined = next(trace for trace in fig.data if trace.mode == "lines")
    assert np.isfinite(joined.x).sum() == 2
    written = [text for trace in fig.data if trace.mode == "text" for text in trace.text]
    assert len(written) == 2
    assert spread_labels(np.ones(500, dtype=bool)) is None
    assert spread_labels(np.zeros(3, dtype=bool)) is None


def test_shapes_go_to_the_most_frequent_labels():
    shapes = symbols_of(["b", "a", "b", "", "other"])
    assert list(shapes) == ["b", "a"]
    assert shapes["b"] != shapes["a"]
    assert len(symbols_of([str(n) for n in range(50)])) == 14


def test_the_heatmap_reads_as_its_languages_do():
    values = np.array([[0.9, 0.2, 0.1], [0.3, 0.8, 0.4]])
    panels = [Panel("A", values, parse_links("0-0 1-1")), Panel("B − A", values - 0.5, difference=True)]
    fig = similarity_figure(
        panels, ["one", EVIL], ["واحد", "اثنان", "x"], languages=("en", "ar"), known=parse_links("0-0 1p2")
    )
    assert fig.layout.xaxis.range[0] > fig.layout.xaxis.range[1]
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]
    assert (fig.layout.coloraxis.cmin, fig.layout.coloraxis.cmax) == (pytest.approx(0.1), pytest.approx(0.9))
    assert fig.layout.coloraxis2.cmin == -fig.layout.coloraxis2.cmax
    assert [shape.line.dash for shape in fig.layout.shapes] == ["solid", "dot"] * 2
    assert "<a" not in drawn(fig)
    left = similarity_figure(panels, ["one", "two"], ["a", "b", "c"], languages=("en", "es"))
    assert left.layout.xaxis.range[0] < left.layout.xaxis.range[1]
    assert not left.layout.shapes


def test_long_sentences_stand_above_each_other():
    values = np.zeros((2, 30))
    fig = similarity_figure([Panel("A", values), Panel("B", values)], ["a", "b"], ["x"] * 30, languages=("en", "es"))
    assert fig.layout.yaxis.domain[0] > fig.layout.yaxis2.domain[1]


def test_links_of_a_window_and_the_table_of_cells():
    assert crop_links(parse_links("0-0 2-3 5-1"), slice(2, 6), slice(1, 4)) == Links(frozenset({(0, 2), (3, 0)}))
    table = heatmap_table([("a", np.array([[1.0, 2.0]]))], ["s"], ["t", "u"], {"link": parse_links("0-1")})
    assert table["target"] == ["t", "u"]
    assert table["a"] == [1.0, 2.0]
    assert table["link"] == [False, True]


def result(score):
    replicates = np.linspace(score - 2, score + 2, 1000)
    return Result("m", score, score - 2, score + 2, 10, "percent", True, replicates, 5)


def test_dots_carry_intervals_and_the_paired_change():
    scores = [Scores("en – de", result(70.0), result(75.0))]
    rows = score_rows(scores)
    assert [row["encoder"] for row in rows] == ["A", "B"]
    assert rows[0]["change"] == pytest.approx(5)
    spec = draw_scores(scores, axis="percent").to_dict()
    assert {layer["mark"]["type"] for layer in spec["layer"]} == {"rule", "circle"}
    json.dumps(spec)
