"""Tagged words: their files, the spelling of span tags, both metrics against seqeval, and a short run."""

import gzip
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.registry import find
from analysis.text.corpus import Sentence
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.transfer.item import Item
from analysis.transfer.readers.spoken import tag_of_name
from analysis.transfer.readers.tagged import read_tagged
from analysis.transfer.reading import read_labelled
from analysis.transfer.tagging_metrics import SPAN_F1, WORD_ACCURACY, to_iob2
from tests.transfer.material import tagged, train

pytestmark = pytest.mark.fast

CONLLU = """# newdoc
# text = Er ist im Haus.
1\tEr\ter\tPRON\tPPER\tCase=Nom\t2\tnsubj\t_\t_
2\tist\tsein\tAUX\tVAFIN\t_\t0\troot\t_\t_
3-4\tim\t_\t_\t_\t_\t_\t_\t_\t_
3\tin\tin\tADP\tAPPR\t_\t5\tcase\t_\t_
4\tdem\tder\tDET\tART\tCase=Dat\t5\tdet\t_\t_
4.1\tnichts\t_\tNOUN\t_\t_\t_\t_\t_\t_
5\tHaus\tHaus\tNOUN\tNN\tCase=Dat\t2\tobl\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t$.\t_\t2\tpunct\t_\t_

# text = Bad
1\tBad\tbad\tNOUN

1\tGut\tgut\tADJ\tADJD\t_\t0\troot\t_\t_
"""


def read(text, column, name="words.tsv", language="en"):
    problems = Problems()
    (found,) = read_tagged(Source.of(text.encode(), name), column, language, problems)
    return found, [str(one) for one in problems]


def test_conllu_gives_the_syntactic_words():
    found, told = read(CONLLU, "upos", language=None, name="de_gsd-ud-dev.conllu")
    first, last = found.items
    assert found.language == first.sentence.language == "de"
    assert first.sentence.words == ("Er", "ist", "in", "dem", "Haus", ".")
    assert first.sentence.text == "Er ist in dem Haus ."
    assert first.label == ("PRON", "AUX", "ADP", "DET", "NOUN", "PUNCT")
    assert (first.id, first.where) == ("1", "de_gsd-ud-dev.conllu:1")
    assert (last.id, last.where, last.label) == ("3", "de_gsd-ud-dev.conllu:15", ("ADJ",))
    assert len(told) == 1
    assert told[0].startswith("warning: de_gsd-ud-dev.conllu:13: 4 column(s) where the file has 10")


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        ("xpos", ("PPER", "VAFIN", "APPR", "ART", "NN", "$.")),
        ("feats", ("Case=Nom", "_", "_", "Case=Dat", "Case=Dat", "_")),
    ],
)
def test_other_columns_of_conllu(column, wanted):
    assert read(CONLLU, column)[0].items[0].label == wanted
    with pytest.raises(InputError, match="no column 'nope'; valid: form, lemma, upos"):
        read(CONLLU, "nope")


def test_token_and_tag_with_a_hash_as_a_word():
    found, told = read("#\tSYM\n1\tNUM\n\n\n\na b\tNOUN\r\n", "upos")
    assert [one.sentence.words for one in found.items] == [("#", "1"), ("a b",)]
    assert [one.where for one in found.items] == ["words.tsv:1", "words.tsv:6"]
    assert not told


def test_index_token_tag_of_wikineural():
    found, _ = read("0\t1990\tO\n1\tin\tO\n2\tBonn\tB-LOC\n\n0\tNew\tB-LOC\n1\tYork\tI-LOC\n", "ner")
    assert [one.sentence.words for one in found.items] == [("1990", "in", "Bonn"), ("New", "York")]
    assert found.items[1].label == ("B-LOC", "I-LOC")


def test_conll_2003_is_read_as_iob2_without_document_marks():
    text = """-DOCSTART- -X- -X- O

# -X- -X- O
EU NNP I-NP I-ORG
rejects VBZ I-VP O

Mr NNP I-NP O
Ann NNP I-NP I-PER
Bob NNP B-NP B-PER
Paris NNP I-NP I-LOC
"""
    found, told = read(text, "ner")
    assert [one.id for one in found.items] == ["1", "2"]
    assert found.items[0].sentence.words == ("#", "EU", "rejects")
    assert found.items[0].label == ("O", "B-ORG", "O")
    assert found.items[1].label == ("O", "B-PER", "B-PER", "B-LOC")
    assert not told
    with pytest.raises(InputError, match="tags of spans such as B-PER in its last column; use task ner"):
        read(text, "upos")


def test_xsid_and_a_last_column_without_tags():
    text = "# text: wake me\n# intent: alarm\n1\twake\talarm\tO\n2\tat\talarm\tO\n3\tsix\talarm\tB-time\n"
    assert read(text, "slot")[0].items[0].label == ("O", "O", "B-time")
    uner = "# text = In Bonn\n1\tIn\tO\t-\tann\n2\tBonn\tB-LOC\t-\tann\n"
    found, _ = read(uner, "ner")
    assert (found.items[0].sentence.words, found.items[0].label) == (("In", "Bonn"), ("O", "B-LOC"))


@pytest.mark.parametrize(
    ("row", "line", "message"),
    [("only", 5, "1 column"), ("a\t", 5, "no word or no tag"), ("\tO", 5, "no word or no tag"),
     ("a\tB-", 5, "'B-' is no tag such as B-PER"), ("a\tNOUN", 5, "'NOUN' is no tag"), ("a\tb\tO", 5, "3 column")],
)  # fmt: skip
def test_a_bad_row_costs_its_sentence_only(row, line, message):
    good = "a\tO\nb\tB-X\n"
    many = "\n".join([good] * 9)
    found, told = read(f"{good}\nc\tO\n{row}\n\n{many}", "ner")
    assert [one.id for one in found.items] == ["1", *(str(n) for n in range(3, 12))]
    assert len(told) == 1
    assert told[0].startswith(f"warning: words.tsv:{line}: {message}")
    assert told[0].endswith("its sentence is left out")


def test_a_line_that_is_no_text_costs_its_sentence():
    problems = Problems()
    raw = b"\n".join([b"a\tX\nb\tY\n"] * 60) + b"\nx\tX\n\xff\tY\n"
    (found,) = read_tagged(Source.of(raw, "w.tsv"), "upos", "en", problems)
    assert len(found) == 60
    assert [one.line for one in problems] == [182, 182]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [("just a line\nof text\nis no\ntagging here\nx y z u v\n", "ner", "no column of tags such as B-PER"),
     ("word\nother\n", "upos", "most lines have 1 column"), ("# only\n", "upos", "most lines have 0 column"),
     ("a\t_\n", "upos", "no usable sentence")],
)  # fmt: skip
def test_a_file_without_tagged_words_is_refused(text, column, message):
    with pytest.raises(InputError, match=message) as error:
        read(text, column)
    assert "\n" not in str(error.value)


def test_language_from_argument_name_or_text():
    assert [tag_of_name(f"/x/en/{name}") for name in ("de_gsd-ud-dev.conllu", "dev-fr.tsv.gz", "ru.test.conllu.gz",
            "test.sw", "words.tsv", "zh")] == ["de", "fr", "ru", "sw", None, "zh"]  # fmt: skip
    text = (
        "".join(f"{word}\tX\n" for word in ("die", "Katze", "sitzt", "auf", "dem", "Tisch", "und", "schläft"))
        + "\na\tY\n"
    )
    assert read(text, "upos", language=None)[0].language == "de"
    assert read(text, "upos", language=None, name="fr_a.tsv")[0].language == "fr"
    assert read(text, "upos", language="nl", name="fr_a.tsv")[0].items[0].sentence.language == "nl"


TAG = st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B", "E-A", "S-A", "E-B", "S-B", "B", "I"])


def entities(tags):
    from seqeval.metrics.sequence_labeling import get_entities

    return get_entities(list(tags))


@given(st.lists(TAG, max_size=12))
def test_every_spelling_keeps_its_spans(tags):
    made = to_iob2(tags)
    assert entities(made) == entities(tags)
    assert all(tag[0] in "OBI" for tag in made)
    assert all(tag[0] != "I" or (before != "O" and before[1:] == tag[1:]) for before, tag in zip(("O", *made), made))
    assert to_iob2(made) == made


def test_spellings_by_hand():
    assert to_iob2(["I-A", "I-A", "B-A", "I-B", "O", "I-B"]) == ("B-A", "I-A", "B-A", "B-B", "O", "B-B")
    assert to_iob2(["B-A", "I-A", "L-A", "U-A", "U-B"]) == ("B-A", "I-A", "I-A", "B-A", "B-B")
    assert [to_iob2([bad]) for bad in ("NOUN", "B-", "_", "", "o", "-A", "X-A", "0")] == [None] * 8
    assert to_iob2(["B-sub-type"]) == ("B-sub-type",)


def items_of(golds):
    return [Item(str(n), Sentence.from_words(["w"] * len(gold), "en"), tuple(gold)) for n, gold in enumerate(golds)]


SIDE = st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"])
BOTH = st.lists(st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=9), min_size=1, max_size=6)


@settings(max_examples=50)
@given(BOTH, st.randoms(use_true_random=False))
def test_span_f1_of_sums_is_that_of_seqeval(rows, random):
    from seqeval.metrics import f1_score, precision_score, recall_score

    golds, said = ([[pair[side] for pair in row] for row in rows] for side in (0, 1))
    stats = SPAN_F1.stats(items_of(golds), [tuple(one) for one in said])
    drawn = [random.randrange(len(rows)) for _ in rows]
    counts = np.array([[Counter(range(len(rows)))[n] for n in range(len(rows))],
                       [Counter(drawn)[n] for n in range(len(rows))]], np.float32)  # fmt: skip
    for found, chosen in zip(SPAN_F1.scores(stats, counts), (range(len(rows)), drawn), strict=True):
        gold, guess = [golds[n] for n in chosen], [said[n] for n in chosen]
        if not any(entities(one) for one in gold + guess):
            assert np.isnan(found)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = 100 * f1_score(gold, guess)
            parts = {"precision": 100 * precision_score(gold, guess), "recall": 100 * recall_score(gold, guess)}
        assert found == pytest.approx(wanted)
        if chosen is not drawn:
            for name, score in SPAN_F1.parts:
                value = score(stats, counts[:1])[0]
                assert value == pytest.approx(parts[name]) or (np.isnan(value) and parts[name] == 0)


@settings(max_examples=50)
@given(BOTH)
def test_word_accuracy_counts_words_not_sentences(rows):
    golds, said = ([[pair[side] for pair in row] for row in rows] for side in (0, 1))
    right = [gold == guess for a, b in zip(golds, said) for gold, guess in zip(a, b)]
    assert WORD_ACCURACY.score(WORD_ACCURACY.stats(items_of(golds), said)) == pytest.approx(100 * np.mean(right))


def test_a_prediction_of_another_length_is_no_score():
    with pytest.raises(ValueError):
        WORD_ACCURACY.stats(items_of([["O", "O"]]), [("O",)])
    assert np.isnan(SPAN_F1.score(SPAN_F1.stats(items_of([["O"]]), [("O",)])))


def test_a_head_learns_tags_and_unknown_ones_are_errors(tiny):
    data = tagged()
    network = train(
        tiny, task="pos", data=data, epochs=40, max_steps=80, lr=5e-3, head_lr=2e-2, head_dropout=0.0, dropout=False
    )
    said = network.predict(data.items)
    assert [len(one) for one in said] == [len(one.label) for one in data.items]
    assert WORD_ACCURACY.score(WORD_ACCURACY.stats(data.items, said)) > 90
    strange = [Item("s", data.items[0].sentence, ("NEW",) * len(data.items[0].label))]
    assert WORD_ACCURACY.score(WORD_ACCURACY.stats(strange, network.predict(strange))) == 0
    batch = network.encode(strange)
    assert float(network.loss(batch).detach()) == 0


def test_the_loss_of_tags_by_hand_and_words_that_are_cut_off(tiny):
    data = tagged()
    network = train(tiny, task="pos", data=data, max_steps=1, max_tokens=8)
    network.trains(False)
    long = Item("l", Sentence.from_words(["the", *["dog"] * 30], "en"), ("DET", *["NOUN"] * 30))
    batch = network.encode([data.items[0], long])
    outputs = network.outputs(batch).detach().numpy().astype(np.float64)
    assert len(outputs) == len(data.items[0].label) + 31
    gold = [*data.items[0].label, *long.label]
    here = [
        *np.isin(np.arange(batch.first[0].words), batch.first[0].word),
        *np.isin(np.arange(31), batch.first[1].word),
    ]
    assert 0 < sum(here) < len(gold)
    terms = [np.log(np.exp(row).sum()) - row[network.head.labels.index(tag)]
             for row, tag, kept in zip(outputs, gold, here) if kept]  # fmt: skip
    assert float(network.loss(batch).detach()) == pytest.approx(np.mean(terms), abs=1e-5)
    assert network.predict([long])[0][-1] == "NOUN"


def test_sets_have_ids_of_their_own_and_a_bad_file_costs_its_language(tmp_path):
    folder = tmp_path / "udpos"
    folder.mkdir()
    files = {"dev-en": "a\tX\n\nb\tY\n", "dev-de": "c\tX\n", "dev-fr": "nothing\n", "train-en": "d\tY\n"}
    for name, text in files.items():
        (folder / f"{name}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    problems = Problems()
    found = read_labelled("set:udpos:all:dev", find("tasks", "pos"), data_dir=tmp_path, problems=problems)
    assert {one.language: [item.id for item in one.items] for one in found} == {"en": ["en:1", "en:2"], "de": ["de:1"]}
    assert found[0].items[1].where == "dev-en.tsv.gz:3"
    assert any("dev-fr.tsv.gz" in str(one) for one in problems)
    assert len(read_labelled("set:udpos:en:train", find("tasks", "pos"), data_dir=tmp_path)[0]) == 1
    with pytest.raises(InputError, match="unknown split of set udpos 'test'"):
        read_labelled("set:udpos:en:test", find("tasks", "pos"), data_dir=tmp_path)


def test_the_public_sets_hold_what_their_readmes_say(shared_data):
    problems = Problems()
    pos = read_labelled("set:udpos:en,ar,ja,ta:dev", find("tasks", "pos"), data_dir=shared_data, problems=problems)
    assert [(one.language, len(one)) for one in pos] == [("en", 1000), ("ar", 909), ("ja", 511), ("ta", 80)]
    assert len({tag for one in pos for item in one.items for tag in item.label}) == 17
    ner = read_labelled("set:ner_wikineural:de,ru:test", find("tasks", "ner"), data_dir=shared_data, problems=problems)
    assert [(one.language, len(one)) for one in ner] == [("de", 1500), ("ru", 1500)]
    assert len({tag for one in ner for item in one.items for tag in item.label}) == 9
    (ewt,) = read_labelled("set:ud_ewt:en:dev", find("tasks", "pos"), data_dir=shared_data, problems=problems)
    assert len(ewt) == 2001
    assert len(find("tasks", "pos").sets["udpos"].languages(shared_data / "udpos", "dev")) == 27
    assert len(find("tasks", "ner").sets["ner_wikineural"].languages(shared_data / "ner_wikineural", "test")) == 9
    assert not len(problems)


def test_a_name_that_the_text_belies_is_warned_of():
    from analysis.transfer.readers.spoken import named_language

    texts = ["The quick brown fox jumps over the lazy dog.", "He opened a bank account in the spring."]
    problems = Problems()
    assert named_language("my_data.tsv", texts, problems) == "my"
    assert "its text looks like en; if so, give FILE:en" in str(next(iter(problems)))
    calm = Problems()
    assert named_language("en_ewt-ud-dev.conllu", texts, calm) == "en"
    assert named_language("data.tsv", texts, calm) == "en"
    assert named_language("la_proiel-ud-dev.conllu", ["Gallia est omnis divisa in partes tres."], calm) == "la"
    assert not list(calm)
