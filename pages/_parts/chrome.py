"""What every page has: figures with caption and download, signed chips, marked words, errors in one line."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from analysis.errors import IsoglossError
from analysis.figures import theme
from analysis.text.display import displayable

MARK = "background:rgba(194,87,26,.28);color:inherit;border-radius:3px;padding:0 .12em"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")


def plain(text: object) -> str:
    """Text that Markdown shows as it is: no HTML, link, image, formula, colour or emoji code in it works."""
    return _MARKDOWN.sub(r"\\\1", displayable(str(text))).replace("\n", " ")


def error(problem: object) -> None:
    """A problem in one line."""
    st.error(plain(problem))


@contextmanager
def guard() -> Iterator[None]:
    """Turn an error of the library into one line; what Streamlit itself raises to stop or rerun passes."""
    try:
        yield
    except IsoglossError as problem:
        error(problem)


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def chip(value: float | None, digits: int = 1, unit: str = "", *, better_high: bool | None = True) -> str:
    """B's change against A as a signed Markdown chip: green where better, red where worse, grey at zero.

    Args:
        value: B minus A; None or NaN gives a dash.
        digits: decimals.
        unit: written behind the number.
        better_high: whether a rise is an improvement; None where neither is, which stays grey.
    """
    if value is None or value != value:
        return ":gray-badge[–]"
    shown = f"{value:+.{digits}f}".replace("-", "−")
    if float(f"{value:.{digits}f}") == 0:
        return f":gray-badge[±{0:.{digits}f}{_unit(unit)}]"
    if better_high is None:
        return f":gray-badge[{shown}{_unit(unit)}]"
    colour = "green" if (value > 0) == better_high else "red"
    return f":{colour}-badge[{shown}{_unit(unit)}]"


def _unit(unit: str) -> str:
    """A unit with a narrow space before it."""
    return f"\u202f{plain(unit)}" if unit else ""


def marked(text: str, start: int, end: int, language: str = "und") -> str:
    """HTML of a sentence with one word marked; escaped, in its own direction.

    Args:
        text: the sentence.
        start: first code point of the word.
        end: its last code point, exclusive.
        language: tag for fonts and hyphenation.
    """
    before, word, after = (html.escape(part) for part in (text[:start], text[start:end], text[end:]))
    mark = f'<mark style="{MARK}">{word}</mark>' if word else ""
    return f'<span dir="auto" lang="{html.escape(language)}">{before}{mark}{after}</span>'


def figure(
    fig: Any, *, name: str, data: Any, caption: str, sampled: str = "", key: str | None = None,
    select: bool = False, alt: str = "",
) -> Any:  # fmt: skip
    """Show a figure with its caption and a row to download it.

    Args:
        fig: a Plotly or Altair figure.
        name: start of the names of downloaded files; also tells figures of one page apart.
        data: what the figure shows: a pandas table, or a mapping from column to values, or a function giving one.
        caption: how to read it and what it does not show.
        sampled: what it is a sample of, or "".
        key: of the chart, `name` by default.
        select: whether the page runs again with what the reader selects (Plotly).
        alt: for screen readers; the caption by default.

    Returns:
        What the chart element returns: the selection where `select` is set, else nothing of use.
    """
    plotly = type(fig).__module__.startswith("plotly")
    key = key or name
    shown: Any
    if plotly:
        shown = st.plotly_chart(
            fig, key=key, on_select="rerun" if select else "ignore", config=_plotly_config(name), alt=alt or caption,
            selection_mode=("points", "box", "lasso"),
        )  # fmt: skip
    else:
        shown = st.altair_chart(fig, key=key, alt=alt or caption)
    st.caption(f"{caption} **{plain(sampled)}**" if sampled else caption)
    downloads = st.container(horizontal=True, vertical_alignment="center")
    downloads.download_button(
        "CSV", lambda: _as_csv(data), f"{name}.csv", "text/csv", key=f"{key} csv", type="tertiary",
        on_click="ignore", help="The data of this figure",
    )  # fmt: skip
    if plotly:
        downloads.caption("SVG: the camera of the figure", width="content")
    else:
        downloads.download_button(
            "SVG", lambda: theme.altair_svg(fig), f"{name}.svg", "image/svg+xml", key=f"{key} svg",
            type="tertiary", on_click="ignore", help="This figure as SVG",
        )  # fmt: skip
    return shown


def _plotly_config(name: str) -> dict[str, Any]:
    """The mode bar: only what a reader needs, and a camera that saves SVG."""
    return {
        "displaylogo": False,
        "displayModeBar": True,
        "toImageButtonOptions": {"format": "svg", "filename": name},
        "modeBarButtonsToRemove": ["autoScale2d", "zoomIn2d", "zoomOut2d"],
        "scrollZoom": False,
    }


def _as_csv(data: Any) -> bytes:
    """A table as CSV with a byte-order mark, so that spreadsheets read every script."""
    import pandas

    table = data() if callable(data) else data
    frame = table if isinstance(table, pandas.DataFrame) else pandas.DataFrame(dict(table))
    return frame.to_csv(index=False).encode("utf-8-sig", "replace")


def table(columns: Mapping[str, Sequence[Any]], **options: Any) -> Any:
    """A sortable table without an index; numbers stand right."""
    import pandas

    return st.dataframe(pandas.DataFrame(dict(columns)), hide_index=True, **options)


def label(text: str) -> str:
    """User text inside a Plotly title or annotation."""
    return theme.hover(text)


def sample_line(shown: int, total: int, also: str = "") -> str:
    """`A sample: 1,486 of 3,612 units.`, or "" where everything is shown."""
    parts = [f"A sample: {shown:,} of {total:,}, whole rows drawn at random."] if shown < total else []
    return " ".join([*parts, *([also] if also else [])])


def sentences(lines: Sequence[tuple[str, str]]) -> None:
    """Sentences under each other, each with a word for what it is; the HTML comes from `marked`.

    Args:
        lines: (label, HTML) of each; the label is escaped here.
    """
    rows = "".join(
        f'<div style="display:grid;grid-template-columns:6rem minmax(0,46rem);gap:.75rem;padding:.15rem 0">'
        f'<span style="opacity:.65">{html.escape(label)}</span>{text}</div>'
        for label, text in lines
    )
    st.html(f'<div style="font-family:{html.escape(theme.FONT)};line-height:1.6">{rows}</div>')


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Records as columns, which is what a table or a download takes; a record may lack some."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
