"""Every language against every other: a heatmap in the order of a clustering, values in the cells, clickable."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.figures.theme import DIVERGING, SEQUENTIAL, hover, scale, style
from analysis.text.languages import language

CELL = 44
SMALL = 30  # cells of matrices with many languages
MANY = 16
TINT = 0.12  # of the range, so that the lowest cell differs from an empty one
LABELLED = 22  # languages up to which cells hold their value


def cluster_order(matrix: np.ndarray, *, higher_is_better: bool | None = True) -> list[int]:
    """The order of the leaves of an average-linkage tree over the rows' scores with each other.

    Args:
        matrix: (n, n) scores of pairs; NaN where there is none, and on the diagonal.
        higher_is_better: False where a low score means alike.

    Returns:
        The n places; as they were where fewer than three languages have scores.
    """
    n = len(matrix)
    other = matrix.T
    both = np.where(np.isnan(matrix), other, np.where(np.isnan(other), matrix, (matrix + other) / 2))
    known = np.isfinite(both)
    np.fill_diagonal(known, True)
    if n < 3 or not _any(matrix):
        return list(range(n))
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    apart = both if higher_is_better is False else -both
    apart = np.where(known, apart, np.nanmax(apart))
    np.fill_diagonal(apart, np.nan)
    apart = apart - np.nanmin(apart)
    np.fill_diagonal(apart, 0.0)
    condensed = squareform(apart, checks=False)
    return leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed)).tolist()


def _any(matrix: np.ndarray) -> bool:
    """Whether any two languages have a score."""
    return bool(np.isfinite(matrix[~np.eye(len(matrix), dtype=bool)]).any())


def matrix_table(tags: Sequence[str], panels: Sequence[tuple[str, np.ndarray]]) -> dict[str, list[Any]]:
    """One line a cell, one column a panel: what the CSV holds."""
    n = len(tags)
    columns: dict[str, list[Any]] = {
        "first": [tag for tag in tags for _ in range(n)], "second": list(tags) * n,
    }  # fmt: skip
    for name, matrix in panels:
        columns[name] = [None if not np.isfinite(value) else float(value) for value in matrix.ravel()]
    return columns


def tell_matrix(tags: Sequence[str], matrix: np.ndarray, title: str, *, higher_is_better: bool | None = True) -> str:
    """Which two languages are closest and which furthest apart.

    Args:
        tags: the languages.
        matrix: (n, n) scores; the diagonal does not count.
        title: of the measure.
        higher_is_better: False where a low score means close.
    """
    upper = [(matrix[i, j], i, j) for i in range(len(tags)) for j in range(len(tags)) if i < j]
    known = sorted(item for item in upper if np.isfinite(item[0]))
    if len(known) < 2 or higher_is_better is None:
        return f"{title} of every two languages"
    best, worst = (known[-1], known[0]) if higher_is_better else (known[0], known[-1])
    name = lambda item: f"{language(tags[item[1]]).name} and {language(tags[item[2]]).name}"  # noqa: E731
    return f"{title}: {name(best)} are closest, {name(worst)} furthest apart"


def draw_matrix(
    tags: Sequence[str],
    panels: Sequence[tuple[str, np.ndarray]],
    *,
    unit: str,
    dark: bool,
    difference: int | None = None,
) -> Any:
    """Heatmaps over one order of languages; a click on a cell gives `customdata` [panel, first, second].

    Args:
        tags: the languages, in the order of rows and columns.
        panels: title and (n, n) matrix of each.
        unit: of the scores.
        dark: whether the page is dark.
        difference: which panel is B minus A, on the diverging scale.

    Returns:
        A Plotly figure, panels beside each other where there are few languages, else below each other.
    """
    from plotly.subplots import make_subplots

    n, cell = len(tags), CELL if len(tags) <= MANY else SMALL
    beside = n * cell * len(panels) <= 900
    shape = (1, len(panels)) if beside else (len(panels), 1)
    fig = make_subplots(
        *shape, subplot_titles=[hover(title) for title, _ in panels], horizontal_spacing=0.12,
        vertical_spacing=0.16 / max(1, len(panels) - 1),
    )  # fmt: skip
    percent = unit == "percent"
    for number, (_, matrix) in enumerate(panels):
        at = {"row": 1, "col": number + 1} if beside else {"row": number + 1, "col": 1}
        moved = number == difference
        fig.add_trace(_cells(matrix, tags, moved=moved, percent=percent), **at)
        inks = _inks(matrix, _range(panels, difference), moved, dark)
        fig.add_trace(_values(number, matrix, tags, inks, percent=percent, moved=moved), **at)
    names = [language(tag).name for tag in tags]
    for axes, side in ((fig.update_xaxes, {"tickangle": -45}), (fig.update_yaxes, {"autorange": "reversed"})):
        axes(tickvals=list(range(n)), ticktext=names, showgrid=False, zeroline=False, ticks="", fixedrange=True, **side)
    for number, title in enumerate(fig.layout.annotations):
        axis = fig.layout["xaxis" + (str(number + 1) if number else "")]
        title.update(x=axis.domain[0], xanchor="left", font={"size": 14})
    _colours(fig, panels, difference, unit, dark)
    rows = 1 if beside else len(panels)
    style(fig, height=rows * (n * cell + 110) + 70)
    fig.update_layout(clickmode="event+select", dragmode=False, margin={"t": 40, "l": 8, "r": 8, "b": 110})
    return fig


def _cells(matrix: np.ndarray, tags: Sequence[str], *, moved: bool, percent: bool) -> Any:
    """The coloured cells."""
    import plotly.graph_objects as go

    return go.Heatmap(z=matrix, coloraxis="coloraxis2" if moved else "coloraxis", xgap=1, ygap=1, hoverinfo="skip")


def _values(
    panel: int, matrix: np.ndarray, tags: Sequence[str], inks: np.ndarray, *, percent: bool, moved: bool
) -> Any:
    """The numbers in the cells, on invisible squares that take the click."""
    import plotly.graph_objects as go

    cells = [(i, j) for i in range(len(tags)) for j in range(len(tags)) if np.isfinite(matrix[i, j])]
    sign = "+" if moved else ""
    said = [format(matrix[cell], sign + (".0f" if percent else ".2f")).replace("-", "−") for cell in cells]
    names = [
        f"{language(tags[i]).name} – {language(tags[j]).name}: {matrix[i, j]:{sign}{'.1f' if percent else '.3f'}}"
        for i, j in cells
    ]
    labelled = len(tags) <= LABELLED
    return go.Scatter(
        x=[j for _, j in cells], y=[i for i, _ in cells], mode="markers+text" if labelled else "markers", text=said,
        customdata=[[panel, tags[i], tags[j]] for i, j in cells], hovertext=[hover(name) for name in names],
        hoverinfo="text", showlegend=False, textfont={"size": 11, "color": [inks[cell] for cell in cells]},
        marker={"symbol": "square", "size": 26, "opacity": 0}, selected={"marker": {"opacity": 0.25}},
        unselected={"marker": {"opacity": 0}},
    )  # fmt: skip


def _inks(matrix: np.ndarray, ends: tuple[float, float], moved: bool, dark: bool) -> np.ndarray:
    """Text that can be read on its cell: the scales run from the page's own colour to a strong one."""
    light, black = "#FFFFFF", "#14171C"
    low, high = ends
    with np.errstate(invalid="ignore"):
        if moved:
            strong = np.abs(matrix) / (float(np.nanmax(np.abs(matrix))) or 1.0) > (0.85 if dark else 0.75)
        else:
            strong = (matrix - low) / ((high - low) or 1.0) > (0.7 if dark else 0.55)
    return np.where(strong, black if dark else light, light if dark else black)


def _range(panels: Sequence[tuple[str, np.ndarray]], difference: int | None) -> tuple[float, float]:
    """The shared scale of the scores."""
    values = [m[np.isfinite(m)] for n, (_, m) in enumerate(panels) if n != difference]
    flat = np.concatenate(values) if values else np.zeros(1)
    return (float(flat.min()), float(flat.max())) if len(flat) else (0.0, 1.0)


def _colours(fig: Any, panels: Sequence[tuple[str, np.ndarray]], difference: int | None, unit: str, dark: bool) -> None:
    """One scale for scores, one for the difference, symmetric about zero."""
    low, high = _range(panels, difference)
    low -= TINT * (high - low)
    moved = panels[difference][1] if difference is not None else np.zeros((1, 1))
    change = float(np.nanmax(np.abs(moved))) if np.isfinite(moved).any() else 1.0
    bar = {"orientation": "h", "thickness": 9, "outlinewidth": 0, "y": 0, "yanchor": "top", "ypad": 60, "len": 0.3}
    fig.update_layout(
        coloraxis={
            "colorscale": scale(SEQUENTIAL[dark]), "cmin": low, "cmax": high,
            "colorbar": {**bar, "x": 0, "xanchor": "left", "title": {"text": unit, "side": "bottom"}},
        },
        coloraxis2={
            "colorscale": scale(DIVERGING[dark]), "cmin": -(change or 1.0), "cmax": change or 1.0,
            "colorbar": {**bar, "x": 1, "xanchor": "right", "title": {"text": "B − A", "side": "bottom"}},
        },
    )  # fmt: skip
