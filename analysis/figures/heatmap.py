"""Word by word: the similarities of a sentence pair in A, in B, and what changed between them."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import combining, east_asian_width

import numpy as np

from analysis.figures.theme import ACCENT, DIVERGING, INK, SEQUENTIAL, scale, style
from analysis.text.languages import language
from analysis.text.pharaoh import Links

SIDE_BY_SIDE = 15  # target words up to which panels stand beside each other
CELL = 27
LONGEST_LABEL = 16


@dataclass(frozen=True)
class Panel:
    """One matrix of the picture.

    Attributes:
        title: a line above it.
        values: (m, n) similarities, source words by target words.
        links: links to be drawn as dots.
        difference: whether values are a difference, on the diverging scale.
    """

    title: str
    values: np.ndarray
    links: Links = field(default_factory=Links)
    difference: bool = False


def similarity_figure(
    panels: Sequence[Panel],
    source: Sequence[str],
    target: Sequence[str],
    *,
    languages: tuple[str, str],
    known: Links | None = None,
    dark: bool = False,
) -> Any:
    """Draw similarity matrices with links as dots and known links as outlined cells.

    Source words run downwards, target words as their language reads: from right to left in Arabic.

    Args:
        panels: matrices over the same words. Those that are no difference share one colour scale.
        source: words of the rows.
        target: words of the columns.
        languages: tags of the two sides.
        known: links that people or the text's authors made; those that are only possible are dashed.
        dark: whether the page is dark.

    Returns:
        A Plotly figure; panels beside each other, or above each other where sentences are long.
    """
    from plotly.subplots import make_subplots

    beside = len(target) <= SIDE_BY_SIDE
    shape = (1, len(panels)) if beside else (len(panels), 1)
    labels = [label(word) for word in source], [label(word) for word in target]
    top = 22 + int(6.4 * max((_columns(word) for word in labels[1]), default=1))
    tall = max(60, CELL * len(source))
    height = (tall + top + 60) * (1 if beside else len(panels))
    gap = {"horizontal_spacing": 0.03} if beside else {"vertical_spacing": (top + 46) / max(height, 1)}
    fig = make_subplots(*shape, shared_yaxes=beside, **gap)
    for number, panel in enumerate(panels):
        at = {"row": 1, "col": number + 1} if beside else {"row": number + 1, "col": 1}
        for trace in (_cells(panel, source, target), _dots(panel, dark)):
            fig.add_trace(trace, **at)
        edge = INK[dark] if panel.difference else ACCENT
        for shape_ in _outlines(known, len(source), len(target), edge):
            fig.add_shape(**shape_, **at)
        axis = "" if number == 0 else str(number + 1)
        fig.add_annotation(
            text=panel.title, xref=f"x{axis} domain", yref=f"y{axis} domain", x=0, y=1, xanchor="left",
            yanchor="bottom", yshift=top, showarrow=False, font={"size": 14},
        )  # fmt: skip
    _axes(fig, labels, languages)
    _colours(fig, panels, dark)
    style(fig, height=height)
    fig.update_layout(margin={"t": top + 28, "b": 56 if beside else 8})
    return fig


def limits(panels: Sequence[np.ndarray]) -> tuple[float, float]:
    """The shared scale of similarity matrices: from the smallest finite value to the largest."""
    finite = np.concatenate([matrix[np.isfinite(matrix)].ravel() for matrix in panels] or [np.zeros(1)])
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def label(word: str) -> str:
    """A word as an axis label: escaped, since Plotly reads a kind of HTML, and cut."""
    kept = word if len(word) <= LONGEST_LABEL else word[: LONGEST_LABEL - 1] + "…"
    return html.escape(kept, quote=False) or " "


def _columns(text: str) -> int:
    """How wide a label is, in narrow letters: those of East Asian scripts count twice, marks not at all."""
    return sum((2 if east_asian_width(char) in "WF" else 1) for char in html.unescape(text) if not combining(char))


def heatmap_table(
    panels: Sequence[tuple[str, np.ndarray]], source: Sequence[str], target: Sequence[str], links: dict[str, Links]
) -> dict[str, list[Any]]:
    """The cells of all matrices, one line each, for the CSV; links as true or false."""
    m, n = len(source), len(target)
    columns: dict[str, list[Any]] = {
        "i": np.repeat(np.arange(m), n).tolist(),
        "j": np.tile(np.arange(n), m).tolist(),
        "source": [word for word in source for _ in target],
        "target": list(target) * m,
    }
    columns |= {name: matrix.ravel().tolist() for name, matrix in panels}
    cells = list(zip(columns["i"], columns["j"], strict=True))
    return columns | {name: [cell in found.possible for cell in cells] for name, found in links.items()}


def _cells(panel: Panel, source: Sequence[str], target: Sequence[str]) -> Any:
    """The matrix itself."""
    import plotly.graph_objects as go

    said = [[f"{html.escape(a)} – {html.escape(b)}" for b in target] for a in source]
    digits = "+.3f" if panel.difference else ".3f"
    return go.Heatmap(
        z=panel.values, text=said, coloraxis="coloraxis2" if panel.difference else "coloraxis", xgap=1, ygap=1,
        hovertemplate="%{text}<br>" + f"%{{z:{digits}}}<extra></extra>",
    )  # fmt: skip


def _dots(panel: Panel, dark: bool) -> Any:
    """A dot on every decoded link."""
    import plotly.graph_objects as go

    cells = sorted(panel.links.sure)
    return go.Scatter(
        x=[j for _, j in cells], y=[i for i, _ in cells], mode="markers", hoverinfo="skip", showlegend=False,
        marker={"size": 8, "color": INK[dark], "line": {"width": 2, "color": INK[not dark]}},
    )  # fmt: skip


def _outlines(known: Links | None, rows: int, columns: int, colour: str) -> list[dict[str, Any]]:
    """A box round every known link."""
    if known is None:
        return []
    inside = [(i, j) for i, j in sorted(known.possible) if i < rows and j < columns]
    return [
        {
            "type": "rect", "x0": j - 0.46, "x1": j + 0.46, "y0": i - 0.46, "y1": i + 0.46,
            "line": {"color": colour, "width": 2, "dash": "solid" if (i, j) in known.sure else "dot"},
        }
        for i, j in inside
    ]  # fmt: skip


def _axes(fig: Any, labels: tuple[list[str], list[str]], languages: tuple[str, str]) -> None:
    """Words at the ticks; the first source word on top, target words in reading direction."""
    rows, columns = labels
    quiet = {"showgrid": False, "zeroline": False, "ticks": "", "title": None, "fixedrange": True}
    across = [-0.5, len(columns) - 0.5]
    if language(languages[1]).direction == "rtl":
        across = across[::-1]
    fig.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=columns, side="top", tickangle=-60, range=across, **quiet
    )
    fig.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows, range=[len(rows) - 0.5, -0.5], **quiet)


def _colours(fig: Any, panels: Sequence[Panel], dark: bool) -> None:
    """One scale for similarities, one for the difference, symmetric about zero."""
    low, high = limits([panel.values for panel in panels if not panel.difference])
    change = max((float(np.nanmax(np.abs(p.values))) for p in panels if p.difference and p.values.size), default=1.0)
    bar = {"orientation": "h", "thickness": 9, "outlinewidth": 0, "y": 0, "yanchor": "top", "ypad": 12, "len": 0.3}
    fig.update_layout(
        coloraxis={
            "colorscale": scale(SEQUENTIAL[dark]), "cmin": low, "cmax": high,
            "colorbar": {**bar, "x": 0, "xanchor": "left", "title": {"text": "cosine", "side": "bottom"}},
        },
        coloraxis2={
            "colorscale": scale(DIVERGING[dark]), "cmin": -(change or 1.0), "cmax": change or 1.0,
            "colorbar": {**bar, "x": 1, "xanchor": "right", "title": {"text": "B − A", "side": "bottom"}},
        },
    )  # fmt: skip


def crop_links(links: Links, rows: slice, columns: slice) -> Links:
    """The links inside a window of both sentences, counted from the window's start."""
    inside = lambda pairs: frozenset(  # noqa: E731
        (i - rows.start, j - columns.start)
        for i, j in pairs
        if rows.start <= i < rows.stop and columns.start <= j < columns.stop
    )
    return Links(inside(links.sure), inside(links.possible))
