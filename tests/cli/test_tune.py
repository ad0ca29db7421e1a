"""`tune` from the shell: its table, its narrowing, its warnings, an interruption."""

import pytest

from analysis.links import tuning
from tests.cli.test_align import LINKS, PAIRS

pytestmark = pytest.mark.fast
COUNT = len(PAIRS.splitlines())


@pytest.fixture
def tune(isogloss, tiny, write, cache):
    """Run `tune` on the hand-made pairs."""

    def call(*options, links=LINKS, data="p.txt"):
        return isogloss("tune", "--encoder", tiny, "--data", write(data, PAIRS), "--links", write("l.txt", links),
                        "--langs", "en-es", *options)  # fmt: skip

    return call


def test_the_table_has_the_best_of_each_decoder_with_its_time(tune):
    done = tune("--decoder", "argmax", "--decoder", "ot_partial", "--layer", "2-3")
    assert done.code == 0, done.err
    header, *rows, stored = done.out.splitlines()
    assert header.split() == ["layer", "decoder", "level", "settings", "f1", "s/1,000", "pairs"]
    assert {row.split()[1] for row in rows} == {"argmax", "ot_partial"}
    assert {row.split()[0] for row in rows} <= {"2", "3"}
    assert all(float(row.split()[-1]) >= 0 for row in rows)
    assert stored.startswith("stored in ")
    assert "Traceback" not in done.err


def test_json_has_every_trial_with_its_time(tune):
    done = tune("--decoder", "entmax", "--layer", "1", "--layer", "3", "--json")
    assert done.code == 0, done.err
    assert {(trial["layer"], trial["level"]) for trial in done.json["trials"]} == {
        (layer, level) for layer in (1, 3) for level in ("word", "subword")
    }
    assert done.json["best"] == [done.json["trials"][0]]
    assert all(trial["seconds_per_1000"] > 0 for trial in done.json["trials"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--decoder", "argmaxx"), "unknown decoder 'argmaxx'; did you mean 'argmax'"),
        (("--layer", "9"), "layer 9 does not exist"),
        (("--layer", "3-1"), "--layer '3-1' is neither a layer nor a range"),
        (("--layer", "all"), "--layer 'all' is neither a layer nor a range"),
    ],
)
def test_what_does_not_exist_is_named(tune, options, message):
    done = tune(*options)
    assert (done.code, message in done.error) == (2, True)


@pytest.mark.parametrize(
    ("name", "warned"), [("dev.txt", False), ("en-de.test.tsv", True), ("latest.txt", False), ("Test_2.txt", True)]
)
def test_a_test_split_is_warned_of(tune, name, warned):
    done = tune("--decoder", "argmax", "--layer", "1", data=name)
    assert done.code == 0, done.err
    assert ("looks like a test split" in done.err) == warned


def test_ctrl_c_says_that_finished_parts_are_kept_and_the_next_run_uses_them(tune, monkeypatch):
    scored, original = [], tuning._scores

    def scores(*given):
        if len(scored) == 2:
            raise KeyboardInterrupt
        scored.append(given[2])
        return original(*given)

    narrow = ("--decoder", "argmax", "--layer", "1-3")
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "_scores", scores)
        done = tune(*narrow)
    assert done.code == 130
    assert "run the command again to go on" in done.error
    assert "Traceback" not in done.err
    again = []
    monkeypatch.setattr(tuning, "_scores", lambda *given: again.append(given[2]) or original(*given))
    assert tune(*narrow).code == 0
    assert (scored, again) == ([1, 2], [3, 1, 2, 3])


def test_a_gold_link_past_the_end_is_a_row_warning(tune, isogloss, tiny, write):
    wrong = LINKS.splitlines()
    wrong[1] = "0-99"
    done = tune("--decoder", "argmax", "--layer", "1", links="\n".join(wrong) + "\n")
    assert done.code == 0, done.err
    (warning,) = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert "l.txt:2: a link points past the" in warning
    score = isogloss("evaluate", "link_f1", "--encoder", tiny, "--data", write("p.txt", PAIRS), "--links",
                     write("l.txt", "\n".join(wrong) + "\n"), "--langs", "en-es", "--json")  # fmt: skip
    assert score.code == 0, score.err
    assert score.json["n"] == COUNT - 1
    assert "l.txt:2: a link points past the" in score.err


def test_gold_of_another_length_is_one_line(tune):
    done = tune(links=LINKS + "0-0\n")
    assert done.code == 2
    assert f"has {COUNT + 1} lines of links, " in done.error
    assert f"has {COUNT} pairs; give one line a pair" in done.error
