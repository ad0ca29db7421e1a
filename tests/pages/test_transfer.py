"""The transfer page: its form and link, what it starts, runs in every state, one result and two, errors in sentences."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from analysis.jobs import control
from analysis.jobs.process import take_lock
from analysis.jobs.runs import find_run, list_runs
from analysis.jobs.state import FAILURE, RESULT, STOPPED
from analysis.records import fingerprint
from analysis.registry import registered
from analysis.store import cache_folder
from analysis.transfer.item import Kind
from analysis.transfer.job import KIND, make_spec
from pages._parts.transferring.items import item_html, told
from tests.pages.opened import html_of, open_page

pytestmark = pytest.mark.fast
RIGHT = {"en": 38, "es": 20, "ar": 24}
N = 40


@pytest.fixture
def link(tiny, tiny_folders, cache, monkeypatch):
    """Two tiny encoders as A and B, an empty cache folder, no public sets."""
    import streamlit as st

    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    return {"a": tiny, "b": str(tiny_folders["bert"]), "langs": "en,es"}


@pytest.fixture
def launched(monkeypatch):
    """The runs that would have been started."""
    found = []
    monkeypatch.setattr(control, "_launch", found.append)
    return found


def write_transfer(encoder, name, *, status="done", right=RIGHT, error="", **spec):
    """The folders of a run as its process would leave them; returns its id."""
    out = cache_folder() / "transfer" / name
    spec = make_spec(**({"regime": "plain", "task": "categories", "encoder": encoder, "train": (), "test": (),
                         "out": out, "seed": 0} | spec))  # fmt: skip
    run_id = fingerprint({"name": name})[:8]
    folder = cache_folder() / "runs" / run_id
    folder.mkdir(parents=True)
    job = {
        "format": 1, "id": run_id, "kind": KIND, "entry": "analysis.transfer.job:run", "title": name,
        "created": f"2026-01-01T00:00:{len(list_runs()):02d}.000+00:00", "spec": spec, "versions": {},
    }  # fmt: skip
    write = lambda file, value: (folder / file).write_text(json.dumps(value), "utf-8")
    write("job.json", job)
    write("progress.json", {"done": 9, "total": 30, "text": "step 9 of 30, loss 1.2", "time": time.time()})
    lines = [{"kind": "loss", "step": n, "seconds": n, "loss": 3 / n, "terms": {"task": 3 / n}} for n in range(1, 10)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    (folder / "log.txt").write_text("begun\n", "utf-8")
    if status == "stopped":
        (folder / STOPPED).touch()
    elif status == "failed":
        write(FAILURE, {"error": error or "no usable row in de.tsv", "exit_code": 2})
    elif status == "done":
        write(RESULT, {"folder": str(out), "source": 95.0, "mean_others": 55.0, "gap": 40.0})
        write_outcome(out, spec, right)
    return run_id


def write_outcome(out, spec, right):
    """transfer.json, stats.npz and predictions.jsonl."""
    out.mkdir(parents=True)
    ids = list(map(str, range(N)))
    record = {
        "format": 1, "task": spec["task"], "regime": spec["regime"], "encoder": spec["encoder"], "source_lang": "en",
        "metric": "accuracy", "seed": spec["seed"], "settings": {}, "train": {"data": "x", "n": 80, "sha256": "t"},
        "test": [{"lang": tag, "n": N, "sha256": tag} for tag in right], "failed": ["de: the file is broken"],
        "items": [{"lang": tag, "score": 100 * count / N, "low": 1, "high": 99, "n": N} for tag, count in right.items()],
    }  # fmt: skip
    (out / "transfer.json").write_text(json.dumps(record), "utf-8")
    arrays = {f"{tag}/ids": np.array(ids) for tag in right}
    arrays |= {f"{tag}/stats": np.stack([np.ones(N), np.arange(N) < count], 1).astype(float)
               for tag, count in right.items()}  # fmt: skip
    np.savez_compressed(out / "stats.npz", **arrays)
    with (out / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for tag, count in right.items():
            for n in range(N):
                text = f"اسم <b>{n}</b>" if tag == "ar" else f"name {n} <b>of</b> {tag}"
                said = "month" if n < count else "<i>day</i>"
                line = {"lang": tag, "id": str(n), "text": text, "gold": "month", "predicted": said}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def button(app, label):
    return next(item for item in app.button if item.label == label)


def labels(app):
    return [item.label for item in app.button]


def captions(app):
    return " ".join(item.value for item in app.caption).replace("\\", "")


def said(app):
    return " ".join(item.value for item in app.markdown).replace("\\", "")


def header(app):
    return app.header[0].value.replace("\\", "")


def charts(app):
    return [json.loads(item.proto.spec) for item in app.get("vega_lite_chart")]


def test_an_empty_page_says_what_it_is_for_and_needs_no_download(link):
    app = open_page("transfer", **link)
    assert not app.exception
    assert not app.error
    assert header(app) == "Does a task learned in one language work in the others?"
    assert "needs no download" in captions(app)
    assert "minutes" in captions(app)
    assert app.selectbox(key="page task").value == "categories"
    assert app.selectbox(key="page learn").value == "corpus:cldr:train:en"
    assert app.multiselect(key="page score-on").value == ["corpus:cldr:test"]
    assert not button(app, "Start 2 runs").disabled


@pytest.mark.parametrize("task", sorted(registered("tasks")))
def test_every_task_offers_the_regimes_that_fit_and_names_the_rest(link, task):
    app = open_page("transfer", **link, task=task)
    assert not app.exception
    kind, specs = registered("tasks")[task].kind, registered("regimes")
    fitting = {one.title for one in specs.values() if kind in one.kinds}
    assert set(app.selectbox(key="page regime").options) == fitting
    for title in {one.title for one in specs.values()} - fitting:
        assert title in captions(app)


@pytest.mark.parametrize("regime", sorted(registered("regimes")))
def test_every_regime_has_its_own_form_and_data(link, regime):
    spec = registered("regimes")[regime]
    task = next(name for name, one in registered("tasks").items() if one.kind in spec.kinds and one.train)
    app = open_page("transfer", **link, task=task, regime=regime)
    assert not app.exception
    assert app.selectbox(key="page regime").value == regime
    assert spec.citation.rstrip(".") in captions(app)
    boxes = {item.label for item in app.multiselect}
    for use, label in (("data", "Sentence pairs"), ("monolingual", "Text without translation")):
        must = use in spec.needs | spec.needs_all
        assert (f"{label} ({'needed' if must else 'optional'})" in boxes) == (use in spec.uses)
    assert any(item.key == f"how {regime} lr" for item in app.number_input)


def test_starting_makes_a_run_for_a_and_for_b(link, launched):
    app = open_page("transfer", **link, how="x", **{"how-learned": "max_steps=7|nonsense=1", "task-seed": "3"})
    button(app, "Start 2 runs").click()
    app.run()
    assert not app.exception
    assert [run.kind for run in launched] == [KIND, KIND]
    assert [run.spec["encoder"] for run in launched] == [link["a"], link["b"]]
    for run in launched:
        assert run.spec["settings"] == ["max_steps=7"]
        assert run.spec["seed"] == 3
        assert run.spec["train"] == ["corpus:cldr:train:en"]
        assert run.spec["out"].startswith(str(cache_folder() / "transfer" / "categories-plain-s3-"))
    assert len({run.spec["out"] for run in launched}) == 2
    assert app.query_params["transfer"] == ",".join(run.id for run in launched)


def test_one_encoder_only_and_a_second_start_takes_another_folder(link, launched):
    for _ in range(2):
        app = open_page("transfer", **link, **{"whose-task": "b", "task-called": "mine"})
        button(app, "Start").click()
        app.run()
    assert [Path(run.spec["out"]).name for run in launched] == ["mine-bert", "mine-bert-2"]
    again = open_page("transfer", **link, **{"whose-task": "b"})
    assert "Open it" in labels(again)
    button(again, "Open it").click()
    again.run()
    assert again.query_params["transfer"] == launched[1].id  # the newest


def test_the_first_transfer_needs_no_choice(link, launched):
    app = open_page("transfer", **link)
    button(app, "Start a first transfer").click()
    app.run()
    assert not app.exception
    assert {run.spec["task"] for run in launched} == {"categories"}
    assert all("test_items=100" in run.spec["settings"] for run in launched)


def test_a_name_that_is_none_is_one_line(link, launched):
    app = open_page("transfer", **link, **{"task-called": "Not A Name"})
    assert not app.exception
    assert "is none; valid" in app.error[0].value.replace("\\", "")
    assert not launched


def test_sets_that_are_not_here_are_one_line_and_nothing_is_lost(link):
    app = open_page("transfer", **link, task="topics", **{"task-seed": "5"})
    assert not app.exception
    assert all("ISOGLOSS_DATA" in item.value.replace("\\", "") for item in app.error)
    assert len(app.error) >= 1
    assert button(app, "Start 2 runs").disabled
    assert app.number_input(key="page task-seed").value == 5
    app.selectbox(key="page task").set_value("categories").run()
    assert not app.error
    assert app.selectbox(key="page learn").value == "corpus:cldr:train:en"
    assert not button(app, "Start 2 runs").disabled


def test_data_that_are_missing_or_wrong_are_one_line(link, tmp_path):
    for wrong, why in ((str(tmp_path / "none.tsv"), "no file"), ("set:sib200:en", "is not set:NAME"),
                       ("set:nowhere:en:train", "unknown set"), ("corpus:nowhere:train", "is not corpus:NAME")):  # fmt: skip
        app = open_page("transfer", **link, task="topics", learn=wrong, **{"score-on": "corpus:cldr:test"})
        assert not app.exception
        assert why in app.error[0].value.replace("\\", "")
        assert button(app, "Start 2 runs").disabled


def test_languages_narrow_the_test_data(link, launched):
    app = open_page("transfer", **link, tongues="en,de,nonsense")
    assert app.multiselect(key="page tongues").value == ["en", "de"]
    button(app, "Start 2 runs").click()
    app.run()
    assert [run.spec["test"] for run in launched] == [["corpus:cldr:test:en,de"]] * 2


def test_a_running_pair_shows_progress_and_loss_and_can_be_stopped(link, launched):
    ids = [write_transfer(link[side], side, status="running") for side in "ab"]
    locks = [take_lock(find_run(run).folder) for run in ids]  # as the processes that work on them would hold them
    app = open_page("transfer", **link, transfer=",".join(ids))
    assert all(locks)
    assert not app.exception
    assert header(app) == "Learning the task"
    assert labels(app).count("Stop") == 2
    assert len(charts(app)) == 2
    assert "The loss fell from" in said(app)


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_a_run_that_ended_early_says_why_and_can_go_on(link, launched, status):
    run = write_transfer(link["a"], "mine", status=status)
    app = open_page("transfer", **link, transfer=run)
    assert not app.exception
    assert status in said(app)
    assert len(app.error) == (status != "stopped")
    assert "esume" in captions(app)
    button(app, "Resume").click()
    app.run()
    assert [one.id for one in launched] == [run]


def test_a_finished_run_shows_finding_figure_table_and_reasons(link):
    app = open_page("transfer", **link, transfer=write_transfer(link["a"], "mine"))
    assert not app.exception
    assert not app.error
    assert header(app) == "xlmr: English 95.0, 55.0 on the mean of 2 languages"
    assert "## 40.0" in said(app)
    assert "de: the file is broken" in said(app)
    shown = charts(app)[0]["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert shown == ["English", "Mean of the others", "Arabic", "Spanish"]
    table = next(item.value for item in app.dataframe if "code" in item.value)
    assert dict(zip(table["code"], table["score"], strict=True)) == {"en": 95.0, "": 55.0, "ar": 60.0, "es": 50.0}
    assert "holds the training fixed" in captions(app)


def test_two_runs_stand_side_by_side_with_a_paired_test(link):
    ids = [write_transfer(link["a"], "one"), write_transfer(link["b"], "two", right=RIGHT | {"es": 36})]
    app = open_page("transfer", **link, transfer=",".join(ids))
    assert not app.exception
    assert (
        header(app) == "bert transfers better: 75.0 against 55.0 on the mean of 2 languages, English 95.0 against 95.0"
    )
    assert "Change of the mean, B minus A: +20.0 points" in captions(app)
    assert "One seed each: says nothing of other seeds" in captions(app)
    assert ":green-badge[+20.0]" in said(app)
    assert ":gray-badge[−20.0]" in said(app)  # a smaller gap alone is neither good nor bad
    table = next(item.value for item in app.dataframe if "code" in item.value)
    assert dict(zip(table["code"], table["B − A"], strict=True)) == {"en": 0.0, "": 20.0, "ar": 0.0, "es": 40.0}
    back = open_page("transfer", **link, transfer=",".join(ids[::-1]))
    assert "transfers worse" in header(back)


def test_runs_that_differ_in_more_than_the_encoder_say_so(link):
    ids = [write_transfer(link["a"], "one"), write_transfer(link["b"], "two", seed=4)]
    app = open_page("transfer", **link, transfer=",".join(ids))
    assert "differ in the seed as well" in app.warning[0].value


def test_a_partner_can_be_chosen_for_a_finished_run(link):
    one, two = write_transfer(link["a"], "one"), write_transfer(link["b"], "two")
    app = open_page("transfer", **link, transfer=one)
    app.selectbox(key=f"partner of {one}").set_value(two).run()
    button(app, "This one as A, that one as B").click()
    app.run()
    assert app.query_params["transfer"] == f"{one},{two}"
    assert not app.exception


def test_wrong_items_are_shown_in_their_sentences_and_escaped(link):
    run = write_transfer(link["a"], "mine")
    app = open_page("transfer", **link, transfer=run, **{"items-of": "ar"})
    page = html_of(app)
    assert "&lt;b&gt;24&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "<i>day" not in page
    assert 'lang="ar"' in page
    assert '<bdi dir="rtl">' in page
    assert "16 of 40 items of Arabic" in captions(app)
    assert "اسم" in page


def test_items_that_only_one_of_two_has_wrong(link):
    ids = [write_transfer(link["a"], "one"), write_transfer(link["b"], "two", right=RIGHT | {"es": 15})]
    app = open_page("transfer", **link, transfer=",".join(ids), **{"items-of": "es", "only": "here"})
    assert not app.exception
    assert "5 of 40 items of Spanish" in captions(app)


def test_a_result_that_is_gone_is_one_line(link):
    run = write_transfer(link["a"], "mine")
    (cache_folder() / "transfer" / "mine" / "stats.npz").unlink()
    app = open_page("transfer", **link, transfer=run)
    assert not app.exception
    assert "run it again" in app.error[0].value


def test_an_unknown_run_is_one_line_and_the_form(link):
    app = open_page("transfer", **link, transfer="feed1234")
    assert not app.exception
    assert "unknown run" in app.error[0].value
    assert "transfer" not in app.query_params
    assert "Start 2 runs" in labels(app)


def test_discarding_deletes_run_and_result(link):
    run = write_transfer(link["a"], "mine")
    app = open_page("transfer", **link, transfer=run)
    button(app, "Yes, discard it").click()
    app.run()
    assert not app.exception
    assert list_runs() == []
    assert not (cache_folder() / "transfer" / "mine").exists()
    assert "transfer" not in app.query_params


def test_the_list_has_every_run_with_its_scores(link):
    for status in ("stopped", "done"):
        write_transfer(link["a"], f"n-{status}", status=status)
    app = open_page("transfer", **link)
    table = next(item.value for item in app.dataframe if "status" in item.value)
    assert dict(zip(table["run"], table["status"], strict=True)) == {"n-stopped": "stopped", "n-done": "done"}
    assert "2 runs, none running" in said(app)
    assert list(table["others"].dropna()) == [55.0]


def test_a_run_of_another_kind_is_refused(link):
    run = write_transfer(link["a"], "mine")
    path = find_run(run).folder / "job.json"
    path.write_text(path.read_text("utf-8").replace('"kind": "transfer"', '"kind": "align"'), "utf-8")
    app = open_page("transfer", **link, transfer=run)
    assert "is no transfer" in app.error[0].value


def test_predictions_of_every_kind_are_rows_of_escaped_html():
    text = {"lang": "en", "id": "1", "text": "the <fox> jumps"}
    tags = item_html({**text, "gold": ["DET", "NOUN", "VERB"], "predicted": ["DET", "X", "Y"]}, Kind.TAGS)
    assert "&lt;fox&gt;</mark>" in tags
    assert "NOUN (and 1 more words)" in tags
    gold = {"heads": [2, 3, 0], "relations": ["det", "nsubj", "root"]}
    tree = item_html({**text, "gold": gold, "predicted": gold | {"heads": [2, 1, 0]}}, Kind.TREE)
    assert "nsubj of word 3" in tree
    assert "nsubj of word 1" in tree
    answer = {"texts": ["<fox>"], "starts": [4]}
    span = item_html({**text, "other": text["text"], "gold": answer, "predicted": ""}, Kind.SPAN)
    assert span.count("<mark") == 1
    assert "no answer" in span
    pair = item_html(
        {"lang": "en+ar", "id": "1", "text": "a", "other": "ب", "gold": 1.0, "predicted": 2.345}, Kind.SCORE
    )
    assert '<bdi dir="rtl">' in pair
    assert "2.35" in pair or "2.34" in pair
    assert told({"texts": ["a", "a", "b"]}) == "a / b"
