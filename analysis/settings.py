"""Settings as frozen dataclasses: one schema for command line, forms and documentation.

A setting is a field annotated with `Annotated[type, Setting("help", ...)]`; `key=value` options, the forms of
the pages and the tables of the documentation are made from it.
"""

import dataclasses
import math
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.errors import InputError, unknown


@dataclass(frozen=True)
class Setting:
    """What a form or a help text says about one field.

    Attributes:
        help: one sentence.
        ge, le: bounds of a number, inclusive.
        choices: the closed list of values, if there is one.
        source: paper and section the default comes from, or "".
        advanced: whether a form shows it only to those who ask for more.
        encoder: whether the value names an encoder, which may be a folder.
    """

    help: str
    ge: float | None = None
    le: float | None = None
    choices: tuple[str, ...] = ()
    source: str = ""
    advanced: bool = False
    encoder: bool = False


@dataclass(frozen=True)
class Field:
    """One setting of a settings class, with its name, type and default."""

    name: str
    type: type
    default: Any
    setting: Setting


@dataclass(frozen=True)
class NoSettings:
    """Settings of something that has none."""


def fields(settings: type) -> list[Field]:
    """The settings of a settings class, in order of declaration."""
    hints = typing.get_type_hints(settings, include_extras=True)
    found = []
    for field in dataclasses.fields(settings):
        kind, *extra = typing.get_args(hints[field.name]) or (hints[field.name],)
        setting = next((item for item in extra if isinstance(item, Setting)), Setting(field.name))
        found.append(Field(field.name, kind, field.default, setting))
    return found


def parse_settings(settings: type, pairs: Sequence[str]) -> Any:
    """Make a settings object from `key=value` strings.

    Args:
        settings: the settings class.
        pairs: the values of repeated `--set` options.

    Raises:
        InputError: an unknown key, a value of the wrong type, outside its bounds or not among its choices.
    """
    known = {field.name: field for field in fields(settings)}
    values = {}
    for pair in pairs:
        key, separator, raw = pair.partition("=")
        if not separator:
            raise InputError(f"--set {pair!r} is not key=value; valid keys: {', '.join(known) or 'none here'}")
        if key not in known:
            raise unknown("setting", key, known)
        values[key] = _convert(known[key], raw)
    return settings(**values)


def check(settings: Any) -> None:
    """Check the bounds and choices of a settings object made in Python.

    Raises:
        InputError: a value outside its bounds or not among its choices.
    """
    for field in fields(type(settings)):
        _bounded(field, getattr(settings, field.name))


def _convert(field: Field, raw: str) -> Any:
    """The typed value of one `key=value` string."""
    if field.type is bool:
        if raw.lower() not in {"true", "false", "1", "0", "yes", "no"}:
            raise InputError(f"{field.name}={raw!r} is not a switch; valid: true, false")
        return raw.lower() in {"true", "1", "yes"}
    try:
        value = field.type(raw)
        if field.type is float and not math.isfinite(value):
            raise ValueError
    except ValueError:
        kind = {int: "a whole number", float: "a number"}.get(field.type, field.type.__name__)
        raise InputError(f"{field.name}={raw!r} is not {kind}; {field.setting.help}") from None
    return _bounded(field, value)


def _bounded(field: Field, value: Any) -> Any:
    """The value, if it is allowed."""
    setting = field.setting
    if setting.choices and str(value) not in setting.choices:
        raise unknown(field.name, value, setting.choices)
    outside = (setting.ge is not None and not value >= setting.ge) or (
        setting.le is not None and not value <= setting.le
    )
    if field.type in (int, float) and outside:
        low = "" if setting.ge is None else f"at least {setting.ge:g}"
        high = "" if setting.le is None else f"at most {setting.le:g}"
        raise InputError(f"{field.name}={value} is out of range; valid: {' and '.join(filter(None, (low, high)))}")
    return value
