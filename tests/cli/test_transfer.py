"""`transfer` from the shell: what it prints, what it writes, what it refuses, and that it goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.jobs import runs
from analysis.jobs.state import Status, state
from analysis.registry import registered
from tests.transfer.material import ANIMALS, ANIMALS_ES, MONEY, MONEY_ES

pytestmark = pytest.mark.fast
QUICK = ("--set", "max_steps=3", "--set", "precision=float32", "--set", "rank=2")


def table(sides, labels=("animal", "money")):
    lines = [f"{text}\t{label}\n" for side, label in zip(sides, labels) for text in side]
    return "".join(lines)


@pytest.fixture
def place(tmp_path, cache):
    """A folder with labelled text in two languages."""
    (tmp_path / "en.tsv").write_text(table((ANIMALS, MONEY)))
    (tmp_path / "es.tsv").write_text(table((ANIMALS_ES, MONEY_ES)))
    return tmp_path


def words(place, tiny, *more, regime="plain", task="topics", test=("en", "es")):
    tests = [part for tag in test for part in ("--test", f"{place / tag}.tsv:{tag}")]
    return ["transfer", regime, "--task", task, "--encoder", tiny, "--train", f"{place / 'en.tsv'}:en", *tests, "--out",
            str(place / "out"), *QUICK, *map(str, more)]  # fmt: skip


def test_the_object_and_the_folder(isogloss, place, tiny):
    done = isogloss(*words(place, tiny, "--json"))
    assert done.code == 0, done.err
    found = done.json
    assert [one["lang"] for one in found["items"]] == ["en", "es"]
    for one in found["items"]:
        assert one["metric"] == "accuracy"
        assert one["n"] == 12
        assert one["low"] <= one["score"] <= one["high"]
    scores = {one["lang"]: one["score"] for one in found["items"]}
    assert (found["source"], found["mean_others"]) == (scores["en"], scores["es"])
    assert found["gap"] == pytest.approx(scores["en"] - scores["es"], abs=1e-3)  # each is rounded
    assert found == json.loads((place / "out" / "transfer.json").read_text())
    lines = [json.loads(line) for line in (place / "out" / "predictions.jsonl").read_text().splitlines()]
    right = np.mean([100 * (one["gold"] == one["predicted"]) for one in lines if one["lang"] == "es"])
    assert right == pytest.approx(scores["es"], abs=1e-3)
    assert load_encoder(str(place / "out")).base == tiny


def test_the_table(isogloss, place, tiny):
    done = isogloss(*words(place, tiny))
    assert done.code == 0
    assert "lang" in done.out
    assert "mean of the others:" in done.out
    assert "en, the source:" in done.out


def test_listings_have_the_ten_regimes_and_the_tasks(isogloss):
    names = [one["name"] for one in isogloss("regimes", "--json").json]
    assert names == sorted(
        ("plain", "cosda", "robust", "ear", "monox", "multiverse", "gem", "joint", "ppa_codeswitch", "hierarchical")
    )
    tasks = {one["name"] for one in isogloss("tasks", "--json").json}
    assert {"topics", "nli", "paraphrase", "pos", "ner", "parsing", "qa", "sts", "categories", "slots"} <= tasks


def test_a_language_that_fails_does_not_cost_the_others(isogloss, place, tiny):
    (place / "de.tsv").write_text("only one column\n")
    done = isogloss(*words(place, tiny, "--json", test=("en", "es", "de")))
    assert done.code == 0
    assert [one["lang"] for one in done.json["items"]] == ["en", "es"]
    assert len(done.json["failed"]) == 1
    assert "de.tsv" in done.json["failed"][0]
    assert "warning:" in done.err
    assert "de.tsv" in done.err


def test_a_label_that_training_never_saw_is_a_warning_that_names_the_line(isogloss, place, tiny):
    with (place / "es.tsv").open("a") as file:
        file.write("el banco de la primavera\tseasons\n")
    done = isogloss(*words(place, tiny, "--json"))
    assert done.code == 0
    (warning,) = [line for line in done.err.splitlines() if "seasons" in line]
    assert "es.tsv:13:" in warning
    assert done.json["items"][1]["n"] == 13


def test_bad_rows_are_warnings_that_name_the_line(isogloss, place, tiny):
    with (place / "es.tsv").open("a") as file:
        file.write("\tmoney\n")
    done = isogloss(*words(place, tiny, "--json"))
    assert done.code == 0
    assert "es.tsv:13:" in done.err
    assert done.json["items"][1]["n"] == 12


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"regime": "nope"}, "unknown regime 'nope'"),
        ({"task": "nope"}, "unknown task 'nope'"),
        ({"regime": "cosda"}, "needs --dictionary"),
        ({"regime": "joint"}, "needs --data"),
        ({"more": ("--data", "corpus:tour")}, "does not use --data"),
        ({"more": ("--set", "lr=fast")}, "lr='fast' is not a number"),
        ({"more": ("--set", "mode=some")}, "unknown mode 'some'"),
        ({"more": ("--mixed",)}, "sentence pairs"),
        ({"test": ("xx",)}, "xx.tsv"),
        ({"test": ("en", "xx")}, "xx.tsv"),
        ({"more": ("--test", "set:sib200:en,xx:test")}, "folder of public sets"),
        ({"more": ("--train", "-")}, "cannot come from standard input"),
        ({"more": ("--set", "epochs=1e307")}, "epochs"),
        ({"more": ("--set", "max_tokens=3")}, "leaves no room for text"),
        ({"more": ("--seed", "99999999999999999999")}, "--seed"),
        ({"more": ("--alignment", "corpus:emoji")}, "no word links"),
    ],
)
def test_refusals_are_one_line_and_exit_2(isogloss, place, tiny, change, told):
    done = isogloss(*words(place, tiny, *change.pop("more", ()), **change))
    assert done.code == 2
    assert told in done.error
    assert not (place / "out").exists()


def test_a_task_without_data_of_its_own_says_so(isogloss, tiny, tmp_path, cache):
    done = isogloss("transfer", "plain", "--task", "paraphrase", "--encoder", tiny, "--out", str(tmp_path / "out"))
    assert done.code == 2
    assert "give --train" in done.error


def test_a_finished_folder_is_replaced_by_the_same_run_only(isogloss, place, tiny):
    assert isogloss(*words(place, tiny)).code == 0
    assert isogloss(*words(place, tiny)).code == 0
    seed = isogloss(*words(place, tiny, "--seed", "2"))
    assert seed.code == 2
    assert "holds another run: topics by plain" in seed.error
    assert "seed 0" in seed.error
    other = isogloss(*words(place, tiny, "--dictionary", "set:bli_xling:en-de:train", regime="cosda"))
    assert other.code == 2
    assert "holds another run: topics by plain" in other.error
    itself = isogloss(*words(place, str(place / "out")))
    assert itself.code == 2
    assert "is the encoder itself" in itself.error
    assert (place / "out" / "transfer.json").exists()


def test_what_was_learned_from_is_in_the_record(isogloss, place, tiny):
    (place / "en-es.txt").write_text("dog\tperro\nbank\tbanco\n")
    done = isogloss(*words(place, tiny, "--dictionary", place / "en-es.txt", "--json", regime="cosda"))
    assert done.code == 0, done.err
    (one,) = done.json["extras"]["dictionary"]
    assert one["entries"] == 2
    assert len(one["sha256"]) == 64
    assert done.json["settings"]["epochs"] == registered("tasks")["topics"].epochs
    assert done.json["settings"]["batch"] == registered("tasks")["topics"].batch


def test_a_folder_of_something_else_is_not_touched(isogloss, place, tiny):
    (place / "out").mkdir()
    (place / "out" / "thesis.txt").write_text("mine")
    done = isogloss(*words(place, tiny))
    assert done.code == 2
    assert "no earlier transfer" in done.error
    assert (place / "out" / "thesis.txt").read_text() == "mine"


def test_word_retrieval_before_and_after(isogloss, place, tiny):
    done = isogloss(*words(place, tiny, "--alignment", "corpus:tour", "--langs", "en-es", "--json",
                           "--set", "max_steps=30", "--set", "epochs=30", "--set", "lr=0.1"))  # fmt: skip
    assert done.code == 0, done.err
    found = done.json["alignment"]
    assert found["before"] != found["after"]
    assert found["items"][0]["languages"] == ["en", "es"]


def test_mixed_pairs(isogloss, tiny, tmp_path, cache):
    for tag, (a, b) in {"en": (ANIMALS, MONEY), "es": (ANIMALS_ES, MONEY_ES)}.items():
        rows = [f"{x}\t{y}\t{label}\n" for x, y, label in zip(a + a, a[::-1] + b, ["same"] * 6 + ["other"] * 6)]
        (tmp_path / f"{tag}.tsv").write_text("".join(rows))
    done = isogloss(
        *words(tmp_path, tiny, "--mixed", "--json", task="nli"),
    )
    assert done.code == 0, done.err
    assert [one["lang"] for one in done.json["items"]] == ["en", "es", "en+es", "es+en"]
    assert done.json["mean_others"] == done.json["items"][1]["score"]


def test_an_embedded_task_needs_no_data(isogloss, tiny, tmp_path, cache):
    done = isogloss("transfer", "plain", "--task", "categories", "--encoder", tiny, "--test", "corpus:cldr:test:en,ar",
                    "--out", str(tmp_path / "out"), *QUICK, "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert [one["lang"] for one in done.json["items"]] == ["en", "ar"]
    assert min(one["n"] for one in done.json["items"]) > 100


def test_killed_the_same_command_goes_on(place, tiny):
    """Killed with all its processes, then asked again: it goes on; that it ends alike is in tests/transfer/test_killed."""
    (place / "en.tsv").write_text(table((ANIMALS, MONEY)) * 40)
    more = ("--set", "epochs=20", "--set", "max_steps=300", "--set", "batch=8", "--seed", "4")
    command = [sys.executable, "-m", "analysis", *words(place, tiny, *more)]
    where = {"cwd": Path(__file__).parents[2], "env": os.environ | {"OMP_NUM_THREADS": "1"}}
    begun = subprocess.Popen(command, **where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not any(state(run).done >= 20 for run in runs.list_runs("transfer")) and time.monotonic() < until:
        time.sleep(0.1)
    (run,) = runs.list_runs("transfer")
    worker = json.loads((run.folder / "process.json").read_text())["pid"]
    os.kill(worker, signal.SIGKILL)
    begun.wait(60)
    assert state(run).status is Status.INTERRUPTED
    again = subprocess.run(command, **where, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert f"going on with run {run.id}" in again.stderr
    assert state(run).status is Status.DONE
    assert (place / "out" / "transfer.json").exists()


def test_every_task_and_regime_is_described():
    for spec in (*registered("regimes").values(), *registered("tasks").values()):
        assert spec.citation
        assert spec.summary.endswith(".")


def test_test_items_that_were_learned_from_are_a_warning(isogloss, place, tiny):
    done = isogloss(*words(place, tiny))
    assert "12 of 12 test items of en read like a training item" in done.err
    assert "1 of 12 test items of es" in done.err  # 3.5 euros


def test_a_parent_that_is_no_folder_is_bad_input(isogloss, place, tiny):
    (place / "file").write_text("x")
    done = isogloss(*[str(place / "file" / "out") if one == str(place / "out") else one for one in words(place, tiny)])
    assert done.code == 2
    assert "cannot be made" in done.error


def test_maps_that_are_to_train_are_refused_before_the_data_are_read(isogloss, place, tmp_path):
    done = isogloss("transfer", "plain", "--task", "topics", "--encoder", "bundled+rotation", "--train",
                    f"{place / 'en.tsv'}:en", "--test", f"{place / 'es.tsv'}:es", "--out", str(tmp_path / "out"))  # fmt: skip
    assert done.code == 2
    assert "mode=probe" in done.error


def test_what_is_cut_off_is_told_by_language(isogloss, place, tiny):
    (place / "es.tsv").write_text(f"{' '.join(ANIMALS_ES)}\tanimal\n{MONEY_ES[0]}\tmoney\n")
    done = isogloss(*words(place, tiny, "--set", "max_tokens=24", "--json"))
    assert done.code == 0, done.err
    assert {one["lang"]: one["cut"] for one in done.json["items"]} == {"en": 0, "es": 1}
    assert "1 of 2 in es" in done.err


def test_drafts_of_dead_processes_alone_are_swept(tmp_path):
    import os

    from analysis.transfer.folder import _sweep

    dead = 2**22 + 1  # above the largest number of a process
    names = (f".run-draft-{dead}-abc", f".run-draft-{os.getpid()}-abc", f".run-draft-x-draft-{dead}-abc")
    for name in names:
        (tmp_path / name).mkdir()
    _sweep(tmp_path / "run")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(names[1:])


def test_predictions_by_word_name_the_words():
    from analysis.transfer.folder import _line
    from tests.transfer.material import tagged

    item = tagged().items[0]
    line = _line("en", item, ("DET",) * len(item.label))
    assert line["words"] == ["the", "quick", "fox", "jumps"]
    assert len(line["words"]) == len(line["gold"]) == len(line["predicted"])
