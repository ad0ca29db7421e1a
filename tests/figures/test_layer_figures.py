"""Figures of curves, CKA and ranks: valid Vega-Lite with the right data, for any depth, and vector pictures of it."""

import numpy as np
import pytest

from analysis.comparison.cka_layers import CkaMap
from analysis.comparison.curves import Curve, find_variant, variants
from analysis.errors import InputError
from analysis.figures import theme
from analysis.figures.cka import Panel, cka_rows, difference, draw_cka, tell_cka
from analysis.figures.curves import draw_curves, draw_pairs
from analysis.figures.dots import draw_ranks, rank_rows
from analysis.measures._parts.hsic import Estimator
from analysis.neighbours.query import Move
from analysis.records import Result
from tests.comparison.test_curves import bitext

pytestmark = pytest.mark.fast


def result(score, unit="percent"):
    low, high = (None, None) if score is None else (score - 1, score + 1)
    return Result("m", score, low, high, 9, unit, True)


def curve(side="A", scores=(10.0, 30.0, 20.0), key="link_f1", pair=("en", "ru"), unit="percent"):
    variant = find_variant(key, variants(bitext()))
    results = tuple(result(score, unit) for score in scores)
    return Curve(side, f"encoder {side}", pair, variant, tuple(range(len(scores))), results)


def values(chart):
    return chart.to_dict()["data"]["values"]


def test_curves_mark_the_best_and_the_chosen_layer():
    rows = values(draw_curves([curve(), curve("B")], chosen={"A": 0, "B": 2}))
    assert [row["layer"] for row in rows if row["best"]] == [1, 1]
    assert [(row["side"], row["layer"]) for row in rows if row["chosen"]] == [("A", 0), ("B", 2)]


def test_layers_without_a_score_are_left_out():
    assert [row["layer"] for row in values(draw_curves([curve(scores=(None, 5.0, None))]))] == [1]


def test_other_depths_share_an_axis_of_depth():
    deep = draw_curves([curve(), curve("B", (1.0, 2.0, 3.0, 4.0, 5.0))]).to_dict()
    plain = draw_curves([curve(), curve("B")]).to_dict()
    field = lambda spec: spec["spec"]["layer"][1]["encoding"]["x"]["field"]
    assert (field(deep), field(plain)) == ("depth", "layer")


def test_other_units_do_not_share_the_y_axis():
    mixed = draw_curves([curve(), curve(key="cka", scores=(0.1, 0.2), unit="[-1, 1]")]).to_dict()
    assert mixed["resolve"]["scale"]["y"] == "independent"
    assert "resolve" not in draw_curves([curve()]).to_dict()


def test_pairs_have_the_colours_of_their_languages():
    from analysis.text.languages import language

    spec = draw_pairs([curve(), curve("B"), curve(pair=("en", "zh"))]).to_dict()
    colours = spec["spec"]["layer"][1]["encoding"]["color"]["scale"]["range"]
    assert colours == [language("ru").colour, language("zh").colour]


def test_nothing_to_draw_is_one_line():
    for draw in (draw_curves, draw_pairs, draw_cka):
        with pytest.raises(InputError, match="choose"):
            draw([])
    with pytest.raises(InputError, match="no true translation"):
        draw_ranks([Move("ru", None, 3, 9)], "a", "b")


def cka_map(values, n=50):
    values = np.array(values, float)
    layers = tuple(range(values.shape[0])), tuple(range(values.shape[1]))
    return CkaMap(values, np.zeros_like(values), *layers, n, n, "words", Estimator.DEBIASED)


def test_cka_cells_and_difference():
    a, b = cka_map([[0.1, 0.2], [0.3, np.nan]]), cka_map([[0.2, 0.2], [0.3, 0.5]])
    rows = cka_rows([Panel("A", "ru layer", "en layer", a)])
    assert len(rows) == 4
    assert rows[2] | {"cka": 0.3, "layer_down": 1, "layer_along": 0, "n": 50} == rows[2]
    assert rows[3]["cka"] is None
    moved = difference(a, b)
    assert moved.values[0].tolist() == pytest.approx([0.1, 0.0])
    assert difference(a, cka_map([[1.0]])) is None
    assert difference(a, cka_map([[0, 0], [0, 0]], n=9)) is None
    panels = [Panel("A", "x", "y", a, outlined=(1, 1)), Panel("B - A", "x", "y", moved, difference=True)]
    spec = draw_cka(panels).to_dict()
    assert len(spec["hconcat"]) == 2


def test_cka_findings():
    names, pair = ("a", "b"), ("en", "ru")
    one, two = cka_map([[0.5]]), cka_map([[0.7]])
    assert tell_cka(one, two, pair, names) == "en and ru have a CKA of 0.50 in a and 0.70 in b at the last layers"
    assert tell_cka(one, one, pair, ("a", "a")) == "en and ru have a CKA of 0.50 in a at the last layer"
    assert "not defined" in tell_cka(cka_map([[np.nan]]), two, pair, names)


def test_ranks_leave_out_what_is_not_known():
    moves = [Move("ru", 7, 1, 400, "берегу"), Move("es", None, 1, 9)]
    assert rank_rows(moves, "a", "b")[0]["rank A"] == 7
    spec = draw_ranks(moves, "a", "b").to_dict()
    assert [row["language"] for row in spec["data"]["values"]] == ["Russian"]


@pytest.mark.parametrize("draw", [
    lambda: draw_curves([curve(), curve("B")]),
    lambda: draw_pairs([curve(), curve("B")]),
    lambda: draw_cka([Panel("<b>&", "x", "y", cka_map([[0.1]]))]),
    lambda: draw_ranks([Move("ar", 70, 1, 400, "ضفة")], "<script>", "b"),
])  # fmt: skip
def test_every_figure_becomes_svg(draw):
    svg = theme.altair_svg(draw()).decode()
    assert svg.startswith("<svg")
    assert "<script>" not in svg
