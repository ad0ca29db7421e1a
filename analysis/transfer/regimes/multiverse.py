"""Many heads side by side, held orthogonal, the weak ones dropped on the way (Malkiel and Wolf 2021)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.transfer.encoding import Batch
from analysis.transfer.heads.head import Head
from analysis.transfer.heads.multi import MultiHead
from analysis.transfer.item import Dataset, Item, Kind
from analysis.transfer.network import TOKENS
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MultiverseSettings(TransferSettings):
    """Settings of the heads."""

    heads: Annotated[int, Setting("heads at the start", ge=2, le=64, source="not known of Malkiel and Wolf 2021")] = 8
    keep: Annotated[
        int, Setting("heads that are never dropped, the best ones", ge=1, source="not known of Malkiel and Wolf 2021")
    ] = 2
    orthogonal: Annotated[
        float, Setting("weight of holding the heads orthogonal", ge=0, source="not known of Malkiel and Wolf 2021")
    ] = 1.0
    combine: Annotated[
        str,
        Setting("mean or sum over heads and over pairs of them; the mean keeps the size of the loss, and with it what lr "
                "and clip mean, while heads are dropped", choices=("mean", "sum"),
                source="sum: Malkiel and Wolf 2021, reconstructed"),
    ] = "mean"  # fmt: skip
    held_out: Annotated[
        float,
        Setting("share of the training items that never train and say which heads are weak; 0 drops no head", ge=0,
                le=0.5, source="reconstructed"),
    ] = 0.1  # fmt: skip
    drop_every: Annotated[
        float,
        Setting("share of the run between two looks at the held-out items", ge=0.01, le=1, source="reconstructed"),
    ] = 0.2  # fmt: skip
    drop_from: Annotated[
        float,
        Setting("share of the run before which no head goes: until the task is learned, the held-out losses differ by the "
                "heads' random start alone", ge=0, le=1, source="reconstructed"),
    ] = 0.5  # fmt: skip


class Multiverse(Strategy):
    """Learn the task with many heads that may not look at the same directions.

    In plain words: a single head is content with one feature that tells the labels apart. Several heads that have to be
    orthogonal force the encoder to keep several features that each do, which helps where items are few. Heads that turn
    out weak on items held out are dropped in the course of training; those that are left vote.

        L = C over active k of loss(W_k h + b_k, y)  +  orthogonal * C over active k < l of ||V_k V_l^T||_F^2

        V_k = W_k with every row divided by its norm;  C = mean (or sum, as in the paper)
        every drop_every of the run, from drop_from on: heads with a held-out loss above the mean of the active ones go,
        the worst first, until `keep` are left
        p(y) = mean over active k of softmax(W_k h + b_k)

    Needs a task that chooses among labels. h is (items, dim) or (words, dim), W_k (labels, dim). Held-out items are drawn
    by the seed and are no part of any step; `epochs` counts passes over the others.

    Source: Malkiel and Wolf 2021, Maximal Multiverse Learning for promoting cross-generalization of fine-tuned language
    models; formulas and the rule reconstructed from the abstract: many heads, forced orthogonal, weak ones removed.
    Weight, number of heads, when and by what rule they go are not known of the paper, which is about English.
    With a sum over heads the encoder's gradient grows with their number; Adam hides that, `clip` and the weight of the
    second sum beside the first do not, so that the mean is the default.
    Relatives: `plain` is one head; several runs of `plain` with other seeds cost more and differ in the encoder as well.
    """

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse to keep more heads than there are."""
        settings = self.settings
        if settings.keep > settings.heads:
            raise InputError(
                f"keep={settings.keep} is more than heads={settings.heads}; give keep of at most {settings.heads}"
            )

    def make_head(self, items: Sequence[Item], dim: int, make: Any) -> Head:
        """As many of the task's heads as wanted, each with a start of its own.

        Raises:
            InputError: the task does not choose among labels.
        """
        heads = [make(items, dim, self.settings) for _ in range(self.settings.heads)]
        if not heads[0].chooses:
            raise InputError("multiverse averages heads that choose among labels, and this task's does not; use plain")
        return MultiHead(heads)

    def prepare(self, work: Work) -> None:
        """Hold items out.

        Raises:
            InputError: too few items.
        """
        settings, count = self.settings, len(work.train)
        self._network, self._job = work.network, work.job
        self.held = held_rows(work.train.items, settings.held_out, work.seed)
        self._looked: Batch | None = None
        if self.held:
            whole = work.network.encode(work.train.take(self.held).items)
            # By length, so that a batch pads little.
            self._looked = whole.take(sorted(range(len(whole)), key=lambda row: (len(whole.first[row].ids), row)))
        head: Any = work.network.head
        labels, width = head.maps()[0].shape
        if settings.orthogonal and labels * settings.heads > width:
            work.job.say(
                f"{settings.heads} heads of {labels} labels cannot all be orthogonal in {width} numbers; they will be as "
                f"far as they can"
            )
        work.job.say(
            f"{settings.heads} heads; {len(self.held)} of {count} items are held out and say which of them stay"
        )

    def train_items(self, train: Dataset) -> Dataset:
        """All that are not held out."""
        held = set(self.held)
        return train.take([row for row in range(len(train)) if row not in held])

    def terms(self, step: Step) -> Terms:
        """The losses of the active heads, and what they have in common."""
        settings, network = self.settings, step.network
        head: Any = network.head
        losses = head.losses(head.each(network.view(step.batch)), step.batch)
        terms = {"task": losses.mean() if settings.combine == "mean" else losses.sum()}
        if settings.orthogonal:
            terms["orthogonal"] = settings.orthogonal * shared(head.maps(), settings.combine)
        return terms

    def after(self, step: Step) -> None:
        """Look at the held-out items where it is time, and drop what is weak."""
        every = max(1, round(self.settings.drop_every * step.steps))
        head: Any = step.network.head
        if step.number < self.settings.drop_from * step.steps:
            return
        if self._looked is None or step.number % every or len(head.active) <= self.settings.keep:
            return
        found = self.held_out_losses()
        weak = weak_heads(found, self.settings.keep)
        names = [head.active[n] for n in weak]
        for name in names:
            head.module.active[name] = False
        shown = ", ".join(f"{one:.3g}" for one in found)
        gone = f"dropped {', '.join(str(name + 1) for name in names)}" if names else "none is dropped"
        self._job.say(f"step {step.number}: held-out losses of the heads {shown}; {gone}, {len(head.active)} left")

    def held_out_losses(self) -> list[float]:
        """Each active head's loss on the held-out items, without dropout."""
        import torch

        network, whole = self._network, self._looked
        assert whole is not None
        head: Any = network.head
        longest = max(len(one.ids) for one in (*whole.first, *whole.second))
        size = max(1, TOKENS // max(1, longest))
        network.trains(False)
        try:
            parts = []
            for start in range(0, len(whole), size):
                with torch.no_grad():  # not in the run's precision: bfloat16 cannot tell such losses apart
                    parts.append(head.each(network.view(whole.take(range(start, min(len(whole), start + size))))))
            # Decisions follow each other as their items do, so the parts are the whole.
            return head.losses(torch.cat(parts, dim=1), whole).tolist()
        finally:
            network.trains(True)


def held_rows(items: Sequence[Item], share: float, seed: int) -> list[int]:
    """A share of the items, at least one, drawn at random; every label stays with an item that trains.

    Raises:
        InputError: no item can be spared.
    """
    if not share:
        return []
    labels = [set(item.label) if isinstance(item.label, tuple) else {str(item.label)} for item in items]
    left = Counter(label for one in labels for label in one)
    wanted = max(1, round(share * len(items)))
    found: list[int] = []
    for row in np.random.default_rng([seed, 23]).permutation(len(items)).tolist():
        if len(found) < wanted and all(left[label] > 1 for label in labels[row]):
            left.subtract(labels[row])
            found.append(row)
    if not found:
        raise InputError(
            f"held_out={share:g} cannot spare one of {len(items)} training items, for each has a label that no other "
            f"has; give more, or set held_out=0, which drops no head"
        )
    return sorted(found)


def shared(maps: "Sequence[torch.Tensor]", combine: str) -> "torch.Tensor":
    """What linear maps have in common: squared cosines of their rows, summed over rows, 0 for a single map.

    Args:
        maps: (labels, width) each.
        combine: whether pairs of maps are added up (`sum`) or averaged (`mean`).
    """
    import torch

    unit = torch.nn.functional.normalize(torch.stack(list(maps)), dim=-1)
    pairs = len(maps) * (len(maps) - 1) // 2
    if not pairs:
        return unit.sum() * 0
    rows = unit.flatten(0, 1)
    # (maps, maps) sums of the squared cosines between all rows of two of them
    both = ((rows @ rows.T) ** 2).reshape(len(maps), unit.shape[1], len(maps), unit.shape[1]).sum(dim=(1, 3))
    total = both.triu(diagonal=1).sum()
    return total if combine == "sum" else total / pairs


def weak_heads(losses: Sequence[float], keep: int) -> list[int]:
    """The heads whose loss lies above the mean, ascending; the worst of them where dropping all would leave too few."""
    mean = float(np.mean(losses))
    worst = sorted((n for n, one in enumerate(losses) if one > mean), key=lambda n: (-losses[n], n))
    return sorted(worst[: max(0, len(losses) - keep)])


SPEC = Regime(
    name="multiverse",
    title="Many orthogonal heads (Malkiel and Wolf)",
    summary="Trains several heads held orthogonal, drops the weak ones on held-out items, and lets the others vote.",
    citation="Malkiel and Wolf 2021, EACL",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=Multiverse,
    settings=MultiverseSettings,
    kinds=frozenset({Kind.CLASS, Kind.PAIR, Kind.TAGS}),
)
