"""A request says what is compared, as plain data, as a command and in words."""

import json

import pytest

from analysis.comparison.request import Asked, Control, Request, checked, expanded, spread
from analysis.errors import InputError
from analysis.registry import registered

pytestmark = pytest.mark.fast


def asked(text="word_retrieval score=csls"):
    return Asked.parse(text)


def test_a_measure_with_settings_is_read_written_and_named():
    one = asked()
    assert one == Asked("word_retrieval", ("score=csls",))
    assert str(one) == "word_retrieval score=csls"
    assert one.key == "word_retrieval-score=csls"
    assert one.title == "Contextual word retrieval, score csls"
    assert asked("link_f1").title == "Link F1"


@pytest.mark.parametrize("settings", [("options=ratio=2 alpha=0.1",), ("a=it's",), ('a="',), ("a=b\\c", "d=")])
def test_any_setting_survives_being_written(settings):
    assert Asked.parse(str(Asked("link_f1", settings))) == Asked("link_f1", settings)


def test_keys_are_file_names_of_their_own():
    keys = {Asked("m", (value,)).key for value in ("a=x/y", "a=x:y", "a=x y", "a=" + "z" * 300, "a=" + "z" * 301)}
    assert len(keys) == 5
    assert all("/" not in key and ":" not in key and len(key) < 130 for key in keys)


@pytest.mark.parametrize("text", ["", "  ", "word_retrieval 'score"])
def test_what_is_no_measure_is_one_line(text):
    with pytest.raises(InputError, match="NAME KEY=VALUE"):
        asked(text)


def test_plain_data_comes_back():
    request = Request(
        ("bundled", "bundled+rotation"), (asked(), Asked("cka")), ("corpus:tour", "a.tsv"), "en-de", (None, "l.txt"),
        True, (0, 6), "first", 3, (Control.SAME,), "/sets", 100, ("en", "de"), "bh",
    )  # fmt: skip
    assert Request.from_spec(json.loads(json.dumps(request.as_spec()))) == request
    small = Request(("bundled",), (Asked("cka"),), ("corpus:tour",))
    assert Request.from_spec({"encoders": ["bundled"], "measures": ["cka"], "data": ["corpus:tour"]}) == small


def test_the_command_names_everything_that_is_not_a_default():
    request = Request(("bundled",), (asked(),), ("a b.tsv", "c"), links=(None, "l"), layers=(0, 6), max_rows=9,
                      controls=(Control.RANDOM,), one_based=True)  # fmt: skip
    assert request.command == (
        "python -m analysis compare --encoder bundled --measure 'word_retrieval score=csls' --data 'a b.tsv' --data c "
        "--links none --links l --control random --max-rows 9 --layers 0,6 --one-based"
    )


def test_repeats_count_once_and_layers_ascend():
    request = checked(Request(("bundled",) * 2, (Asked("cka"),) * 2, ("corpus:tour",), layers=(6, 0, 6)))
    assert (request.encoders, request.measures, request.layers) == (("bundled",), (Asked("cka"),), (0, 6))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"encoders": ()}, "no encoders"),
        ({"data": ()}, "no data"),
        ({"measures": ()}, "no measures"),
        ({"measures": (Asked("cca2"),)}, "unknown measure 'cca2'"),
        ({"measures": (Asked("cka", ("nope=1",)),)}, "unknown setting 'nope'"),
        ({"measures": (Asked("word_retrieval", ("csls_k=0",)),)}, "out of range"),
        ({"pool": "middle"}, "unknown pooling 'middle'"),
        ({"layers": "some"}, "valid: default, all"),
        ({"layers": ()}, "valid: default, all"),
        ({"layers": (-1,)}, "valid: default, all"),
        ({"max_rows": 0}, "max_rows=0"),
        ({"correction": "bonferroni"}, "unknown correction"),
        ({"links": ("a", "b")}, "2 --links for 1 --data"),
    ],
)
def test_what_cannot_be_is_refused_at_once(wrong, says):
    with pytest.raises(InputError, match=says):
        checked(Request(**{"encoders": ("x",), "measures": (Asked("cka"),), "data": ("corpus:tour",)} | wrong))


def test_a_control_that_does_not_exist():
    with pytest.raises(InputError, match="valid: random, same, shuffled"):
        Request.from_spec({"encoders": ["x"], "measures": ["cka"], "data": ["d"], "controls": ["flor"]})


def test_settings_go_to_the_measures_that_have_them():
    found = spread(["word_retrieval", "sentence_retrieval csls_k=5", "cka"], ["csls_k=7", "word_retrieval.score=csls"])
    assert found == (
        Asked("word_retrieval", ("csls_k=7", "score=csls")), Asked("sentence_retrieval", ("csls_k=7",)), Asked("cka"),
    )  # fmt: skip
    for setting in ("nope=1", "cka.score=csls", "aer.decoder=match"):
        with pytest.raises(InputError, match="unknown setting"):
            checked(Request(("x",), spread(["word_retrieval", "cka"], [setting]), ("d",)))


def test_all_is_every_measure_with_its_part_of_the_settings():
    (whole,) = spread(["all"], ["score=csls", "cka.estimator=plain"])
    found = {one.measure: one.settings for one in expanded(whole)}
    assert set(found) == set(registered("measures"))
    assert found["word_retrieval"] == ("score=csls",)
    assert found["cka"] == ("estimator=plain",)
    assert found["link_f1"] == ()
    with pytest.raises(InputError, match="unknown setting"):
        expanded(Asked("all", ("scoer=csls",)))
