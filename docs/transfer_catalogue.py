"""Writes docs/regimes.md, the description of every transfer regime and task, from what they say of themselves.

    python docs/transfer_catalogue.py

Nothing in the page is written by hand; a test holds the page to that.
"""

from pathlib import Path
from typing import Any

from spec_markdown import cell, docstring, listed, prose, settings_table, slug, table

from analysis.alignment.method import Uses
from analysis.registry import registered
from analysis.transfer.item import Kind
from analysis.transfer.settings import TransferSettings

PAGE = Path(__file__).with_name("regimes.md")
KINDS = {
    Kind.CLASS: "a label of a sentence", Kind.PAIR: "a label of two sentences", Kind.TAGS: "a label of every word",
    Kind.TREE: "a dependency tree", Kind.SPAN: "a stretch of a text", Kind.SCORE: "a number for two sentences",
}  # fmt: skip
DATA = {
    Uses.DATA: ("sentence pairs", "--data corpus:ui_chromium:train"),
    Uses.DICTIONARY: ("a dictionary", "--dictionary en-de.txt"),
    Uses.MONOLINGUAL: ("text without labels", "--monolingual sentences.txt:en"),
}
# Of a regime whose data must be translations of the task's own text.
EXAMPLES = {"ppa_codeswitch": "--data set:sib200:en,de:train"}
INTRODUCTION = """\
<!-- Written by python docs/transfer_catalogue.py from the specs of regimes and tasks; change those, not this page. -->
# Zero-shot transfer: regimes and tasks

A **task** is learned from labels of one language and scored in all; a **regime** is how it is learned. Any encoder goes
in, base or aligned; `plain` is what every other regime is to be compared with. The page Transfer offers all of them as
forms, `python -m analysis regimes --json` and `tasks --json` are the same as data, and a run is

```
python -m analysis transfer REGIME --task TASK --encoder NAME --train FILE[:LANG]|set:... --test FILE[:LANG]|set:... --out DIR
```

Without `--train` and `--test` a task takes its own data, where it has some. A setting is given as `--set name=value`. DIR
is an encoder name afterwards (unless only a head was trained); beside the weights it holds the scores (`transfer.json`),
counts by item (`stats.npz`) and every prediction (`predictions.jsonl`). Two such folders, or the seeds and tasks of two
sides, are tested against each other by

```
python -m analysis transfer-compare --a DIR [--a DIR ...] --b DIR [--b DIR ...]
```

Figures are in [results.md](results.md)."""


def page() -> str:
    """The whole page as Markdown."""
    regimes = sorted(own("regimes"), key=lambda one: (one.name != "plain", one.name))
    parts = [INTRODUCTION, "## Tasks", _tasks(), _formats(), "## Regimes", _overview(regimes)]
    parts += [_regime(one) for one in regimes]
    parts += ["## Transfer settings", "Shared by all regimes.", settings_table(TransferSettings, [])]
    return "\n\n".join(parts) + "\n"


def own(room: str) -> list[Any]:
    """What the project itself registers, without what other installed packages add."""
    return list(registered(room).values())


def _tasks() -> str:
    """A line a task."""
    rows = [
        (f"`{one.name}`", cell(one.summary), KINDS[one.kind], one.metric.title, f"`{one.train}`" if one.train else "",
         f"`{one.test}`" if one.test else "", cell(one.citation))
        for one in own("tasks")
    ]  # fmt: skip
    return table(("task", "what is asked", "answer", "score", "own training data", "own test data", "source"), rows)


def _formats() -> str:
    """What files may look like."""
    return """\
Files: a label of a sentence or two, and scores: TSV or CSV with the columns `text` (and `text2`) and `label`, a header and
the columns `id` and `lang` are optional; items of one id in two files, and without a column `id` of one line, are taken for
translations: they are resampled together, and `--mixed` joins them. Tags: CoNLL-U, or a word
and its tag a line with an empty line between sentences. Trees: CoNLL-U. Stretches: SQuAD's JSON. `datasets:ID[@CONFIG][:SPLIT]`
reads a dataset of the Hugging Face hub, or a local folder of one, with the package `datasets`."""


def _overview(regimes: list[Any]) -> str:
    """A line a regime."""
    rows = [
        (f"[{cell(one.title)}](#{slug(one.title)})", f"`{one.name}`", cell(one.summary), str(one.fidelity), needed(one))
        for one in regimes
    ]  # fmt: skip
    return table(("regime", "name", "what it does", "grounded", "needs beside labels"), rows)


def needed(regime: Any) -> str:
    """What a regime cannot do without, beside labelled items."""
    must = [DATA[kind][0] for kind in Uses if kind in regime.needs_all]
    any_of = [DATA[kind][0] for kind in Uses if kind in regime.needs]
    return " and ".join(filter(None, (listed(must, "and"), listed(any_of, "or")))) or "nothing"


def command_line(regime: Any) -> str:
    """A command that has all that a regime needs."""
    task = next(one for one in ("categories", "nli", "pos") if registered("tasks")[one].kind in regime.kinds)
    kinds = [kind for kind in Uses if kind in regime.needs_all] + [kind for kind in Uses if kind in regime.needs][:1]
    given = [EXAMPLES.get(regime.name, DATA[kind][1]) for kind in kinds]
    words = [
        "python -m analysis transfer",
        regime.name,
        f"--task {task}",
        "--encoder bundled",
        *given,
        "--out my-task/",
    ]
    return " ".join(words)


def _regime(regime: Any) -> str:
    """The section of one regime."""
    usable = [DATA[kind][0] for kind in Uses if kind in regime.uses - regime.needs - regime.needs_all]
    kinds = listed([KINDS[kind] for kind in Kind if kind in regime.kinds], "or")
    facts = [
        f"`{regime.name}`, {regime.fidelity}. {prose(regime.citation.rstrip('.'))}.",
        f"Needs {needed(regime)}" + (f"; can use {listed(usable, 'and')}." if usable else "."),
        f"Tasks that ask for {kinds}." if len(regime.kinds) < len(Kind) else "Any task.",
    ]
    return "\n\n".join(
        [f"### {regime.title}", prose(regime.summary), "  \n".join(facts), f"```\n{command_line(regime)}\n```",
         *docstring(regime.strategy), settings_table(regime.settings, [TransferSettings])]
    )  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
