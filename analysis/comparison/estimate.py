"""What a comparison will cost, before its first cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis import store
from analysis.comparison.cells import has
from analysis.comparison.controls import same_text
from analysis.comparison.plan import Cell, Plan
from analysis.comparison.request import Control
from analysis.comparison.run import Group, groups
from analysis.comparison.speed import BYTES_A_TOKEN, Speed, calibrate, known_speed, measure_seconds, utf8_bytes
from analysis.encoders.encoder import Encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.errors import IsoglossError
from analysis.scoring.measure import Material, Need
from analysis.text.corpus import Bitext, Sentence, digest
from analysis.text.multitext import Multitext

OPERATIONS_A_SECOND = 1e10  # of a forward pass, where an encoder has not been timed
SAMPLE = 60  # sentences over all texts that an encoder is timed on
Texts = dict[tuple[str, str, Unit], tuple[Encoder, Sequence[Sentence], tuple[int, ...]]]


@dataclass(frozen=True)
class Estimate:
    """What a comparison will cost.

    Attributes:
        cells: all of them.
        cached: how many are there already.
        tokens: still to be read by encoders.
        seconds: of this machine as it is now.
        note: what the seconds rest on.
    """

    cells: int
    cached: int
    tokens: int
    seconds: float
    note: str

    def __str__(self) -> str:
        """`24 cells, 3 in the cache; about 12,000 tokens to encode, about 2 minutes`."""
        if self.cells == self.cached:
            return f"{self.cells:,} cells, all in the cache"
        time = f"{max(1, self.seconds):.0f} s" if self.seconds < 90 else f"{self.seconds / 60:.0f} minutes"
        cached = f", {self.cached:,} in the cache" if self.cached else ""
        return f"{self.cells:,} cells{cached}; about {self.tokens:,} tokens to encode, about {time} ({self.note})"


def estimate(plan: Plan, *, calibrated: bool = True) -> Estimate:
    """Reckon what is not in the caches yet.

    Args:
        plan: the comparison.
        calibrated: whether an encoder that was never timed here is loaded and timed on a few hundred tokens;
            else a rough guess stands in.
    """
    todo = [cell for cell in plan.cells if not has(cell)]
    seconds, tokens = 0.0, 0
    texts: Texts = {}
    for group in groups(plan):
        cells = [cell for cell in group.cells if not has(cell)]
        if not cells:
            continue
        try:
            encoder = plan.load(group.encoder)
            texts |= _missing(encoder, group, cells, plan)
        except IsoglossError:
            continue  # said when it is run
        seconds += sum(_measuring(cell, encoder) for cell in cells)
    speeds: dict[str, Speed] = {}
    for encoder, sentences, layers in texts.values():
        bottom = _bottom(encoder, plan)
        if bottom.name not in speeds:
            read = [entry[1] for entry in texts.values() if _bottom(entry[0], plan).name == bottom.name]
            speeds[bottom.name] = _speed(bottom, read, calibrated)
            seconds += speeds[bottom.name].load
        speed = speeds[bottom.name]
        count = int(utf8_bytes(sentences) * speed.tokens)
        tokens += count
        seconds += count * speed.seconds * max(1, max(layers)) / bottom.depth
    guessed = [name for name, speed in speeds.items() if speed.rough]
    note = f"a guess: {', '.join(guessed)} has not been timed here" if guessed else "timed on this machine"
    return Estimate(len(plan.cells), len(plan.cells) - len(todo), tokens, seconds, note)


def _missing(encoder: Encoder, group: Group, cells: Sequence[Cell], plan: Plan) -> Texts:
    """The texts of a group whose vectors are not in the cache, with the layers that are wanted."""
    found: Texts = {}
    for cell in cells:
        readers = [encoder] + ([plan.load(encoder.base)] if cell.measure.needs_base and encoder.base else [])
        for unit in group.units(cell):
            for sides in _sides(cell):
                sentences = tuple(dict.fromkeys(sides)) if cell.measure.needs is Need.QUESTIONS else sides
                for reader in readers:
                    origin, layers = reader.origin, reader.check_layers(group.layers[unit])
                    name = (origin.name, digest(sentences), unit)
                    if name not in found and not store.has(origin.key(sentences, unit, Pool(cell.pool), layers)):
                        found[name] = (origin, sentences, layers)
    return found


def _sides(cell: Cell) -> Iterator[Sequence[Sentence]]:
    """The texts of a cell."""
    material: Material = cell.material
    if isinstance(material, Bitext):
        yield material.source
        yield same_text(material).target if cell.control is Control.SAME else material.target
    elif isinstance(material, Multitext):
        yield from material.sentences.values()
    else:
        yield material.sentences


def _measuring(cell: Cell, encoder: Encoder) -> float:
    """Seconds of the measure itself."""
    return measure_seconds(str(cell.asked), *cell.sizes, encoder.dim)


def _bottom(encoder: Encoder, plan: Plan) -> Encoder:
    """The encoder whose speed this one has: an aligned or random one is as fast as its base."""
    while encoder.base is not None:
        encoder = plan.load(encoder.base)
    return encoder


def _speed(encoder: Encoder, texts: Sequence[Sequence[Sentence]], calibrated: bool) -> Speed:
    """The speed of an encoder, timed where nobody has yet."""
    known = known_speed(encoder)
    if known is not None:
        return known
    rough = Speed(24 * encoder.depth * encoder.dim**2 / OPERATIONS_A_SECOND, 1 / BYTES_A_TOKEN, 3.0, rough=True)
    if not calibrated:
        return rough
    each = max(1, SAMPLE // len(texts))
    sample = [one for text in texts for one in text[:: max(1, len(text) // each)][:each]]
    try:
        return calibrate(encoder, sample)
    except IsoglossError:
        return rough
