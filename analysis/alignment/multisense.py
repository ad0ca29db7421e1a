"""Masked language modelling with several senses for each subword, translations as second targets (SaBERT)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training.examples import Side
from analysis.training.holding import HeldSettings, moved
from analysis.training.masked_lm import MaskedLM
from analysis.training.masking import content
from analysis.training.objective import Material, Objective, Step, Terms
from analysis.training.pooling import pool_tokens
from analysis.training.senses import Senses, sense_loss
from analysis.training.sentences import one_layer
from analysis.training.translations import single_words, translations


@dataclass(frozen=True)
class MultisenseSettings(HeldSettings):
    """Settings of the sense model."""

    layers: Annotated[
        str, Setting("the layer whose states are scored: a number, last, or middle (two thirds of the depth)")
    ] = "last"
    senses: Annotated[int, Setting("senses of each subword", ge=1, source="Liu et al. 2022, code: 5")] = 5
    cross: Annotated[
        float,
        Setting("share of the target that goes to the nearest sense of a translation, where there is one", ge=0, le=1,
                source="Liu et al. 2022, code: 0.5"),
    ] = 0.5  # fmt: skip
    plain: Annotated[
        float,
        Setting("share of the steps that train with one sense only; 20,000 of 1,000,000 there", ge=0, le=1,
                source="Liu et al. 2022, code: 0.02"),
    ] = 0.2  # fmt: skip
    rho: Annotated[
        float, Setting("how far a sense's centre moves to the mean of its occurrences in a step", ge=0, le=1,
                       source="Liu et al. 2022, code: 0.01", advanced=True)
    ] = 0.01  # fmt: skip
    components: Annotated[
        int, Setting("principal components in which centres are compared", ge=1, source="Liu et al. 2022, code: 14",
                     advanced=True)
    ] = 14  # fmt: skip
    refresh: Annotated[
        int, Setting("steps after which the principal components are computed anew; 1,000 there", ge=1,
                     source="Liu et al. 2022, code", advanced=True)
    ] = 20  # fmt: skip
    buffer: Annotated[
        int, Setting("hidden states that the principal components are computed from, an even sample of all so far",
                     ge=16, advanced=True)
    ] = 4096  # fmt: skip
    start: Annotated[
        str, Setting("what every sense's vector starts as: the subword's embedding, or random numbers",
                     choices=("embeddings", "random"), advanced=True)
    ] = "embeddings"  # fmt: skip
    repulsion: Annotated[
        float,
        Setting("weight of driving chosen sense vectors away from the mean of their subword's; without a bound, so "
                "keep it small", ge=0, source="Liu et al. 2022; its weight there is not known", advanced=True),
    ] = 0.0  # fmt: skip
    pool: Annotated[
        str, Setting("which subwords make a word's vector; words of one subword are told by it", choices=("mean",),
                     advanced=True)
    ] = "mean"  # fmt: skip


class Multisense(Objective):
    """The objective; see `fit`."""

    reads_words = False
    reads_links = False
    reads_text = True

    def __init__(self, encoder: Encoder, settings: MultisenseSettings) -> None:
        self.layers = one_layer(encoder, settings.layers, "multisense")
        self.settings = settings
        self.module: Any = None
        self._seen: Any = None

    def prepare(self, material: Material) -> None:
        """Make the head, the senses and the table of translations."""
        import torch

        given = self.settings
        if given.placebo and not material.dictionaries:
            raise InputError("a placebo shuffles the translations, and this run has none; give a --dictionary")
        self._material = material
        self.head = MaskedLM(material, made=True, layer=self.layers[-1])
        table = material.trainee.network.get_input_embeddings().weight
        self.senses = Senses(
            table[torch.from_numpy(self.head.pieces).to(table.device)].cpu(), self.head.module["output"]["bias"],
            senses=given.senses, dims=given.components, size=given.buffer, rho=given.rho,
            random=given.start == "random",
        )  # fmt: skip
        parts = {name: self.head.module[name] for name in ("dense", "norm")}
        device = material.trainee.accelerator.device
        self.module = torch.nn.ModuleDict(parts | {"senses": self.senses.module}).to(device)
        self.translations = translations(material, self.head.pieces) if material.dictionaries else {}
        if material.job is not None:
            material.job.say(self._announced(table.shape[1]))

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        import torch

        sides, layer = step.batch[0], self.layers[-1]
        found = self.head.masked([side.ids for side in sides], [content(side) for side in sides], step.rng)
        known, own = self.head.known(found.gold)
        rows, places = found.row[known], found.place[known]
        states = pool_tokens(step.run(found.ids, [layer])[layer], rows, places)
        still = states.detach()
        scores = self.senses.scores(self.head.features(states), plain=self._plain(step))
        terms: Terms = {}
        if self.settings.distil:
            terms["distil"] = self.settings.distil * moved(self._material, step, layer)
        if self._plain(step):
            meant = own
            none = np.full(len(own), -1)
            terms["mlm"] = sense_loss(scores, own, none, 0.0) if len(own) else scores.sum() * 0
        else:
            with torch.no_grad():
                meant = self.senses.meant(still, own)
                other = self.senses.translation(still, self._candidates(step, sides, rows, places))
            terms["senses"] = sense_loss(scores, meant, other, self.settings.cross) if len(own) else scores.sum() * 0
            if self.settings.repulsion and len(own):
                terms["repulsion"] = -self.settings.repulsion * self.senses.spread(meant)
        self._seen = still, meant
        return terms

    def after(self, step: Step) -> None:
        """Move the centres, keep states, and look for principal components when it is time."""
        states, meant = self._seen
        if not self._plain(step):
            self.senses.move(states, meant)
        self.senses.remember(states, step.rng)
        late = step.number - self._plain_steps(step)
        if late >= 0 and late % self.settings.refresh == 0:
            self.senses.refresh()
        if late == 0:
            self.senses.divide(step.rng)

    def _plain_steps(self, step: Step) -> int:
        """Steps with one sense; at least one, for centres and components come from states that were seen."""
        return max(1, round(self.settings.plain * step.steps))

    def _plain(self, step: Step) -> bool:
        """Whether a step trains one sense; a step that is only timed trains all, as most do."""
        return self._material.job is not None and step.number <= self._plain_steps(step)

    def _candidates(
        self, step: Step, sides: Sequence[Side], rows: np.ndarray, places: np.ndarray
    ) -> list[np.ndarray]:  # fmt: skip
        """For each masked place the subwords that translate the word there, none where it has several subwords."""
        nothing = np.empty(0, np.int64)
        whole = [single_words(side) if tag in self.translations else {}
                 for side, tag in zip(sides, step.languages, strict=True)]  # fmt: skip
        found = []
        for row, place in zip(rows, places, strict=True):
            key = whole[row].get(int(place))
            found.append(nothing if key is None else self.translations[step.languages[row]].get(key, nothing))
        return found

    def _announced(self, dim: int) -> str:
        """What the senses cost, and how far the dictionary reaches."""
        classes = len(self.head.pieces) * self.settings.senses
        words = sum(len(one) for one in self.translations.values())
        targets = (f"{words:,} word types have a translation that is one subword of the text" if words else
                   "no dictionary, so no cross-lingual targets: the senses are those of each language")  # fmt: skip
        masked = round(self.settings.masked * self.settings.batch_tokens)
        # Vectors, their gradients and Adam's two moments, and the centres; scores and twice as much on the way back.
        held, scored = 5 * classes * dim * 4, 3 * masked * classes * 4
        return (f"{len(self.head.pieces):,} subwords of {self.settings.senses} senses are {classes:,} classes: about "
                f"{held / 1e6:,.0f} MB, and {scored / 1e6:,.0f} MB in a step of about {masked} masks; {targets}")  # fmt: skip


def fit(
    encoder: Encoder, data: AlignmentData, settings: MultisenseSettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Go on with masked language modelling in which each subword has several senses that occurrences choose among.

    In plain words: a masked subword is not only to be named, its sense is to be told from its context. Which of its
    senses is meant nobody says: it is the one whose centre lies nearest to the state at the mask, and the centres
    follow the states that chose them. With a dictionary, of all senses of all translations the nearest one shares the
    target, so that words in two languages that are meant alike are predicted from like states.

        k* = argmax_k cos(P h, P c[y, k])                     P: principal components of hidden states, c: centres
        L  = -(1 - cross) log p[y, k*] - cross log p[y', k'],   p = softmax(W g(h) + b) over all V * S senses
        c[y, k*] <- (1 - rho) c[y, k*] + rho mean(h)           of the senses that occur, without gradients

    without the second part (and with a full first) where no translation is known; + distil * |f(s) - f0(s)|^2 / |f0(s)|^2.
    Needs text; a dictionary is optional. Without one this is a sense model of each language by itself and aligns
    nothing. Translations count where both words are one subword in the text (`V` are the subwords of the text). Senses
    are a means of training: the finished encoder holds the network only.

    The cost is that of V * S classes (as SaBERT a full softmax, at the masks only): 30,000 subwords of 5 senses and
    384 dimensions are 1.2 GB with Adam's moments, and 0.5 GB of scores in a step of 300 masks.

    Args:
        encoder: the base; a random one (`python -m analysis scratch`) is pretrained by `adapter=full embeddings=true
            distil=0`.
        data: sentences with or without translations, dictionaries, and development pairs.
        settings: see `MultisenseSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no text, a tokenizer without a mask token, or a dictionary of no use for the text.
        IsoglossError: the loss is not finite.

    Source: Liu, Nguyen, Joty, Bing and Si 2022, Towards multi-sense cross-lingual alignment of contextual embeddings,
    COLING; the choice of the sense, the loss, its two targets, the repulsion and the moving centres as in the released
    code (SaBERT: 4 layers of 512, S = 5, 14 components, rho 0.01, 1,000,000 steps of 128 sentences at 1e-4). Here two
    occurrences of a sense in a batch are averaged before they move its centre, and absent centres do not shrink.
    Reconstructed: the components are those of an even sample of masked states, less their mean; after the plain steps
    every sense is a copy of the first, and its centre a state drawn at random; g is the dense layer and norm of BERT's
    masked-LM head, made anew and warmed up for `head_steps` even where the encoder has a head. Training on from an
    existing encoder, LoRA, and `distil` are additions.
    Relatives: `align_mlm` draws the embeddings of translations together whatever they mean; prefer it where words are
    few or unambiguous. `contrastive` needs sentence pairs and moves words more.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="multisense",
    title="Masked LM over word senses (SaBERT)",
    summary="Fills masks with senses instead of words, a dictionary's nearest translated sense as second target.",
    citation="Liu, Nguyen, Joty, Bing and Si 2022, COLING",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.MONOLINGUAL, Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.MONOLINGUAL, Uses.DICTIONARY, Uses.DEV}),
    fit=fit,
    settings=MultisenseSettings,
    objective=Multisense,
)
