"""Writes docs/catalogue.md, the description of every method, from what the methods say of themselves.

    python docs/catalogue.py

Nothing in the page is written by hand: titles, needs and citations come from each method's SPEC, the prose from the
docstring of its `fit`, the tables from its settings class. A test holds the page to that.
"""

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

from analysis.alignment.method import Fidelity, Method, Uses
from analysis.registry import registered
from analysis.settings import Field, NoSettings, fields

PAGE = Path(__file__).with_name("catalogue.md")
KINDS = {
    Uses.DATA: "sentence pairs",
    Uses.LINKS: "word links",
    Uses.DICTIONARY: "a dictionary",
    Uses.MONOLINGUAL: "text without translation",
    Uses.DEV: "development pairs",
}
OPTIONS = {
    Uses.DATA: "--data corpus:ui_chromium:train",
    Uses.DICTIONARY: "--dictionary en-de.txt",
    Uses.MONOLINGUAL: "--monolingual sentences.txt",
}
GROUNDED = {
    Fidelity.CODE_CHECKED: "loss and defaults were held against the authors' code, or a public copy of it",
    Fidelity.FROM_ABSTRACT: "made from what abstract, introduction and talks of the authors state",
    Fidelity.RECONSTRUCTED: "a formula that fits what is known of the method; the paper may differ in detail",
}
INTRODUCTION = """\
<!-- Written by python docs/catalogue.py from the methods' own specs; change those, not this page. -->
# The methods

Every method that brings the languages of an encoder closer together, with its formula, its source and its settings.
The page Strengthen offers all of them as forms; `python -m analysis methods --json` is the same as data. A setting is
given as `--set name=value`.

A **closed form** is fitted in a pass or two over the text and leaves the network as it is; a **trained** method changes
it step by step, by LoRA adapters unless told otherwise.

`corpus:ui_chromium:train` is fetched on first use (124 MB). `en-de.txt` stands for a dictionary (a word and its
translation a line, as MUSE has it, or a file of FreeDict), `sentences.txt` for sentences of yours, one a line; `--data`
and `--monolingual` take `corpus:NAME`, `set:NAME:LANGS:SPLIT`, `upload:ID` or a file."""
_HEADER = re.compile(r"(Args|Returns|Raises|Yields|Attributes|Example|Examples):$")
_LEADS = ("In plain words", "Source", "Relatives")


def page() -> str:
    """The whole page as Markdown."""
    methods = own_methods()
    shared = shared_classes(methods)
    parts = [INTRODUCTION, _overview(methods), _grounded(methods)]
    for trained in (True, False):
        chosen = [method for method in methods if method.trained is trained]
        if chosen:
            parts += [f"## {'Trained' if trained else 'Closed forms'}"]
            parts += [_method(method, shared) for method in chosen]
    parts += ["## Shared settings"] if shared else []
    parts += [_shared(one, shared, methods) for one in shared]
    return "\n\n".join(parts) + "\n"


def own_methods() -> list[Method]:
    """The methods of the project itself, without those that other installed packages add; trained ones first."""
    found = [one for one in registered("methods").values() if one.fit.__module__.startswith("analysis.")]
    return sorted(found, key=lambda method: (not method.trained, method.name))


def shared_classes(methods: list[Method]) -> list[type]:
    """The settings classes that two methods or more build on, the most general first."""
    uses: dict[type, int] = {}
    for method in methods:
        for one in method.settings.__mro__:
            if hasattr(one, "__dataclass_fields__") and one is not NoSettings:
                uses[one] = uses.get(one, 0) + 1
    own = {method.settings for method in methods}
    found = [one for one, count in uses.items() if count > 1 and one not in own]
    return sorted(found, key=lambda one: (len(one.__mro__), -uses[one], one.__name__))


def _overview(methods: list[Method]) -> str:
    """One line a method."""
    rows = [
        (f"[{_cell(method.title)}](#{slug(method.title)})", f"`{method.name}`", _cell(method.summary),
         _how(method), str(method.fidelity), _needed(method))
        for method in methods
    ]  # fmt: skip
    return _table(("method", "name", "what it does", "how", "grounded", "needs"), rows)


def _grounded(methods: list[Method]) -> str:
    """What the fidelity tags mean."""
    rows = [(str(tag), GROUNDED.get(tag, ""), str(sum(one.fidelity is tag for one in methods))) for tag in Fidelity]
    told = (
        "*Grounded* says how well an implementation is tied to its source. No method here claims to reproduce a paper's "
        "numbers; [results.md](results.md) has what those that ship do here."
    )
    return f"{told}\n\n{_table(('grounded', 'which means', 'methods'), rows)}"


def _method(method: Method, shared: list[type]) -> str:
    """The section of one method."""
    usable = [KINDS[kind] for kind in Uses if kind in method.uses - method.needs - _required(method)]
    facts = [
        f"`{method.name}`, {_how(method)}, {method.fidelity}. {_prose(method.citation.rstrip('.'))}.",
        f"Needs {_needed(method)}" + (f"; can use {_listed(usable, 'and')}." if usable else "."),
    ]
    commands = "\n".join(command_lines(method))
    return "\n\n".join(
        [f"### {method.title}", _prose(method.summary), "  \n".join(facts), f"```\n{commands}\n```",
         *_docstring(method), _settings(method.settings, shared)]
    )  # fmt: skip


def command_lines(method: Method) -> list[str]:
    """A command for each kind of data that is enough for a method."""
    must = {kind for kind in _required(method) if kind in OPTIONS}
    any_of = [kind for kind in Uses if kind in method.needs - must and kind in OPTIONS]
    ways = [must | {one} for one in any_of] if any_of and not method.needs & must else [must]
    for way in ways:
        if way == {Uses.DICTIONARY} and Uses.MONOLINGUAL in method.uses:
            way.add(Uses.MONOLINGUAL)  # a dictionary has no sentences to read its words in
        if way == {Uses.MONOLINGUAL} and Uses.DICTIONARY in method.uses:
            way.add(Uses.DICTIONARY)  # without one nothing ties the languages together
    return [
        " ".join(
            [
                "python -m analysis align",
                method.name,
                "--encoder bundled",
                *(option for kind, option in OPTIONS.items() if kind in way),
                "--out my-encoder/",
            ]
        )
        for way in ways
    ]


def _required(method: Method) -> frozenset[Uses]:
    """Data of which every kind is needed."""
    return getattr(method, "needs_all", frozenset())


def _needed(method: Method) -> str:
    """What a method cannot do without."""
    required = _required(method)
    must = [KINDS[kind] for kind in Uses if kind in required]
    any_of = [] if method.needs & required else [KINDS[kind] for kind in Uses if kind in method.needs]
    parts = [part for part in (_listed(must, "and"), _listed(any_of, "or")) if part]
    return (", and " if len(any_of) > 1 else " and ").join(parts) or "nothing"


def _how(method: Method) -> str:
    """Trained or closed form."""
    return "trained" if method.trained else "closed form"


def _listed(items: list[str], last: str) -> str:
    """`a, b or c`."""
    return f" {last} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _docstring(method: Method) -> list[str]:
    """The docstring of `fit` in Markdown without what it says of arguments; formulas as blocks."""
    found, left_out = [], False
    for block in (inspect.getdoc(method.fit) or "").split("\n\n"):
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
        return ["\n".join(_prose(line) for line in block.splitlines())]
    text = " ".join(line.strip() for line in block.splitlines())
    parts = re.split(r"(?<=[.;]) (?=Relatives: )", text)
    found = []
    for part in parts:
        lead = next((lead for lead in _LEADS if part.startswith(f"{lead}: ")), "")
        rest = part.removeprefix(f"{lead}: ")
        found.append(f"**{lead}.** {_prose(rest[:1].upper() + rest[1:])}" if lead else _prose(part))
    return found


def _settings(settings: type, shared: list[type]) -> str:
    """The table of a settings class, without what a shared class says in the same words, and where that stands."""
    bases = [one for one in settings.__mro__[1:] if one in shared]
    common = {field.name: field for field in fields(bases[0])} if bases else {}
    own = [field for field in fields(settings) if common.get(field.name) != field]
    table = _table(("setting", "default", "what it is", "valid", "source"), [_row(field) for field in own])
    links = _listed([f"[{_title(one)}](#{slug(_title(one))})" for one in bases], "and")
    told = f"{'Also' if own else 'All of them'}: {links}." if links else ""
    return "\n\n".join(filter(None, [table if own else "" if told else "No settings.", told]))


def _shared(settings: type, shared: list[type], methods: list[Method]) -> str:
    """The section of a shared settings class."""
    users = [method for method in methods if settings in method.settings.__mro__]
    names = _listed([f"[`{method.name}`](#{slug(method.title)})" for method in users], "and")
    said = _prose((inspect.getdoc(settings) or "").partition("\n")[0])
    return "\n\n".join([f"### {_title(settings)}", f"{said} Shared by {names}.", _settings(settings, shared)])


def _title(settings: type) -> str:
    """`TrainSettings` as `Train settings`."""
    return " ".join(re.findall(r"[A-Z][a-z0-9]*", settings.__name__)).capitalize()


def _row(field: Field) -> tuple[str, ...]:
    """One setting."""
    setting = field.setting
    return (f"`{field.name}`", _value(field.default), _cell(setting.help), _valid(field), _cell(setting.source))


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


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table without the columns that are empty in every row."""
    kept = [n for n in range(len(head)) if any(row[n] for row in rows)]
    lines = [[head[n] for n in kept], ["---"] * len(kept), *([row[n] for n in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _prose(text: str) -> str:
    """Text in which only backticks mean something to Markdown."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*_<>$])", r"\\\1", piece) for piece in pieces)


def _cell(text: str) -> str:
    """Text of a table's cell."""
    return _prose(text).replace("|", "\\|").replace("\n", " ")


def slug(title: str) -> str:
    """What a heading is called in a link on GitHub."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
