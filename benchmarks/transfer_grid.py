"""Zero-shot transfer measured: every regime, base against aligned; fills "Zero-shot transfer" of docs/results.md.

    python benchmarks/transfer_grid.py run [--only NAME,...]    benchmarks/results/transfer/CELL.json, skipped if there
    python benchmarks/transfer_grid.py write                    the tables, from all of them

A cell is one `python -m analysis transfer` with its command in the file. Stopped anywhere, `run` goes on with what is
missing, and several can run at once. Logs and trained encoders lie in the cache folder, the encoders until they are
scored; the public sets in the folder named by ISOGLOSS_DATA.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import grid_process
import transfer_cells as grid
from methods_cells import portable
from transfer_cells import Cell

from analysis.errors import IsoglossError

LIMIT = 3600.0  # only to end what hangs; the seconds of the processor stand in the cell


def main() -> None:
    """Run the grid, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("run", "write"))
    parser.add_argument("--only", default="", help="beginnings of the names of cells, separated by commas")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    given = parser.parse_args()
    if given.action == "write":
        from transfer_page import write

        write(
            grid.CELLS,
            grid.HERE.parent / "docs" / "results.md",
            without=[cell for cell in grid.all_cells() if _left_behind(cell)],
        )
        return
    wanted = tuple(name for name in given.only.split(",") if name)
    cells = [cell for cell in grid.all_cells() if not wanted or cell.name.startswith(wanted)]
    with ThreadPoolExecutor(given.workers) as pool:
        failed = [name for name in pool.map(lambda cell: _guarded(cell, given.threads), cells) if name]
    if failed:
        raise SystemExit(f"not finished: {', '.join(failed)}; see the logs in {work_folder()}; run again for these")


def work_folder() -> Path:
    """Locks, logs and encoders, in the cache folder."""
    from analysis.store import cache_folder

    return cache_folder() / "transfer-grid"


def _guarded(cell: Cell, threads: int) -> str:
    """Do one cell unless it is there or claimed; its name if it failed, and one line on why."""
    with grid_process.claim(work_folder(), cell.name) as mine:
        if not mine or (cell.path.exists() and cell.items.exists() and not _stale(cell)):
            return ""
        try:
            _do(cell, threads)
        except (IsoglossError, subprocess.SubprocessError, OSError, ValueError) as error:
            print(f"{cell.name}: {error}", file=sys.stderr, flush=True)
            return cell.name
        print(f"{cell.name}: done", flush=True)
        return ""


def _left_behind(cell: Cell) -> bool:
    """Whether a stored cell is of an encoder that has changed since, and so of another one than its neighbours."""
    from analysis.encoders.load import load_encoder

    return (
        cell.path.exists()
        and json.loads(cell.path.read_text("utf-8"))["revision"] != load_encoder(cell.encoder).revision
    )


def _stale(cell: Cell) -> bool:
    """Whether a stored cell is of other data, settings (defaults included) or another encoder; such a one is done anew."""
    from analysis.encoders.load import load_encoder
    from analysis.registry import find
    from analysis.settings import parse_settings
    from analysis.transfer.fit import resolved

    stored = json.loads(cell.path.read_text("utf-8"))
    words = cell.command(Path("out"))
    given = [words[n + 1] for n, word in enumerate(words) if word == "--set"]
    settings = resolved(
        parse_settings(find("regimes", cell.line.regime).settings, given), find("tasks", cell.line.task)
    )
    now = (_named(portable(words)), asdict(settings), load_encoder(cell.encoder).revision)
    return (_named(stored["command"]), stored["settings"], stored["revision"]) != now


def _named(command: str) -> str:
    """A command without the place of its result."""
    return re.sub(r" --out \S+", "", command)


def _do(cell: Cell, threads: int) -> None:
    """Train, score and keep what is committed."""
    import numpy as np

    from analysis.store import write_text
    from analysis.transfer.folder import RESULT, STATS

    out = work_folder() / cell.name
    command = cell.command(out)
    seconds, cpu = grid_process.timed(command, work_folder() / f"{cell.name}.log", threads, LIMIT)
    found: dict[str, Any] = json.loads((out / RESULT).read_text("utf-8"))
    if found["failed"]:
        raise ValueError(f"not all languages were scored: {'; '.join(found['failed'])}")
    kept = ("task", "regime", "encoder", "revision", "source_lang", "metric", "items", "source", "source_interval",
            "mean_others", "mean_others_interval", "gap", "gap_interval", "failed", "train", "test", "extras", "steps", "seed",
            "settings", "cpu_seconds", "precision", "versions", "made", "alignment")  # fmt: skip
    cell.items.parent.mkdir(parents=True, exist_ok=True)
    with np.load(out / STATS) as arrays:
        # Counts are small whole numbers; what is not is a cosine or a score.
        whole = all(np.array_equal(arrays[key], np.rint(arrays[key])) for key in arrays if key.endswith("/stats"))
        kind = np.uint16 if whole else np.float32
        np.savez_compressed(
            cell.items, **{key: arrays[key].astype(kind) if key.endswith("/stats") else arrays[key] for key in arrays}
        )  # type: ignore[arg-type]
    record = {"command": portable(command), "threads": threads, "process_cpu_seconds": round(cpu, 1),
              "process_seconds": round(seconds, 1), **{key: found[key] for key in kept if key in found}}  # fmt: skip
    write_text(cell.path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
