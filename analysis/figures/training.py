"""Curves of a training run while it runs and after: loss, development scores by language, forgetting of English.

All of them are drawn from the lines of a run's metrics: mappings with `kind` (loss, dev, forgetting), `step`
and `seconds`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures import theme
from analysis.text.languages import known_tag, language

if TYPE_CHECKING:
    import altair

Metrics = Sequence[Mapping[str, Any]]
Row = dict[str, Any]
MOST_POINTS = 300  # of a loss curve; more cannot be told apart
MEASURES = {"word_retrieval": "word retrieval", "sentence_retrieval": "sentence retrieval"}
TOTAL, MEAN = "total", "mean"
KEPT = {
    "kept_words": "words' neighbours kept",
    "kept_sentences": "sentences' kept",
    "drift": "drift of words",
}
KEPT_COLOURS = (theme.ACCENT, "#6699CC", theme.NEUTRAL)
TERM_COLOURS = (theme.ACCENT, "#6699CC", "#999933", "#AA3377", "#009E73", "#A6761D")
DASHES = ([1, 0], [5, 3], [1, 2])  # of further terms, when the colours come round again


def loss_rows(metrics: Metrics, *, most: int = MOST_POINTS) -> list[Row]:
    """One record a step and term of the loss, thinned evenly to at most so many steps; the last one stays.

    A loss of several terms has a record of their sum as well, called `total`.
    """
    lines = [line for line in metrics if line.get("kind") == "loss" and _number(line.get("loss"))]
    sole = list({name: None for line in lines for name in line.get("terms") or {}})
    total = sole[0] if len(sole) == 1 else TOTAL
    stride = max(1, -(-len(lines) // most))
    rows = []
    for line in [*lines[:-1][::stride], *lines[-1:]]:
        terms = {name: value for name, value in dict(line.get("terms") or {}).items() if _number(value)}
        shown = {total: line["loss"]} | ({} if total in terms else terms)
        rows += [
            {"step": line["step"], "seconds": line.get("seconds"), "term": name, "loss": value, "lr": line.get("lr")}
            for name, value in shown.items()
        ]
    return rows


def dev_rows(metrics: Metrics) -> list[Row]:
    """One record a look at the development data, measure and language; the mean is one more line."""
    rows = []
    for line in metrics:
        if line.get("kind") != "dev":
            continue
        measure = str(line.get("measure", ""))
        shown = {_name(label): (_tag(label), score) for label, score in dict(line.get("scores") or {}).items()}
        if _number(line.get("mean")) and len(shown) != 1:
            shown[MEAN] = ("", line["mean"])
        rows += [
            {"step": line["step"], "seconds": line.get("seconds"), "measure": MEASURES.get(measure, measure),
             "language": name, "tag": tag, "score": score, "best": bool(line.get("best"))}
            for name, (tag, score) in shown.items() if _number(score)
        ]  # fmt: skip
    return rows


def forgetting_rows(metrics: Metrics) -> list[Row]:
    """One record a look and kind of forgetting."""
    return [
        {"step": line["step"], "seconds": line.get("seconds"), "kind": title, "value": line[name]}
        for line in metrics
        if line.get("kind") == "forgetting"
        for name, title in KEPT.items()
        if _number(line.get(name))
    ]


def _tag(label: str) -> str:
    """The language that a score's label stands for: `es`, `es` of `es (set:...)`, `de` of the pair `es-de`."""
    tag = label.partition(" ")[0]
    second = tag.rpartition("-")[2]
    return second if "-" in tag and second.islower() and known_tag(second) else tag


def _name(label: str) -> str:
    """What a curve is called: the language with what follows it, a pair as it stands."""
    tag, _, rest = label.partition(" ")
    return f"{language(tag).name if _tag(label) == tag else tag} {rest}".strip()


def _number(value: object) -> bool:
    """Whether a value can be drawn."""
    return isinstance(value, int | float) and value == value and abs(value) != float("inf")


def _means(metrics: Metrics) -> list[tuple[int, float, str]]:
    """(step, mean, measure) of each look at the development data, of the measure that came last."""
    looks = [line for line in metrics if line.get("kind") == "dev" and _number(line.get("mean"))]
    last = looks[-1].get("measure") if looks else None
    return [
        (line["step"], line["mean"], MEASURES.get(str(last), str(last)))
        for line in looks
        if line.get("measure") == last
    ]


def best_step(metrics: Metrics) -> int | None:
    """The step with the best development scores so far, None where nobody looked."""
    marked = [line["step"] for line in metrics if line.get("kind") == "dev" and line.get("best")]
    return marked[-1] if marked else None


def seconds_left(metrics: Metrics, total: int) -> float | None:
    """How long the steps that are left take at the pace so far, None before a few steps were made.

    Args:
        metrics: of the run.
        total: steps planned.
    """
    losses = [line for line in metrics if line.get("kind") == "loss" and _number(line.get("seconds"))]
    if len(losses) < 3 or losses[-1]["step"] >= total:
        return None
    first, last = losses[0], losses[-1]
    steps = last["step"] - first["step"]
    return (last["seconds"] - first["seconds"]) / steps * (total - last["step"]) if steps > 0 else None


def tell_dev(metrics: Metrics) -> str:
    """The finding of the development curves in one sentence, "" where nobody looked."""
    means = _means(metrics)
    if not means:
        return ""
    (start, before, measure), (step, now, _) = means[0], means[-1]
    if step == start:
        return f"The base has {before:.1f} % in {measure} on the development data"
    moved = now - before
    verb = "rose" if moved >= 0.05 else "fell" if moved <= -0.05 else "stayed: it went"
    return f"{measure.capitalize()} {verb} from {before:.1f} % to {now:.1f} % on the development data"


def tell_loss(metrics: Metrics) -> str:
    """The finding of the loss curve in one sentence, "" where there is none."""
    losses = [line["loss"] for line in metrics if line.get("kind") == "loss" and _number(line.get("loss"))]
    if not losses:
        return ""
    width = max(1, min(10, len(losses) // 4))
    first, last = sum(losses[:width]) / width, sum(losses[-width:]) / width
    if len(losses) == 1:
        return f"The loss begins at {first:.3g}"
    verb = "fell" if last < first else "rose"
    return f"The loss {verb} from {first:.3g} to {last:.3g}"


def tell_forgetting(metrics: Metrics) -> str:
    """The finding of the forgetting curves in one sentence, "" where there is none."""
    lines = [line for line in metrics if line.get("kind") == "forgetting"]
    words = lines[-1].get("kept_words") if lines else None
    if not _number(words):
        return "English has moved" if lines else ""
    if lines[-1]["step"] == 0:
        return "English as the base has it"
    return f"English words keep {100 * float(words):.0f} % of their nearest neighbours"  # type: ignore[arg-type]


def draw_loss(metrics: Metrics, *, total: int = 0, height: int = 150) -> "altair.Chart":
    """The loss over the steps, and its terms where it has several.

    Args:
        metrics: of the run.
        total: steps planned, so that the axis is as long from the start; 0 ends it at the last step.
        height: in pixels.

    Raises:
        InputError: no loss yet.
    """
    import altair as alt

    rows = _or_fail(loss_rows(metrics), "loss")
    terms = list(dict.fromkeys(row["term"] for row in rows))
    scale = alt.Scale(domain=terms, range=[TERM_COLOURS[n % len(TERM_COLOURS)] for n in range(len(terms))])
    dashes = alt.Scale(domain=terms, range=[DASHES[n // len(TERM_COLOURS) % len(DASHES)] for n in range(len(terms))])
    named = legend(terms != [TOTAL])
    values = [row["loss"] for row in rows]
    wide = min(values) > 0 and max(values) > 50 * min(values)
    axis = alt.Y("loss:Q", title="loss", scale=alt.Scale(type="log" if wide else "linear", zero=False),
                 axis=alt.Axis(tickCount=4, gridOpacity=0.4))  # fmt: skip
    base = alt.Chart().encode(
        x=steps_axis(metrics, total), y=axis, color=alt.Color("term:N", scale=scale, legend=named),
        strokeDash=alt.StrokeDash("term:N", scale=dashes, legend=named),
        tooltip=[alt.Tooltip("step:Q"), alt.Tooltip("term:N"), alt.Tooltip("loss:Q", format=".4g")],
    )  # fmt: skip
    return finish(base.mark_line(strokeWidth=1.6, point=len(rows) < 8), rows=rows, height=height)


def draw_dev(metrics: Metrics, *, total: int = 0, height: int = 430) -> "altair.Chart":
    """Development scores over the steps, a line in the colour of its language; the best look has an upright.

    Args:
        metrics: of the run.
        total: as in `draw_loss`.
        height: in pixels.

    Raises:
        InputError: nobody has looked yet.
    """
    import altair as alt

    rows = _or_fail(dev_rows(metrics), "development score")
    names = list(dict.fromkeys((row["language"], row["tag"]) for row in rows))
    names.sort(key=lambda item: item[1] == "")
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    colours = [language(tag).colour if tag else theme.NEUTRAL for _, tag in names]
    scale = alt.Scale(domain=[name for name, _ in names], range=colours)
    best = best_step(metrics)
    for row in rows:
        row["kept"] = row["step"] == best
        row["line"] = f"{row['measure']} {row['language']}"
    base = alt.Chart().encode(
        x=steps_axis(metrics, total), detail="line:N",
        color=alt.Color("language:N", scale=scale, legend=legend(True, columns=3 if len(names) < 10 else 4)),
        y=alt.Y("score:Q", title=f"{' and '.join(measures)}, %", scale=alt.Scale(zero=False, padding=6),
                axis=alt.Axis(tickCount=6, gridOpacity=0.4)),
        tooltip=[alt.Tooltip("step:Q"), alt.Tooltip("language:N"), alt.Tooltip("measure:N"),
                 alt.Tooltip("score:Q", format=".1f")],
    )  # fmt: skip
    dash = alt.StrokeDash("measure:N", legend=legend(len(measures) > 1),
                          scale=alt.Scale(domain=measures, range=[[1, 0], [5, 3]][: max(1, len(measures))]))  # fmt: skip
    lines = base.transform_filter("datum.tag != ''").mark_line(strokeWidth=1.7).encode(strokeDash=dash)
    mean = base.transform_filter("datum.tag == ''").mark_line(strokeWidth=4, opacity=0.55).encode(strokeDash=dash)
    dots = base.mark_circle(size=28, opacity=1)
    upright = (
        alt.Chart()
        .transform_filter("datum.kept")
        .mark_rule(strokeDash=[2, 3], color=theme.NEUTRAL)
        .encode(x=steps_axis(metrics, total))
    )
    return finish(upright, mean, lines, dots, rows=rows, height=height)


def draw_forgetting(metrics: Metrics, *, total: int = 0, height: int = 150) -> "altair.Chart":
    """What English has kept of the base's neighbourhoods, and how far its words have moved.

    Args:
        metrics: of the run.
        total: as in `draw_loss`.
        height: in pixels.

    Raises:
        InputError: nobody has looked yet.
    """
    import altair as alt

    rows = _or_fail(forgetting_rows(metrics), "look at forgetting")
    scale = alt.Scale(domain=list(KEPT.values()), range=list(KEPT_COLOURS))
    base = alt.Chart().encode(
        x=steps_axis(metrics, total), color=alt.Color("kind:N", scale=scale, legend=legend(True, columns=1)),
        y=alt.Y("value:Q", title="share", scale=alt.Scale(domain=[0, max(1.0, *(row["value"] for row in rows))]),
                axis=alt.Axis(tickCount=4, gridOpacity=0.4)),
        tooltip=[alt.Tooltip("step:Q"), alt.Tooltip("kind:N"), alt.Tooltip("value:Q", format=".3f")],
    )  # fmt: skip
    return finish(base.mark_line(strokeWidth=1.8), base.mark_circle(size=24, opacity=1), rows=rows, height=height)


def _or_fail(rows: list[Row], what: str) -> list[Row]:
    """The rows, if there are any."""
    if not rows:
        raise InputError(f"no {what} yet; wait for the run's first one")
    return rows


def steps_axis(metrics: Metrics, total: int) -> Any:
    """The axis that all curves of a run share."""
    import altair as alt

    end = max(1, total, *(int(line.get("step", 0)) for line in metrics))
    scale = alt.Scale(domain=[0, end], nice=False)
    return alt.X("step:Q", title="step", scale=scale, axis=alt.Axis(grid=False, format="d", tickMinStep=1, tickCount=6))


def legend(shown: bool, columns: int = 2) -> Any:
    """A legend of lines above the curves, or none."""
    import altair as alt

    if not shown:
        return None
    return alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=2.5, symbolOpacity=1,
                      columns=columns, labelLimit=260)  # fmt: skip


def finish(*layers: Any, rows: list[Row], height: int) -> "altair.Chart":
    """Layers over one table, as wide as their place."""
    import altair as alt

    chart = alt.layer(*layers, data=alt.Data(values=rows)).properties(
        width="container", height=height, autosize={"type": "fit-x", "contains": "padding"}
    )
    return theme.altair_style(chart)
