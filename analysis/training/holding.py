"""Holding an encoder where its base is while it learns from text of single sentences."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from analysis.settings import Setting
from analysis.training import losses
from analysis.training.masked_lm import MaskedSettings
from analysis.training.objective import Material, Step
from analysis.training.pooling import pool_sentences

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class HeldSettings(MaskedSettings):
    """Settings of what predicts masked subwords and may hold on to its base."""

    distil: Annotated[
        float,
        Setting("weight of holding each sentence's mean vector where the base has it; 0 for an encoder from scratch",
                ge=0, source="after Reimers and Gurevych 2020; not in the paper"),
    ] = 5.0  # fmt: skip


def moved(material: Material, step: Step, layer: int) -> "torch.Tensor":
    """How far the means of a batch's sentences have moved from the base's, in units of their squared length.

    Args:
        material: of the run, with both networks.
        step: its sentences, and the network that trains.
        layer: whose states are compared.
    """
    import torch

    sides = step.batch[0]
    ids = [side.ids for side in sides]
    trainee = material.trainee
    with torch.no_grad(), trainee.frozen.lock, trainee.accelerator.autocast():
        held = pool_sentences(trainee.frozen.states(ids, [layer])[layer], sides)
    return losses.relative_error(pool_sentences(step.run(ids, [layer])[layer], sides), held)
