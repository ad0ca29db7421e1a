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
