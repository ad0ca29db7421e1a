"""A plan holds every cell that can be computed, and says in a line why another cannot."""

from dataclasses import replace

import pytest

from analysis.comparison.plan import plan
from analysis.comparison.request import Control
from analysis.errors import InputError
from analysis.registry import registered
from analysis.text.problems import Problems
from tests.comparison.toys import TSV

pytestmark = pytest.mark.fast


def lines(made):
    return [str(one) for one in made.skipped]


def test_cells_stand_in_the_order_of_the_table(asking, tiny, second_tiny):
    made = plan(asking("toy_near", "cka", layers=(0, 3)))
    assert len(made.cells) == 2 * 3 * 2 * 2
    first = [(cell.asked.measure, cell.languages, cell.layer, cell.encoder) for cell in made.cells[:5]]
    assert first == [
        ("toy_near", ("en", "es"), 0, tiny), ("toy_near", ("en", "es"), 0, second_tiny),
        ("toy_near", ("en", "es"), 3, tiny), ("toy_near", ("en", "es"), 3, second_tiny),
        ("toy_near", ("en", "ru"), 0, tiny),
    ]  # fmt: skip
    assert made.skipped == ()


def test_the_default_layer_is_the_last_and_for_links_the_encoders_own(asking, tmp_path, tiny):
    links = tmp_path / "pairs.tsv"
    links.write_text("the fox\tel zorro\t0-0 1-1\na dog\tun perro\t0-0 1-1\n", "utf-8")
    made = plan(asking("word_retrieval", "link_f1", data=(str(links),), langs="en-es", encoders=(tiny,)))
    assert {(cell.asked.measure, cell.layer, cell.slot) for cell in made.cells} == {
        ("word_retrieval", 3, None), ("link_f1", 2, None)
    }  # fmt: skip


def test_a_misfit_is_skipped_and_the_rest_goes_on(asking):
    made = plan(asking("toy_near", "aer", "sts"))
    assert {cell.asked.measure for cell in made.cells} == {"toy_near"}
    assert len(made.skipped) == 2
    assert "no word links" in lines(made)[0]
    assert all(line.startswith(("aer on", "sts on")) for line in lines(made))


def test_a_bad_language_or_data_does_not_cost_the_others(asking, table):
    made = plan(asking(languages=("en", "es", "xx", "ru"), data=(table, "absent.tsv")))
    assert {cell.languages for cell in made.cells} == {("en", "es"), ("en", "ru")}
    assert len(made.skipped) == 2
    assert "'xx'" in lines(made)[0]
    assert "absent.tsv" in lines(made)[1]


def test_nothing_at_all_is_bad_input_with_the_reason(asking):
    with pytest.raises(InputError, match=r"absent\.tsv"):
        plan(asking(data=("absent.tsv",)))
    with pytest.raises(InputError, match="no word links.*and 1 other reason"):
        plan(asking("aer", "sts"))


def test_an_encoder_that_is_not_there(asking, tiny):
    made = plan(asking(encoders=(tiny, "nowhere/at/all")))
    assert {cell.encoder for cell in made.cells} == {tiny}
    assert lines(made) == [f"nowhere/at/all: {made.skipped[0].reason}"]
    with pytest.raises(InputError, match="nowhere"):
        plan(asking(encoders=("nowhere/at/all",)))


def test_a_layer_that_one_encoder_has_not(asking, tiny):
    made = plan(asking(layers=(3, 9)))
    assert {cell.layer for cell in made.cells} == {3}
    assert len(made.skipped) == 2
    assert "layer 9 does not exist" in lines(made)[0]
    assert {cell.layer for cell in plan(asking(layers="all")).cells} == {0, 1, 2, 3}
    with pytest.raises(InputError, match="layer 9"):
        plan(asking(layers=(9,)))


def test_all_measures_are_those_that_fit_and_misfits_are_no_news(asking):
    made = plan(asking("all", encoders=asking().encoders[:1]))
    there = {cell.asked.measure for cell in made.cells}
    assert {"toy_near", "sentence_retrieval", "cka"} <= there
    assert not {"aer", "sts", "word_in_context"} & there
    assert {one.measure for one in made.request.measures} == there
    assert all("no word links" not in line for line in lines(made))


def test_all_measures_of_data_that_are_not_there_are_one_line(asking, table):
    made = plan(asking("all", data=(table, "absent.tsv")))
    assert sum("absent.tsv" in line for line in lines(made)) == 1


def test_a_measure_named_besides_all_comes_once_for_each_setting(asking):
    made = plan(asking("all", "toy_near", "toy_near scale=1"))
    titles = [str(one) for one in made.request.measures]
    assert titles.count("toy_near") == 1
    assert titles.count("toy_near scale=1") == 1


def test_a_measure_against_a_base_needs_one(asking, monkeypatch, toy):
    registered("measures")
    forgets = replace(registered("measures")["toy_near"], name="toy_base", needs_base=True)
    monkeypatch.setitem(registered("measures"), "toy_base", forgets)
    made = plan(asking("toy_near", "toy_base", controls=(Control.RANDOM,)))
    assert {cell.asked.measure for cell in made.cells} == {"toy_near"}
    assert {line.rpartition(": ")[2] for line in lines(made)} == {
        "compares an aligned encoder with its base; this one has none"
    }


def test_a_sample_is_stated_and_drawn_alike(asking):
    made = plan(asking(max_rows=5))
    assert {cell.note for cell in made.cells} == {"a sample of 5 of 8 rows, seed 0"}
    assert {cell.material.row_ids for cell in made.cells} == {made.cells[0].material.row_ids}
    other = plan(asking(max_rows=5, seed=1))
    assert other.cells[0].material.row_ids != made.cells[0].material.row_ids
    assert {cell.note for cell in plan(asking(max_rows=8)).cells} == {""}


def test_bad_rows_are_told_once_however_many_measures_read_them(asking, tmp_path):
    path = tmp_path / "broken.tsv"
    path.write_text(TSV + "only one column\n", "utf-8")
    problems = Problems()
    plan(asking("toy_near", "cka", "sentence_retrieval", data=(str(path),)), problems=problems)
    assert problems.count == 1


def test_an_upload_is_data(asking):
    from analysis.text.uploads import save_upload

    name = f"upload:{save_upload('four.tsv', TSV.encode())}"
    made = plan(asking("toy_near", "sts", data=(name,)))
    assert {cell.languages for cell in made.cells} == {("en", "es"), ("en", "ru"), ("en", "it")}
    assert {cell.label for cell in made.cells} == {f"{name} en-es", f"{name} en-ru", f"{name} en-it"}
    assert len(made.skipped) == 1


def test_links_belong_to_the_nth_data(asking, tmp_path, table):
    pairs, links = tmp_path / "p.txt", tmp_path / "l.txt"
    pairs.write_text("the fox ||| el zorro\na dog ||| un perro\n", "utf-8")
    links.write_text("0-0 1-1\n0-0 9-9\n", "utf-8")
    problems = Problems()
    made = plan(
        asking("word_retrieval", data=(table, str(pairs)), links=(None, str(links)), langs="en-es"), problems=problems
    )
    assert {cell.data for cell in made.cells} == {str(pairs)}
    assert "no word links" in lines(made)[0]
    assert "points past" in str(next(iter(problems)))
    assert len(made.cells[0].material) == 1


def test_a_measure_of_masked_words_needs_a_head(asking):
    made = plan(asking("toy_near", "mlm_loss", controls=(Control.RANDOM,)))
    assert {cell.asked.measure for cell in made.cells} == {"toy_near"}
    assert len(made.skipped) == 2
    assert all("masked-LM head" in line for line in lines(made))
