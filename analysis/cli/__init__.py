"""The command line: `python -m analysis`, also installed as `isogloss`.

Exit codes: 0 done, 2 bad input or usage, 1 any other failure, 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from analysis.cli import (
    align,
    cache,
    compare,
    console,
    dictionary,
    embed,
    evaluate,
    forgetting,
    jobs,
    links,
    listings,
    scratch,
    transfer,
    transfer_compare,
    tune,
)
from analysis.errors import IsoglossError

app = typer.Typer(
    name="isogloss",
    help="See how well languages line up inside a multilingual encoder, and make them line up better.",
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
for room in (
    listings, embed, links, dictionary, scratch, align, tune, evaluate, compare, forgetting, transfer,
    transfer_compare, jobs, cache
):  # fmt: skip
    room.register(app)

STOPPED = "interrupted; finished parts are in the cache, run the command again to go on"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; every failure is one line on standard error."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    debug = os.environ.get("ISOGLOSS_DEBUG") == "1"
    console.said.clear()
    try:
        with console.quiet():
            code = app(list(arguments), prog_name="isogloss", standalone_mode=False) or 0
        if code == console.INTERRUPTED and code not in console.said:
            console.fail(STOPPED)
        return code
    except (KeyboardInterrupt, typer.Abort):
        console.fail(STOPPED)
        return console.INTERRUPTED
    except BrokenPipeError:
        # The reader of standard output has gone; nothing is left to tell it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
        return 0
    except Exception as error:  # the contract: one line whatever happens, a traceback only on request
        if debug:
            raise
        text, code = _explain(error)
        console.fail(text)
        return code


def _explain(error: Exception) -> tuple[str, int]:
    """The line and the exit code of a failure."""
    if isinstance(error, IsoglossError):
        return str(error), error.exit_code
    if isinstance(error, TyperException):
        return f"{error.format_message().rstrip('.')}; see --help", 2
    if isinstance(error, MemoryError):
        return "out of memory; use fewer layers, a smaller file or a smaller encoder", 1
    if isinstance(error, OSError):
        return (
            f"{error.filename or 'system'}: {error.strerror or error}; check the path, the permissions and the disk",
            1,
        )
    return f"unexpected {type(error).__name__}: {error}; set ISOGLOSS_DEBUG=1 for the traceback and report it", 1
