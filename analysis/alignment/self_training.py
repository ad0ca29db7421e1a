"""Self-training of word alignment: links that the encoder already sees are made surer (Dou and Neubig 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training import subwords
from analysis.training.examples import Side
from analysis.training.masked_lm import MaskedLM, MaskedSettings
from analysis.training.masking import join_sides
from analysis.training.objective import AnchoredSettings, Material, Objective, Step, Terms, anchors_of_states
from analysis.training.pooling import pool_tokens
from analysis.training.settings import loss_layers


@dataclass(frozen=True)
class SelfTrainingSettings(AnchoredSettings, MaskedSettings):
    """Settings of the self-training; each weight of 0 switches a term off."""

    layers: Annotated[
        str,
        Setting("layers the loss compares: numbers, link (the encoder's own layer for word links), last, middle (two "
                "thirds of the depth), or all", source="Dou and Neubig 2021: layer 8 of 12"),
    ] = "link,last"  # fmt: skip
    self_training: Annotated[
        float, Setting("weight of making links surer that are there", ge=0, source="Dou and Neubig 2021, section 2.3")
    ] = 1.0
    consistency: Annotated[
        float,
        Setting("weight of the agreement of the two directions", ge=0, source="Dou and Neubig 2021, optional there"),
    ] = 0.0
    tlm: Annotated[
        float,
        Setting("weight of predicting masked subwords beside the translation", ge=0,
                source="Dou and Neubig 2021: on there"),
    ] = 0.0  # fmt: skip
    mlm: Annotated[
        float,
        Setting("weight of predicting masked subwords of both languages without the translation", ge=0,
                source="Dou and Neubig 2021: on there"),
    ] = 0.0  # fmt: skip
    identification: Annotated[
        float,
        Setting("weight of telling joined translations from joined strangers at the opening token", ge=0,
                source="Dou and Neubig 2021: on there, from memory, unverified"),
    ] = 0.0  # fmt: skip
    teacher: Annotated[
        str,
        Setting("who says which subwords are linked: live is the network as it is now, frozen the base, given the word "
                "links of the data (else own ones, see links), spread over all subwords of the two words",
                choices=("live", "frozen", "given"), source="live: Dou and Neubig 2021, as coded"),
    ] = "live"  # fmt: skip
    teacher_layer: Annotated[
        str,
        Setting("layer whose links a teacher gives: same is each compared layer for itself, link is link_layer for "
                "all of them", choices=("same", "link"), source="Dou and Neubig 2021 compare one layer"),
    ] = "link"  # fmt: skip
    similarity: Annotated[
        str,
        Setting("what the softmax is taken of; with dot, a temperature of 1 and a threshold of 0.001 are the paper's",
                choices=("cosine", "dot"), source="Dou and Neubig 2021: dot"),
    ] = "cosine"  # fmt: skip
    temperature: Annotated[
        float, Setting("divides the similarities before the softmax", ge=1e-4, source="1 over dot products there")
    ] = 0.01
    threshold: Annotated[
        float,
        Setting("subwords are linked where both probabilities exceed this", ge=0, le=1, source="0.001 there"),
    ] = 0.1  # fmt: skip
    distil: Annotated[
        float,
        Setting("weight of distilling sentences: both languages' mean vector is drawn to the anchor's in the base", ge=0,
                source="Reimers and Gurevych 2020"),
    ] = 5.0  # fmt: skip
    anchor_relations: Annotated[
        float,
        Setting("weight of keeping the anchor's words' neighbours, wherever they move", ge=0,
                source="after relational distillation, Park et al. 2019"),
    ] = 2.0  # fmt: skip
    lr: Annotated[float, Setting("peak learning rate; 2e-5 for all weights there, from memory", ge=1e-9)] = 3e-4
    join: Annotated[
        int, Setting("join this many sentence pairs into one, so that short ones have context", ge=1, advanced=True)
    ] = 3


class SelfTraining(Objective):
    """The objective; see `fit`."""

    reads_words = False

    def __init__(self, encoder: Encoder, settings: SelfTrainingSettings) -> None:
        stored = encoder.link_defaults.layer
        self.link_layer = settings.link_layer if settings.link_layer >= 0 else stored
        wanted = settings.layers.replace(" ", ",").split(",")
        named = ",".join(str(self.link_layer) if part == "link" else part for part in wanted)
        self.layers = loss_layers(encoder, named)
        encoder.check_layers([self.link_layer])
        self.settings, self.reads_frozen = settings, settings.reads_frozen
        self.reads_links = settings.teacher == "given" and settings.self_training > 0
        subwords.check_whole_words(settings, self.reads_links)
        self.module: Any = None
        weights = ("self_training", "consistency", "tlm", "mlm", "identification")
        if not any(getattr(settings, name) for name in weights):
            raise InputError(f"all terms are switched off; give one of these a weight above 0: {', '.join(weights)}")

    def prepare(self, material: Material) -> None:
        """Make the heads that the chosen terms need."""
        from torch import nn

        parts: dict[str, Any] = {}
        self._trainee, self._last = material.trainee, material.trainee.base.depth
        if self.settings.tlm or self.settings.mlm:
            self.head = MaskedLM(material)
            if self.head.module is not None:
                parts["head"] = self.head.module
        if self.settings.identification:
            parts["identification"] = _classifier(material.encoder.dim)
        self.module = nn.ModuleDict(parts).to(material.trainee.accelerator.device) if parts else None

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        terms = self._compared(step)
        source, target = step.batch
        if self.settings.tlm:
            terms["tlm"] = self.settings.tlm * self.head.tlm(step, source, target, self._last)
        if self.settings.mlm:
            both = [self.head.mlm(step, side, self._last) for side in (source, target)]
            terms["mlm"] = self.settings.mlm * (both[0] + both[1]) / 2
        if self.settings.identification:
            terms["identification"] = self.settings.identification * self._identification(step)
        return terms

    def _compared(self, step: Step) -> Terms:
        """What reads the two sentences apart from each other: links, agreement, and what holds on to the base."""
        settings = self.settings
        held = settings.reads_frozen or settings.anchor_weights
        if not (settings.self_training or settings.consistency or held):
            return {}
        live = settings.teacher == "live" and settings.teacher_layer == "link"
        wanted = sorted({*self.layers, self.link_layer} if live and settings.self_training else self.layers)
        states = [step.run([side.ids for side in sides], wanted) for sides in step.batch]
        masks = _masks(step, [one[wanted[0]] for one in states])
        chances = {layer: self._chances([one[layer] for one in states], masks) for layer in wanted}
        terms: Terms = {}
        links = self._links(step, chances, masks) if settings.self_training else {}
        for layer in self.layers:
            if settings.self_training:
                loss = subwords.self_training(*chances[layer], links[layer], *masks)
                terms[f"links@{layer}"] = settings.self_training * loss / len(self.layers)
            if settings.consistency:
                loss = subwords.consistency(*chances[layer], *masks)
                terms[f"consistency@{layer}"] = settings.consistency * loss / len(self.layers)
        return terms | (anchors_of_states(step, states, settings, self.layers[-1]) if held else {})

    def _chances(self, states: Sequence[Any], masks: Sequence[Any]) -> tuple[Any, Any]:
        """The two softmaxes of a layer."""
        settings = self.settings
        return subwords.two_softmaxes(
            *states, *masks, temperature=settings.temperature, cosine=settings.similarity == "cosine"
        )

    def _links(self, step: Step, chances: dict[int, Any], masks: Sequence[Any]) -> dict[int, Any]:
        """For each compared layer the (pairs, m, n) links that its probabilities are to follow."""
        settings = self.settings
        if settings.teacher == "given":
            shape = (masks[0].shape[1], masks[1].shape[1])
            spread = subwords.linked_subwords(step.links, *step.batch, shape, masks[0].device)
            return dict.fromkeys(self.layers, spread)
        asked = [self.link_layer] if settings.teacher_layer == "link" else list(self.layers)
        if settings.teacher == "frozen":
            chances = self._base_chances(step, asked, masks)
        found = {}
        for layer in asked:
            forward, backward = chances[layer]
            found[layer] = subwords.mutual(forward, backward, settings.threshold)
        return {layer: found[asked[0] if len(asked) == 1 else layer] for layer in self.layers}

    def _base_chances(self, step: Step, layers: Sequence[int], masks: Sequence[Any]) -> dict[int, Any]:
        """The two softmaxes in the base."""
        import torch

        trainee = self._trainee
        with torch.no_grad(), trainee.frozen.lock, trainee.accelerator.autocast():
            states = [trainee.frozen.states([side.ids for side in sides], layers) for sides in step.batch]
        return {layer: self._chances([one[layer] for one in states], masks) for layer in layers}

    def _identification(self, step: Step) -> Any:
        """Cross-entropy of telling translations from strangers, half of each."""
        import torch
        from torch.nn.functional import cross_entropy

        joined, same = joined_or_not(*step.batch, step.rng)
        limit = self._trainee.base.limit
        states = step.run([side.ids[:limit] for side in joined], [self._last])[self._last]
        opening = pool_tokens(states, np.arange(len(joined)), np.zeros(len(joined), np.int64))
        scores = self.module["identification"].to(states.device)(opening)
        return cross_entropy(scores, torch.from_numpy(same.astype(np.int64)).to(states.device))


def joined_or_not(
    first: Sequence[Side], second: Sequence[Side], rng: np.random.Generator
) -> tuple[list[Side], np.ndarray]:
    """Every sentence joined with its translation or, half of them, with that of another sentence of the batch.

    Args:
        first: the sentences that come first.
        second: their translations.
        rng: draws.

    Returns:
        The joined sequences and (pairs,) whether each is a translation; an equal sentence elsewhere is one too.
    """
    count = len(first)
    drawn = np.arange(count)
    strangers = rng.permutation(count)[: count // 2]
    drawn[strangers] = (strangers + rng.integers(1, max(2, count), len(strangers))) % count
    other: list[int] = drawn.tolist()
    same = [np.array_equal(second[at].ids, second[row].ids) for row, at in enumerate(other)]
    return [join_sides(one, second[at]) for one, at in zip(first, other, strict=True)], np.array(same, bool)


def _masks(step: Step, states: Sequence[Any]) -> list[Any]:
    """For each side which columns hold subwords."""
    both = zip(step.batch, states, strict=True)
    return [subwords.content_mask(sides, one.shape[1], one.device) for sides, one in both]


def _classifier(dim: int) -> Any:
    """A linear map, GELU, a norm and two scores."""
    from torch import nn

    return nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim), nn.Linear(dim, 2))


def fit(
    encoder: Encoder, data: AlignmentData, settings: SelfTrainingSettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Fine-tune so that the encoder is surer of the word links that it sees already.

    In plain words: in every sentence pair each subword spreads its attention over the subwords of the translation by
    a softmax, from both sides. Where both sides see each other clearly enough, that is taken for a link, and the
    network is trained to put all of the attention there. Nobody needs to give word links.

        p_s, p_t = softmax of H_s H_t^T / temperature over target and over source;  A = (p_s > c) and (p_t > c)
        L = -mean over pairs of ( sum(p_s * A) / len_s + sum(p_t * A) / len_t )
            + consistency * -mean of tr(p_s p_t^T) / min(len_s, len_t)  +  tlm * L_TLM  +  mlm * L_MLM
            + identification * cross-entropy of (translation or stranger) at the joined pair's opening token

    Needs sentence pairs. Word links are read with `teacher=given` only, and made by the encoder where the data bring
    none. `tlm` and `mlm` need a mask token.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `SelfTrainingSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, no term, or settings the encoder cannot follow.
        IsoglossError: the loss is not finite.

    Source: Dou and Neubig 2021, Word alignment by fine-tuning embeddings on parallel corpora, section 2.3. Checked
    against the authors' code: the two softmaxes without special tokens, the threshold, the self-training and the
    consistency term. From memory, unverified: TLM, MLM and the identification of parallel sentences, which are on
    there and off here; the classifier's form is made up. As there: `layers=8 similarity=dot temperature=1
    threshold=0.001 teacher_layer=same join=1 distil=0 anchor_relations=0 tlm=1 mlm=1 identification=1 adapter=full`.
    Here cosines over a small temperature, because dot products of unit-like vectors are all alike; links that are
    read off the encoder's best layer and followed by every compared layer; LoRA; joined pairs; and terms that hold on
    to the base (without them links gain more and sentences drift) are additions.
    Relatives: `contrastive` compares whole words with all words of the batch, so that words of other sentences are
    pushed away as well: prefer it for retrieval, this one for links.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="self_training",
    title="Self-training on links (awesome-align)",
    summary="Fine-tunes so that subwords which see each other across a sentence pair do so more surely.",
    citation="Dou and Neubig 2021, EACL",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=SelfTrainingSettings,
    objective=SelfTraining,
)
