"""Scores one encoder of the grid of methods, and the paired tests between its lines."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import methods_cells as grid
import numpy as np
from methods_cells import BASE

SAMPLE_SEED = 0
DEV = ("set:wordalign_xlwa:en-es:dev", "set:wordalign_xlwa:en-ru:dev")
DEV_ROWS = 60
LINK_LAYERS = range(5, 13)
DECODERS = ("argmax", "entmax", "itermax", "softmax")
WORDS = ("word_retrieval", "word_retrieval score=csls", "link_f1", "dictionary_induction")
SENTENCES = ("sentence_retrieval", "cka")


@dataclass(frozen=True)
class Part:
    """Measures on one data set.

    Attributes:
        group: whether its languages were trained on: `trained`, `left`, or `english`.
        measures: with their settings.
        data: name of the data; several languages give their mean.
        rows: at most so many of each language pair, drawn by `SAMPLE_SEED`.
    """

    group: str
    measures: tuple[str, ...]
    data: str
    rows: int


PARTS = (
    Part("trained", WORDS, "set:wordalign_xlwa:en,es,ru:test", 50),
    Part("left", WORDS, "set:wordalign_xlwa:en,it,sl:test", 50),
    Part("trained", ("aer",), "set:wordalign_awesome:en-fr:test", 60),
    Part("trained", SENTENCES, "set:sib200:en,de,zh:test", 50),
    Part("left", SENTENCES, "set:sib200:en,sw,ja:test", 50),
    Part("trained", ("word_in_context",), "set:mcl_wic:en-zh:test", 60),
    Part("left", ("word_in_context",), "set:mcl_wic:en-ar:test", 60),
    Part("english", ("neighbours_kept", "drift"), "set:sib200:en:test", 50),
)


def score(name: str, label: str) -> dict[str, Any]:
    """Choose layer and decoder for links on development data, then score on all parts beside the base.

    Args:
        name: of the encoder.
        label: what the replicates are stored under, for `tests`.

    Returns:
        `dev`, `links` and `scores` by column (`link_f1/left`), with seconds of each of the two halves.
    """
    from analysis.encoders.load import load_encoder

    begun = time.perf_counter()
    known: dict[str, Any] = {}

    def load(one: str) -> Any:
        """An encoder, the base too, with its links as the development sample chooses them."""
        if one not in known:
            known[one] = load_encoder(one)
            known[one].link_defaults = _choice(known[one])
        return known[one]

    dev = {"score": _dev_score(load(name)), "base": _dev_score(load(BASE)), "data": [*DEV], "rows": DEV_ROWS}
    chosen = time.perf_counter()
    scores, replicates = {}, {}
    for part in PARTS:
        for column, entry in _scored(part, name, load):
            scores[column] = _kept(entry, part)
            replicates[column] = entry.result.replicates
    keep_replicates(label, {column: (entry["score"], replicates[column]) for column, entry in scores.items()})
    ended = time.perf_counter()
    return {
        "dev": dev, "links": asdict(load(name).link_defaults), "choice_seconds": round(chosen - begun, 1),
        "scoring_seconds": round(ended - chosen, 1), "scores": scores,
    }  # fmt: skip


def _dev_bitexts() -> list[Any]:
    """The development sample."""
    from analysis.comparison.reading import sample
    from analysis.text.sets import load_set

    return [sample(load_set(name)[0], DEV_ROWS, SAMPLE_SEED) for name in DEV]


def _choice(encoder: Any) -> Any:
    """Layer, decoder and level for links."""
    from analysis.links.tuning import choose, make_plan

    return choose(encoder, _dev_bitexts(), plan=make_plan(encoder, DECODERS, LINK_LAYERS))[0]


def _dev_score(encoder: Any) -> float:
    """Word retrieval at the last layer, mean of the development languages; its vectors are those of the choice."""
    from analysis.registry import find
    from analysis.scoring.evaluate import evaluate_layers

    measure = find("measures", "word_retrieval")
    found = [evaluate_layers(measure, encoder, one, layers=LINK_LAYERS)[-1].score for one in _dev_bitexts()]
    return float(np.mean([score or 0.0 for score in found]))


def _scored(part: Part, name: str, load: Any) -> list[tuple[str, Any]]:
    """The columns of a part, each as an entry of a comparison with the base."""
    from analysis.comparison.plan import plan
    from analysis.comparison.request import Request, checked, spread
    from analysis.comparison.run import run

    if name == BASE and part.group == "english":
        return []  # nothing is forgotten yet
    request = Request(
        (BASE, name), spread(part.measures, ()), (part.data,), max_rows=part.rows, seed=SAMPLE_SEED, correction="none"
    )
    found = run(plan(checked(request), load=load))
    meant = {entry.key for entry in found.means}
    entries = [*found.means, *(entry for entry in found.entries if entry.key not in meant)]
    return [(f"{entry.key}/{part.group}", entry) for entry in entries if entry.encoder == name]


def _kept(entry: Any, part: Part) -> dict[str, Any]:
    """What the results keep of an entry."""
    result, found = entry.result, entry.difference
    kept = {
        "title": entry.title, "unit": entry.unit, "higher_is_better": entry.higher_is_better, "data": part.data,
        "rows": part.rows, "layer": entry.layer, "score": _round(result.score), "low": _round(result.low),
        "high": _round(result.high), "n": result.n, "sentences": result.clusters,
    }  # fmt: skip
    if found is not None:
        kept["difference"] = {key: _round(value) for key, value in asdict(found).items()}
    return kept | ({"note": result.note} if result.note else {})


def _round(value: float | None) -> float | None:
    """Six significant digits."""
    return None if value is None else float(f"{value:.6g}")


def _replicates(label: str) -> Path:
    """Where the bootstrap replicates of a cell lie, beside its scores: a test pairs them with those of other cells."""
    return grid.CELLS / "replicates" / f"{label}.npz"


def keep_replicates(label: str, columns: Mapping[str, tuple[float | None, np.ndarray]]) -> None:
    """Store the replicates of a cell as distances from its scores in half precision, three digits of each distance.

    Args:
        label: of the cell.
        columns: the score and its replicates by column; those without a score are left out.
    """
    around = {
        column.replace("/", "|"): (np.asarray(values) - score).astype(np.float16)
        for column, (score, values) in columns.items() if score is not None
    }  # fmt: skip
    _replicates(label).parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(_replicates(label), **around)


def _known_replicates(cell: Mapping[str, Any], column: str) -> np.ndarray:
    """The replicates of a column of a finished cell."""
    name = BASE if cell["name"] == BASE else _label(cell)
    with np.load(_replicates(name)) as stored:
        return cell["scores"][column]["score"] + stored[column.replace("/", "|")].astype(np.float64)


def write_tests(cells: Sequence[Mapping[str, Any]], base: Mapping[str, Any], path: Path) -> None:
    """Test every line against base, placebo and the best line of each column, and write the result.

    Scores and replicates are means over seeds, so that a test is that of the mean; p values are Holm's over the lines
    of a column. A cell whose replicates are missing is left out of the tests.

    Args:
        cells: finished ones, of all lines.
        base: the cell of the base.
        path: of the JSON file.
    """
    from analysis.store import write_text

    if not _replicates(BASE).exists():
        print(f"the replicates of {BASE} are missing, {path.name} stays as it is; delete its cell to make them anew")
        return
    missing = [_label(cell) for cell in cells if not _replicates(_label(cell)).exists()]
    if missing:
        print(f"not tested, delete their cells to make their replicates: {', '.join(missing)}")
    cells = [cell for cell in cells if _label(cell) not in missing]
    columns = {column: one for cell in cells for column, one in cell["scores"].items()}
    found = {column: _column_tests(column, cells, base) for column in columns}
    write_text(path, json.dumps(found, indent=1) + "\n")


def _label(cell: Mapping[str, Any]) -> str:
    """The name of a cell's files."""
    return f"{cell['name']}-{'placebo-' if cell['placebo'] else ''}{cell['seed']}"


def _column_tests(column: str, cells: Sequence[Mapping[str, Any]], base: Mapping[str, Any]) -> dict[str, Any]:
    """The tests of one column: for each line against base, placebo, and best."""
    of = [cell for cell in cells if cell["scores"].get(column, {}).get("score") is not None]
    lines = {
        name: _mean(column, [one for one in of if one["name"] == name and not one["placebo"]])
        for name in dict.fromkeys(one["name"] for one in of if not one["placebo"])
    }
    tests: dict[str, dict[str, Any]] = {"base": {}, "placebo": {}, "behind": {}}
    before = _mean(column, [base]) if column in base["scores"] else None
    for name, line in lines.items():
        tests["base"][name] = _test(before, line)
        both = [
            [one for one in of if one["name"] == name and one["placebo"] is is_placebo] for is_placebo in (False, True)
        ]
        shared = {one["seed"] for one in both[0]} & {one["seed"] for one in both[1]}
        true, placebo = (_mean(column, [one for one in side if one["seed"] in shared]) for side in both)
        tests["placebo"][name] = _test(placebo, true)
    up = next((one["scores"][column]["higher_is_better"] for one in of), None)
    best = max(lines, key=lambda name: lines[name].score * (1 if up else -1)) if lines and up is not None else ""
    tests["behind"] = {name: _test(lines[best], line) for name, line in lines.items() if best and name != best}
    return {"best": best} | {kind: _adjusted(group) for kind, group in tests.items()}


def _mean(column: str, cells: Sequence[Mapping[str, Any]]) -> Any:
    """The mean of some cells of one line as a result, None of none."""
    from analysis.records import Result

    if not cells:
        return None
    own = [cell["scores"][column] for cell in cells]
    replicates = np.mean([_known_replicates(cell, column) for cell in cells], axis=0)
    return Result(
        column, float(np.mean([one["score"] for one in own])), None, None, 0, own[0]["unit"],
        own[0]["higher_is_better"], replicates, own[0]["sentences"],
    )  # fmt: skip


def _test(first: Any, second: Any) -> dict[str, Any] | None:
    """The paired test of two means, None where there is none."""
    from analysis.comparison.significance import paired

    found = paired(first, second) if first is not None and second is not None else None
    return None if found is None else {key: _round(value) for key, value in asdict(found).items()}


def _adjusted(group: Mapping[str, dict[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """The tests that there are, with Holm's p."""
    from analysis.comparison.significance import adjust

    there = {name: one for name, one in group.items() if one is not None}
    p_values = adjust([one["p_value"] for one in there.values()], "holm")
    return {name: one | {"p": _round(p)} for (name, one), p in zip(there.items(), p_values, strict=True)}
