"""Run every measure on the shipped encoders and fill the section "Every measure" of docs/results.md.

    python benchmarks/judges.py measure [NAME ...]    benchmarks/results/judge-NAME.json, skipped if there; all names by default
    python benchmarks/judges.py write                 the tables, from all of them

Each name is one `python -m analysis compare`; its cells are cached, so what was interrupted goes on. The public sets
lie in the folder named by ISOGLOSS_DATA.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CELLS = HERE / "results"
ENCODERS = ("bundled", "bundled+rotation", "bundled+cao", "bundled+contrastive-ui", "bundled+contrastive")
TWELVE = "set:sib200:en,ar,de,el,es,fr,hi,ru,sw,th,tr,zh:test"
RUNS: dict[str, tuple[list[str], list[str]]] = {
    "words": (["all", "word_retrieval score=csls"], ["set:wordalign_xlwa:all:test"]),
    "links": (["link_f1", "aer", "word_retrieval", "word_retrieval score=csls"], ["set:wordalign_awesome:en-fr:test"]),
    "sentences": (["all", "sentence_retrieval score=csls"], [TWELVE]),
    "languages": (["language_identity", "language_clusters"], ["set:sib200:all:test"]),
    "senses": (["word_in_context"], [f"set:mcl_wic:en-{tag}:test" for tag in ("en", "ar", "zh")]),
    "similarity": (["sts", "quality"], ["set:stsb_multi:en,de,zh:test"]),
    "questions": (["question_retrieval"], ["set:xquad:en,de,zh:test"]),
    "dictionary": (["dictionary_induction dictionary=set:bli_xling:en-de:test"], ["set:multi30k:en-de:test"]),
}
KEPT = ("encoder", "control", "key", "title", "data", "label", "languages", "layer", "unit", "higher_is_better",
        "score", "low", "high", "n", "rank", "best", "significant", "p_adjusted", "p_languages")  # fmt: skip


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("measure", "write"))
    parser.add_argument("names", nargs="*", help=f"of {', '.join(RUNS)}")
    parser.add_argument("--again", action="store_true", help="measure what is there already")
    given = parser.parse_args()
    if given.action == "write":
        from judges_page import write

        write(CELLS, HERE.parent / "docs" / "results.md")
        return
    for name in given.names or RUNS:
        path = CELLS / f"judge-{name}.json"
        if given.again or not path.exists():
            path.write_text(json.dumps(measure(name), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def measure(name: str) -> dict[str, Any]:
    """Two comparisons with their commands: the shipped encoders, and the base with floor, ceiling and random weights."""
    measures, data = RUNS[name]
    asked = [part for one in measures for part in ("--measure", one)]
    asked += [part for one in data for part in ("--data", one)]
    shipped = _compare([part for encoder in ENCODERS for part in ("--encoder", encoder)] + asked)
    controls = _compare(["--encoder", ENCODERS[0], *asked, "--controls"])
    return shipped | {"controls": {key: controls[key] for key in ("command", "entries", "means")}}


def _compare(arguments: list[str]) -> dict[str, Any]:
    """What the page needs of one comparison."""
    command = [sys.executable, "-m", "analysis", "compare", *arguments, "--json"]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    short = {key: found[key] for key in ("command", "versions", "ranks", "correlations", "skipped")}
    return short | {kind: [_cut(entry) for entry in found[kind]] for kind in ("entries", "means")}


def _cut(entry: dict[str, Any]) -> dict[str, Any]:
    """What the page needs of one score."""
    kept = {key: entry[key] for key in KEPT if entry.get(key) not in (None, "")}
    difference = entry.get("difference")
    return kept | ({"difference": difference} if difference else {}) | {
        "note": entry["note"], "sha256": entry["provenance"].get("data_sha256", "")[:12],
    }  # fmt: skip


if __name__ == "__main__":
    main()
