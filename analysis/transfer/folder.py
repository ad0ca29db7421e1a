"""The folder of a transfer run: encoder, head, scores, counts by item and every prediction."""

import glob
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from analysis.encoders.encoder import Encoder
from analysis.encoders.names import CARD, resolve
from analysis.errors import InputError
from analysis.jobs.files import read_json
from analysis.records import versions
from analysis.store import write_text
from analysis.transfer.item import Dataset, Item, Tree
from analysis.transfer.network import TaskNetwork
from analysis.transfer.regime import Regime
from analysis.transfer.scores import Scored
from analysis.transfer.task import Task

RESULT, STATS, PREDICTIONS = "transfer.json", "stats.npz", "predictions.jsonl"


def claim_transfer_folder(out: Path, *, task: str, regime: str, encoder: str, seed: int) -> None:
    """Make sure that `out` may be written.

    Args:
        out: absent, empty, or an earlier run of the same four, which is replaced.
        task: name of the run's task.
        regime: name of its regime.
        encoder: name of its encoder.
        seed: of the run.

    Raises:
        InputError: it is a file or cannot be written, the encoder itself, or holds something else.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {str(out)!r} is a file; give a folder that is absent or empty")
    folder = resolve(encoder).folder
    if folder is not None and folder.resolve() == out.resolve():
        raise InputError(f"--out {str(out)!r} is the encoder itself; give another folder")
    if out.is_dir() and any(out.iterdir()):
        if not (out / RESULT).exists():
            raise InputError(f"--out {str(out)!r} is not empty and no earlier transfer; give another folder")
        earlier = read_json(out / RESULT) or {}
        said = tuple(str(earlier.get(key)) for key in ("task", "regime", "encoder"))
        if said != (task, regime, encoder) or earlier.get("seed") != seed:
            raise InputError(
                f"--out {str(out)!r} holds another run: {said[0]} by {said[1]} on {said[2]}, seed {earlier.get('seed')}; "
                "give another folder or delete that one"
            )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {str(out)!r} cannot be made: {error.strerror}; give another folder") from error
    if not os.access(out.parent, os.W_OK):
        raise InputError(f"--out {str(out)!r} lies in a folder that cannot be written; give another one")


def write_folder(
    out: Path, network: TaskNetwork, encoder: Encoder, task: Task, regime: Regime, settings: Any,
    record: Mapping[str, Any], scored: Sequence[Scored], predictions: Mapping[str, tuple[Dataset, list[Any]]],
) -> None:  # fmt: skip
    """Write the folder as a whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    draft = _draft(out)
    try:
        if network.trains_encoder:
            network.trainee.save(draft, encoder.name)
            card = {
                "format": 1, "kind": settings.adapter if settings.adapter == "full" else "adapter",
                "method": f"transfer-{regime.name}", "base": str(encoder.name), "base_revision": encoder.revision,
                "default_layer": encoder.depth, "languages": [record["source_lang"]], "settings": asdict(settings),
                "summary": f"{task.title}, learned in {record['source_lang']} ({regime.name})", "data": [],
                "versions": versions(), "made": record["made"], "command": record["command"],
            }  # fmt: skip
            write_text(draft / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
        network.head.save(draft)
        arrays = {f"{one.language}/stats": one.stats for one in scored}
        arrays |= {f"{one.language}/ids": np.array(one.ids) for one in scored}
        np.savez_compressed(draft / STATS, **arrays)  # type: ignore[arg-type]
        with (draft / PREDICTIONS).open("w", encoding="utf-8") as file:
            for tag, (dataset, said) in predictions.items():
                for item, one in zip(dataset.items, said, strict=True):
                    file.write(json.dumps(_line(tag, item, one), ensure_ascii=False, default=asdict) + "\n")
        write_text(draft / RESULT, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        _replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _draft(out: Path) -> Path:
    """A folder beside `out` to write in; it bears the number of this process."""
    return Path(tempfile.mkdtemp(prefix=f".{out.name}-draft-{os.getpid()}-", dir=out.parent))


def _sweep(out: Path) -> None:
    """Drop what processes have left that were killed while they wrote."""
    for left in out.parent.glob(f".{glob.escape(out.name)}-draft-*"):
        owner = re.fullmatch(rf"\.{re.escape(out.name)}-draft-(\d+)-\w+", left.name)
        if owner and not psutil.pid_exists(int(owner[1])):
            shutil.rmtree(left, ignore_errors=True)


def _replace(draft: Path, out: Path) -> None:
    """Put a finished folder in place; killed in between, there is the old one, the new one or none, but no half."""
    if out.exists():
        aside = _draft(out)
        out.rename(aside / "old")
        draft.rename(out)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        draft.rename(out)


def _line(tag: str, item: Item, said: Any) -> dict[str, Any]:
    """One prediction."""
    texts: dict[str, Any] = {"text": item.sentence.text} | ({"other": item.other.text} if item.other else {})
    if isinstance(item.label, tuple | Tree):  # one answer a word
        texts["words"] = list(item.sentence.words)
    return {"lang": tag, "id": item.id, **texts, "gold": item.label, "predicted": said}
