"""What an objective sees of a step, and the regularisers that any objective can add."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from analysis.settings import Setting
from analysis.training import losses
from analysis.training.settings import TrainSettings

if TYPE_CHECKING:
    import torch

Terms = dict[str, "torch.Tensor"]


@dataclass(frozen=True)
class Step:
    """The vectors of one batch; sides are called source (the aligned language) and target (the anchor).

    Attributes:
        source: for each layer (words, dim) vectors of all words, with gradients.
        target: the anchor's words, with gradients.
        pairs: (links, 2) indices of linked words into the two.
        source_keys: (words,) word types: equal keys are the same case-folded word.
        target_keys: the same of the anchor's words.
        source_rows: (words,) the sentence of each word within the batch.
        target_rows: the same of the anchor's words.
        source_sentences: for each layer (sentences, dim) means over tokens.
        target_sentences: the same of the anchor's sentences.
        frozen: for each layer (words, dim) vectors of the anchor's words in the base; empty unless asked for.
        frozen_sentences: for each layer (sentences, dim) means of the anchor's sentences in the base.
        distance: gives the norm of the change of all weights.
    """

    source: "dict[int, torch.Tensor]"
    target: "dict[int, torch.Tensor]"
    pairs: "torch.Tensor"
    source_keys: "torch.Tensor"
    target_keys: "torch.Tensor"
    source_rows: "torch.Tensor"
    target_rows: "torch.Tensor"
    source_sentences: "dict[int, torch.Tensor]" = field(default_factory=dict)
    target_sentences: "dict[int, torch.Tensor]" = field(default_factory=dict)
    frozen: "dict[int, torch.Tensor]" = field(default_factory=dict)
    frozen_sentences: "dict[int, torch.Tensor]" = field(default_factory=dict)
    distance: "Callable[[], torch.Tensor] | None" = None

    def linked(self, layer: int) -> "tuple[torch.Tensor, torch.Tensor]":
        """(links, dim) vectors of the linked words of both sides."""
        return self.source[layer].index_select(0, self.pairs[:, 0]), self.target[layer].index_select(
            0, self.pairs[:, 1]
        )


class Objective(Protocol):
    """From a step to the weighted terms whose sum is minimised.

    Attributes:
        layers: hidden layers whose vectors it reads.
        reads_frozen: whether it reads the base's vectors.
        module: trained parts of its own that no encoder keeps (a projector), or None.
    """

    layers: tuple[int, ...]
    reads_frozen: bool
    module: Any

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of the loss by name."""
        ...


@dataclass(frozen=True)
class AnchoredSettings(TrainSettings):
    """Settings of what keeps an encoder from forgetting; weights of 0 switch a term off."""

    distil: Annotated[
        float,
        Setting("weight of distilling sentences: both languages' mean vector is drawn to the anchor's in the base", ge=0,
                source="Reimers and Gurevych 2020"),
    ] = 0.0  # fmt: skip
    anchor_words: Annotated[
        float, Setting("weight of holding the anchor's words where the base has them", ge=0, source="Cao et al. 2020")
    ] = 0.0
    anchor_relations: Annotated[
        float,
        Setting("weight of keeping the anchor's words' neighbours, wherever they move", ge=0,
                source="after relational distillation, Park et al. 2019"),
    ] = 0.0  # fmt: skip
    anchor_weights: Annotated[
        float,
        Setting("weight of the norm of what changed in the weights", ge=0, source="Wu and Dredze 2020", advanced=True),
    ] = 0.0

    @property
    def reads_frozen(self) -> bool:
        """Whether some term needs the base's vectors."""
        return bool(self.distil or self.anchor_words or self.anchor_relations)


def anchors(step: Step, settings: AnchoredSettings, layer: int) -> Terms:
    """The terms that hold on to the base, weighted.

    Args:
        step: the batch, with the base's vectors.
        settings: the weights.
        layer: the layer that is held, the last one that the loss compares.
    """
    terms: Terms = {}
    if settings.distil:
        held = step.frozen_sentences[layer]
        parts = [losses.relative_error(side[layer], held) for side in (step.source_sentences, step.target_sentences)]
        terms["distil"] = settings.distil * (parts[0] + parts[1])
    if settings.anchor_words:
        terms["anchor words"] = settings.anchor_words * losses.relative_error(step.target[layer], step.frozen[layer])
    if settings.anchor_relations:
        terms["anchor relations"] = settings.anchor_relations * losses.relation(
            step.target[layer], step.frozen[layer], RELATION_TEMPERATURE
        )
    if settings.anchor_weights and step.distance is not None:
        terms["anchor weights"] = settings.anchor_weights * step.distance()
    return terms


RELATION_TEMPERATURE = 0.05
