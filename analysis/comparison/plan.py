"""From a request to the cells of its table, before anything is encoded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.comparison.controls import applies, learned, random_name
from analysis.comparison.reading import Library, Read, marks_of
from analysis.comparison.request import ALL, DEFAULT, Asked, Control, Request, checked, expanded
from analysis.comparison.scores import Skipped
from analysis.encoders.encoder import Encoder
from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Unit
from analysis.errors import InputError, IsoglossError
from analysis.registry import find
from analysis.scoring.evaluate import choose_settings, default_layer
from analysis.scoring.materials import label, languages_of
from analysis.scoring.measure import Material, Measure
from analysis.text.corpus import Bitext
from analysis.text.multitext import Multitext
from analysis.text.problems import Problems

Load = Callable[[str], Encoder]


@dataclass(frozen=True, eq=False)
class Cell:
    """One score to compute: an encoder at a layer, a measure, data in some languages.

    Attributes:
        encoder: its name.
        control: what it is held against, None for a score proper.
        asked: the measure with its settings.
        material: what the measure looks at.
        data: as the user named it.
        label: data and languages, as tables show them.
        languages: those of the material.
        layer: hidden layer.
        slot: the layer that was asked for, None where each encoder has its own default.
        options: the settings, gaps filled by the encoder's own choice.
        revision: of the encoder.
        pool, seed: as in the request.
        note: what was sampled, or "".
        marks: hash of what is noted on the material's words.
    """

    encoder: str
    control: Control | None
    asked: Asked
    material: Material = field(repr=False)
    data: str
    label: str
    languages: tuple[str, ...]
    layer: int
    slot: int | None = None
    options: Any = None
    revision: str = ""
    pool: str = "mean"
    seed: int = 0
    note: str = ""
    marks: str = ""

    @property
    def measure(self) -> Measure:
        """The registered measure."""
        return find("measures", self.asked.measure)

    @property
    def unit(self) -> Unit:
        """The unit the measure looks at."""
        return self.measure.unit_for(self.material, self.options)

    @property
    def sizes(self) -> tuple[int, int]:
        """How many units are compared with how many; subwords count as their words."""
        material = self.material
        if isinstance(material, Multitext):
            every = len(material) * len(material.languages)
            return every, every
        left, right = (material.source, material.target) if isinstance(material, Bitext) else (material.sentences,) * 2
        if self.unit is Unit.SENTENCE:
            return len(left), len(right)
        return sum(len(one.spans) for one in left), sum(len(one.spans) for one in right)


@dataclass(frozen=True)
class Plan:
    """What is to be computed.

    Attributes:
        request: `all` written out.
        cells: in the order of the table: measure, data, languages, layer, then encoders and controls.
        skipped: what cannot be computed, and why.
        load: gives an encoder by its name.
    """

    request: Request
    cells: tuple[Cell, ...]
    skipped: tuple[Skipped, ...] = ()
    load: Load = load_encoder


@dataclass(frozen=True)
class Row:
    """An encoder of the table, or one of its controls.

    Attributes:
        encoder: loaded, its weights not.
        control: None for a score proper.
        like: whose settings and layers it takes.
    """

    encoder: Encoder
    control: Control | None
    like: Encoder


def plan(request: Request, *, problems: Problems | None = None, load: Load = load_encoder) -> Plan:
    """The cells of a comparison.

    Args:
        request: what is to be compared.
        problems: takes a note of bad rows.
        load: gives an encoder by its name.

    Returns:
        Every cell that can be computed; what cannot be is skipped with a reason.

    Raises:
        InputError: an unknown measure or setting, or nothing can be computed.
    """
    request = checked(request)
    rows, skipped = _rows(request, load)
    library = Library(request, Problems() if problems is None else problems)
    asked = tuple(dict.fromkeys((one, whole.measure == ALL) for whole in request.measures for one in expanded(whole)))
    named = {one for one, guessed in asked if not guessed}
    cells: list[Cell] = []
    hushed: list[Skipped] = []
    for one, guessed in asked:
        if guessed and one in named:
            continue  # named besides `all`: comes once
        measure = find("measures", one.measure)
        for number, data in enumerate(request.data):
            read = library.read(measure, number)
            lacks = [*(read.reasons if read.materials or not guessed else ()), *(() if guessed else read.misfits)]
            skipped += [Skipped(reason, str(one), data) for reason in lacks]
            hushed += [Skipped(reason, data=data) for reason in (*read.reasons, *read.misfits)]
            cells += _cells(request, one, read, data, rows, skipped)
    # Of all measures those that do not fit are no news, data that fit none of them are.
    used = {cell.data for cell in cells} | {one.data for one in skipped}
    skipped += [next(one for one in hushed if one.data == data) for data in request.data if data not in used]
    if not cells:
        raise InputError(nothing([*skipped, *hushed]))
    there = {cell.asked for cell in cells}
    measures = tuple(one for one, guessed in asked if one in there or not guessed)
    request = replace(request, measures=tuple(dict.fromkeys(measures)))
    return Plan(request, tuple(cells), tuple(dict.fromkeys(skipped)), load)


def nothing(skipped: Sequence[Skipped]) -> str:
    """Why there is nothing at all, in one line."""
    reasons = list(dict.fromkeys(one.reason for one in skipped))
    more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
    return (reasons[0] if reasons else "nothing to compute") + more


def _rows(request: Request, load: Load) -> tuple[list[Row], list[Skipped]]:
    """The encoders that can be loaded, each followed by its controls, and the random one at the end.

    Raises:
        InputError: none can be loaded.
    """
    skipped, found = [], []
    for name in request.encoders:
        try:
            found.append(load(name))
        except IsoglossError as error:
            skipped.append(Skipped(str(error), encoder=name))
    if not found:
        raise InputError(nothing(skipped))
    rows = [Row(one, None, one) for one in found]
    for control in request.controls:
        if control is not Control.RANDOM:
            rows += [Row(one, control, one) for one in found]
            continue
        name = random_name(learned(found), load)
        if name in request.encoders:
            continue  # it has a row of its own
        try:
            rows.append(Row(load(name), control, learned(found)))
        except IsoglossError as error:
            skipped.append(Skipped(str(error), encoder=name))
    return rows, skipped


def _cells(
    request: Request, asked: Asked, read: Read, data: str, rows: Sequence[Row], skipped: list[Skipped]
) -> Iterator[Cell]:
    """The cells of one measure on one data."""
    measure = find("measures", asked.measure)
    for material, note in zip(read.materials, read.notes, strict=True):
        marks = marks_of(material)
        for slot in _slots(request, rows):
            for row in rows:
                beyond = request.layers == ALL and slot is not None and slot > row.encoder.depth
                if beyond or not applies(row.control, measure):
                    continue
                try:
                    yield replace(_cell(request, asked, material, data, row, slot), note=note, marks=marks)
                except InputError as error:
                    if row.control is None:  # what holds for an encoder holds for its controls
                        skipped.append(Skipped(str(error), str(asked), data, row.encoder.name))


def _slots(request: Request, rows: Sequence[Row]) -> Sequence[int | None]:
    """The layers asked for, None for each encoder's own; all that some encoder has where all are."""
    if request.layers == DEFAULT:
        return [None]
    return range(1 + max(row.encoder.depth for row in rows)) if isinstance(request.layers, str) else request.layers


def _cell(request: Request, asked: Asked, material: Material, data: str, row: Row, slot: int | None) -> Cell:
    """One cell.

    Raises:
        InputError: a layer the encoder does not have, or a measure that needs a base or a masked-LM head without one.
    """
    from analysis.scoring.masked_lm import headed_folder

    measure = find("measures", asked.measure)
    layer = default_layer(measure, row.like) if slot is None else slot
    row.encoder.check_layers([layer])
    if measure.needs_base and row.encoder.base is None:
        raise InputError("compares an aligned encoder with its base; this one has none")
    if measure.needs_head:
        headed_folder(row.encoder)
    return Cell(
        row.encoder.name, row.control, asked, material, data, label(material), languages_of(material), layer, slot,
        choose_settings(measure, row.like, asked.settings), row.encoder.revision, str(request.pool), request.seed,
    )  # fmt: skip
