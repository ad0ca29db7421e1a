"""One measure language by language: the encoders as dots with intervals, A and B joined by a line."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures.scores import CONTROLS, LABELS, TICKS, colours, score_rows
from analysis.figures.theme import NEUTRAL, altair_style
from analysis.text.languages import language

if TYPE_CHECKING:
    import altair

    from analysis.comparison.scores import Entry

ROW = 24
SQUEEZE = 1.6  # how much wider a control may make the axis
ORDERS = {"score": "by the score of the last encoder", "difference": "by B minus A", "name": "by name"}


def language_names(tags: Sequence[str]) -> str:
    """Languages as a row names them: those beside English, else all; `English` for English alone."""
    others = [tag for tag in tags if tag != "en"] or ["en"]
    if len(tags) == 2 and tags[0] == tags[1]:
        return f"{language(tags[0]).name} alone"
    names = [language(tag).name for tag in (others if len(tags) == 2 and "en" in tags else tags)]
    return " – ".join(names) if len(names) < 4 else f"{len(names)} languages"


def ordered(entries: Sequence["Entry"], encoders: Sequence[str], how: str) -> list[tuple[str, ...]]:
    """The languages from best to worst, by the gain of B, or by name.

    Args:
        entries: of one measure.
        encoders: their names, A first.
        how: a key of `ORDERS`.
    """
    known = {(entry.encoder, entry.languages): entry for entry in entries if not entry.control}
    tags = list(dict.fromkeys(entry.languages for entry in entries))
    sign = -1 if any(entry.higher_is_better is False for entry in entries) else 1

    def worth(languages: tuple[str, ...]) -> tuple[float, str]:
        """What a row is sorted by."""
        name = language_names(languages)
        entry = known.get((encoders[min(1, len(encoders) - 1) if how == "difference" else -1], languages))
        value = None if entry is None else entry.result.score
        if how == "difference" and entry is not None:
            value = entry.difference.difference if entry.difference else None
        return (float("inf") if value is None or how == "name" else -sign * value, name)

    return sorted(tags, key=worth)


def tell_languages(entries: Sequence["Entry"], encoders: Sequence[str], shown: Mapping[str, str]) -> str:
    """Where B gains and loses beyond chance, or where one encoder is best and worst.

    Args:
        entries: of one measure, one an encoder and language.
        encoders: their names, A first.
        shown: what a page calls each.
    """
    proper = [entry for entry in entries if not entry.control and entry.result.score is not None]
    if not proper:
        return "No language has a score"
    if len(encoders) > 1 and proper[0].higher_is_better is not None:
        tested = [entry for entry in proper if entry.encoder == encoders[1] and entry.difference]
        wins = [entry for entry in tested if entry.significant and _better(entry)]
        losses = [entry for entry in tested if entry.significant and not _better(entry)]
        told = f"{shown[encoders[1]]} is clearly better than {shown[encoders[0]]} on {len(wins)} of {len(tested)}"
        lost = f", clearly worse on {', '.join(language_names(entry.languages) for entry in losses[:4])}"
        return f"{told} language pairs{lost if losses else ', worse on none'}" if tested else "No pair can be compared"
    ranked = sorted(proper, key=lambda entry: entry.result.score or 0.0)
    low, high = (language_names(entry.languages) for entry in (ranked[0], ranked[-1]))
    return f"{shown[proper[0].encoder]} has its lowest score on {low} and its highest on {high}"


def _better(entry: "Entry") -> bool:
    """Whether an encoder is better than A here."""
    return entry.difference is not None and (entry.difference.difference > 0) == entry.higher_is_better


def near(entries: Sequence["Entry"]) -> tuple[list["Entry"], list["Entry"]]:
    """The entries without the controls that would squeeze the rest into a corner, and those controls.

    Args:
        entries: of one measure.
    """
    ends = [value for entry in entries if not entry.control for value in (entry.result.low, entry.result.high)
            if value is not None]  # fmt: skip
    if not ends:
        return list(entries), []
    room = (SQUEEZE - 1) * (max(ends) - min(ends))
    low, high = min(ends) - room, max(ends) + room
    far = {
        control for control in {entry.control for entry in entries if entry.control}
        if any(not low <= entry.result.score <= high for entry in entries
               if entry.control == control and entry.result.score is not None)
    }  # fmt: skip
    return [one for one in entries if one.control not in far], [one for one in entries if one.control in far]


def draw_languages(
    entries: Sequence["Entry"], encoders: Sequence[str], shown: Mapping[str, str], *, order: str = "score"
) -> "altair.LayerChart":
    """Languages as rows: a dot an encoder with its interval, a line from A to B, thin ticks for floor and ceiling.

    Args:
        entries: of one measure on one data, one an encoder, control and language.
        encoders: their names, A first.
        shown: what the page calls each.
        order: a key of `ORDERS`.

    Raises:
        InputError: no entry has a score.
    """
    import altair as alt

    names = {tags: language_names(tags) for tags in ordered(entries, encoders, order)}
    rows = [_row(entry, encoders, shown, names) for entry in entries if entry.result.score is not None]
    if not rows:
        raise InputError("no score to draw; choose data that the measure fits")
    kept = [name for name in names.values() if any(row["row"] == name for row in rows)]
    ticks = list(dict.fromkeys(row["line"] for row in rows if row["line"] in TICKS))
    scale = alt.Scale(
        domain=[*(shown[name] for name in encoders), *ticks],
        range=[*colours(encoders).values(), *(TICKS[name] for name in ticks)],
    )
    legend = alt.Legend(title=None, orient="top", symbolType="circle", labelLimit=240, columns=4)
    x_scale = alt.Scale(zero=False, nice=True)
    x = alt.X("score:Q", scale=x_scale, axis=alt.Axis(title=entries[0].unit, grid=True, gridOpacity=0.4))
    bare = alt.Axis(title=None, ticks=False, domain=False, labelPadding=8, labelLimit=LABELS + 40)
    base = alt.Chart().encode(
        x=x, y=alt.Y("row:N", sort=kept, scale=alt.Scale(domain=kept), axis=bare),
        color=alt.Color("line:N", scale=scale, legend=legend), tooltip=_tooltip(),
    )  # fmt: skip
    proper = base.transform_filter("datum.control == ''")
    marks = base.transform_filter("datum.control != ''").mark_tick(thickness=2, size=12, opacity=0.9)
    joined = (
        base.transform_filter("datum.first !== null")
        .mark_rule(strokeWidth=2, opacity=0.75)
        .encode(x=alt.X("first:Q", scale=x_scale), x2="score:Q", color=alt.value(NEUTRAL))
    )
    lines = proper.mark_rule(strokeWidth=5, opacity=0.28).encode(x=alt.X("low:Q", scale=x_scale), x2="high:Q")
    sure = proper.transform_filter("datum.sure").mark_point(filled=True, size=75, opacity=1)
    unsure = proper.transform_filter("!datum.sure").mark_point(filled=False, size=75, opacity=1, strokeWidth=2)
    chart = alt.layer(marks, joined, lines, unsure, sure, data=alt.Data(values=rows))
    fit = {"type": "fit-x", "contains": "padding"}
    return altair_style(chart.properties(width="container", height=ROW * len(kept), autosize=fit))


def _row(
    entry: "Entry", encoders: Sequence[str], shown: Mapping[str, str], names: Mapping[tuple[str, ...], str]
) -> dict[str, Any]:
    """The record of one mark; `first` is A's score where the line to B begins."""
    b = len(encoders) > 1 and entry.encoder == encoders[1] and not entry.control
    first = entry.result.score - entry.difference.difference if b and entry.difference else None  # type: ignore[operator]
    return score_rows([entry])[0] | {
        "row": names[entry.languages], "line": CONTROLS.get(entry.control) or shown[entry.encoder], "first": first,
        "sure": entry.encoder == encoders[0] or bool(entry.significant),
    }  # fmt: skip


def _tooltip() -> list[Any]:
    """What a mark says."""
    import altair as alt

    numbers = ("score", "low", "high", "difference", "p corrected")
    return [
        alt.Tooltip("row:N", title="language"), alt.Tooltip("encoder:N"), alt.Tooltip("control:N"),
        alt.Tooltip("layer:N"), *(alt.Tooltip(f"{name}:Q", format=".3f") for name in numbers),
        alt.Tooltip("n:Q", format=",d"),
    ]  # fmt: skip
