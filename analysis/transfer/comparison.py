"""Finished transfers of two encoders or regimes held against each other: over items, seeds and tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.errors import InputError
from analysis.registry import find
from analysis.transfer.outcome import PARTS, Outcome
from analysis.transfer.significance import Difference, compare_runs, corrected

WHAT = ("source", "mean_others", "gap")
OWN = ("encoder", "regime")  # what the runs of one side share
# What the runs of one side and task share as well. Training items are drawn by the seed, so their hash may differ.
SHARED = {"revision": "weights under one encoder's name", "settings": "settings", "train": "training data",
          "extras": "parallel or monolingual text"}  # fmt: skip


def compare_outcomes(a: Sequence[Outcome], b: Sequence[Outcome]) -> dict[str, dict[str, Difference]]:
    """The paired tests of two sides, task by task; see `compare_runs`.

    Args:
        a: runs of one side, any tasks, for each its seeds.
        b: runs of the other side; of each task at least one, on the same test items.

    Returns:
        By task the change of `source`, `mean_others` and `gap` from a to b, without those that have no score; p values
        of each are corrected for the number of tasks.

    Raises:
        InputError: sides without a task in common, runs of one side that differ in more than seed and task, a run given
            twice, or runs that were scored on other items.
    """
    sides = [_by_task(side, name) for side, name in ((a, "A"), (b, "B"))]
    tasks = [task for task in sides[0] if task in sides[1]]
    alone = sorted(set(sides[0]) ^ set(sides[1]))
    if alone or not tasks:
        raise InputError(f"only one side has a run of task {', '.join(alone)}; give both, or leave it out")
    found: dict[str, dict[str, Difference]] = {task: {} for task in tasks}
    for what in WHAT:
        tested = {task: one for task in tasks if (one := _test(sides[0][task], sides[1][task], what)) is not None}
        for task, one in corrected(tested).items() if tested else ():
            found[task][what] = one
    return found


def _by_task(side: Sequence[Outcome], name: str) -> dict[str, list[Outcome]]:
    """The runs of a side by task.

    Raises:
        InputError: two encoders or regimes, or a seed given twice.
    """
    found: dict[str, list[Outcome]] = {}
    for key in OWN:
        values = sorted({str(one.record[key]) for one in side})
        if len(values) > 1:
            raise InputError(f"side {name} has runs of more than one {key} ({', '.join(values)}); give those of one")
    for one in side:
        mine = found.setdefault(str(one.record["task"]), [])
        twice = next((other for other in mine if other.record["seed"] == one.record["seed"]), None)
        if twice is not None:
            raise InputError(
                f"side {name} has seed {one.record['seed']} of task {one.record['task']} twice ({twice.folder} and "
                f"{one.folder}); give runs of different seeds"
            )
        for key, word in SHARED.items() if mine else ():
            if _shared(mine[0].record, key) != _shared(one.record, key):
                raise InputError(
                    f"{mine[0].folder} and {one.folder} have other {word}; a side's runs differ in the seed alone"
                )
        mine.append(one)
    return found


def _shared(record: Mapping[str, Any], key: str) -> Any:
    """What two runs of one side have to have in common."""
    found = record.get(key)
    return found.get("data") if key == "train" and isinstance(found, dict) else found


def differences(a: Outcome, b: Outcome) -> tuple[str, ...]:
    """What a run of each side differs in beside the encoder, in words: the change may be owed to that."""
    return tuple(
        word for key, word in PARTS.items()
        if key not in ("encoder", "seed") and _shared(a.record, key) != _shared(b.record, key)
    )  # fmt: skip


def _test(a: Sequence[Outcome], b: Sequence[Outcome], what: str) -> Difference | None:
    """The change of one number of one task, None where it has no score.

    Raises:
        InputError: runs with other items or another source language.
    """
    first = a[0].record
    for one in (*a, *b):
        if one.record["source_lang"] != first["source_lang"] or _texts(one.record) != _texts(first):
            raise InputError(
                f"{a[0].folder} and {one.folder} were scored on other data; give runs with the same --test"
            )
    try:
        sides = [[one.scored for one in side] for side in (a, b)]
        return compare_runs(
            sides[0], sides[1], find("tasks", first["task"]).metric, str(first["source_lang"]), what=what
        )
    except InputError:
        if any(one.record.get(what) is None for one in (*a, *b)):
            return None
        raise


def _texts(record: Mapping[str, object]) -> dict[object, object]:
    """The hash of the test text by language."""
    rows = record.get("test", ())
    return {one.get("lang"): one.get("sha256") for one in rows} if isinstance(rows, list | tuple) else {}
