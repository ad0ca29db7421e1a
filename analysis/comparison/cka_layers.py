"""CKA of every layer with every layer: of translations in two languages, or of the same words in two encoders."""

from dataclasses import dataclass

import numpy as np

from analysis.encoders.vectors import Unit, Vectors
from analysis.errors import InputError
from analysis.measures._parts.hsic import MINIMUM, Estimator, cka_matrix
from analysis.neighbours.rows import has_direction
from analysis.scoring.measure import pair_space
from analysis.scoring.pairs import Pairs, linked_words, paired_sentences
from analysis.text.corpus import Bitext

MAX_ITEMS = 1000


@dataclass(frozen=True)
class CkaMap:
    """CKA of the layers of one side with those of another, over the same items.

    Attributes:
        values: (layers_x, layers_y) CKA, NaN where it is not defined.
        floor: the same with the items of one side shuffled: what this n gives to unrelated vectors.
        layers_x, layers_y: which layers they are.
        n: number of items compared.
        of: number of items there were before sampling.
        items: what they are ("linked words").
        estimator: `debiased` or `plain`.
    """

    values: np.ndarray
    floor: np.ndarray
    layers_x: tuple[int, ...]
    layers_y: tuple[int, ...]
    n: int
    of: int
    items: str
    estimator: Estimator

    @property
    def floor_mean(self) -> float:
        """Mean of the shuffled floor over all cells, NaN where there is none."""
        return float(np.nanmean(self.floor)) if np.isfinite(self.floor).any() else float("nan")

    @property
    def note(self) -> str:
        """What the reader must know: too few items, or a sample; "" otherwise."""
        if self.n < MINIMUM:
            return f"CKA needs at least {MINIMUM} {self.items}, there are {self.n}"
        return f"a sample of {self.n:,} of {self.of:,} {self.items}" if self.n < self.of else ""


def cka_of_languages(
    source: Vectors, target: Vectors, bitext: Bitext, *, estimator: Estimator | str = Estimator.DEBIASED,
    max_items: int = MAX_ITEMS, shuffles: int = 1, seed: int = 0,
) -> CkaMap:  # fmt: skip
    """How alike the geometry of translations is in two languages, each layer of one with each of the other.

    Args:
        source: word or sentence vectors of `bitext.source` at some layers.
        target: vectors of `bitext.target` of the same unit and encoder.
        bitext: the sentence pairs; words are paired by their one-to-one links.
        estimator: `debiased` or `plain`.
        max_items: more pairs than this are sampled.
        shuffles: random pairings behind the floor.
        seed: seed of the sample and the shuffles.

    Raises:
        InputError: word vectors without links.

    Source: Kornblith et al. 2019, Similarity of neural network representations revisited, section 3.
    """
    space = pair_space(source, target, layer=source.layers[0], bitext=bitext)
    pairs: Pairs = linked_words(space) if space.unit is Unit.WORD else paired_sentences(space)
    items = "linked words" if space.unit is Unit.WORD else "sentence pairs"
    return _map(source, target, pairs.source, pairs.target, items, Estimator(estimator), max_items, shuffles, seed)


def cka_of_encoders(
    a: Vectors, b: Vectors, *, estimator: Estimator | str = Estimator.DEBIASED,
    max_items: int = MAX_ITEMS, shuffles: int = 1, seed: int = 0,
) -> CkaMap:  # fmt: skip
    """How alike the geometry of the same words is in two encoders (or in one, layer by layer).

    Args:
        a: vectors of some units at some layers.
        b: vectors of the same units; depth and width may differ.
        estimator: `debiased` or `plain`.
        max_items: more units than this are sampled.
        shuffles: random pairings behind the floor.
        seed: seed of the sample and the shuffles.

    Raises:
        InputError: the units differ.
    """
    if len(a.units) != len(b.units) or a.units.text != b.units.text:
        counts = f"{len(a.units)} and {len(b.units)} {a.unit}s"
        raise InputError(f"CKA compares the same units, got {counts} of different text; encode one text with both")
    every = np.arange(len(a.units))
    return _map(a, b, every, every, f"{a.unit}s", Estimator(estimator), max_items, shuffles, seed)


def _map(
    x: Vectors, y: Vectors, at_x: np.ndarray, at_y: np.ndarray, items: str,
    estimator: Estimator, max_items: int, shuffles: int, seed: int,
) -> CkaMap:  # fmt: skip
    """CKA over the items at these indices, those without a vector left out, a sample where there are many."""
    usable = has_direction(x.values[-1][at_x]) & has_direction(y.values[-1][at_y])
    at_x, at_y = at_x[usable], at_y[usable]
    generator = np.random.default_rng(seed)
    of = len(at_x)
    if of > max_items:
        chosen = np.sort(generator.choice(of, max_items, replace=False))
        at_x, at_y = at_x[chosen], at_y[chosen]
    n = len(at_x)
    shape = len(x.layers), len(y.layers)
    if n < MINIMUM:
        nothing = np.full(shape, np.nan)
        return CkaMap(nothing, nothing, x.layers, y.layers, n, of, items, estimator)
    left, right = [layer[at_x] for layer in x.values], [layer[at_y] for layer in y.values]
    values = cka_matrix(left, right, estimator=estimator)
    floors = []
    for _ in range(shuffles):
        order = generator.permutation(n)
        floors.append(cka_matrix(left, [layer[order] for layer in right], estimator=estimator))
    floor = np.mean(floors, axis=0) if floors else np.full(shape, np.nan)
    return CkaMap(values, floor, x.layers, y.layers, n, of, items, estimator)
