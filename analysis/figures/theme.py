"""What all figures share: fonts that carry every script, two colours for A and B, scales for either theme.

Colours of text, grid and page are left to the page that shows a figure, so that one figure serves the light and
the dark theme; what is drawn here has enough contrast on both.
"""

import html
from collections.abc import Sequence
from typing import Any

FONTS = (
    "Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil",
    "Noto Sans Telugu", "Noto Sans Thai", "Noto Sans Khmer", "Noto Sans Georgian", "Noto Sans Armenian",
    "Noto Sans Ethiopic", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Source Sans", "sans-serif",
)  # fmt: skip
FONT = ", ".join(f"'{name}'" if " " in name else name for name in FONTS)
ACCENT = "#C2571A"  # encoder B, and what the reader is meant to look at
NEUTRAL = "#7D8590"  # encoder A, lines that join, everything else
INK = {False: "#1C2128", True: "#FFFFFF"}  # by whether the page is dark
LINE = "rgba(125, 133, 144, 0.35)"

# One hue from the page's own colour to strong; the difference runs over the page's colour from A to B.
SEQUENTIAL = {
    False: ("#FFFFFF", "#DCE6F1", "#A6C3E0", "#5B93C7", "#1F5F9E", "#0B2F5B"),
    True: ("#14171C", "#1B2A3D", "#234A72", "#2F75B3", "#7FB0DC", "#E4EFF9"),
}
DIVERGING = {
    False: ("#5B4A9C", "#A79CCB", "#FFFFFF", "#EBB080", "#B34A0B"),
    True: ("#A99BE8", "#594C99", "#14171C", "#A1511C", "#F2A66B"),
}


def scale(colours: Sequence[str]) -> list[list[Any]]:
    """Evenly spaced colours as a Plotly colour scale."""
    return [[n / (len(colours) - 1), colour] for n, colour in enumerate(colours)]


def hover(text: str) -> str:
    """User text for a Plotly label: Plotly reads a kind of HTML, so it is escaped, and cut to one screen line.

    Direction marks are isolated, so that a right-to-left word does not turn the rest of the label round.
    """
    kept = text if len(text) <= 160 else text[:159] + "…"
    return f"\u2068{html.escape(kept.replace(chr(10), ' '), quote=False)}\u2069"


def style(fig: Any, *, height: int, title: str = "") -> Any:
    """Give a Plotly figure the house's fonts and margins; returns it."""
    fig.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 40 if title else 30, "b": 8}, dragmode="pan",
        font={"family": FONT, "size": 13}, hoverlabel={"font": {"family": FONT, "size": 13}, "align": "left"},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": NEUTRAL, "activecolor": ACCENT},
    )  # fmt: skip
    if title:
        fig.update_layout(title={"text": hover(title), "x": 0, "font": {"size": 15}})
    return fig


def altair_style(chart: Any) -> Any:
    """Give an Altair chart the house's fonts; returns the configured chart."""
    return (
        chart.configure(font=FONT)
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight="normal")
        .configure_legend(labelFontSize=12, titleFontSize=12, titleFontWeight="normal")
        .configure_view(strokeWidth=0)
    )


def altair_svg(chart: Any) -> bytes:
    """An Altair chart as SVG on a white page."""
    import vl_convert

    return vl_convert.vegalite_to_svg(chart.to_json()).encode("utf-8")
