"""A result is found again if and only if nothing that decides it has changed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.comparison import cells
from analysis.comparison.plan import plan
from analysis.comparison.request import Control
from analysis.errors import InputError
from analysis.registry import find
from analysis.text.corpus import Sentence
from tests.comparison.toys import NEAR, PICKY, cell, result

pytestmark = pytest.mark.fast


def key(made):
    return json.dumps(cells.key(made), sort_keys=True)


def test_everything_that_decides_a_result_is_in_its_key(asking, tiny, tmp_path):
    def first(**fields):
        return plan(asking(*fields.pop("measures", ("toy_near",)), **fields)).cells[0]

    shorter = tmp_path / "short.tsv"
    shorter.write_text("en\tes\nthe dog\tel perro\n", "utf-8")
    base = first()
    others = [
        first(measures=("toy_near scale=2",)), first(measures=("sentence_retrieval",)), first(layers=(1,)),
        first(seed=1), first(pool="first"), first(data=(str(shorter),)), first(max_rows=4),
        first(encoders=(asking().encoders[1],)), replace(base, revision="other"), replace(base, control=Control.SAME),
    ]  # fmt: skip
    keys = {key(one) for one in [base, *others]}
    assert len(keys) == 1 + len(others)
    assert key(first()) == key(base)
    assert key(first(measures=("toy_near scale=100",))) == key(base)
    assert key(first(layers=(3,))) == key(base)


def test_what_people_marked_on_words_is_in_the_key(asking):
    from analysis.comparison.reading import marks_of

    material = plan(asking()).cells[0].material
    tagged = tuple(replace(one, tags=("NOUN",) * len(one.spans)) for one in material.source)
    assert material.digest == replace(material, source=tagged).digest
    assert marks_of(material) == ""
    assert marks_of(replace(material, source=tagged)) != ""


def test_the_code_of_a_measure_is_in_the_key():
    assert cells.code_of(NEAR) == cells.code_of(PICKY)
    assert cells.code_of(find("measures", "cka")) != cells.code_of(find("measures", "anc"))
    shared = {path.name for path in cells._shared()}
    assert {"exact.py", "records.py", "argmax.py", "pairs.py"} <= shared
    assert not {"cka.py", "word_retrieval.py", "controls.py"} & shared
    assert cells.code_of(NEAR, controlled=True) != cells.code_of(NEAR)


def test_a_result_comes_back_whole(cache, toy):
    made = cell()
    kept = replace(
        result(50.0), items={"word": ["a", "\ud800", None], "value": np.array([1.0, np.nan, np.inf])},
        parts={"x": np.float32(1.5), "n": np.int64(3), "bad": float("nan"), "none": None},
        provenance={"seed": 0, "layers": (1, 2), "settings": {"a": np.bool_(True)}}, note="ünïcode",
    )  # fmt: skip
    assert cells.fetch(made) is None
    told = cells.keep(made, kept)
    found = cells.fetch(made)
    for one in (told, found):
        assert (one.score, one.low, one.high, one.n, one.note) == (50.0, kept.low, kept.high, 10, "ünïcode")
        assert dict(one.items) == {"word": ["a", "\ud800", None], "value": [1.0, None, None]}
        assert one.parts == {"x": 1.5, "n": 3, "bad": None, "none": None}
        assert one.provenance == {"seed": 0, "layers": [1, 2], "settings": {"a": True}}
        np.testing.assert_array_equal(one.replicates, kept.replicates)
    assert not list(cells.scores_folder().glob(".draft*"))


@pytest.mark.parametrize("damage", ["empty", "half", "text", "member"])
def test_a_broken_file_is_as_if_it_was_not_there(cache, toy, damage):
    made = cell()
    cells.keep(made, result(50.0))
    path = cells.path_of(made)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "text": b"PK nonsense",
                      "member": whole.replace(b"replicates.npy", b"replicates.npx")}[damage])  # fmt: skip
    assert cells.fetch(made) is None
    cells.keep(made, result(51.0))
    assert cells.fetch(made).score == 51.0


def test_items_that_are_gone_are_said_in_one_line(cache, toy):
    made = cell()
    kept = cells.keep(made, replace(result(50.0), items={"row": [1]}))
    assert list(kept.items) == ["row"]
    cells.path_of(made).unlink()
    with pytest.raises(InputError, match="run the comparison again"):
        dict(kept.items)


def test_the_oldest_results_go_first(cache, toy, monkeypatch):
    import os

    made = [cell(layer=layer) for layer in range(4)]
    for age, one in enumerate(made):
        cells.keep(one, result(50.0))
        os.utime(cells.path_of(one), (1000 - age, 1000 - age))
    monkeypatch.setattr(cells, "LIMIT_BYTES", 2 * cells.path_of(made[0]).stat().st_size + 50)
    cells.trim()
    assert [cells.has(one) for one in made] == [True, True, False, False]


def test_plain_values():
    assert cells.plain({1: {"b", "a"}, "s": Sentence("x")}) == {
        "1": ["a", "b"],
        "s": {"text": "x", "language": "und", "spans": [], "concepts": [], "senses": [], "tags": []},
    }
    assert json.dumps(cells.plain([np.nan, -np.inf, True, 3, "x", None]), allow_nan=False)


def test_emptying_the_cache_empties_results_too(cache, toy):
    from analysis.store import clear

    cells.keep(cell(), result(50.0))
    assert clear() > 0
    assert cells.fetch(cell()) is None


def test_what_a_named_file_holds_is_in_the_key(tmp_path, toy):
    path = tmp_path / "words.tsv"
    path.write_text("a\tb\n", "utf-8")
    made = replace(cell(), options=find("measures", "dictionary_induction").settings(dictionary=str(path)))
    before = key(made)
    path.write_text("a\tc\n", "utf-8")
    assert key(made) != before
