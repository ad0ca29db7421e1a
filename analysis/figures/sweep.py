"""Scores layer by layer: one small panel a measure, one line an encoder with its band, the best layer marked."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures.scores import CONTROLS, TICKS, WIDTH, colours, heading, score_rows
from analysis.figures.theme import altair_style

if TYPE_CHECKING:
    import altair

    from analysis.comparison.scores import Entry, Scores

DOTS = {"random weights": [6, 3]}  # floors and ceilings are dotted, the untrained encoder is dashed


def sweep_rows(scores: "Scores", keys: Sequence[str], languages: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """One record a measure, encoder or control, and layer.

    Args:
        scores: the comparison, at several layers.
        keys: of the measures.
        languages: of one language pair; None for the means.
    """
    rows = []
    for key in keys:
        entries = scores.layers(key, languages)
        deepest: dict[str, int] = {}
        for entry in entries:
            deepest[entry.encoder] = max(deepest.get(entry.encoder, 1), entry.layer or 0)
        for entry, row in zip(entries, score_rows(entries), strict=True):
            if entry.result.score is None or entry.layer is None:
                continue
            best = not entry.control and entry.layer == scores.best_layer(key, entry.encoder, languages)
            rows.append(row | {"key": key, "depth": entry.layer / deepest[entry.encoder], "best layer": best})
    return rows


def tell_sweep(scores: "Scores", key: str, shown: Mapping[str, str], languages: Sequence[str] | None = None) -> str:
    """Where each encoder is best by one measure.

    Args:
        scores: the comparison, at several layers.
        key: of the measure.
        shown: what a page calls each encoder.
        languages: of one language pair; None for the means.
    """
    title = scores.of(key)[0].title
    best = {name: scores.best_layer(key, name, languages) for name in scores.encoders}
    if all(layer is None for layer in best.values()):
        return f"{title} by layer"
    told = [f"{shown[name]} at layer {layer}" for name, layer in best.items() if layer is not None]
    return f"{title} is best in {', in '.join(told)}"


def draw_sweep(
    scores: "Scores", keys: Sequence[str], shown: Mapping[str, str], *, languages: Sequence[str] | None = None,
    columns: int = 3, height: int = 170,
) -> "altair.ConcatChart":  # fmt: skip
    """Small multiples over layers; where encoders differ in depth the axis is depth in percent.

    Args:
        scores: the comparison, at several layers.
        keys: of the measures to draw.
        shown: what the page calls each encoder.
        languages: of one language pair; None for the means.
        columns: panels side by side.
        height: of a panel, in pixels.

    Raises:
        InputError: no layer has a score.
    """
    import altair as alt

    rows = [
        row | {"line": CONTROLS.get(row["control"]) or shown[row["encoder"]]}
        for row in sweep_rows(scores, keys, languages)
    ]
    drawn = [key for key in keys if any(row["key"] == key for row in rows)]
    if not drawn:
        raise InputError("no layer has a score; choose data that the measures fit")
    ends = {row["encoder"]: max(r["layer"] for r in rows if r["encoder"] == row["encoder"]) for row in rows}
    deep = len(set(ends.values())) > 1
    columns = min(columns, len(drawn))
    charts = [
        _panel([row for row in rows if row["key"] == key], scores.of(key)[0], scores.encoders, shown, deep=deep)
        .properties(width=WIDTH // columns - 62, height=height)
        for key in drawn
    ]  # fmt: skip
    return altair_style(alt.concat(*charts, columns=columns, spacing={"row": 18, "column": 18}))


def _panel(
    rows: list[dict[str, Any]], entry: "Entry", encoders: Sequence[str], shown: Mapping[str, str], *, deep: bool
) -> Any:
    """One measure."""
    import altair as alt

    ticks = [name for name in TICKS if any(row["line"] == name for row in rows)]
    order = [shown[name] for name in encoders]
    scale = alt.Scale(domain=[*order, *ticks], range=[*colours(encoders).values(), *(TICKS[name] for name in ticks)])
    legend = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolStrokeWidth=2.5, symbolOpacity=1, labelLimit=240
    )
    depth = alt.Axis(title="depth, 100 % = last layer", format="%", tickCount=4, grid=False)
    plain = alt.Axis(title="layer (0 = embeddings)", format="d", tickMinStep=1, grid=False)
    y_scale = alt.Scale(zero=False, nice=False, padding=18)  # room for the numbers of best layers
    y = alt.Y("score:Q", scale=y_scale, axis=alt.Axis(title=None, tickCount=4, gridOpacity=0.4))
    base = alt.Chart().encode(
        x=alt.X("depth:Q" if deep else "layer:Q", axis=depth if deep else plain),
        color=alt.Color("line:N", scale=scale, legend=legend), tooltip=_tooltip(),
    )  # fmt: skip
    proper = base.transform_filter("datum.control == ''")
    band = proper.mark_area(opacity=0.16, line=False).encode(y=alt.Y("low:Q", scale=y_scale), y2="high:Q")
    line = proper.mark_line(strokeWidth=1.8).encode(y=y)
    small = proper.mark_point(size=14, opacity=0.7, filled=True).encode(y=y)
    best = proper.transform_filter("datum['best layer']")
    large = best.mark_point(size=90, filled=True, opacity=1).encode(y=y)
    numbers = [
        best.transform_filter(f"datum.encoder {'=' if a else '!'}= {json.dumps(encoders[0])}")
        .mark_text(dy=14 if a else -12, fontSize=10, fontWeight="bold")
        .encode(y=y, text="layer:N")
        for a in (True, False)
    ]
    controls = [
        base.transform_filter(f"datum.line == '{name}'")
        .mark_line(strokeWidth=1.3, strokeDash=DOTS.get(name, [1, 3]))
        .encode(y=y, detail="encoder:N")
        for name in ticks
    ]
    layers = alt.layer(*controls, band, line, small, large, *numbers, data=alt.Data(values=rows))
    return layers.properties(title=heading(entry, data_named=False))


def _tooltip() -> list[Any]:
    """What a point says."""
    import altair as alt

    numbers = [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("score", "low", "high")]
    return [
        *(alt.Tooltip(f"{name}:N") for name in ("line", "data", "layer")),
        *numbers,
        alt.Tooltip("n:Q", format=",d"),
    ]
