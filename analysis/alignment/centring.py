"""Subtract each language's mean vector, layer by layer."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.linear import Affine
from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.pairs import parse_layers
from analysis.alignment.types import texts_by_language
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting


@dataclass(frozen=True)
class CentringSettings:
    """Settings of centring."""

    layers: Annotated[str, Setting("all, or numbers separated by commas")] = "all"
    anchor: Annotated[str, Setting("language that the others are moved to where `to` is anchor")] = "en"
    to: Annotated[
        str,
        Setting(
            "zero subtracts every language's own mean, the anchor's too; anchor moves the others onto the anchor's mean",
            choices=("zero", "anchor"), source="Libovicky et al. 2020 subtract every mean",
        ),
    ] = "zero"  # fmt: skip
    max_steps: Annotated[
        int, Setting("taken so that one command line fits every method; a mean has no optimiser steps", ge=0)
    ] = 0
    precision: Annotated[str, Setting("how the means are stored", choices=("float16", "float32"))] = "float32"


def fit(
    encoder: Encoder,
    data: AlignmentData,
    settings: CentringSettings,
    *,
    seed: int = 0,
    say: Say = print,
    job: Any = None,
) -> Fitted:
    """Move every language's cloud of words to one centre.

    In plain words: much of what tells languages apart in an encoder is a constant offset; take it away.

    Needs text in each language, parallel or not.

    Args:
        encoder: the base encoder.
        data: sentence pairs, or monolingual sentences.
        settings: see `CentringSettings`.
        seed: not used; there is nothing random.
        say: told which language was centred on how many words.
        job: not used; there is nothing to resume.

    Returns:
        Tensors `LANGUAGE/LAYER/mean`, and `/shift` with `to=anchor`.

    Raises:
        InputError: no words, or `to=anchor` without text in the anchor.

    Source: Libovicky, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual
    representations, section 3. Relatives: the first half of `rotation` with normalisation=centre.
    """
    layers = parse_layers(encoder, settings.layers)
    means: dict[str, np.ndarray] = {}
    for language, sentences in texts_by_language(data).items():
        vectors = encoder.words(sentences, layers=layers)
        usable = np.flatnonzero(np.any(np.asarray(vectors.values[-1]) != 0, axis=1))
        if len(usable):
            means[language] = np.asarray(vectors.values[:, usable]).mean(axis=1, dtype=np.float64)
            say(f"{language}: mean of {len(usable):,} words")
    if not means or (settings.to == "anchor" and data.anchor not in means):
        raise InputError(f"no words in {data.anchor if means else 'the data'}; give text with --data or --monolingual")
    tensors: dict[str, np.ndarray] = {}
    for language, mean in means.items():
        if settings.to == "anchor" and language == data.anchor:
            continue
        for slot, layer in enumerate(layers):
            shift = means[data.anchor][slot] if settings.to == "anchor" else np.zeros(mean.shape[1])
            tensors |= Affine(mean[slot], shift).tensors(f"{language}/{layer}", settings.precision)
    return Fitted.maps(tensors)


SPEC = Method(
    name="centring",
    title="Centring",
    summary="Subtracts each language's mean vector at every layer.",
    citation="Libovicky et al. 2020, On the Language Neutrality of Pre-trained Multilingual Representations",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.DATA, Uses.MONOLINGUAL}),
    uses=frozenset({Uses.DATA, Uses.MONOLINGUAL, Uses.DEV}),
    fit=fit,
    settings=CentringSettings,
)
