"""Settings that every fine-tuning method shares."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting


@dataclass(frozen=True)
class TrainSettings:
    """What is trained, on what, for how long, and what is kept."""

    layers: Annotated[
        str, Setting("layers the loss compares: numbers, last, middle (two thirds of the depth), or all")
    ] = "last"
    epochs: Annotated[float, Setting("passes over the pairs", ge=0.01)] = 1.0
    max_steps: Annotated[
        int,
        Setting("end after this many optimiser steps in every phase and keep the last weights; 0 means no limit", ge=0),
    ] = 0
    lr: Annotated[float, Setting("peak learning rate", ge=1e-9)] = 5e-4
    batch_tokens: Annotated[int, Setting("subword tokens of one language side in a step", ge=16, advanced=True)] = 2048
    adapter: Annotated[
        str,
        Setting("lora trains low-rank changes (Hu et al. 2022), full trains every weight", choices=("lora", "full")),
    ] = "lora"
    rank: Annotated[int, Setting("rank of the LoRA matrices", ge=1)] = 16
    blocks: Annotated[
        str, Setting("transformer blocks that train: all, or a range such as 5-12 (1 is the lowest)", advanced=True)
    ] = "all"
    embeddings: Annotated[
        bool, Setting("train the embeddings of subwords as well, not only the blocks", advanced=True)
    ] = False
    strength: Annotated[
        float,
        Setting(
            "share of the trained change that is kept",
            ge=0,
            le=1,
            advanced=True,
            source="interpolation of weights, Wortsman et al. 2022",
        ),
    ] = 1.0
    dropout: Annotated[
        bool, Setting("keep the encoder's own dropout on while it trains", source="methods differ", advanced=True)
    ] = False
    pool: Annotated[
        str, Setting("which subwords make a word's vector", choices=("mean", "first", "last"), advanced=True)
    ] = "mean"
    specials: Annotated[
        bool,
        Setting("count the first and last special token ([CLS], [SEP]) as two linked words", source="Cao et al. 2020",
                advanced=True),
    ] = False  # fmt: skip
    anchor: Annotated[str, Setting("language that the others are aligned with", advanced=True)] = "en"
    languages: Annotated[str, Setting("languages to train on, separated by commas, or all that the data have")] = "all"
    mixing: Annotated[
        float,
        Setting("a language's share of the steps goes with its pairs to this power: 1 as the data, 0 all equal", ge=0,
                le=1, advanced=True, source="exponential smoothing, Devlin 2019, multilingual BERT"),
    ] = 1.0  # fmt: skip
    join: Annotated[
        int, Setting("join this many sentence pairs into one, so that short ones have context", ge=1, advanced=True)
    ] = 1
    max_words: Annotated[int, Setting("leave out sentences of more words", ge=1, advanced=True)] = 64
    max_pairs: Annotated[
        int, Setting("sentence pairs per language, drawn at random; 0 means all", ge=0, advanced=True)
    ] = 0
    links: Annotated[
        str,
        Setting("word links: those of the data where they bring some (else own), own (the base's), or refreshed (the "
                "encoder's own, made anew at every epoch)", choices=("data", "own", "refreshed"), advanced=True),
    ] = "data"  # fmt: skip
    link_layer: Annotated[
        int, Setting("layer of own links; -1 is the encoder's best on development data", ge=-1, advanced=True)
    ] = -1
    link_decoder: Annotated[
        str, Setting("decoder of own links; chosen is the encoder's best on development data, with its level and "
                     "settings, which finds more links", advanced=True)
    ] = "argmax"  # fmt: skip
    link_level: Annotated[
        str, Setting("what own links compare", choices=("word", "subword"), advanced=True)
    ] = "word"  # fmt: skip
    one_to_one: Annotated[
        bool, Setting("keep only words that occur in one link", source="Cao et al. 2020", advanced=True)
    ] = True
    drop_identical: Annotated[
        bool, Setting("leave out links between identical strings", source="Wu and Dredze 2020", advanced=True)
    ] = False
    warmup: Annotated[float, Setting("share of the steps over which the learning rate rises", ge=0, le=1,
                                     advanced=True)] = 0.1  # fmt: skip
    schedule: Annotated[
        str, Setting("learning rate after the rise", choices=("linear", "constant", "cosine"), advanced=True)
    ] = "linear"
    weight_decay: Annotated[float, Setting("decoupled weight decay of AdamW", ge=0, advanced=True)] = 0.0
    clip: Annotated[float, Setting("largest norm of the gradient", ge=0, advanced=True)] = 1.0
    dev_every: Annotated[int, Setting("steps between two looks at the development data", ge=1, advanced=True)] = 50
    dev_pairs: Annotated[
        int, Setting("sentence pairs of each development set that are looked at while training", ge=1, advanced=True)
    ] = 60
    patience: Annotated[
        int, Setting("stop after this many looks without a better mean; 0 never stops early", ge=0, advanced=True)
    ] = 0
    precision: Annotated[
        str,
        Setting("numbers of the forward pass; auto is bfloat16 where the processor multiplies it fast",
                choices=("auto", "float32", "bfloat16"), advanced=True),
    ] = "auto"  # fmt: skip
    stored: Annotated[
        str, Setting("how an adapter's numbers are stored", choices=("float16", "float32"), advanced=True)
    ] = "float16"
    placebo: Annotated[
        bool,
        Setting(
            "shuffle the pairs: each sentence, or each word of a dictionary, gets a wrong translation; the "
            "training's placebo",
            advanced=True,
        ),
    ] = False


def loss_layers(encoder: Encoder, text: str) -> tuple[int, ...]:
    """The layers of a `layers` setting, ascending.

    Args:
        encoder: decides which layers there are.
        text: `all`, or numbers, `last` and `middle` separated by commas.

    Raises:
        InputError: anything else, or a layer the encoder does not have.
    """
    named = {"last": encoder.depth, "middle": round(2 * encoder.depth / 3)}
    if text == "all":
        return encoder.check_layers(None)
    try:
        wanted = [named[part] if part in named else int(part) for part in text.replace(" ", ",").split(",") if part]
    except ValueError:
        raise InputError(
            f"layers={text!r} is not a list of layers; valid: all, last, middle, or numbers like 8,12"
        ) from None
    return encoder.check_layers(wanted)


def trained_blocks(depth: int, text: str) -> tuple[int, ...]:
    """The blocks of a `blocks` setting, counted from 1.

    Args:
        depth: number of blocks of the encoder.
        text: `all`, one number, or a range `A-B`.

    Raises:
        InputError: not a range, or outside the encoder.
    """
    if text == "all":
        return tuple(range(1, depth + 1))
    first, _, last = text.partition("-")
    try:
        wanted = range(int(first), int(last or first) + 1)
    except ValueError:
        raise InputError(f"blocks={text!r} is not a range of blocks; valid: all, or A-B within 1-{depth}") from None
    if not wanted or wanted[0] < 1 or wanted[-1] > depth:
        raise InputError(f"blocks={text!r} lies outside the encoder; valid: all, or A-B within 1-{depth}")
    return tuple(wanted)


def check_reach(depth: int, blocks: str, layers: Iterable[int]) -> None:
    """Make sure that some block that trains lies below some layer the loss reads.

    Args:
        depth: number of blocks of the encoder.
        blocks: the `blocks` setting.
        layers: the layers the objective reads; layer n is what block n gives.

    Raises:
        InputError: nothing would be trained.
    """
    lowest, highest = trained_blocks(depth, blocks)[0], max(layers)
    if highest < lowest:
        raise InputError(
            f"blocks={blocks!r} trains nothing that layer {highest} depends on; give a layer of at least {lowest}, or "
            f"lower blocks"
        )


def share(counts: Iterable[int], mixing: float) -> list[float]:
    """Each language's share of the pairs that are drawn: proportional to its pairs to the power `mixing`."""
    weights = [count**mixing if count else 0.0 for count in counts]
    total = sum(weights)
    return [weight / total if total else 0.0 for weight in weights]
