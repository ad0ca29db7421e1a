"""What a task learned in one language is worth in the others: numbers against numpy, words, and the figure."""

import json

import numpy as np
import pytest

from analysis.comparison.significance import adjust
from analysis.errors import InputError
from analysis.figures.theme import ACCENT, NEUTRAL
from analysis.figures.transfer import (
    MEAN,
    draw_transfer,
    language_name,
    ordered,
    row_name,
    tell_transfer,
    transfer_rows,
)
from analysis.records import resamples
from analysis.text.languages import language
from analysis.transfer.outcome import Outcome, lines_of, load_outcome
from analysis.transfer.scores import Scored

pytestmark = pytest.mark.fast
N = 40
A = {"en": 38, "es": 20, "ru": 24}
B = {"en": 36, "es": 36, "ru": 25}


def outcome(right, *, tmp_path=None, encoder="base", **record):
    """A run whose first so many items of each language are right; of classes, all items in all languages."""
    ids = tuple(map(str, range(N)))
    scored = tuple(
        Scored(tag, ids, np.stack([np.ones(N), np.arange(N) < count], axis=1).astype(float))
        for tag, count in right.items()
    )
    test = [{"lang": tag, "sha256": f"{tag}-items"} for tag in right]
    items = [{"lang": tag, "score": 100 * count / N} for tag, count in right.items()]
    made = {"task": "topics", "regime": "plain", "encoder": encoder, "seed": 0, "source_lang": "en", "settings": {},
            "train": {"n": 9}, "test": test, "items": items, **record}  # fmt: skip
    return Outcome(tmp_path, made, scored)


def test_scores_mean_and_gap_are_those_of_the_items():
    lines = lines_of([outcome(A)])
    assert {line.lang: line.scores[0].score for line in lines.languages} == {"en": 95.0, "es": 50.0, "ru": 60.0}
    assert lines.mean.scores[0].score == 55.0
    assert lines.mean.n == 2
    assert lines.gap[0].score == 40.0
    assert lines.own.lang == "en"
    assert lines.mean.change is None


def test_the_change_of_the_mean_is_a_paired_bootstrap_over_items():
    lines = lines_of([outcome(A), outcome(B, encoder="aligned")])
    drawn = resamples(N, 0)
    mean = {name: np.mean([100 * drawn[:, : right[tag]].sum(axis=1) / N for tag in ("es", "ru")], axis=0)
            for name, right in (("a", A), ("b", B))}  # fmt: skip
    low, high = np.quantile(mean["b"] - mean["a"], [0.025, 0.975])
    assert lines.mean.change.difference == pytest.approx(100 * (16 + 1) / 2 / N)
    assert (lines.mean.change.low, lines.mean.change.high) == pytest.approx((low, high), abs=1e-4)
    unpaired = np.quantile(mean["b"] - mean["a"][::-1], [0.025, 0.975])
    assert high - low < unpaired[1] - unpaired[0]
    assert lines.gap_change.difference == pytest.approx(-5 - 21.25)
    assert lines.differs == ("encoder",)


def test_p_of_a_language_is_corrected_for_their_number():
    lines = lines_of([outcome(A), outcome(B, encoder="aligned")])
    raw = [line.change.p_value for line in lines.languages]
    assert [line.p for line in lines.languages] == pytest.approx(adjust(raw, "holm"))
    assert {line.lang: line.clear for line in lines.languages} == {"en": False, "es": True, "ru": False}


def test_the_title_says_the_finding():
    names = ("base", "aligned")
    better = lines_of([outcome(A), outcome(B)])
    assert tell_transfer(better, names) == (
        "aligned transfers better: 76.2 against 55.0 on the mean of 2 languages, English 90.0 against 95.0"
    )
    worse = lines_of([outcome(B), outcome(A)])
    assert tell_transfer(worse, names).startswith("aligned transfers worse: 55.0 against 76.2")
    same = lines_of([outcome(A), outcome(A | {"ru": 25})])
    assert tell_transfer(same, names).startswith("No clear difference between base and aligned")
    assert tell_transfer(lines_of([outcome(A)]), ["base"]) == "base: English 95.0, 55.0 on the mean of 2 languages"
    assert tell_transfer(lines_of([outcome({"es": 20})]), ["base"]) == "base: 50.0 on 1 other language"
    alone = lines_of([outcome({"en": 20}), outcome({"en": 39})])
    assert alone.mean is None
    assert tell_transfer(alone, names) == "aligned is better: English 97.5 against 50.0"


def test_the_source_stands_first_then_the_mean_then_by_gain_or_score():
    lines = lines_of([outcome(A), outcome(B | {"es": 21, "ru": 30})])
    assert [row_name(line) for line in ordered(lines, "gain")] == ["English", MEAN, "Russian", "Spanish"]
    lines = lines_of([outcome(A), outcome(B)])
    assert [line.lang for line in ordered(lines, "gain")] == ["en", "", "es", "ru"]
    assert [line.lang for line in ordered(lines, "name")] == ["en", "", "ru", "es"]
    assert [line.lang for line in ordered(lines_of([outcome(A)]), "score")] == ["en", "", "ru", "es"]


def test_only_languages_with_the_same_items_are_compared():
    changed = outcome(B | {"de": 9})
    changed.record["test"][1]["sha256"] = "others"
    lines = lines_of([outcome(A), changed])
    assert [line.lang for line in lines.languages] == ["en", "ru"]
    assert set(lines.left_out) == {"es", "de"}
    assert lines.mean.n == 1


def test_runs_that_have_nothing_in_common_are_refused():
    with pytest.raises(InputError, match="topics cannot be held against one of nli"):
        lines_of([outcome(A), outcome(A, task="nli")])
    with pytest.raises(InputError, match="no language with the same test items"):
        lines_of([outcome({"en": 1}), outcome({"es": 1})])


def test_what_two_runs_differ_in_is_named():
    assert lines_of([outcome(A), outcome(A, seed=1, regime="robust")]).differs == ("regime", "seed")


def test_one_run_has_the_colours_of_its_languages():
    drawn = draw_transfer(ordered(lines_of([outcome(A)]), "score"), ["base"], metric="Accuracy").to_dict()
    scale = drawn["layer"][0]["encoding"]["color"]["scale"]
    shown = dict(zip(scale["domain"], scale["range"], strict=True))
    assert shown == {"English": language("en").colour, MEAN: NEUTRAL, "Russian": language("ru").colour,
                     "Spanish": language("es").colour}  # fmt: skip
    assert drawn["layer"][1]["encoding"]["x"]["axis"]["title"] == "Accuracy, %"


def test_two_runs_stand_above_each_other_and_b_is_filled_where_it_differs():
    lines = ordered(lines_of([outcome(A), outcome(B)]), "gain")
    drawn = draw_transfer(lines, ["base", "aligned"], metric="Accuracy").to_dict()
    assert drawn["layer"][1]["encoding"]["color"]["scale"] == {
        "domain": ["base", "aligned"],
        "range": [NEUTRAL, ACCENT],
    }
    rows = {(row["code"], row["run"]): row for row in drawn["data"]["values"]}
    assert rows["es", "aligned"]["sure"]
    assert not rows["ru", "aligned"]["sure"]
    assert rows["ru", "base"]["sure"]
    assert [drawn["layer"][0]["encoding"]["yOffset"]["scale"][name] for name in ("domain",)] == [["base", "aligned"]]


def test_rows_hold_what_the_csv_shows():
    rows = transfer_rows(lines_of([outcome(A), outcome(B)]).languages, ["base", "aligned"])
    assert [(row["code"], row["run"], row["score"]) for row in rows][2:4] == [
        ("es", "base", 50.0),
        ("es", "aligned", 90.0),
    ]
    assert rows[3]["change"] == 40.0
    assert rows[3]["n"] == N


@pytest.mark.parametrize(("tag", "name"), [
    ("es", "Spanish"), ("en+de", "English – German"), ("zh-Hant", language("zh-Hant").name),
])  # fmt: skip
def test_names_of_languages_and_of_pairs(tag, name):
    assert language_name(tag) == name


def test_a_result_is_read_back(tmp_path):
    made = outcome(A)
    (tmp_path / "transfer.json").write_text(json.dumps(made.record), "utf-8")
    arrays = {f"{one.language}/stats": one.stats for one in made.scored}
    np.savez(tmp_path / "stats.npz", **arrays, **{f"{one.language}/ids": np.array(one.ids) for one in made.scored})
    read = load_outcome(tmp_path)
    assert [(one.language, one.ids) for one in read.scored] == [(one.language, one.ids) for one in made.scored]
    assert lines_of([read]).mean.scores[0].score == 55.0
    (tmp_path / "stats.npz").write_bytes(b"broken")
    with pytest.raises(InputError, match="no whole result"):
        load_outcome(tmp_path)
    with pytest.raises(InputError, match="run it again"):
        load_outcome(tmp_path / "nowhere")


def test_the_angle_between_gradients_is_drawn_where_a_run_looked_at_it():
    from analysis.errors import InputError
    from analysis.figures.gradients import cosine_rows, draw_cosines, tell_cosines

    lines = [
        {"kind": "loss", "step": 1, "loss": 2.0},
        {"kind": "cosine", "step": 1, "with_task": {"align": -0.5, "anchor": None}},
        {"kind": "gem", "step": 50, "with_task": {"align": -0.1, "anchor": 0.3}},
    ]
    assert [(row["step"], row["term"], row["cosine"]) for row in cosine_rows(lines)] == [
        (1, "align", -0.5), (50, "align", -0.1), (50, "anchor", 0.3),
    ]  # fmt: skip
    assert "align pulls against the task" in tell_cosines(lines)
    assert "-0.30 (align)" in tell_cosines(lines)
    drawn = draw_cosines(lines, total=100).to_dict()
    assert drawn["data"]["values"] == cosine_rows(lines)
    assert tell_cosines(lines[:1]) == ""
    with pytest.raises(InputError):
        draw_cosines(lines[:1])
