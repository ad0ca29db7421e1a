"""The monolingual teacher: made once beside a run, of which its logits are kept."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity
from analysis.encoders.load import load_encoder
from analysis.jobs.job import Job
from analysis.records import fingerprint
from analysis.settings import Setting
from analysis.text.corpus import Sentence
from analysis.training.checkpoint import load_weights, save_weights
from analysis.training.loop import schedule
from analysis.training.masked_lm import HEAD_RATE
from analysis.transfer.fit import fine_tune
from analysis.transfer.item import Item
from analysis.transfer.network import TaskNetwork
from analysis.transfer.parallel import drawn, masked_lm, masked_loss
from analysis.transfer.regime import Extras, Regime, Strategy, Work
from analysis.transfer.settings import TransferSettings

KEPT = "kept"


@dataclass(frozen=True)
class Lessons:
    """What the teacher says.

    Attributes:
        of_item: by `key` of a labelled item its (decisions, labels) logits; NaN for a word that the teacher cut off.
        unlabelled: sentences with the teacher's label, and their logits in `of_item`.
    """

    of_item: dict[tuple[str, str], np.ndarray]
    unlabelled: tuple[Item, ...]


@dataclass(frozen=True)
class TeacherSettings(TransferSettings):
    """Settings of making a teacher."""

    mlm_steps: Annotated[int, Setting("steps of masked LM before the task", ge=0)] = 0
    mlm_batch: Annotated[int, Setting("sentences of such a step", ge=1)] = 32
    head_steps: Annotated[int, Setting("steps that warm up a masked-LM head where there is none", ge=0)] = 150


class Teacher(Strategy):
    """Plain fine-tuning of an encoder that has first filled masks in the text of the source language alone."""

    def prepare(self, work: Work) -> None:
        """Fill masks, unless that was done before the run was stopped."""
        if not self.settings.mlm_steps:
            return
        path, encoders = work.job.folder / KEPT / "filled.safetensors", work.network.trainee.parameters
        if not path.exists():
            text = work.extras.monolingual.get(work.source) or tuple(
                one for item in work.train.items for one in item.sentences
            )
            _fill_masks(work, {work.source: text})
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            save_weights(draft, encoders)
            os.replace(draft, path)
        load_weights(path, encoders)


TEACHER = Regime(
    name="teacher", title="Teacher", summary="Masked LM in the source language, then plain fine-tuning.",
    citation="", fidelity=Fidelity.RECONSTRUCTED, strategy=Teacher, settings=TeacherSettings,
)  # fmt: skip


def key(item: Item) -> tuple[str, str]:
    """What finds the logits of an item: a file may use an id twice, a line not."""
    return item.id, item.where


def lessons(work: Work, sentences: Sequence[Sentence]) -> Lessons:
    """What the teacher says of the training items and of some sentences without label.

    The teacher is made where the run has not kept its logits; its own making goes on where it was stopped.

    Args:
        work: the student's; its settings name the teacher.
        sentences: of the source language.

    Raises:
        InputError: a teacher that cannot be loaded or trained.
    """
    settings: Any = work.settings
    encoder = load_encoder(settings.teacher) if settings.teacher else work.network.encoder
    mark = fingerprint({"teacher": encoder.name, "revision": encoder.revision})[:12]
    path = work.job.folder / KEPT / f"teacher-{mark}.npz"
    asked = [Item(str(n), one, "", where="unlabelled") for n, one in enumerate(sentences)]
    if not path.exists():
        folder = work.job.folder / KEPT / f"teacher-{mark}"
        folder.mkdir(parents=True, exist_ok=True)
        tick = lambda done, total, text: work.job.progress(done, total, f"teacher: {text}")  # noqa: E731
        job = Job(folder, {}, echo=lambda line: work.job.say(f"teacher: {line}"), tick=tick)
        try:
            job.tidy()
            network = _taught(work, encoder, job)
            job.progress(0, 0, "its logits")
            _write(path, {"train": logits(network, work.train.items), "asked": logits(network, asked)})
            right = _share_right(network, work)
            work.job.say(f"teacher {encoder.name} is ready; it gets {right:.1f} % of its own training labels right")
        finally:
            job.close()
        shutil.rmtree(folder, ignore_errors=True)
    found = {
        key(item): one
        for name, items in (("train", work.train.items), ("asked", asked))
        for item, one in zip(items, _read(path, name), strict=True)
    }
    labels = work.network.head.labels
    said = [Item(one.id, one.sentence, labels[int(found[key(one)].argmax())], where=one.where) for one in asked]
    return Lessons(found, tuple(said))


def _taught(work: Work, encoder: Any, job: Job) -> TaskNetwork:
    """The teacher's network, trained on the task as the student is, but for what belongs to its own encoder."""
    own: Any = work.settings
    shared = {one.name: getattr(own, one.name) for one in fields(TransferSettings)}
    shared |= {"blocks": "all", "layer": -1, "epochs": own.teacher_epochs}
    mlm_steps = 0 if own.teacher else own.teacher_mlm_steps
    settings = TeacherSettings(
        **shared, mlm_steps=mlm_steps, mlm_batch=own.teacher_mlm_batch, head_steps=own.head_steps
    )
    text = work.extras.monolingual.get(work.source)
    extras = Extras(monolingual={work.source: text} if text and mlm_steps else {})
    return fine_tune(encoder, work.task, work.train, TEACHER, settings, extras=extras, seed=work.seed, job=job)[0]


def _fill_masks(work: Work, text: dict[str, tuple[Sentence, ...]]) -> None:
    """Steps of AdamW on masked LM, the head and the encoder together; the rate rises and falls as the task's does."""
    import torch

    settings, network = work.settings, work.network
    own: Any = settings
    head, sides = masked_lm(
        network, text, masked=0.15, head_steps=own.head_steps, max_sentences=0, seed=work.seed, job=work.job
    )
    device = network.accelerator.device
    heads = list(head.module.to(device).parameters()) if head.module is not None else []
    body = list(network.trainee.parameters.values())
    groups = [{"params": part, "lr": rate, "peak": rate}
              for part, rate in ((body, settings.lr), (heads, HEAD_RATE)) if part]  # fmt: skip
    optimiser = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    for number in range(1, own.mlm_steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * schedule(settings, number, own.mlm_steps)
        rng = np.random.default_rng([work.seed, number, 23])
        torch.manual_seed(int(rng.integers(2**62)))
        loss = masked_loss(head, network, [sides[row] for row in drawn(len(sides), own.mlm_batch, rng)], rng)
        optimiser.zero_grad()
        network.accelerator.backward(loss)
        torch.nn.utils.clip_grad_norm_([*body, *heads], settings.clip or float("inf"))
        optimiser.step()
        work.job.progress(number, own.mlm_steps, f"filling masks in {work.source}, loss {float(loss.detach()):.4g}")
    optimiser.zero_grad()


def logits(network: TaskNetwork, items: Sequence[Item]) -> list[np.ndarray]:
    """For each item its (decisions, labels) logits; NaN for a word that was cut off or has no subword."""
    found: list[np.ndarray] = [np.empty((0, 0), np.float32)] * len(items)
    for rows, outputs, batch in network.passes(items) if items else ():
        values = outputs.float().cpu().numpy()
        by_word = isinstance(batch.items[0].label, tuple)
        counts = [one.words if by_word else 1 for one in batch.first]
        for row, one, part in zip(rows, batch.first, np.split(values, np.cumsum(counts)[:-1]), strict=True):
            found[row] = part.copy()
            if by_word:
                found[row][~np.isin(np.arange(one.words), one.word)] = np.nan
    return found


def _share_right(network: TaskNetwork, work: Work) -> float:
    """The score of the teacher on what it was trained on."""
    stats = work.task.metric.stats(work.train.items, network.predict(work.train.items))
    return work.task.metric.score(np.asarray(stats, np.float64))


def _write(path: Path, parts: dict[str, list[np.ndarray]]) -> None:
    """Logits under their name once they are whole."""
    arrays = {}
    for name, found in parts.items():
        arrays[name] = np.concatenate(found) if found else np.empty((0, 0), np.float32)
        arrays[f"{name}_counts"] = np.array([len(one) for one in found], np.int64)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    os.replace(draft, path)


def _read(path: Path, name: str) -> Iterator[np.ndarray]:
    """The kept logits of each item."""
    with np.load(path, allow_pickle=False) as stored:
        values, counts = stored[name], stored[f"{name}_counts"]
    ends = np.cumsum(counts)
    for end, count in zip(ends, counts, strict=True):
        yield values[end - count : end]
