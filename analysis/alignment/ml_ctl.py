"""Contrast over sentences and over words, with or without the positive below the line, after ML-CTL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting
from analysis.training import losses
from analysis.training.objective import AnchoredSettings, Material, Objective, Step, Terms, anchors_of_states
from analysis.training.pooling import pool_words
from analysis.training.sentences import CLS, POOLINGS, alike, check_opening, sentence_keys, sentence_vectors
from analysis.training.settings import loss_layers

if TYPE_CHECKING:
    import torch

CZ, INFO = "cz_nce", "info_nce"


@dataclass(frozen=True)
class MlCtlSettings(AnchoredSettings):
    """Settings of the contrast on two levels; the paper's values are not known where no source is named."""

    pooling: Annotated[
        str,
        Setting("a sentence's vector: mean over its tokens, which is what is read of the encoder afterwards, or cls, the "
                "opening token", choices=POOLINGS),
    ] = "mean"  # fmt: skip
    sentence_loss: Annotated[
        str,
        Setting("contrast over sentences: cz_nce leaves the positive out of the denominator, info_nce keeps it",
                choices=(CZ, INFO), source="Chen et al. 2022, reconstructed"),
    ] = CZ  # fmt: skip
    word_loss: Annotated[
        str,
        Setting("contrast over linked words: cz_nce leaves the positive out of the denominator, info_nce keeps it",
                choices=(CZ, INFO), source="Chen et al. 2022, reconstructed"),
    ] = CZ  # fmt: skip
    alpha: Annotated[float, Setting("weight of the contrast over words; 0 switches it off", ge=0)] = 1.0
    temperature: Annotated[float, Setting("divides the cosines", ge=0.001)] = 0.1
    mask_duplicates: Annotated[
        bool,
        Setting("pairs that share a sentence, and links that share a word type, are no negatives of each other",
                advanced=True),
    ] = True  # fmt: skip


def cz_nce(
    queries: "torch.Tensor", candidates: "torch.Tensor", positive: "torch.Tensor", temperature: float,
    ignored: "torch.Tensor | None" = None,
) -> "torch.Tensor":  # fmt: skip
    """Cross-zero contrast: minus the positive's logit plus the log-sum-exp of the negatives, without the positive.

    Below 0 once the positive outweighs all negatives together; its gradient on the positive stays -1 / temperature,
    where that of InfoNCE goes to 0. A query without negatives does not count.

    Args:
        queries: (n, dim).
        candidates: (m, dim).
        positive: (n,) the index of each query's candidate.
        temperature: divides the cosines.
        ignored: (n, m) candidates that are no negatives of a query.

    Source: reconstructed from the abstract of Chen et al. 2022.
    """
    import torch
    from torch.nn.functional import normalize

    logits = normalize(queries, dim=1) @ normalize(candidates, dim=1).T / temperature
    out = torch.arange(logits.shape[1], device=logits.device)[None] == positive[:, None]
    out = out if ignored is None else out | ignored
    counted = torch.nonzero(~out.all(1)).flatten()
    if not len(counted):
        return logits.sum() * 0
    own = logits.gather(1, positive[:, None]).flatten()
    among = logits.index_select(0, counted).masked_fill(out.index_select(0, counted), float("-inf"))
    return (among.logsumexp(1) - own.index_select(0, counted)).mean()


LOSSES: dict[str, Callable[..., "torch.Tensor"]] = {CZ: cz_nce, INFO: losses.info_nce}


def both_ways(
    source: "torch.Tensor", target: "torch.Tensor", kind: str, temperature: float, same: "torch.Tensor"
) -> "torch.Tensor":
    """The mean of the contrasts from source to target and back, each row's positive being the same row over there.

    Args:
        source: (n, dim).
        target: (n, dim) the translations, row by row.
        kind: `cz_nce` or `info_nce`.
        temperature: divides the cosines.
        same: (n, n) symmetric, rows that are no negatives of each other.
    """
    import torch

    own = torch.arange(len(source), device=source.device)
    loss = LOSSES[kind]
    return (loss(source, target, own, temperature, same) + loss(target, source, own, temperature, same)) / 2


class MlCtl(Objective):
    """The objective; see `fit`."""

    reads_words = False

    def __init__(self, encoder: Encoder, settings: MlCtlSettings) -> None:
        self.layers = loss_layers(encoder, settings.layers)
        self.settings = settings
        self.reads_frozen = settings.reads_frozen
        self.reads_links = settings.alpha > 0

    def prepare(self, material: Material) -> None:
        """Refuse a sentence vector that the tokenizer does not give."""
        if self.settings.pooling == CLS:
            check_opening(material)

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        states = [step.run([side.ids for side in sides], self.layers) for sides in step.batch]
        keys = [sentence_keys(sides) for sides in step.batch]
        alike, linked = self._alike_sentences(step, keys), self._alike_links(step)
        terms: Terms = {}
        for layer in self.layers:
            vectors = [
                sentence_vectors(one[layer], sides, self.settings.pooling)
                for one, sides in zip(states, step.batch, strict=True)
            ]
            terms[f"sentence@{layer}"] = self._contrast(vectors, self.settings.sentence_loss, alike)
            if self.settings.alpha:
                words = [
                    pool_words(one[layer], sides).index_select(0, step.pairs[:, at])
                    for at, (one, sides) in enumerate(zip(states, step.batch, strict=True))
                ]
                terms[f"word@{layer}"] = self.settings.alpha * self._contrast(words, self.settings.word_loss, linked)
        return terms | anchors_of_states(step, states, self.settings, self.layers[-1])

    def _contrast(self, sides: Any, kind: str, same: Any) -> Any:
        """One level at one layer."""
        return both_ways(sides[0], sides[1], kind, self.settings.temperature, same) / len(self.layers)

    def _alike_sentences(self, step: Step, keys: Any) -> Any:
        """(pairs, pairs) which share a sentence; nothing where duplicates are not masked."""
        import torch

        found = [torch.from_numpy(one).to(step.source_keys.device) for one in keys]
        return alike(*found) & self.settings.mask_duplicates

    def _alike_links(self, step: Step) -> Any:
        """(links, links) which share a word or, where duplicates are masked, a word type."""
        i, j = step.pairs[:, 0], step.pairs[:, 1]
        found = alike(i, j)
        return found | alike(step.source_keys[i], step.target_keys[j]) if self.settings.mask_duplicates else found


def fit(
    encoder: Encoder, data: AlignmentData, settings: MlCtlSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Fine-tune so that each sentence finds its translation among those of the batch, and each linked word likewise.

    In plain words: two contrasts are added up, one over whole sentences and one over linked words. Each is either
    InfoNCE or its cross-zero variant CZ-NCE, in which the positive does not stand among what it is compared with:
    the loss then does not stop at 0 when a batch is easy, and goes on pulling.

        L = L_sentence + alpha * L_word,   s = cosine / temperature,   + the positive, - the negatives of the batch
        InfoNCE:  - log e^(s+) / (e^(s+) + sum e^(s-))
        CZ-NCE:   - log e^(s+) / sum e^(s-)

    Both levels go from the language to the anchor and back, and the two are averaged. Negatives are the other side's
    sentences, or linked words, of the batch.

    Needs sentence pairs; word links are made by the encoder where the data bring none. A pair without links counts for
    its sentences alone.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `MlCtlSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, `pooling=cls` with a tokenizer that has no opening token, or settings the encoder
            cannot follow.
        IsoglossError: the loss is not finite.

    Source: after Chen, Guo, Gu, Liu and Wang 2022, Multi-level contrastive learning for cross-lingual alignment,
    reconstructed: that there is a contrast on two levels, and that CZ-NCE crosses zero and is meant for small batches,
    is from the abstract; the exact form of CZ-NCE, alpha, the temperature, how words are paired and what a sentence's
    vector is are not known. They train multilingual BERT. Word links, the masking of duplicates and the mean over
    tokens are choices made here; so are the terms that hold on to the base, which are off.
    Relatives: `contrastive` contrasts words with all words of the batch; `labse` and `ppa` contrast sentences.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="ml_ctl",
    title="Contrast of sentences and words (ML-CTL)",
    summary="Fine-tunes so that sentences and linked words find their translations; the loss goes on below zero.",
    citation="Chen et al. 2022, ICASSP",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=MlCtlSettings,
    objective=MlCtl,
)
