"""`evaluate` prints one object with score, interval, number and provenance."""

import pytest

from tests.cli.test_align import LINKS, PAIRS

pytestmark = pytest.mark.fast
KEYS = {"score", "low", "high", "n", "unit", "higher_is_better", "provenance"}


@pytest.fixture
def evaluate(isogloss, tiny):
    """Run evaluate with --json."""

    def call(measure, *options):
        return isogloss("evaluate", measure, "--encoder", tiny, "--json", *options)

    return call


@pytest.mark.parametrize("measure", ["word_retrieval", "sentence_retrieval", "link_f1", "aer", "cka"])
def test_every_measure(evaluate, write, measure):
    done = evaluate(measure, "--data", write("p.txt", PAIRS), "--links", write("l.txt", LINKS), "--langs", "en-es")
    assert done.code == 0, done.err
    assert set(done.json) >= KEYS
    if done.json["score"] is not None:
        low, high = (-1, 1) if measure == "cka" else (0, 100)
        assert low <= done.json["score"] <= high
    assert done.json["provenance"]["seed"] == 0


def test_several_data_give_the_unweighted_mean_and_items(evaluate, write):
    long, short = write("long.txt", PAIRS * 3), write("short.txt", PAIRS)
    done = evaluate("sentence_retrieval", "--data", long, "--data", short, "--langs", "en-es")
    items = done.json["items"]
    assert len(items) == 2
    assert str(long) in items[0]["data"]
    assert all(set(item) >= KEYS for item in items)
    assert done.json["score"] == pytest.approx((items[0]["score"] + items[1]["score"]) / 2)
    assert done.json["n"] == sum(item["n"] for item in items)


def test_sure_possible_and_one_based_links(evaluate, write):
    pairs = write("p.txt", "the fox ||| el zorro\n")
    zero = evaluate("aer", "--data", pairs, "--links", write("z", "0-0 1p1\n"), "--langs", "en-es").json
    one = evaluate("aer", "--data", pairs, "--links", write("o", "1-1 2p2\n"), "--one-based", "--langs", "en-es").json
    assert zero["score"] == one["score"]
    assert zero["parts"]["links_sure"] == 1


def test_three_column_data_bring_their_links(evaluate, write):
    done = evaluate(
        "link_f1",
        "--data",
        write("x.tsv", "the fox\tel zorro\t0-0 1-1\na dog\tun perro\t0-0 1-1\n"),
        "--langs",
        "en-es",
    )
    assert done.code == 0, done.err
    assert done.json["parts"]["links_sure"] == 4


def test_the_layer_may_be_chosen_and_the_last_is_the_default(evaluate, write):
    data = ["--data", write("p.txt", PAIRS), "--links", write("l.txt", LINKS), "--langs", "en-es"]
    assert evaluate("word_retrieval", *data).json["provenance"]["layer"] == 3
    assert evaluate("word_retrieval", *data, "--layer", "0").json["provenance"]["layer"] == 0
    assert evaluate("link_f1", *data).json["provenance"]["layer"] == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "absent.txt"], "absent.txt"),
        (["--data", "corpus:nope"], "unknown corpus 'nope'"),
        (["--data", "set:nope:en-de:test"], "set"),
        (["--data", "corpus:tour", "--langs", "en-xx"], "xx"),
        (["--data", "corpus:tour", "--langs", "en-de", "--set", "nonsense=1"], "unknown setting"),
        (["--data", "corpus:tour", "--langs", "en-de", "--layer", "-1"], "valid: 0 to 3"),
    ],
)
def test_bad_data(evaluate, options, says):
    done = evaluate("word_retrieval", *options)
    assert done.code == 2
    assert done.out == ""
    assert says in done.error


def test_a_measure_of_links_needs_links(evaluate, write):
    done = evaluate("aer", "--data", write("p.txt", PAIRS), "--langs", "en-es")
    assert (done.code, "no word links" in done.error) == (2, True)


def test_a_links_file_of_another_length_names_both_counts(evaluate, write):
    done = evaluate("aer", "--data", write("p.txt", PAIRS), "--links", write("l.txt", "0-0\n"), "--langs", "en-es")
    assert done.code == 2
    assert "1" in done.error
    assert "5" in done.error


@pytest.mark.parametrize(
    ("measure", "data", "options", "shown"),
    [
        ("question_retrieval", "set:xquad:en-de:test", (), "set:xquad:en-de:test en-de"),
        ("sts", "set:stsb_multi:en-de:dev", (), "set:stsb_multi:en-de:dev en-de"),
        ("word_in_context", "set:mcl_wic:en-en:dev", (), "set:mcl_wic:en-en:dev en-en"),
        ("language_identity", "set:sib200:en,ar,de:dev", (), "set:sib200:en,ar,de:dev 3 languages"),
        ("language_identity", "corpus:tour", ("--languages", "en,de,ru"), "corpus:tour 3 languages"),
        ("sentence_retrieval", "corpus:tour", ("--languages", "en,de"), "corpus:tour en-de"),
    ],
)
def test_whatever_a_measure_needs(evaluate, shared_data, measure, data, options, shown):
    done = evaluate(measure, "--data", data, "--data-dir", shared_data, *options)
    assert done.code == 0, done.err
    assert done.json["data"] == shown
    assert done.json["n"] > 50


def test_text_in_one_language_against_the_base(isogloss, evaluate, write, tiny, tmp_path):
    pairs = write("p.txt", PAIRS)
    made = isogloss(
        "align", "rotation", "--encoder", tiny, "--data", pairs, "--langs", "en-es", "--out", tmp_path / "new"
    )
    assert made.code == 0, made.err
    done = isogloss(
        "evaluate", "drift", "--encoder", tmp_path / "new", "--data", "corpus:tour", "--languages", "es", "--json"
    )
    assert done.code == 0, done.err
    assert done.json["data"] == "corpus:tour es"
    assert done.json["score"] > 0
    bare = evaluate("drift", "--data", "corpus:tour", "--languages", "es")
    assert (bare.code, "base" in bare.error) == (2, True)


def test_data_that_do_not_fit_are_one_line(evaluate, shared_data):
    done = evaluate("sts", "--data", "corpus:tour")
    assert (done.code, "set:" in done.error) == (2, True)
    done = evaluate("word_in_context", "--data", "set:stsb_multi:en-de:dev", "--data-dir", shared_data)
    assert (done.code, "marked words" in done.error) == (2, True)


def test_gold_links_past_the_end_are_a_warning_and_the_rest_goes_on(evaluate, write):
    links = LINKS.splitlines()
    links[1] = "0-0 9-9"
    done = evaluate("aer", "--data", write("p.txt", PAIRS), "--links", write("l.txt", "\n".join(links) + "\n"),
                    "--langs", "en-es")  # fmt: skip
    assert done.code == 0, done.err
    assert "l.txt:2: a link points past" in done.err
    assert done.json["n"] == len(links) - 1


def test_ctrl_c_is_one_line_and_its_own_exit_code(monkeypatch, capsys, tiny):
    from analysis.cli import run

    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("analysis.scoring.evaluate.evaluate", interrupted)
    code = run(["evaluate", "sentence_retrieval", "--encoder", tiny, "--data", "corpus:tour", "--langs", "en-es"])
    assert code == 130
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("error: interrupted; finished parts are in")
