"""Curves of a training and the figure of before and after: the right numbers, colours and words."""

import pytest

from analysis.errors import InputError
from analysis.figures import theme
from analysis.figures.development import development_rows, draw_development, tell_development
from analysis.figures.training import (
    best_step,
    dev_rows,
    draw_dev,
    draw_forgetting,
    draw_loss,
    forgetting_rows,
    loss_rows,
    seconds_left,
    tell_dev,
    tell_forgetting,
    tell_loss,
)
from analysis.text.languages import language

pytestmark = pytest.mark.fast


def dev(step, best=False, measure="word_retrieval", **scores):
    mean = sum(scores.values()) / len(scores)
    return {"kind": "dev", "step": step, "seconds": step, "measure": measure, "scores": scores, "mean": mean,
            "best": best}  # fmt: skip


def loss(step, value, **terms):
    return {"kind": "loss", "step": step, "seconds": 2.0 * step, "loss": value, "terms": terms, "lr": 1e-4}


def test_dev_rows_have_a_line_a_language_and_the_mean():
    rows = dev_rows([dev(0, es=80.0, ru=84.0), dev(10, best=True, es=88.0, ru=90.0)])
    assert [(row["language"], row["score"]) for row in rows if row["step"] == 10] == [
        ("Spanish", 88.0), ("Russian", 90.0), ("mean", 89.0),
    ]  # fmt: skip


def test_a_label_with_data_or_a_pair_keeps_a_colour_of_its_language():
    rows = dev_rows([{**dev(0, es=1.0), "scores": {"es (set:x)": 1.0, "es-de": 2.0, "zh-Hant": 3.0}}])
    assert [(row["language"], row["tag"]) for row in rows][:3] == [
        ("Spanish (set:x)", "es"), ("es-de", "de"), ("Chinese (Hant)", "zh-Hant"),
    ]  # fmt: skip


def test_dev_curves_are_coloured_by_language_and_end_at_the_steps_planned():
    drawn = draw_dev([dev(0, es=80.0, ru=84.0), dev(10, best=True, es=88.0, ru=90.0)], total=50).to_dict()
    scale = drawn["layer"][1]["encoding"]["color"]["scale"]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours == {"Spanish": language("es").colour, "Russian": language("ru").colour, "mean": theme.NEUTRAL}
    assert drawn["layer"][1]["encoding"]["x"]["scale"]["domain"] == [0, 50]
    assert best_step([dev(0, es=1.0), dev(10, best=True, es=2.0)]) == 10


def test_the_loss_is_thinned_and_keeps_its_end_and_terms():
    rows = loss_rows([loss(n, 1.0 / n, a=0.5, b=0.5) for n in range(1, 1002)], most=100)
    assert rows[-1]["step"] == 1001
    assert {row["term"] for row in rows} == {"total", "a", "b"}
    assert len(rows) <= 3 * 101
    assert {row["term"] for row in loss_rows([loss(1, 2.0, only=2.0)])} == {"only"}
    assert {row["term"] for row in loss_rows([loss(1, 2.0)])} == {"total"}
    uneven = loss_rows([loss(1, 2.0, tlm=2.0), loss(2, 3.0, tlm=2.0, sentence=1.0)])
    assert [row["term"] for row in uneven] == ["total", "tlm", "total", "tlm", "sentence"]


def test_every_term_is_told_apart_by_name_and_by_look():
    names = ["tlm", "sentence", "self-training", *(f"contrast@{layer}" for layer in range(1, 10))]
    drawn = draw_loss([loss(1, 12.0, **dict.fromkeys(names, 1.0)), loss(2, 12.0, **dict.fromkeys(names, 1.0))])
    seen = drawn.to_dict()["layer"][0]["encoding"]
    assert seen["color"]["scale"]["domain"] == ["total", *names]
    looks = zip(seen["color"]["scale"]["range"], map(tuple, seen["strokeDash"]["scale"]["range"]), strict=True)
    assert len(set(looks)) == 13
    sole = draw_loss([loss(1, 2.0, **{"self-training": 2.0})]).to_dict()
    assert sole["layer"][0]["encoding"]["color"]["legend"] is not None
    plain = draw_loss([loss(1, 2.0)]).to_dict()
    assert plain["layer"][0]["encoding"]["color"]["legend"] is None


def test_what_is_no_number_is_left_out():
    lines = [loss(1, float("nan")), loss(2, None), {"kind": "forgetting", "step": 0, "drift": None, "kept_words": 0.5}]
    assert loss_rows(lines) == []
    assert [row["value"] for row in forgetting_rows(lines)] == [0.5]
    for draw in (draw_loss, draw_dev):
        with pytest.raises(InputError, match="yet"):
            draw(lines)
    assert draw_forgetting(lines).to_dict()["data"]["values"][0]["value"] == 0.5


def test_findings_are_told_in_a_sentence():
    looks = [dev(0, es=80.0), dev(10, es=88.0)]
    assert tell_dev([]) == tell_loss([]) == tell_forgetting([]) == ""
    assert tell_dev(looks[:1]) == "The base has 80.0 % in word retrieval on the development data"
    assert tell_dev(looks) == "Word retrieval rose from 80.0 % to 88.0 % on the development data"
    assert "fell from 88.0 %" in tell_dev([dev(0, es=88.0), dev(5, es=80.0)])
    assert "stayed" in tell_dev([dev(0, es=88.0), dev(5, es=88.0)])
    assert tell_loss([loss(1, 3.0)]) == "The loss begins at 3"
    assert tell_loss([loss(1, 3.0), loss(2, 1.5)]) == "The loss fell from 3 to 1.5"
    kept = {"kind": "forgetting", "step": 9, "kept_words": 0.8}
    assert tell_forgetting([kept]) == "English words keep 80 % of their nearest neighbours"


def test_the_time_that_is_left_goes_by_the_pace_of_the_steps():
    lines = [loss(n, 1.0) for n in range(1, 6)]
    assert seconds_left(lines, 10) == pytest.approx(10.0)
    assert seconds_left(lines[:2], 10) is None
    assert seconds_left(lines, 5) is None


def card(*changes):
    rows = [
        {"data": f"set:xlwa:en-{tag}:dev", "languages": ["en", tag], "measure": "word_retrieval", "n": 9, "base": 80.0,
         "aligned": 80.0 + change, "difference": change, "low": change - 1, "high": change + 1}
        for tag, change in zip(("es", "ru", "it"), changes, strict=False)
    ]  # fmt: skip
    return {"development": rows}


def test_before_and_after_say_what_is_clear():
    assert tell_development(card(5.0, 0.5, -3.0)) == (
        "B is clearly better on 1 of 3 language pairs, clearly worse on 1, by +0.8 points on average"
    )
    assert "nothing is claimed" in tell_development({"development": []})
    with pytest.raises(InputError, match="development"):
        draw_development({})


def test_the_interval_of_the_change_is_laid_off_from_the_base():
    (row, _) = draw_development(card(5.0, -3.0)).to_dict()["data"]["values"]
    assert (row["from"], row["to"]) == (84.0, 86.0)
    assert row["told"] == "+5.0"
    assert [one["label"] for one in development_rows(card(1.0))] == ["English – Spanish"]


def test_every_figure_becomes_a_picture():
    lines = [dev(0, es=80.0), dev(10, es=88.0), loss(1, 3.0), loss(2, 2.0),
             {"kind": "forgetting", "step": 0, "drift": 0.0, "kept_words": 1.0, "kept_sentences": 1.0}]  # fmt: skip
    for chart in (draw_dev(lines), draw_loss(lines), draw_forgetting(lines), draw_development(card(2.0))):
        assert theme.altair_svg(chart).startswith(b"<svg")
