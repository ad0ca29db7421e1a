"""Masked language modelling while the input embeddings of a dictionary's words are drawn together (ALIGN-MLM)."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training.holding import HeldSettings, moved
from analysis.training.lexicon import WordPair, covered_by
from analysis.training.masked_lm import MaskedLM
from analysis.training.objective import Material, Objective, Step, Terms


@dataclass(frozen=True)
class AlignMLMSettings(HeldSettings):
    """Settings of ALIGN-MLM."""

    weight: Annotated[
        float, Setting("weight of the mean cosine of a dictionary's word pairs; 0 leaves plain masked language "
                       "modelling", ge=0, source="10: Tang et al. 2022, as coded")
    ] = 10.0  # fmt: skip
    mlm: Annotated[float, Setting("weight of masked language modelling", ge=0, source="Tang et al. 2022: 1")] = 1.0
    single_piece: Annotated[
        bool, Setting("only entries whose two words are one subword each", source="Tang et al. 2022")
    ] = False
    embeddings: Annotated[
        bool, Setting("train the embeddings of subwords, without which no pair of words comes nearer", advanced=True)
    ] = True
    lr: Annotated[
        float, Setting("peak learning rate; 1e-4 there for all weights, LoRA needs more", ge=1e-9)
    ] = 5e-4  # fmt: skip


class AlignMLM(Objective):
    """The objective; see `fit`."""

    reads_words = False
    reads_links = False
    reads_text = True

    def __init__(self, encoder: Encoder, settings: AlignMLMSettings) -> None:
        self.layers = (encoder.depth,)
        self.settings = settings
        self.module: Any = None
        if settings.layers != "last":
            raise InputError(f"layers={settings.layers!r} cannot be followed; align_mlm fills masks at the last: last")
        if settings.weight and not settings.embeddings:
            raise InputError(
                "embeddings=false leaves the dictionary nothing to move; give embeddings=true, or weight=0 to do without"
            )
        if not (settings.weight or settings.mlm):
            raise InputError("both terms are switched off; give weight or mlm a value above 0")

    def prepare(self, material: Material) -> None:
        """Cut the dictionary into subwords and make the masked-LM head."""
        self._material = material
        self.pairs = covered_by(material, single_piece=self.settings.single_piece)
        self._bags = _bags(self.pairs)
        if self.settings.mlm:
            self.head = MaskedLM(material)
            if self.head.module is not None:
                self.module = self.head.module.to(material.trainee.accelerator.device)

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        sides, layer = step.batch[0], self.layers[-1]
        terms: Terms = {}
        if self.head is not None:
            terms["mlm"] = self.settings.mlm * self.head.mlm(step, sides, layer)
        if self.settings.weight:
            terms["embeddings"] = -self.settings.weight * self.cosine()
        if self.settings.distil:
            terms["distil"] = self.settings.distil * moved(self._material, step, layer)
        return terms

    def cosine(self) -> Any:
        """The mean cosine of all word pairs of the dictionary, now."""
        return mean_cosine(self._material.trainee.live.network.get_input_embeddings(), self._bags)


Bags = tuple[tuple[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def mean_cosine(table: Any, bags: Bags) -> Any:
    """The mean over word pairs of the cosine of the means of their subwords' embeddings.

    Args:
        table: maps (pieces,) ids to (pieces, dim) embeddings, with gradients.
        bags: of `_bags`.

    Source: Tang et al. 2022, section 3; there each word is one subword.
    """
    import torch
    from torch.nn.functional import cosine_similarity

    first, second, pieces = bags
    # Each subword is looked up once, however many words hold it.
    rows = table(torch.from_numpy(pieces).to(table.weight.device)).float()
    means = []
    for place, word, weight in (first, second):
        parts = rows.index_select(0, torch.from_numpy(place).to(rows.device))
        parts = parts * torch.from_numpy(weight).to(rows.device)[:, None]
        empty = torch.zeros(int(word[-1]) + 1, rows.shape[1], device=rows.device)
        means.append(empty.index_add(0, torch.from_numpy(word).to(rows.device), parts))
    return cosine_similarity(means[0], means[1], dim=1, eps=1e-6).mean()


def _bags(pairs: tuple[WordPair, ...]) -> Bags:
    """For both words of all pairs the place of each subword in the list of all subwords, its word and its share."""
    pieces = np.unique([piece for pair in pairs for side in pair.pieces for piece in side]).astype(np.int64)
    sides = []
    for side in (0, 1):
        counts = np.array([len(pair.pieces[side]) for pair in pairs])
        flat = np.array([piece for pair in pairs for piece in pair.pieces[side]], np.int64)
        word = np.repeat(np.arange(len(pairs)), counts)
        sides.append((np.searchsorted(pieces, flat), word, (1 / counts[word]).astype(np.float32)))
    return sides[0], sides[1], pieces


def fit(
    encoder: Encoder, data: AlignmentData, settings: AlignMLMSettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Go on with masked language modelling in all languages while translations get like input embeddings.

    In plain words: masked subwords are predicted in sentences of every language, and at the same time the two words of
    every entry of a dictionary are drawn together in the table of embeddings that the network reads. The whole
    dictionary enters every step, not only the words of the batch. Nothing is pushed apart; what keeps all words from
    becoming one is that masks still have to be filled.

        L = mlm * L_MLM  -  weight * mean over entries (v, w) of cos(E[v], E[w])  +  distil * |f(s) - f0(s)|^2 / |f0(s)|^2

    E[v] is the mean of the embeddings of v's subwords, f(s) the mean of a sentence's tokens, f0 the base. Needs a
    dictionary and text (sentence pairs count as text); an entry counts if one of its words at least is in the text.

    Args:
        encoder: the base; a random one (`python -m analysis scratch`) is pretrained by `adapter=full distil=0`.
        data: dictionaries, sentences with or without translations, and development pairs.
        settings: see `AlignMLMSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter, which then holds a change of the embeddings too, or the weights.

    Raises:
        InputError: no text, a dictionary that covers no word of it, or a tokenizer without a mask token.
        IsoglossError: the loss is not finite.

    Source: Tang, Deshpande and Narasimhan 2022, ALIGN-MLM: word embedding alignment is crucial for multilingual
    pre-training, arXiv 2211.08547, section 3, and their code: weight 10, the whole dictionary in every step, half of
    the vocabulary as dictionary. There a RoBERTa of 8 layers is trained from scratch at 1e-4 for 500,000 steps on
    English and an altered English whose subwords are the second half of the vocabulary, so that every entry is one
    subword beside one (`single_piece=true`). Training on from an existing encoder, words of several subwords, LoRA on
    the table, the head that is warmed up where the encoder has none, entries that the text never uses left out, and
    `distil` are additions; `weight=0` is the control without the loss.
    Relatives: `rotation` with a dictionary maps words without training; `contrastive` works where words are read in
    context and needs sentence pairs; prefer this one where there is a dictionary and no translated sentence.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="align_mlm",
    title="Masked LM with aligned embeddings (ALIGN-MLM)",
    summary="Fills masks in every language while a dictionary's words are drawn together in the embedding table.",
    citation="Tang, Deshpande and Narasimhan 2022, arXiv 2211.08547",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.MONOLINGUAL, Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.MONOLINGUAL, Uses.DICTIONARY, Uses.DEV}),
    fit=fit,
    settings=AlignMLMSettings,
    objective=AlignMLM,
    needs_all=frozenset({Uses.DICTIONARY}),
)
