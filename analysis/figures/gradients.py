"""The angle between a task's gradient and that of what is to be kept, over the steps of a transfer run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures import theme
from analysis.figures.training import TERM_COLOURS, Metrics, Row, finish, legend, steps_axis

if TYPE_CHECKING:
    import altair


def cosine_rows(metrics: Metrics) -> list[Row]:
    """One record a look and term: the cosine of its gradient with the task's; nothing for a run that does not look."""
    return [
        {"step": line["step"], "term": name, "cosine": value}
        for line in metrics for name, value in dict(line.get("with_task") or {}).items()
        if isinstance(value, int | float) and abs(value) <= 1.001
    ]  # fmt: skip


def tell_cosines(metrics: Metrics) -> str:
    """The finding in one sentence, "" where nobody looked."""
    rows = cosine_rows(metrics)
    if not rows:
        return ""
    means = {term: _mean([row["cosine"] for row in rows if row["term"] == term]) for term in _terms(rows)}
    against = [term for term, value in means.items() if value < 0]
    told = " and ".join(f"{value:+.2f} ({term})" for term, value in means.items())
    verdict = f"{' and '.join(against)} pulls against the task" if against else "nothing pulls against the task"
    return f"On average {verdict}: cosine of the gradients {told}"


def draw_cosines(metrics: Metrics, *, total: int = 0, height: int = 150) -> "altair.Chart":
    """The cosines over the steps, with a line at 0, where two gradients have nothing to do with each other.

    Args:
        metrics: of the run.
        total: steps planned, so that the axis is as long from the start.
        height: in pixels.

    Raises:
        InputError: nobody has looked yet.

    Source: Veitsman, Liu and Schuetze 2026, who find the two often near-orthogonal.
    """
    import altair as alt

    rows = cosine_rows(metrics)
    if not rows:
        raise InputError("no gradients compared yet; wait for the run's first look")
    terms = _terms(rows)
    scale = alt.Scale(domain=terms, range=[TERM_COLOURS[n % len(TERM_COLOURS)] for n in range(len(terms))])
    base = alt.Chart().encode(
        x=steps_axis(metrics, total), color=alt.Color("term:N", scale=scale, legend=legend(True)),
        y=alt.Y("cosine:Q", title="cosine with the task's gradient", scale=alt.Scale(domain=[-1, 1]),
                axis=alt.Axis(tickCount=5, gridOpacity=0.4)),
        tooltip=[alt.Tooltip("step:Q"), alt.Tooltip("term:N"), alt.Tooltip("cosine:Q", format="+.3f")],
    )  # fmt: skip
    zero = alt.Chart().mark_rule(strokeDash=[2, 3], color=theme.NEUTRAL).encode(y=alt.datum(0))
    return finish(zero, base.mark_line(strokeWidth=1.6), base.mark_circle(size=24, opacity=1), rows=rows, height=height)


def _terms(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The terms in order of first appearance."""
    return list(dict.fromkeys(str(row["term"]) for row in rows))


def _mean(values: Sequence[float]) -> float:
    """The mean."""
    return sum(values) / len(values)
