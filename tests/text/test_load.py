import io
import sys

import pytest

from analysis.errors import InputError
from analysis.text.lines import Source
from analysis.text.load import load_bitexts, load_corpus, pair_languages, read_corpus, read_pairs, read_sentences
from analysis.text.problems import Problems

pytestmark = pytest.mark.fast
EN = ["the dog sleeps under the table", "tomorrow we will go home by train", "this is a good book , I think"]
DE = [
    "der Hund schläft unter dem Tisch",
    "morgen fahren wir mit dem Zug nach Hause",
    "das ist ein gutes Buch , glaube ich",
]


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return to


def lines_of(problems):
    return [problem.line for problem in problems]


def test_pairs_keep_their_places(write):
    problems = Problems()
    path = write("p.txt", "a  b ||| c\nno pair\n||| d\ne |||\n\n ||| \na ||| b ||| c")
    pairs = read_pairs(path, langs="en-de", problems=problems)
    assert [None if pair is None else (pair[0].words, pair[1].words) for pair in pairs] == [
        (("a", "b"), ("c",)), None, ((), ("d",)), (("e",), ()), None, ((), ()), None,
    ]  # fmt: skip
    assert lines_of(problems) == [2, 5, 7]
    assert pairs[0][0].text == "a  b"
    assert (pairs[0][0].language, pairs[0][1].language) == ("en", "de")


def test_pairs_are_identified_by_majority_and_swapped_lines_noticed(write):
    text = "".join(f"{a} ||| {b}\n" for a, b in zip(EN, DE, strict=True)) + f"{DE[0]} ||| {EN[0]}\n12 ||| 12\n"
    pairs = read_pairs(write("p.txt", text))
    assert pair_languages(pairs) == ("en", "de")
    assert [(a.language, b.language) for a, b in pairs] == [("en", "de")] * 3 + [("de", "en"), ("en", "de")]


def test_pairs_without_any_usable_row_are_bad_input(write):
    with pytest.raises(InputError, match="no usable row"):
        read_pairs(write("p.txt", "a\nb\n"), langs="en-de")


def test_undecodable_pairs_are_none(write):
    problems = Problems()
    data = b"a ||| b\n" * 150 + b"\xff ||| b\n"
    pairs = read_pairs(write("p.txt", data), langs="en-de", problems=problems)
    assert (len(pairs), pairs[-1], lines_of(problems)) == (151, None, [151])


def test_sentences_keep_their_places_and_offsets(write):
    path = write("s.txt", "  It's ||| here\n\n\u200b\n \t\nlast\r")
    sentences = read_sentences(path, language="en")
    assert [None if s is None else s.words for s in sentences] == [
        ("It's", "|", "|", "|", "here"),
        None,
        (),
        None,
        ("last",),
    ]
    assert sentences[0].spans[0] == (2, 6)
    assert sentences[0].text == "  It's ||| here"
    assert sentences[4].text == "last\r"
    assert read_sentences(path, language="en", pretokenized=True)[0].words == ("It's", "|||", "here")


def test_sentences_from_standard_input_are_identified(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(DE).encode())))
    assert [sentence.language for sentence in read_sentences("-")] == ["de"] * 3


def test_sentences_bad_input(write):
    with pytest.raises(InputError, match="no line with text"):
        read_sentences(write("s.txt", "\n \n"))
    with pytest.raises(InputError, match="language code"):
        read_sentences(write("s.txt", "a"), language="English")
    with pytest.raises(InputError, match="empty"):
        read_sentences(write("s.txt", ""))


def test_bitext_of_pairs_with_links(write):
    path = write("p.txt", "a b ||| c d\nbad\ne ||| f\ng ||| h i\n")
    links = write("links", "0-0 1p1\n5-5\n0-1\n0-0 0-1\n")
    problems = Problems()
    (bitext,) = load_bitexts(path, langs="en-de", links=links, problems=problems)
    assert bitext.row_ids == ("1", "4")
    assert bitext.links_origin == "gold"
    assert [(set(links.sure), set(links.possible)) for links in bitext.links] == [
        ({(0, 0)}, {(0, 0), (1, 1)}), ({(0, 0), (0, 1)}, {(0, 0), (0, 1)}),
    ]  # fmt: skip
    assert [(problem.source, problem.line) for problem in problems] == [(path, 2), (links, 3)]


def test_links_must_count_the_lines(write):
    path, links = write("p.txt", "a ||| b\nbad\nc ||| d\n"), write("links", "0-0\n0-0\n")
    with pytest.raises(InputError, match=r"2 lines.*3 pairs"):
        load_bitexts(path, langs="en-de", links=links)


def test_one_based_links(write):
    path, links = write("p.txt", "a b ||| c d\n"), write("links", "1-1 2p2\n")
    (bitext,) = load_bitexts(path, langs="en-de", links=links, one_based=True)
    assert bitext.links[0].possible == {(0, 0), (1, 1)}
    with pytest.raises(InputError, match="no usable row"):
        load_bitexts(path, langs="en-de", links=write("zero", "0-0\n"), one_based=True)


def test_aligned_tsv_with_its_own_and_with_other_links(write):
    path = write("a.tsv", "a b\tc d\t0-0 1p1\nx\ty\t0-3\n\tz\t\nq\tr\t\n")
    problems = Problems()
    (bitext,) = load_bitexts(path, langs="en-sl", problems=problems)
    assert bitext.row_ids == ("1", "4")
    assert [sorted(links.possible) for links in bitext.links] == [[(0, 0), (1, 1)], []]
    assert lines_of(problems) == [3, 2]
    (other,) = load_bitexts(path, langs="en-sl", links=write("l", "1-1\n0-0\n\n0-0\n"))
    assert [sorted(links.sure) for links in other.links] == [[(1, 1)], [(0, 0)], [(0, 0)]]


def test_a_table_gives_english_with_each_other_language_segmented(write):
    path = write("t.tsv", "de\ten\tzh_Hant\nHallo!\thello!\t狗\nx\ty\t\nzu\tviele\tZellen\t!\n")
    problems = Problems()
    bitexts = load_bitexts(path, problems=problems)
    assert [(bitext.languages, len(bitext)) for bitext in bitexts] == [(("en", "de"), 2), (("en", "zh-Hant"), 1)]
    assert bitexts[0].source[0].words == ("hello", "!")
    assert lines_of(problems) == [3, 4]
    (pair,) = load_bitexts(path, langs="zh_Hant-de")
    assert (pair.languages, pair.source[0].text, pair.links) == (("zh-Hant", "de"), "狗", None)
    with pytest.raises(InputError, match="fr"):
        load_bitexts(path, langs="en-fr")
    with pytest.raises(InputError, match="--langs"):
        load_bitexts(path, links=write("l", "0-0\n\n\n"))
    (linked,) = load_bitexts(path, langs="en-de", links=write("l", "0-0\n\n9-9\n"))
    assert [sorted(links.sure) for links in linked.links] == [[(0, 0)], []]


def test_languages_are_identified_and_named_once(write):
    path = write("p.txt", "".join(f"{a} ||| {b}\n" for a, b in zip(DE, EN, strict=True)))
    assert load_bitexts(path)[0].languages == ("de", "en")


@pytest.mark.parametrize("text", ["hello\nworld\n", "a\tb\n", "", "\0", "\n\n", "en\nx\n", "en\tde\n", "en\tde\nx\t\n"])
def test_other_files_are_bad_input(write, text):
    with pytest.raises(InputError) as caught:
        load_bitexts(write("f", text))
    assert "\n" not in str(caught.value)


def test_corpus_pairs():
    assert {bitext.languages[0] for bitext in load_bitexts("corpus:tour")} == {"en"}
    (pair,) = load_bitexts("corpus:tour", langs="de-zh")
    assert (pair.languages, pair.links_origin) == (("de", "zh"), "made")
    with pytest.raises(InputError, match="did you mean 'tour'"):
        load_bitexts("corpus:toru")
    with pytest.raises(InputError, match="xx"):
        load_bitexts("corpus:tour", langs="en-xx")
    with pytest.raises(InputError, match="set:NAME"):
        load_bitexts("set:tatoeba")


def test_corpus_links_can_be_given(write):
    size = len(load_corpus("tour"))
    (pair,) = load_bitexts("corpus:tour", langs="en-de", links=write("l", "0-0\n" * size))
    assert (len(pair), pair.links[3].sure) == (size, {(0, 0)})
    with pytest.raises(InputError, match=f"1 lines.*{size} pairs"):
        load_bitexts("corpus:tour", langs="en-de", links=write("l", "0-0\n"))


def test_corpora_by_name_and_path(write):
    small = load_corpus("tour", languages=["de", "zh"])
    assert set(small.languages) == {"de", "zh"}
    assert small.pair("de", "zh").links == load_corpus("corpus:tour").pair("de", "zh").links
    path = write("t.tsv", "en\tde\na\tb\n")
    corpus = load_corpus(path)
    assert (corpus.id, corpus.title, corpus.languages, corpus.row_ids) == (path, "t.tsv", ("en", "de"), ("2",))
    with pytest.raises(InputError, match="no such file"):
        load_corpus(path + "x")
    with pytest.raises(InputError, match="unknown corpus"):
        load_corpus("nothing")
    with pytest.raises(InputError, match="fr"):
        load_corpus("tour", languages=["xx", "fr"])


def test_a_row_cap_is_said():
    problems = Problems()
    corpus = read_corpus([Source.of(b"a\nb\nc\n", "x.en")], problems=problems, max_rows=2)
    assert (len(corpus), lines_of(problems)) == (2, [3])


def test_several_files_are_moses():
    corpus = read_corpus([Source.of(b"a\n", "x.en"), Source.of(b"b\n", "x.de")])
    assert corpus.pair("en", "de").target[0].text == "b"
