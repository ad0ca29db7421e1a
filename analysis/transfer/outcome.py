"""What finished transfers have left, read again and held against each other."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.comparison.significance import ALPHA, adjust, paired
from analysis.errors import InputError
from analysis.records import Comparison, Result
from analysis.registry import find
from analysis.transfer.folder import RESULT, STATS
from analysis.transfer.scores import Estimate, Scored, Summary, summarise

# What two runs may differ in, with the word for it; all else is of the test.
PARTS = {"encoder": "the encoder", "regime": "the regime", "settings": "settings", "seed": "the seed",
         "train": "the training data", "source_lang": "the source language"}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a finished run has left.

    Attributes:
        folder: of the run's result.
        record: the object of transfer.json.
        scored: the counts behind each language's score.
    """

    folder: Path
    record: Mapping[str, Any]
    scored: tuple[Scored, ...]


@dataclass(frozen=True)
class Line:
    """One language of one run or two.

    Attributes:
        lang: its tag, "" for the mean of all but the source.
        n: items; of the mean the number of languages.
        scores: of A and, where there are two runs, of B.
        change: B against A on the same items.
        p: its p value, corrected for all languages.
    """

    lang: str
    n: int
    scores: tuple[Estimate, ...]
    change: Comparison | None = None
    p: float | None = None

    @property
    def clear(self) -> bool:
        """Whether B differs from A beyond chance; for languages after correction."""
        return self.change is not None and (self.change.significant if self.p is None else self.p < ALPHA)


@dataclass(frozen=True)
class Lines:
    """All that a figure shows.

    Attributes:
        source: tag of the language of the labels.
        languages: one line each.
        mean: of all languages but the source, None where there is no other.
        gap: source minus mean of A and, where there are two, of B; None without either.
        gap_change: B against A.
        differs: what two runs differ in, by name in the record.
        left_out: languages that only one of the two has, or has on other items.
    """

    source: str
    languages: tuple[Line, ...]
    mean: Line | None
    gap: tuple[Estimate, ...] | None
    gap_change: Comparison | None = None
    differs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def own(self) -> Line | None:
        """The line of the source, None where it was not tested."""
        return next((line for line in self.languages if line.lang == self.source), None)


def load_outcome(folder: str | Path) -> Outcome:
    """The result in a folder.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / RESULT).read_text("utf-8"))
        with np.load(folder / STATS) as kept:
            scored = tuple(
                Scored(row["lang"], tuple(kept[f"{row['lang']}/ids"].tolist()), kept[f"{row['lang']}/stats"])
                for row in record["items"]
            )
    except FileNotFoundError:
        raise InputError(f"{folder} holds no result of a transfer; give the --out of one, or run it again") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        told = f"{type(error).__name__}: {error}"
        raise InputError(f"{folder} holds no whole result of a transfer ({told}); run it again") from None
    return Outcome(folder, record, scored)


def lines_of(outcomes: Sequence[Outcome]) -> Lines:
    """The lines of one run, or of two on the same items, A first.

    Args:
        outcomes: one or two.

    Raises:
        InputError: two runs of different tasks, or without a language that both have on the same items.
    """
    first, last = outcomes[0], outcomes[-1]
    if first.record["task"] != last.record["task"]:
        raise InputError(
            f"a run of task {first.record['task']} cannot be held against one of {last.record['task']}; choose two of "
            "one task"
        )
    there = [{one.language: one for one in each.scored} for each in outcomes]
    texts = [{one.get("lang"): one.get("sha256") for one in each.record.get("test", ())} for each in outcomes]
    alike = lambda tag: there[-1][tag].ids == there[0][tag].ids and texts[0].get(tag) == texts[-1].get(tag)  # noqa: E731
    shared = [tag for tag in there[0] if tag in there[-1] and alike(tag)]
    if not shared:
        raise InputError("the two runs have no language with the same test items; choose runs on the same test data")
    source = str(first.record["source_lang"])
    metric = find("tasks", first.record["task"]).metric
    # One order of languages and one seed: the replicates of the two are of the same resamples of items.
    found = [summarise([each[tag] for tag in shared], metric, source) for each in there]
    lines = [Line(tag, len(there[0][tag].ids), tuple(one.languages[tag] for one in found)) for tag in shared]
    lines = _tested(lines) if len(found) > 1 else lines
    rows = len({name for tag in shared for name in there[0][tag].ids})
    means, gaps = _all(found, "mean_others"), _all(found, "gap")
    pair = lambda scores: _change(scores[0], scores[1], rows) if scores and len(scores) > 1 else None  # noqa: E731
    mean = Line("", len(shared) - (source in shared), means, pair(means)) if means else None
    return Lines(
        source, tuple(lines), mean, gaps, pair(gaps),
        tuple(name for name in PARTS if first.record.get(name) != last.record.get(name)),
        tuple(dict.fromkeys(tag for each in there for tag in each if tag not in shared)),
    )  # fmt: skip


def _tested(lines: Sequence[Line]) -> list[Line]:
    """The lines with B tested against A, corrected for all of them."""
    changes = [_change(line.scores[0], line.scores[1], line.n) for line in lines]
    corrected = iter(adjust([one.p_value for one in changes if one], "holm"))
    return [
        Line(line.lang, line.n, line.scores, change, next(corrected) if change else None)
        for line, change in zip(lines, changes, strict=True)
    ]


def _all(found: Sequence[Summary], name: str) -> tuple[Estimate, ...] | None:
    """The mean of the others or the gap of every run, None where one has none."""
    known = tuple(one for one in (getattr(each, name) for each in found) if one is not None)
    return known if len(known) == len(found) else None


def _change(a: Estimate | None, b: Estimate | None, n: int) -> Comparison | None:
    """B against A by replicates that pair, None where one has no score or there are too few items."""
    if a is None or b is None:
        return None
    return paired(*(Result("", one.score, one.low, one.high, n, "percent", True, one.replicates, n) for one in (a, b)))
