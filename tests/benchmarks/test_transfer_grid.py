"""The grid of transfer: which cells there are, that their commands are taken, what is stale, and the tables."""

import json
import shlex
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.registry import find, registered
from analysis.settings import parse_settings
from analysis.transfer.fit import resolved
from analysis.transfer.job import make_spec

pytestmark = pytest.mark.fast
SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch, cache, tmp_path):
    """The scripts of benchmarks/, which are no package, with a results folder of the test's own."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import transfer_cells
    import transfer_grid
    import transfer_page

    monkeypatch.setattr(transfer_cells, "CELLS", tmp_path)
    (tmp_path / "items").mkdir()
    return SimpleNamespace(cells=transfer_cells, grid=transfer_grid, page=transfer_page, at=tmp_path)


def stats(metric, hits):
    """What a metric reads of 40 items of which so many are right."""
    right = (np.arange(40) < hits).astype(float)
    if metric == "spearman":
        return np.stack([np.where(right, np.arange(40), 0), np.arange(40)], axis=1)
    return np.stack([right, np.ones(40), np.ones(40)] if metric == "span_f1" else [np.ones(40), right], axis=1)


def made_up(scripts, cell, hits, settings=None):
    """Write a finished cell: `hits` right answers of 40 in each language."""
    metric = find("tasks", cell.line.task).metric.name
    tags = ("en", "de", "hi")
    items = [
        {"lang": tag, "metric": metric, "score": 2.5 * n, "low": 0, "high": 100, "n": 40} for tag, n in zip(tags, hits)
    ]
    others = 1.25 * (hits[1] + hits[2])
    record = {
        "command": f"python -m analysis transfer {cell.line.regime}", "encoder": cell.encoder, "metric": metric,
        "items": items, "source": 2.5 * hits[0], "mean_others": others, "gap": 2.5 * hits[0] - others,
        "source_interval": [0, 100], "mean_others_interval": [0, 100], "gap_interval": [0, 100],
        "cpu_seconds": {"training": 50, "scoring": 20}, "alignment": {"before": 80.0, "after": 78.0},
        "settings": settings, "revision": "x", "process_cpu_seconds": 90.0,
    }  # fmt: skip
    cell.path.write_text(json.dumps(record))
    ids = np.array([str(n) for n in range(40)])
    arrays = {f"{tag}/stats": stats(metric, n) for tag, n in zip(tags, hits)}
    np.savez(cell.items, **arrays, **{f"{tag}/ids": ids for tag in tags})


def test_the_grid_has_what_was_asked_for(scripts):
    cells = list(scripts.cells.all_cells())
    assert len({cell.name for cell in cells}) == len(cells)
    plain = [cell for cell in cells if cell.name.startswith("plain-") and not cell.full]
    assert len(plain) == 5 * 3 * 3
    assert len([cell for cell in cells if cell.name.startswith("probe-")]) == 4 * 3 * 3
    others = {cell.line.regime for cell in cells} - {"plain"}
    assert others == set(registered("regimes")) - {"plain"}
    for name in others:
        mine = [(cell.encoder, cell.seed) for cell in cells if cell.line.regime == name]
        assert sorted(mine) == sorted((one, n) for one in ("bundled", "bundled+combined") for n in range(3))
    trained = [cell.seed for cell in cells if not cell.full and not cell.name.startswith("probe-")]
    assert trained == sorted(trained)


def test_every_command_is_taken(scripts, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "analysis.transfer.job.check_labelled", lambda *_args, **_options: None
    )  # the sets may be absent
    for cell in scripts.cells.all_cells():
        words = cell.command(tmp_path / "out")
        given = {"train": [], "test": [], "data": [], "dictionary": [], "monolingual": [], "alignment": [], "set": []}
        for option, value in pairwise(words):
            key = option.removeprefix("--")
            if option.startswith("--") and key in given:
                given[key].append(value)
        settings = given.pop("set")
        spec = make_spec(
            cell.line.regime, cell.line.task, cell.encoder, out=tmp_path / "out", settings=settings, **given
        )
        assert spec["seed"] == 0
        assert shlex.join(words)


def test_a_cell_of_other_settings_is_stale(scripts):
    cell = scripts.cells.plain_cells(0)[0]
    words = cell.command(scripts.at)
    given = [words[n + 1] for n, word in enumerate(words) if word == "--set"]
    settings = resolved(parse_settings(find("regimes", "plain").settings, given), find("tasks", cell.line.task))
    made_up(scripts, cell, (30, 20, 20), asdict(settings))
    stored = json.loads(cell.path.read_text())
    from methods_cells import portable

    from analysis.encoders.load import load_encoder

    stored |= {
        "revision": load_encoder("bundled").revision,
        "command": portable(cell.command(scripts.at / "elsewhere")),
    }
    cell.path.write_text(json.dumps(stored))
    assert not scripts.grid._stale(cell)
    cell.path.write_text(
        json.dumps(stored | {"command": stored["command"].replace("sib200:en:train", "sib200:en:dev")})
    )
    assert scripts.grid._stale(cell)
    stored["settings"]["lr"] = 1.0
    cell.path.write_text(json.dumps(stored))
    assert scripts.grid._stale(cell)


def test_the_tables(scripts):
    for seed in range(3):
        for cell in scripts.cells.plain_cells(seed):
            better = cell.encoder == "bundled+combined"
            made_up(scripts, cell, (36, 30 + 4 * better, 20 + 4 * better + seed))
        for cell in scripts.cells.regime_cells(seed)[:2]:
            made_up(scripts, cell, (35, 30, 30))
    page = scripts.at / "results.md"
    names = ("plain", "tests", "regimes", "full", "languages", "cells")
    page.write_text("".join(f"<!-- transfer {name} -->\nNot yet.\n<!-- end -->\n" for name in names))
    scripts.page.write(scripts.at, page)
    text = page.read_text()
    assert (
        "| topics, accuracy | `bundled` | 90.0 ± 0.0 | 63.8 ± 1.2 | 26.2 ± 1.2 | 80.0 | 78.0 ± 0.0 | 50 + 20 |" in text
    )
    assert "| `bundled+combined` | topics | +0.0 [+0.0, +0.0] | +10.0" in text
    assert "| de | +10.0 |" in text
    assert "||" not in text
    assert "| `cosda` | topics | `bundled` | 87.5 ± 0.0 | 75.0 ± 0.0" in text
    assert text.count("Not yet.") == 1  # the whole test sets
    assert "at most 50 seconds" in text


def test_no_correction_while_tasks_are_missing(scripts):
    for cell in scripts.cells.plain_cells(0):
        if cell.line.task != "sts":
            made_up(scripts, cell, (36, 30, 20))
    page = scripts.at / "results.md"
    page.write_text("<!-- transfer tests -->\nNot yet.\n<!-- end -->\n")
    scripts.page.write(scripts.at, page)
    assert "Not yet." in page.read_text()
