"""The strengthen page on runs in every state, from folders written by hand: what it shows, does and opens."""

import json
import zipfile
from io import BytesIO

import pytest

from analysis.encoders.names import encoder_roots
from analysis.encoders.trained import zip_encoder
from analysis.jobs.process import take_lock
from analysis.jobs.runs import find_run, list_runs
from tests.pages.fake_runs import metrics, write_encoder, write_run
from tests.pages.opened import findings, open_page

pytestmark = pytest.mark.fast


@pytest.fixture
def link(tiny, cache):
    """A tiny encoder as A and B, an empty cache folder."""
    return {"a": tiny, "b": tiny, "langs": "en,es"}


def labels(app):
    return [button.label for button in app.button]


def button(app, label):
    return next(item for item in app.button if item.label == label)


def charts(app):
    return [json.loads(item.proto.spec) for item in app.get("vega_lite_chart")]


def captions(app):
    return " ".join(item.value for item in app.caption)


def said(app):
    return " ".join(item.value for item in app.markdown).replace("\\", "")


def test_a_running_run_shows_its_curves_and_can_only_be_stopped(link, tiny):
    run = write_run(tiny, status="interrupted")
    lock = take_lock(find_run(run).folder)  # as the process that works on it would hold it
    app = open_page("strengthen", **link, run=run)
    assert lock is not None
    assert not app.exception
    assert not app.error
    assert findings(app)[0] == "Word retrieval rose from 82.0 % to 89.5 % on the development data"
    assert "Stop" in labels(app)
    assert "Resume" not in labels(app)
    assert len(charts(app)) == 3
    assert "best look so far, step 100" in captions(app)
    assert app.query_params["run"] == run


def test_dev_curves_have_the_colours_of_their_languages(link, tiny):
    from analysis.text.languages import language

    app = open_page("strengthen", **link, run=write_run(tiny))
    scale = charts(app)[0]["layer"][1]["encoding"]["color"]["scale"]
    shown = dict(zip(scale["domain"], scale["range"], strict=True))
    assert shown["Spanish"] == language("es").colour
    assert shown["Russian"] == language("ru").colour


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_a_run_that_ended_early_says_why_and_can_go_on(link, tiny, status):
    app = open_page("strengthen", **link, run=write_run(tiny, status=status))
    assert not app.exception
    assert status in said(app)
    assert "Resume" in labels(app)
    assert "Stop" not in labels(app)
    errors = [item.value for item in app.error]
    assert {"stopped": 0, "failed": 1, "interrupted": 1}[status] == len(errors)
    assert all("\n" not in error for error in errors)
    assert "esume" in captions(app)


def test_a_run_without_a_line_of_metrics_is_shown(link, tiny):
    app = open_page("strengthen", **link, run=write_run(tiny, status="failed", lines=[], error="the disk is full"))
    assert not app.exception
    assert [item.value for item in app.error] == ["the disk is full"]
    assert not charts(app)


def test_a_done_run_opens_before_and_after_by_itself(link, tiny):
    run = write_run(tiny, status="done")
    write_encoder(tiny)
    app = open_page("strengthen", **link, run=run)
    assert not app.exception
    assert app.query_params["a"] == tiny
    assert app.query_params["b"] == f"{tiny}+strong"
    assert f"{tiny}+strong" in app.sidebar.selectbox[1].options
    assert findings(app)[0] == "B is clearly better on 2 of 2 language pairs, by +7.5 points on average"
    assert "laid off from the base; n = 100" in captions(app)
    assert len(charts(app)) == 4


def test_what_somebody_chose_after_that_stays(link, tiny, tiny_folders):
    run = write_run(tiny, status="done")
    write_encoder(tiny)
    open_page("strengthen", **link, run=run)
    other = str(tiny_folders["bert"])
    app = open_page("strengthen", **(link | {"b": other}), run=run)
    assert app.query_params["b"] == other
    button(app, "Show these as A and B").click()
    app.run()
    assert app.query_params["b"] == f"{tiny}+strong"


def test_a_done_run_without_development_data_claims_nothing(link, tiny):
    run = write_run(tiny, status="done", lines=[])
    write_encoder(tiny, development=False)
    app = open_page("strengthen", **link, run=run)
    assert not app.exception
    assert findings(app)[0] == "No development data were given, so nothing is claimed"
    assert "compare the two encoders" in app.info[0].value


def test_a_done_run_whose_encoder_is_gone(link, tiny):
    app = open_page("strengthen", **link, run=write_run(tiny, status="done"))
    assert not app.exception
    assert findings(app)[0] == "strong is done, its encoder is gone"
    assert app.query_params["b"] == tiny


def test_an_unknown_run_is_one_line_and_the_form(link):
    app = open_page("strengthen", **link, run="feed1234")
    assert not app.exception
    assert len(app.error) == 1
    assert "unknown run" in app.error[0].value
    assert "Start training" in labels(app)
    assert "run" not in app.query_params


def test_the_list_has_every_run_with_its_state(link, tiny):
    for status in ("stopped", "failed", "done"):
        write_run(tiny, name=f"n-{status}", status=status)
    app = open_page("strengthen", **link)
    table = next(item.value for item in app.dataframe if "finding" in item.value)
    assert dict(zip(table["run"], table["status"], strict=True)) == {
        "n-stopped": "stopped", "n-failed": "failed", "n-done": "done",
    }  # fmt: skip
    assert "3 runs, none running" in findings(app)


def test_discarding_deletes_the_run_and_shows_the_form(link, tiny):
    app = open_page("strengthen", **link, run=write_run(tiny))
    button(app, "Yes, discard it").click()
    app.run()
    assert not app.exception
    assert list_runs() == []
    assert "run" not in app.query_params
    assert "Start training" in labels(app)


def test_renaming_an_encoder_takes_its_run_and_the_sidebar_along(link, tiny):
    run = write_run(tiny, status="done")
    write_encoder(tiny)
    app = open_page("strengthen", **link, run=run)
    app.text_input(key="run name strong").set_value("stronger")
    app.button(key="run rename encoder").click()
    app.run()
    assert not app.exception
    assert not app.error
    assert app.query_params["b"] == f"{tiny}+stronger"
    assert find_run(run).title == "stronger"
    assert [path.name for path in encoder_roots()[1].iterdir()] == ["stronger"]
    again = open_page("strengthen", **link, run=run)
    assert findings(again)[0].startswith("B is clearly better")


def test_a_name_that_is_taken_or_none_is_one_line(link, tiny):
    run = write_run(tiny, status="done")
    write_encoder(tiny)
    write_encoder(tiny, "other")
    app = open_page("strengthen", **link, run=run)
    for wrong, why in (("other", "is there already"), ("No Name", "is no encoder name")):
        app.text_input(key="run name strong").set_value(wrong)
        app.button(key="run rename encoder").click()
        app.run()
        assert not app.exception
        assert why in app.error[0].value


def test_an_encoder_that_others_stand_on_stays(link, tiny):
    run = write_run(tiny, status="done")
    write_encoder(tiny)
    write_encoder(f"{tiny}+strong", "on-top")
    app = open_page("strengthen", **link, run=run)
    app.button(key="run delete encoder").click()
    app.run()
    assert "stands on it" in app.error[0].value
    assert (encoder_roots()[1] / "strong").exists()


def test_deleting_an_encoder_takes_it_out_of_the_sidebar(link, tiny):
    run = write_run(tiny, status="done")
    write_encoder(tiny)
    app = open_page("strengthen", **link, run=run)
    app.button(key="run delete encoder").click()
    app.run()
    assert not app.exception
    assert app.query_params["b"] == tiny
    assert not (encoder_roots()[1] / "strong").exists()


def test_the_download_is_the_whole_folder(link, tiny):
    folder = write_encoder(tiny)
    names = zipfile.ZipFile(BytesIO(zip_encoder(folder))).namelist()
    assert set(names) == {"strong/README.md", "strong/isogloss.json", "strong/maps.safetensors"}


def test_scores_of_sentences_are_told_as_such(link, tiny):
    lines = [{**line, "measure": "sentence_retrieval"} if line["kind"] == "dev" else line for line in metrics()]
    app = open_page("strengthen", **link, run=write_run(tiny, lines=lines))
    assert findings(app)[0].startswith("Sentence retrieval rose")
