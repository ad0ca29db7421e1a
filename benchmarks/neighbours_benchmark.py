"""Time and memory of retrieval in both directions, beside two exact FAISS searches in the same run.

    python benchmarks/neighbours_benchmark.py [--words 50000] [--dim 384] [--seed 0] [--repeats 1] [--json]

The vectors are made up: two languages whose words share a direction and have a falling spectrum, so that there are
hubs as in an encoder. FAISS searches `IndexFlatIP` with k = 10 once in each direction; its index is built before.
Both libraries get two threads. Memory is what the process grows by above its inputs, sampled.
"""

import argparse
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

THREADS = 2
K = 10
EVERY = 0.01  # seconds between two looks at the memory
BOUNDS = {"cosine": 1.5, "csls": 2.5}  # times the two FAISS searches
GIGABYTE = 10**9


def main() -> None:
    """Measure and print a table and a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=50_000, help="of each language")
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=1, help="runs of each, of which the median counts")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    given = parser.parse_args()
    found = measure(given.words, given.dim, seed=given.seed, repeats=given.repeats)
    if not given.json:
        print(write_table(found))
        print()
    print(json.dumps(found))


def measure(words: int, dim: int, *, seed: int = 0, repeats: int = 1) -> dict[str, Any]:
    """Run FAISS, the cosine and CSLS in turn.

    Args:
        words: of each language.
        dim: width of a vector.
        seed: seed of the vectors.
        repeats: runs of each, of which the median counts.

    Returns:
        What was run, the seconds, the times of the two FAISS searches and the peak memory above the inputs in bytes.
    """
    import faiss
    from threadpoolctl import threadpool_limits

    from analysis.measures.hubness import occurrences, skewness
    from analysis.neighbours.mutual import mutual_first

    faiss.omp_set_num_threads(THREADS)
    source, target = make_words(words, dim, seed)
    indices = [faiss.IndexFlatIP(dim) for _ in range(2)]
    indices[0].add(target)
    indices[1].add(source)
    lists: list[np.ndarray] = []
    answers: dict[Any, Any] = {}

    def search() -> None:
        """Both FAISS searches."""
        lists[:] = [index.search(queries, K)[1] for index, queries in zip(indices, (source, target), strict=True)]

    def match(score: str) -> None:
        """The best matches in both directions."""
        answers.update(mutual_first(source, target, csls_k=K, scores=[score]))

    runs: dict[str, Callable[[], None]] = {"faiss": search, "cosine": lambda: match("cosine")}
    runs["csls"] = lambda: match("csls")
    with threadpool_limits(THREADS, user_api="blas"):
        mutual_first(source[:600], target[:600], scores=["cosine", "csls"])  # BLAS allocates its buffers once
        indices[0].search(source[:64], K)
        before = _resident()
        timed = [{name: _run(run, before) for name, run in runs.items()} for _ in range(repeats)]
    seconds = {name: median(each[name][0] for each in timed) for name in runs}
    both = zip(lists, (answers["cosine"].forward, answers["cosine"].backward), strict=True)
    return {
        "words": words,
        "dim": dim,
        "seed": seed,
        "repeats": repeats,
        "threads": THREADS,
        "hubness": float(np.mean([skewness(occurrences(found, words)) for found in lists])),
        "seconds": seconds,
        "ratios": {name: seconds[name] / seconds["faiss"] for name in BOUNDS},
        "memory_bytes": {name: max(each[name][1] for each in timed) for name in runs},
        "same_as_faiss": float(np.mean([found[:, 0] == ours for found, ours in both])),
        "versions": {"numpy": np.__version__, "faiss-cpu": version("faiss-cpu")},
    }


def make_words(words: int, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of translated words with hubs: (words, dim) float32 rows of length 1 for each language.

    Args:
        words: of each language.
        dim: width of a vector.
        seed: seed of the vectors.
    """
    generator = np.random.default_rng(seed)
    scale = np.arange(1, dim + 1, dtype=np.float32) ** -0.25
    shared = generator.standard_normal((words, dim), dtype=np.float32) * scale
    sides = []
    for _ in range(2):
        side = shared + generator.standard_normal((words, dim), dtype=np.float32) * scale
        side += 0.7 * scale
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        sides.append(side)
    return sides[0], sides[1]


def write_table(found: dict[str, Any]) -> str:
    """The Markdown table of one run.

    Args:
        found: what `measure` gives.
    """
    rows = [
        f"{found['words']:,} x {found['words']:,} words of {found['dim']} dimensions, {found['threads']} threads, "
        f"skewness of N_10 {found['hubness']:.1f}",
        "",
        "| both directions | seconds | times FAISS | bound | memory above the inputs, MB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    titles = {"faiss": "two FAISS IndexFlatIP searches, k = 10", "cosine": "cosine", "csls": "CSLS"}
    for name, title in titles.items():
        ratio = f"{found['ratios'][name]:.2f}" if name in BOUNDS else "1"
        bound = f"{BOUNDS[name]}" if name in BOUNDS else ""
        memory = found["memory_bytes"][name] / 10**6
        rows.append(f"| {title} | {found['seconds'][name]:.1f} | {ratio} | {bound} | {memory:.0f} |")
    return "\n".join(rows)


def _run(run: Callable[[], None], before: int) -> tuple[float, int]:
    """Seconds of a run and the most memory it took above `before`."""
    with _watched() as peak:
        start = perf_counter()
        run()
        seconds = perf_counter() - start
    return seconds, max(0, peak[0] - before)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """The most resident memory seen while the block runs."""
    peak, done = [_resident()], threading.Event()

    def watch() -> None:
        """Look at the memory until told to stop."""
        while not done.wait(EVERY):
            peak[0] = max(peak[0], _resident())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        peak[0] = max(peak[0], _resident())
        done.set()
        thread.join()


def _resident() -> int:
    """Resident memory of this process in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    main()
