"""Gold links that are wrong: a warning for the row, which is left out; one clear line where lines do not count up."""

import pytest

from analysis.errors import InputError
from analysis.text.bitexts import without_bad_links
from analysis.text.corpora.tour import SPEC as TOUR
from analysis.text.corpus import Bitext, Corpus, Sentence
from analysis.text.lines import Source
from analysis.text.load import load_bitexts, read_corpus
from analysis.text.pharaoh import parse_links
from analysis.text.problems import Problems
from analysis.text.sets import load_set

pytestmark = pytest.mark.fast
XLWA = "the fox\tel zorro\t0-0 1-1\na dog\tun perro\t0-0 1-2\nthe bank\tel banco\tnonsense\nonly one\nriver\trío\t0-0\n"


@pytest.fixture
def sets(tmp_path):
    """Write files of a set and give the folder of sets."""

    def write(kind, files):
        for name, text in files.items():
            path = tmp_path / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return write


def notes(problems):
    assert {problem.kind for problem in problems} <= {"links"}
    return [(problem.line, problem.message) for problem in problems]


PAST = "a link points past the 2 source or 2 target words; the pair is left out"


def test_rows_of_a_set(sets):
    problems = Problems()
    (bitext,) = load_set(
        "set:wordalign_xlwa:es-en:dev", data_dir=sets("wordalign_xlwa", {"en-es/dev.tsv": XLWA}), problems=problems
    )
    assert [sentence.text for sentence in bitext.target] == ["the fox", "river"]
    assert [sorted(links.sure) for links in bitext.links] == [[(0, 0), (1, 1)], [(0, 0)]]
    assert bitext.row_ids == ("0", "4")
    assert [line for line, _ in notes(problems)] == [2, 3, 4]
    assert notes(problems)[0][1] == PAST
    assert "is not a link" in notes(problems)[1][1]
    assert "no links that can be read" in notes(problems)[2][1]


def awesome(gold, text="the fox ||| le renard\na dog ||| un chien\n"):
    return {"enfr.src-tgt": text, "enfr.gold": gold}


def test_rows_of_a_set_that_counts_from_one(sets):
    problems = Problems()
    folder = sets("wordalign_awesome", awesome("1-1 2p2\n0-1 3-1\n"))
    (bitext,) = load_set("set:wordalign_awesome:en-fr:test", data_dir=folder, problems=problems)
    assert (len(bitext), bitext.links[0].possible) == (1, {(0, 0), (1, 1)})
    assert "points before the first word" in notes(problems)[0][1]


@pytest.mark.parametrize("gold", ["1-1\n", "1-1\n1-1\n1-1\n"])
def test_a_set_whose_gold_has_another_length(sets, gold):
    folder = sets("wordalign_awesome", awesome(gold))
    with pytest.raises(InputError, match=r"has \d lines of links and 2 pairs") as caught:
        load_set("set:wordalign_awesome:en-fr:test", data_dir=folder)
    assert "\n" not in str(caught.value)


def test_a_set_without_a_good_row(sets):
    folder = sets("wordalign_xlwa", {"en-es/dev.tsv": "the fox\tel zorro\t7-7\n"})
    with pytest.raises(InputError, match="no usable pair; see the warnings"):
        load_bitexts("set:wordalign_xlwa:en-es:dev", data_dir=folder)


def test_rows_of_a_file_and_of_a_links_file(tmp_path):
    pairs, own, links = tmp_path / "p.txt", tmp_path / "own.tsv", tmp_path / "l.txt"
    pairs.write_text("the fox ||| el zorro\na dog ||| un perro\n", "utf-8")
    own.write_text("the fox\tel zorro\t0-0\na dog\tun perro\t2-0\n", "utf-8")
    links.write_text("0-0\n0-2\n", "utf-8")
    for data, file, where in ((own, None, own), (pairs, links, links), (own, links, links)):
        problems = Problems()
        (bitext,) = load_bitexts(str(data), langs="en-es", links=file, problems=problems)
        assert [sentence.text for sentence in bitext.source] == ["the fox"]
        assert notes(problems) == [(2, PAST)]
        assert next(iter(problems)).source == str(where)


def test_rows_of_an_uploaded_corpus(tmp_path):
    problems = Problems()
    content = b"the fox\tel zorro\t0-0\na dog\tun perro\t2-0\n"
    corpus = read_corpus([Source.of(content, "x.tsv")], reader="aligned_tsv", languages=("en", "es"), problems=problems)
    assert len(corpus.pair("en", "es")) == 1
    assert [problem.line for problem in problems] == [2]


def test_rows_of_a_registered_corpus_and_of_links_given_with_it(tmp_path, monkeypatch):
    rows = tuple(
        {"en": Sentence.from_words(["the", "fox"], "en"), "es": Sentence.from_words(["el"], "es")} for _ in "ab"
    )
    corpus = Corpus(
        "tour", "Tour", rows, ("1", "2"), (), {("en", "es"): (parse_links("0-0"), parse_links("1-1"))}, "made"
    )
    monkeypatch.setattr("analysis.text.load._registered", lambda *_: corpus)
    problems = Problems()
    (bitext,) = load_bitexts("corpus:tour", langs="es-en", problems=problems)
    assert (len(bitext), bitext.row_ids) == (1, ("1",))
    assert notes(problems) == [(2, "a link points past the 1 source or 2 target words; the pair is left out")]
    path = tmp_path / "l"
    path.write_text("5-5\n", "utf-8")
    with pytest.raises(InputError, match="no usable pair"):
        load_bitexts("corpus:tour", langs="es-en", links=path, problems=problems)


def test_good_links_and_no_links_are_left_alone():
    pair = TOUR.load().pair("en", "de")
    bare = Bitext("bare", pair.languages, pair.source, pair.target)
    problems = Problems()
    assert without_bad_links(pair, problems) is pair
    assert without_bad_links(bare, problems) is bare
    assert not len(problems)
