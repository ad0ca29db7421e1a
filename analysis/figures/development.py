"""Development scores of a base and the encoder made from it, as its isogloss.json holds them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.figures.theme import ACCENT, NEUTRAL, altair_style
from analysis.text.languages import language

if TYPE_CHECKING:
    import altair

ROW = 30
UNITS = {"word_retrieval": "words", "sentence_retrieval": "sentences"}


def development_rows(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One record a development set and language pair: what the figure draws and what its CSV holds.

    Args:
        card: the content of isogloss.json.
    """
    found = [row for row in card.get("development") or () if row.get("aligned") is not None]
    many_sets = len({_set_of(row) for row in found}) > 1
    both = len({row["measure"] for row in found}) > 1
    rows = []
    for row in found:
        pair = " – ".join(language(tag).name for tag in row["languages"])
        label = pair + (f", {_unit(row)}" if both else "") + (f", {_set_of(row)}" if many_sets else "")
        rows.append({"label": label, **row, "languages": "-".join(row["languages"])})
    return rows


def _unit(row: Mapping[str, Any]) -> str:
    """What a row's measure looks up."""
    return UNITS.get(row["measure"], row["measure"])


def _set_of(row: Mapping[str, Any]) -> str:
    """The data of a row without languages and split: `wordalign_xlwa` of `set:wordalign_xlwa:en-es:dev`."""
    name = str(row.get("data", ""))
    kind, _, rest = name.partition(":")
    return rest.partition(":")[0] if kind in ("set", "corpus") else name


def tell_development(card: Mapping[str, Any]) -> str:
    """The finding in one sentence: on how many pairs the change is clear, and the mean change."""
    rows = development_rows(card)
    if not rows:
        return "No development data were given, so nothing is claimed"
    better = sum(1 for row in rows if row.get("low") is not None and row["low"] > 0)
    worse = sum(1 for row in rows if row.get("high") is not None and row["high"] < 0)
    mean = sum(row["difference"] for row in rows) / len(rows)
    pairs = "1 language pair" if len(rows) == 1 else f"{len(rows)} language pairs"
    said = f"B is clearly better on {better} of {pairs}"
    said += f", clearly worse on {worse}" if worse else ""
    return f"{said}, by {mean:+.1f} points on average".replace("-", "−")


def draw_development(card: Mapping[str, Any]) -> "altair.Chart":
    """Base (grey) and aligned encoder (accent) on one line a language pair, with the interval of the change.

    The line is the 95 % interval of the paired difference, laid off from the base's score: where it does not
    reach the grey dot, the change is clear.

    Args:
        card: the content of isogloss.json.

    Raises:
        InputError: no development scores.
    """
    import altair as alt

    rows = development_rows(card)
    if not rows:
        raise InputError("no development scores; train again with development data")
    for row in rows:
        row["from"] = row["base"] + (row["low"] if row.get("low") is not None else row["difference"])
        row["to"] = row["base"] + (row["high"] if row.get("high") is not None else row["difference"])
        row["told"] = f"{row['difference']:+.1f}".replace("-", "−")
        row["far"] = max(row["base"], row["aligned"], row["to"])
    order = list(dict.fromkeys(row["label"] for row in rows))
    ends = [row[name] for row in rows for name in ("from", "to", "base", "aligned")]
    span = max(ends) - min(ends)
    scale = alt.Scale(domain=[min(ends) - 1, max(ends) + 1 + 0.15 * span], nice=False, zero=False)
    title = f"{' and '.join(dict.fromkeys(map(_unit, rows)))} that find their translation, %"
    axis = alt.Axis(grid=True, gridOpacity=0.4, tickMinStep=1, tickCount=6)
    bare = alt.Axis(grid=False, ticks=False, domain=False, labelPadding=8, labelLimit=330)
    names = ("label", "measure", "n", "base", "aligned", "difference", "low", "high")
    base = alt.Chart().encode(
        y=alt.Y("label:N", sort=order, title=None, axis=bare),
        tooltip=[alt.Tooltip(f"{n}:N" if n in names[:2] else f"{n}:Q", format="" if n in names[:3] else ".1f")
                 for n in names],
    )  # fmt: skip
    side = alt.Scale(domain=["A base", "B new encoder"], range=[NEUTRAL, ACCENT])
    legend = alt.Legend(title=None, orient="top", symbolType="circle", symbolOpacity=1)
    dots = [
        base.transform_calculate(side=f"'{name}'").mark_circle(size=90, opacity=1).encode(
            x=alt.X(f"{field}:Q", title=title, scale=scale, axis=axis),
            color=alt.Color("side:N", scale=side, legend=legend),
        )
        for field, name in (("base", "A base"), ("aligned", "B new encoder"))
    ]  # fmt: skip
    line = base.mark_rule(strokeWidth=2, opacity=0.7, color=ACCENT).encode(
        x=alt.X("from:Q", title=title, scale=scale, axis=axis), x2="to:Q"
    )
    told = base.mark_text(align="left", dx=9, fontSize=11, color=NEUTRAL).encode(
        x=alt.X("far:Q", title=title, scale=scale, axis=axis), text="told:N"
    )
    chart = alt.layer(line, *dots, told, data=alt.Data(values=rows)).properties(
        height=ROW * len(order), width="container", autosize={"type": "fit-x", "contains": "padding"}
    )
    return altair_style(chart)
