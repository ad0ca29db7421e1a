"""Words, sentences and links at once: contrasts over words and sentences, and links that each ask for their share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from analysis.alignment.contrastive import Contrastive, ContrastiveSettings
from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training import losses, subwords
from analysis.training.objective import Material, Objective, Step, Terms
from analysis.training.pooling import pool_sentences, pool_words
from analysis.training.sentences import alike, sentence_keys


@dataclass(frozen=True)
class CombinedSettings(ContrastiveSettings):
    """Settings of the combination; each weight of 0 switches a term off."""

    words: Annotated[float, Setting("weight of the contrast over words", ge=0)] = 1.0
    sentences: Annotated[float, Setting("weight of the contrast over mean vectors of sentences", ge=0)] = 0.2
    given_links: Annotated[
        float, Setting("weight of the links that come with the data, each asking for its share", ge=0)
    ] = 1.0
    own_links: Annotated[
        float, Setting("weight of the links that the encoder sees itself, where the data bring none", ge=0)
    ] = 0.0
    links_temperature: Annotated[float, Setting("divides the cosines of subwords that are to be linked", ge=1e-4)] = (
        0.02
    )
    one_to_one: Annotated[
        bool,
        Setting("keep only words that occur in one link; the contrast over words always does", advanced=True),
    ] = False


class Combined(Objective):
    """The objective; see `fit`."""

    reads_words = False

    def __init__(self, encoder: Encoder, settings: CombinedSettings) -> None:
        self.contrast = Contrastive(encoder, settings)
        self.layers, self.module = self.contrast.layers, self.contrast.module
        self.settings, self.reads_frozen = settings, settings.reads_frozen
        self.link_layer = settings.link_layer if settings.link_layer >= 0 else encoder.link_defaults.layer
        encoder.check_layers([self.link_layer])
        weights = ("words", "sentences", "given_links", "own_links")
        if not any(getattr(settings, name) for name in weights):
            raise InputError(f"all terms are switched off; give one of these a weight above 0: {', '.join(weights)}")
        subwords.check_whole_words(settings, bool(settings.given_links or settings.own_links))

    def prepare(self, material: Material) -> None:
        """Say so where no link came with the data, and refuse where nothing is left to learn from.

        Raises:
            InputError: only given links were asked for.
        """
        settings = self.settings
        if settings.given_links and not any(material.examples.given) and material.job is not None:
            if not (settings.words or settings.sentences or settings.own_links):
                raise InputError(
                    "no word links came with the data; give --links FILE, corpus:bible or corpus:tanakh, or a weight to words"
                )
            material.job.say("no word links came with the data, so the term given_links has nothing to teach")

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        settings = self.settings
        linking = bool(settings.given_links or settings.own_links)
        wanted = sorted({*self.layers, self.link_layer} if linking else self.layers)
        states = [step.run([side.ids for side in sides], wanted) for sides in step.batch]
        terms = self.contrast(self._seen(step, states))
        for name in [name for name in terms if name.startswith(("contrast@", "within@"))]:
            terms[name] = settings.words * terms[name]
        if settings.sentences:
            terms["sentences"] = settings.sentences * self._sentences(step, states)
        if linking:
            terms |= self._links(step, [one[self.link_layer] for one in states])
        return terms

    def _seen(self, step: Step, states: Sequence[Any]) -> Step:
        """The step as the contrast over words reads it: pooled, with the links of words that have no other."""
        words, sentences = (
            [{layer: pool(one[layer], sides) for layer in self.layers} for one, sides in zip(states, step.batch, strict=True)]
            for pool in (pool_words, pool_sentences)
        )  # fmt: skip
        return replace(
            step, source=words[0], target=words[1], source_sentences=sentences[0], target_sentences=sentences[1],
            pairs=lone(step.pairs),
        )  # fmt: skip

    def _sentences(self, step: Step, states: Sequence[Any]) -> Any:
        """The contrast over sentences at the last layer."""
        import torch

        last = self.layers[-1]
        vectors = [pool_sentences(one[last], sides) for one, sides in zip(states, step.batch, strict=True)]
        device = vectors[0].device
        same = alike(*(torch.from_numpy(sentence_keys(sides)).to(device) for sides in step.batch))
        own = torch.arange(len(vectors[0]), device=device)
        found = [losses.info_nce(a, b, own, self.settings.temperature, same) for a, b in (vectors, vectors[::-1])]
        return (found[0] + found[1]) / 2

    def _links(self, step: Step, states: Sequence[Any]) -> Terms:
        """What linked subwords lack of their share, of pairs with given links and of those without."""
        import torch

        masks = [
            subwords.content_mask(sides, one.shape[1], one.device)
            for sides, one in zip(step.batch, states, strict=True)
        ]
        chances = subwords.two_softmaxes(*states, *masks, temperature=self.settings.links_temperature)
        given = torch.tensor(step.given or [True] * len(step.links), dtype=torch.float32, device=states[0].device)[
            :, None, None
        ]
        shape = (masks[0].shape[1], masks[1].shape[1])
        terms: Terms = {}
        if self.settings.given_links:
            links = subwords.linked_subwords(step.links, *step.batch, shape, given.device) * given
            links = links * (masks[0][:, :, None] & masks[1][:, None])  # special tokens are linked, and are no subwords
            terms["given links"] = self.settings.given_links * subwords.shared_links(*chances, links)
        if self.settings.own_links:
            with torch.no_grad():
                links = (((chances[0] + chances[1]) / 2 > OWN_THRESHOLD).to(given.dtype) * (1 - given)).detach()
            terms["own links"] = self.settings.own_links * subwords.shared_links(*chances, links)
        return terms


OWN_THRESHOLD = 0.5  # of the mean of both directions' probabilities


def lone(pairs: Any) -> Any:
    """The links of words that have one only.

    Args:
        pairs: (links, 2) indices of linked words.
    """
    import torch

    once = [torch.bincount(side)[side] == 1 if len(side) else side.bool() for side in (pairs[:, 0], pairs[:, 1])]
    return pairs[once[0] & once[1]]


def fit(
    encoder: Encoder, data: AlignmentData, settings: CombinedSettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Fine-tune words, sentences and links together.

    In plain words: the contrast of `contrastive` draws every word to its translation, a contrast of the same kind does
    so with whole sentences, and at the layer that links are read from, every linked subword is to spread its attention
    evenly over what it is linked with. Links that people made teach what no encoder sees by itself: that one word can
    stand for several, as an inflected one does for an article, a preposition and a noun. What is learned from one pair
    of languages holds in others.

        L = words * L_contrast + sentences * L_InfoNCE(means) + given_links * L_links + what holds on to the base
        L_links = mean over linked subwords i of  - sum_j A_ij / sum_j A_ij * log p_ij,  both ways, and their mean
        p = softmax of the cosines at the link layer / links_temperature

    Needs sentence pairs. Links that come with the data (`corpus:bible`, `corpus:tanakh`, or `--links`) are read as they
    are, several a word; for the contrast over words, links of words that have one only. Where data bring none, the
    encoder's own.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `CombinedSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, or settings the encoder cannot follow.
        IsoglossError: the loss is not finite.

    Source: put together here: the contrast over words of Wu and Dredze 2020 (see `contrastive`), one over sentences as
    in ML-CTL (Chen et al. 2022, see `ml_ctl`), and the two softmaxes of Dou and Neubig 2021 (see `self_training`), with
    a cross-entropy against links made by people in place of their self-training. The weights were chosen on development
    data (docs/results.md).
    Relatives: `contrastive` is this without sentences and links; prefer it where no links are at hand.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="combined",
    title="Words, sentences and links together",
    summary="Fine-tunes words, sentences and word links at once; learns from links that people made.",
    citation="after Wu and Dredze 2020, Chen et al. 2022, Dou and Neubig 2021",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=CombinedSettings,
    objective=Combined,
)
