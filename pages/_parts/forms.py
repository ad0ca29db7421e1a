"""A form made from a settings class: every setting with its help, bounds and choices; one schema for all."""

import inspect
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from analysis.errors import IsoglossError
from analysis.settings import Field, fields, parse_settings
from pages._parts import chrome

USUAL = 6  # settings in sight where a class does not say which ones are advanced
COLUMNS = 3
LONGEST = 500  # characters of a text setting
LABELS = {"lr": "Learning rate"}
_INITIALS = re.compile(r"\b[bcdfghjklmnpqrstvwxz]{2,4}\b")  # mlm, tlm


def settings_form(
    cls: type, key: str, *, given: Mapping[str, str] | None = None, hidden: Collection[str] = ()
) -> dict[str, str]:
    """Draw the settings of a class; those that few people touch stand in an expander.

    A value that the class refuses is named in one line below the form; `parsed` then gives None.

    Args:
        cls: the settings class.
        key: start of the widgets' keys; two forms on one page need two.
        given: values to start from, as they stand in `key=value` pairs; unknown keys and values are left out.
        hidden: settings that are asked for elsewhere.

    Returns:
        What differs from the defaults, as strings that `parse_settings` reads.
    """
    start = usable(cls, given or {})
    known = [field for field in fields(cls) if field.name not in hidden]
    seen = [field for field in known if not field.setting.advanced]
    if len(seen) == len(known):
        own = inspect.get_annotations(cls)  # what it shares with other classes comes after that
        seen = sorted(known, key=lambda field: field.name not in own)[:USUAL]
    values = _rows(seen, key, start)
    rest = [field for field in known if field not in seen]
    if rest:
        changed = sum(1 for field in rest if _shown(field, key, start) != _as_shown(field, field.default))
        with st.expander(f"More settings ({changed} changed)" if changed else "More settings"):
            values |= _rows(rest, key, start)
    parsed(cls, values, told=True)
    return values


def parsed(cls: type, values: Mapping[str, str], *, told: bool = False) -> Any:
    """The settings object of such a form's values, or None where the class refuses one of them.

    Args:
        cls: the settings class.
        values: what `settings_form` gave.
        told: whether to show the reason in one line.
    """
    try:
        return parse_settings(cls, [f"{name}={value}" for name, value in values.items()])
    except IsoglossError as problem:
        if told:
            chrome.error(problem)
    return None


def usable(cls: type, values: Mapping[str, str]) -> dict[str, str]:
    """Those of some values that the class takes: a link may be old."""
    short = {name: value for name, value in values.items() if len(value) <= LONGEST}
    return {name: value for name, value in short.items() if parsed(cls, {name: value}) is not None}


def pack(values: Mapping[str, str]) -> str:
    """Values as one text for a link; `unpack` reads it."""
    return "|".join(f"{name}={value}" for name, value in values.items())


def unpack(text: str) -> dict[str, str]:
    """Values from the text of a link."""
    pairs = (part.partition("=") for part in text.split("|") if "=" in part)
    return {name: value for name, _, value in pairs}


def _rows(shown: Sequence[Field], key: str, start: Mapping[str, str]) -> dict[str, str]:
    """Widgets in rows of a few; gives the values that differ from the defaults."""
    values = {}
    for first in range(0, len(shown), COLUMNS):
        places = st.columns(COLUMNS, vertical_alignment="bottom")
        for place, field in zip(places, shown[first : first + COLUMNS], strict=False):
            with place:
                value = _widget(field, f"{key} {field.name}", _shown(field, key, start))
            if value is not None and value != _as_shown(field, field.default):
                values[field.name] = _text(value)
    return values


def _shown(field: Field, key: str, start: Mapping[str, str]) -> Any:
    """What a widget shows: what somebody chose, else what the form starts from, else the default."""
    held = st.session_state.get(f"{key} {field.name}")
    return held if held is not None else _as_shown(field, start.get(field.name, field.default))


def _as_shown(field: Field, value: Any) -> Any:
    """A value in the type of its widget."""
    if field.type is bool:
        return value if isinstance(value, bool) else str(value).lower() in ("true", "1", "yes")
    if field.type in (int, float):
        return field.type(value)
    return str(value)


def _widget(field: Field, key: str, value: Any) -> Any:
    """The widget of one setting."""
    label, told = _label(field.name), _help(field)
    if key not in st.session_state:
        st.session_state[key] = value
    if field.type is bool:
        return st.toggle(label, key=key, help=told)
    if field.setting.choices:
        options = [field.type(choice) for choice in field.setting.choices]
        return st.selectbox(label, options, key=key, help=told)
    if field.type in (int, float):
        return _number(field, label, key, told)
    return st.text_input(label, key=key, help=told, max_chars=LONGEST)


def _label(name: str) -> str:
    """A setting's name as people write it."""
    plain = _INITIALS.sub(lambda found: found[0].upper(), name.replace("_", " "))
    return LABELS.get(name, plain[:1].upper() + plain[1:])


def _number(field: Field, label: str, key: str, told: str) -> Any:
    """A number with its bounds; steps are a tenth of a decimal number's size."""
    kind, low, high = field.type, field.setting.ge, field.setting.le
    size = abs(float(field.default)) or 1.0
    step = 1 if kind is int else 10.0 ** (len(str(int(size))) - 2) if size >= 1 else float(f"1e{_exponent(size)}")
    return st.number_input(
        label, key=key, help=told, step=step, format="%d" if kind is int else "%g",
        min_value=None if low is None else kind(low), max_value=None if high is None else kind(high),
    )  # fmt: skip


def _exponent(size: float) -> int:
    """The decimal exponent of a number below one."""
    return int(f"{size:e}".partition("e")[2])


def _help(field: Field) -> str:
    """The help text: what it is, its default, where the default comes from, a line each."""
    told = [f"{field.setting.help.rstrip('.')}.", f"Default: {field.default if field.default != '' else 'empty'}."]
    told += [f"Source: {field.setting.source.rstrip('.')}."] if field.setting.source else []
    return "  \n".join(chrome.plain(line) for line in told)


def _text(value: Any) -> str:
    """A value as `key=value` pairs spell it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
