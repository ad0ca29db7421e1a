"""What is to be compared, as plain data: encoders, measures with their settings, data, layers and controls."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from analysis.comparison.kinship import Distance
from analysis.encoders.vectors import Pool
from analysis.errors import InputError, unknown
from analysis.registry import find, registered
from analysis.settings import fields, parse_settings

ALL = "all"
DEFAULT = "default"
NO_FILE = "none"  # what stands for data without a file of links on the command line
CORRECTIONS = ("holm", "bh", "none")
Layers = tuple[int, ...] | str


class Control(StrEnum):
    """What a score is held against: a floor, an untrained encoder, a ceiling."""

    SHUFFLED = "shuffled"
    RANDOM = "random"
    SAME = "same"


EXPLAINED = {
    Control.SHUFFLED: "shuffled: the floor, the same vectors with those of the second side (of each language, where "
    "there are several) exchanged at random among its units",
    Control.RANDOM: "random: the architecture and tokenizer of the first encoder's base with weights drawn anew",
    Control.SAME: "same: a ceiling to go by, the first language against itself retyped, in lower case with another end "
    "mark; it can be passed where words repeat",
}


@dataclass(frozen=True)
class Asked:
    """A measure with settings.

    Attributes:
        measure: registered name, or `all` for every measure that fits the data.
        settings: `key=value` strings; with `all` also `measure.key=value`.
    """

    measure: str
    settings: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Asked":
        """Read `word_retrieval score=csls`; a value with spaces stands in quotes.

        Raises:
            InputError: nothing there, or an unclosed quote.
        """
        try:
            parts = shlex.split(text)
        except ValueError:
            raise InputError(f"measure {text!r} has an open quote; write: NAME KEY=VALUE ...") from None
        if not parts:
            raise InputError("a measure has no name; write: NAME KEY=VALUE ..., for example word_retrieval score=csls")
        return cls(parts[0], tuple(parts[1:]))

    def __str__(self) -> str:
        """`word_retrieval score=csls`, as `parse` reads it."""
        return " ".join([self.measure, *map(_quoted, self.settings)])

    @property
    def key(self) -> str:
        """`word_retrieval-score=csls`: a name for files and links, its own for each measure with settings."""
        plain = "-".join([self.measure, *self.settings])
        safe = re.sub(r"[^\w.=+-]", "_", plain)[:120]
        return safe if safe == plain else f"{safe}-{sha256(plain.encode()).hexdigest()[:6]}"

    @property
    def title(self) -> str:
        """Title of the measure with the settings in words.

        Raises:
            InputError: an unknown measure.
        """
        said = [pair.replace("=true", "").replace("=", " ").replace("_", " ") for pair in self.settings]
        return ", ".join([find("measures", self.measure).title, *said])


@dataclass(frozen=True)
class Request:
    """What is to be compared.

    Attributes:
        encoders: their names; differences are taken against the first.
        measures: with their settings.
        data: `corpus:NAME`, `set:NAME:LANGS:SPLIT`, `upload:ID` or files.
        langs: `A-B`, the pair wanted where data have several.
        links: Pharaoh files; the n-th belongs to the n-th data, None for none.
        one_based: whether the links count words from 1.
        layers: numbers; `all`; or `default`, the last one and for link measures the encoder's own choice.
        pool: how a unit's tokens become one vector.
        seed: of the bootstrap, of samples and of controls.
        controls: what else is scored.
        data_dir: folder of the public sets.
        max_rows: more rows than this are sampled, each data by itself; None for all.
        languages: those wanted where no pair is named; None for all.
        correction: of p values for the number of tests: `holm`, `bh` (Benjamini-Hochberg) or `none`.
        distance: hold scores of language pairs against the languages' distance by `families` or `glottolog`; "" for
            not at all.
    """

    encoders: tuple[str, ...]
    measures: tuple[Asked, ...]
    data: tuple[str, ...]
    langs: str | None = None
    links: tuple[str | None, ...] = ()
    one_based: bool = False
    layers: Layers = DEFAULT
    pool: str = "mean"
    seed: int = 0
    controls: tuple[Control, ...] = ()
    data_dir: str | None = None
    max_rows: int | None = None
    languages: tuple[str, ...] | None = None
    correction: str = "holm"
    distance: str = ""

    def as_spec(self) -> dict[str, Any]:
        """A JSON-able dict that `from_spec` reads."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return plain | {"measures": [str(one) for one in self.measures], "controls": [str(c) for c in self.controls]}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> "Request":
        """The request in a dict; what is missing has its default.

        Raises:
            InputError: no encoder, measure or data, or a value that cannot be.
        """
        known = {name: spec[name] for name in cls.__dataclass_fields__ if name in spec}
        lists = ("encoders", "data", "links", "languages", "layers")
        plain = {k: tuple(v) if k in lists and isinstance(v, list | tuple) else v for k, v in known.items()}
        plain["measures"] = tuple(map(Asked.parse, spec.get("measures", ())))
        plain["controls"] = tuple(_member(Control, "control", one) for one in spec.get("controls", ()))
        return checked(cls(**{"encoders": (), "data": ()} | plain))

    @property
    def command(self) -> str:
        """The command line that does the same."""
        options: list[str] = []
        links = [] if not any(self.links) else [link or NO_FILE for link in self.links]
        for name, values in (("encoder", self.encoders), ("measure", self.measures), ("data", self.data),
                             ("links", links), ("control", self.controls)):  # fmt: skip
            options += [word for value in values for word in (f"--{name}", str(value))]
        layers = self.layers if isinstance(self.layers, str) else ",".join(map(str, self.layers))
        plain = {
            "langs": self.langs, "languages": self.languages and ",".join(self.languages), "max-rows": self.max_rows,
            "layers": layers if layers != DEFAULT else None, "pool": self.pool if self.pool != Pool.MEAN else None,
            "seed": self.seed or None, "correction": self.correction if self.correction != "holm" else None,
            "distance": self.distance or None,
            "data-dir": self.data_dir,
        }  # fmt: skip
        options += [word for key, value in plain.items() if value is not None for word in (f"--{key}", str(value))]
        options += ["--one-based"] if self.one_based else []
        return shlex.join(["python", "-m", "analysis", "compare", *options])


def checked(request: Request) -> Request:
    """The request without repeats, if everything in it can be.

    Raises:
        InputError: nothing to compare, an unknown measure, setting, pooling, correction or distance, or a number out
            of range.
    """
    for name in ("encoders", "measures", "data"):
        if not getattr(request, name):
            raise InputError(f"no {name} to compare; give at least one")
    if len(request.links) > len(request.data):
        raise InputError(
            f"{len(request.links)} --links for {len(request.data)} --data; the n-th --links belongs to the n-th --data"
        )
    _member(Pool, "pooling", request.pool)
    if request.distance and request.distance not in list(Distance):
        raise unknown("distance", request.distance, list(Distance))
    if request.correction not in CORRECTIONS:
        raise unknown("correction", request.correction, CORRECTIONS)
    _check_layers(request.layers)
    if request.max_rows is not None and request.max_rows < 1:
        raise InputError(f"max_rows={request.max_rows} is out of range; valid: at least 1")
    for asked in request.measures:
        _check_asked(asked)
    layers = request.layers if isinstance(request.layers, str) else tuple(sorted(set(request.layers)))
    return replace(
        request, layers=layers, encoders=tuple(dict.fromkeys(request.encoders)),
        measures=tuple(dict.fromkeys(request.measures)), controls=tuple(dict.fromkeys(request.controls)),
    )  # fmt: skip


def _check_layers(layers: Layers) -> None:
    """Raise unless they are numbers, or a word for some.

    Raises:
        InputError: they are not.
    """
    if isinstance(layers, str) and layers not in (DEFAULT, ALL):
        raise InputError(f"layers {layers!r} are none; valid: default, all, or numbers like 0,6,12")
    if not isinstance(layers, str) and (not layers or min(layers) < 0):
        raise InputError("layers are numbers from 0 on; valid: default, all, or numbers like 0,6,12")


def spread(measures: Sequence[str], settings: Sequence[str]) -> tuple[Asked, ...]:
    """Measures with the settings that are theirs.

    Args:
        measures: `NAME KEY=VALUE ...`.
        settings: `KEY=VALUE` for every measure that has the key, or `MEASURE.KEY=VALUE`.

    Raises:
        InputError: an unknown measure, or a setting that none of the measures has.
    """
    asked = [Asked.parse(one) for one in measures]
    found = [dict(pair.partition("=")[::2] for pair in one.settings) for one in asked]
    for pair in settings:
        takers = [(mine, own) for mine, one in zip(found, asked, strict=True) if (own := _own(one.measure, pair))]
        if not takers:
            raise _untaken(pair, [one.measure for one in asked])
        for mine, (key, value) in takers:
            mine[key] = value
    return tuple(
        Asked(one.measure, tuple(f"{key}={value}" for key, value in mine.items()))
        for one, mine in zip(asked, found, strict=True)
    )


def expanded(asked: Asked) -> tuple[Asked, ...]:
    """The measure itself, or for `all` every registered one with its part of the settings.

    Raises:
        InputError: a setting that no measure has.
    """
    if asked.measure != ALL:
        return (asked,)
    return spread(list(registered("measures")), asked.settings)


def _own(measure: str, pair: str) -> tuple[str, str] | None:
    """Key and value that a setting is for a measure, None where it has no such key; `all` takes everything."""
    key, _, value = pair.partition("=")
    if measure == ALL:
        return key, value
    owner, dot, bare = key.rpartition(".")
    if dot and owner != measure:
        return None
    named = {field.name for field in fields(find("measures", measure).settings)}
    return (bare, value) if bare in named or dot else None


def _untaken(pair: str, measures: Sequence[str]) -> InputError:
    """Says which settings the measures have."""
    valid = [f"{name}.{field.name}" for name in measures for field in fields(find("measures", name).settings)]
    return unknown("setting", pair.partition("=")[0], valid)


def _check_asked(asked: Asked) -> None:
    """Refuse unknown measures and settings before anything is read."""
    for one in expanded(asked):
        parse_settings(find("measures", one.measure).settings, one.settings)


def _quoted(text: str) -> str:
    """The text as `shlex.split` reads it back; brackets and the like need no quotes here."""
    return shlex.quote(text) if re.search(r"[\s'\"\\]", text) else text


def _member(kind: type[StrEnum], name: str, value: object) -> Any:
    """The member of an enumeration with that value.

    Raises:
        InputError: there is none.
    """
    if value not in list(kind):
        raise unknown(name, value, list(kind))
    return kind(str(value))
