"""`transfer-compare`: two sides of finished transfers, and what it refuses."""

import json

import numpy as np
import pytest

from analysis.transfer.folder import RESULT, STATS

pytestmark = pytest.mark.fast
N = 60


@pytest.fixture
def made(tmp_path):
    """`made(name, right, ...)` writes the folder of a run whose first so many items of each language are right."""

    def make(name, right, *, task="topics", encoder="base", seed=0, text="same", **more):
        folder = tmp_path / name
        folder.mkdir()
        ids = np.array([str(n) for n in range(N)])
        arrays = {}
        for tag, count in right.items():
            arrays[f"{tag}/ids"] = ids
            arrays[f"{tag}/stats"] = np.stack([np.ones(N), np.arange(N) < count], axis=1).astype(float)
        with (folder / STATS).open("wb") as file:
            np.savez(file, **arrays)
        scores = {tag: 100 * count / N for tag, count in right.items()}
        record = {"task": task, "regime": "plain", "encoder": encoder, "seed": seed, "source_lang": "en", "settings": {},
                  "test": [{"lang": tag, "sha256": text} for tag in right], "source": scores.get("en"),
                  "mean_others": 1.0 if len(right) > 1 else None, "gap": 1.0 if len(right) > 1 else None,
                  "items": [{"lang": tag, "score": score} for tag, score in scores.items()], **more}  # fmt: skip
        (folder / RESULT).write_text(json.dumps(record))
        return str(folder)

    return make


def call(isogloss, a, b, *more):
    words = [part for name, side in (("--a", a), ("--b", b)) for one in side for part in (name, one)]
    return isogloss("transfer-compare", *words, *more)


def test_seeds_and_tasks_of_two_sides(isogloss, made):
    a = [
        made(f"a{task}{n}", {"en": 50, "de": 30 + n}, task=task, seed=n) for task in ("topics", "nli") for n in range(3)
    ]
    b = [made(f"b{task}{n}", {"en": 50, "de": 45 + n}, task=task, seed=n, encoder="aligned") for task in ("topics", "nli")
         for n in range(3)]  # fmt: skip
    done = call(isogloss, a, b, "--json")
    assert done.code == 0, done.err
    tests = {(one["task"], one["what"]): one for one in done.json["tests"]}
    assert set(tests) == {(task, what) for task in ("topics", "nli") for what in ("source", "mean_others", "gap")}
    others = tests["topics", "mean_others"]
    assert others["difference"] == pytest.approx(25)
    assert others["low"] < 25 < others["high"]
    assert others["seeds"] == [3, 3]
    assert others["p_holm"] == pytest.approx(min(1, 2 * others["p"]))
    assert tests["topics", "source"]["difference"] == 0
    shown = call(isogloss, a, b).out
    assert "A is base, plain; B is aligned, plain" in shown
    assert "+25.0 [" in shown


def test_without_other_languages_only_the_source_is_tested(isogloss, made):
    done = call(isogloss, [made("a", {"en": 30})], [made("b", {"en": 50}, encoder="aligned")], "--json")
    assert [one["what"] for one in done.json["tests"]] == ["source"]


def test_a_language_without_a_score_is_told(isogloss, made):
    right = {"en": 50, "de": 30, "fr": 20}
    a, b = made("a", right), made("b", right, encoder="aligned")
    with np.load(f"{b}/{STATS}") as kept:
        arrays = {name: kept[name] for name in kept}
    np.savez(f"{b}/{STATS}", **arrays | {"fr/stats": np.zeros((N, 2))})
    done = call(isogloss, [a], [b])
    assert done.code == 0
    assert "without fr, of which a run has no score" in done.err


def test_what_cannot_be_compared_is_one_line(isogloss, made, tmp_path):
    a, b = made("a", {"en": 50, "de": 30}), made("b", {"en": 50, "de": 40}, encoder="aligned")
    wrong = {
        "holds no result of a transfer": ([str(tmp_path / "none")], [b]),
        "more than one encoder": ([a, b], [b]),
        "seed 0 of task topics twice": ([a, a], [b]),
        "only one side has a run of task nli": ([a], [made("n", {"en": 50, "de": 30}, task="nli")]),
        "scored on other data": ([a], [made("o", {"en": 50, "de": 30}, text="another", seed=1)]),
        "other weights": ([a, made("w", {"en": 50, "de": 30}, seed=1, revision="new")], [b]),
        "other training data": ([a, made("t", {"en": 50, "de": 30}, seed=1, train={"data": "x"})], [b]),
        "other settings": ([a, made("s", {"en": 50, "de": 30}, seed=1, settings={"lr": 1})], [b]),
    }
    for line, (one, other) in wrong.items():
        done = call(isogloss, one, other)
        assert done.code == 2, line
        assert line in done.err
        assert done.err.count("\n") == 1


def test_what_the_sides_differ_in_is_told(isogloss, made):
    a = made("a", {"en": 50, "de": 30}, train={"data": "small"})
    b = made("b", {"en": 50, "de": 40}, train={"data": "large"}, encoder="aligned")
    done = call(isogloss, [a], [b])
    assert done.code == 0
    assert "A and B differ in the training data" in done.err


def test_a_broken_result_is_one_line(isogloss, made):
    a, b = made("a", {"en": 50, "de": 30}), made("b", {"en": 50, "de": 40}, encoder="aligned")
    for content in (b"", b"PK\x03\x04 half"):
        with open(f"{b}/{STATS}", "wb") as file:
            file.write(content)
        done = call(isogloss, [a], [b])
        assert done.code == 2
        assert f"{b} holds no whole result" in done.err
