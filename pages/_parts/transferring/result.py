"""The result of a transfer, or of two held against each other: finding, numbers, figure, table, errors."""

from collections.abc import Sequence

import streamlit as st

from analysis.encoders.names import CARD
from analysis.figures import transfer as figure
from analysis.jobs.runs import Run
from analysis.jobs.state import metrics
from analysis.records import Comparison
from analysis.registry import find, registered
from analysis.transfer.folder import RESULT
from analysis.transfer.outcome import PARTS, Line, Lines, Outcome
from pages._parts import chrome, state
from pages._parts.transferring import common
from pages._parts.transferring import items as errors
from pages._parts.transferring import run as running

ONE_SEED = "One seed each: says nothing of other seeds."
ALONE = "nothing"


def show(runs: list[Run]) -> None:
    """The result of runs that are done.

    Args:
        runs: one, or two of which the first is A.
    """
    with chrome.guard():
        outcomes = [common.outcome(run) for run in runs]
        lines = common.lines(outcomes)
        records = [one.record for one in outcomes]
        names = common.labels(records)
        st.header(chrome.plain(figure.tell_transfer(lines, names)))
        _facts(runs, outcomes, lines, names)
        _numbers(lines)
        _figure(lines, names, outcomes)
        _table(lines, names)
        _lost(outcomes, lines)
        _alignment(outcomes, names)
        with chrome.guard():
            errors.behind(outcomes, names)
        _downloads(runs, outcomes, names)
    if len(runs) == 1:
        _partner(runs[0])
    _curves(runs)


def _facts(runs: Sequence[Run], outcomes: Sequence[Outcome], lines: Lines, names: Sequence[str]) -> None:
    """What was learned, how, and in what the two differ."""
    record = outcomes[0].record
    task = find("tasks", record["task"])
    regimes = registered("regimes")
    titles = list(dict.fromkeys(
        regimes[one.record["regime"]].title if one.record["regime"] in regimes else str(one.record["regime"])
        for one in outcomes
    ))  # fmt: skip
    told = [task.title, " against ".join(titles), f"{record['train']['n']:,} items in "
            f"{figure.language_name(lines.source)}", f"seed {record['seed']}"]  # fmt: skip
    told += [f"A {names[0]}, B {names[1]}"] if len(names) > 1 else []
    st.markdown(f":small[:gray[{chrome.plain('; '.join(told))}]]")
    differs = [PARTS[name] for name in lines.differs if name != "encoder"]
    if differs:
        st.warning(chrome.plain(f"The two differ in {', '.join(differs)} as well: the change is of all that together."
                                if "encoder" in lines.differs else f"The two differ in {', '.join(differs)}."))  # fmt: skip


def _numbers(lines: Lines) -> None:
    """Source, mean of the others and gap; with two runs those of B and the change against A."""
    own, mean, two = lines.own, lines.mean, len(lines.languages[0].scores) > 1
    places = [place.container(gap=None) for place in st.columns(3)]
    source = figure.language_name(lines.source)
    if own is not None:
        _number(places[0], f"{source}, the source", own, own.change)
    if mean is not None:
        count = "1 other language" if mean.n == 1 else f"{mean.n} other languages"
        _number(places[1], f"Mean of {count}", mean, mean.change)
    if lines.gap is not None:
        _number(places[2], "Gap, source minus mean", Line("gap", 0, lines.gap), lines.gap_change, neutral=True)
    best = mean.change if mean is not None else None
    if two and mean is not None and best is not None:
        st.caption(
            f"Change of the mean, B minus A: {_signed(best.difference)} points, 95 % [{_signed(best.low)}, "
            f"{_signed(best.high)}], p = {best.p_value:.2g}; a paired bootstrap over items, an item drawn in all its "
            f"languages at once. {ONE_SEED}"
        )


def _signed(value: float) -> str:
    """One decimal with its sign."""
    return f"{value:+.1f}".replace("-", "−")


def _number(place: "st.delta_generator.DeltaGenerator", label: str, line: Line, change: Comparison | None, *,
            neutral: bool = False) -> None:  # fmt: skip
    """One number with its interval; of two runs B's, with A's and the change."""
    last = line.scores[-1]
    value = "–" if last.score is None else f"{last.score:.1f}".replace("-", "−")
    between = "" if last.low is None else f":small[:gray[\\[{last.low:.1f}, {last.high:.1f}\\]]]".replace("-", "−")
    place.markdown(f":small[:gray[{chrome.plain(label)}]]")
    place.markdown(f"## {value} {between}")
    if len(line.scores) > 1:
        first = line.scores[0].score
        moved = chrome.chip(change.difference if change else None, better_high=None if neutral else True)
        told = "–" if first is None else f"{first:.1f}".replace("-", "−")
        place.markdown(f":small[A {told}] {moved}")


def _figure(lines: Lines, names: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """A dot and a line a language."""
    orders = [name for name in figure.ORDERS if name != "gain" or len(names) > 1]
    usual = "gain" if len(names) > 1 else "score"
    order = st.segmented_control(
        "Order of the languages", orders, key=state.seeded("ranked", usual, orders),
        format_func=figure.ORDERS.__getitem__, required=True, label_visibility="collapsed",
    )  # fmt: skip
    state.set_page_value("ranked", "" if order == usual else order)
    shown = figure.ordered(lines, order or usual)
    metric = find("tasks", outcomes[0].record["task"]).metric.title
    two = (
        " Grey and above is A, coloured and below is B; B is filled where it differs from A beyond chance (of "
        f"languages p is corrected for their number, Holm). {ONE_SEED}"
        if len(names) > 1
        else ""
    )
    chrome.figure(
        figure.draw_transfer(shown, names, metric=metric[:1].upper() + metric[1:]), name="transfer",
        data=lambda: chrome.columns(figure.transfer_rows(shown, names)),
        caption="A dot is the score of a language, the pale line its 95 % bootstrap interval over items; the source, "
        f"whose labels were learned, stands first, then the mean of the others.{two} The interval holds the training "
        "fixed: another seed or other training items may move a dot further. A high score may come from words that "
        "languages share as well as from aligned vectors.",
    )  # fmt: skip


def _table(lines: Lines, names: Sequence[str]) -> None:
    """All numbers, sortable."""
    rows = []
    for line in figure.ordered(lines, "score"):
        row: dict[str, object] = {"language": figure.row_name(line), "code": line.lang}
        for side, one in zip("AB" if len(names) > 1 else ("score",), line.scores, strict=True):
            row |= {side: one.score, f"{side} low" if len(names) > 1 else "low": one.low,
                    f"{side} high" if len(names) > 1 else "high": one.high}  # fmt: skip
        if len(names) > 1:
            change = line.change
            row |= {"B − A": change.difference if change else None, "change low": change.low if change else None,
                    "change high": change.high if change else None,
                    "p": line.p if line.p is not None else change.p_value if change else None}  # fmt: skip
        rows.append(row | {"n": line.n})
    numbers = {name: st.column_config.NumberColumn(format="%.1f") for name in rows[0] if name not in ("n", "p")}
    numbers |= {
        name: st.column_config.NumberColumn(format="%+.1f") for name in rows[0] if "−" in name or "change" in name
    }
    texts = {name: st.column_config.TextColumn() for name in ("language", "code")}
    with st.expander("Table"):
        chrome.table(
            chrome.columns(rows), column_config=numbers | {"p": st.column_config.NumberColumn(format="%.3f")} | texts
        )
        st.caption("p of a language is corrected for the number of languages; n of the mean is that number."
                   if len(names) > 1 else "n is items; of the mean the number of languages.")  # fmt: skip


def _lost(outcomes: Sequence[Outcome], lines: Lines) -> None:
    """Languages without a score, with the reason."""
    told = list(dict.fromkeys(str(one) for each in outcomes for one in each.record.get("failed", ())))
    if told:
        with st.expander("1 language has no score" if len(told) == 1 else f"{len(told)} languages have no score"):
            for line in told:
                st.markdown(f"- {chrome.plain(line)}")
    if lines.left_out:
        tags = ", ".join(map(figure.language_name, lines.left_out))
        st.caption(f"Left out, for the two have no common items there: {chrome.plain(tags)}.")


def _alignment(outcomes: Sequence[Outcome], names: Sequence[str]) -> None:
    """Word retrieval before and after the task, where it was measured."""
    for name, one in zip(names, outcomes, strict=True):
        found = one.record.get("alignment")
        if found and found.get("before") is not None and found.get("after") is not None:
            moved = chrome.chip(found["after"] - found["before"])
            st.markdown(f"Word retrieval of {chrome.plain(name)}: {found['before']:.1f} % before the task, "
                        f"{found['after']:.1f} % after it {moved}")  # fmt: skip


def _downloads(runs: Sequence[Run], outcomes: Sequence[Outcome], names: Sequence[str]) -> None:
    """The JSON of each run, and the way to look at what the task made of the encoder."""
    row = st.container(horizontal=True, vertical_alignment="center")
    for n, (run, one) in enumerate(zip(runs, outcomes, strict=True)):
        side = f" of {'AB'[n]}" if len(runs) > 1 else ""
        path = one.folder / RESULT
        row.download_button(f"JSON{side}", path.read_bytes, f"{one.folder.name}.json", "application/json",
                            key=f"json {run.id}", on_click="ignore", type="tertiary")  # fmt: skip
    for n, (run, one) in enumerate(zip(runs, outcomes, strict=True)):
        side = f" {'AB'[n]}" if len(runs) > 1 else ""
        if (one.folder / CARD).exists() and row.button(
            f"See what the task made of{side or ' the encoder'}", key=f"as b {run.id}", type="tertiary",
            help="Makes the encoder before the task A and the one after it B, on every page.",
        ):  # fmt: skip
            state.show_encoders(str(one.record["encoder"]), str(one.folder))


def _partner(run: Run) -> None:
    """Another run of the task to hold this one against."""
    others = [one for one in common.finished(without=[run.id]) if one.spec.get("task") == run.spec.get("task")]
    if not others:
        st.caption("Start the same with another encoder, and the two can be compared here.")
        return
    titles = {one.id: f"{one.title} ({one.created[:16].replace('T', ' ')})" for one in others}
    chosen = st.selectbox("Compare with", [ALONE, *titles], format_func=lambda one: titles.get(one, "–"),
                          key=f"partner of {run.id}")  # fmt: skip
    left, right = st.columns(2)
    if chosen != ALONE and left.button("That one as A, this one as B", key=f"against {run.id}"):
        common.open_runs([chosen, run.id])
        st.rerun()
    if chosen != ALONE and right.button("This one as A, that one as B", key=f"before {run.id}"):
        common.open_runs([run.id, chosen])
        st.rerun()


def _curves(runs: Sequence[Run]) -> None:
    """Loss and log of each run."""
    with st.expander("Training"):
        places = st.columns(2, gap="large") if len(runs) > 1 else [st.container()]
        for n, (place, run) in enumerate(zip(places, runs, strict=True)):
            with place, chrome.guard():
                st.markdown(f":small[:gray[{running.facts(run)}]]")
                running.loss(run, metrics(run), "AB"[n] if len(runs) > 1 else "")
