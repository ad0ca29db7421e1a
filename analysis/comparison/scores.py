"""The comparison itself: one entry a cell, means over languages, ranks, best layers, matrices, agreement of measures."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from analysis.comparison.request import Request
from analysis.errors import unknown
from analysis.records import Comparison, Result

LEAST = 4  # points below which a rank correlation is not worth a number


@dataclass(frozen=True)
class Skipped:
    """What was not computed, and why.

    Attributes:
        reason: one line.
        asked: the measure with its settings, "" for all.
        data: as the user named it, or with languages; "" for all.
        encoder: its name, "" for all.
    """

    reason: str
    asked: str = ""
    data: str = ""
    encoder: str = ""

    def __str__(self) -> str:
        """`word_retrieval on corpus:tour: no word links`."""
        where = " on ".join(filter(None, (self.asked, self.data)))
        return ": ".join(filter(None, (where, self.encoder, self.reason)))


@dataclass(frozen=True)
class Entry:
    """One score of the table.

    Attributes:
        encoder: its name.
        control: `shuffled`, `random`, `same`, or "" for a score proper.
        measure, settings: registered name, and `key=value` strings joined by spaces.
        key: name of measure and settings in files and links.
        title: of the measure with its settings.
        data: as the user named it.
        label: the data with their languages; of a mean, how many.
        languages: those of the data; of a mean, all.
        layer: hidden layer; None for a mean over several.
        slot: the layer that was asked for, None where each encoder has its own default.
        unit: of the score.
        higher_is_better: direction; None where neither end is better.
        result: the score; `result.score` None where the data allow none, `result.note` says why.
        difference: against the first encoder on the same cell, of controls too; None for that encoder itself and
            where the two cannot be paired.
        p_adjusted: its p value, corrected for all tests of this measure in the table.
        significant: whether that is below 0.05.
        rank: among the encoders on this cell, 1 is best, equal scores share one; None for controls.
        best: not significantly worse than the best encoder on this cell.
        p_languages: of a mean over at least six languages, the Wilcoxon signed-rank test over their differences.
        mean: whether it is a mean over languages.
    """

    encoder: str
    control: str
    measure: str
    settings: str
    key: str
    title: str
    data: str
    label: str
    languages: tuple[str, ...]
    layer: int | None
    slot: int | None
    unit: str
    higher_is_better: bool | None
    result: Result
    difference: Comparison | None = None
    p_adjusted: float | None = None
    significant: bool | None = None
    rank: int | None = None
    best: bool = False
    p_languages: float | None = None
    mean: bool = False

    @property
    def name(self) -> str:
        """The encoder, with the control where it is one: a row of a table."""
        return f"{self.encoder} ({self.control})" if self.control and self.control != "random" else self.encoder

    def as_dict(self) -> dict[str, Any]:
        """Everything but replicates and items, as plain data."""
        own = {name: value for name, value in vars(self).items() if name not in ("result", "difference")}
        compared = None if self.difference is None else asdict(self.difference)
        return own | {"languages": list(self.languages), "difference": compared} | self.result.as_dict()


@dataclass(frozen=True)
class Scores:
    """A finished comparison, or what there is of one.

    Attributes:
        request: what was asked for, `all` written out.
        entries: one a cell, in the order of the request: measure, data, layer, encoder.
        means: the unweighted mean of each encoder, measure and data over languages, where there are several.
        skipped: what could not be computed.
        missing: cells that are not there yet.
    """

    request: Request
    entries: tuple[Entry, ...]
    means: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    missing: int = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """The measures with settings that have an entry, in order."""
        return tuple(dict.fromkeys(entry.key for entry in self.entries))

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders proper that have an entry, in order."""
        return tuple(dict.fromkeys(entry.encoder for entry in self.entries if not entry.control))

    @property
    def summary(self) -> tuple[Entry, ...]:
        """A mean where there is one, else the entry: one line for each encoder, measure, data and layer."""
        averaged = {_group(entry) for entry in self.means}
        single = [entry for entry in self.entries if _group(entry) not in averaged]
        place = {group: n for n, group in enumerate(dict.fromkeys(map(_group, self.entries)))}
        return tuple(sorted([*self.means, *single], key=lambda entry: place[_group(entry)]))

    def layers(self, key: str, languages: Sequence[str] | None = None) -> tuple[Entry, ...]:
        """A measure layer by layer, by encoder and layer.

        Args:
            key: of the measure.
            languages: of one cell; None for the means, or the only cell.

        Raises:
            InputError: no such measure.
        """
        pool = self.summary if languages is None else self.entries
        wanted = [entry for entry in self.of(key, pool) if languages is None or entry.languages == tuple(languages)]
        order = {name: n for n, name in enumerate(dict.fromkeys(entry.name for entry in self.entries))}
        return tuple(sorted(wanted, key=lambda entry: (order[entry.name], -1 if entry.layer is None else entry.layer)))

    def best_layer(self, key: str, encoder: str, languages: Sequence[str] | None = None) -> int | None:
        """The layer with the best score, the lowest of those that tie; None where none is better than another."""
        found = [
            (entry.result.score * (1 if entry.higher_is_better else -1), entry.layer)
            for entry in self.layers(key, languages)
            if entry.encoder == encoder and not entry.control and entry.higher_is_better is not None
            and entry.result.score is not None and entry.layer is not None
        ]  # fmt: skip
        return max(found, key=lambda item: (item[0], -item[1]))[1] if found else None

    def of(self, key: str, pool: Iterable[Entry] | None = None) -> tuple[Entry, ...]:
        """The entries of one measure with settings.

        Raises:
            InputError: no such measure.
        """
        if key not in self.keys:
            raise unknown("measure", key, self.keys)
        return tuple(entry for entry in (self.entries if pool is None else pool) if entry.key == key)

    def mean_rank(self, key: str) -> "Ranking":
        """Mean ranks of the encoders over the languages on which all of them have a score; see `Ranking`.

        Raises:
            InputError: no such measure.
        """
        from analysis.comparison.significance import friedman

        cells: dict[Any, dict[str, int]] = {}
        for entry in self.of(key):
            if entry.rank is not None:
                cells.setdefault((entry.data, entry.label, entry.slot), {})[entry.encoder] = entry.rank
        whole = [cell for cell in cells.values() if set(cell) == set(self.encoders)]
        ranks = np.array([[cell[name] for name in self.encoders] for cell in whole]).reshape(-1, len(self.encoders))
        p, apart = friedman(ranks)
        mean = ranks.mean(axis=0) if len(ranks) else np.full(len(self.encoders), np.nan)
        shown = {name: float(value) for name, value in zip(self.encoders, mean, strict=True) if np.isfinite(value)}
        return Ranking(shown, len(whole), p, apart)


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of encoders over languages.

    Attributes:
        ranks: encoder to mean rank, 1 is best.
        n: languages that were ranked.
        p_value: Friedman test that all encoders rank alike; None for fewer than three encoders or languages.
        apart: mean ranks further apart than this differ (Nemenyi, 5 %); None likewise.
    """

    ranks: dict[str, float] = field(default_factory=dict)
    n: int = 0
    p_value: float | None = None
    apart: float | None = None


@dataclass(frozen=True)
class Agreement:
    """How far two measures put encoders and languages in one order.

    Attributes:
        first, second: keys of the measures.
        rho: Spearman correlation, 1 where better by one is better by the other; None for fewer than four points or
            a measure that does not vary.
        n: points, each an encoder on languages that both have.
    """

    first: str
    second: str
    rho: float | None
    n: int


def correlations(scores: Scores) -> list[Agreement]:
    """For each pair of measures the rank correlation over encoders and languages; means stand in for no cell.

    A measure whose lower scores are better counts upside down, one without a direction as it is.
    """
    from analysis.comparison.significance import spearman

    points: dict[str, dict[Any, float]] = {}
    for entry in scores.entries:
        if not entry.control and entry.result.score is not None:
            sign = -1 if entry.higher_is_better is False else 1
            points.setdefault(entry.key, {})[entry.encoder, entry.data, entry.languages, entry.slot] = (
                sign * entry.result.score
            )
    found = []
    for n, first in enumerate(scores.keys):
        for second in scores.keys[n + 1 :]:
            a, b = points.get(first, {}), points.get(second, {})
            shared = [cell for cell in a if cell in b]
            rho = spearman([a[cell] for cell in shared], [b[cell] for cell in shared]) if len(shared) >= LEAST else None
            found.append(Agreement(first, second, rho, len(shared)))
    return found


def is_symmetric(entry: Entry) -> bool:
    """Whether a score of A and B is one of B and A too: scores of parallel text are, judged pairs are not."""
    from analysis.registry import find
    from analysis.scoring.measure import Need

    return find("measures", entry.measure).needs in (Need.PAIRS, Need.LINKS)


def _group(entry: Entry) -> tuple[Any, ...]:
    """What a mean is taken over."""
    return entry.encoder, entry.control, entry.key, entry.data, entry.slot
