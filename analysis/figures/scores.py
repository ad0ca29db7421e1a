"""A comparison at a glance: one panel a measure, encoders as rows, a dot with its interval, floor and ceiling as ticks."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures.theme import ACCENT, NEUTRAL, altair_style

if TYPE_CHECKING:
    import altair

    from analysis.comparison.scores import Entry

# A, B and further encoders: Okabe-Ito and Tol, about 3:1 both on white and on a dark page.
ENCODERS = (NEUTRAL, ACCENT, "#0072B2", "#009E73", "#AA3377", "#999933", "#6699CC", "#8C4E99")
CONTROLS = {"shuffled": "floor: shuffled", "random": "random weights", "same": "ceiling: same language"}
TICKS = {"floor: shuffled": "#9AA1AA", "random weights": "#B17BA6", "ceiling: same language": "#228833"}
ROW = 26
WIDTH = 880  # of the whole figure, in pixels
LABELS = 150  # pixels for the names of encoders
DIRECTIONS = {True: "", False: "lower is better", None: "no direction"}


def colours(encoders: Sequence[str]) -> dict[str, str]:
    """One colour an encoder, by its place: the first is A, the second B."""
    return {name: ENCODERS[n % len(ENCODERS)] for n, name in enumerate(encoders)}


def at_layer(entries: Iterable["Entry"], layer: int | None = None) -> list["Entry"]:
    """One entry an encoder, measure and data: at one layer, or at the deepest that was scored.

    Args:
        entries: the scores, or the means of a comparison.
        layer: the layer asked for; None for the deepest of each encoder.
    """
    kept: dict[tuple[Any, ...], Entry] = {}
    for entry in entries:
        if layer is not None and entry.slot not in (None, layer):
            continue
        place = (*_text(entry), entry.encoder, entry.control)
        if place not in kept or (entry.slot or 0) >= (kept[place].slot or 0):
            kept[place] = entry
    return list(kept.values())


def panels(entries: Iterable["Entry"]) -> list[list["Entry"]]:
    """The entries of each measure and data, in their order."""
    found: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        found.setdefault(_text(entry), []).append(entry)
    return list(found.values())


def _text(entry: "Entry") -> tuple[str, ...]:
    """Measure and text; means of encoders belong together though one may lack a language."""
    return entry.key, entry.data, "" if entry.mean else entry.label


def score_rows(entries: Iterable["Entry"]) -> list[dict[str, Any]]:
    """One record an entry: what the figures draw and what their CSV holds."""
    return [
        {
            "encoder": entry.encoder, "control": entry.control, "measure": entry.title, "data": entry.label,
            "languages": "-".join(entry.languages), "layer": entry.layer, "score": entry.result.score,
            "low": entry.result.low, "high": entry.result.high, "unit": entry.unit, "n": entry.result.n,
            "difference": entry.difference.difference if entry.difference else None,
            "difference low": entry.difference.low if entry.difference else None,
            "difference high": entry.difference.high if entry.difference else None,
            "p": entry.difference.p_value if entry.difference else None, "p corrected": entry.p_adjusted,
            "significant": entry.significant, "rank": entry.rank, "best": entry.best, "note": entry.result.note,
        }
        for entry in entries
    ]  # fmt: skip


def tell_scores(entries: Sequence["Entry"], shown: Mapping[str, str]) -> str:
    """The finding of a comparison in one line: on how many measures one encoder is ahead, beyond chance.

    Args:
        entries: one an encoder, measure and data.
        shown: what a page calls each encoder.
    """
    proper = [entry for entry in entries if not entry.control]
    names = list(dict.fromkeys(entry.encoder for entry in proper))
    judged = [group for group in panels(proper) if group[0].higher_is_better is not None and _all_scored(group, names)]
    measures = f"{len(judged)} measure{'s' if len(judged) != 1 else ''}"
    if len({_text(group[0])[1:] for group in judged}) > 1:
        measures = f"{len(judged)} measures and data"
    if not judged:
        return "No measure has a score that could be better or worse" if proper else "Nothing could be scored"
    if len(names) == 1:
        return f"{shown[names[0]]} on {measures}; choose a second encoder to compare it with"
    if len(names) == 2:
        return _tell_two(judged, names, shown, measures)
    led = {name: sum(entry.best for group in judged for entry in group if entry.encoder == name) for name in names}
    first = max(led, key=lambda name: led[name])
    return f"{shown[first]} is best, or not clearly worse than the best, on {led[first]} of {measures}"


def _tell_two(judged: list[list["Entry"]], names: list[str], shown: Mapping[str, str], measures: str) -> str:
    """How often B is ahead of A and behind it."""
    a, b = (shown[name] for name in names)
    ahead = behind = 0
    for group in judged:
        entry = next(entry for entry in group if entry.encoder == names[1])
        if entry.significant and entry.difference:
            better = (entry.difference.difference > 0) == entry.higher_is_better
            ahead, behind = ahead + better, behind + (not better)
    if not ahead and not behind:
        return f"No clear difference between {a} and {b} on {measures}"
    if ahead:
        return f"{b} is ahead of {a} on {ahead} of {measures}" + (f", behind on {behind}" if behind else "")
    return f"{b} is behind {a} on {behind} of {measures}, ahead on none"


def _all_scored(group: Sequence["Entry"], names: Sequence[str]) -> bool:
    """Whether every encoder has a score."""
    return {entry.encoder for entry in group if entry.result.score is not None} == set(names)


def draw_scores(
    entries: Sequence["Entry"], encoders: Sequence[str], shown: Mapping[str, str], *, columns: int = 3
) -> "altair.ConcatChart":
    """One panel a measure and data; a dot is filled where it differs from A beyond chance, open where it does not.

    Args:
        entries: one an encoder, control, measure and data.
        encoders: their names in order, A first.
        shown: what the page calls each.
        columns: panels side by side.

    Raises:
        InputError: no entry has a score.
    """
    import altair as alt

    groups = [group for group in panels(entries) if any(entry.result.score is not None for entry in group)]
    if not groups:
        raise InputError("no score to draw; choose data that the measures fit")
    columns = min(columns, len(groups))
    several = len({_text(group[0])[1:] for group in groups}) > 1
    width = (WIDTH - LABELS) // columns - 30
    rows = [[_row(entry, encoders, shown) for entry in group if entry.result.score is not None] for group in groups]
    ticks = list(dict.fromkeys(row["line"] for part in rows for row in part if row["line"] in TICKS))
    charts = [
        _panel(part, group[0], encoders, shown, width, labels=n % columns == 0, data_named=several, ticks=ticks)
        for n, (group, part) in enumerate(zip(groups, rows, strict=True))
    ]
    return altair_style(alt.concat(*charts, columns=columns, spacing={"row": 18, "column": 22}, align="each"))


def _row(entry: "Entry", encoders: Sequence[str], shown: Mapping[str, str]) -> dict[str, Any]:
    """The record of one mark."""
    a = entry.encoder == encoders[0] and not entry.control
    return score_rows([entry])[0] | {
        "row": shown.get(entry.encoder, entry.encoder), "sure": a or bool(entry.significant),
        "line": CONTROLS.get(entry.control) or shown[entry.encoder], "said": number(entry.result.score, entry.unit),
    }  # fmt: skip


def number(value: float | None, unit: str) -> str:
    """A score as it stands beside its dot."""
    if value is None:
        return ""
    return f"{value:.1f}" if unit == "percent" else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def heading(entry: "Entry", *, data_named: bool, width: int = 30) -> dict[str, Any]:
    """Title and quiet second line of a panel: the measure; unit, direction and, where panels differ in them, the data."""
    second = [entry.unit, DIRECTIONS[entry.higher_is_better], *([entry.label] if data_named else [])]
    return {
        "text": wrap(entry.title, width), "subtitle": wrap(", ".join(filter(None, second)), width + 8),
        "anchor": "start", "frame": "group", "offset": 6, "fontSize": 12, "subtitleFontSize": 11,
        "subtitleColor": NEUTRAL,
    }  # fmt: skip


def _panel(
    rows: list[dict[str, Any]], entry: "Entry", encoders: Sequence[str], shown: Mapping[str, str], width: int, *,
    labels: bool, data_named: bool, ticks: Sequence[str],
) -> Any:  # fmt: skip
    """The panel of one measure on one data."""
    import altair as alt

    order = [shown[name] for name in encoders]
    known = colours(encoders)
    scale = alt.Scale(domain=[*order, *ticks], range=[*known.values(), *(TICKS[name] for name in ticks)])
    legend = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolStrokeWidth=3, labelLimit=240, values=list(ticks)
    ) if ticks else None  # fmt: skip
    named = alt.Axis(title=None, labels=labels, ticks=False, domain=False, labelLimit=LABELS, labelPadding=8)
    ends = [row[end] for row in rows for end in ("score", "low", "high") if row[end] is not None]
    pad = 0.04 * (max(ends) - min(ends)) or 0.5
    x_scale = alt.Scale(domain=[min(ends) - pad, max(ends) + 4 * pad], nice=False, zero=False)
    x = alt.X("score:Q", scale=x_scale, axis=alt.Axis(title=None, tickCount=4, grid=True, gridOpacity=0.4))
    y = alt.Y("row:N", sort=order, scale=alt.Scale(domain=order), axis=named)
    base = alt.Chart().encode(x=x, color=alt.Color("line:N", scale=scale, legend=legend), tooltip=_tooltip())
    upright = base.transform_filter("datum.control == 'random'").mark_rule(strokeWidth=1.5, strokeDash=[3, 3])
    rest = base.transform_filter("datum.control != 'random'").encode(y=y)
    own = rest.transform_filter("datum.control != ''").mark_tick(thickness=2, size=14)
    proper = rest.transform_filter("datum.control == ''")
    lines = proper.mark_rule(strokeWidth=2.5, opacity=0.55).encode(x=alt.X("low:Q", scale=x_scale), x2="high:Q")
    sure = proper.transform_filter("datum.sure").mark_point(filled=True, size=70, opacity=1)
    unsure = proper.transform_filter("!datum.sure").mark_point(filled=False, size=70, opacity=1, strokeWidth=2)
    said = proper.mark_text(align="left", dx=7, dy=-8, fontSize=11).encode(text="said:N", color=alt.value(NEUTRAL))
    layers = alt.layer(*([upright, own] if ticks else []), lines, sure, unsure, said, data=alt.Data(values=rows))
    return layers.properties(
        width=width, height=ROW * len(order), title=heading(entry, data_named=data_named, width=width // 7)
    )


def _tooltip() -> list[Any]:
    """What a mark says."""
    import altair as alt

    texts = ("encoder", "control", "measure", "data")
    numbers = ("score", "low", "high", "difference", "p corrected")
    return [
        *(alt.Tooltip(f"{name}:N") for name in texts), alt.Tooltip("layer:N"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in numbers), alt.Tooltip("n:Q", format=",d"),
    ]  # fmt: skip
