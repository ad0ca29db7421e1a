"""From the indices of a batch to what an objective sees."""

from collections.abc import Sequence

import numpy as np

from analysis.training.examples import Examples, Side
from analysis.training.frozen import Frozen
from analysis.training.objective import Objective, Step
from analysis.training.pooling import pool_sentences, pool_words, word_sentences
from analysis.training.trainee import Trainee


def make_step(
    trainee: Trainee, examples: Examples, rows: Sequence[int] | np.ndarray, objective: Objective,
    frozen: Frozen | None = None, *, number: int = 1, steps: int = 1, seed: int = 0,
) -> Step:  # fmt: skip
    """A batch as an objective sees it, with the vectors of both sides where it reads them.

    Args:
        trainee: the network that trains.
        examples: all pairs.
        rows: the pairs of this batch.
        objective: says what it reads.
        frozen: the base's vectors of the anchor's side, where the objective reads them.
        number: of the step, counted from 1.
        steps: of the whole run.
        seed: with the number it decides the step's random numbers.
    """
    import torch

    layers = objective.layers if objective.reads_words else ()
    source, target = ([side[row] for row in rows] for side in (examples.source, examples.target))
    states: list[dict[int, torch.Tensor]] = [{}, {}]
    if layers:
        states = [trainee.states([side.ids for side in sides], layers) for sides in (source, target)]
    tensor = lambda array: torch.from_numpy(np.ascontiguousarray(array)).to(trainee.accelerator.device)  # noqa: E731
    keys = [np.concatenate([side.keys for side in sides]) for sides in (source, target)]
    return Step(
        batch=(source, target), links=[examples.links[row] for row in rows],
        given=[examples.given[row] for row in rows] if examples.given else (),
        languages=[examples.language[row] for row in rows], rows=np.asarray(rows), number=number, steps=steps,
        rng=np.random.default_rng([seed, number, 11]), states=trainee.states,
        source={layer: pool_words(states[0][layer], source) for layer in layers},
        target={layer: pool_words(states[1][layer], target) for layer in layers},
        pairs=tensor(batch_links(examples, rows, source, target)),
        source_keys=tensor(keys[0]), target_keys=tensor(keys[1]),
        source_rows=tensor(word_sentences(source)), target_rows=tensor(word_sentences(target)),
        source_sentences={layer: pool_sentences(states[0][layer], source) for layer in layers},
        target_sentences={layer: pool_sentences(states[1][layer], target) for layer in layers},
        frozen={layer: tensor(frozen.batch_words(layer, rows)) for layer in objective.layers} if frozen else {},
        frozen_sentences={layer: tensor(frozen.batch_sentences(layer, rows)) for layer in objective.layers}
        if frozen else {},
        distance=trainee.distance,
    )  # fmt: skip


def batch_links(
    examples: Examples, rows: Sequence[int] | np.ndarray, source: Sequence[Side], target: Sequence[Side]
) -> np.ndarray:  # fmt: skip
    """(links, 2) linked words of a batch, counted over the whole batch."""
    left, right = (np.cumsum([0, *(side.words for side in sides)]) for sides in (source, target))
    parts = [examples.links[row] + [left[n], right[n]] for n, row in enumerate(rows)]
    return np.concatenate(parts).astype(np.int64) if parts else np.empty((0, 2), np.int64)
