"""Ranks before and after as dots joined by a line, one line a language."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures import theme
from analysis.neighbours.query import Move
from analysis.text.languages import language

if TYPE_CHECKING:
    import altair

WIDTH = 560


def rank_rows(moves: Sequence[Move], a: str, b: str) -> list[dict[str, Any]]:
    """One record a language: what the figure draws and what its CSV holds."""
    return [
        {
            "language": language(move.language).name,
            "tag": move.language,
            "translation": move.word,
            "rank A": move.before,
            "rank B": move.after,
            "candidates": move.of,
            "encoder A": a,
            "encoder B": b,
        }
        for move in moves
    ]


def draw_ranks(moves: Sequence[Move], a: str, b: str) -> "altair.Chart":
    """The rank of the true translation by A (open circle) and by B (dot), nearest on the left, log scale.

    Args:
        moves: one a language; those without a rank on either side are left out.
        a: name of encoder A.
        b: name of encoder B.

    Raises:
        InputError: no language has a rank by both.
    """
    import altair as alt

    known = [move for move in moves if move.before and move.after]
    if not known:
        raise InputError("no true translation is known; choose a marked word of a corpus with links")
    rows = rank_rows(known, a, b)
    for row in rows:
        row |= {"before": row["rank A"], "after": row["rank B"], "told": f"{row['rank A']:,} → {row['rank B']:,}"}
        row["far"] = max(row["before"], row["after"])
    order = [row["language"] for row in rows]
    colours = alt.Scale(domain=order, range=[language(move.language).colour for move in known])
    most = max(row["far"] for row in rows)
    scale = alt.Scale(type="log", domain=[0.9, max(12, most * 1.6)], nice=False)
    ticks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000]
    axis = alt.Axis(values=ticks, format=",d", grid=False)
    title = "rank of the true translation (1 = nearest), ○ A, ● B"
    base = alt.Chart().encode(
        y=alt.Y("language:N", sort=order, title=None),
        color=alt.Color("language:N", scale=colours, legend=None),
        tooltip=[
            alt.Tooltip("language:N"), alt.Tooltip("translation:N"), alt.Tooltip("before:Q", title="rank A"),
            alt.Tooltip("after:Q", title="rank B"), alt.Tooltip("candidates:Q"),
        ],
    )  # fmt: skip
    x = alt.X("before:Q", scale=scale, axis=axis, title=title)
    lines = base.mark_rule(strokeWidth=2, opacity=0.5).encode(x=x, x2="after:Q")
    open_dots = base.mark_point(size=90, strokeWidth=2, fillOpacity=0).encode(x=x)
    after = alt.X("after:Q", scale=scale, axis=axis, title=title)
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(x=after)
    told = base.mark_text(align="left", dx=10, fontSize=11).encode(x=alt.X("far:Q", scale=scale), text="told:N")
    chart = alt.layer(lines, open_dots, dots, told, data=alt.Data(values=rows)).properties(
        width=WIDTH, height=26 * len(rows) + 60
    )
    return theme.altair_style(chart)
