"""From what a form holds to a cost estimate and a started run; the preset that needs no form."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.encoders.trained import check_free, free_name, trained_folder
from analysis.errors import InputError
from analysis.jobs import control
from analysis.jobs.runs import Run, list_runs
from analysis.jobs.state import Status, state
from analysis.registry import find, registered
from analysis.settings import fields, parse_settings
from pages._parts import data, training_runs
from pages._parts import training_data as texts
from pages._parts.state import default_languages

_ESTIMATING = threading.Lock()  # a step is timed, so one at a time
PRESET_METHOD = "contrastive"
# Sized for about two minutes on two idle cores with the bundled encoder; the estimate tells for any other machine.
PRESET = {"max_pairs": "500", "dev_every": "5"}
PRESET_ROWS = 50  # an upload of fewer is too small to show anything
FETCHED = "corpus:ui_chromium:train"


@dataclass(frozen=True)
class Wanted:
    """Everything that decides a training.

    Attributes:
        method: registered name.
        encoder: name of the base.
        data: sentence pairs, as a spec calls them.
        tags: the languages of the pairs.
        links: paths of files.
        dictionary, monolingual: word translations and text without translation, as a spec calls them.
        dev: development pairs, as a spec calls them.
        settings: what differs from the method's defaults.
        seed: of everything random.
        name: of the new encoder.
    """

    method: str
    encoder: str
    data: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    dictionary: tuple[str, ...] = ()
    monolingual: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    name: str = ""

    @property
    def langs(self) -> str | None:
        """`A-B` of two languages, None of more: all pairs with English."""
        return "-".join(tag.replace("-", "_") for tag in self.tags) if len(self.tags) == 2 else None

    @property
    def pairs(self) -> tuple[str, ...]:
        """The settings as `key=value`."""
        return tuple(f"{name}={value}" for name, value in self.settings.items())


def start(wanted: Wanted) -> Run:
    """Start a training and show it.

    Raises:
        InputError: a method, setting or name that does not fit.
        IsoglossError: the cache folder cannot be written.
    """
    from analysis.alignment.job import ENTRY, KIND, make_spec

    if wanted.name in reserved():
        raise InputError(f"an unfinished run makes {wanted.name!r}; open or discard it, or choose another name")
    spec = make_spec(
        wanted.method, wanted.encoder, data=wanted.data, langs=wanted.langs, links=wanted.links,
        dictionary=wanted.dictionary, monolingual=wanted.monolingual, dev=wanted.dev,
        out=trained_folder(check_free(wanted.name)), seed=wanted.seed, settings=wanted.pairs,
    )  # fmt: skip
    run = control.start(ENTRY, spec, kind=KIND, title=wanted.name)
    training_runs.open_run(run.id)
    return run


def reserved() -> dict[str, Run]:
    """The names that unfinished runs will give to their encoders."""
    mine = [(Path(str(run.spec.get("out"))), run) for run in list_runs(training_runs.KIND)]
    root = trained_folder("").resolve()
    return {out.name: run for out, run in mine if out.parent.resolve() == root and state(run).status is not Status.DONE}


def estimate(wanted: Wanted) -> Any:
    """What a training would cost, kept by everything that decides it; None for a closed form.

    Raises:
        InputError: data or settings that do not fit.
        IsoglossError: text that cannot be fetched.
    """
    bare = replace(wanted, name="", seed=0, dev=(), settings={})
    return _estimate(bare, data.encoder(wanted.encoder).revision, wanted.pairs)


@st.cache_data(max_entries=64, show_spinner="Timing a step ...", hash_funcs={Wanted: repr})
def _estimate(wanted: Wanted, revision: str, settings: tuple[str, ...]) -> Any:
    """The estimate."""
    from analysis.alignment.cost import estimate as count

    method = find("methods", wanted.method)
    bitexts = _bitexts(wanted.data, wanted.langs, wanted.links, wanted.tags)
    others = {"monolingual": _monolingual(wanted.monolingual, wanted.langs, wanted.tags),
              "dictionaries": _dictionaries(wanted.dictionary, wanted.langs)}  # fmt: skip
    chosen = parse_settings(method.settings, settings)
    with _ESTIMATING:
        return count(method, data.encoder(wanted.encoder), bitexts, chosen, **others)


@st.cache_resource(max_entries=4, show_spinner="Reading the text ...")
def _bitexts(items: tuple[str, ...], langs: str | None, links: tuple[str, ...], tags: tuple[str, ...]) -> list[Any]:
    """The sentence pairs of a spec's data."""
    from analysis.alignment.reading import read_pairs
    from analysis.text.problems import Problems

    return read_pairs(items, langs, links, None, Problems(), tags or None)


@st.cache_resource(max_entries=4, show_spinner="Reading the text ...")
def _monolingual(items: tuple[str, ...], langs: str | None, tags: tuple[str, ...]) -> Any:
    """The sentences of a spec's text without translation, by language."""
    from analysis.alignment.reading import read_monolingual
    from analysis.text.problems import Problems

    return read_monolingual(items, langs, None, Problems(), tags or None)


@st.cache_resource(max_entries=4, show_spinner="Reading the dictionaries ...")
def _dictionaries(items: tuple[str, ...], langs: str | None) -> Any:
    """The dictionaries of a spec."""
    from analysis.alignment.reading import read_dictionaries
    from analysis.text.problems import Problems

    return read_dictionaries(items, langs, None, Problems())


def preset(encoder: str) -> tuple[Wanted, str] | None:
    """A training of about two minutes on the text at hand, and a word on that text; None where there is no text.

    Tatoeba is taken where the public sets are here, else an upload of some size, else interface text is fetched.

    Args:
        encoder: the base.
    """
    names = registered("methods")
    trained = [name for name, spec in names.items() if getattr(spec, "trained", False)]
    method = PRESET_METHOD if PRESET_METHOD in trained else next(iter([*trained, *names]), "")
    offered = texts.training_texts()
    text = offered.get("set:tatoeba:test") or texts.large_upload(offered, PRESET_ROWS) or offered.get(FETCHED)
    if not method or text is None:
        return None
    tags = default_languages(texts.languages_of(text))
    items = texts.item(text, tags)
    held_out = texts.dev_texts()
    dev_text = held_out.get("set:wordalign_xlwa:dev") or held_out.get(text.key.replace(":train", ":dev"))
    dev = texts.dev_item(dev_text, tags) if dev_text and dev_text != text else None
    settings = limit(find("methods", method).settings, PRESET | {"languages": _others(tags)})
    told = f"{text.title}, {len(tags)} languages" + (", fetched first (124 MB)" if text.fetched else "")
    name = free_name(method, reserved())
    data_items, dev_items = (items,) if items else (), (dev,) if dev else ()
    return Wanted(method, encoder, data_items, tags, dev=dev_items, settings=settings, name=name), told


def _others(tags: tuple[str, ...]) -> str:
    """The languages that are aligned with the anchor, as a setting."""
    return ",".join(tag for tag in tags if tag != anchor_of(tags))


def anchor_of(tags: tuple[str, ...] | list[str]) -> str:
    """English where it is among the languages, else the first of them."""
    return "en" if "en" in tags or not tags else tags[0]


def limit(settings: type, values: Mapping[str, str]) -> dict[str, str]:
    """Those values that a settings class has."""
    known = {one.name for one in fields(settings)}
    return {name: value for name, value in values.items() if name in known}
