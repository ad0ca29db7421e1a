"""Squared distance between linked words, both sides moving, with the filters of Efimov et al. 2022."""

from dataclasses import dataclass
from typing import Annotated, Any

from analysis.alignment.cao import Cao, CaoSettings
from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting


@dataclass(frozen=True)
class EfimovSettings(CaoSettings):
    """Settings of the squared distance as Efimov et al. have them."""

    target: Annotated[
        str,
        Setting("where a word is drawn to: its translation in the network as it is now, or in the frozen base",
                choices=("live", "frozen"), source="live: Efimov et al. 2022; frozen: Cao et al. as coded"),
    ] = "live"  # fmt: skip
    regularise: Annotated[
        float, Setting("weight of holding every word of the anchor's language", ge=0, source="Efimov et al. 2022: 1")
    ] = 1.0
    pool: Annotated[
        str, Setting("which subwords make a word's vector", choices=("mean", "first", "last"),
                     source="mean: Efimov et al. 2022")
    ] = "mean"  # fmt: skip
    specials: Annotated[bool, Setting("count [CLS] and [SEP] as two linked words", source="Efimov et al. 2022")] = True
    drop_identical: Annotated[
        bool,
        Setting("leave out links between identical strings, after the one-to-one test", source="Efimov et al. 2022"),
    ] = True  # fmt: skip
    max_pairs: Annotated[
        int,
        Setting("sentence pairs per language, drawn at random; 0 means all", ge=0, advanced=True,
                source="Efimov et al. 2022"),
    ] = 250_000  # fmt: skip


class Efimov(Cao):
    """The objective; see `fit`."""

    drops_unlinked = True


def fit(
    encoder: Encoder, data: AlignmentData, settings: EfimovSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Fine-tune so that linked words meet, wherever that is, while the anchor's words stay near their old place.

    In plain words: a word and its translation are pulled towards each other as they are at this moment, so both move,
    and a second term holds every word of the anchor's language where it was. What is learned from is chosen with
    care: only words with a single link, no link between equal strings (they are near anyway, and many are names,
    numbers or text that was left untranslated), no sentence pair without a link.

        L = mean over links of (f(s)_i - f(t)_j)^2  +  regularise * mean over all j of (f(t)_j - f0(t)_j)^2

    The links of a pair are first cut to those whose two words occur in no other link; of these, links between
    identical strings go (Wu and Dredze do it the other way round, and what is left differs); a pair that then has no
    link between words is left out; last, the opening and the closing special token are linked.

    Needs sentence pairs; word links are made by the encoder where the data bring none.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `EfimovSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, no link that passes the filters, or settings the encoder cannot follow.
        IsoglossError: the loss is not finite.

    Source: Efimov, Boytsov, Arslanova and Braslavski 2022, The impact of cross-lingual adjustment of contextual word
    representations on zero-shot transfer, the adjustment before task training, as coded: last layer, mean of
    subwords, special tokens as words, live target, weight 1. There all weights train with a learning rate of 5e-5
    on batches of 32 pairs for one epoch of up to 250,000 WikiMatrix pairs of one language; here LoRA by default,
    batches by tokens, all languages of the data at once (`languages=es` for one), and words linked by the encoder
    instead of fast_align. Warm-up, constant rate, dropout and Adam's momenta are those of `cao`, whose script theirs
    is made from. Their joint regime, where 0.01 of this distance is added to the loss of a task that is being
    learned, is no part of this method.
    Relatives: `cao` draws to the frozen anchor and keeps equal strings; `contrastive` also pushes apart.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="efimov",
    title="Squared distance, both sides moving (Efimov et al.)",
    summary="Fine-tunes so that linked words meet while English is held near its place; equal strings are left out.",
    citation="Efimov et al. 2022, ECIR 2023",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=EfimovSettings,
    objective=Efimov,
)
