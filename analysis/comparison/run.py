"""Compute the cells of a plan, each text encoded once; what is finished is kept, so that a second run goes on."""

import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analysis.comparison.assemble import assemble
from analysis.comparison.cells import fetch, keep, trim
from analysis.comparison.controls import Shared, same_text, shuffled
from analysis.comparison.plan import Cell, Plan, nothing
from analysis.comparison.request import Control
from analysis.comparison.scores import Scores, Skipped
from analysis.comparison.speed import note
from analysis.comparison.tables import column_of
from analysis.encoders.encoder import Encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.errors import InputError, IsoglossError
from analysis.records import Result
from analysis.scoring.spaces import base_of, make_spaces

Tick = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Group:
    """Cells that share an encoder and a text.

    Attributes:
        encoder: its name.
        cells: in the order of the table.
        layers: for each unit all layers that some cell wants, whether it is in the cache or not: the layers decide
            under which name vectors are stored.
    """

    encoder: str
    cells: tuple[Cell, ...]
    layers: dict[Unit, tuple[int, ...]]

    @staticmethod
    def units(cell: Cell) -> tuple[Unit, ...]:
        """The units a cell has encoded."""
        return (cell.unit, Unit.SPECIAL) if getattr(cell.options, "special_tokens", False) else (cell.unit,)


def groups(plan: Plan) -> list[Group]:
    """The cells by encoder, then by text, each in the order of the table."""
    order: dict[str, dict[str, list[Cell]]] = {}
    for cell in plan.cells:
        text = f"{cell.material.digest} {cell.material.name} {cell.data}"
        order.setdefault(cell.encoder, {}).setdefault(text, []).append(cell)
    found = []
    for encoder, texts in order.items():
        for cells in texts.values():
            layers: dict[Unit, set[int]] = {}
            for cell in cells:
                for unit in Group.units(cell):
                    layers.setdefault(unit, set()).add(cell.layer)
            found.append(Group(encoder, tuple(cells), {unit: tuple(sorted(own)) for unit, own in layers.items()}))
    return found


def run(plan: Plan, *, progress: Tick | None = None, say: Callable[[str], None] | None = None) -> Scores:
    """Compute what is not there yet, cell by cell.

    Args:
        plan: the comparison.
        progress: called with the number of cells done and to do and what is being done.
        say: told of each cell or encoder that fails.

    Returns:
        The comparison; a cell that fails is skipped with its reason and the rest goes on.

    Raises:
        InputError: no cell at all could be computed.
        IsoglossError: the disk is full.
    """
    work = _Work(plan, progress or (lambda *_: None), say or (lambda _: None))
    for group in groups(plan):
        work.do(group)
    trim()
    found = [(cell, work.results[id(cell)]) for cell in plan.cells if id(cell) in work.results]
    if not found:
        raise InputError(nothing([*work.skipped, *plan.skipped]))
    return assemble(plan.request, found, [*plan.skipped, *work.skipped])


def collect(plan: Plan) -> Scores:
    """What is in the cache of a comparison, while it runs or after it was stopped; `missing` counts the rest."""
    found = [(cell, result) for cell in plan.cells if (result := fetch(cell)) is not None]
    return assemble(plan.request, found, plan.skipped, missing=len(plan.cells) - len(found))


class _Work:
    """The cells of a plan on their way.

    Args:
        plan: the comparison.
        tick: told of progress.
        say: told of what fails.
    """

    def __init__(self, plan: Plan, tick: Tick, say: Callable[[str], None]) -> None:
        self.plan, self.tick, self.say = plan, tick, say
        self.results: dict[int, Result] = {}
        self.skipped: list[Skipped] = []
        self.encoder: Encoder | None = None
        self.broken: set[str] = set()
        self.done = 0

    def do(self, group: Group) -> None:
        """Fetch or compute the cells of a group."""
        todo = []
        for cell in group.cells:
            result = fetch(cell)
            if result is None:
                todo.append(cell)
            else:
                self._finished(cell, result)
        blocks: dict[tuple, list[Cell]] = {}
        for cell in todo:
            blocks.setdefault((cell.asked, cell.control), []).append(cell)
        code = self._coder(group)
        for cells in blocks.values():
            if group.encoder in self.broken:
                self._skip(cells, None)
                continue
            try:
                self._compute(cells, code)
            except Exception as error:  # one cell's failure, whatever it is, does not cost the others
                if os.environ.get("ISOGLOSS_DEBUG") == "1" and not isinstance(error, IsoglossError):
                    raise
                self._failed(cells, error)

    def _coder(self, group: Group) -> Shared:
        """Encodes for one group, and says how far it is."""
        cell = group.cells[0]

        def encoding(done: int, total: int) -> None:
            """Say how much of a text is read."""
            share = 100 * done // max(1, total)
            self.tick(self.done, len(self.plan.cells), f"{group.encoder} reads {cell.label}: {share} %")

        return Shared((), Pool(cell.pool), progress=encoding, wanted=group.layers)

    def _compute(self, cells: Sequence[Cell], code: Shared) -> None:
        """Cells that differ in nothing but their layer."""
        first, encoder = cells[0], self._load(cells[0].encoder)
        self.tick(self.done, len(self.plan.cells), f"{first.asked} of {first.encoder} on {first.label}")
        material = first.material
        if first.control is Control.SAME:
            material = same_text(material)  # type: ignore[arg-type]
        base = base_of(encoder, self.plan.load) if first.measure.needs_base else None
        wanted = {cell.layer: cell for cell in cells}
        for space in make_spaces(first.measure, first.options, encoder, material, code, base=base):
            cell = wanted.get(space.provenance["layer"])
            if cell is None or id(cell) in self.results:
                continue
            begun = time.perf_counter()
            if cell.control is Control.SHUFFLED:
                space = shuffled(space, cell.seed)
            result = cell.measure.compute(space, cell.options, seed=cell.seed)
            note("measures", str(cell.asked), [time.perf_counter() - begun, cell.sizes[0] * cell.sizes[1]])
            self._finished(cell, keep(cell, _marked(cell, result)))

    def _load(self, name: str) -> Encoder:
        """The encoder; the one before it is let go, for weights are large."""
        if self.encoder is None or self.encoder.name != name:
            self.encoder = None
            gc.collect()
            self.encoder = self.plan.load(name)
        return self.encoder

    def _finished(self, cell: Cell, result: Result) -> None:
        """Count a cell."""
        self.results[id(cell)] = result
        self.done += 1
        self.tick(self.done, len(self.plan.cells), f"{cell.asked} of {cell.encoder} on {cell.label}")

    def _failed(self, cells: Sequence[Cell], error: Exception) -> None:
        """Skip cells, and all of their encoder where that cannot be loaded.

        Raises:
            IsoglossError: a failure of the machine, not of a cell.
        """
        try:
            if self.encoder is None:
                raise error
            _ = self.encoder.model
        except Exception as unusable:  # told by `_skip`
            self.broken.add(cells[0].encoder)
            self._skip(cells, unusable)
            return
        if isinstance(error, IsoglossError) and not isinstance(error, InputError):
            raise error
        self._skip(cells, error)

    def _skip(self, cells: Sequence[Cell], error: Exception | None) -> None:
        """Note why cells are left out; None where the encoder's failure has been told."""
        self.done += sum(id(cell) not in self.results for cell in cells)
        self.tick(self.done, len(self.plan.cells), f"{cells[0].asked} of {cells[0].encoder} on {cells[0].label}")
        if error is None:
            return
        first = cells[0]
        whole = first.encoder in self.broken
        line = Skipped(_reason(error), "" if whole else str(first.asked), "" if whole else first.label, first.encoder)
        for n, one in enumerate(self.skipped):
            if replace(one, data=line.data) == line:  # the same in another language: one line for all of them
                own = column_of(first.languages) if one.data.startswith(first.data) else first.label
                self.skipped[n] = replace(one, data=f"{one.data}, {own}")
                return
        self.skipped.append(line)
        self.say(f"skipped {line}")


def _marked(cell: Cell, result: Result) -> Result:
    """The result with its control and its sample on it; a ceiling counts as one on the data it was made from."""
    origin = dict(result.provenance)
    if cell.control is not None:
        origin |= {"control": str(cell.control)}
    if cell.control is Control.SAME:
        origin |= {"data_sha256": cell.material.digest, "control_sha256": origin.get("data_sha256")}
    note = "; ".join(filter(None, (result.note, cell.note)))
    return replace(result, provenance=origin, note=note)


def _reason(error: Exception) -> str:
    """A failure in one line."""
    if isinstance(error, MemoryError):
        return "out of memory; use fewer layers, or a sample by --max-rows"
    told = str(error) if isinstance(error, IsoglossError) else f"unexpected {type(error).__name__}: {error}"
    return " ".join(told.split())
