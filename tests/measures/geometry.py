"""What tests of geometry measures share: spaces of sentences, rotations, and the same space told in another order."""

from dataclasses import replace

import numpy as np

from analysis.scoring.space import PairSpace
from tests.measures.spaces import bitext, sentence_space


def sentences(x, y):
    """A space of sentence pairs with these (rows, dim) vectors."""
    rows = len(x)
    return sentence_space(bitext([f"s{n}" for n in range(rows)], [f"t{n}" for n in range(rows)]), x, y)


def noisy_sentences(rows=60, dim=6, noise=0.8, seed=0):
    """Sentence pairs, the target's vectors those of the source with noise."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((rows, dim))
    return sentences(x, x + noise * generator.standard_normal((rows, dim)))


def with_vectors(space: PairSpace, source=None, target=None) -> PairSpace:
    """The same units with other vectors."""
    return replace(
        space, source=space.source if source is None else source, target=space.target if target is None else target
    )


def rotation(dim, seed=0):
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]


def reordered(space: PairSpace, seed=0) -> PairSpace:
    """The same space with the tables of units in another order."""
    generator = np.random.default_rng(seed)
    a, b = generator.permutation(len(space.source)), generator.permutation(len(space.target))
    return replace(
        space, source=space.source[a], source_units=space.source_units.take(a),
        target=space.target[b], target_units=space.target_units.take(b),
    )  # fmt: skip


def spread_against_width(compute, make, seeds=40):
    """Width of the intervals (as standard deviations) over the spread of the score on fresh data; near 1 if right."""
    results = [compute(make(seed)) for seed in range(seeds)]
    spread = np.std([result.score for result in results])
    return np.mean([(result.high - result.low) / (2 * 1.96) for result in results]) / spread
