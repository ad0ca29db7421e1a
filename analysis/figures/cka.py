"""CKA of layers with layers as heatmaps side by side on one colour scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.comparison.cka_layers import CkaMap
from analysis.errors import InputError
from analysis.figures import theme

if TYPE_CHECKING:
    import altair

WIDTH = 720


@dataclass(frozen=True)
class Panel:
    """One heatmap of a figure.

    Attributes:
        title: what it compares.
        x_title, y_title: what the layers along and down are of.
        map: layers down (first axis) by layers along (second axis).
        difference: whether it is a difference of two maps, with its own diverging scale.
        outlined: the layers down and along that the sidebar chose, None for no outline.
    """

    title: str
    x_title: str
    y_title: str
    map: CkaMap
    difference: bool = False
    outlined: tuple[int, int] | None = None


def cka_rows(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """One record a cell: what the figure draws and what its CSV holds; None where CKA is not defined."""
    rows = []
    for panel in panels:
        for i, down in enumerate(panel.map.layers_x):
            for j, along in enumerate(panel.map.layers_y):
                value, floor = panel.map.values[i, j], panel.map.floor[i, j]
                rows.append(
                    {
                        "panel": panel.title,
                        "down": panel.y_title,
                        "layer_down": down,
                        "along": panel.x_title,
                        "layer_along": along,
                        "cka": float(value) if np.isfinite(value) else None,
                        "shuffled": float(floor) if np.isfinite(floor) else None,
                        "n": panel.map.n,
                        "estimator": str(panel.map.estimator),
                    }
                )
    return rows


def difference(a: CkaMap, b: CkaMap) -> CkaMap | None:
    """B minus A where both have the same layers and number of items, else None."""
    if (a.layers_x, a.layers_y, a.n) != (b.layers_x, b.layers_y, b.n):
        return None
    return CkaMap(b.values - a.values, b.floor - a.floor, a.layers_x, a.layers_y, a.n, a.of, a.items, a.estimator)


def tell_cka(a: CkaMap, b: CkaMap, pair: tuple[str, str], names: tuple[str, str]) -> str:
    """What two maps of one language pair say at the last layers, in one line; they have no interval to claim more."""
    end_a, end_b = float(a.values[-1, -1]), float(b.values[-1, -1])
    what = f"{pair[0]} and {pair[1]}"
    if not np.isfinite(end_a) or not np.isfinite(end_b):
        return f"CKA of {what} is not defined here: {a.note or b.note or 'one side does not vary'}"
    if names[0] == names[1]:
        return f"{what} have a CKA of {end_a:.2f} in {names[0]} at the last layer"
    return f"{what} have a CKA of {end_a:.2f} in {names[0]} and {end_b:.2f} in {names[1]} at the last layers"


def draw_cka(panels: Sequence[Panel]) -> "altair.Chart":
    """Heatmaps in a row; all but differences share one colour scale from 0 to 1.

    Args:
        panels: at least one; depth may differ between them and between their axes.

    Raises:
        InputError: no panel.
    """
    import altair as alt

    if not panels:
        raise InputError("no CKA map to draw; choose a language pair the corpus has")
    side = (WIDTH - 40) // max(len(panels), 2) - 40
    moves = [float(np.nanmax(np.abs(panel.map.values), initial=0.05)) for panel in panels if panel.difference]
    shown = [_heatmap(panel, side, max(moves, default=0.05)) for panel in panels]
    return theme.altair_style(alt.hconcat(*shown, spacing=16).resolve_scale(color="independent"))


def _heatmap(panel: Panel, side: int, limit: float) -> Any:
    """One heatmap, the embedding layer at the bottom left."""
    import altair as alt

    rows = [row for row in cka_rows([panel]) if row["cka"] is not None]
    colour = alt.Scale(scheme="viridis", domain=[0, 1], clamp=True)
    if panel.difference:
        colour = alt.Scale(scheme="purplegreen", domain=[-limit, limit])
    name = "B minus A" if panel.difference else "CKA"
    legend = alt.Legend(title=name, orient="bottom", gradientLength=min(side, 140))
    title = alt.TitleParams(panel.title, fontSize=12, anchor="start")
    base = alt.Chart().encode(
        x=alt.X("layer_along:O", title=panel.x_title, sort=list(panel.map.layers_y), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("layer_down:O", title=panel.y_title, sort=list(reversed(panel.map.layers_x))),
    )
    cells = base.mark_rect().encode(
        color=alt.Color("cka:Q", scale=colour, legend=legend),
        tooltip=[
            alt.Tooltip("down:N"), alt.Tooltip("layer_down:O"), alt.Tooltip("along:N"), alt.Tooltip("layer_along:O"),
            alt.Tooltip("cka:Q", format=".3f"), alt.Tooltip("shuffled:Q", format=".3f"), alt.Tooltip("n:Q"),
        ],
    )  # fmt: skip
    layers = [cells]
    if panel.outlined is not None:
        down, along = panel.outlined
        chosen = f"datum.layer_down == {down} && datum.layer_along == {along}"
        layers.append(base.transform_filter(chosen).mark_rect(fill=None, stroke=theme.ACCENT, strokeWidth=2))
    return alt.layer(*layers, data=alt.Data(values=rows)).properties(width=side, height=side, title=title)
