"""The form of a new transfer: task, regime and settings left; encoders, data, name and start right."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from analysis.alignment.method import Uses
from analysis.errors import InputError, IsoglossError
from analysis.jobs.state import Status
from analysis.jobs.state import state as state_of
from analysis.registry import registered
from analysis.settings import parse_settings
from analysis.store import cache_folder
from analysis.transfer.item import Kind
from analysis.transfer.maps import check_trainable
from analysis.transfer.settings import TransferSettings
from pages._parts import chrome, forms, state
from pages._parts.training_form import MOST_SEED, WORDS
from pages._parts.transferring import common
from pages._parts.transferring import data as texts
from pages._parts.transferring.common import Wanted

OFFLINE = "corpus:"  # data that need no download begin so
BOTH, ONLY_A, ONLY_B = "both", "a", "b"
LIKED = "plain"  # the regime that all others are held against comes first where it is registered
TAKES = "A few minutes on two idle cores with the bundled encoder, longer on a busy machine."
FIRST = {"max_items": "400", "test_items": "100", "epochs": "2"}  # a first run that ends in a few minutes


def form(view: state.View) -> None:
    """Draw the form and the button that starts."""
    problems: list[str] = []
    left, right = st.columns([3, 2], gap="large")
    with left:
        task = _task_box()
        regime = _regime_box(task)
        st.markdown("##### Settings")
        cls = registered("regimes")[regime].settings
        given = forms.unpack(state.page_value("how-learned", ""))
        values = forms.settings_form(cls, f"how {regime}", given=given)
        state.set_page_value("how-learned", forms.pack(values))
    with right, chrome.guard():
        wanted = Wanted(task, regime, _encoders(view), settings=values)
        wanted = _data(wanted, problems)
        wanted = _name(wanted)
        for line in problems:
            chrome.error(line)
        reason = "Mend what the red line names." if problems else missing(wanted)
        if forms.parsed(cls, values) is None:
            reason = reason or "A setting on the left does not fit."
        _start(wanted, reason)


def usual_task() -> str:
    """The task that needs no download."""
    specs = registered("tasks")
    return next((name for name, one in specs.items() if one.train.startswith(OFFLINE)), next(iter(specs)))


def usual_regime(names: list[str]) -> str:
    """The regime that all others are held against, else the first."""
    return LIKED if LIKED in names else names[0]


def fitting(task: str) -> list[str]:
    """The regimes that work with a task: those that need nothing beside the labels first."""
    kind, specs = registered("tasks")[task].kind, registered("regimes")
    names = [name for name, one in specs.items() if kind in one.kinds]
    return sorted(names, key=lambda name: (bool(specs[name].needs | specs[name].needs_all), specs[name].title))


def _task_box() -> str:
    """The task, with what it is and what scores it."""
    specs = registered("tasks")
    names = sorted(specs, key=lambda name: (name != usual_task(), specs[name].title))
    task = st.selectbox(
        "Task", names, key=state.seeded("task", names[0], names), format_func=lambda name: specs[name].title,
        on_change=_forget_task,
    )  # fmt: skip
    state.set_page_value("task", task)
    spec = specs[task]
    st.caption(
        f"{chrome.plain(spec.summary)} Scored by {chrome.plain(spec.metric.title)}.  \n"
        f"{chrome.plain(spec.citation.rstrip('.'))}."
    )
    return task


def _regime_box(task: str) -> str:
    """The regime, with what it does, who made it and what it needs; those that do not fit the task are named."""
    specs, names = registered("regimes"), fitting(task)
    key = state.seeded("regime", usual_regime(names), names)
    regime = st.selectbox(
        "Regime: how the task is learned", names, key=key, format_func=lambda name: specs[name].title,
        on_change=_forget_regime,
    )  # fmt: skip
    state.set_page_value("regime", regime)
    spec = specs[regime]
    st.caption(
        f"{chrome.plain(spec.summary)}  \n{chrome.plain(spec.citation.rstrip('.'))}. Grounded: "
        f"{chrome.plain(spec.fidelity)}.  \n{chrome.plain(needs(spec))}",
        help="Grounded says how well this implementation is tied to its source: code checked against theirs, made "
        "from the abstract, or reconstructed. None claims to reproduce a paper.",
    )
    others = [one.title for name, one in specs.items() if name not in names]
    if others:
        st.caption(f"Not for this kind of task: {chrome.plain(', '.join(sorted(others)))}.")
    return regime


def needs(spec: Any) -> str:
    """What a regime needs and can use beside the labels, in one sentence."""
    must = " and ".join(word for kind, word in WORDS.items() if kind in spec.needs_all)
    any_of = " or ".join(word for kind, word in WORDS.items() if kind in spec.needs - spec.needs_all)
    must = " and ".join(filter(None, [must, any_of]))
    can = ", ".join(word for kind, word in WORDS.items() if kind in spec.uses - spec.needs - spec.needs_all)
    return f"Needs {must or 'nothing'} beside the labels" + (f"; can use {can}." if can else ".")


def _forget_task() -> None:
    """The data of one task mean nothing to another."""
    for key in ("learn", "score-on", "tongues"):
        state.set_page_value(key, "")
        st.session_state.pop(f"page {key}", None)


def _forget_regime() -> None:
    """The settings that only one regime has mean nothing to another; those all share stay."""
    shared = {one.name for one in fields(TransferSettings)}
    given = forms.unpack(state.page_value("how-learned", ""))
    state.set_page_value("how-learned", forms.pack({name: value for name, value in given.items() if name in shared}))


def _encoders(view: state.View) -> tuple[str, ...]:
    """A and B of the sidebar, or one of them."""
    if view.a == view.b:
        st.markdown(f"**A** and **B** are both {chrome.plain(view.a)}: one run. :gray[Choose another in the sidebar.]")
        return (view.a,)
    names = {BOTH: "A and B, a run each", ONLY_A: "A only", ONLY_B: "B only"}
    chosen = st.segmented_control(
        "Encoders, from the sidebar", list(names), key=state.seeded("whose-task", BOTH, list(names)),
        format_func=names.__getitem__, required=True,
        help="The base against the aligned encoder is the point: both learn the same items with the same seed.",
    )  # fmt: skip
    state.set_page_value("whose-task", "" if chosen == BOTH else chosen)
    st.caption(f"A **{chrome.plain(view.a)}**, B **{chrome.plain(view.b)}**")
    return {BOTH: (view.a, view.b), ONLY_A: (view.a,), ONLY_B: (view.b,)}[chosen or BOTH]


def _data(wanted: Wanted, problems: list[str]) -> Wanted:
    """The labelled data, and what the regime uses beside."""
    task, regime = registered("tasks")[wanted.task], registered("regimes")[wanted.regime]
    train, test = texts.train(task, problems), texts.test(task, problems)
    given, langs = texts.extras(regime, problems)
    mixed = False
    if task.kind is Kind.PAIR:
        mixed = st.toggle(
            "Also pairs in two languages", key=state.seeded("mixed", False, parse=lambda text: text == "1"),
            help="Scores pairs whose first text is in the source language and whose second is its translation's.",
        )  # fmt: skip
        state.set_page_value("mixed", "1" if mixed else "")
    return replace(
        wanted, train=train, test=test, data=given.get(Uses.DATA, ()), dictionary=given.get(Uses.DICTIONARY, ()),
        monolingual=given.get(Uses.MONOLINGUAL, ()), langs=langs, mixed=mixed, alignment=texts.alignment(),
    )  # fmt: skip


def _name(wanted: Wanted) -> Wanted:
    """Seed and name."""
    left, right = st.columns([3, 1])
    seed = right.number_input("Seed", 0, MOST_SEED, key=state.seeded("task-seed", 0, parse=_seed), step=1)
    state.set_page_value("task-seed", seed or "")
    wanted = replace(wanted, seed=int(seed))
    name = left.text_input(
        "Name", key=state.seeded("task-called", "", parse=lambda text: text[:80]), placeholder=wanted.stem,
        max_chars=common.LONGEST, help=f"Begins the name of the folder of each run, below {cache_folder() / 'transfer'}; "
        "the encoder's name follows.",
    )  # fmt: skip
    state.set_page_value("task-called", name)
    return replace(wanted, name=name.strip())


def _seed(text: str) -> int:
    """A seed from the link."""
    return max(0, min(int(text), MOST_SEED))


def missing(wanted: Wanted) -> str:
    """What is needed and not given, "" where nothing is."""
    if not wanted.train:
        return "This task has no data of its own: name labelled data of one language, or give a file."
    if not wanted.test:
        return "Name test data, or give a file."
    regime = registered("regimes")[wanted.regime]
    given = {Uses.DATA: wanted.data, Uses.DICTIONARY: wanted.dictionary, Uses.MONOLINGUAL: wanted.monolingual}
    for name in wanted.encoders:
        try:
            chosen = parse_settings(regime.settings, [f"{key}={value}" for key, value in wanted.settings.items()])
            check_trainable(name, regime.strategy(chosen).trains_encoder)
        except InputError as problem:
            return f"{str(problem)[:1].upper()}{str(problem)[1:]}."
    lacking = [WORDS[kind] for kind in WORDS if kind in regime.needs_all and not given.get(kind)]
    if regime.needs and not any(given.get(kind) for kind in regime.needs):
        lacking.append(" or ".join(WORDS[kind] for kind in WORDS if kind in regime.needs))
    if lacking:
        return f"{regime.title} needs {' and '.join(lacking)} in at least two languages: choose some above."
    return ""


def _start(wanted: Wanted, reason: str) -> None:
    """The button, the same work done before, and what comes of pressing it."""
    count = len(wanted.encoders)
    begin = st.button("Start" if count == 1 else f"Start {count} runs", key="start transfer", type="primary",
                      disabled=bool(reason))  # fmt: skip
    if reason:
        st.caption(chrome.plain(reason))
        return
    if begin:
        launch(wanted)
    try:
        before = common.equal_runs(wanted)
    except IsoglossError as problem:
        chrome.error(problem)
        return
    if before:
        done = all(state_of(run).status is Status.DONE for run in before)
        st.caption("The same has been done before; again it gives the same numbers." if done else
                   "The same has been started before and is not done; open it to follow or resume it.")  # fmt: skip
        if st.button("Open it", key="open equal transfer"):
            common.open_runs([run.id for run in before])
            st.rerun()


def launch(wanted: Wanted) -> None:
    """Start the runs and show them; what does not fit is one line."""
    with chrome.guard():
        with st.spinner("Starting ..."):
            common.start(wanted)
        st.rerun()


def first(view: state.View) -> Wanted | None:
    """A small transfer that needs no choice and no download; None where no task is without."""
    task = usual_task()
    if not registered("tasks")[task].train.startswith(OFFLINE):
        return None
    names = fitting(task)
    regime = usual_regime(names)
    settings: Mapping[str, str] = forms.usable(registered("regimes")[regime].settings, FIRST)
    spec = registered("regimes")[regime]
    if spec.needs | spec.needs_all:
        return None
    return Wanted(task, regime, tuple(dict.fromkeys((view.a, view.b))), settings=settings)


def told(wanted: Wanted) -> str:
    """What such a transfer is, in a few words."""
    task, regime = registered("tasks")[wanted.task], registered("regimes")[wanted.regime]
    return f"{task.title}, {regime.title[:1].lower()}{regime.title[1:]}"
