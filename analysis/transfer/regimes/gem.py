"""Steps that do not undo what the encoder knew: gradient episodic memory (Liu et al. 2020)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity, Uses
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training.losses import info_nce
from analysis.training.masked_lm import HEAD_RATE
from analysis.training.pooling import pool_sentences
from analysis.transfer.parallel import drawn, masked_lm, masked_loss, plain_pairs, text_beside
from analysis.transfer.projection import cosine, gradients, project
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings

if TYPE_CHECKING:
    import torch

METRICS = 300  # most lines of a run about the projection


@dataclass(frozen=True)
class GemSettings(TransferSettings):
    """Settings of the memories."""

    mode: Annotated[
        str,
        Setting("gem turns the task's gradient where it goes against a memory's; multitask adds the memories' losses to "
                "the task's, which is the baseline", choices=("gem", "multitask")),
    ] = "gem"  # fmt: skip
    memory: Annotated[
        str,
        Setting("what must not be unlearned: mlm (masked subwords of many languages), retrieval (a sentence finds its "
                "translation), or both", choices=("mlm", "retrieval", "both"), source="Liu et al. 2020"),
    ] = "both"  # fmt: skip
    weight: Annotated[float, Setting("weight of each memory's loss when mode=multitask", ge=0)] = 1.0
    every: Annotated[
        int, Setting("steps between two looks at the memories when mode=gem; the others follow the task alone", ge=1)
    ] = 1
    memory_batch: Annotated[int, Setting("sentences, or sentence pairs, of a memory in a step", ge=2)] = 16
    temperature: Annotated[
        float, Setting("divides the cosines of the retrieval memory", ge=0.001, source="not known; chosen here")
    ] = 0.05
    masked: Annotated[
        float, Setting("share of a sentence's subwords that is masked", ge=0.01, le=0.9, source="Devlin et al. 2019",
                       advanced=True)
    ] = 0.15  # fmt: skip
    head_steps: Annotated[
        int,
        Setting("steps that warm up a masked-LM head, tied to the embeddings, where the encoder brings none", ge=0,
                advanced=True),
    ] = 150  # fmt: skip
    max_pairs: Annotated[
        int, Setting("sentences or pairs of each language, drawn at random; 0 means all", ge=0, advanced=True)
    ] = 30_000


class Gem(Strategy):
    """Learn the task by steps whose gradient does not go against what the encoder was trained for.

    In plain words: beside each batch of the task the encoder reads a batch of a memory, what it was trained for before:
    to fill masks in many languages, and to tell a sentence's translation from others. Where the task's gradient would
    undo that (the angle between the two gradients is more than a right one), just that part of it is taken out; else it
    stays as it is. Unlike a sum of losses this has no weight: a memory that does not mind the step changes nothing.

        g = gradient of the task's loss;   g_k = gradient of memory k, over the encoder's trained weights
        all g'g_k >= 0:  step with g;   else with  g~ = argmin |g~ - g|^2 / 2  subject to  g~'g_k >= 0 for all k
        g~ = g + sum of v_k g_k,  v = argmin over v >= 0 of  v'GG'v / 2 + (Gg)'v;   one memory: v = -g'g_k / |g_k|^2
        mlm: cross-entropy of masked subwords;   retrieval: half the sum of both directions of InfoNCE between the
        mean vectors of (pairs, dim) sentences, with the batch's other translations as negatives

    `mode=multitask` is the baseline: L = task + weight * each memory's loss. Needs sentence pairs for `retrieval`;
    `mlm` reads --monolingual, else the sentences of the pairs. The dot products are taken in float32 before the
    gradient is clipped; the head of the task follows its own gradient. AdamW scales the step afterwards, so that the
    inequalities hold for the gradient and, as with any optimiser but plain descent, only nearly for the step.

    A metrics line (`kind` gem) says how often the gradient was turned, the cosines with the memories' gradients and the
    memories' losses.

    Source: Liu, Winata, Madotto and Fung 2020, Exploring fine-tuning techniques for pre-trained cross-lingual models
    via continual learning, arXiv 2004.14218, reconstructed: that masked LM and cross-lingual retrieval are the
    memories is in the paper as noted; the loss of retrieval, its temperature, the batches and how both are mixed are
    chosen here. Projection: Lopez-Paz and Ranzato 2017, section 3, solved exactly, without their margin, and
    with fresh batches of the memories in each step instead of stored items. A checkpoint's own masked-LM head stands
    still; a made one is warmed up and then stands still in gem mode and trains in multitask mode. LoRA by default.
    Relatives: `joint` holds the representation itself with fixed weights; `plain` with mode=upper keeps the lower half
    of the blocks, which is the other baseline of the paper.
    """

    module_lr = HEAD_RATE

    def prepare(self, work: Work) -> None:
        """Tokenise the memories and make the masked-LM head.

        Raises:
            InputError: the memory's data are missing.
        """
        import torch

        settings, self.job = self.settings, work.job
        self.memories: dict[str, Callable[[Step], torch.Tensor]] = {}
        if settings.memory != "mlm" and not work.extras.bitexts:
            raise InputError(
                f"memory={settings.memory!r} needs --data (sentence pairs, for example corpus:ui_chromium:train); give "
                "some, or --set memory=mlm"
            )
        self.module = torch.nn.Module()
        # How many looks at the memories there were, and how many of them turned the gradient.
        self.module.register_buffer("counts", torch.zeros(2, dtype=torch.float64))
        if settings.memory != "retrieval":
            self._prepare_masks(work)
        if settings.memory != "mlm":
            self.examples = plain_pairs(work, settings.max_pairs)
            if len(self.examples) < 2:
                raise InputError("the retrieval memory has a single sentence pair and no negative; give more by --data")
            self.memories["retrieval"] = self.retrieval

    def _prepare_masks(self, work: Work) -> None:
        """The memory of masked subwords."""
        text = text_beside(work)
        if not text:
            raise InputError(
                f"memory={self.settings.memory!r} needs --monolingual (sentences, one a line, or any --data name) or "
                "--data; give some"
            )
        if not work.extras.monolingual:
            work.job.say("no --monolingual: the masked-LM memory reads the sentences of --data")
        self.head, self.sides = masked_lm(
            work.network, text, masked=self.settings.masked, head_steps=self.settings.head_steps,
            max_sentences=self.settings.max_pairs, seed=work.seed, job=work.job,
        )  # fmt: skip
        if self.head.module is not None:
            self.head.module.to(work.network.accelerator.device)
            self.head.module.requires_grad_(self.settings.mode == "multitask")
            if self.settings.mode == "multitask":
                self.module.add_module("masks", self.head.module)
        self.memories["mlm"] = self.masks

    def masks(self, step: Step) -> "torch.Tensor":
        """Loss of the masked-LM memory on random sentences."""
        rows = drawn(len(self.sides), self.settings.memory_batch, step.rng)
        return masked_loss(self.head, step.network, [self.sides[row] for row in rows], step.rng)

    def retrieval(self, step: Step) -> "torch.Tensor":
        """Loss of the retrieval memory on random sentence pairs."""
        rows = drawn(len(self.examples), self.settings.memory_batch, step.rng)
        source, target = ([side[row] for row in rows] for side in (self.examples.source, self.examples.target))
        layer = step.network.encoder.depth
        vectors = [
            pool_sentences(step.network.states([one.ids for one in side], [layer])[layer], side)
            for side in (source, target)
        ]
        return retrieval_loss(vectors[0], vectors[1], self.settings.temperature, equal_rows(source, target))

    def terms(self, step: Step) -> Terms:
        """The task, and the memories where they are simply added."""
        terms = super().terms(step)
        if self.settings.mode == "multitask":
            terms |= {name: self.settings.weight * loss(step) for name, loss in self.memories.items()}
        return terms

    def backward(self, terms: Terms, step: Step) -> None:
        """The gradient of the task, turned where it goes against a memory's."""
        super().backward(terms, step)
        if self.settings.mode == "multitask" or (step.number - 1) % self.settings.every:
            return
        weights = list(step.network.trainee.parameters.values())
        task = [one.grad if one.grad is not None else one.new_zeros(one.shape) for one in weights]
        held, lost = {}, {}
        for name, loss in self.memories.items():  # one graph in memory at a time
            value = loss(step)
            lost[name] = round(float(value.detach()), 6)
            held[name] = gradients(value, weights)
        found, factors = project(task, list(held.values()))
        if factors.any():
            for one, gradient in zip(weights, found, strict=True):
                one.grad = gradient
        self._count(step, bool(factors.any()), {name: cosine(task, part) for name, part in held.items()}, lost)

    def _count(self, step: Step, turned: bool, cosines: dict[str, float | None], lost: dict[str, float]) -> None:
        """Count a look at the memories, and write it down now and then."""
        self.module.counts.add_(self.module.counts.new_tensor([1.0, float(turned)]))
        looks, turns = self.module.counts.tolist()
        shown = {name: None if value is None else round(value, 6) for name, value in cosines.items()}
        looks_of_run = max(1, step.steps // self.settings.every)
        if looks == 1 or int(looks) % max(1, looks_of_run // METRICS) == 0:
            self.job.metric(step.number, kind="gem", turned=turned, share=round(turns / looks, 4), with_task=shown,
                            memory=lost, phase="train")  # fmt: skip
        if step.number + self.settings.every > step.steps:
            self.job.say(f"the task's gradient went against a memory in {turns:.0f} of {looks:.0f} looks")


def equal_rows(*sides: Any) -> np.ndarray:
    """(pairs, pairs) whether two pairs share a sentence, so that neither is a wrong answer to the other."""
    same = np.zeros((len(sides[0]), len(sides[0])), bool)
    for side in sides:
        known: dict[bytes, int] = {}
        number = np.array([known.setdefault(one.ids.tobytes(), n) for n, one in enumerate(side)])
        same |= number[:, None] == number[None]
    return same


def retrieval_loss(
    source: "torch.Tensor", target: "torch.Tensor", temperature: float, same: np.ndarray
) -> "torch.Tensor":
    """Mean of both directions of InfoNCE.

    Args:
        source: (pairs, dim) sentence vectors.
        target: (pairs, dim) those of their translations.
        temperature: divides the cosines.
        same: (pairs, pairs) pairs that are no negatives of each other.
    """
    import torch

    own = torch.arange(len(source), device=source.device)
    ignored = torch.from_numpy(same).to(source.device)
    there = info_nce(source, target, own, temperature, ignored)
    return (there + info_nce(target, source, own, temperature, ignored)) / 2


SPEC = Regime(
    name="gem",
    title="Gradient episodic memory",
    summary="Learns the task by steps that do not go against masked LM or sentence retrieval; also their plain sum.",
    citation="Liu et al. 2020, arXiv 2004.14218; Lopez-Paz and Ranzato 2017, NeurIPS",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=Gem,
    settings=GemSettings,
    uses=frozenset({Uses.DATA, Uses.MONOLINGUAL}),
    needs=frozenset({Uses.DATA, Uses.MONOLINGUAL}),
)
