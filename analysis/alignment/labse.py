"""A dual encoder over sentences with an additive margin, after LaBSE (Feng et al. 2022)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting
from analysis.training.losses import OUT
from analysis.training.masked_lm import MaskedLM, MaskedSettings
from analysis.training.objective import Material, Objective, Step, Terms
from analysis.training.sentences import CLS, POOLINGS, check_opening, one_layer, sentence_keys, sentence_vectors

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LabseSettings(MaskedSettings):
    """Settings of the dual encoder."""

    layers: Annotated[str, Setting("the layer whose vectors are compared: last, middle or a number")] = "last"
    pooling: Annotated[
        str,
        Setting("a sentence's vector: mean over its tokens, which is what is read of the encoder afterwards, or cls, the "
                "opening token behind a dense layer that is thrown away", choices=POOLINGS,
                source="cls: the released port of LaBSE"),
    ] = "mean"  # fmt: skip
    margin: Annotated[
        float, Setting("by how much a translation must be more similar than all else", ge=0, le=2,
                       source="Feng et al. 2022: 0.3")
    ] = 0.3  # fmt: skip
    scale: Annotated[
        float, Setting("cosines are multiplied by it before the softmax", ge=0.1, source="not in the paper's equation")
    ] = 20.0
    pretrain: Annotated[
        float,
        Setting("share of the steps that first predict masked subwords, in sentences alone and beside their "
                "translations", ge=0, le=1, source="Feng et al. 2022 start from such an encoder"),
    ] = 0.0  # fmt: skip
    mask_duplicates: Annotated[
        bool, Setting("pairs of the batch that share a sentence are no negatives of each other", advanced=True)
    ] = True


def additive_margin(
    source: "torch.Tensor", target: "torch.Tensor", margin: float, scale: float, same: "torch.Tensor | None" = None
) -> "torch.Tensor":
    """Cross-entropy of finding each sentence's translation in the batch by cosine, both directions added up.

    Args:
        source: (n, dim) sentences.
        target: (n, dim) their translations, row by row.
        margin: taken off a pair's own cosine.
        scale: multiplies the cosines.
        same: (n, n) rows and columns that are no negatives of each other; a pair itself always counts.

    Source: Feng et al. 2022, section 2.2, after Yang et al. 2019; a scale is not in the equation.
    """
    import torch
    from torch.nn.functional import cross_entropy, normalize

    if not len(source):
        return source.sum() + target.sum()
    own = torch.eye(len(source), dtype=torch.bool, device=source.device)
    logits = scale * (normalize(source, dim=1) @ normalize(target, dim=1).T - margin * own)
    if same is not None:
        logits = logits.masked_fill(same & ~own, OUT)
    wanted = torch.arange(len(source), device=source.device)
    return cross_entropy(logits, wanted) + cross_entropy(logits.T, wanted)


class Labse(Objective):
    """The objective; see `fit`."""

    reads_words = False
    reads_links = False

    def __init__(self, encoder: Encoder, settings: LabseSettings) -> None:
        self.layers = one_layer(encoder, settings.layers, "labse")
        self.settings, self.dim = settings, encoder.dim

    def prepare(self, material: Material) -> None:
        """Make the dense layer and, for a warm-up, the masked-LM head."""
        from torch import nn

        parts: Any = nn.ModuleDict()
        self._last = material.trainee.base.depth
        if self.settings.pooling == CLS:
            check_opening(material)
            parts["dense"] = nn.Linear(self.dim, self.dim)
        if self.settings.pretrain:
            self.head = MaskedLM(material)
            if self.head.module is not None:
                parts["masked"] = self.head.module
        self.module = parts.to(material.trainee.accelerator.device) if len(parts) else None

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        source, target = step.batch
        if self.head is not None and step.number <= round(self.settings.pretrain * step.steps):
            swap = step.rng.random() < 0.5
            first, second = (target, source) if swap else (source, target)
            return {
                "mlm": self.head.mlm(step, [*source, *target], self._last),
                "tlm": self.head.tlm(step, first, second, self._last),
            }
        x, y = (self._vectors(step, sides) for sides in (source, target))
        same = self._same(step) if self.settings.mask_duplicates else None
        return {"sentence": additive_margin(x, y, self.settings.margin, self.settings.scale, same)}

    def _vectors(self, step: Step, sides: Any) -> Any:
        """(sentences, dim) vectors of one side, behind the dense layer if there is one."""
        import torch

        states = step.run([side.ids for side in sides], self.layers)[self.layers[0]]
        found = sentence_vectors(states, sides, self.settings.pooling)
        return torch.tanh(self.module["dense"](found)) if self.settings.pooling == CLS else found

    def _same(self, step: Step) -> Any:
        """(n, n) pairs that share a sentence of either side, so that one's translation is also the other's."""
        import torch

        keys = [torch.from_numpy(sentence_keys(sides)) for sides in step.batch]
        return torch.stack([one[:, None] == one[None] for one in keys]).any(0).to(step.source_keys.device)


def fit(
    encoder: Encoder, data: AlignmentData, settings: LabseSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Fine-tune so that each sentence is nearer to its translation, by a margin, than to all others of the batch.

    In plain words: of all sentences of the batch in the other language, the translation should be the most similar
    one even after a margin is taken off its similarity; so translations end up clearly nearer, not just nearer.

        cos_ij = cosine(x_i, y_j),  s = scale,  m = margin
        L = - mean_i log e^(s (cos_ii - m)) / (e^(s (cos_ii - m)) + sum over j != i of e^(s cos_ij))
            + the same from y to x

    With `pretrain` the first steps predict masked subwords instead, in sentences alone (MLM) and beside their
    translations (TLM, either side first).

    Needs sentence pairs; word links are not read.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `LabseSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights; the dense layer is not kept.

    Raises:
        InputError: no usable pairs, `pooling=cls` with a tokenizer that has no opening token, or `pretrain` with one
            that has no mask token.
        IsoglossError: the loss is not finite.

    Source: after Feng, Yang, Cer, Arivazhagan and Wang 2022, Language-agnostic BERT sentence embedding, section 2:
    additive margin softmax with m = 0.3 both ways. There a new encoder of 109 languages is first trained by MLM and
    TLM with progressive stacking, then 50,000 steps with negatives from all accelerators (a global batch of 4,096
    pairs, from memory, unverified); here any encoder, LoRA by default, and the pairs of one step. The vector is
    [CLS], a dense layer with tanh and the L2 norm in the released port (`pooling=cls`); the default takes the mean
    over tokens without a dense layer, because that is what this program reads of an encoder. The scale and the
    masking of pairs that share a sentence are additions.
    Relatives: `ppa` contrasts with a queue of earlier sentences and needs no large batch; `contrastive` contrasts
    words; prefer this for sentence retrieval.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="labse",
    title="Dual encoder with a margin (LaBSE)",
    summary="Fine-tunes so that each sentence is nearer to its translation, by a margin, than to all others.",
    citation="Feng et al. 2022, ACL",
    fidelity=Fidelity.FROM_ABSTRACT,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.DEV}),
    fit=fit,
    settings=LabseSettings,
    objective=Labse,
)
