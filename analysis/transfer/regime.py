"""What a transfer regime is: a strategy that changes the inputs, the loss or the step of plain fine-tuning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.alignment.method import Fidelity, Uses
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.text.corpus import Bitext, Sentence
from analysis.transfer.encoding import Batch
from analysis.transfer.heads.head import Head
from analysis.transfer.item import Dataset, Item, Kind
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch

    from analysis.text.dictionary import Dictionary
    from analysis.transfer.network import TaskNetwork

Terms = dict[str, "torch.Tensor"]


@dataclass(frozen=True)
class Extras:
    """What a regime may learn from beside the labelled items.

    Attributes:
        bitexts: sentence pairs, as they were given.
        dictionaries: word translations.
        monolingual: sentences without translation or label, by language.
    """

    bitexts: tuple[Bitext, ...] = ()
    dictionaries: "tuple[Dictionary, ...]" = ()
    monolingual: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What a strategy is given once, before the first step.

    Attributes:
        network: the encoder that trains, with the task's head.
        task: what is learned.
        train: the labelled items of the source language.
        extras: whatever else was given.
        settings: of the regime.
        seed: of everything random.
        job: told what is being done; its folder keeps what a resumed run must find again.
    """

    network: "TaskNetwork"
    task: Task
    train: Dataset
    extras: Extras
    settings: TransferSettings
    seed: int
    job: Job

    @property
    def source(self) -> str:
        """The language of the labels."""
        return self.train.language


@dataclass(frozen=True)
class Step:
    """One step of the optimiser.

    Attributes:
        batch: the items, encoded, after `Strategy.items` has changed them.
        number: counted from 1.
        steps: of the whole run.
        rng: random numbers of this very step, the same when a run is resumed.
        network: the encoder that trains, with the task's head.
    """

    batch: Batch
    number: int
    steps: int
    rng: np.random.Generator
    network: "TaskNetwork"


class Strategy:
    """Plain fine-tuning; a regime overrides what it does otherwise.

    A step is: `items` changes the drawn items, they are encoded, `terms` gives the weighted terms of the loss,
    `backward` turns them into gradients, the optimiser moves, `after` follows.

    Args:
        settings: of the regime.

    Attributes:
        module: a `torch.nn.Module` of trained parts and buffers of its own beside encoder and head, or None; it is in
            every checkpoint, so its buffers change in place and keep their shapes.
        module_lr: peak learning rate of `module`; None is `head_lr`.
        trains_encoder: whether the encoder trains; else only the head does.
    """

    module: Any = None
    module_lr: float | None = None
    trains_encoder: bool = True

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def adjusted(self, encoder: Any) -> Any:
        """The settings as the network is to be built by them."""
        return self.settings

    def mark(self) -> Any:
        """What decides the result beside settings, data and encoder: JSON-able; a checkpoint of another is not resumed."""
        return None

    def make_head(self, items: Sequence[Item], dim: int, make: Any) -> Head:
        """The head; `make(items, dim, settings)` gives the task's own."""
        return make(items, dim, self.settings)

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse a task, an encoder or settings that cannot work, before anything is read.

        Raises:
            InputError: what does not fit, and what does.
        """

    def prepare(self, work: Work) -> None:
        """Make what needs the network or the data; called once, before the first step and before a resumed one."""

    def train_items(self, train: Dataset) -> Dataset:
        """The labelled items that steps are drawn from; called once, after `prepare`."""
        return train

    def items(self, items: Sequence[Item], rng: np.random.Generator) -> Sequence[Item]:
        """The items of a step as they are to be read, each with its label."""
        return items

    def terms(self, step: Step) -> Terms:
        """The weighted terms of the loss by name."""
        return {"task": step.network.loss(step.batch)}

    def backward(self, terms: Terms, step: Step) -> None:
        """Leave the gradient of the loss in the parameters."""
        import torch

        step.network.accelerator.backward(torch.stack(list(terms.values())).sum())

    def after(self, step: Step) -> None:
        """What follows the optimiser's step; without gradients."""


@dataclass(frozen=True)
class Regime:
    """A registered transfer regime.

    Attributes:
        name: name on the command line.
        title: name on a page.
        summary: one sentence.
        citation: the paper.
        fidelity: how well the implementation is grounded in it.
        strategy: `strategy(settings)` gives what is done otherwise than in plain fine-tuning.
        settings: the settings class.
        uses: data that it can use beside the labelled items; anything else is refused by name.
        needs: data of which it needs at least one kind.
        needs_all: data of which it needs every kind.
        kinds: kinds of task that it works with.
    """

    name: str
    title: str
    summary: str
    citation: str
    fidelity: Fidelity
    strategy: type[Strategy]
    settings: type = TransferSettings
    uses: frozenset[Uses] = frozenset()
    needs: frozenset[Uses] = frozenset()
    needs_all: frozenset[Uses] = frozenset()
    kinds: frozenset[Kind] = frozenset(Kind)


def check_kind(regime: Regime, task: Task) -> None:
    """Refuse a task that a regime has nothing to say about.

    Raises:
        InputError: naming the tasks it works with.
    """
    from analysis.registry import registered

    if task.kind not in regime.kinds:
        fitting = sorted(name for name, one in registered("tasks").items() if one.kind in regime.kinds)
        raise InputError(f"regime {regime.name} does not work with task {task.name!r}; valid: {', '.join(fitting)}")
