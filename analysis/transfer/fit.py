"""The training loop of a task: draw, change, encode, lose, step; checkpoints, and the same result when resumed."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.errors import InputError, IsoglossError
from analysis.jobs.fresh import begin_again
from analysis.jobs.job import Job
from analysis.records import fingerprint
from analysis.training import checkpoint
from analysis.training.fit import torch_seed
from analysis.training.loop import schedule
from analysis.transfer.heads import make_head
from analysis.transfer.item import Dataset, Item
from analysis.transfer.network import TaskNetwork
from analysis.transfer.regime import Extras, Regime, Step, Strategy, Work, check_kind
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch

CHECKPOINT_SECONDS = 20.0
METRICS = 300  # most loss lines of a run
POOL = 32  # batches among which lengths are sorted: large enough to pad little, small enough to keep steps mixed


def fine_tune(
    encoder: Encoder, task: Task, train: Dataset, regime: Regime, settings: Any, *, extras: Extras | None = None,
    seed: int = 0, job: Job,
) -> tuple[TaskNetwork, int]:  # fmt: skip
    """Learn a task.

    Args:
        encoder: the base; it is not changed.
        task: what is learned.
        train: labelled items of the source language.
        regime: how it is learned.
        settings: of the regime.
        extras: what the regime uses beside the items.
        seed: of everything random.
        job: keeps progress, metrics and checkpoints; a run with the newest checkpoint goes on from there.

    Returns:
        The network with its last weights, and the number of steps.

    Raises:
        InputError: a task, data or settings that the regime or the encoder cannot follow.
        IsoglossError: the loss is not finite.
    """
    check_kind(regime, task)
    if not len(train):
        raise InputError(f"{train.name} has no labelled row to learn from; give training data")
    settings = resolved(settings, task)
    strategy: Strategy = regime.strategy(settings)
    strategy.check(task, encoder)
    settings = strategy.adjusted(encoder)
    network = TaskNetwork(
        encoder, train.items, settings,
        lambda items, dim: strategy.make_head(items, dim, make_head(task)),
        seed=seed, trains_encoder=strategy.trains_encoder,
    )  # fmt: skip
    extras = extras or Extras()
    work = Work(network, task, train, extras, settings, seed, job)
    mark = _fingerprint(work, regime, strategy)
    begin_again(job, mark, made=("kept",))
    torch_seed(seed)
    strategy.prepare(work)
    loop = _Loop(replace(work, train=strategy.train_items(train)), strategy, mark)
    loop.run()
    return network, loop.state.step


def resolved(settings: Any, task: Task) -> Any:
    """The settings with the task's own numbers where they say 0."""
    return replace(
        settings, epochs=settings.epochs or task.epochs, batch=settings.batch or task.batch,
        max_tokens=settings.max_tokens or task.max_tokens,
    )  # fmt: skip


class _Loop:
    """One run of the optimiser."""

    def __init__(self, work: Work, strategy: Strategy, mark: str) -> None:
        import torch

        self.work, self.strategy, self.network, self.settings = work, strategy, work.network, work.settings
        own: Any = strategy.module
        extra = {f"strategy.{name}": one for name, one in own.named_parameters() if one.requires_grad} if own else {}
        heads = {name: one for name, one in self.network.parameters.items() if name.startswith("head.")}
        body = {name: one for name, one in self.network.parameters.items() if name not in heads}
        self.parameters = {**body, **heads, **extra}
        if not self.parameters:
            raise InputError(f"task {work.task.name} leaves nothing to train in this regime; choose another mode")
        groups = [
            {"params": list(part.values()), "lr": rate, "peak": rate}
            for part, rate in (
                (body, self.settings.lr), (heads, self.settings.head_lr),
                (extra, strategy.module_lr or self.settings.head_lr),
            ) if part
        ]  # fmt: skip
        self.optimiser = torch.optim.AdamW(groups, weight_decay=self.settings.weight_decay)
        self.state = checkpoint.Progress(fingerprint=mark)
        self.size = min(self.settings.batch, len(work.train))
        an_epoch = math.ceil(len(work.train) / self.size)
        self.steps = max(1, math.ceil(self.settings.epochs * an_epoch))
        if self.settings.max_steps:
            self.steps = min(self.steps, self.settings.max_steps)

    def run(self) -> None:
        """Train to the end, from the last checkpoint if there is one.

        Raises:
            IsoglossError: a loss that is not finite.
        """
        import torch

        previous = torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            self._resume()
            saved = time.monotonic()
            for number, items in self._drawn():
                if number <= self.state.step:
                    continue
                self._step(number, items)
                self.state.step = number
                if number == self.steps or time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save()
                    saved = time.monotonic()
        finally:
            torch.use_deterministic_algorithms(previous)

    def _drawn(self) -> Iterator[tuple[int, list[Item]]]:
        """Number and items of every step: whole permutations, cut into batches of similar length."""
        items = self.work.train.items
        lengths = np.array([sum(len(one.text) for one in item.sentences) for item in items])
        number, epoch = 0, 0
        while number < self.steps:
            rng = np.random.default_rng([self.work.seed, epoch, 13])
            order = rng.permutation(len(items))
            batches = []
            for start in range(0, len(order), POOL * self.size):
                pool = order[start : start + POOL * self.size]
                pool = pool[np.argsort(lengths[pool], kind="stable")]
                batches += [pool[at : at + self.size] for at in range(0, len(pool), self.size)]
            for at in rng.permutation(len(batches)):
                number += 1
                if number > self.steps:
                    return
                yield number, [items[row] for row in np.sort(batches[at])]
            epoch += 1

    def _step(self, number: int, items: list[Item]) -> None:
        """One step of the optimiser."""
        import torch

        share = schedule(self.settings, number, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * share
        rng = np.random.default_rng([self.work.seed, number, 17])
        torch.manual_seed(int(rng.integers(2**62)))  # dropout of this very step, also after a resume
        batch = self.network.encode(self.strategy.items(items, rng))
        step = Step(batch, number, self.steps, rng, self.network)
        terms = self.strategy.terms(step)
        loss = float(torch.stack([one.detach() for one in terms.values()]).sum())
        self.optimiser.zero_grad()
        if math.isfinite(loss):
            self.strategy.backward(terms, step)
        size = torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.clip or math.inf)
        if not (math.isfinite(loss) and bool(torch.isfinite(size))):
            self._refuse(number, items)
        self.optimiser.step()
        with torch.no_grad():
            self.strategy.after(step)
        self.work.job.progress(number, self.steps, f"step {number} of {self.steps}, loss {loss:.4g}")
        if number % max(1, self.steps // METRICS) == 0 or number == self.steps:
            values = {name: round(float(term.detach()), 6) for name, term in terms.items()}
            self.work.job.metric(number, kind="loss", loss=round(loss, 6), terms=values, phase="train")

    def _refuse(self, number: int, items: list[Item]) -> None:
        """End a run whose numbers have broken, before they reach the weights.

        Raises:
            IsoglossError: always.
        """
        named = ", ".join(item.where or item.id for item in items[:3])
        raise IsoglossError(
            f"the loss of step {number} is not finite; its items: {named}, ...; lower lr (now {self.settings.lr:g}) "
            f"or look at these items"
        )

    def _resume(self) -> None:
        """Take up the newest checkpoint of this very run."""
        found = self.work.job.latest()
        if found is None:
            return
        self.state = checkpoint.load(found[1], self._stored(), self.optimiser)
        self.work.job.rewind(self.state.step)
        self.work.job.say(f"continuing after step {self.state.step} of {self.steps}")

    def _save(self) -> None:
        """A checkpoint of the weights as they are."""
        with self.work.job.checkpoint(self.state.step) as folder:
            checkpoint.save(Path(folder), self._stored(), self.optimiser, self.state)

    def _stored(self) -> "dict[str, torch.Tensor]":
        """What a checkpoint holds: all that trains, and the buffers of head and strategy."""
        found: dict[str, Any] = dict(self.parameters)
        found |= {f"head.{name}": one for name, one in self.network.head.module.named_buffers()}
        if self.strategy.module is not None:
            found |= {f"strategy.{name}": one for name, one in self.strategy.module.named_buffers()}
        return found


def _fingerprint(work: Work, regime: Regime, strategy: Strategy) -> str:
    """Hash of everything that decides the weights; a checkpoint of anything else is not resumed."""
    extras = work.extras
    text = {tag: fingerprint({"text": [one.text for one in side]}) for tag, side in extras.monolingual.items()}
    return fingerprint(
        {"revision": work.network.encoder.revision, "task": work.task.name, "train": work.train.digest,
         "regime": regime.name, "settings": asdict(work.settings), "seed": work.seed,
         "bitexts": [one.digest for one in extras.bitexts], "text": text,
         "dictionaries": [one.digest for one in extras.dictionaries], "precision": work.network.trainee.precision,
         "of_regime": strategy.mark()}
    )  # fmt: skip
