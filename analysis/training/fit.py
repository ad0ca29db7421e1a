"""From a base encoder, data and an objective to a trained encoder: everything around the loop."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.jobs.fresh import begin_again
from analysis.jobs.job import Job
from analysis.records import fingerprint
from analysis.text.corpus import Bitext, Sentence
from analysis.training import estimate
from analysis.training.batches import Plan
from analysis.training.checkpoint import Progress
from analysis.training.data import TrainingData, make_examples, shuffled_dictionaries
from analysis.training.encode import Progress as Tick
from analysis.training.frozen import freeze
from analysis.training.links import link, only_linked
from analysis.training.loop import Loop
from analysis.training.monitor import Monitor
from analysis.training.objective import Material, Objective, held_encoder
from analysis.training.settings import TrainSettings, check_reach
from analysis.training.trainee import Trainee


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        trainee: with the kept weights in it.
        state: where the run ended.
        kept: the step whose weights are kept.
        steps: steps the run had planned.
        languages: what it was trained on.
        pairs: sentence pairs (or sentences) of each language.
        links: word links of all pairs, 0 for a method that reads none.
        link_layer: the layer of own links.
    """

    trainee: Trainee
    state: Progress
    kept: int
    steps: int
    languages: tuple[str, ...]
    pairs: dict[str, int]
    links: int
    link_layer: int

    def tensors(self) -> dict[str, np.ndarray]:
        """The kept weights by name."""
        return {name: one.detach().cpu().numpy().copy() for name, one in self.trainee.parameters.items()}

    def write(self, folder: Path, base_name: str) -> None:
        """Write the weights as `peft` or `transformers` reads them."""
        self.trainee.save(folder, base_name)


def train(
    encoder: Encoder, data: TrainingData, settings: TrainSettings, make_objective: Any, *, seed: int,
    job: Job | None = None,
) -> Trained:  # fmt: skip
    """Fine-tune an encoder.

    Args:
        encoder: the base; it is not changed.
        data: pairs, text and dictionaries to learn from, and development pairs, which may be empty.
        settings: of the method.
        make_objective: `make_objective(encoder, settings)` gives the objective.
        seed: of everything random.
        job: where progress, metrics and checkpoints go; without one they go to a folder that is deleted.

    Returns:
        The network with its kept weights.

    Raises:
        InputError: no usable pair, sentence or link, or too little memory or disk.
        IsoglossError: the loss is not finite.
    """
    with ExitStack() as stack:
        job = job or stack.enter_context(Job.temporary())
        if settings.link_layer < 0:  # once, for the stored choice may change while the run is stopped
            settings = replace(settings, link_layer=encoder.link_defaults.layer)
        if settings.placebo:
            data = replace(data, dictionaries=shuffled_dictionaries(data.dictionaries, seed))
        trainee = Trainee(encoder, settings, seed=seed, held=held_encoder(encoder, settings))
        objective: Objective = make_objective(encoder, settings)
        check_reach(encoder.depth, settings.blocks, objective.layers)
        found = make_examples(trainee.base, data, settings, seed, text=objective.reads_text)
        examples, pairs = found.examples, found.counts
        if found.left_out:
            job.say(f"{found.left_out:,} left out: longer than the encoder's {trainee.base.limit} tokens")
        disk = estimate.disk_needed(trainee, objective, len(examples), examples)
        # The base's vectors are in memory until they are written.
        held = 2 * disk if objective.reads_frozen else 0
        estimate.check_room(estimate.memory_needed(trainee, objective, settings) + held, disk, job.folder)
        together = f", joined into {len(examples):,}" if settings.join > 1 and not objective.reads_text else ""
        what = "sentences" if objective.reads_text else "pairs"
        job.say(f"{sum(pairs.values()):,} {what}{together}, languages: {' '.join(sorted(pairs))}; {trainee.precision}")
        mark = _fingerprint(encoder, data, settings, trainee, seed)
        begin_again(job, mark, made=("frozen-*.npy", "links-*.npz"))
        plan = Plan(examples, settings, seed=seed, batches=objective.batches)
        material = Material(encoder, trainee, examples, data.monolingual, data.dictionaries, settings, seed)
        if job.latest() is None:
            job.say(estimate.announce(material, make_objective, plan))
        bitexts = found.bitexts
        if objective.reads_links:
            examples = link(examples, bitexts, trainee, encoder, settings, progress=_told(job, "Linking words"))
        if objective.drops_unlinked:
            before = len(examples)
            examples, bitexts = only_linked(examples, bitexts)
            plan = Plan(examples, settings, seed=seed, batches=objective.batches)
            job.say(f"{before - len(examples):,} pairs without a word link left out; {plan.steps:,} steps")
        frozen = None
        if objective.reads_frozen:
            frozen = freeze(
                trainee, examples.target, objective.layers, plan.used(), folder=job.folder,
                progress=_told(job, "Encoding with the base"),
            )  # fmt: skip
        torch_seed(seed)
        objective.prepare(replace(material, examples=examples, job=job))
        monitor = Monitor(
            encoder, trainee, data.dev, anchor=settings.anchor, fallback=_fallback(data, bitexts),
            layer=objective.layers[-1], dev_pairs=settings.dev_pairs,
        )  # fmt: skip
        loop = Loop(trainee, objective, examples, bitexts, plan, settings, monitor, frozen, job, mark, seed)
        state = loop.run()
    return Trained(
        trainee, state, loop.kept, plan.steps, tuple(sorted(set(examples.language))), pairs,
        sum(len(one) for one in examples.links), settings.link_layer,
    )  # fmt: skip


def torch_seed(seed: int) -> None:
    """Seed what an objective draws at its start, whatever was drawn before."""
    import torch

    torch.manual_seed(seed)


def _fallback(data: TrainingData, bitexts: Sequence[Bitext]) -> list[Sentence]:
    """Sentences that are watched for forgetting where there are no development data: the anchor's, else any."""
    if bitexts:
        return [sentence for bitext in bitexts for sentence in bitext.target[:100]]
    text = data.text()
    return [*text.get(data.anchor, next(iter(text.values()), ()))][:300]


def _fingerprint(encoder: Encoder, data: TrainingData, settings: TrainSettings, trainee: Trainee, seed: int) -> str:
    """Hash of everything that decides the weights; a checkpoint of anything else is not resumed."""
    return fingerprint(
        {"revision": encoder.revision, "data": data.digests(), "dev": [bitext.digest for bitext in data.dev],
         "languages": list(data.languages), "settings": asdict(settings), "precision": trainee.precision, "seed": seed}
    )  # fmt: skip


def _told(job: Job, what: str) -> Tick:
    """A progress function that says what is being done."""
    return lambda done, total: job.progress(done, total, what)
