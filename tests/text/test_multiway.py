"""The same rows in several languages: from sets, corpora and files, and languages whose rows differ."""

import gzip

import pytest

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.multitext import Multitext
from analysis.text.multiway import load_multitext, load_texts

pytestmark = pytest.mark.fast


def write(root, language, texts, part="test"):
    """One language of a small SIB-200."""
    folder = root / "sib200"
    folder.mkdir(exist_ok=True)
    lines = ["index_id\tcategory\ttext", *(f"{n}\ttopic\t{text}" for n, text in enumerate(texts))]
    (folder / f"{language}.{part}.tsv.gz").write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return root


def test_rows_of_a_set_in_the_order_asked_for(tmp_path):
    for language in ("en", "de", "ar"):
        write(tmp_path, language, [f"{language} {n}" for n in range(3)])
    found = load_multitext("set:sib200:de,en:test", data_dir=tmp_path)
    assert (found.languages, len(found)) == (("de", "en"), 3)
    assert [one.text for one in found.sentences["de"]] == ["de 0", "de 1", "de 2"]
    assert load_multitext("set:sib200:all:test", data_dir=tmp_path).languages == ("en", "ar", "de")
    assert found.pair("en", "de").source == found.text("en").sentences


def test_languages_whose_rows_differ_in_number_are_refused_in_one_line(tmp_path):
    write(tmp_path, "en", ["one", "two"])
    write(tmp_path, "de", ["eins"])
    with pytest.raises(InputError, match="de has 1 rows and en 2") as caught:
        load_multitext("set:sib200:en,de:test", data_dir=tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="leave one of the two out"):
        Multitext("hand", {"en": (Sentence("a"),), "de": ()})


def test_a_file_that_is_not_of_the_set_is_one_line(tmp_path):
    write(tmp_path, "en", ["one"])
    (tmp_path / "sib200" / "de.test.tsv.gz").write_bytes(gzip.compress(b"header\nno columns\n"))
    with pytest.raises(InputError, match="is not that of this set") as caught:
        load_multitext("set:sib200:en,de:test", data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_rows_of_a_file_that_lack_a_language_are_left_out(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text("en\tde\tfr\na\tb\tc\nd\te\t\n", "utf-8")
    found = load_multitext(str(path))
    assert (found.name, len(found)) == (str(path), 1)
    assert len(load_multitext(str(path), languages=["en", "de"])) == 2
    assert [len(one) for one in load_texts(str(path))] == [2, 2, 1]
    with pytest.raises(InputError, match="unknown language of .* 'it'"):
        load_multitext(str(path), languages=["en", "it"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set:sib200:en,xx:test", "unknown language"),
        ("set:sib200:en,en:test", "names a language twice"),
        ("set:sib200:en:tset", "did you mean 'test'"),
        ("set:sib200:en", "is not set:NAME:LANGS:SPLIT"),
        ("set:mcl_wic:en-en:dev", "unknown set of parallel text"),
    ],
)
def test_what_is_not_there_is_one_line(tmp_path, name, message):
    write(tmp_path, "en", ["one"])
    with pytest.raises(InputError, match=message):
        load_multitext(name, data_dir=tmp_path)


def test_a_corpus_and_its_texts():
    found = load_multitext("corpus:tour", languages=["en", "de", "ar"])
    assert (found.name, found.languages) == ("corpus:tour", ("en", "de", "ar"))
    (english,) = load_texts("corpus:tour", languages=["en"])
    assert len(english) >= len(found) > 10
