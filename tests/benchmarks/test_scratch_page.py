"""The from-scratch section of docs/results.md: what it says of made-up cells."""

import importlib.util
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("scratch_page", SCRIPTS / "scratch_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cell(method, seed, gain):
    plain = {"score": 10.0 + gain, "layer": 1}
    return {
        "method": method, "seed": seed, "commands": [f"python -m analysis align {method} --seed {seed}"],
        "scores": {
            "alignment": {"all": 1.0 + gain, "taught": 2.0, "not taught": 3.0}, "word_retrieval": plain,
            "sentence_retrieval": plain, "link_f1": plain, "masked": 7.0 - gain, "next_sentence": plain,
            "bigram_shift": plain, "senses": {"score": None},
        },
    }  # fmt: skip


def test_rows_are_means_over_seeds_and_differences_are_seed_by_seed(page):
    cells = [cell("control", seed, seed) for seed in (0, 1)] + [cell("align_mlm", seed, 5 + seed) for seed in (0, 1)]
    written = page.section(cells)
    rows = [line for line in written.splitlines() if line.startswith("| ")]
    assert len(rows) == 4
    assert rows[2].startswith("| masked LM only (control) | 2 | 1.5 ± 0.7 | 2.0 ± 0.0 |")
    assert rows[3].startswith("| `align_mlm` | 2 | 6.5 ± 0.7 |")
    assert "| 6.5 ± 0.7 | 2.0 ± 0.0 | 3.0 ± 0.0 |" in rows[3]
    assert "alignment score +5.0 (better in 2 of 2 seeds)" in written
    assert written.count("align control --seed 0") == 1
    assert "--seed 1" not in written


def test_a_lower_loss_is_better(page):
    written = page.section([cell("control", 0, 0), cell("hierarchical", 0, 1)])
    assert "masked LM, nats -1.0 (better in 1 of 1 seeds)" in written
    assert "word in context" not in next(line for line in written.splitlines() if line.startswith("- "))


def test_the_marked_place_alone_is_filled(page, tmp_path):
    (tmp_path / "scratch-control-0.json").write_text(json.dumps(cell("control", 0, 0)))
    text = "before\n<!-- scratch -->\nold\n<!-- end -->\nafter\n<!-- commands -->\nkept\n<!-- end -->\n"
    (tmp_path / "results.md").write_text(text)
    page.write(tmp_path, tmp_path / "results.md")
    found = (tmp_path / "results.md").read_text()
    assert found.startswith("before\n<!-- scratch -->\n| training")
    assert "old" not in found
    assert found.endswith("<!-- end -->\nafter\n<!-- commands -->\nkept\n<!-- end -->\n")
