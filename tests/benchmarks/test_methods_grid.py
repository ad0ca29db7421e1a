"""The grid of methods: which cells there are, in which order, what is skipped, and the tables from made-up cells."""

import fcntl
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.registry import registered

pytestmark = pytest.mark.fast
SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch, cache, tmp_path):
    """The scripts of benchmarks/, which are no package, with a results folder of the test's own."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import methods_cells
    import methods_grid
    import methods_page
    import methods_score

    results = tmp_path / "results"
    results.mkdir()
    monkeypatch.setattr(methods_cells, "CELLS", results)
    monkeypatch.setattr(methods_grid, "CELLS", results)
    return SimpleNamespace(cells=methods_cells, grid=methods_grid, page=methods_page, score=methods_score, at=results)


def made_up(name, seed, score, *, placebo=False, dev=80.0):
    """A finished cell with one column."""
    column = {
        "title": "Word retrieval", "unit": "percent", "higher_is_better": True, "score": score, "data": "set:x:en-es:test",
        "rows": 50, "n": 9, "sentences": 9,
    }  # fmt: skip
    return {
        "name": name, "seed": seed, "placebo": placebo, "dev": {"score": dev, "data": ["set:x:en-es:dev"], "rows": 60},
        "scores": {"word_retrieval/trained": column}, "training_cpu_seconds": 10.0,
        "score_process_cpu_seconds": 5.0, "text": "abc", "rows": 600, "command": f"python -m analysis align {name}",
        "links": {"layer": 7, "decoder": "softmax", "level": "word"},
    }  # fmt: skip


def test_every_registered_method_has_a_line_unless_excluded_with_a_reason(scripts):
    lines = scripts.cells.recipes(registered("methods"))
    names = {line.name for line in lines}
    assert names == (set(registered("methods")) - set(scripts.cells.EXCLUDED)) | set(scripts.cells.VARIANTS)
    assert all(scripts.cells.EXCLUDED.values())


def test_seeds_and_placebos_come_in_the_order_that_leaves_a_table_when_stopped(scripts):
    lines = scripts.cells.recipes(registered("methods"), ["cao", "rotation"])
    names = [cell.name for cell in scripts.cells.main_cells(lines)]
    assert names == [
        "cao-0", "rotation-0", "cao-placebo-0", "rotation-placebo-0", "cao-1", "rotation-1", "cao-2", "rotation-2",
    ]  # fmt: skip
    more = scripts.cells.more_placebos(lines, ["rotation"])
    assert [cell.name for cell in more] == ["rotation-placebo-1", "rotation-placebo-2"]


def test_the_best_are_chosen_by_development_scores_of_true_pairs(scripts):
    cells = [made_up(name, 0, 99 - n, dev=80 + n) for n, name in enumerate("abcd")]
    cells.append(made_up("a", 0, 99, placebo=True, dev=100))
    assert scripts.cells.best_methods(cells) == ["d", "c", "b"]


def test_needs_decide_the_data_and_a_placebo_shuffles_what_is_learned_from(scripts):
    lines = {one.name: one for one in scripts.cells.recipes(registered("methods"))}
    cao = scripts.cells.train_command(scripts.cells.Cell(lines["cao"], 1, placebo=True))
    assert "placebo=true" in cao
    assert [part for part in cao if part.endswith("text/pairs.tsv")]
    rotation = scripts.cells.train_command(scripts.cells.Cell(lines["rotation"], 1, placebo=True))
    assert not any("placebo=" in part for part in rotation)
    assert [part for part in rotation if part.endswith("text/1/pairs.tsv")]
    words = scripts.cells.train_command(scripts.cells.Cell(lines["rotation-dictionary"], 2, placebo=True))
    assert words.count("--dictionary") == 3
    assert [part for part in words if part.endswith("text/2/en-fr.txt")]
    assert [part for part in words if part.endswith("text/pairs.tsv")]


@pytest.mark.parametrize(
    ("needs", "must", "wanted"),
    [
        (["data", "monolingual"], [], ("data",)),
        (["dictionary"], [], ("dictionary",)),
        (["data", "monolingual"], ["dictionary"], ("data", "dictionary")),
        ([], ["dictionary", "monolingual"], ("dictionary", "monolingual")),
    ],
)
def test_a_method_is_given_all_it_must_have_and_pairs_where_it_may(scripts, needs, must, wanted):
    assert scripts.cells.data_kinds(SimpleNamespace(needs=needs, needs_all=must)) == wanted


def test_what_is_finished_or_claimed_is_skipped_and_a_failure_is_named(scripts, monkeypatch, capsys):
    line = scripts.cells.recipes(registered("methods"), ["centring"])[0]
    there, claimed, failing, good = (scripts.cells.Cell(line, seed) for seed in range(4))
    there.path.write_text("{}", "utf-8")
    done = []

    def do(cell, digest, how):
        done.append(cell.seed)
        if cell is failing:
            raise ValueError("too little text")
        return made_up("centring", cell.seed, 80.0)

    monkeypatch.setattr(scripts.grid, "_done", do)
    locks = scripts.cells.work_folder() / "locks"
    locks.mkdir(parents=True)
    with (locks / f"{claimed.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        failed = scripts.grid._all([there, claimed, failing, good], "abc", scripts.grid.How(1, 2))
    assert failed == [failing.name]
    assert sorted(done) == [2, 3]
    assert json.loads(good.path.read_text("utf-8"))["seed"] == 3
    assert not claimed.path.exists()
    assert "too little text" in capsys.readouterr().err


def test_shuffled_rows_never_keep_their_place(scripts):
    rows = [str(n) for n in range(50)]
    turned = scripts.cells._turned(rows, 3, 1)
    assert sorted(turned) == sorted(rows)
    assert all(a != b for a, b in zip(rows, turned, strict=True))


def test_the_table_shows_means_deviations_placebos_and_what_the_tests_say(scripts):
    cells = [made_up("good", seed, 88 + seed) for seed in range(3)] + [made_up("good", 0, 80.0, placebo=True)]
    cells += [made_up("idle", seed, 85.0, dev=70.0) for seed in range(3)] + [made_up("idle", 0, 85.0, placebo=True)]
    cells.append(made_up("bundled", 0, 80.0))
    better = {"difference": 9.0, "p": 0.001}
    tests = {
        "word_retrieval/trained": {
            "best": "good", "base": {"good": better, "idle": better},
            "placebo": {"good": better, "idle": {"difference": 0.0, "p": 1.0}}, "behind": {"idle": better},
        }
    }  # fmt: skip
    grid = scripts.page.Grid(cells, tests)
    table = grid.table(("word_retrieval",), last=True)
    assert "| `good` | 80.0 | **89.0 ± 1.0**\\* (80.0) | 10 + 5 |" in table
    assert "| `idle` | 70.0 | 85.0 ± 0.0\\* (85.0) | 10 + 5 |" in table
    assert "- `good`: 1 of 1 columns gain; none lost" in grid.survival()
    assert "- `idle`: 1 of 1 columns gain; word retrieval ↑, trained" in grid.survival()


def test_the_page_is_filled_between_its_markers_and_else_left_alone(scripts, tmp_path):
    page = tmp_path / "page.md"
    marked = "a\n<!-- methods -->\nold\n<!-- end -->\nb\n<!-- methods full -->\n<!-- end -->\nc\n"
    page.write_text(marked, "utf-8")
    scripts.page.write(scripts.at, page)
    assert page.read_text("utf-8") == marked
    (scripts.at / "method-good-0.json").write_text(json.dumps(made_up("good", 0, 88.0)), "utf-8")
    scripts.page.write(scripts.at, page)
    text = page.read_text("utf-8")
    assert "old" not in text
    assert "| `good` |" in text
    assert text.startswith("a\n")
    assert text.endswith("<!-- methods full -->\n<!-- end -->\nc\n")


def test_tests_are_paired_over_the_same_seeds_and_sentences(scripts, capsys):
    import numpy as np

    cells = [made_up("good", seed, 90.0) for seed in range(3)] + [made_up("good", 0, 80.0, placebo=True)]
    base = made_up("bundled", 0, 80.0)
    noise = np.random.default_rng(0).normal(size=1000)
    for cell in [*cells, base]:
        label = "bundled" if cell is base else scripts.score._label(cell)
        own = np.random.default_rng(len(label)).normal(size=1000)
        score = cell["scores"]["word_retrieval/trained"]["score"]
        scripts.score.keep_replicates(label, {"word_retrieval/trained": (score, score + noise + 0.1 * own)})
    assert sorted(path.stem for path in (scripts.at / "replicates").iterdir()) == [
        "bundled", "good-0", "good-1", "good-2", "good-placebo-0",
    ]  # fmt: skip
    stored = scripts.score._known_replicates(base, "word_retrieval/trained")
    assert np.abs(stored - 80.0 - noise - 0.1 * np.random.default_rng(7).normal(size=1000)).max() < 0.005
    scripts.score.write_tests(cells, base, scripts.at / "methods-tests.json")
    found = json.loads((scripts.at / "methods-tests.json").read_text("utf-8"))["word_retrieval/trained"]
    assert found["best"] == "good"
    scripts.score.write_tests([*cells, made_up("lost", 0, 99.0)], base, scripts.at / "methods-tests.json")
    assert json.loads((scripts.at / "methods-tests.json").read_text("utf-8"))["word_retrieval/trained"] == found
    assert "lost-0" in capsys.readouterr().out
    for against in ("base", "placebo"):
        assert found[against]["good"]["difference"] == pytest.approx(10.0)
        assert found[against]["good"]["p"] < 0.001
        assert found[against]["good"]["high"] - found[against]["good"]["low"] < 1.0


def test_a_part_of_the_grid_ends_before_the_best_are_known(scripts, monkeypatch):
    told = []
    monkeypatch.setattr(scripts.cells, "write_text_files", lambda: "abc")
    monkeypatch.setattr(scripts.grid, "_scored", lambda *_: made_up("bundled", 0, 80.0))
    monkeypatch.setattr(
        scripts.grid, "_done", lambda cell, *_: made_up(cell.recipe.name, cell.seed, 80.0, placebo=cell.placebo)
    )
    monkeypatch.setattr(scripts.grid, "_conclude", lambda lines, best, keep: told.append((len(best), keep)))
    how = scripts.grid.How(1, 1)
    scripts.grid.run(["cao"], how)
    assert sorted(path.stem for path in scripts.at.iterdir()) == [
        "method-bundled", "method-cao-0", "method-cao-1", "method-cao-2", "method-cao-placebo-0",
    ]  # fmt: skip
    assert not told
    scripts.grid.run([], how)
    lines = len(scripts.cells.recipes(registered("methods")))
    assert len(list(scripts.at.iterdir())) == 1 + 4 * lines + 2 * scripts.cells.BEST
    assert told == [(scripts.cells.BEST, False)]
