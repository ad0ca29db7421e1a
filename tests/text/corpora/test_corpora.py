import subprocess
import sys

import pytest

from analysis.assets import assets_folder
from analysis.errors import InputError
from analysis.registry import find, registered
from analysis.text.corpora.tour import parse_marked, read_tour
from analysis.text.languages import language
from analysis.text.scripts import fits_script
from analysis.text.segment import segment

pytestmark = pytest.mark.fast
BUNDLED = ["cldr", "emoji", "tour"]


@pytest.mark.parametrize("name", BUNDLED)
def test_the_listing_says_what_the_corpus_holds(name):
    spec = find("corpora", name)
    corpus = spec.load()
    assert (corpus.id, len(corpus), corpus.unit) == (name, spec.rows, spec.unit)
    assert corpus.languages == spec.languages
    assert len(set(corpus.row_ids)) == len(corpus)
    assert spec.licence == corpus.licence != ""
    assert spec.load() is corpus


def test_the_listing_needs_nothing_heavy():
    code = (
        "import sys; from analysis.registry import registered; assert registered('corpora');"
        "print([m for m in ('torch', 'icu', 'babel', 'emoji', 'py3langid', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["cldr", "emoji"])
def test_spans_are_those_of_the_segmenter(name):
    corpus = find("corpora", name).load()
    for row in corpus.rows[:: max(1, len(corpus) // 40)]:
        for tag, sentence in row.items():
            assert sentence.language == tag
            assert sentence.spans == segment(sentence.text, tag)


def test_emoji_names_are_text():
    corpus = find("corpora", "emoji").load()
    row = dict(zip(corpus.row_ids, corpus.rows, strict=True))["1st_place_medal"]
    assert (row["en"].text, row["fr"].text, row["zh"].text) == ("1st place medal", "médaille d’or", "金牌")
    assert not any(set(":_") & set(sentence.text) for r in corpus.rows for tag, sentence in r.items() if tag == "de")


def test_cldr_names_by_category():
    corpus = find("corpora", "cldr").load()
    rows = dict(zip(corpus.row_ids, corpus.rows, strict=True))
    assert rows["territory:FR"]["sw"].text == "Ufaransa"
    counts = {category: corpus.categories.count(category) for category in set(corpus.categories)}
    assert counts == {
        "language": 440,
        "territory": 294,
        "currency": 165,
        "script": 56,
        "month": 12,
        "day": 7,
        "unit": 5,
    }


def test_cldr_calendar_names_are_in_their_own_language_and_nominative():
    corpus = find("corpora", "cldr").load()
    rows = dict(zip(corpus.row_ids, corpus.rows, strict=True))
    january = {tag: rows["month:1"][tag].text for tag in ("de", "ru", "pl", "cs", "hi", "he", "th")}
    assert january == {
        "de": "Januar",
        "ru": "январь",
        "pl": "styczeń",
        "cs": "leden",
        "hi": "जनवरी",
        "he": "ינואר",
        "th": "มกราคม",
    }
    assert rows["day:0"]["zh"].text == "星期一"
    for row_id in (row_id for row_id in rows if row_id.startswith(("month", "day"))):
        assert all(fits_script(sentence.text, language(tag).script) for tag, sentence in rows[row_id].items())


def test_marks_become_concepts_of_words():
    concepts = {"1": (1, "dog"), "2": (2, "bank (money)"), "9": (3, "run away")}
    sentence = parse_marked("{Dogs|1} at the {savings bank|2} {ran|9} {away|9}!", "en", concepts)
    assert sentence.text == "Dogs at the savings bank ran away!"
    assert sentence.words == ("Dogs", "at", "the", "savings", "bank", "ran", "away", "!")
    assert sentence.concepts == (1, 0, 0, 2, 2, 3, 3, 0)
    assert sentence.senses == ("dog", "", "", "bank (money)", "bank (money)", "run away", "run away", "")


def test_a_mark_shorter_than_a_word_marks_it():
    assert parse_marked("l’{eau|1}", "fr", {"1": (4, "water")}).concepts == (4,)
    assert parse_marked("{北京|1}{天安门|2}", "zh", {"1": (1, ""), "2": (2, "")}).concepts == (1, 2)
    cut = parse_marked("在{河|1}{岸|2}上", "zh", {"1": (1, "river"), "2": (2, "bank")})
    assert (cut.words, cut.concepts) == (("在", "河", "岸", "上"), (0, 1, 2, 0))
    assert parse_marked("😀 {字|1}", "zh", {"1": (1, "")}).concepts == (0, 1)


@pytest.mark.parametrize("marked", ["{a|1", "a}", "{a}", "{a|1|2}", "{{a|1}}", "{a|5}"])
def test_broken_marks_are_refused(marked):
    with pytest.raises(InputError):
        parse_marked(marked, "en", {"1": (1, "")})


@pytest.fixture
def small_tour(tmp_path):
    files = {
        "rows.tsv": "id\tcategory\tnote\nt001\tpolysemy\tx\nt002\tidiom\t\nt003\teveryday\tnot yet written\n",
        "concepts.tsv": "id\tconcept\tsense\nt001\t1\tcat\nt001\t2\tsleep\nt002\t1\train\n",
        "en.tsv": "id\ttext\nt001\tThe {cat|1} {sleeps|2}.\nt002\tIt {rains|1}.\n",
        "zh.tsv": "id\ttext\nt001\t{猫|1}在{睡觉|2}。\nt002\t\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_a_small_tour_has_links(small_tour):
    corpus = read_tour(small_tour)
    assert (corpus.row_ids, corpus.categories, corpus.languages) == (
        ("t001", "t002"),
        ("polysemy", "idiom"),
        ("en", "zh"),
    )
    pair = corpus.pair("en", "zh")
    assert pair.links_origin == "made"
    assert [{(pair.source[0].words[i], pair.target[0].words[j]) for i, j in pair.links[0].sure}] == [
        {("cat", "猫"), ("sleeps", "睡觉")}
    ]


def test_a_tour_row_without_a_head_is_refused(small_tour):
    (small_tour / "de.tsv").write_text("id\ttext\nt999\tx\n", "utf-8")
    with pytest.raises(InputError, match="t999"):
        read_tour(small_tour)
    (small_tour / "rows.tsv").unlink()
    with pytest.raises(InputError, match=r"rows\.tsv"):
        read_tour(small_tour)


def test_the_bundled_tour_is_marked_throughout():
    corpus = find("corpora", "tour").load()
    assert len(corpus.languages) >= 12
    assert all(len(row) == len(corpus.languages) for row in corpus.rows)
    # Every marked sentence keeps the concepts its file marks: the segmenter loses none.
    for tag in corpus.languages:
        lines = (assets_folder() / "corpora" / "tour" / f"{tag}.tsv").read_text("utf-8").split("\n")[1:]
        marked = {line.split("\t")[0]: {part.split("}")[0] for part in line.split("|")[1:]} for line in lines if line}
        for row_id, row in zip(corpus.row_ids, corpus.rows, strict=True):
            assert len(set(row[tag].concepts) - {0}) == len(marked[row_id]), (row_id, tag)


def test_every_corpus_is_complete_as_a_spec():
    for spec in registered("corpora").values():
        assert spec.title
        assert spec.summary
        assert spec.source
        assert spec.unit in ("sentence", "phrase")
