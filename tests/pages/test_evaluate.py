"""The evaluate page on tiny encoders: the form and its link, tables at once, runs in every state, closer looks."""

import json

import pytest

from analysis.comparison.compare import compare
from analysis.comparison.job import ENTRY, KIND, make_spec
from analysis.comparison.request import Asked, Control, Request
from analysis.jobs import control
from analysis.jobs.runs import create, list_runs
from analysis.jobs.state import FAILURE, RESULT, STOPPED
from tests.pages.opened import findings, html_of, open_page

pytestmark = pytest.mark.fast
MEASURES = ("word_retrieval", "link_f1", "cka")
LINK = {"langs": "en,ru,ar", "by": ",".join(MEASURES), "rows": "100"}


@pytest.fixture(scope="module")
def _cached(tmp_path_factory, tiny_folders):
    """A cache folder with every score of one comparison, made once."""
    import os

    folder, before = str(tmp_path_factory.mktemp("scores")), os.environ.get("ISOGLOSS_CACHE")
    os.environ["ISOGLOSS_CACHE"] = folder
    encoders = [str(tiny_folders["xlmr"]), str(tiny_folders["bert"])]
    options = {"controls": ["shuffled"], "languages": ("en", "ru", "ar"), "max_rows": 100}
    compare(encoders, MEASURES, ["corpus:tour"], **options)
    compare(encoders, ["word_retrieval"], ["corpus:tour"], layers="all", **options)
    yield folder
    if before is not None:
        os.environ["ISOGLOSS_CACHE"] = before


@pytest.fixture
def link(_cached, monkeypatch, tiny_folders):
    """The link of that comparison, its scores in the cache."""
    import streamlit as st

    monkeypatch.setenv("ISOGLOSS_CACHE", _cached)
    st.cache_resource.clear()
    yield {"a": str(tiny_folders["xlmr"]), "b": str(tiny_folders["bert"]), **LINK}
    for run in list_runs(KIND):
        control.discard(run)


@pytest.fixture
def request_of(tiny_folders):
    """The same comparison as a request."""
    return Request(
        (str(tiny_folders["xlmr"]), str(tiny_folders["bert"])), tuple(map(Asked, MEASURES)), ("corpus:tour",),
        controls=(Control.SHUFFLED,), max_rows=100, languages=("en", "ru", "ar"),
    )  # fmt: skip


@pytest.fixture
def started(request_of):
    """Makes the run of the request in some state, as a process would leave it."""

    def make(**files):
        run = create(ENTRY, make_spec(request_of), kind=KIND, title="mine")
        for name, value in files.items():
            path = run.folder / {"failed": FAILURE, "done": RESULT, "stopped": STOPPED}[name]
            path.write_text(json.dumps(value) if value else "")
        return run

    return make


def captions(app):
    return " ".join(item.value for item in app.caption).replace("\\", "")


def labels(app):
    return [button.label for button in app.button]


def charts(app):
    return [json.loads(item.proto.spec) for item in app.get("vega_lite_chart")]


def test_a_new_comparison_shows_its_cost_before_it_starts(tiny_folders, cache):
    app = open_page("evaluate", a=tiny_folders["xlmr"], b=tiny_folders["bert"], langs="en,es", rows="100")
    assert not app.exception
    assert not app.error
    assert "Compare" in labels(app)
    said = " ".join(item.value for item in app.markdown)
    assert "scores to compute" in said
    assert "tokens to read" in said
    assert app.multiselect(key="page enc").value == [str(tiny_folders["xlmr"]), str(tiny_folders["bert"])]
    assert app.checkbox(key="by word_retrieval").value
    assert not app.checkbox(key="by aer").value


def test_starting_leaves_a_run_that_the_address_finds(tiny_folders, cache, monkeypatch):
    launched = []
    monkeypatch.setattr(control, "_launch", launched.append)
    app = open_page("evaluate", a=tiny_folders["xlmr"], b=tiny_folders["bert"], langs="en,es", rows="100", by="cka")
    next(button for button in app.button if button.label == "Compare").click()
    app.run()
    assert not app.exception
    assert [run.kind for run in launched] == ["compare"]
    assert app.query_params["comparison"] == launched[0].id
    assert launched[0].spec["measures"] == ["cka"]
    assert launched[0].spec["languages"] == ["en", "es"]
    assert "Resume" in labels(app)
    again = open_page("evaluate", a=tiny_folders["xlmr"], b=tiny_folders["bert"], langs="en,es", rows="100", by="cka")
    assert "Open it" in labels(again)


def test_scores_that_are_all_there_are_shown_at_once(link):
    app = open_page("evaluate", **link)
    assert not app.exception
    assert not app.error
    title = findings(app)[0]
    assert "xlmr" in title
    assert "bert" in title
    assert "of 3 measures" in title or "on 3 measures" in title
    assert "Compare" not in labels(app)
    table = next(item.value for item in app.dataframe if "measure" in item.value)
    assert list(table["measure"]) == ["Contextual word retrieval", "Link F1", "Linear CKA"]
    assert {"A  xlmr", "B  bert", "B − A", "floor", "n"} <= set(table.columns)
    assert "after Holm's correction for all tests of that measure" in captions(app)
    assert "Mean rank over measures and languages" in captions(app)
    assert len(charts(app)) == 2
    assert app.get("download_button")


def test_bold_stands_only_where_the_test_says_so(link, request_of):
    from analysis.comparison.plan import plan
    from analysis.comparison.run import collect

    best = {(one.key, one.encoder): one.best for one in collect(plan(request_of)).means if not one.control}
    app = open_page("evaluate", **link)
    table = next(item for item in app.dataframe if "measure" in item.value)
    css = table.proto.arrow_data.styler.styles
    bold = sum(rule.split("{")[0].count("#") for rule in css.split("}") if "bold" in rule)
    assert bold == sum(best.values()) > 0


@pytest.mark.parametrize(("files", "status", "button"), [
    ({"stopped": None}, "stopped", "Resume"), ({"failed": {"error": "the disk is full", "exit_code": 1}}, "failed", "Resume"),
    ({}, "interrupted", "Resume"),
])  # fmt: skip
def test_a_run_that_ended_early_shows_what_there_is(link, started, files, status, button):
    run = started(**files)
    app = open_page("evaluate", **link, comparison=run.id)
    assert not app.exception
    assert button in labels(app)
    assert status in " ".join(item.value for item in app.markdown)
    assert [item.value for item in app.error] == {"failed": ["the disk is full"], "stopped": []}.get(
        status, [item.value for item in app.error]
    )
    assert any("measures" in told for told in findings(app)[1:])


def test_a_done_run_shows_its_table_and_what_was_left_out(link, started):
    run = started(done={"cells": 12, "skipped": ["cka on corpus:tour en-ru: out of memory"]})
    app = open_page("evaluate", **link, comparison=run.id)
    assert not app.exception
    assert not app.error
    assert "Resume" not in labels(app)
    assert any("out of memory" in item.value for item in app.markdown)
    assert any("1 part is left out" in item.label for item in app.expander)
    listed = next(item.value for item in app.dataframe if "status" in item.value)
    assert list(listed["status"]) == ["done"]
    next(button for button in app.button if button.label == "New comparison").click()
    app.run()
    assert "comparison" not in app.query_params


def test_a_run_can_be_changed_and_compared_again(link, started):
    run = started(done={"cells": 12, "skipped": []})
    app = open_page("evaluate", a=link["a"], b=link["a"], langs="en,es", comparison=run.id)
    next(button for button in app.button if button.label == "Change and compare again").click()
    app.run()
    assert not app.exception
    assert app.multiselect(key="page enc").value == [link["a"], link["b"]]
    assert app.query_params["rows"] == "100"
    assert [name for name in MEASURES if app.checkbox(key=f"by {name}").value] == list(MEASURES)
    assert not app.checkbox(key="by sentence_retrieval").value


def test_unknown_runs_and_runs_of_other_work_are_one_line(link):
    app = open_page("evaluate", **link, comparison="feed1234")
    assert not app.exception
    assert "unknown run" in app.error[0].value
    assert "comparison" not in app.query_params
    other = create("analysis.alignment.job:run", {"method": "x"}, kind="align", title="t")
    app = open_page("evaluate", **link, comparison=other.id)
    assert "is no comparison" in app.error[0].value.replace("\\", "")


def test_the_errors_behind_a_number_stand_in_their_sentences(link):
    app = open_page("evaluate", **link, look="behind", which="word_retrieval", **{"where-behind": "en-ar"})
    assert not app.exception
    told = next(one for one in findings(app) if one.startswith("Arabic"))
    assert "queries miss, most often by" in told
    html = html_of(app)
    assert html.count("<mark") >= 24
    assert 'dir="rtl"' in html
    assert 'dir="ltr"' in html
    kinds = app.button_group(key="page error").options
    assert len(kinds) > 2
    assert any("right in" in getattr(kind, "content", str(kind)) for kind in kinds)


def test_links_and_other_measures_have_their_own_lists(link):
    app = open_page("evaluate", **link, look="behind", which="link_f1", **{"where-behind": "en-ru"})
    assert not app.exception
    assert any("wrong links" in told and "missed" in told for told in findings(app))
    app = open_page("evaluate", **link, look="behind", which="cka")
    assert any(told.startswith("What is behind Linear CKA") for told in findings(app))


def test_layers_are_curves_with_a_choice_of_what_the_table_shows(link):
    app = open_page("evaluate", **(link | {"by": "word_retrieval"}), depth="all", look="layers")
    assert not app.exception
    assert not app.error
    assert any("is best in xlmr at layer" in told for told in findings(app))
    assert "choose layers on development data" in captions(app)
    assert app.selectbox(key="page at-layer").value == "last"


def test_every_two_languages_can_be_scored_afterwards(link):
    app = open_page("evaluate", **link, look="pairs", which="cka")
    assert not app.exception
    button = next((button for button in app.button if button.label == "Score every two languages"), None)
    if button is not None:
        button.click()
        app.run()
    assert not app.exception
    assert any("furthest apart" in told for told in findings(app))
    assert "Score every two languages" not in labels(app)


def test_what_agrees_needs_points(link):
    app = open_page("evaluate", **link, look="agree")
    assert not app.exception
    assert any("pairs of measures put encoders and languages" in told for told in findings(app))


@pytest.mark.parametrize("bad", [
    {"by": "nonsense"}, {"on": "set:none:test"}, {"tags": "xx"}, {"depth": "deep"}, {"rows": "7"}, {"against": "q"},
    {"look": "nowhere"}, {"how": "cka.estimator=none|x=1|word_retrieval.score=csls"},
])  # fmt: skip
def test_a_bad_link_falls_back_or_is_one_line(link, bad):
    app = open_page("evaluate", **(link | bad))
    assert not app.exception
    assert all("\n" not in item.value for item in app.error)


def test_an_encoder_that_is_none_is_left_out_with_its_reason(link):
    app = open_page("evaluate", **link, enc=f"{link['a']}|no-such-encoder")
    assert not app.exception
    assert any("no-such-encoder" in item.value.replace("\\", "") for item in app.markdown)


def test_measures_that_do_not_fit_are_named(link):
    app = open_page("evaluate", **(link | {"by": "cka,sts"}))
    assert not app.exception
    said = " ".join(item.value for item in app.markdown).replace("\\", "")
    assert "sts on corpus:tour" in said


def test_crossed_pairs_share_their_rows():
    from analysis.text.load import load_bitexts
    from pages._parts.evaluating.pairs import crossed

    ar, ru = load_bitexts("corpus:tour", languages=["en", "ar", "ru"])
    both = crossed(ar, ru)
    assert both.languages == ("ar", "ru")
    assert len(both) == len(ru)
    assert both.source == ar.target
    assert any(links.sure for links in both.links)
    assert crossed(ar, ru.take(range(3))) is None
