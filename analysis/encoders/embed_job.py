"""Vectors of a large text in a process of its own, chunk by chunk: killed at any moment it loses one chunk at most.

The vectors end up in the vector cache under the key that `Encoder.vectors` looks up, with the same bits.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from analysis import store
from analysis.encoders.encoder import CHUNK, Encoder
from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.errors import InputError, IsoglossError
from analysis.jobs import control
from analysis.jobs.files import writing
from analysis.jobs.job import Job
from analysis.jobs.runs import Run, read_run, runs_folder
from analysis.jobs.state import Status, state
from analysis.records import fingerprint
from analysis.text.corpus import Sentence

KIND = "embed"
LARGE = 5000  # sentences from which a process of its own is worth it
VALUES, TRUNCATED, SENTENCES = "values.npy", "truncated.npy", "sentences.jsonl"


def request(
    encoder: Encoder, sentences: Sequence[Sentence], *, unit: Unit | str = Unit.WORD,
    layers: Iterable[int] | None = None, pool: Pool | str = Pool.MEAN,
) -> Run | None:  # fmt: skip
    """Start to embed a text, go on with a run that was cut off, or join the one that runs. Returns at once.

    Args:
        encoder: whose vectors are wanted; of an encoder with maps those of its base are made.
        sentences: with their words' spans.
        unit: word or sentence.
        layers: 0 to depth; None means all.
        pool: how a unit's tokens become one vector.

    Returns:
        The run, or None where the vectors are in the cache already.

    Raises:
        InputError: a layer the encoder does not have, or subwords.
        IsoglossError: the disk is full or the cache folder cannot be written.
    """
    origin, unit, pool, wanted = encoder.origin, Unit(unit), Pool(pool), encoder.check_layers(layers)
    if unit is Unit.SUBWORD:
        raise InputError("subwords cannot be embedded by a run; valid: word, sentence")
    key = origin.key(sentences, unit, pool, wanted)
    if store.has(key):
        return None
    name = f"{KIND}-{fingerprint(key)[:12]}"
    old = read_run(runs_folder() / name)
    if old and state(old).status is Status.DONE:
        control.discard(old)  # its vectors have been dropped from the cache
    spec = {
        "encoder": origin.name, "revision": origin.revision, "prefix": origin.prefix, "unit": str(unit),
        "pool": str(pool), "layers": list(wanted), "text": key["text"],
    }  # fmt: skip
    return control.start(
        "analysis.encoders.embed_job:run", spec, kind=KIND, run_id=name,
        title=f"{len(sentences):,} sentences in {origin.name}",
        inputs=lambda folder: _write(folder / SENTENCES, sentences),
    )  # fmt: skip


def run(spec: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Embed the sentences among the job's inputs and store their vectors in the cache.

    Args:
        spec: `encoder`, `revision`, `prefix`, `unit`, `pool` and `layers`, as `request` makes it.
        job: its inputs hold the sentences.

    Returns:
        `sentences` and `units`, their numbers.

    Raises:
        InputError: the encoder is not the one the run began with, or cannot be loaded.
        IsoglossError: the disk is full.
    """
    encoder = load_encoder(spec["encoder"], prefix=spec["prefix"])
    if encoder.revision != spec["revision"]:
        raise InputError(f"encoder {encoder.name!r} has changed since the run began; discard the run and start anew")
    sentences = _read(job.inputs / SENTENCES)
    unit, pool, layers = Unit(spec["unit"]), Pool(spec["pool"]), tuple(spec["layers"])
    key = encoder.key(sentences, unit, pool, layers)
    sizes = [len(one.spans) if unit is Unit.WORD else 1 for one in sentences]
    rows = np.cumsum([0, *sizes])
    if not store.has(key):
        truncated = _chunks(job, encoder, sentences, (unit, pool, layers), rows)
        with store.new_entry(key) as draft:
            np.save(draft / TRUNCATED, truncated, allow_pickle=False)
            _share(job.folder / VALUES, draft / VALUES)
    (job.folder / VALUES).unlink(missing_ok=True)
    return {"sentences": len(sentences), "units": int(rows[-1])}


def _chunks(
    job: Job, encoder: Encoder, sentences: Sequence[Sentence], how: tuple[Unit, Pool, tuple[int, ...]], rows: np.ndarray
) -> np.ndarray:
    """Compute what is missing of the values, and say which sentences were truncated."""
    unit, pool, layers = how
    shape = (len(layers), int(rows[-1]), encoder.dim)
    job.progress(0, len(sentences), "loading the encoder")
    assert encoder.model
    done, truncated = _resume(job)
    with writing(job.folder), (job.folder / VALUES).open("r+b" if done else "w+b") as file:
        start = _header(file, shape)
        while done < len(sentences):
            chunk = sentences[done : done + CHUNK]

            def tick(tokens: int, total: int, done: int = done, size: int = len(chunk)) -> None:
                job.progress(done + size * tokens // max(1, total), len(sentences), "embedding")

            found = encoder.compute(chunk, unit, pool, layers, tick)
            for layer, values in enumerate(found["values"]):
                file.seek(start + (layer * shape[1] + int(rows[done])) * shape[2] * values.itemsize)
                file.write(np.ascontiguousarray(values, dtype=np.float32).data)
            file.flush()
            os.fsync(file.fileno())
            truncated, done = np.concatenate([truncated, found["truncated"]]), done + len(chunk)
            with job.checkpoint(done) as draft:
                np.save(draft / TRUNCATED, truncated, allow_pickle=False)
    return truncated


def _resume(job: Job) -> tuple[int, np.ndarray]:
    """How many sentences are done, and which of them were truncated."""
    last = job.latest()
    if last is None or not (job.folder / VALUES).exists():
        return 0, np.empty(0, dtype=bool)
    job.say(f"going on after {last[0]:,} sentences")
    return last[0], np.load(last[1] / TRUNCATED, allow_pickle=False)


def _header(file: BinaryIO, shape: tuple[int, int, int]) -> int:
    """Write the header of an array file, and return where its values begin."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.tell()


def _share(source: Path, target: Path) -> None:
    """Give a file a second name; a copy where the file system knows no second names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write what of sentences decides their vectors."""
    with path.open("w", encoding="ascii") as file:
        for one in sentences:
            file.write(json.dumps([one.text, one.language, one.spans]) + "\n")


def _read(path: Path) -> list[Sentence]:
    """Read sentences that `_write` wrote.

    Raises:
        IsoglossError: the file is gone or broken.
    """
    try:
        with path.open(encoding="ascii") as file:
            rows = [json.loads(line) for line in file]
        return [Sentence(text, language, tuple((a, b) for a, b in spans)) for text, language, spans in rows]
    except (OSError, ValueError) as error:
        raise IsoglossError(f"{path} cannot be read: {error}; discard the run and start anew") from error
