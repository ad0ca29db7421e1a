"""Controls: the same measure on exchanged vectors (floor), on an untrained encoder, on one text twice (ceiling)."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.comparison.request import Control
from analysis.encoders.encoder import Encoder
from analysis.encoders.names import Kind, resolve
from analysis.encoders.vectors import Unit, Vectors
from analysis.neighbours.rows import has_direction
from analysis.scoring.measure import Measure, Need
from analysis.scoring.space import ManySpace, PairSpace, Space
from analysis.scoring.spaces import Coder
from analysis.text.corpus import Bitext, Sentence, digest
from analysis.text.pharaoh import Links

_DEFINED = {
    Control.SHUFFLED: tuple(need for need in Need if need is not Need.TEXT),
    Control.SAME: (Need.PAIRS, Need.LINKS),
}
_SALT = 0x150_61055  # keeps the exchange apart from what measures draw with the same seed


def applies(control: Control | None, measure: Measure) -> bool:
    """Whether a control is defined for a measure.

    Single texts have no floor, judged pairs and many languages no ceiling, and a measure without a better end has
    neither. An untrained encoder is no aligned one, so measures against a base have no random control.
    """
    if control is None:
        return True
    if control is Control.RANDOM:
        return not measure.needs_base
    return measure.needs in _DEFINED[control] and measure.higher_is_better is not None and measure.has_floor


def learned(encoders: Sequence[Encoder]) -> Encoder:
    """The first encoder that has learned something, else the first: whose shape the untrained one takes."""
    return next((one for one in encoders if resolve(one.name).kind is not Kind.RANDOM), encoders[0])


def random_name(encoder: Encoder, load: Callable[[str], Encoder]) -> str:
    """`random:BASE` for the encoder at the bottom of this one."""
    while encoder.base is not None:
        encoder = load(encoder.base)
    return f"random:{encoder.name}"


def shuffled(space: Space, seed: int) -> Space:
    """The space with the vectors of the second side exchanged at random among its units: what chance scores.

    Which unit has which vector is drawn anew; units, links and human scores stay, and so does the distribution of
    the vectors. Vectors of opening and of closing special tokens are exchanged among themselves. With several
    languages the rows of each are exchanged. Units without a vector stay without one.

    Args:
        space: of pairs or of several languages; others are returned as they are.
        seed: of the draw, the same for every layer and for encoders that cut words alike.
    """
    generator = np.random.default_rng([_SALT, seed])
    if isinstance(space, ManySpace):
        return replace(space, vectors={tag: _exchanged(side, generator) for tag, side in space.vectors.items()})
    if not isinstance(space, PairSpace):
        return space
    target = _exchanged(space.target, generator)
    special = space.special
    if special is not None:
        ends = [_exchanged(special[1][end::2], generator) for end in (0, 1)]
        special = (special[0], np.stack(ends, axis=1).reshape(special[1].shape))
    return replace(space, target=target, special=special)


def _exchanged(vectors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The rows that have a direction in another order."""
    at = np.flatnonzero(has_direction(vectors))
    found = np.array(vectors)
    found[at] = vectors[generator.permutation(at)]
    return found


def same_text(bitext: Bitext) -> Bitext:
    """The first language against itself, the second time each sentence retyped: in lower case, with another end mark.

    What is left of a score's distance to its best value is not due to language. Words in one-to-one links of the data
    are linked to themselves, so that a measure asks about the same words as before; links of all other words to
    themselves are possible ones.

    Args:
        bitext: parallel text.
    """
    links = bitext.links and tuple(map(_identity, bitext.links, bitext.source))
    tag = bitext.languages[0]
    return replace(bitext, languages=(tag, tag), target=tuple(map(_retyped, bitext.source)), links=links)


def _retyped(sentence: Sentence) -> Sentence:
    """A sentence in small letters with its end mark exchanged, or with one where it had none; words keep their places."""
    small = "".join(low if len(low := char.lower()) == 1 else char for char in sentence.text)
    ended = small.rstrip()
    if ended and unicodedata.category(ended[-1]).startswith("P"):
        text = f"{ended[:-1]}{'.' if ended[-1] == '!' else '!'}{small[len(ended) :]}"
    else:
        text = f"{small}."
    return replace(sentence, text=text)


def _identity(links: Links, sentence: Sentence) -> Links:
    """Each word linked to itself; sure where the word has a one-to-one link."""
    own = frozenset((i, i) for i, _ in links.one_to_one())
    return Links(own, own | {(i, i) for i in range(len(sentence.spans))})


@dataclass(frozen=True)
class Shared(Coder):
    """Encodes each text of a group of cells once, at all layers that some cell wants.

    Attributes:
        wanted: the layers of each unit.
        kept: what has been encoded.
    """

    wanted: dict[Unit, tuple[int, ...]] = field(default_factory=dict)
    kept: dict[tuple[str, str, Unit], Vectors] = field(default_factory=dict)

    def __call__(self, encoder: Encoder, sentences: Sequence[Sentence], unit: Unit) -> Vectors:
        """The vectors of one text."""
        key = (encoder.name, digest(sentences), unit)
        if key not in self.kept:
            layers = self.wanted.get(unit, self.layers)
            plain = Coder(layers, self.pool, self.cache, self.progress)
            self.kept[key] = plain(encoder, sentences, unit)
        return self.kept[key]
