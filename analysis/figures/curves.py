"""Curves of a measure over layers, encoder A against encoder B, with their intervals."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from analysis.comparison.curves import Curve, curve_table
from analysis.errors import InputError
from analysis.figures import theme
from analysis.text.languages import language

if TYPE_CHECKING:
    import altair

SIDE_COLOURS = {"A": theme.NEUTRAL, "B": theme.ACCENT}
DASHES = {"A": [4, 3], "B": [1, 0]}
LINES = "|"  # between the lines of a panel's title
TITLE_WIDTH = 26  # letters of a line of it
WIDTH = 780  # of the whole figure, so that it fits beside the sidebar of a small laptop


def draw_curves(
    curves: Sequence[Curve], *, columns: int = 4, height: int = 190, chosen: Mapping[str, int] | None = None
) -> "altair.Chart":
    """One small panel a measure, A dashed and grey, B solid in the accent colour; bands of 95 %, best layers numbered.

    Args:
        curves: of one language pair; where depths differ the axis is depth in percent of each encoder.
        columns: panels side by side.
        height: of a panel, in pixels.
        chosen: the layer of each side to mark with a thin upright line.

    Raises:
        InputError: no curve at all.
    """
    names = list(dict.fromkeys(_panel_name(curve, curves) for curve in curves))
    return _panels(curves, "panel", names, columns, height, chosen or {}, colour="side")


def draw_pairs(
    curves: Sequence[Curve], *, columns: int = 4, height: int = 150, chosen: Mapping[str, int] | None = None
) -> "altair.Chart":
    """One small panel a language pair in the colour of its second language, A dashed, B solid.

    Args:
        curves: of one measure.
        columns: panels side by side.
        height: of a panel, in pixels.
        chosen: the layer of each side to mark with a thin upright line.

    Raises:
        InputError: no curve at all.
    """
    names = list(dict.fromkeys(_pair_name(curve.pair) for curve in curves))
    return _panels(curves, "pair", names, columns, height, chosen or {}, colour="pair")


def _pair_name(pair: tuple[str, ...]) -> str:
    """`en-ru, Russian`."""
    return f"{'-'.join(pair)}, {language(pair[-1]).name}"


def _panel_name(curve: Curve, curves: Sequence[Curve]) -> str:
    """The measure, on a second line its unit and the text where panels differ in them."""
    units = len({result.unit for one in curves for result in one.results[:1]}) > 1
    about = len({one.about for one in curves}) > 1
    second = [*([curve.results[0].unit] if units else []), *([curve.about] if about else [])]
    return LINES.join(filter(None, (*wrap(curve.variant.title, TITLE_WIDTH), ", ".join(second))))


def _panels(
    curves: Sequence[Curve],
    facet: str,
    names: list[str],
    columns: int,
    height: int,
    chosen: Mapping[str, int],
    *,
    colour: str,
) -> "altair.Chart":
    """Small panels on one x axis; they share the y axis where they share the unit."""
    import altair as alt

    if not curves:
        raise InputError("no curve to draw; choose a measure that fits the corpus")
    rows = _rows(curves, chosen)
    units = {row["unit"] for row in rows}
    columns = min(columns, len(names))
    deep = len({curve.layers[-1] for curve in curves}) > 1
    base = alt.Chart().encode(
        x=alt.X(
            "depth:Q" if deep else "layer:Q",
            title="depth, 0 = embeddings, 100 % = last layer" if deep else "layer (0 = embeddings)",
            axis=alt.Axis(format="%", tickCount=4, grid=False)
            if deep
            else alt.Axis(format="d", tickMinStep=1, grid=False),
        ),
        color=_colour(curves, colour),
        tooltip=_tooltip(),
    )
    axis = _y_axis(units)
    band = base.mark_area(opacity=0.16, line=False).encode(y=alt.Y("low:Q", **axis), y2="high:Q", detail="side:N")
    line = base.mark_line(strokeWidth=1.8).encode(
        y=alt.Y("score:Q", **axis),
        strokeDash=alt.StrokeDash(
            "side:N",
            scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values())),
            legend=_side_legend(colour, curves),
        ),
    )
    small = base.mark_point(size=14, opacity=0.6, filled=True).encode(y="score:Q")
    best = base.transform_filter("datum.best").mark_point(size=70, filled=True, opacity=1).encode(y="score:Q")
    labels = [
        base.transform_filter(f"datum.best && datum.side == '{side}'")
        .mark_text(dy=shift, fontSize=10, fontWeight="bold")
        .encode(y="score:Q", text="layer:N")
        for side, shift in (("A", 13), ("B", -11))
    ]
    upright = base.transform_filter("datum.chosen").mark_rule(strokeWidth=1, strokeDash=[1, 3], tooltip=None)
    width = max(90, (WIDTH - 50) // columns - 18 if len(units) == 1 else WIDTH // columns - 60)
    header = alt.Header(
        labelFontSize=12, labelFontWeight="bold", labelLineHeight=14, labelAnchor="start",
        labelExpr=f"split(datum.label, '{LINES}')",
    )  # fmt: skip
    chart = (
        alt.layer(upright, band, line, small, best, *labels, data=alt.Data(values=rows))
        .properties(width=width, height=height)
        .facet(
            facet=alt.Facet(f"{facet}:N", title=None, sort=names, header=header),
            columns=columns, spacing=14,
        )
    )  # fmt: skip
    return theme.altair_style(chart if len(units) == 1 else chart.resolve_scale(y="independent"))


def _rows(curves: Sequence[Curve], chosen: Mapping[str, int]) -> list[dict[str, Any]]:
    """The records that are drawn, layers without a score left out."""
    table = curve_table(curves)
    points = [curve for curve in curves for _ in curve.layers]
    for row, curve in zip(table, points, strict=True):
        row["pair"], row["panel"] = _pair_name(curve.pair), _panel_name(curve, curves)
        row["chosen"] = chosen.get(row["side"]) == row["layer"]
        row["shown"] = f"{row['side']}  {row['encoder']}"
    return [row for row in table if row["score"] is not None]


def _y_axis(units: set[str]) -> dict[str, Any]:
    """Title, scale and ticks of the y axis: percent from 0 to 100, anything else as far as it goes."""
    import altair as alt

    if len(units) > 1:
        return {"title": None, "scale": alt.Scale(zero=False)}
    unit = next(iter(units), "")
    if unit == "percent":  # room above 100 for the number of a best layer
        axis = alt.Axis(values=[0, 25, 50, 75, 100], labelOverlap=False)
        return {"title": unit, "scale": alt.Scale(domain=[0, 112], nice=False), "axis": axis}
    return {"title": unit, "scale": alt.Scale(zero=False), "axis": alt.Axis(tickCount=5)}


def _colour(curves: Sequence[Curve], colour: str) -> Any:
    """Encoders in their colours, or languages in theirs."""
    import altair as alt

    if colour == "side":
        shown = list(dict.fromkeys((f"{curve.side}  {curve.encoder}", curve.side) for curve in curves))
        scale = alt.Scale(domain=[name for name, _ in shown], range=[SIDE_COLOURS[side] for _, side in shown])
        return alt.Color("shown:N", scale=scale, legend=_legend())
    pairs = list(dict.fromkeys(curve.pair for curve in curves))
    scale = alt.Scale(domain=[_pair_name(pair) for pair in pairs], range=[language(pair[1]).colour for pair in pairs])
    return alt.Color("pair:N", scale=scale, legend=None)


def _side_legend(colour: str, curves: Sequence[Curve]) -> Any:
    """A legend for the dashes where colour does not tell the encoders apart."""
    if colour == "side" or len({curve.side for curve in curves}) < 2:
        return None
    return _legend(symbolStrokeColor=theme.NEUTRAL)


def _legend(**options: Any) -> Any:
    """A legend of lines above the panels."""
    import altair as alt

    return alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=2.5, labelLimit=420, **options
    )


def _tooltip() -> list[Any]:
    """What a point says."""
    import altair as alt

    names = ("encoder", "measure", "pair", "layer", "n", "note")
    numbers = [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("score", "low", "high")]
    return [
        *(alt.Tooltip(f"{name}:N") for name in names[:4]),
        *numbers,
        *(alt.Tooltip(f"{name}:N") for name in names[4:]),
    ]
