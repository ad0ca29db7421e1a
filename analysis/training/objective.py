"""What an objective is and what it sees of a step, and the regularisers that any objective can add."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.encoders.tuned import TunedEncoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.settings import Setting
from analysis.text.corpus import Sentence
from analysis.training import losses
from analysis.training.examples import Examples, Side
from analysis.training.pooling import pool_sentences, pool_words
from analysis.training.settings import TrainSettings
from analysis.training.trainee import Trainee

if TYPE_CHECKING:
    import torch

    from analysis.text.dictionary import Dictionary

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
        batch: the source and the target side of every pair, as the network reads them.
        links: for each pair the (links, 2) positions of its linked words.
        given: for each pair whether its links came with the data; () where no links are read.
        languages: for each pair its language.
        rows: (pairs,) their indices among all examples.
        number: of the step, counted from 1.
        steps: of the whole run.
        rng: random numbers of this very step, the same when a run is resumed.
        states: runs the network that trains: `states(ids, layers)` with gradients, as `Trainee.states`.
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
    batch: tuple[Sequence[Side], Sequence[Side]] = ((), ())
    links: Sequence[np.ndarray] = ()
    given: Sequence[bool] = ()
    languages: Sequence[str] = ()
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    number: int = 1
    steps: int = 1
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    states: "Callable[[Sequence[np.ndarray], Sequence[int]], dict[int, torch.Tensor]] | None" = None

    def run(self, ids: Sequence[np.ndarray], layers: Sequence[int]) -> "dict[int, torch.Tensor]":
        """Hidden states of any token sequences in the network that trains, with gradients.

        Args:
            ids: input ids of each sequence, special tokens included.
            layers: the layers wanted.

        Returns:
            For each layer (sequences, longest, dim).
        """
        if self.states is None:
            raise TypeError("this step was made without a network to run")
        return self.states(ids, layers)

    def linked(self, layer: int) -> "tuple[torch.Tensor, torch.Tensor]":
        """(links, dim) vectors of the linked words of both sides."""
        return self.source[layer].index_select(0, self.pairs[:, 0]), self.target[layer].index_select(
            0, self.pairs[:, 1]
        )


@dataclass(frozen=True)
class Material:
    """What an objective is given once, before the first step.

    Attributes:
        encoder: the base.
        trainee: the network that trains.
        examples: all pairs, or the text of an objective that reads text.
        monolingual: sentences without translation by language, as they were given.
        dictionaries: word translations, either language first.
        settings: of the method.
        seed: of everything random.
        job: told what is being done; None where a step is only timed, so that nothing long may be computed.
    """

    encoder: Encoder
    trainee: Trainee
    examples: Examples
    monolingual: Mapping[str, tuple[Sentence, ...]]
    dictionaries: "tuple[Dictionary, ...]"
    settings: TrainSettings
    seed: int
    job: Job | None = None


class Objective:
    """From a step to the weighted terms whose sum is minimised; methods derive theirs from it.

    Attributes:
        layers: hidden layers whose vectors it reads; the last one is watched during the run.
        reads_frozen: whether it reads the base's vectors of the anchor's side.
        reads_words: whether a step brings word and sentence vectors of both sides at `layers`; an objective that runs
            sequences of its own (`Step.run`) saves the time.
        reads_links: whether it reads word links.
        drops_unlinked: whether pairs without a link between words are left out before the first step.
        reads_text: whether it trains on text of any language without translations; the examples are then sentences,
            each of them on both sides.
        module: a `torch.nn.Module` of trained parts and buffers of its own that no encoder keeps (a projector, a
            queue), or None; it is in every checkpoint, so its buffers change in place and keep their shapes.
        head: the `MaskedLM` that predicts masked subwords, where `prepare` has made one.
    """

    layers: tuple[int, ...] = ()
    reads_frozen: bool = False
    reads_words: bool = True
    reads_links: bool = True
    drops_unlinked: bool = False
    reads_text: bool = False
    module: Any = None
    head: Any = None

    def prepare(self, material: Material) -> None:
        """Make what needs the network or the text; called once, before the first step and before a resumed one."""

    def batches(self, examples: Examples, settings: TrainSettings, *, seed: int, epoch: int) -> list[np.ndarray]:
        """The pairs of each step of an epoch; see `analysis.training.batches.epoch_batches`."""
        from analysis.training.batches import epoch_batches

        return epoch_batches(examples, settings, seed=seed, epoch=epoch)

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of the loss by name."""
        raise NotImplementedError

    def after(self, step: Step) -> None:
        """What follows the optimiser's step, such as a queue or a moving average; without gradients."""


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
    anchor_to: Annotated[
        str,
        Setting("which encoder distil, anchor_words and anchor_relations hold on to: the one that training starts from, or, "
                "where an aligned encoder is trained once more, the first base below it; anchor_weights knows the start only",
                choices=("start", "first"), advanced=True),
    ] = "start"  # fmt: skip

    @property
    def reads_frozen(self) -> bool:
        """Whether some term needs the base's vectors."""
        return bool(self.distil or self.anchor_words or self.anchor_relations)


def held_encoder(encoder: Encoder, settings: TrainSettings) -> Encoder:
    """The encoder that a run's anchors hold on to: the one it starts from, or the first base below that.

    Args:
        encoder: the one that training starts from.
        settings: of the method; `anchor_to` where it has anchors.

    Raises:
        InputError: an anchor of weights that is to hold on to another encoder than the start.
    """
    if not isinstance(settings, AnchoredSettings) or settings.anchor_to == "start":
        return encoder
    if settings.anchor_weights:
        raise InputError("anchor_weights holds on to the start of training; leave anchor_to=start or anchor_weights=0")
    while isinstance(encoder, TunedEncoder):
        encoder = encoder.base_encoder
    return encoder


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


def anchors_of_states(
    step: Step, states: "Sequence[Mapping[int, torch.Tensor]]", settings: AnchoredSettings, layer: int
) -> Terms:
    """The terms that hold on to the base, for an objective that has run the two sides itself.

    Args:
        step: the batch, with the base's vectors.
        states: hidden states of the source and of the target side, by layer.
        settings: the weights.
        layer: the layer that is held.
    """
    source, target = step.batch
    seen = replace(
        step, target={layer: pool_words(states[1][layer], target)},
        source_sentences={layer: pool_sentences(states[0][layer], source)},
        target_sentences={layer: pool_sentences(states[1][layer], target)},
    )  # fmt: skip
    return anchors(seen, settings, layer)


RELATION_TEMPERATURE = 0.05
