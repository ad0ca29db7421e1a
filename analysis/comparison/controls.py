"""Controls: the same measure on exchanged vectors (floor), on an untrained encoder, on one text twice (ceiling)."""

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
    Control.SHUFFLED: (Need.PAIRS, Need.LINKS, Need.MANY),
    Control.SAME: (Need.PAIRS, Need.LINKS),
}
_SALT = 0x150_61055  # keeps the exchange apart from what measures draw with the same seed


def applies(control: Control | None, measure: Measure) -> bool:
    """Whether a control is defined for a measure.

    Judged pairs and single texts have neither floor nor ceiling, and neither has a measure without a better end. An
    untrained encoder is no aligned one, so measures against a base have no random control.
    """
    if control is None:
        return True
    if control is Control.RANDOM:
        return not measure.needs_base
    return measure.needs in _DEFINED[control] and measure.higher_is_better is not None


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
    """The first language against itself, the second time each sentence read after the sentence before it.

    The text before changes the vectors but is no candidate: spans are those of the sentence's own words. The first
    sentence follows the last. Words in one-to-one links of the data are linked to themselves, so that a measure asks
    about the same words as before; links of all other words to themselves are possible ones.

    Args:
        bitext: parallel text.
    """
    before = bitext.source[-1:] + bitext.source[:-1]
    target = tuple(_after(one, other) for one, other in zip(bitext.source, before, strict=True))
    links = bitext.links and tuple(map(_identity, bitext.links, bitext.source))
    tag = bitext.languages[0]
    return replace(bitext, languages=(tag, tag), target=target, links=links)


def _after(sentence: Sentence, before: Sentence) -> Sentence:
    """A sentence in the context of another."""
    shift = len(before.text) + 1
    spans = tuple((start + shift, end + shift) for start, end in sentence.spans)
    return replace(sentence, text=f"{before.text} {sentence.text}", spans=spans)


def _identity(links: Links, sentence: Sentence) -> Links:
    """Each word linked to itself; sure where the word has a one-to-one link."""
    own = frozenset((i, i) for i, _ in links.one_to_one())
    return Links(own, own | {(i, i) for i in range(len(sentence.spans))})


@dataclass(frozen=True)
class Shared(Coder):
    """Encodes each text of a group of cells once, at all layers that some cell wants.

    Attributes:
        wanted: the layers of each unit.
        own_words: whether a sentence's vector is the mean of its own words' subwords, as the ceiling needs it.
        kept: what has been encoded.
    """

    wanted: dict[Unit, tuple[int, ...]] = field(default_factory=dict)
    own_words: bool = False
    kept: dict[tuple[str, str, Unit], Vectors] = field(default_factory=dict)

    def __call__(self, encoder: Encoder, sentences: Sequence[Sentence], unit: Unit) -> Vectors:
        """The vectors of one text."""
        if self.own_words and unit is Unit.SENTENCE:
            return mean_of_words(self(encoder, sentences, Unit.SUBWORD), sentences)
        key = (encoder.name, digest(sentences), unit)
        if key not in self.kept:
            layers = self.wanted.get(unit, self.layers)
            plain = Coder(layers, self.pool, self.cache, self.progress)
            self.kept[key] = plain(encoder, sentences, unit)
        return self.kept[key]


def mean_of_words(subwords: Vectors, sentences: Sequence[Sentence]) -> Vectors:
    """Sentence vectors that hold nothing but the sentence's own words.

    Args:
        subwords: vectors of the words' subwords.
        sentences: in the order they were encoded; what stands outside their spans is context.

    Returns:
        (layers, sentences, dim): the mean over the subwords, zeros for a sentence without words. The surface of a
        unit runs from its first word to its last.
    """
    values = np.zeros((len(subwords.layers), len(sentences), subwords.values.shape[2]), dtype=np.float32)
    counts = np.bincount(subwords.units.sentence, minlength=len(sentences))
    for slot in range(len(subwords.layers)):
        np.add.at(values[slot], subwords.units.sentence, subwords.values[slot])
    values /= np.maximum(counts, 1)[None, :, None]
    ends = [(one.spans[0][0], one.spans[-1][1]) if one.spans else (0, 0) for one in sentences]
    start, end = (np.array([pair[n] for pair in ends], dtype=np.int32) for n in (0, 1))
    truncated = np.bincount(subwords.units.sentence, subwords.units.truncated, minlength=len(sentences)) > 0
    units = replace(
        subwords.units, sentence=np.arange(len(sentences), dtype=np.int32), start=start, end=end, truncated=truncated,
        position=np.zeros(len(sentences), dtype=np.int32), language=tuple(one.language for one in sentences),
        text=tuple(one.text[a:b] for one, (a, b) in zip(sentences, ends, strict=True)),
    )  # fmt: skip
    return replace(subwords, values=values, units=units, unit=Unit.SENTENCE)
