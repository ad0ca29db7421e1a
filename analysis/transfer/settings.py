"""Settings that every transfer regime shares."""

from dataclasses import dataclass
from typing import Annotated

from analysis.settings import Setting


@dataclass(frozen=True)
class TransferSettings:
    """What is trained, how it reads its items, and for how long."""

    epochs: Annotated[
        float, Setting("passes over the training items; 0 is the task's own number", ge=0, le=100_000)
    ] = 0.0
    max_steps: Annotated[int, Setting("end after this many optimiser steps; 0 means no limit", ge=0)] = 0
    max_items: Annotated[int, Setting("training items, drawn at random; 0 means all", ge=0)] = 0
    test_items: Annotated[
        int,
        Setting("test items of each language, drawn with a fixed seed, the same ones in every language that has them; 0 "
                "means all", ge=0),
    ] = 0  # fmt: skip
    batch: Annotated[int, Setting("items of a step; 0 is the task's own number", ge=0)] = 0
    lr: Annotated[float, Setting("peak learning rate of the encoder", ge=1e-9)] = 5e-4
    head_lr: Annotated[float, Setting("peak learning rate of the head", ge=1e-9)] = 1e-2
    adapter: Annotated[
        str,
        Setting("lora trains low-rank changes (Hu et al. 2022), full trains every weight of the blocks",
                choices=("lora", "full")),
    ] = "lora"  # fmt: skip
    rank: Annotated[int, Setting("rank of the LoRA matrices", ge=1, advanced=True)] = 16
    blocks: Annotated[
        str, Setting("transformer blocks that train: all, or a range such as 7-12 (1 is the lowest)", advanced=True)
    ] = "all"
    layer: Annotated[int, Setting("layer whose states the head reads; -1 is the last", ge=-1, advanced=True)] = -1
    pool: Annotated[
        str, Setting("a sentence's vector: the mean of its tokens, or its opening token", choices=("mean", "cls"),
                     advanced=True)
    ] = "mean"  # fmt: skip
    pair: Annotated[
        str,
        Setting("the two texts of a pair: joined into one sequence, or read apart and compared by their vectors",
                choices=("joined", "apart"), advanced=True),
    ] = "joined"  # fmt: skip
    word: Annotated[
        str, Setting("which subwords make a word's vector", choices=("first", "mean", "last"), advanced=True)
    ] = "first"
    max_tokens: Annotated[
        int, Setting("longest sequence, the rest is cut off; 0 is the task's own number", ge=0, advanced=True)
    ] = 0
    head_dropout: Annotated[float, Setting("dropout before the head", ge=0, le=0.9, advanced=True)] = 0.1
    dropout: Annotated[bool, Setting("keep the encoder's own dropout on while it trains", advanced=True)] = True
    warmup: Annotated[
        float, Setting("share of the steps over which the learning rate rises", ge=0, le=1, advanced=True)
    ] = 0.1
    schedule: Annotated[
        str, Setting("learning rate after the rise", choices=("linear", "constant", "cosine"), advanced=True)
    ] = "linear"
    weight_decay: Annotated[float, Setting("decoupled weight decay of AdamW", ge=0, advanced=True)] = 0.01
    clip: Annotated[float, Setting("largest norm of the gradient", ge=0, advanced=True)] = 1.0
    precision: Annotated[
        str,
        Setting("numbers of the forward pass; auto is bfloat16 where the processor multiplies it fast",
                choices=("auto", "float32", "bfloat16"), advanced=True),
    ] = "auto"  # fmt: skip
