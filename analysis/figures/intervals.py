"""Scores of A and B as dots with their intervals, one line a language pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.figures.theme import ACCENT, NEUTRAL, altair_style
from analysis.records import Result, compare

if TYPE_CHECKING:
    import altair

ROW = 30


@dataclass(frozen=True)
class Scores:
    """One line of the figure: what was measured, and the score of A and of B on it."""

    label: str
    a: Result
    b: Result


def score_rows(scores: Sequence[Scores]) -> list[dict[str, Any]]:
    """One record a line and encoder: what the figure draws and what its CSV holds."""
    rows = []
    for item in scores:
        paired = item.a.score is not None and item.b.score is not None and item.a.low is not None
        change = compare(item.a, item.b) if paired else None
        for encoder, result in (("A", item.a), ("B", item.b)):
            rows.append(
                {
                    "label": item.label, "encoder": encoder, "score": result.score, "low": result.low,
                    "high": result.high, "n": result.n, "change": change.difference if change else None,
                    "change_low": change.low if change else None, "change_high": change.high if change else None,
                    "p": change.p_value if change else None,
                }
            )  # fmt: skip
    return rows


def draw_scores(scores: Sequence[Scores], *, axis: str) -> "altair.Chart":
    """A (grey) and B (accent) on one line each: a dot for the score, a line for its 95 % interval.

    Args:
        scores: what to draw; lines without a score are left out.
        axis: what the scores are, with their unit.
    """
    import altair as alt

    rows = [row for row in score_rows(scores) if row["score"] is not None]
    order = [item.label for item in scores]
    bands = alt.Scale(paddingInner=0, paddingOuter=0)
    bare = alt.Axis(grid=False, ticks=False, domain=False, labelPadding=8)
    offset = alt.Scale(domain=["A", "B"], range=[ROW / 3, 2 * ROW / 3])
    colours = alt.Scale(domain=["A", "B"], range=[NEUTRAL, ACCENT])
    legend = alt.Legend(orient="top", direction="horizontal", symbolType="circle")
    one = alt.Tooltip
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, scale=bands, axis=bare),
        yOffset=alt.YOffset("encoder:N", scale=offset),
        color=alt.Color("encoder:N", title=None, scale=colours, legend=legend),
        tooltip=[
            one("label:N", title="pair"), one("encoder:N"), one("score:Q", format=".1f"), one("low:Q", format=".1f"),
            one("high:Q", format=".1f"), one("n:Q", format=",d"), one("change:Q", format="+.1f"),
            one("p:Q", format=".3f"),
        ],
    )  # fmt: skip
    ends = [row[name] for row in rows for name in ("low", "high", "score") if row[name] is not None]
    scale = alt.Scale(zero=False, domain=[min(ends, default=0) - 1, max(ends, default=1) + 1], nice=True)
    x = alt.X("score:Q", title=axis, scale=scale, axis=alt.Axis(grid=True, gridOpacity=0.4, tickMinStep=1))
    lines = base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=alt.X("low:Q", title=axis, scale=scale), x2="high:Q")
    dots = base.mark_circle(size=80, opacity=1).encode(x=x)
    size = {
        "height": ROW * max(1, len(order)),
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
    }
    return altair_style(alt.layer(lines, dots).properties(**size))
