"""`dictionary` makes a two-column file out of links or out of another dictionary, which the reader reads again."""

import pytest

from analysis.text.dictionary import load_dictionary
from tests.text.test_dictionary import write_dictd

pytestmark = pytest.mark.fast
PAIRS = "the quick fox ||| the quick fox\nthe lazy dog ||| the lazy dog\nthe fox ||| the fox\n"
LINKS = "0-0 1-1 2-2\n0-0 1-1 2-2\n0-0 1-1\n"


def test_links_are_made_where_there_are_none(isogloss, tiny, write, tmp_path):
    file, out = write("p.txt", PAIRS), tmp_path / "new" / "words.tsv"
    done = isogloss("dictionary", "--data", file, "--encoder", tiny, "--langs", "en-de", "--out", out)
    assert (done.code, done.out) == (0, ""), done.err
    assert out.read_text("utf-8") == "en\tde\nthe\tthe\nfox\tfox\n"
    assert "2 entries en-de from links:" in done.err
    assert load_dictionary(out).entries == (("the", "the"), ("fox", "fox"))


def test_given_links_need_no_encoder(isogloss, write):
    file, links = write("p.txt", PAIRS), write("l.txt", LINKS)
    done = isogloss("dictionary", "--data", file, "--links", links, "--langs", "en-de", "--min-count", 1)
    assert done.code == 0, done.err
    assert done.out.split("\n")[:3] == ["en\tde", "the\tthe", "fox\tfox"]
    assert len(done.out.splitlines()) == 6


def test_conversion(isogloss, write, tmp_path):
    index = write_dictd(tmp_path)
    done = isogloss("dictionary", "--dictionary", index, "--langs", "de-en")
    assert done.code == 0, done.err
    assert done.out.startswith("de\ten\nBeet\tbed\nBett\tbed\n")
    assert "warning: " in done.err
    assert "12 entries de-en" in done.err
    muse = write("en-fr.0-5000.txt", "dog chien\nlone\n")
    done = isogloss("dictionary", "--dictionary", muse)
    assert (done.code, done.out) == (0, "en\tfr\ndog\tchien\n")
    assert "en-fr.0-5000.txt:2: 'lone' has no second column; the line is left out" in done.err


@pytest.mark.parametrize(("options", "says"), [
    ([], "give either --data (sentence pairs to count links over) or --dictionary (one to convert)"),
    (["--data", "corpus:tour"], "language pairs ("),
    (["--data", "p.txt", "--langs", "en-de"], "p.txt brings no word links; name an encoder to make them: --encoder b"),
    (["--dictionary", "nowhere.tsv", "--langs", "en-de"], "nowhere.tsv: no such file"),
    (["--dictionary", "p.txt", "--data", "p.txt"], "give either"),
    (["--data", "corpus:tour", "--langs", "en-de", "--min-count", "9999"], "are linked 9999 times or more"),
    (["--data", "corpus:tour", "--langs", "en-de", "--min-share", "2"], "--min-share"),
    (["--data", "p.txt", "--langs", "en-de", "--encoder", "bundled", "--out", "p.txt"], "--out 'p.txt' is what is read"),
    (["--dictionary", "fr-es.txt", "--langs", "en-de"], "fr-es.txt is fr-es and not --langs en-de"),
    (["--data", "corpus:tour", "--langs", "en-de", "--out", "."], "--out '.' is a folder; give the name of a file"),
])  # fmt: skip
def test_refusals(isogloss, write, monkeypatch, options, says):
    monkeypatch.chdir(write("p.txt", PAIRS).parent)
    write("fr-es.txt", "chien\tperro\n")
    done = isogloss("dictionary", *options)
    assert done.code == 2
    assert says in done.error
