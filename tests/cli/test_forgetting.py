"""`forgetting` from the shell, on tiny encoders with a small labelled set, and once on the bundled encoder."""

import gzip
import shutil

import pytest

from tests.tiny import TEXT, write_tiny

ENGLISH = [
    "the quick brown fox jumps", "a bank account", "the lazy dog jumps over the fox", "the river bank in spring",
    "quick brown dog", "3.5 euros in a bank account", "the fox", "an account at the bank", "over the lazy dog",
    "a quick fox at the river", "euros at the river bank", "dog and fox", "bank in spring", "brown fox over a dog",
]  # fmt: skip
TOPICS = ["animals" if "fox" in text or "dog" in text else "money" for text in ENGLISH]
NAMES = ["drift_words", "neighbours_kept_words", "neighbours_kept_sentences", "probe_english", "probe_others"]


@pytest.fixture
def sets(tmp_path):
    """A labelled set of 14 rows in three languages, whose other sides are words of the other scripts."""
    folder = tmp_path / "sets" / "sib200"
    folder.mkdir(parents=True)
    for language, words in (("en", None), ("es", TEXT[1].split()), ("ru", TEXT[2].split())):
        texts = [text if words is None else " ".join(words[n % 5 :]) for n, text in enumerate(ENGLISH)]
        rows = "".join(f"{n}\t{topic}\t{text}\n" for n, (topic, text) in enumerate(zip(TOPICS, texts)))
        for part in ("train", "test"):
            (folder / f"{language}.{part}.tsv.gz").write_bytes(gzip.compress(f"i\tcategory\ttext\n{rows}".encode()))
    return folder.parent


@pytest.fixture
def forget(isogloss, tiny, sets, monkeypatch):
    """Run the command on two tiny encoders and the small set."""
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)

    def call(*options, encoder=tiny, base=tiny, data_dir=sets):
        more = ["--base", base] if base else []
        more += ["--data-dir", data_dir] if data_dir else []
        return isogloss("forgetting", "--encoder", encoder, *more, *options)

    return call


@pytest.mark.fast
def test_an_encoder_against_itself_forgot_nothing(forget):
    done = forget("--json")
    assert done.code == 0, done.err
    rows = {row["name"]: row for row in done.json["rows"]}
    assert list(rows) == [*NAMES, "sentence_retrieval"]
    assert (rows["drift_words"]["aligned"]["score"], rows["drift_words"]["aligned"]["high"]) == (0, 0)
    assert rows["neighbours_kept_words"]["aligned"]["score"] == 100
    assert rows["neighbours_kept_sentences"]["aligned"]["score"] == 100
    for row in (*done.json["rows"][3:], *done.json["languages"]):
        assert row["base"]["score"] == row["aligned"]["score"]
        change = row["difference"]
        assert (change["score"], change["low"], change["high"]) == (0, 0, 0), row["title"]
    assert rows["probe_others"]["aligned"]["n"] == 2 * len(ENGLISH)
    assert rows["sentence_retrieval"]["aligned"]["n"] == 6 * len(ENGLISH)
    assert [row["title"][-2:] for row in done.json["languages"]] == ["en", "es", "ru"]
    assert done.json["probe"] == "set:sib200:all:test"


@pytest.mark.fast
def test_another_encoder_has_drifted_and_the_table_says_so(forget, tmp_path):
    done = forget("--layer", "2", encoder=write_tiny(tmp_path / "other", "xlmr", seed=5))
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split() == ["score", "base", "aligned", "difference", "n", "sentences", "note"]
    assert len(lines) == 7
    drift = float(lines[1].split("1 - cosine")[1].split()[0])
    assert 0.3 < drift < 2
    assert "mean of 2 other languages" in lines[5]
    assert "6 ordered pairs" in lines[6]


@pytest.mark.fast
def test_means_are_those_of_their_parts(forget, tmp_path):
    done = forget("--json", encoder=write_tiny(tmp_path / "other", "xlmr", seed=5))
    rows = {row["name"]: row for row in done.json["rows"]}
    by_language = [row["aligned"]["score"] for row in done.json["languages"]]
    assert rows["probe_english"]["aligned"]["score"] == by_language[0]
    assert rows["probe_others"]["aligned"]["score"] == pytest.approx(sum(by_language[1:]) / 2)
    for row in done.json["rows"][3:]:
        change = row["aligned"]["score"] - row["base"]["score"]
        assert row["difference"]["score"] == pytest.approx(change)
        assert row["difference"]["low"] <= row["difference"]["high"]


@pytest.mark.fast
def test_languages_without_a_map_are_named(forget, isogloss, tiny, write, tmp_path):
    pairs = write("p.tsv", "en\tes\nthe fox\tel zorro\nthe dog\tel perro\nthe quick fox\tel rápido zorro\n")
    made = isogloss(
        "align", "rotation", "--encoder", tiny, "--data", pairs, "--langs", "en-es", "--out", tmp_path / "new"
    )
    assert made.code == 0, made.err
    done = forget("--json", encoder=tmp_path / "new", base=None)
    assert done.code == 0, done.err
    rows = {row["name"]: row for row in done.json["rows"]}
    assert done.json["base"] == tiny
    for name in ("probe_others", "sentence_retrieval"):
        assert rows[name]["aligned"]["note"] == "not aligned, as in the base: ru"


@pytest.mark.fast
def test_text_alone_needs_no_sets(forget, write, tmp_path):
    file = write("text.txt", "\n".join(ENGLISH))
    done = forget("--text", file, "--json", data_dir=None)
    assert done.code == 0, done.err
    assert [row["name"] for row in done.json["rows"]] == NAMES[:3]
    assert done.json["probe"] is None
    empty = forget("--text", file, "--json", data_dir=tmp_path)
    assert (empty.code, empty.json["rows"]) == (0, done.json["rows"])
    corpus = forget("--text", "corpus:tour", "--json", data_dir=None)
    assert corpus.json["rows"][0]["aligned"]["n"] > 100


@pytest.mark.fast
def test_too_few_sentences_have_no_score_and_say_why(forget, write):
    done = forget("--text", write("text.txt", "the fox\n"), data_dir=None)
    assert done.code == 0, done.err
    assert done.out.count("no score") == 2
    assert "10 neighbours need more than 11 units with vectors, got 2" in done.out


@pytest.mark.fast
def test_encoders_of_another_width_have_no_drift_but_neighbours(forget, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.tiny.WIDTH", 8)
    done = forget("--json", encoder=write_tiny(tmp_path / "narrow", "xlmr"))
    assert done.code == 0, done.err
    assert done.json["rows"][0]["aligned"]["score"] is None
    assert "16 and 8 wide" in done.json["rows"][0]["aligned"]["note"]
    assert done.json["rows"][1]["aligned"]["score"] > 0


@pytest.mark.fast
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--probe", "set:sib2000:all:test"], "unknown labelled set 'sib2000'"),
        (["--probe", "set:tatoeba:en-de:test"], "set tatoeba has no labels"),
        (["--probe", "set:sib200:en:test"], "needs en and another language"),
        (["--probe", "set:sib200:es,ru:test"], "needs en and another language"),
        (["--probe", "set:sib200:all:train"], "score it on another split"),
        (["--text", "set:sib200:es-ru:test"], "has no English"),
        (["--text", "nowhere.txt"], "no such file"),
        (["--layer", "9"], "layer 9 does not exist"),
    ],
)
def test_bad_input_is_one_line(forget, options, message):
    done = forget(*options)
    assert (done.code, done.out) == (2, "")
    assert message in done.error


@pytest.mark.fast
def test_without_base_or_data_it_says_what_to_give(forget):
    done = forget(base=None)
    assert (done.code, "name the encoder it came from: --base NAME" in done.error) == (2, True)
    done = forget(data_dir=None)
    assert (done.code, "nothing to measure" in done.error) == (2, True)


@pytest.mark.fast
def test_a_missing_training_split_is_named(forget, sets, tmp_path):
    copy = shutil.copytree(sets, tmp_path / "copy")
    (copy / "sib200" / "en.train.tsv.gz").unlink()
    done = forget(data_dir=copy)
    assert (done.code, "set:sib200:en:train" in done.error) == (2, True)


@pytest.mark.real
def test_the_bundled_probe_crosses_languages(isogloss, shared_data):
    done = isogloss("forgetting", "--encoder", "bundled", "--base", "bundled", "--data-dir", shared_data, "--json",
                    "--probe", "set:sib200:en,de:test")  # fmt: skip
    assert done.code == 0, done.err
    rows = {row["name"]: row for row in done.json["rows"]}
    assert 82 < rows["probe_english"]["aligned"]["score"] < 95
    assert 75 < rows["probe_others"]["aligned"]["score"] < 92
    assert rows["sentence_retrieval"]["aligned"]["score"] > 95
    assert (rows["drift_words"]["aligned"]["score"], rows["neighbours_kept_words"]["aligned"]["score"]) == (0, 100)
