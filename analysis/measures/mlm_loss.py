"""Masked-LM loss: how well does an encoder still fill in what was masked?"""

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.records import Result
from analysis.scoring.masked_lm import load_masked_lm, losses, mask_tokens
from analysis.scoring.measure import Measure, Need, scored, unscored
from analysis.scoring.pairs import sum_rows
from analysis.scoring.space import TextSpace
from analysis.settings import Setting, check

LARGEST = 50.0  # nats; exp of more is no number anybody reads


@dataclass(frozen=True)
class MlmLossSettings:
    """Settings of the masked-LM loss."""

    share: Annotated[
        float,
        Setting("share of each sentence's tokens that is masked, at least one", ge=0.01, le=0.9,
                source="Devlin et al. 2019, section 3.1"),
    ] = 0.15  # fmt: skip


def compute(space: TextSpace, settings: MlmLossSettings | None = None, *, seed: int = 0) -> Result:
    """Mask tokens of a text and measure how unlikely the encoder finds what stood there.

    Every chosen token becomes the mask token; Devlin et al. leave one in ten as it is and replace one in ten by
    another, which is of use in training only. The network of an aligned encoder is put below the head of the
    checkpoint it was made from. The layer makes no difference: a head reads the last one. Maps of an aligned encoder
    act behind the network, where no head is, so the loss is that of its base.

    Args:
        space: a text with its encoder, which has a masked-LM head or stands on one that has.
        settings: see `MlmLossSettings`.
        seed: seed of the mask and of the bootstrap over sentences.

    Returns:
        Mean negative log-likelihood of the masked tokens in nats, lower is better; comparable only between encoders
        with one tokenizer. Parts: `pseudo_perplexity` (its exponential), number of masked tokens and of all
        windows. Items: every sentence with its masked tokens and its loss.

    Raises:
        InputError: no head, or no mask token.

    Source: Devlin et al. 2019, BERT, section 3.1 (the objective); Salazar et al. 2020, Masked language model scoring,
    section 2 (pseudo-perplexity; there each token is masked alone).
    """
    settings = settings or MlmLossSettings()
    check(settings)
    model = load_masked_lm(space.encoder)
    text = mask_tokens(space.encoder, space.sentences, settings.share, seed)
    if not len(text.gold):
        return unscored(SPEC, space, settings, seed=seed, note="no sentence has a token to mask")
    pad = space.encoder.model.tokenizer.pad_token_id
    values = losses(model, text, 0 if pad is None else pad)
    sums = sum_rows(text.sentence, [np.ones(len(values)), values], space.rows)
    mean = float(values.mean())
    with np.errstate(invalid="ignore", divide="ignore"):
        of_sentence = sums[:, 1] / sums[:, 0]
    return scored(
        SPEC, space, settings, seed=seed, sums=sums, score=_mean, n=len(values),
        parts={
            "pseudo_perplexity": math.exp(mean) if mean < LARGEST else None, "masked": len(values),
            "windows": len(text.inputs),
        },
        items={
            "sentence": [one.text for one in space.sentences], "masked": sums[:, 0].astype(int).tolist(),
            "loss": [float(value) if np.isfinite(value) else None for value in of_sentence],
        },
        note=_note(space),
    )  # fmt: skip


def _note(space: TextSpace) -> str:
    """What the reader must know about layers and maps."""
    notes = []
    if space.provenance.get("layer", space.encoder.depth) != space.encoder.depth:
        notes.append("a masked-LM head reads the last layer, whichever was asked for")
    if getattr(space.encoder, "maps", None) is not None:
        notes.append(f"maps act behind the network, so this is the loss of {space.encoder.base}")
    return "; ".join(notes)


def _mean(sums: np.ndarray) -> Any:
    """Mean loss from summed tokens and losses."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 1] / sums[..., 0]


SPEC = Measure(
    name="mlm_loss",
    title="Masked-LM loss",
    summary="How unlikely the encoder finds tokens that were masked: what alignment cost the language model.",
    unit="nats",
    higher_is_better=False,
    needs=Need.TEXT,
    unit_of=Unit.SENTENCE,
    citation="Devlin et al. 2019, BERT, section 3.1; Salazar et al. 2020, Masked language model scoring, section 2",
    hides="The head is the base's and was not trained along, so the loss rises also where vectors only turned; and it "
    "says nothing about how languages line up.",
    compute=compute,
    settings=MlmLossSettings,
    needs_head=True,
)
