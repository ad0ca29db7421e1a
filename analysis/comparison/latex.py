"""A comparison as LaTeX tables for a paper (booktabs)."""

import re
import unicodedata

from analysis.comparison.scores import Entry, Scores
from analysis.comparison.tables import Table, caption, made_by, number, span, tables

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "_": r"\_", "&": r"\&", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip
PACKAGES = r"% \usepackage{booktabs}"
ENGINE = "% names in other scripts: compile with LuaLaTeX or XeLaTeX and a font that has them, after\n" + (
    r"% \newfontfamily\otherscript{Noto Sans} (or any other font); without it: \newcommand\otherscript{}"
)


def to_latex(scores: Scores) -> str:
    """A table for each measure and data: encoders as rows, languages as columns.

    The best score of a column is bold only where the test says that some encoder is worse, and so is every score
    that is not significantly worse than the best. Intervals are small. The caption has data, n, seed, version and
    the command.
    """
    parts = [_table(scores, table) for table in tables(scores)]
    text = "\n\n".join(parts)
    head = [PACKAGES, *([ENGINE] if r"{\otherscript " in text else [])]
    return "\n".join([*head, text, ""])


def _table(scores: Scores, table: Table) -> str:
    """One table."""
    told = {column: [cells[n] for _, cells in table.rows] for n, column in enumerate(table.columns)}
    bold = {column: any(e and e.rank and not e.best for e in entries) for column, entries in told.items()}
    header = " & ".join(["", *map(escape_latex, table.columns)])
    body = [
        " & ".join([escape_latex(name), *(_cell(e, bold[c]) for e, c in zip(cells, table.columns, strict=True))])
        for name, cells in table.rows
    ]
    label = re.sub(r"[^\w]+", "-", f"{table.head.key}-{table.head.data}-{table.head.slot or ''}", flags=re.ASCII)
    said = " ".join(map(escape_latex, [*caption(scores, table), made_by()]))
    return "\n".join([
        r"\begin{table}", r"\centering", rf"\caption{{{said} \texttt{{{escape_latex(scores.request.command)}}}}}",
        rf"\label{{tab:{label.strip('-')}}}", rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule",
        rf"{header} \\", r"\midrule", *(rf"{line} \\" for line in body), r"\bottomrule", r"\end{tabular}", r"\end{table}",
    ])  # fmt: skip


def _cell(entry: Entry | None, bold: bool) -> str:
    """Score, star and small interval."""
    if entry is None or entry.result.score is None:
        return "--"
    score = number(entry.result.score, entry.unit)
    score = rf"\textbf{{{score}}}" if bold and entry.best else score
    star = "*" if entry.significant and not entry.control else ""
    interval = span(entry.result)
    return f"{score}{star}" + (rf" {{\scriptsize {interval}}}" if interval else "")


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it stands; runs of letters that no Latin font has are marked `otherscript`."""
    flat = " ".join(text.split())
    parts = re.split(r"(\s+)", flat)
    return "".join(_escape_word(part) for part in parts)


def _escape_word(word: str) -> str:
    """One word."""
    escaped = "".join(_SPECIAL.get(char, char) for char in word if char.isprintable() or char == " ")
    escaped = re.sub("-(?=-)", "-{}", escaped)  # two hyphens are an option, no dash
    return rf"{{\otherscript {escaped}}}" if any(map(_foreign, word)) else escaped


def _foreign(char: str) -> bool:
    """Whether a character is a letter or mark of another script than Latin, or no letter that fonts have."""
    if char.isascii():
        return False
    kind = unicodedata.category(char)
    return kind[0] in "LMS" and not unicodedata.name(char, "").startswith(("LATIN", "COMBINING"))
