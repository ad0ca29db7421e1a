"""Measure encoders on the public test sets and write docs/results.md from what was measured.

    python benchmarks/benchmark.py measure NAME ENCODER [--quick]    one cell: benchmarks/results/NAME.json, what is new in it
    python benchmarks/benchmark.py write                             the tables and the figure from all cells

Each cell runs the commands that it records. The public sets lie in the folder named by ISOGLOSS_DATA.
"""

import argparse
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CELLS = HERE / "results"
WORDS = "set:wordalign_xlwa:all:test"
FRENCH = "set:wordalign_awesome:en-fr:test"
SIDES = ("base", "aligned", "difference")
DISTANT = "set:sib200:en,ja,zh:test"
PROBE = "set:sib200:all:test"
QUICK_PROBE = "set:sib200:en,ar,de,el,es,fr,hi,ru,sw,th,tr,zh:test"


def main() -> None:
    """Measure a cell, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("measure", "write"))
    parser.add_argument("name", nargs="?", help="of the cell")
    parser.add_argument("encoder", nargs="?", help="as on the command line")
    parser.add_argument("--quick", action="store_true", help="no links, and the topic probe in 12 languages")
    parser.add_argument("--again", action="store_true", help="measure a cell that is there already")
    given = parser.parse_args()
    if given.action == "write":
        from results_page import write

        write(CELLS, HERE.parent / "docs")
        return
    path = CELLS / f"{given.name}.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() and not given.again else None
    cell = measure(given.encoder, quick=given.quick, known=known)
    path.write_text(json.dumps(cell, indent=1, ensure_ascii=False) + "\n", "utf-8")


def measure(encoder: str, *, quick: bool, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """All scores of one encoder, with the commands that gave them; what is known is not measured again."""
    commands = {
        "word_retrieval": ["evaluate", "word_retrieval", "--data", WORDS, "--data", FRENCH],
        "word_retrieval_csls": ["evaluate", "word_retrieval", "--data", WORDS, "--data", FRENCH, "--set", "score=csls"],
    }
    if not quick:
        commands |= {
            "link_f1": ["evaluate", "link_f1", "--data", WORDS],
            "aer": ["evaluate", "aer", "--data", FRENCH],
            "aer_argmax": [
                "evaluate",
                "aer",
                "--data",
                FRENCH,
                "--layer",
                "7",
                "--set",
                "decoder=argmax",
                "--set",
                "level=word",
            ],
            "aer_words": ["evaluate", "aer", "--data", WORDS],
            "agreement": ["evaluate", "link_agreement", "--data", DISTANT, "--set", "level=subword"],
            "sentences": ["evaluate", "sentence_retrieval", "--data", DISTANT],
        }
    if encoder != "bundled":
        commands["forgetting"] = ["forgetting", "--probe", QUICK_PROBE if quick else PROBE]
    today = date.today().isoformat()
    cell: dict[str, Any] = known or {"encoder": encoder, "date": today, "commands": {}, "scores": {}}
    for name, parts in commands.items():
        arguments = ["-m", "analysis", *parts[:2], "--encoder", encoder, *parts[2:], "--json"]
        if name == "forgetting":
            arguments = ["-m", "analysis", parts[0], "--encoder", encoder, *parts[1:], "--json"]
        command = " ".join(["python", *arguments])
        if name in cell["scores"] and cell["commands"][name] == command:
            continue
        done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
        cell["date"], cell["commands"][name] = today, command
        cell["scores"][name] = _short(json.loads(done.stdout))
    return cell


def _short(found: dict[str, Any]) -> Any:
    """What the page needs of one command's answer."""
    keep = ("score", "low", "high", "n")
    if "rows" in found:
        return {
            row["name"]: {"title": row["title"], **{side: _cut(row[side]) for side in SIDES}} for row in found["rows"]
        }
    items = [
        {key: item[key] for key in ("data", *keep)} | {"sha256": item["provenance"]["data_sha256"][:12]}
        for item in found.get("items", [found])
    ]
    return {key: found[key] for key in keep} | {"items": items, "layer": found["provenance"].get("layer")}


def _cut(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """A score or a difference without what stands behind it."""
    return {key: value for key, value in found.items() if isinstance(value, int | float)} if found else None


if __name__ == "__main__":
    main()
