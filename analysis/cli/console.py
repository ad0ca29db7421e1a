"""What reaches the terminal: results on standard output, everything else on standard error, one line an error."""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

INTERRUPTED = 130
said: set[int] = set()  # exit codes that have had their line


def emit(text: str) -> None:
    """Write a result to standard output, whatever `quiet` did to it."""
    sys.__stdout__.write(text + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def emit_json(value: Any) -> None:
    """Write one JSON value to standard output."""
    emit(json.dumps(value, ensure_ascii=False, indent=1, default=str, allow_nan=False))


def emit_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write rows as an aligned plain-text table with a header."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[n]) for line in cells), 0) for n, column in enumerate(columns)]
    for line in [list(columns), *cells]:
        emit("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    """One value as text: no decimals that mean nothing, blank for nothing."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def warn(text: str) -> None:
    """Write a warning line to standard error."""
    print(f"warning: {_one_line(text)}", file=sys.stderr)


def report(problem: object) -> None:
    """Write a bad row's warning line; it names its file and line itself."""
    print(_one_line(str(problem)), file=sys.stderr)


def fail(text: str) -> None:
    """Write the one line that says what failed."""
    print(f"error: {_one_line(text)}", file=sys.stderr)


def interrupted(text: str, *, failed: bool = True) -> Exception:
    """Say what an interrupted command leaves behind; the exception to raise then.

    Typer answers Ctrl-C by the same exit code without a word, so `said` tells the two apart.

    Args:
        text: one line.
        failed: False where the work goes on elsewhere.
    """
    from typer import Exit

    said.add(INTERRUPTED)
    (fail if failed else report)(text)
    return Exit(INTERRUPTED)


def _one_line(text: str) -> str:
    """The text without line breaks or control characters; what cannot be encoded is escaped."""
    flat = " ".join(str(text).split())
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in flat)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep library chatter off standard output and turn Python warnings into warning lines."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        warnings.filterwarnings("default", category=UserWarning, module="analysis")
        warnings.showwarning = lambda message, *_args, **_options: warn(str(message))
        yield


@contextmanager
def progress_bar(label: str, unit: str = " tokens") -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, drawn only on a terminal; gives the function to call with (done, total)."""
    from tqdm import tqdm

    with tqdm(desc=label, unit=unit, unit_scale=True, file=sys.stderr, disable=None, leave=False) as bar:

        def update(done: int, total: int) -> None:
            """Move the bar to `done` of `total`."""
            bar.total = total
            bar.update(done - bar.n)

        yield update
