"""The form of a new training: what is offered, checked at once, kept in the link and handed over."""

import pytest

from analysis.jobs.control import discard
from analysis.jobs.runs import list_runs
from analysis.registry import registered
from tests.pages.fake_runs import write_encoder, write_run
from tests.pages.opened import open_page

pytestmark = pytest.mark.fast


@pytest.fixture
def link(tiny, cache, monkeypatch):
    """A tiny encoder as A and B, an empty cache folder, no public sets."""
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    return {"a": tiny, "b": tiny, "langs": "en,es", "data": "corpus:tour"}


def start(app):
    return app.button(key="start")


def captions(app):
    return " ".join(item.value for item in app.caption).replace("\\", "")


def test_every_method_is_offered_trained_ones_first(link):
    app = open_page("strengthen", **link)
    assert not app.exception
    options = app.selectbox(key="page method").options
    assert len(options) == len(registered("methods"))
    kinds = [option.rpartition(", ")[2] for option in options]
    assert kinds == sorted(kinds, key=lambda kind: kind != "trained")
    assert kinds[0] == "trained"


def test_a_method_tells_its_summary_citation_and_fidelity(link):
    app = open_page("strengthen", **link, method="rotation")
    spec = registered("methods")["rotation"]
    assert spec.summary in captions(app)
    assert spec.citation in captions(app)
    assert f"Grounded: {spec.fidelity}" in captions(app)


def test_the_form_comes_from_the_settings_class_and_the_link_keeps_it(link):
    app = open_page("strengthen", **link, method="rotation", set="rank=3|normalisation=none|nonsense=1|max_pairs=x")
    assert not app.exception
    assert app.number_input(key="set rotation rank").value == 3
    assert app.selectbox(key="set rotation normalisation").value == "none"
    assert app.query_params["set"] == "normalisation=none|rank=3"
    app.number_input(key="set rotation rank").set_value(0).run()
    assert app.query_params["set"] == "normalisation=none"
    app.selectbox(key="page method").set_value("clbt").run()
    assert not app.exception
    assert "set" not in app.query_params


def test_a_setting_that_does_not_fit_is_one_line_and_holds_the_start(link):
    app = open_page("strengthen", **link, method="contrastive")
    app.text_input(key="set contrastive layers").set_value("12").run()
    assert not app.exception
    assert not start(app).disabled
    app.query_params["called"] = "Not A Name"
    app.run()
    assert "is no encoder name" in app.error[0].value
    assert start(app).disabled


def test_a_name_in_use_is_refused_at_once(link, tiny):
    write_encoder(tiny, "mine")
    app = open_page("strengthen", **link)
    app.text_input(key="page called").set_value("mine").run()
    assert "is there already" in app.error[0].value
    assert start(app).disabled
    app.text_input(key="page called").set_value("mine-too").run()
    assert not app.error
    assert not start(app).disabled


def test_a_name_that_an_unfinished_run_will_take_is_refused_and_the_run_is_a_click_away(link, tiny):
    run = write_run(tiny, name="rotation")
    app = open_page("strengthen", **link, method="rotation", called="rotation")
    assert start(app).disabled
    app.button(key="open same").click()
    app.run()
    assert app.query_params["run"] == run
    assert open_page("strengthen", **link, method="rotation").text_input(key="page called").placeholder == "rotation-2"


def test_only_what_a_method_uses_is_asked_for(link):
    asked = {}
    for method in ("cao", "centring"):
        app = open_page("strengthen", **link, method=method, train="en,es")
        asked[method] = {item.label for item in app.get("file_uploader")}
    assert asked == {"cao": {"Word links"}, "centring": {"Your own sentences"}}


def test_without_text_there_is_nothing_to_start(link):
    app = open_page("strengthen", **(link | {"data": "none"}), method="rotation")
    assert not app.exception
    assert start(app).disabled
    assert "Choose training text" in captions(app)


def test_uploads_are_offered_with_their_languages(link, cache):
    from analysis.text.uploads import save_upload

    rows = "\n".join(f"the house {n}\tcasa {n}\tдом {n}" for n in range(60))
    upload = save_upload("mine.tsv", f"en\tes\tru\n{rows}".encode())
    app = open_page("strengthen", **(link | {"data": f"upload:{upload}"}))
    assert not app.exception
    assert set(app.multiselect(key="page train").value) == {"en", "es", "ru"}
    assert "mine.tsv, uploaded, 3 languages" in captions(app)


def test_public_sets_are_offered_where_they_are(link, tmp_path, monkeypatch):
    folder = tmp_path / "sets" / "tatoeba"
    folder.mkdir(parents=True)
    for tag, text in (("en", "a house\na dog\n"), ("de", "ein Haus\nein Hund\n")):
        (folder / f"de-en.{tag}").write_text(text, "utf-8")
    monkeypatch.setenv("ISOGLOSS_DATA", str(folder.parent))
    app = open_page("strengthen", **(link | {"data": "set:tatoeba:test"}))
    assert not app.exception
    assert app.multiselect(key="page data").value == ["set:tatoeba:test"]
    assert set(app.multiselect(key="page train").value) == {"en", "de"}
    assert "Tatoeba, test split, 2 languages" in captions(app)
    app.button(key="preset").click()
    app.run()
    assert not app.error
    (run,) = list_runs("align")
    discard(run)
    assert app.query_params["run"] == run.id
    assert run.spec["data"] == ["set:tatoeba:en-de:test"]
    assert run.spec["method"] == "contrastive"
    assert "languages=de" in run.spec["settings"]


def test_a_closed_form_goes_from_the_form_to_before_and_after(link, tiny):
    import time

    from analysis.jobs.state import Status, state

    app = open_page("strengthen", **link, method="rotation", train="en,es", called="turned", set="layers=3")
    app.button(key="estimate").click()
    app.run()
    assert any("no training steps" in item.value for item in app.markdown)
    start(app).click()
    app.run()
    assert not app.exception
    assert not app.error
    (run,) = list_runs("align")
    assert app.query_params["run"] == run.id
    assert run.spec["settings"] == ["layers=3", "languages=es"]
    for _ in range(600):
        if state(run).status is not Status.RUNNING:
            break
        time.sleep(0.2)
    assert state(run).status is Status.DONE, state(run)
    app.run()
    assert not app.exception
    assert app.query_params["b"] == f"{tiny}+turned"
    assert not app.get("vega_lite_chart")


def test_a_file_of_links_is_handed_over(link, tiny):
    app = open_page("strengthen", **link, method="rotation", train="en,es")
    app.file_uploader(key="links file").upload("links.txt", b"0-0 1-1\n" * 64)
    app.run()
    start(app).click()
    app.run()
    assert not app.error
    (run,) = list_runs("align")
    discard(run)
    (path,) = run.spec["links"]
    assert run.spec["langs"] == "en-es"
    with open(path) as file:
        assert file.read().startswith("0-0 1-1")


def test_what_a_training_costs_is_told_before_it_starts(link):
    app = open_page("strengthen", **link, method="contrastive", train="en,es", set="max_steps=7|epochs=1000")
    app.button(key="estimate").click()
    app.run()
    assert not app.exception
    assert not app.error
    told = next(item.value for item in app.markdown if "weights trained" in item.value)
    assert "7 steps" in told
    assert "64 pairs" in told


def test_a_hostile_link_is_a_usable_form(link):
    hostile = {
        "seed": "-5", "called": "<b>x</b>" * 50, "method": "none", "base": "no-such", "train": "xx,yy", "dev": "a|b",
        "set": "layers=" + "9" * 900 + "|epochs=-1|lr=nan|rank=1e9|adapter=none", "unseen": "maybe",
        "data": "corpus:tour|upload:../../x|set:none:test",
    }  # fmt: skip
    app = open_page("strengthen", **(link | hostile))
    assert not app.exception
    said = " ".join(item.value for item in app.error).replace("\\", "")
    assert "no-such" in said
    assert "is no encoder name" in said
    assert start(app).disabled
    assert app.number_input(key="page seed").value == 0
    app.text_input(key="page called").set_value("fine").run()
    assert not start(app).disabled


def test_the_base_is_the_sidebars_a_until_somebody_chooses(link, tiny, tiny_folders):
    other, third = str(tiny_folders["bert"]), str(tiny_folders["t5"])
    app = open_page("strengthen", **link)
    assert app.selectbox(key="page base").value == tiny
    app.query_params["a"] = other
    app.run()
    assert app.selectbox(key="page base").value == other
    assert "base" not in app.query_params
    app.query_params["base"] = tiny
    app.run()
    app.query_params["a"] = third
    app.run()
    assert app.selectbox(key="page base").value == tiny
    assert app.query_params["base"] == tiny
