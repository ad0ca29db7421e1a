"""Two encoders side by side in one frame: a point a word, coloured by language, lines between translations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.figures.theme import LINE, NEUTRAL, hover, style
from analysis.projection.units import Shown, sentence_of
from analysis.text.corpus import Corpus
from analysis.text.languages import SYMBOLS, language

WEBGL = 3000  # points a panel from which a canvas draws faster than SVG
AROUND = 60  # characters of the sentence shown on either side of the word
MOST_LABELS = 120
OTHER = "other"


@dataclass(frozen=True)
class Look:
    """How the points of a picture are drawn.

    Attributes:
        symbols: a label for each unit that its marker's shape stands for, or None for one shape a language.
        strong: (n,) bool, the units in full strength; None for all. The others fade.
        labelled: (n,) bool, the units with their word written beside them; None for none.
        legend: whether the languages stand in a legend.
        height: of the figure in pixels.
    """

    symbols: Sequence[str] | None = None
    strong: np.ndarray | None = None
    labelled: np.ndarray | None = None
    legend: bool = True
    height: int = 560


def shared_scatter(
    corpus: Corpus,
    shown: Shown,
    panels: Sequence[np.ndarray],
    titles: Sequence[str],
    lines: np.ndarray,
    *,
    look: Look | None = None,
) -> Any:
    """Draw the same units in one or two panels that zoom and pan together.

    Args:
        corpus: where the units come from, for the sentence under the pointer.
        shown: the units.
        panels: for each panel (n, 2) coordinates in one frame; NaN is not drawn.
        titles: a line above each panel.
        lines: (m, 2) indices of units to be joined.
        look: how points are drawn.

    Returns:
        A Plotly figure; `customdata` of a point is the index of its unit.
    """
    from plotly.subplots import make_subplots

    look = look or Look()
    fig = make_subplots(1, len(panels), horizontal_spacing=0.02)
    said = [_said(corpus, shown, number) for number in range(len(shown))]
    for column, points in enumerate(panels, start=1):
        fig.add_trace(_line_trace(points, lines, look), row=1, col=column)
        for tag in dict.fromkeys(shown.language):
            fig.add_trace(_points_trace(shown, points, tag, said, look), row=1, col=column)
        if look.labelled is not None:
            for tag in dict.fromkeys(shown.language):
                fig.add_trace(_labels_trace(shown, points, tag, look.labelled), row=1, col=column)
    for entry in _legend(shown, look):
        fig.add_trace(entry, row=1, col=1)
    _frame(fig, panels, titles, look)
    return style(fig, height=look.height)


def spread_labels(chosen: np.ndarray, limit: int = MOST_LABELS) -> np.ndarray | None:
    """Which of the chosen units get a written label: all of them, or none where they would cover each other."""
    return chosen if 0 < int(chosen.sum()) <= limit else None


def scatter_table(shown: Shown, corpus: Corpus, panels: Sequence[np.ndarray]) -> dict[str, list[Any]]:
    """What the picture shows, column by column, for the CSV."""
    columns: dict[str, list[Any]] = {
        "row": [corpus.row_ids[n] for n in shown.row],
        "language": list(shown.language),
        "position": shown.position.tolist(),
        "text": list(shown.text),
        "sense": list(shown.sense),
        "sentence": [sentence_of(corpus, shown, n).text for n in range(len(shown))],
    }
    for name, points in zip("ab", panels, strict=False):
        columns |= {f"{name}_x": points[:, 0].tolist(), f"{name}_y": points[:, 1].tolist()}
    return columns


def symbols_of(labels: Sequence[str]) -> dict[str, str]:
    """A marker for each label, the most frequent first; past the number of markers they share a small circle."""
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    named = sorted((label for label in counts if label not in ("", OTHER)), key=lambda label: (-counts[label], label))
    return dict(zip(named, SYMBOLS, strict=False))


def _said(corpus: Corpus, shown: Shown, number: int) -> str:
    """What stands under the pointer: word, language, sense, row, and the sentence with the word in bold."""
    sentence, position = sentence_of(corpus, shown, number), int(shown.position[number])
    head = f"<b>{hover(shown.text[number])}</b>  {language(shown.language[number]).name}"
    sense = f"  ·  {hover(shown.sense[number])}" if shown.sense[number] else ""
    row = int(shown.row[number])
    category = f", {hover(corpus.categories[row])}" if corpus.categories and corpus.categories[row] else ""
    where = f"row {hover(corpus.row_ids[row])}{category}"
    if shown.text[number] == sentence.text or position >= len(sentence.spans):
        return f"{head}{sense}<br>{where}"
    start, end = sentence.spans[position]
    before, after = sentence.text[max(0, start - AROUND) : start], sentence.text[end : end + AROUND]
    left, right = "…" * (start > AROUND), "…" * (end + AROUND < len(sentence.text))
    marked = f"{left}{_bare(before)}<b>{_bare(sentence.text[start:end])}</b>{_bare(after)}{right}"
    return f"{head}{sense}<br>\u2068{marked}\u2069<br>{where}"


def _bare(text: str) -> str:
    """Escaped text without isolation marks, for a part of a sentence."""
    return hover(text)[1:-1]


def _line_trace(points: np.ndarray, lines: np.ndarray, look: Look) -> Any:
    """All lines of a panel in one trace; with units chosen only the lines between these."""
    import plotly.graph_objects as go

    kept = lines
    if look.strong is not None and len(lines):
        kept = lines[look.strong[lines].all(axis=1)]
    few = len(kept) <= 200
    if len(kept):
        gap = np.full((len(kept), 1, 2), np.nan)
        path = np.concatenate([points[kept], gap], axis=1).reshape(-1, 2)
    else:
        path = np.empty((0, 2))
    colour = NEUTRAL if few else LINE
    return go.Scatter(
        x=path[:, 0], y=path[:, 1], mode="lines", line={"color": colour, "width": 1.1 if few else 0.6},
        opacity=0.75 if few else 0.5, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _points_trace(shown: Shown, points: np.ndarray, tag: str, said: Sequence[str], look: Look) -> Any:
    """The points of one language in one panel."""
    import plotly.graph_objects as go

    mine = np.array([n for n, other in enumerate(shown.language) if other == tag])
    known = language(tag)
    symbols: Any = known.symbol
    if look.symbols is not None:
        shapes = symbols_of(look.symbols)
        symbols = [shapes.get(look.symbols[n], "circle") for n in mine]
    strong = np.ones(len(mine), dtype=bool) if look.strong is None else look.strong[mine]
    kind = go.Scattergl if len(shown) > WEBGL else go.Scatter
    size = 6 if len(shown) > 500 else 9
    return kind(
        x=points[mine, 0], y=points[mine, 1], mode="markers", name=hover(known.name), legendgroup=tag,
        showlegend=False, customdata=mine[:, None], text=[said[n] for n in mine],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "color": known.colour, "symbol": symbols, "line": {"width": 0},
            "size": np.where(strong, size + 3 * (look.strong is not None), size),
            "opacity": np.where(strong, 0.85, 0.1),
        },
        selected={"marker": {"opacity": 1.0}}, unselected={"marker": {"opacity": 0.15}},
    )  # fmt: skip


def _labels_trace(shown: Shown, points: np.ndarray, tag: str, labelled: np.ndarray) -> Any:
    """The written words of one language in one panel."""
    import plotly.graph_objects as go

    mine = np.array([n for n, other in enumerate(shown.language) if other == tag and labelled[n]], dtype=int)
    short = [shown.text[n] if len(shown.text[n]) <= 24 else shown.text[n][:23] + "…" for n in mine]
    return go.Scatter(
        x=points[mine, 0], y=points[mine, 1], mode="text", text=[hover(text) for text in short],
        textposition="top center", textfont={"size": 12, "color": language(tag).colour}, legendgroup=tag,
        hoverinfo="skip", showlegend=False, cliponaxis=False,
    )  # fmt: skip


def _legend(shown: Shown, look: Look) -> list[Any]:
    """The legend as traces without points, which do not fade with those: languages, then shapes."""
    if not look.legend:
        return []
    entries = []
    for tag in dict.fromkeys(shown.language):
        known = language(tag)
        symbol = "circle" if look.symbols is not None else known.symbol
        entries.append(_legend_trace(known.name, tag, {"symbol": symbol, "color": known.colour, "size": 9}))
    if look.symbols is not None:
        strong = np.ones(len(look.symbols), dtype=bool) if look.strong is None else look.strong
        used = {label for label, on in zip(look.symbols, strong, strict=True) if on}
        shapes = [(label, symbol) for label, symbol in symbols_of(look.symbols).items() if label in used]
        entries += [
            _legend_trace(label, "shapes", {"symbol": symbol, "color": NEUTRAL, "size": 9}) for label, symbol in shapes
        ]
    return entries


def _legend_trace(label: str, group: str, marker: dict[str, Any]) -> Any:
    """An entry of the legend without points."""
    import plotly.graph_objects as go

    return go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=hover(label), legendgroup=group)


def _frame(fig: Any, panels: Sequence[np.ndarray], titles: Sequence[str], look: Look) -> None:
    """Equal, linked axes without ticks, a thin frame, a line above each panel, the legend below."""
    bare = {
        "showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "title": None,
        "showline": True, "mirror": True, "linecolor": LINE, "linewidth": 1,
    }  # fmt: skip
    everything = np.concatenate([points[np.isfinite(points).all(axis=1)] for points in panels])
    for axis, update in ((0, fig.update_xaxes), (1, fig.update_yaxes)):
        low, high = (everything[:, axis].min(), everything[:, axis].max()) if len(everything) else (0.0, 1.0)
        margin = 0.06 * ((high - low) or 1.0)
        update(range=[low - margin, high + margin], matches="x" if axis == 0 else "y", **bare)
    for column, title in enumerate(titles, start=1):
        fig.add_annotation(
            text=title, xref=f"x{column if column > 1 else ''} domain", yref="paper", x=0, y=1, xanchor="left",
            yanchor="bottom", yshift=4, showarrow=False, font={"size": 14},
        )  # fmt: skip
    fig.update_layout(
        showlegend=look.legend,
        legend={"orientation": "h", "yanchor": "top", "y": -0.02, "x": 0, "itemsizing": "constant", "title": None},
    )
