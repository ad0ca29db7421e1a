"""Writes docs/catalogue.md, the description of every method, from what the methods say of themselves.

    python docs/catalogue.py

Nothing in the page is written by hand: titles, needs and citations come from each method's SPEC, the prose from the
docstring of its `fit`, the tables from its settings class. A test holds the page to that.
"""

import inspect
from pathlib import Path

from spec_markdown import cell, docstring, listed, prose, settings_table, slug, table, title

from analysis.alignment.method import Fidelity, Method, Uses
from analysis.registry import registered
from analysis.settings import NoSettings

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
        (f"[{cell(method.title)}](#{slug(method.title)})", f"`{method.name}`", cell(method.summary),
         _how(method), str(method.fidelity), _needed(method))
        for method in methods
    ]  # fmt: skip
    return table(("method", "name", "what it does", "how", "grounded", "needs"), rows)


def _grounded(methods: list[Method]) -> str:
    """What the fidelity tags mean."""
    rows = [(str(tag), GROUNDED.get(tag, ""), str(sum(one.fidelity is tag for one in methods))) for tag in Fidelity]
    told = (
        "*Grounded* says how well an implementation is tied to its source. No method here claims to reproduce a paper's "
        "numbers; [results.md](results.md) has what those that ship do here."
    )
    return f"{told}\n\n{table(('grounded', 'which means', 'methods'), rows)}"


def _method(method: Method, shared: list[type]) -> str:
    """The section of one method."""
    usable = [KINDS[kind] for kind in Uses if kind in method.uses - method.needs - _required(method)]
    facts = [
        f"`{method.name}`, {_how(method)}, {method.fidelity}. {prose(method.citation.rstrip('.'))}.",
        f"Needs {_needed(method)}" + (f"; can use {listed(usable, 'and')}." if usable else "."),
    ]
    commands = "\n".join(command_lines(method))
    return "\n\n".join(
        [f"### {method.title}", prose(method.summary), "  \n".join(facts), f"```\n{commands}\n```",
         *docstring(method.fit), settings_table(method.settings, shared)]
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
    parts = [part for part in (listed(must, "and"), listed(any_of, "or")) if part]
    return (", and " if len(any_of) > 1 else " and ").join(parts) or "nothing"


def _how(method: Method) -> str:
    """Trained or closed form."""
    return "trained" if method.trained else "closed form"


def _shared(settings: type, shared: list[type], methods: list[Method]) -> str:
    """The section of a shared settings class."""
    users = [method for method in methods if settings in method.settings.__mro__]
    names = listed([f"[`{method.name}`](#{slug(method.title)})" for method in users], "and")
    said = prose((inspect.getdoc(settings) or "").partition("\n")[0])
    return "\n\n".join([f"### {title(settings)}", f"{said} Shared by {names}.", settings_table(settings, shared)])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
