"""The form of every registered method: it is drawn, names what it needs, and starts when that is given."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.alignment.method import Uses
from analysis.jobs.control import discard
from analysis.jobs.runs import list_runs
from analysis.registry import registered
from analysis.settings import fields
from tests.pages.opened import open_page

pytestmark = pytest.mark.fast
METHODS = sorted(registered("methods"))
WORDS = {Uses.DATA: "sentence pairs", Uses.DICTIONARY: "a dictionary", Uses.MONOLINGUAL: "text without translation"}
ASKED = {Uses.DATA: "Choose training text", Uses.DICTIONARY: "Give a dictionary",
         Uses.MONOLINGUAL: "Choose text without translation"}  # fmt: skip
DICTIONARY = "en\tes\nbank\tbanco\nriver\trío\nspring\tprimavera\nhouse\tcasa\n".encode()
GIVEN = {"data": "corpus:tour", "mono": "corpus:tour", "train": "en,es"}


@pytest.fixture
def link(tiny, cache, monkeypatch):
    """A tiny encoder as A and B, an empty cache folder, no public sets."""
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    return {"a": tiny, "b": tiny, "langs": "en,es"}


@pytest.fixture
def toy(monkeypatch):
    """A method that needs a dictionary and text without translation, and can use pairs."""
    needs = frozenset({Uses.DICTIONARY, Uses.MONOLINGUAL})
    spec = replace(registered("methods")["contrastive"], name="toy", title="Toy", needs=frozenset(), needs_all=needs,
                   uses=needs | {Uses.DATA, Uses.DEV})  # fmt: skip
    monkeypatch.setitem(registered("methods"), "toy", spec)
    return spec


def needed(spec):
    """Every kind of data that a method may be refused for the lack of."""
    return spec.needs | getattr(spec, "needs_all", frozenset())


def start(app):
    return app.button(key="start")


def captions(app):
    return " ".join(item.value for item in app.caption).replace("\\", "")


def upload(app, name="words.tsv", content=DICTIONARY):
    app.file_uploader(key="dict files").upload(name, content)
    return app.run()


@pytest.mark.parametrize("name", METHODS)
def test_a_form_without_text_names_what_is_needed(link, name):
    spec = registered("methods")[name]
    app = open_page("strengthen", **link, method=name, data="none", mono="none", dict="none")
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="page method").value == name
    for kind in needed(spec):
        assert WORDS[kind] in captions(app)
        assert ASKED[kind] in captions(app)
    assert start(app).disabled == bool(needed(spec))
    drawn = {item.key for kind in ("number_input", "selectbox", "text_input", "toggle") for item in getattr(app, kind)}
    hidden = {"languages", "anchor"}
    assert {f"set {name} {field.name}" for field in fields(spec.settings) if field.name not in hidden} <= drawn


@pytest.mark.parametrize("name", METHODS)
def test_with_what_it_needs_it_can_start(link, name):
    spec = registered("methods")[name]
    app = open_page("strengthen", **link, **GIVEN, method=name)
    if Uses.DICTIONARY in needed(spec):
        upload(app)
    assert not app.exception
    assert not app.error
    assert not start(app).disabled, captions(app)


def test_every_kind_of_which_all_are_needed_is_asked_for(link, toy):
    app = open_page("strengthen", **link, **GIVEN, method="toy")
    assert "Give a dictionary" in captions(app)
    assert start(app).disabled
    assert {item.label for item in app.multiselect if "(optional)" in item.label} == {"Training text (optional)"}
    upload(app)
    assert not start(app).disabled
    app.multiselect(key="page mono").set_value([]).run()
    assert "Choose text without translation" in captions(app)
    assert start(app).disabled


def test_a_dictionary_alone_is_not_enough_where_its_words_are_read_in_text(link, toy, monkeypatch):
    either = replace(toy, name="either", needs=frozenset({Uses.DATA, Uses.DICTIONARY}), needs_all=frozenset())
    monkeypatch.setitem(registered("methods"), "either", either)
    app = upload(open_page("strengthen", **link, method="either", data="none"))
    assert start(app).disabled
    assert "no sentences to read its words in. Choose text without translation" in captions(app)
    app.multiselect(key="page mono").set_value(["corpus:tour"]).run()
    assert not start(app).disabled


def test_the_text_reaches_the_spec(link, toy):
    app = upload(open_page("strengthen", **link, **GIVEN, method="toy"))
    start(app).click()
    app.run()
    assert not app.error
    (run,) = list_runs("align")
    discard(run)
    (path,) = run.spec["dictionary"]
    assert Path(path).name == "words.tsv"
    assert Path(path).read_bytes() == DICTIONARY
    assert run.spec["monolingual"] == ["corpus:tour"]
    assert run.spec["langs"] == "en-es"
    assert "languages=es" in run.spec["settings"]


def test_a_cost_is_reckoned_with_all_of_the_text(link, toy, monkeypatch):
    seen = {}

    def estimate(method, encoder, bitexts, settings, *, monolingual, dictionaries):
        seen.update(method=method.name, pairs=len(bitexts), text=set(monolingual), words=dictionaries)

    monkeypatch.setattr("analysis.alignment.cost.estimate", estimate)
    app = upload(open_page("strengthen", **(link | GIVEN | {"data": "none"}), method="toy"))
    app.button(key="estimate").click()
    app.run()
    assert not app.exception
    assert not app.error
    (words,) = seen.pop("words")
    assert seen == {"method": "toy", "pairs": 0, "text": {"en", "es"}}
    assert words.languages == ("en", "es")
    assert ("river", "río") in words.entries


def test_a_dictionary_that_does_not_say_its_languages_is_that_of_two_chosen_ones(link, toy):
    bare = DICTIONARY.partition(b"\n")[2]
    app = upload(open_page("strengthen", **(link | GIVEN | {"train": "en,es,ru"}), method="toy"), content=bare)
    assert "does not say its languages" in app.error[0].value
    assert start(app).disabled
    app.multiselect(key="page train").set_value(["en", "es"]).run()
    assert not app.error
    assert "first column is read as English, its second as Spanish" in captions(app)
    assert not start(app).disabled
    upload(app, "en-fr.txt", bare)
    assert "so not used: en-fr.txt" in captions(app)
    assert start(app).disabled


def test_public_dictionaries_are_offered_and_bring_their_languages(link, toy, tmp_path, monkeypatch):
    folder = tmp_path / "sets" / "bli_xling"
    folder.mkdir(parents=True)
    for tag, word in (("de", "Haus"), ("ru", "дом")):
        (folder / f"en-{tag}.train.freq.5k.tsv").write_text(f"house\t{word}\n", "utf-8")
    monkeypatch.setenv("ISOGLOSS_DATA", str(folder.parent))
    app = open_page("strengthen", **link, method="toy", mono="corpus:tour")
    assert not app.exception
    assert app.multiselect(key="page dict").options == ["English–German", "English–Russian"]
    assert app.multiselect(key="page train").value == ["en", "de", "ru"]
    assert not start(app).disabled
    app.multiselect(key="page dict").set_value(["set:bli_xling:en-ru:train"]).run()
    assert app.multiselect(key="page train").value == ["en", "ru"]
    assert app.query_params["dict"] == "set:bli_xling:en-ru:train"


def test_a_broken_dictionary_is_one_line(link, toy):
    app = upload(open_page("strengthen", **link, **GIVEN, method="toy"), "words.tsv", b"a\0b\tc\n")
    assert not app.exception
    assert len(app.error) == 1
    app = upload(open_page("strengthen", **link, **GIVEN, method="toy"), "words.tsv", b" \n")
    assert "words.tsv is empty" in app.error[0].value.replace("\\", "")


def test_another_method_brings_its_usual_text(link, toy):
    app = open_page("strengthen", **link, method="contrastive")
    assert app.multiselect(key="page data").value == ["corpus:ui_chromium:train"]
    app.selectbox(key="page method").set_value("toy").run()
    assert app.multiselect(key="page data").value == []
    assert app.multiselect(key="page mono").value == ["corpus:ui_chromium:train"]
    app.selectbox(key="page method").set_value("contrastive").run()
    assert app.multiselect(key="page data").value == ["corpus:ui_chromium:train"]


def test_the_two_files_of_a_freedict_dictionary_are_one(cache):
    from pages._parts.training_data import dictionary_files, keep_files

    paths = keep_files([("eng-deu.index", b"house\tA\tB\n"), ("eng-deu.dict", b"h")], plain=False)
    (text,) = dictionary_files(paths)
    assert text.title == "eng-deu.index"
    assert set(text.languages) == {"en", "de"}
