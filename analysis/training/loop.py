"""The training loop: steps, looks at development data, checkpoints, early stopping, resuming."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import IsoglossError
from analysis.jobs.job import Job
from analysis.text.corpus import Bitext
from analysis.training import checkpoint
from analysis.training.batches import Plan
from analysis.training.examples import Examples
from analysis.training.frozen import Frozen
from analysis.training.links import link
from analysis.training.monitor import Monitor
from analysis.training.objective import Objective
from analysis.training.settings import TrainSettings
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee

if TYPE_CHECKING:
    import torch

CHECKPOINT_SECONDS = 20.0
METRICS = 400  # most loss lines of a run
BEST = "best.safetensors"


class Loop:
    """One run of the optimiser over a plan.

    Args:
        trainee: the network that trains.
        objective: from a step to its loss.
        examples: all pairs with their links.
        bitexts: the same pairs, for links that are made anew.
        plan: every step.
        settings: learning rate, looks, patience.
        monitor: looks at the run from outside.
        frozen: the base's vectors, where the objective reads them.
        job: where progress, metrics and checkpoints go.
        fingerprint: of data, settings and base.
        seed: of every step's random numbers.
    """

    def __init__(
        self, trainee: Trainee, objective: Objective, examples: Examples, bitexts: Sequence[Bitext], plan: Plan,
        settings: TrainSettings, monitor: Monitor, frozen: Frozen | None, job: Job, fingerprint: str, seed: int = 0,
    ) -> None:  # fmt: skip
        import torch

        self.trainee, self.objective, self.examples, self.bitexts = trainee, objective, examples, bitexts
        self.plan, self.settings, self.monitor, self.frozen, self.job = plan, settings, monitor, frozen, job
        own = dict(objective.module.named_parameters(prefix="objective")) if objective.module is not None else {}
        own = {name: one for name, one in own.items() if one.requires_grad}
        self.parameters: dict[str, torch.nn.Parameter] = {**trainee.parameters, **own}
        self.optimiser = torch.optim.AdamW(
            self.parameters.values(), lr=settings.lr, betas=getattr(settings, "betas", (0.9, 0.999)),
            weight_decay=settings.weight_decay,
        )  # fmt: skip
        self.state = checkpoint.Progress(fingerprint=fingerprint)
        self.epoch, self.seed = 0, seed

    def run(self) -> checkpoint.Progress:
        """Train to the end, from the last checkpoint if there is one, and leave the kept weights in the network.

        Raises:
            IsoglossError: a loss that is not finite, naming the pairs; the last good weights are in a checkpoint.
        """
        import torch

        previous = torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            if not self._resume():
                self._look()
            saved = time.monotonic()
            for step, epoch, rows in self.plan.after(self.state.step):
                # Asked before a step, so that a run killed just after its last look does not go on either.
                if self.settings.patience and self.state.waited >= self.settings.patience:
                    self.job.say(f"stopped early at step {step - 1}: {self.state.waited} looks without a better mean")
                    break
                self._relink(epoch)
                self._step(step, rows)
                self.state.step = step
                better = self._look() if step % self.settings.dev_every == 0 or step == self.plan.steps else False
                if better or step == self.plan.steps or time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save()
                    saved = time.monotonic()
        finally:
            torch.use_deterministic_algorithms(previous)
        self._keep()
        return self.state

    def _resume(self) -> bool:
        """Take up the newest checkpoint of this very run; whether there is one."""
        found = self.job.latest()
        if found is None:
            return False
        self.state = checkpoint.load(found[1], self._stored(), self.optimiser)
        self.job.rewind(self.state.step)
        self.job.say(f"continuing after step {self.state.step} of {self.plan.steps}")
        return True

    def _step(self, step: int, rows: np.ndarray) -> None:
        """One step of the optimiser."""
        import torch

        rate = self.settings.lr * schedule(self.settings, step, self.plan.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        seen = make_step(
            self.trainee, self.examples, rows, self.objective, self.frozen, number=step, steps=self.plan.steps,
            seed=self.seed,
        )  # fmt: skip
        terms = self.objective(seen)
        loss = torch.stack(list(terms.values())).sum()
        self.optimiser.zero_grad()
        if not torch.isfinite(loss):
            self._refuse(step, rows, "loss")
        self.trainee.accelerator.backward(loss)
        size = torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.clip or math.inf)
        if not torch.isfinite(size):
            self._refuse(step, rows, "gradient")
        self.optimiser.step()
        with torch.no_grad():
            self.objective.after(seen)
        values = {name: round(float(term.detach()), 6) for name, term in terms.items()}
        self.job.progress(step, self.plan.steps, f"step {step} of {self.plan.steps}, loss {float(loss.detach()):.4g}")
        if step % max(1, self.plan.steps // METRICS) == 0 or step == self.plan.steps:
            self.job.metric(
                step, kind="loss", loss=round(float(loss.detach()), 6), terms=values, lr=rate, phase="train"
            )

    def _refuse(self, step: int, rows: np.ndarray, what: str) -> None:
        """End a run whose numbers have broken, before they reach the weights.

        Raises:
            IsoglossError: always.
        """
        self._save()
        named = ", ".join(self.examples.rows[row] for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        raise IsoglossError(
            f"the {what} of step {step} is not finite; its pairs: {named}{more}; the weights of step "
            f"{self.state.step} are kept in the run; lower lr (now {self.settings.lr:g}) or look at these pairs"
        )

    def _look(self) -> bool:
        """Look at the development data and at what is forgotten; whether this is the best so far."""
        step = self.state.step
        found = self.monitor.development()
        better = False
        if found.mean is not None:
            better = step > 0 and (self.state.best is None or found.mean > self.state.best)
            self.state.waited = 0 if better or step == 0 else self.state.waited + 1
            if better:
                self.state.best, self.state.best_step = found.mean, step
                checkpoint.save_weights(self.job.folder / f"{BEST}.draft", self.trainee.parameters)
                (self.job.folder / f"{BEST}.draft").replace(self.job.folder / BEST)
            self.state.curve.append({"step": step, "mean": found.mean, "scores": found.scores})
            self.job.metric(step, kind="dev", measure=found.measure, scores=found.scores, mean=found.mean, best=better)
            self.job.say(f"step {step}: development {found.measure} {found.mean:.2f}")
        self.job.metric(step, kind="forgetting", **self.monitor.forgetting())
        return better

    def _relink(self, epoch: int) -> None:
        """At the start of every later epoch make own links anew, if asked for; a resumed run finds them again."""
        if not self.objective.reads_links or self.settings.links != "refreshed" or epoch == self.epoch:
            return
        self.epoch = epoch
        path = self.job.folder / f"links-{epoch}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as stored:
                flat, counts = stored["links"], stored["counts"]
            links = tuple(np.split(flat, np.cumsum(counts)[:-1]))
            self.examples = replace(self.examples, links=links)
            return
        self.examples = link(
            self.examples, self.bitexts, self.trainee, self.monitor.live, self.settings, live=True
        )  # fmt: skip
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            links = self.examples.links
            np.savez(file, links=np.concatenate(links), counts=np.array([len(one) for one in links]))
        draft.replace(path)

    def _save(self) -> None:
        """A checkpoint of the weights as they are."""
        with self.job.checkpoint(self.state.step) as folder:
            checkpoint.save(Path(folder), self._stored(), self.optimiser, self.state)

    def _stored(self) -> "dict[str, torch.Tensor]":
        """What a checkpoint holds: all that trains, and the buffers of the objective's own module."""
        module = self.objective.module
        buffers = dict(module.named_buffers(prefix="objective")) if module is not None else {}
        return {**self.parameters, **buffers}

    def _keep(self) -> None:
        """The last weights where a number of steps was given or nothing was looked at, else the best ones."""
        if self.kept != self.state.step:
            checkpoint.load_weights(self.job.folder / BEST, self.trainee.parameters)
        self.job.say(f"kept the weights of step {self.kept}")

    @property
    def kept(self) -> int:
        """The step whose weights are kept."""
        last = bool(self.settings.max_steps) or self.state.best_step < 1
        return self.state.step if last else self.state.best_step


def schedule(settings: Any, step: int, steps: int) -> float:
    """The learning rate of a step as a share of its peak: a linear rise, then linear, cosine or constant.

    Args:
        settings: `warmup` and `schedule`.
        step: counted from 1.
        steps: of the whole run.
    """
    rise = round(settings.warmup * steps)
    if step <= rise:
        return step / max(1, rise)
    left = (steps - step + 1) / max(1, steps - rise)
    return {"linear": left, "constant": 1.0, "cosine": 0.5 * (1 - math.cos(math.pi * left))}[settings.schedule]
