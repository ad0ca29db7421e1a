"""Markdown made of what registered things say of themselves: docstrings, settings, tables."""

import inspect
import re
import textwrap
from typing import Any

from analysis.settings import Field, fields

_HEADER = re.compile(r"(Args|Returns|Raises|Yields|Attributes|Example|Examples):$")
_LEADS = ("In plain words", "Source", "Relatives")


def listed(items: list[str], last: str) -> str:
    """`a, b or c`."""
    return f" {last} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def docstring(thing: Any) -> list[str]:
    """A docstring in Markdown without what it says of arguments; formulas as blocks."""
    found, left_out = [], False
    for block in (inspect.getdoc(thing) or "").split("\n\n"):
        indented = block.startswith(" ")
        if _HEADER.match(block.partition("\n")[0]):
            left_out = True
        elif not (left_out and indented):
            left_out = False
            found += [f"```text\n{textwrap.dedent(block).rstrip()}\n```"] if indented else _paragraphs(block)
    return found


def _paragraphs(block: str) -> list[str]:
    """Prose, its leading words bold; sources and relatives are paragraphs of their own."""
    if any(line.startswith("- ") for line in block.splitlines()):
        return ["\n".join(prose(line) for line in block.splitlines())]
    text = " ".join(line.strip() for line in block.splitlines())
    parts = re.split(r"(?<=[.;]) (?=Relatives: )", text)
    found = []
    for part in parts:
        lead = next((lead for lead in _LEADS if part.startswith(f"{lead}: ")), "")
        rest = part.removeprefix(f"{lead}: ")
        found.append(f"**{lead}.** {prose(rest[:1].upper() + rest[1:])}" if lead else prose(part))
    return found


def settings_table(settings: type, shared: list[type]) -> str:
    """The table of a settings class, without what a shared class says in the same words, and where that stands."""
    bases = [one for one in settings.__mro__[1:] if one in shared]
    common = {field.name: field for field in fields(bases[0])} if bases else {}
    own = [field for field in fields(settings) if common.get(field.name) != field]
    made = table(("setting", "default", "what it is", "valid", "source"), [_row(field) for field in own])
    links = listed([f"[{title(one)}](#{slug(title(one))})" for one in bases], "and")
    told = f"{'Also' if own else 'All of them'}: {links}." if links else ""
    return "\n\n".join(filter(None, [made if own else "" if told else "No settings.", told]))


def title(settings: type) -> str:
    """`TrainSettings` as `Train settings`."""
    return " ".join(re.findall(r"[A-Z][a-z0-9]*", settings.__name__)).capitalize()


def _row(field: Field) -> tuple[str, ...]:
    """One setting."""
    setting = field.setting
    return (f"`{field.name}`", _value(field.default), cell(setting.help), _valid(field), cell(setting.source))


def _valid(field: Field) -> str:
    """Bounds or choices."""
    low, high = field.setting.ge, field.setting.le
    if field.setting.choices:
        return ", ".join(f"`{choice}`" for choice in field.setting.choices)
    if field.type is bool:
        return "`true`, `false`"
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else ""


def _value(value: Any) -> str:
    """A default as it is typed."""
    if value == "":
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else f'{value:g}' if isinstance(value, float) else value}`"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table without the columns that are empty in every row."""
    kept = [n for n in range(len(head)) if any(row[n] for row in rows)]
    lines = [[head[n] for n in kept], ["---"] * len(kept), *([row[n] for n in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def prose(text: str) -> str:
    """Text in which only backticks mean something to Markdown."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*_<>$])", r"\\\1", piece) for piece in pieces)


def cell(text: str) -> str:
    """Text of a table's cell."""
    return prose(text).replace("|", "\\|").replace("\n", " ")


def slug(title: str) -> str:
    """What a heading is called in a link on GitHub."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
