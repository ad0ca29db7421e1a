"""Which pairs make up which step: shuffled, of similar length, within a token budget, languages mixed by a rule."""

from collections.abc import Callable, Iterator

import numpy as np

from analysis.training.examples import Examples
from analysis.training.settings import TrainSettings, share

POOL = 1024  # pairs among which lengths are sorted: large enough to pad little, small enough to keep steps mixed


def epoch_batches(examples: Examples, settings: TrainSettings, *, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch.

    Each language contributes its share of as many pairs as there are in all: its pairs to the power `mixing`,
    drawn as whole permutations, so that no pair comes twice before all came once.

    Args:
        examples: all pairs.
        settings: `mixing` and `batch_tokens`.
        seed: with the epoch's number it decides the order, so an epoch can be made again on resume.
        epoch: counted from 0.

    Returns:
        For each step the indices of its pairs. A pair longer than the budget makes a batch of its own.
    """
    rng = np.random.default_rng([seed, epoch, 7])
    drawn = np.concatenate(list(_drawn(examples, settings.mixing, rng)))
    rng.shuffle(drawn)
    sizes = examples.sizes()
    batches = []
    for start in range(0, len(drawn), POOL):
        pool = drawn[start : start + POOL]
        batches += _filled(pool[np.argsort(sizes[pool], kind="stable")], sizes, settings.batch_tokens)
    order = rng.permutation(len(batches))
    return [batches[n] for n in order]


def _drawn(examples: Examples, mixing: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The pairs of each language for one epoch."""
    languages = np.array(examples.language)
    tags = sorted(set(examples.language))
    rows = [np.flatnonzero(languages == tag) for tag in tags]
    for mine, part in zip(rows, share((len(one) for one in rows), mixing), strict=True):
        wanted = max(1, round(part * len(examples)))
        whole = [rng.permutation(mine) for _ in range(-(-wanted // len(mine)))]
        yield np.concatenate(whole)[:wanted]


def _filled(rows: np.ndarray, sizes: np.ndarray, budget: int) -> list[np.ndarray]:
    """Rows in order of size cut into batches whose padded size keeps within the budget."""
    batches, start = [], 0
    for stop in range(1, len(rows) + 1):
        full = stop == len(rows) or sizes[rows[stop]] * (stop + 1 - start) > budget
        if full:
            batches.append(rows[start:stop])
            start = stop
    return batches


class Plan:
    """Every step of a run, made epoch by epoch and known in advance.

    Args:
        examples: all pairs.
        settings: `epochs`, `max_steps`, `mixing`, `batch_tokens`.
        seed: of the order.
        batches: makes the batches of an epoch; an objective may have its own way.
    """

    def __init__(
        self, examples: Examples, settings: TrainSettings, *, seed: int,
        batches: Callable[..., list[np.ndarray]] = epoch_batches,
    ) -> None:  # fmt: skip
        self.examples, self.settings, self.seed, self._batches = examples, settings, seed, batches
        self._counts = self._count()
        self.steps = sum(self._counts)

    def _count(self) -> list[int]:
        """Steps of each epoch."""
        counts: list[int] = []
        left, limit = self.settings.epochs, self.settings.max_steps or None
        while left > 1e-9 and (limit is None or sum(counts) < limit):
            size = len(self._epoch(len(counts)))
            counts.append(max(1, round(size * min(1.0, left))))
            left -= 1
        if limit is not None:
            counts = [min(n, max(0, limit - sum(counts[:at]))) for at, n in enumerate(counts)]
        return [n for n in counts if n]

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        """The batches of one epoch."""
        return self._batches(self.examples, self.settings, seed=self.seed, epoch=epoch)

    def after(self, step: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """(step, epoch, rows) of every step that comes after `step` finished ones; steps count from 1."""
        done = 0
        for epoch, count in enumerate(self._counts):
            if done + count > step:
                for at, rows in enumerate(self._epoch(epoch)[:count]):
                    if done + at >= step:
                        yield done + at + 1, epoch, rows
            done += count

    def used(self) -> np.ndarray:
        """The pairs that some step reads, ascending."""
        found = [rows for _, _, rows in self.after(0)]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
