"""Squared distance between linked words, the anchor's language held in place (Cao et al. 2020)."""

from dataclasses import dataclass
from typing import Annotated, Any

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting
from analysis.training import losses
from analysis.training.objective import Objective, Step, Terms
from analysis.training.settings import TrainSettings, loss_layers


@dataclass(frozen=True)
class CaoSettings(TrainSettings):
    """Settings of the squared distance."""

    lr: Annotated[float, Setting("peak learning rate; 5e-5 there for all weights, LoRA needs more", ge=1e-9)] = 5e-4
    target: Annotated[
        str,
        Setting("where a word is drawn to: its translation in the frozen base, or in the network as it is now",
                choices=("frozen", "live"), source="frozen as coded by Cao et al.; live by Efimov et al. 2022"),
    ] = "frozen"  # fmt: skip
    reduction: Annotated[
        str,
        Setting(
            "mse averages over dimensions, sse sums over them", choices=("mse", "sse"), source="Wu and Dredze: sse"
        ),
    ] = "mse"
    regularise: Annotated[
        float, Setting("weight of holding every word of the anchor's language", ge=0, source="Cao et al. 2020: 1")
    ] = 1.0
    pool: Annotated[
        str, Setting("which subwords make a word's vector", choices=("mean", "first", "last"),
                     source="last: Cao et al. 2020; mean: Efimov et al. 2022")
    ] = "last"  # fmt: skip
    specials: Annotated[
        bool, Setting("count [CLS] and [SEP] as two linked words", source="Cao et al. 2020, as coded")
    ] = True
    schedule: Annotated[
        str, Setting("learning rate after the rise", choices=("linear", "constant", "cosine"),
                     source="constant: Cao et al. 2020", advanced=True)
    ] = "constant"  # fmt: skip
    dropout: Annotated[
        bool, Setting("keep the encoder's own dropout on while it trains", source="Cao et al. 2020", advanced=True)
    ] = True

    @property
    def betas(self) -> tuple[float, float]:
        """Adam's momenta as coded there."""
        return (0.9, 0.98)


class Cao(Objective):
    """The objective; see `fit`."""

    module: Any = None

    def __init__(self, encoder: Encoder, settings: CaoSettings) -> None:
        self.layers = loss_layers(encoder, settings.layers)
        self.settings = settings
        self.reads_frozen = settings.target == "frozen" or settings.regularise > 0

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        distance = losses.mse if self.settings.reduction == "mse" else losses.sse
        terms: Terms = {}
        for layer in self.layers:
            source, target = step.linked(layer)
            if self.settings.target == "frozen":
                target = step.frozen[layer].index_select(0, step.pairs[:, 1])
            terms[f"distance@{layer}"] = distance(source, target) / len(self.layers)
            if self.settings.regularise:
                held = distance(step.target[layer], step.frozen[layer])
                terms[f"anchor@{layer}"] = self.settings.regularise * held / len(self.layers)
        return terms


def fit(
    encoder: Encoder, data: AlignmentData, settings: CaoSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Fine-tune so that each word lies where its translation lies in the anchor's language.

    In plain words: every linked word is pulled to its English translation, and every English word is held where it
    was, so that the other languages move and English stays.

        L = mean over links of (f(s)_i - f0(t)_j)^2  +  regularise * mean over all j of (f(t)_j - f0(t)_j)^2

    Needs sentence pairs; word links are made by the encoder where the data bring none.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `CaoSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, or settings the encoder cannot follow.
        IsoglossError: the loss is not finite.

    Source: Cao, Kitaev and Klein 2020, Multilingual alignment of contextual word representations, section 2, with
    the defaults of the authors' script: last layer, last subword, [CLS] and [SEP] as words, one-to-one links,
    frozen target, each mean over its own count. There all weights train with Adam at 5e-5 on batches of 8 pairs a
    language whose losses are summed over micro-batches of 4; here LoRA by default, batches by tokens, languages
    mixed within a batch, and words linked by the encoder instead of fast_align. Live target: Efimov et al. 2022.
    Relatives: `contrastive` also pushes apart, which moves more and forgets more; `rotation` is the closed form.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="cao",
    title="Squared distance (Cao et al.)",
    summary="Fine-tunes so that each word lies where its translation lies in English, and holds English in place.",
    citation="Cao, Kitaev and Klein 2020, ICLR",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=CaoSettings,
    objective=Cao,
)
