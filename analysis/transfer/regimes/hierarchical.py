"""The task at a middle layer, masked subwords at the last one (after Aksoy et al. 2020)."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training.examples import Examples, Side
from analysis.training.feeding import fed
from analysis.training.masked_lm import HEAD_RATE, MaskedLM, MaskedSettings
from analysis.training.objective import Material
from analysis.training.pooling import pool_tokens
from analysis.transfer.encoding import Encoded, encode
from analysis.transfer.heads.head import pooled
from analysis.transfer.item import Item
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class HierarchicalTaskSettings(TransferSettings):
    """Settings of what is learned at which layer."""

    head_layer: Annotated[
        int,
        Setting("layer whose states the task's head reads; -1 is two thirds of the depth", ge=-1,
                source="a lower layer than the last: Aksoy et al. 2020; which one is not known"),
    ] = -1  # fmt: skip
    mlm: Annotated[
        float,
        Setting("weight of masked language modelling at the last layer, on the task's own texts; 0 leaves the blocks "
                "above head_layer as they are, and they are not run", ge=0, source="summed: 1"),
    ] = 1.0  # fmt: skip
    passing: Annotated[
        bool,
        Setting("add the vector that the task's layer has of a text to the states above it, where masked subwords are "
                "predicted", source="Aksoy et al. 2020, reconstructed"),
    ] = True  # fmt: skip
    masked: Annotated[
        float,
        Setting("share of a text's subwords that is masked", ge=0.01, le=0.9, source="Devlin et al. 2019",
                advanced=True),
    ] = 0.15  # fmt: skip
    head_steps: Annotated[
        int,
        Setting("steps that warm up a masked-LM head, tied to the embeddings, where the encoder brings none; the network "
                "stands still meanwhile", ge=0, advanced=True),
    ] = 150  # fmt: skip


class HierarchicalTask(Strategy):
    """Solve the task at a middle layer and keep predicting masked subwords at the last one.

    In plain words: middle layers of multilingual encoders are more language-neutral than the last, so the task is asked
    there. The last layers go on with what they were made for, on the texts of the task, and may be told what the task's
    layer has made of the text. With mlm=0 it is plain fine-tuning of a shorter encoder.

        L  = task(h_l(x), y) + mlm * CE(MLM(h_L(x~)), masked subwords of x)
        passing:  h_l(x~) + P v  is what block l + 1 reads,   v = pooled h_l(x~)

    l is head_layer, L the depth, x~ the items' sequences with masks, P a square map that starts at 0. v comes from the
    masked sequence, since that of the whole one would tell what is masked; it is pooled as a sentence is (`pool`), also
    for tasks that read words. The two parts are two passes; the task's ends at layer l.

    Needs nothing but the items, and for mlm a tokenizer with a mask token. States are (sequences, longest, dim), v is
    (sequences, dim). P, and the masked-LM head where the encoder brings none, train at the
    rate that such a head is warmed up with, 1e-3 at its peak.

    Source: Aksoy, Ahmetoglu and Gungor 2020, Hierarchical multitask learning with language transformers; reconstructed.
    There next-sentence prediction at a lower layer is the task that is passed on to masked language modelling, both in
    one pass while pretraining; here the lower task is the one being fine-tuned, as an ablation of where its head sits.
    Bigram shift is left out. The layers of the paper are not known.
    Relatives: `plain` with layer=N is mlm=0; the method `hierarchical` of `align` is the pretraining itself.
    """

    module_lr = HEAD_RATE

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse two layers for one head, a layer that is none, and passing to nowhere."""
        settings = self.settings
        if settings.layer != -1:
            raise InputError(
                f"layer={settings.layer} says which layer the head reads, and so does head_layer; leave layer=-1 and give "
                "head_layer"
            )
        place = head_layer(encoder.depth, settings.head_layer)
        if settings.mlm and settings.passing and place == encoder.depth:
            raise InputError(
                f"head_layer={place} is the last, with no layer above to pass anything to; give a lower one, or set "
                "passing=false"
            )

    def adjusted(self, encoder: Encoder) -> HierarchicalTaskSettings:
        """The head's layer as every regime has it."""
        return replace(self.settings, layer=head_layer(encoder.depth, self.settings.head_layer))

    def prepare(self, work: Work) -> None:
        """Make the masked-LM head and the map that passes on.

        Raises:
            InputError: no mask token, or no text to mask.
        """
        network, depth = work.network, work.network.encoder.depth
        if not self.settings.mlm:
            if network.layer < depth:
                work.job.say(
                    f"the head reads layer {network.layer}; mlm=0, so the blocks above it stay as they are and are not run"
                )
            return
        self.masker = MaskedLM(text_material(work))
        self.module = self._made(network.encoder.dim).to(network.accelerator.device)
        passed = " and are told of the text by it" if self.settings.passing else ""
        work.job.say(
            f"layer {network.layer} solves the task; masks are filled at layer {depth}, whose blocks train{passed}"
        )

    def terms(self, step: Step) -> Terms:
        """The task, and the masked subwords of its texts."""
        terms: Terms = {"task": step.network.loss(step.batch)}
        if self.settings.mlm:
            terms["masks"] = self.settings.mlm * self.masks(step)
        return terms

    def masks(self, step: Step) -> "torch.Tensor":
        """Cross-entropy of masked subwords of a batch's texts, in nats."""
        import torch

        network, depth = step.network, step.network.encoder.depth
        states, gold = [], []
        for side in (step.batch.first, step.batch.second):
            if not side:
                continue
            columns = [np.concatenate([np.arange(*one.content), np.arange(*one.second)]) for one in side]
            found = self.masker.masked([one.ids for one in side], columns, step.rng)
            with ExitStack() as stack:
                if self.settings.passing:
                    told = self._told(side)
                    stack.enter_context(fed(network.trainee.live.blocks, network.layer, told))
                top = network.states(found.ids, [depth], [one.segments for one in side])[depth]
            states.append(pool_tokens(top, found.row, found.place))
            gold.append(found.gold)
        return self.masker.loss(torch.cat(states), np.concatenate(gold))

    def _told(self, side: Sequence[Encoded]) -> Any:
        """From states of the task's layer to the same with what it has made of each sequence."""
        import torch

        def told(states: "torch.Tensor") -> "torch.Tensor":
            """States with the text's vector added."""
            with torch.autocast(states.device.type, enabled=False):
                added = self.module["passed"](pooled(states.float(), side, self.settings.pool))
            return states + added[:, None].to(states.dtype)

        return told

    def _made(self, dim: int) -> Any:
        """The trained parts beside encoder and head."""
        import torch

        parts: dict[str, Any] = {}
        if self.settings.passing:
            parts["passed"] = torch.nn.Linear(dim, dim, bias=False)
            # Nothing is passed at first, so that the encoder starts as it is.
            torch.nn.init.zeros_(parts["passed"].weight)
        if self.masker.module is not None:
            parts["masks"] = self.masker.module
        return torch.nn.ModuleDict(parts)


def head_layer(depth: int, wanted: int) -> int:
    """The layer of the task.

    Raises:
        InputError: the encoder has no such layer.
    """
    if wanted == -1:
        return max(1, min(depth - 1, round(2 * depth / 3)))
    if not 1 <= wanted <= depth:
        raise InputError(f"head_layer={wanted} lies outside the encoder; valid: -1, or 1 to {depth}")
    return wanted


def text_material(work: Work) -> Material:
    """The texts of a task as what a masked-LM head is made from; each is cut as it is where it trains."""
    settings: Any = work.settings
    trainee = work.network.trainee
    texts = {one.text: one for item in work.train.items for one in item.sentences}
    items = [Item(str(number), one, "") for number, one in enumerate(texts.values())]
    coded = encode(trainee.base, items, joint=False, max_tokens=settings.max_tokens).first
    sides = tuple(
        Side(one.ids, one.column, one.word, one.weight, one.words, np.zeros(one.words, np.int64), one.content)
        for one in coded
    )
    names = tuple(f"text {item.id}" for item in items)
    examples = Examples((work.source,) * len(sides), sides, sides, (np.empty((0, 2), np.int64),) * len(sides), names)
    told = MaskedSettings(masked=settings.masked, head_steps=settings.head_steps, precision=settings.precision)
    return Material(work.network.encoder, trainee, examples, {}, (), told, work.seed, work.job)


SPEC = Regime(
    name="hierarchical",
    title="Task at a middle layer (after Aksoy et al.)",
    summary="Reads the task at a middle layer while masked subwords of its texts are predicted at the last one.",
    citation="Aksoy et al. 2020",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=HierarchicalTask,
    settings=HierarchicalTaskSettings,
)
