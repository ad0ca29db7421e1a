"""Labelled sets: a small one made on the spot, and the public one where it is."""

import gzip

import pytest

from analysis.errors import InputError
from analysis.text.labelled import load_labelled
from analysis.text.sets import load_set

pytestmark = pytest.mark.fast
ROWS = [("7", "sports", "the quick fox"), ("8", "travel", "over the dog"), ("9", "sports", "a bank")]


@pytest.fixture
def sets(tmp_path):
    """A folder with a labelled set in two languages."""

    def write(language, rows, part="test"):
        lines = ["index_id\tcategory\ttext", *("\t".join(row) for row in rows)]
        folder = tmp_path / "sib200"
        folder.mkdir(exist_ok=True)
        (folder / f"{language}.{part}.tsv.gz").write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
        return tmp_path

    write("ar", [(number, label, f"نص {n}") for n, (number, label, _) in enumerate(ROWS)])
    write("en", ROWS)
    write("xx", [("7", "travel", "other"), *ROWS[1:]], "dev")
    write("en", ROWS, "dev")
    return tmp_path


def test_sentences_and_labels_stand_row_by_row(sets):
    found = load_labelled("set:sib200:all:test", data_dir=sets)
    assert (found.languages, found.labels, len(found)) == (("en", "ar"), ("sports", "travel", "sports"), 3)
    assert [one.text for one in found.sentences["en"]] == [text for _, _, text in ROWS]
    assert {one.language for one in found.sentences["ar"]} == {"ar"}
    assert [pair.languages for pair in found.pairs()] == [("en", "ar")]


def test_one_language_is_enough_to_train_on(sets):
    assert load_labelled("set:sib200:en:test", data_dir=sets).languages == ("en",)
    assert load_labelled("set:sib200:ar-en:test", data_dir=sets).languages == ("ar", "en")


def test_its_sentences_are_those_of_the_parallel_set(sets):
    (pair,) = load_set("set:sib200:en-ar:test", data_dir=sets)
    assert load_labelled("set:sib200:en,ar:test", data_dir=sets).sentences["ar"] == pair.target


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sib200", "is not set:NAME:LANGS:SPLIT"),
        ("set:sib2000:en,ar:test", "unknown labelled set 'sib2000'; did you mean 'sib200'"),
        ("set:tatoeba:en-de:test", "set tatoeba has no labels; valid here: sib200"),
        ("set:sib200:en,ar:tset", "did you mean 'test'"),
        ("set:sib200:en,de:test", "unknown language .* 'de'; valid: ar, en"),
        ("set:sib200:en,en:test", "names a language twice"),
        ("set:sib200:en,xx:dev", "xx has other rows or labels than en"),
    ],
)
def test_what_is_not_there_is_one_line(sets, name, message):
    with pytest.raises(InputError, match=message) as caught:
        load_labelled(name, data_dir=sets)
    assert "\n" not in str(caught.value)


def test_the_public_set_has_the_counts_of_its_readme(shared_data):
    found = load_labelled("set:sib200:all:test", data_dir=shared_data)
    assert (len(found.languages), len(found), len(set(found.labels))) == (31, 204, 7)
    assert len(load_labelled("set:sib200:en:train", data_dir=shared_data)) == 701
