"""Folders of training runs in every state, written by hand as a run's process would leave them."""

import json
import time

from analysis.records import fingerprint
from analysis.store import cache_folder

DEV = {"es": (80.0, 88.0), "ru": (84.0, 91.0)}


def metrics(steps=(0, 50, 100)):
    """Lines of a run that gets better at every look."""
    lines = []
    for number, step in enumerate(steps):
        share = number / max(1, len(steps) - 1)
        scores = {tag: a + share * (b - a) for tag, (a, b) in DEV.items()}
        lines += [
            {"kind": "dev", "step": step, "seconds": step / 2, "measure": "word_retrieval", "scores": scores,
             "mean": sum(scores.values()) / len(scores), "best": number > 0},
            {"kind": "forgetting", "step": step, "seconds": step / 2, "drift": 0.05 * share,
             "kept_words": 1 - 0.2 * share, "kept_sentences": 1 - 0.3 * share},
        ]  # fmt: skip
    for step in range(1, max(steps) + 1):
        lines.append(
            {"kind": "loss", "step": step, "seconds": step / 2, "loss": 2 / step + 1, "lr": 0.0005, "phase": "train",
             "terms": {"nce@2": 1 / step + 0.5, "sentence": 1 / step + 0.5}}
        )  # fmt: skip
    return sorted(lines, key=lambda line: line["step"])


def write_run(base, *, name="strong", status="stopped", lines=None, error="", **spec):
    """A run's folder; returns its id."""
    spec = {
        "method": "rotation", "encoder": base, "data": ["corpus:tour"], "dev": [], "seed": 0,
        "settings": ["languages=es,ru"], "out": str(cache_folder() / "encoders" / name), **spec,
    }  # fmt: skip
    run_id = fingerprint({"name": name, "status": status})[:8]
    folder = cache_folder() / "runs" / run_id
    folder.mkdir(parents=True)
    job = {
        "format": 1, "id": run_id, "kind": "align", "entry": "analysis.alignment.job:run", "title": name,
        "created": "2026-01-01T00:00:00.000+00:00", "spec": spec, "versions": {},
    }  # fmt: skip
    write = lambda file, value: (folder / file).write_text(json.dumps(value), "utf-8")
    write("job.json", job)
    write("progress.json", {"done": 100, "total": 200, "text": "training", "time": time.time()})
    written = [json.dumps(line) for line in (metrics() if lines is None else lines)]
    (folder / "metrics.jsonl").write_text("\n".join(written) + "\n" if written else "", "utf-8")
    (folder / "log.txt").write_text("begun\nstep 100\n", "utf-8")
    if status == "stopped":
        (folder / "stopped").touch()
    elif status == "failed":
        write("failed.json", {"error": error or "no word pairs in es; give more text", "exit_code": 2})
    elif status == "done":
        write("result.json", {"encoder": f"{base}+{name}", "folder": spec["out"], "kept_step": 100})
    return run_id


def write_encoder(base, name="strong", *, development=True):
    """An aligned encoder of maps that leave everything as it is, with development scores; returns its folder."""
    import numpy as np
    from safetensors.numpy import save_file

    folder = cache_folder() / "encoders" / name
    folder.mkdir(parents=True)
    rows = [
        {"data": f"corpus:tour:en-{tag}", "languages": ["en", tag], "measure": "word_retrieval", "n": 100, "base": a,
         "aligned": b, "difference": b - a, "low": b - a - 3, "high": b - a + 3}
        for tag, (a, b) in DEV.items()
    ]  # fmt: skip
    card = {
        "format": 1, "kind": "maps", "method": "rotation", "base": base, "base_revision": "", "default_layer": 3,
        "languages": ["es", "ru"], "settings": {}, "seed": 0, "summary": "Rotation for 2 languages", "sources": [],
        "data": [], "versions": {}, "development": rows if development else [],
    }  # fmt: skip
    save_file({"es/3/mean": np.zeros(16, np.float32)}, folder / "maps.safetensors")
    (folder / "isogloss.json").write_text(json.dumps(card), "utf-8")
    (folder / "README.md").write_text("# Strong\n", "utf-8")
    return folder
