"""What a run will cost, before its first step: steps, minutes, memory, disk."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.training.batches import Plan
from analysis.training.data import TrainingData, make_examples
from analysis.training.examples import Examples, count_pairs
from analysis.training.objective import Material, Objective, held_encoder
from analysis.training.settings import TrainSettings, check_reach
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee

SAMPLE = 400  # pairs that are tokenised to learn how long sentences are
# Bytes of activations a token keeps for the way back, in units of depth x width x 4 bytes; measured on BERT blocks.
KEPT_PER_TOKEN = 34


@dataclass(frozen=True)
class Estimate:
    """What a run will cost.

    Attributes:
        steps: of the optimiser.
        minutes: of this machine as it is now, links included, looks at development data and final scores not.
        memory_bytes: at the peak.
        disk_bytes: of the run folder.
        pairs: sentence pairs that are trained on.
        trainable: numbers that are trained.
        note: what it was measured with.
    """

    steps: int
    minutes: float
    memory_bytes: int
    disk_bytes: int
    pairs: int
    trainable: int
    note: str


def estimate_run(encoder: Encoder, data: TrainingData, settings: Any, make_objective: Any) -> Estimate:
    """Time a step of a run on a sample of its pairs and reckon up the rest.

    Args:
        encoder: the base.
        data: what would be learned from.
        settings: of the method.
        make_objective: `make_objective(encoder, settings)` gives the objective.

    Raises:
        InputError: data or settings the run would be refused for.
    """
    trainee = Trainee(encoder, settings, seed=0, held=held_encoder(encoder, settings))
    objective: Objective = make_objective(encoder, settings)
    check_reach(encoder.depth, settings.blocks, objective.layers)
    sample, share = _sample(data)
    found = make_examples(encoder.model, sample, settings, 0, text=objective.reads_text)
    examples = found.examples
    plan = Plan(examples, replace(settings, max_steps=0, epochs=1.0), seed=0, batches=objective.batches)
    material = Material(encoder, trainee, examples, sample.monolingual, data.dictionaries, settings, 0)
    seconds, warm_up = _time_step(material, make_objective, max((rows for _, _, rows in plan.after(0)), key=len))
    counts = {tag: round(count * share) for tag, count in found.counts.items()}
    if not objective.reads_text:
        counts = count_pairs(data.bitexts, data.languages, settings)
    # A pair past the encoder's window is left out, and joined ones are fewer.
    scale = sum(counts.values()) / max(1, sum(found.counts.values()))
    pairs = round(len(examples) * scale)
    tokens = float(examples.sizes().mean()) * pairs
    steps = max(1, round(plan.steps * scale * settings.epochs))
    steps = min(steps, settings.max_steps) if settings.max_steps else steps
    trainable = sum(one.numel() for one in trainee.parameters.values())
    return Estimate(
        steps, (steps * seconds * 1.15 + _setup_seconds(seconds, settings, tokens, warm_up)) / 60,
        memory_needed(trainee, objective, settings), disk_needed(trainee, objective, pairs, examples),
        sum(counts.values()), trainable,
        f"one step took {seconds:.2f} s in {trainee.precision}; links included, looks at development data not",
    )  # fmt: skip


def _sample(data: TrainingData) -> tuple[TrainingData, float]:
    """About SAMPLE pairs or sentences of the data, and how many times as many there are."""
    sizes = [len(bitext) for bitext in data.bitexts] + [len(side) for side in data.monolingual.values()]
    share = max(1, sum(sizes) // SAMPLE)
    bitexts = [bitext.take(range(0, len(bitext), share)) for bitext in data.bitexts]
    monolingual = {tag: side[::share] for tag, side in data.monolingual.items()}
    kept = sum(len(one) for one in bitexts) + sum(len(one) for one in monolingual.values())
    return replace(data, bitexts=bitexts, monolingual=monolingual), sum(sizes) / max(1, kept)


def announce(material: Material, make_objective: Any, plan: Plan) -> str:
    """What a run that is about to start will cost, in one line.

    Args:
        material: of the run; it is left as it is, and so are the random numbers.
        make_objective: makes an objective that is thrown away after it was timed.
        plan: every step.
    """
    settings = material.settings
    seconds, warm_up = _time_step(material, make_objective, max((rows for _, _, rows in plan.after(0)), key=len))
    tokens = float(material.examples.sizes().sum())
    minutes = (plan.steps * seconds * 1.15 + _setup_seconds(seconds, settings, tokens, warm_up)) / 60
    memory = memory_needed(material.trainee, make_objective(material.encoder, settings), settings)
    return f"{plan.steps:,} steps of about {seconds:.1f} s: about {minutes:.1f} minutes and {memory / 1e9:.1f} GB of memory"


def _time_step(material: Material, make_objective: Any, rows: np.ndarray) -> tuple[float, int]:
    """Seconds of a step there and back (the second of two; the first is slower), and a head's tokens of warming up."""
    import torch

    from analysis.training.frozen import freeze

    trainee = material.trainee
    linked = [np.array([[0, 0]])] * len(material.examples)
    examples = replace(material.examples, links=tuple(linked))
    seconds = 0.0
    with torch.random.fork_rng(devices=[]):
        objective: Objective = make_objective(material.encoder, material.settings)
        objective.prepare(replace(material, examples=examples, job=None))
        frozen = None
        if objective.reads_frozen:
            frozen = freeze(trainee, examples.target, objective.layers, np.unique(rows))
        for _ in range(2):
            begun = time.perf_counter()
            terms = objective(make_step(trainee, examples, rows, objective, frozen))
            trainee.accelerator.backward(sum(terms.values()))
            seconds = time.perf_counter() - begun
    trainee.network.zero_grad()
    return seconds, objective.head.warm_up_tokens if objective.head else 0


def _setup_seconds(step: float, settings: TrainSettings, tokens: float, warm_up: int) -> float:
    """Links and the frozen side: about three forward passes over all tokens, a third of a step each; a head one pass."""
    return step * (tokens + warm_up / 3) / settings.batch_tokens


def memory_needed(trainee: Trainee, objective: Objective, settings: TrainSettings) -> int:
    """Bytes at the peak of a step: activations of both sides, gradients and the optimiser's two moments."""
    config = trainee.network.config
    depth, dim = trainee.base.depth, config.hidden_size
    activations = settings.batch_tokens * KEPT_PER_TOKEN * depth * dim * 4
    contrast = 6 * 4 * settings.batch_tokens**2 * len(objective.layers) // 4
    trained = sum(one.numel() for one in trainee.parameters.values())
    weights = sum(one.numel() for one in trainee.network.parameters())
    return int(activations + contrast + 4 * (3 * trained + weights))


def disk_needed(trainee: Trainee, objective: Objective, pairs: int, examples: Examples) -> int:
    """Bytes of a run folder: three checkpoints, the best weights, and the base's vectors where they are kept."""
    trained = sum(one.numel() for one in trainee.parameters.values())
    words = float(np.mean([side.words for side in examples.target])) + 1
    frozen = pairs * words * trainee.network.config.hidden_size * 4 * len(objective.layers)
    return int(4 * 3 * trained * 4 + (frozen if objective.reads_frozen else 0))


def check_room(memory: int, disk: int, folder: Path) -> None:
    """Refuse a run that this machine cannot hold.

    Raises:
        InputError: too little memory or disk, with what to change.
    """
    import shutil

    import psutil

    free = psutil.virtual_memory().available
    if memory > free:
        raise InputError(
            f"the run needs about {memory / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; lower "
            f"batch_tokens, or use adapter=lora with a smaller rank"
        )
    room = shutil.disk_usage(folder).free
    if disk > room:
        raise InputError(
            f"the run needs about {disk / 1e9:.1f} GB of disk in {folder} and {room / 1e9:.1f} GB are free; "
            f"free some, or name another cache folder by ISOGLOSS_CACHE"
        )
