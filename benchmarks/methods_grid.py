"""Every adapter method on `bundled` with the same text: train, score, and fill "Every method" of docs/results.md.

    python benchmarks/methods_grid.py run [--only NAME,...]    benchmarks/results/method-NAME-SEED.json, skipped if there
    python benchmarks/methods_grid.py full                     base and best three on the full sets: methods-full.json
    python benchmarks/methods_grid.py write                    the tables, from all of them

`run` goes through seed 0 of every method, one placebo of every method, the other seeds, then the other placebos of the
best three by development score; stopped anywhere, it goes on with what is missing, and several can run at once. Text,
logs and encoders lie in the cache folder; the public sets in the folder named by ISOGLOSS_DATA.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import methods_cells as grid
from grid_process import claim, environment, timed
from methods_cells import BASE, CELLS, Cell

TRAIN_LIMIT = 360.0  # seconds of one run on one thread: 3 minutes on two cores
SCORE_LIMIT = 1800.0  # only to end what hangs; the seconds stand in the cell
FULL_WORDS = ("word_retrieval", "word_retrieval score=csls", "link_f1", "dictionary_induction")
FULL = {
    "words, trained": (FULL_WORDS, "set:wordalign_xlwa:en,es,ru:test"),
    "words, left out": (FULL_WORDS, "set:wordalign_xlwa:en,it,sl:test"),
    "links": (("aer",), "set:wordalign_awesome:en-fr:test"),
    "sentences, trained": (("sentence_retrieval", "cka"), "set:sib200:en,de,es,fr,ru,zh:test"),
    "sentences, left out": (("sentence_retrieval", "cka"), "set:sib200:en,ar,hi,it,ja,sw:test"),
    "senses, trained": (("word_in_context",), "set:mcl_wic:en-zh:test"),
    "senses, left out": (("word_in_context",), "set:mcl_wic:en-ar:test"),
    "forgetting": (("neighbours_kept", "drift"), "set:sib200:en:test"),
}


def main() -> None:
    """Run the grid, the full sets, or write the page; `score` is what `run` starts for each encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("run", "full", "write", "text", "score"))
    parser.add_argument("encoder", nargs="?", help="of score")
    parser.add_argument("--out", type=Path, help="of score")
    parser.add_argument("--only", default="", help="lines of the table, separated by commas")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    parser.add_argument("--limit", type=float, default=TRAIN_LIMIT, help="seconds of one training")
    given = parser.parse_args()
    if given.action == "score":
        from methods_score import score

        given.out.write_text(json.dumps(score(given.encoder, given.out.stem)), "utf-8")
    elif given.action == "write":
        from methods_page import write

        write(CELLS, grid.HERE.parent / "docs" / "results.md")
    elif given.action == "text":
        print(grid.write_text_files(), grid.work_folder() / "text")
    elif given.action == "full":
        full(How(given.threads, given.workers))
    else:
        run([name for name in given.only.split(",") if name], How(given.threads, given.workers, given.limit))


@dataclass(frozen=True)
class How:
    """How the processes run: threads of each, how many side by side, and seconds that a training may take."""

    threads: int
    workers: int
    limit: float = TRAIN_LIMIT


def run(only: Sequence[str], how: How) -> None:
    """All cells that are missing, then the tests and the tidying up.

    Args:
        only: names of lines, empty for all.
        how: threads, workers and limit.
    """
    from analysis.registry import registered

    lines = grid.recipes(registered("methods"), only)
    digest = grid.write_text_files()
    with claim(grid.work_folder(), BASE) as mine:
        if mine and not _path_of_base().exists():
            _write_cell(
                _path_of_base(), {"name": BASE, "placebo": False, "date": _today(), **_scored(BASE, BASE, how.threads)}
            )
    failed = _all(grid.main_cells(lines), digest, how)
    every = grid.recipes(registered("methods"))
    waiting = [cell.name for cell in grid.main_cells(every) if not cell.path.exists() and cell.name not in failed]
    if not waiting:  # else the best of all are not known yet
        best = grid.best_methods(grid.finished())
        failed += _all(grid.more_placebos(every, best), digest, how)
        _conclude(every, best, keep=bool(failed))
    if failed:
        raise SystemExit(
            f"not finished: {', '.join(failed)}; see the logs in {grid.work_folder()}; run again for these"
        )


def _conclude(lines: Sequence[grid.Recipe], best: Sequence[str], *, keep: bool) -> None:
    """The tests between all lines; encoders that the full sets do not need are deleted, unless some cells failed."""
    from methods_score import write_tests

    write_tests(grid.finished(), json.loads(_path_of_base().read_text("utf-8")), CELLS / "methods-tests.json")
    for recipe in lines:
        if recipe.name not in best and not keep:
            shutil.rmtree(Cell(recipe, 0).folder, ignore_errors=True)


def _all(cells: Sequence[Cell], digest: str, how: How) -> list[str]:
    """The names of those that failed; what is there or claimed by another process is skipped."""
    with ThreadPoolExecutor(how.workers) as pool:
        return [name for name in pool.map(lambda cell: _guarded(cell, digest, how), cells) if name]


def _guarded(cell: Cell, digest: str, how: How) -> str:
    """Do one cell; its name if it failed, and one line on why."""
    with claim(grid.work_folder(), cell.name) as mine:
        if not mine or cell.path.exists():
            return ""
        try:
            _write_cell(cell.path, _done(cell, digest, how))
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            print(f"{cell.name}: {error}", file=sys.stderr, flush=True)
            return cell.name
        finally:
            if cell.seed or cell.placebo:
                shutil.rmtree(cell.folder, ignore_errors=True)
        print(f"{cell.name}: done", flush=True)
        return ""


def _done(cell: Cell, digest: str, how: How) -> dict[str, Any]:
    """Train and score one cell."""
    command = grid.train_command(cell)
    seconds, cpu = timed(command, grid.work_folder() / f"{cell.name}-train.log", how.threads, how.limit)
    found = {
        "name": cell.recipe.name, "method": cell.recipe.method, "seed": cell.seed, "placebo": cell.placebo,
        "date": _today(), "command": grid.portable(command), "text": digest, "rows": grid.ROWS,
        "training_seconds": round(seconds, 1), "training_cpu_seconds": round(cpu, 1), "limit_seconds": how.limit,
        "threads": how.threads,
    }  # fmt: skip
    return found | _scored(cell.name, f"{BASE}+{cell.folder.name}", how.threads)


def _scored(label: str, encoder: str, threads: int) -> dict[str, Any]:
    """The scores of an encoder, made by a process of their own."""
    out = grid.work_folder() / f"{label}.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, str(Path(__file__).resolve()), "score", encoder, "--out", str(out)]
    seconds, cpu = timed(command, grid.work_folder() / f"{label}-score.log", threads, SCORE_LIMIT)
    found = json.loads(out.read_text("utf-8"))
    out.unlink()
    return found | {"score_process_seconds": round(seconds, 1), "score_process_cpu_seconds": round(cpu, 1)}


def _path_of_base() -> Path:
    """The cell of the base."""
    return CELLS / f"method-{BASE}.json"


def _write_cell(path: Path, cell: dict[str, Any]) -> None:
    """A cell as a whole or not at all."""
    from analysis.store import write_text

    write_text(path, json.dumps(cell, indent=1, ensure_ascii=False) + "\n")


def _today() -> str:
    """The date."""
    return date.today().isoformat()


def full(how: How) -> None:
    """Seed 0 of the best methods and the base on the full sets; what is finished is in the file already.

    Args:
        how: threads and workers.
    """
    from analysis.registry import registered

    lines = {one.name: one for one in grid.recipes(registered("methods"))}
    encoders = [f"{BASE}+{Cell(lines[name], 0).folder.name}" for name in grid.best_methods(grid.finished())]
    path = CELLS / "methods-full.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if found.get("encoders") != encoders:
        found = {"encoders": encoders, "tuning": [], "parts": {}}
        dev = "set:wordalign_xlwa:en,es,ru:dev"
        for encoder in encoders:
            command = [sys.executable, "-m", "analysis", "tune", "--encoder", encoder, "--data", dev]
            subprocess.run(command, check=True, env=environment(how.threads), stdout=subprocess.DEVNULL)
            found["tuning"].append(grid.portable(command))
        _write_cell(path, found)
    missing = [name for name in FULL if name not in found["parts"]]
    with ThreadPoolExecutor(how.workers) as pool:
        for name, part in zip(
            missing, pool.map(lambda one: _compared(one, encoders, how.threads), missing), strict=True
        ):
            found["parts"][name] = part
            _write_cell(path, found)


def _compared(name: str, encoders: Sequence[str], threads: int) -> dict[str, Any]:
    """One comparison of the full sets, with what the page needs of it."""
    measures, data = FULL[name]
    words = [part for one in (BASE, *encoders) for part in ("--encoder", one)]
    words += [part for one in measures for part in ("--measure", one)]
    command = [sys.executable, "-m", "analysis", "compare", *words, "--data", data, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(threads))
    answer = json.loads(done.stdout)
    kept = ("encoder", "key", "title", "data", "label", "layer", "unit", "higher_is_better", "score", "low", "high", "n",
            "best", "significant", "p_adjusted", "difference", "note")  # fmt: skip
    return {"command": answer["command"], "versions": answer["versions"]} | {
        kind: [{key: one[key] for key in kept if one.get(key) not in (None, "")} for one in answer[kind]]
        for kind in ("entries", "means")
    }


if __name__ == "__main__":
    main()
