"""Pretrain small encoders from scratch on English and its altered twin, and fill a section of docs/results.md.

    python benchmarks/scratch_benchmark.py measure [CELL ...]    benchmarks/results/scratch-CELL.json, skipped if there
    python benchmarks/scratch_benchmark.py write                 the table, from all of them

A cell is METHOD-SEED, such as align_mlm-0; all by default, seed by seed. Each is one `python -m analysis align` on the
encoder that `python -m analysis scratch` makes of that seed; runs are kept in --work, and one that was interrupted goes
on. The public sets lie in the folder named by ISOGLOSS_DATA.
"""

import argparse
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CELLS = HERE / "results"
TEXT = ("set:xnli:en,de:test", "set:xnli:en,de:dev")
SCRATCH = ["--lang", "en", "--layers", "4", "--dim", "128", "--vocabulary", "4000", "--twin", "inverted",
           "--held-out", "1000"]  # fmt: skip
SEEDS = (0, 1, 2)
# What every run has, where its method has such a setting: all weights train, for the same number of steps.
COMMON = {"adapter": "full", "embeddings": "true", "lr": "0.002", "batch_tokens": "1024", "epochs": "100",
          "max_steps": "2500", "dev_every": "500", "head_steps": "0", "distil": "0", "precision": "float32"}  # fmt: skip
METHODS: dict[str, tuple[str, dict[str, str]]] = {
    "untrained": ("", {}),
    "control": ("align_mlm", {"weight": "0"}),
    "align_mlm": ("align_mlm", {}),
    "multisense": ("multisense", {}),
    "hierarchical": ("hierarchical", {}),
}


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("measure", "write"))
    parser.add_argument("cells", nargs="*", help=f"METHOD-SEED; methods: {', '.join(METHODS)}")
    parser.add_argument("--work", type=Path, help="folder of the runs, in the cache by default")
    parser.add_argument("--again", action="store_true", help="measure what is there already")
    given = parser.parse_args()
    if given.action == "write":
        from scratch_page import write

        write(CELLS, HERE.parent / "docs" / "results.md")
        return
    sys.path.insert(0, str(HERE))
    from analysis.registry import registered

    here = {"", *registered("methods")}
    for cell in given.cells or [f"{name}-{seed}" for seed in SEEDS for name in METHODS if METHODS[name][0] in here]:
        path = CELLS / f"scratch-{cell}.json"
        if given.again or not path.exists():
            method, _, seed = cell.rpartition("-")
            found = measure(method, int(seed), given.work or _work())
            path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def measure(method: str, seed: int, work: Path) -> dict[str, Any]:
    """One run and its scores, with the commands that made it.

    Args:
        method: a name of `METHODS`.
        seed: of text, weights and training.
        work: folder of the runs.
    """
    from scratch_scores import scores

    from analysis.records import versions

    base = work / f"base-{seed}"
    command = ["scratch", *(part for one in TEXT for part in ("--text", one)), *SCRATCH, "--seed", str(seed),
               "--out", str(base)]  # fmt: skip
    commands = [command]
    if not _finished(base):
        _run(command)
    out, curve = base, []
    if METHODS[method][0]:
        out = work / f"{method}-{seed}"
        commands.append(training(method, seed, base, out))
        if not (out / "isogloss.json").exists():
            shutil.rmtree(out, ignore_errors=True)
            _run(commands[-1])
        card = json.loads((out / "isogloss.json").read_text("utf-8"))
        curve = [{"step": look["step"], "mean": look["mean"]} for look in card.get("curve", ())]
    told = [" ".join(["python -m analysis", *one]).replace(str(work), "WORK") for one in commands]
    return {
        "method": method, "seed": seed, "date": date.today().isoformat(), "commands": told, "curve": curve,
        "scores": scores(out, base), "versions": versions(),
    }  # fmt: skip


def training(method: str, seed: int, base: Path, out: Path) -> list[str]:
    """The `align` command of a cell."""
    from analysis.alignment.method import Uses
    from analysis.registry import find
    from analysis.settings import fields

    name, own = METHODS[method]
    spec = find("methods", name)
    record = json.loads((base / "run.json").read_text("utf-8"))
    known = {field.name for field in fields(spec.settings)}
    chosen = {key: value for key, value in (COMMON | own).items() if key in known}
    command = ["align", name, "--encoder", str(base)]
    command += ["--monolingual", f"{base}/text.txt:{record['language']}"]
    command += ["--monolingual", f"{base}/twin.txt:{record['twin']}"]
    if Uses.DICTIONARY in spec.uses:
        command += ["--dictionary", str(base / "dictionary.tsv")]
    return [*command, *(part for pair in chosen.items() for part in ("--set", "=".join(pair))), "--seed", str(seed),
            "--out", str(out)]  # fmt: skip


def _work() -> Path:
    """Where runs are kept if nobody says."""
    from analysis.store import cache_folder

    return cache_folder() / "scratch-benchmark"


def _finished(folder: Path) -> bool:
    """Whether `scratch` has written the folder to its end."""
    try:
        return bool(json.loads((folder / "run.json").read_text("utf-8")).get("finished"))
    except (OSError, ValueError):
        return False


def _run(arguments: list[str]) -> None:
    """One command of the command line."""
    subprocess.run([sys.executable, "-m", "analysis", *arguments], check=True, cwd=HERE.parent)


if __name__ == "__main__":
    main()
