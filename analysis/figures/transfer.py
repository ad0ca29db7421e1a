"""What a task learned in one language is worth in the others: one run, or two held against each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures.theme import ACCENT, NEUTRAL, altair_style
from analysis.text.languages import language
from analysis.transfer.item import MIXED
from analysis.transfer.outcome import Line, Lines
from analysis.transfer.scores import Estimate

if TYPE_CHECKING:
    import altair

ROW = 23
MEAN = "Mean of the others"
ORDERS = {"score": "by score", "gain": "by B minus A", "name": "by name"}


def row_name(line: Line) -> str:
    """What the row of a line is called."""
    return language_name(line.lang) if line.lang else MEAN


def language_name(tag: str) -> str:
    """The English name of a language, or of both where the two texts of a pair are in two."""
    return " – ".join(language(one).name for one in tag.split(MIXED))


def tell_transfer(lines: Lines, names: Sequence[str]) -> str:
    """The finding in one line.

    Args:
        lines: of one run or two.
        names: what each is called, A first.
    """
    source, own, mean = language_name(lines.source), lines.own, lines.mean
    others = "" if mean is None else "1 other language" if mean.n == 1 else f"the mean of {mean.n} languages"
    if len(names) == 1:
        told = [f"{source} {_number(own.scores[0])}"] if own else []
        told += [f"{_number(mean.scores[0])} on {others}"] if mean else []
        return f"{names[0]}: {', '.join(told) or 'no language has a score'}"
    best = mean or own
    if best is None or best.change is None:
        return "The two runs cannot be compared: one has no score"
    verdict = f"No clear difference between {names[0]} and {names[1]}"
    if best.clear:
        verdict = f"{names[1]} {'transfers' if mean else 'is'} {'better' if best.change.difference > 0 else 'worse'}"
    told = [f"{_number(mean.scores[1])} against {_number(mean.scores[0])} on {others}"] if mean else []
    told += [f"{source} {_number(own.scores[1])} against {_number(own.scores[0])}"] if own else []
    return f"{verdict}: {', '.join(told)}"


def _number(estimate: Estimate) -> str:
    """One decimal."""
    return "–" if estimate.score is None else f"{estimate.score:.1f}"


def ordered(lines: Lines, how: str) -> list[Line]:
    """The source first, then the mean, then the others.

    Args:
        lines: of one run or two.
        how: a key of `ORDERS`.
    """

    def worth(line: Line) -> tuple[float, str]:
        """What a language is sorted by."""
        score = line.scores[-1].score
        value = (line.change.difference if line.change else None) if how == "gain" else score
        return (float("inf") if value is None or how == "name" else -value, row_name(line))

    others = sorted((line for line in lines.languages if line.lang != lines.source), key=worth)
    head = [line for line in (lines.own, lines.mean) if line is not None]
    return [*head, *others]


def transfer_rows(lines: Sequence[Line], names: Sequence[str]) -> list[dict[str, Any]]:
    """One record a language and run: what the figure draws and what its CSV holds."""
    return [
        {"language": row_name(line), "code": line.lang, "run": name, "score": one.score, "low": one.low, "high": one.high,
         "n": line.n, "change": line.change.difference if line.change else None,
         "change low": line.change.low if line.change else None,
         "change high": line.change.high if line.change else None,
         "p": line.change.p_value if line.change else None, "p corrected": line.p, "clear": line.clear}
        for line in lines for name, one in zip(names, line.scores, strict=True)
    ]  # fmt: skip


def draw_transfer(lines: Sequence[Line], names: Sequence[str], *, metric: str) -> "altair.LayerChart":
    """Languages as rows, a dot with its interval each; of two runs A above B.

    Args:
        lines: from `ordered`.
        names: what each run is called, A first.
        metric: what the scores are.

    Raises:
        InputError: no language has a score.
    """
    import altair as alt

    rows = [row for row in transfer_rows(lines, names) if row["score"] is not None]
    if not rows:
        raise InputError("no language has a score; look at the reasons below the table")
    two = len(names) > 1
    high = ROW + 6 * two
    for row in rows:
        row["sure"] = not two or row["run"] == names[0] or row["clear"]
    kept = [row_name(line) for line in lines if any(row["code"] == line.lang for row in rows)]
    tones = [language(line.lang).colour if line.lang else NEUTRAL for line in lines if row_name(line) in kept]
    colour = (
        alt.Color("run:N", scale=alt.Scale(domain=list(names), range=[NEUTRAL, ACCENT]),
                  legend=alt.Legend(title=None, orient="top", symbolType="circle", symbolOpacity=1, labelLimit=340))
        if two else alt.Color("language:N", scale=alt.Scale(domain=kept, range=tones), legend=None)
    )  # fmt: skip
    title = metric if "x 100" in metric else f"{metric}, %"  # a correlation is no share
    scale = alt.Scale(zero=False, nice=True)
    bare = alt.Axis(title=None, ticks=False, domain=False, labelPadding=8, labelLimit=200)
    base = alt.Chart().encode(
        x=alt.X("score:Q", scale=scale, axis=alt.Axis(title=title, grid=True, gridOpacity=0.4)),
        y=alt.Y("language:N", sort=kept, scale=alt.Scale(domain=kept, padding=0), axis=bare), color=colour,
        tooltip=[alt.Tooltip("language:N"), alt.Tooltip("run:N"),
                 *(alt.Tooltip(f"{name}:Q", format=".1f") for name in ("score", "low", "high")),
                 alt.Tooltip("change:Q", format="+.1f"), alt.Tooltip("p corrected:Q", format=".3f"),
                 alt.Tooltip("n:Q", format=",d")],
    )  # fmt: skip
    if two:
        base = base.encode(
            yOffset=alt.YOffset("run:N", scale=alt.Scale(domain=list(names), range=[high / 4, high * 3 / 4]))
        )
    whiskers = base.mark_rule(strokeWidth=5, opacity=0.28).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    unsure = base.transform_filter("!datum.sure").mark_point(filled=False, size=75, opacity=1, strokeWidth=2)
    sure = base.transform_filter("datum.sure").mark_point(filled=True, size=75, opacity=1)
    chart = alt.layer(whiskers, unsure, sure, data=alt.Data(values=rows))
    fit = {"type": "fit-x", "contains": "padding"}
    return altair_style(chart.properties(width="container", height=high * len(kept), autosize=fit))
