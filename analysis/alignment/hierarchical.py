"""Next sentences at a lower layer, masked subwords at the last, word order in between (Aksoy et al. 2020)."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training.feeding import fed
from analysis.training.holding import HeldSettings, moved
from analysis.training.masked_lm import MaskedLM
from analysis.training.masking import join_sides, joined_content
from analysis.training.objective import Material, Objective, Step, Terms
from analysis.training.order import Followed, SentenceOrder, shifted
from analysis.training.pooling import pool_tokens


@dataclass(frozen=True)
class HierarchicalSettings(HeldSettings):
    """Settings of the tasks and their layers."""

    layers: Annotated[
        str, Setting("masked subwords are predicted at the last layer", choices=("last",), advanced=True)
    ] = "last"
    next_layer: Annotated[
        int, Setting("layer at which the next sentence is told from another one; -1 is a third of the depth", ge=-1,
                     source="a lower layer than the last: Aksoy et al. 2020; which one is not known")
    ] = -1  # fmt: skip
    shift_layer: Annotated[
        int, Setting("layer at which swapped subwords are noticed; -1 is half of the depth", ge=-1,
                     source="a layer of its own: Aksoy et al. 2020; which one is not known")
    ] = -1  # fmt: skip
    masks: Annotated[float, Setting("weight of masked language modelling", ge=0, source="summed: 1")] = 1.0
    next_sentence: Annotated[float, Setting("weight of telling the next sentence", ge=0, source="summed: 1")] = 1.0
    bigram_shift: Annotated[float, Setting("weight of noticing swapped subwords", ge=0, source="summed: 1")] = 1.0
    passing: Annotated[
        float,
        Setting("how much of what the next-sentence head knows is added to the states above it; 0 passes nothing", ge=0,
                source="Aksoy et al. 2020, reconstructed: 1"),
    ] = 1.0  # fmt: skip


class Hierarchical(Objective):
    """The objective; see `fit`."""

    reads_words = False
    reads_links = False
    reads_text = True

    def __init__(self, encoder: Encoder, settings: HierarchicalSettings) -> None:
        depth = encoder.depth
        self.layers = (depth,)
        self.settings = settings
        self.next_layer = _layer("next_layer", settings.next_layer, depth / 3, depth - 1)
        self.shift_layer = _layer("shift_layer", settings.shift_layer, depth / 2, depth)
        self.module: Any = None

    def prepare(self, material: Material) -> None:
        """Make the heads and find out which sentence follows which."""
        import torch
        from torch import nn

        self._material, dim = material, material.encoder.dim
        self.order = SentenceOrder(material.examples.language)
        _check(material, self.order)
        self.head = MaskedLM(material)
        parts: dict[str, Any] = {
            "pooler": nn.Linear(dim, dim), "next": nn.Linear(dim, 2), "passed": nn.Linear(dim, dim, bias=False),
            "shift": nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 2)),
        }  # fmt: skip
        # Nothing is passed at first, so that the encoder starts as it is.
        torch.nn.init.zeros_(parts["passed"].weight)
        if self.head.module is not None:
            parts["masks"] = self.head.module
        self.module = nn.ModuleDict(parts).to(material.trainee.accelerator.device)
        if material.job is not None:
            passed = " and passes it on to the layers above" if self.settings.passing else ""
            material.job.say(
                f"layer {self.next_layer} tells the next sentence{passed}, layer {self.shift_layer} notices swapped "
                f"subwords, layer {self.layers[-1]} fills masks"
            )
            if material.settings.max_pairs:
                material.job.say("max_pairs leaves sentences out, so that the next one may be a later one")

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        terms: Terms = {}
        if self.settings.masks or self.settings.next_sentence:
            masks, following = self.sentences(step, self._pairs(step))
            terms |= {"masks": self.settings.masks * masks, "next": self.settings.next_sentence * following}
        if self.settings.bigram_shift or not terms:
            terms["shift"] = self.settings.bigram_shift * self.swaps(step)
        if self.settings.distil:
            terms["distil"] = self.settings.distil * moved(self._material, step, self.layers[-1])
        return terms

    def sentences(self, step: Step, pairs: Followed) -> tuple[Any, Any]:
        """Masked subwords of joined sentences, and whether the second one follows the first.

        Args:
            step: runs the network and draws.
            pairs: the sentences.

        Returns:
            Two cross-entropies in nats, 0 where there is no pair.
        """
        import torch

        if not len(pairs.first):
            nothing = 0 * self.module["pooler"].weight.sum()
            return nothing, nothing
        sides = self._material.examples.source
        both = [(sides[a], sides[b]) for a, b in zip(pairs.first, pairs.second, strict=True)]
        found = self.head.masked(
            [join_sides(*pair).ids for pair in both], [joined_content(*pair) for pair in both], step.rng
        )
        scores = []

        def informed(states: Any) -> Any:
            """States with what the head at this layer has seen in their opening token."""
            with torch.autocast(states.device.type, enabled=False):
                pooled = torch.tanh(self.module["pooler"](states[:, 0].float()))
                scores.append(self.module["next"](pooled))
                added = self.settings.passing * self.module["passed"](pooled)
            return states + added[:, None].to(states.dtype) if self.settings.passing else states

        depth = self.layers[-1]
        with fed(self._material.trainee.live.blocks, self.next_layer, informed):
            states = step.run(found.ids, [depth])[depth]
        masks = self.head.loss(pool_tokens(states, found.row, found.place), found.gold)
        return masks, _cross_entropy(scores[0], pairs.follows)

    def swaps(self, step: Step) -> Any:
        """Cross-entropy of telling sentences with two swapped subwords from whole ones, in nats."""
        ids, labels = shifted(step.batch[0], step.rng)
        states = step.run(ids, [self.shift_layer])[self.shift_layer]
        return _cross_entropy(self.module["shift"](states[:, 0].float()), labels)

    def _pairs(self, step: Step) -> Followed:
        """Sentences of the batch with another one behind them, those left out that do not fit one window together."""
        sides, limit = self._material.examples.source, self._material.trainee.base.limit
        pairs = self.order.draw(step.rows, step.rng)
        fits = np.array([
            len(join_sides(sides[a], sides[b]).ids) <= limit for a, b in zip(pairs.first, pairs.second, strict=True)
        ], bool)  # fmt: skip
        return Followed(pairs.first[fits], pairs.second[fits], pairs.follows[fits])


def _cross_entropy(scores: Any, labels: np.ndarray) -> Any:
    """Cross-entropy of (n, 2) scores."""
    import torch

    return torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels).to(scores.device))


def _layer(name: str, wanted: int, usual: float, highest: int) -> int:
    """The layer of a task.

    Raises:
        InputError: the encoder has no such layer, or too few.
    """
    found = max(1, round(usual)) if wanted == -1 else wanted
    if not 1 <= found <= highest:
        raise InputError(f"{name}={wanted} lies outside the encoder; valid: -1, or 1 to {highest}")
    return found


def _check(material: Material, order: SentenceOrder) -> None:
    """Refuse what the tasks cannot be made of.

    Raises:
        InputError: no [CLS], a placebo, or too little text.
    """
    if material.settings.placebo:
        raise InputError("a placebo shuffles translations, and hierarchical reads none; leave placebo out")
    if any(side.content[0] == 0 for side in material.examples.source[:1]):
        raise InputError(
            f"the tokenizer of {material.encoder.name!r} puts no [CLS] before a sentence, which two tasks of "
            f"hierarchical read; use another encoder"
        )
    if not order.usable and material.job is not None:
        raise InputError(
            "hierarchical learns which sentence comes next and needs three sentences of a language in a row; give "
            "text by --monolingual FILE"
        )


def fit(
    encoder: Encoder, data: AlignmentData, settings: HierarchicalSettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Go on pretraining with each task at a layer of its own.

    In plain words: whether one sentence follows another is asked of a lower layer, which then tells the layers above
    what it found; these fill the masks. A third task, in between, asks whether two neighbouring subwords were swapped.
    Nothing here aligns languages. Its use is to ask what goes where in the stack: train it beside plain masked language
    modelling (`next_sentence=0 bigram_shift=0 passing=0`) and compare the layers, as a control for `layers` of the
    methods that do align, or for pretraining a small encoder from nothing.

        v = tanh(A h_l[CLS] + a)            states of layer l + passing * B v  go into the blocks above, B starting at 0
        L = CE(C v, next or not) + CE(masked subwords, last layer) + CE(D(h_m[CLS]), swapped or not) + distil * ...

    Needs text whose lines are in order; sentences that were drawn or sorted teach nothing about the next one. Half of
    the sentences get their next one, half another one of their language, a language's last always another one; pairs
    longer than the window are left out of a step. A joined pair is twice as long as `batch_tokens` says.

    Args:
        encoder: the base; a random one (`python -m analysis scratch`) is pretrained by `adapter=full embeddings=true
            distil=0`.
        data: sentences with or without translations, in order, and development pairs.
        settings: see `HierarchicalSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights. They are used without the heads, so that nothing is added to the states any more:
        `passing=0` trains the encoder just as it is used, and `distil` holds the states without the addition.

    Raises:
        InputError: too little text, a tokenizer without [CLS] or a mask token, layers outside the encoder, a placebo.
        IsoglossError: the loss is not finite.

    Source: after Aksoy, Ahmetoglu and Gungor 2020, Hierarchical multitask learning approach for BERT, arXiv
    2011.04451, reconstructed from its abstract: next sentences and masks at different layers, what the one knows
    passed to the other, bigram shift as third task, losses summed. The layers, the heads (dense, tanh, linear), the
    zero start of what is passed, swapped subwords instead of words, and the swapped sentences as inputs of their own
    are choices made here and may differ there. There a BERT is pretrained on the text of the task; training on from an
    existing encoder, LoRA and `distil` are additions.
    Relatives: `align_mlm` and `multisense` also fill masks and align languages; prefer one of them for that.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="hierarchical",
    title="Tasks at layers of their own (hierarchical BERT)",
    summary="Pretrains on: next sentences at a lower layer, swapped words in the middle, masks at the last layer.",
    citation="Aksoy, Ahmetoglu and Gungor 2020, arXiv 2011.04451",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.MONOLINGUAL, Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.MONOLINGUAL, Uses.DEV}),
    fit=fit,
    settings=HierarchicalSettings,
    objective=Hierarchical,
)
