"""The two ways a command fails, each with the exit code of the command-line contract."""

from collections.abc import Iterable
from difflib import get_close_matches


class IsoglossError(Exception):
    """A failure that is not the input's fault: an unreachable hub, a full disk. Exit code 1."""

    exit_code = 1


class InputError(IsoglossError):
    """Bad input or usage: the message names the value, what is valid and the remedy. Exit code 2."""

    exit_code = 2


def unknown(kind: str, value: object, valid: Iterable[str]) -> InputError:
    """The one wording for a name that is not in a list of names.

    Args:
        kind: what the name should be, in the singular ("measure", "decoder").
        value: the name that was given.
        valid: the names there are; the nearest one is offered first.

    Returns:
        The error, to be raised by the caller.
    """
    names = sorted(valid)
    near = get_close_matches(str(value), names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names) if names else "none here"
    return InputError(f"unknown {kind} {str(value)!r}; {hint}valid: {listed}")
