"""The benchmark beside FAISS: its answers, its memory in a small form, and the bounds at full size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "benchmarks/neighbours_benchmark.py", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.fast
def test_a_small_run_agrees_with_faiss_in_little_memory():
    *table, last = run("--words", "9000", "--dim", "32")
    found = json.loads(last)
    assert found["same_as_faiss"] == pytest.approx(1, abs=1e-3)
    assert found["hubness"] > 1
    assert set(found["ratios"]) == {"cosine", "csls"}
    square = 9000 * 9000 * 4
    assert all(found["memory_bytes"][name] < square / 3 for name in ("cosine", "csls"))
    assert "| CSLS |" in "\n".join(table)


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_the_full_size_keeps_its_bounds():
    found = json.loads(run("--json")[-1])
    assert (found["words"], found["dim"]) == (50_000, 384)
    assert found["same_as_faiss"] > 0.999
    assert found["hubness"] > 1
    assert found["ratios"]["cosine"] <= 1.5
    assert found["ratios"]["csls"] <= 2.5
    assert found["memory_bytes"]["cosine"] <= 10**9
    assert found["memory_bytes"]["csls"] <= 10**9
