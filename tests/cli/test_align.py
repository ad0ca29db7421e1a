"""`align` and `tune` from the shell."""

import json

import pytest

from tests.alignment.test_closed_form import ENGLISH, SPANISH

pytestmark = pytest.mark.fast
PAIRS = "".join(f"{a} ||| {b}\n" for a, b in zip(ENGLISH, SPANISH, strict=True))
LINKS = "".join(" ".join(f"{k}-{k}" for k in range(len(b.split()))) + "\n" for b in SPANISH)


@pytest.mark.parametrize("method", ["centring", "rotation", "clbt"])
def test_the_folder_is_an_encoder_name(isogloss, tiny, write, tmp_path, method):
    pairs = write("p.txt", PAIRS)
    done = isogloss("align", method, "--encoder", tiny, "--data", pairs, "--langs", "en-es", "--out", tmp_path / "new")
    assert done.code == 0, done.err
    assert done.out.strip() == str(tmp_path / "new")
    used = isogloss("links", pairs, "--encoder", tmp_path / "new", "--langs", "en-es")
    assert used.code == 0
    assert used.out.count("\n") == len(ENGLISH)


def test_the_nth_links_belong_to_the_nth_data(isogloss, tiny, write, tmp_path):
    first, second, links = (
        write("a.txt", PAIRS),
        write("b.tsv", "es\ten\nel zorro\tthe fox\nel perro\tthe dog\n"),
        write("l", LINKS),
    )
    done = isogloss("align", "rotation", "--encoder", tiny, "--data", first, "--data", second, "--links", links,
                    "--langs", "en-es", "--out", tmp_path / "new")  # fmt: skip
    assert done.code == 0, done.err
    data = json.loads((tmp_path / "new" / "isogloss.json").read_text())["data"]
    assert [one["links"] for one in data] == ["gold", "made by the base encoder"] or data[0]["links"] != data[1][
        "links"
    ]
    assert [one["pairs"] for one in data] == [5, 2]


def test_what_a_method_does_not_use_it_refuses_by_name(isogloss, tiny, write, tmp_path):
    file = write("p.txt", PAIRS)
    base = ["align", "rotation", "--encoder", tiny, "--out", tmp_path / "new"]
    assert "needs --data" in isogloss(*base).error
    done = isogloss("align", "centring", *base[2:], "--data", file, "--dictionary", file)
    assert (done.code, "does not use --dictionary" in done.error) == (2, True)
    done = isogloss(*base, "--data", file, "--monolingual", file)
    assert "only with a dictionary" in done.error
    assert "unknown setting 'steps'" in isogloss(*base, "--data", file, "--set", "steps=3").error
    assert "unknown method" in isogloss("align", "nope", "--encoder", tiny, "--data", file, "--out", "x").error
    assert not (tmp_path / "new").exists()


def test_centring_takes_monolingual_text(isogloss, tiny, write, tmp_path):
    file = write("m.txt", "the quick brown fox jumps over the lazy dog\n" * 3)
    done = isogloss("align", "centring", "--encoder", tiny, "--monolingual", file, "--out", tmp_path / "new")
    assert done.code == 0, done.err


def test_tune_stores_the_best_choice_and_links_follow_it(isogloss, tiny, write, cache):
    pairs, links = write("p.txt", PAIRS), write("l.txt", LINKS)
    done = isogloss("tune", "--encoder", tiny, "--data", pairs, "--links", links, "--langs", "en-es", "--json")
    assert done.code == 0, done.err
    best = max(trial["f1"] for trial in done.json["trials"])
    chosen = done.json["chosen"]
    same = [t for t in done.json["trials"] if all(t[k] == chosen[k] for k in ("layer", "decoder", "level"))]
    assert same[0]["f1"] == best
    score = isogloss(
        "evaluate", "link_f1", "--encoder", tiny, "--data", pairs, "--links", links, "--langs", "en-es", "--json"
    )
    assert score.json["provenance"]["layer"] == chosen["layer"]
    assert score.json["score"] == pytest.approx(best)


def test_tune_needs_links(isogloss, tiny, write):
    done = isogloss("tune", "--encoder", tiny, "--data", write("p.txt", PAIRS), "--langs", "en-es")
    assert (done.code, "without word links" in done.error) == (2, True)
