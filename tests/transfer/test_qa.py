"""Questions: the reader, the loss by hand, the best stretch, learning, exact match and F1."""

import gzip
import json

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.registry import find
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.text.segment import split
from analysis.transfer.encoding import Encoded
from analysis.transfer.heads.span import answer_tokens, best_span
from analysis.transfer.item import Answers, Dataset, Item
from analysis.transfer.readers.squad import read_squad
from analysis.transfer.reading import read_labelled
from analysis.transfer.structure_metrics import ANSWER_F1, normalised, overlap
from tests.transfer.material import train, weights

pytestmark = pytest.mark.fast
CONTEXT = "the fox jumps over the lazy dog"


def question(text, context, answer, name="1", language="en"):
    return Item(name, split(text, language), Answers((answer,), (context.find(answer),)), split(context, language))


def questions():
    """`quick` asks for the first noun, `lazy` for the last one."""
    rows = []
    for n, (one, other) in enumerate((("fox", "dog"), ("dog", "bank"), ("bank", "fox"), ("account", "river"))):
        context = f"the {one} jumps over the {other}"
        rows += [question("quick", context, one, f"q{n}"), question("lazy", context, other, f"l{n}")]
    return Dataset("en.json", "en", tuple(rows))


def squad(*asked, context=CONTEXT):
    return {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(asked)}]}]}


def asked(name, *answers, **more):
    found = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": name, "question": f"who is {name}?", "answers": found, **more}


def read(value, language="en"):
    problems = Problems()
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_squad(Source.of(raw, "q.json"), language, problems), problems


def test_questions_and_answers():
    value = squad(asked("a", ("fox", 4)), asked("b", ("lazy dog", 23), ("dog", 28), ("dog", 28)))
    for raw in (value, gzip.compress(json.dumps(value).encode())):
        found, problems = read(raw)
        assert not len(problems)
        assert [one.id for one in found.items] == ["a", "b"]
        assert found.items[1].label == Answers(("lazy dog", "dog"), (23, 28))
        assert found.items[1].other.text == CONTEXT
        assert found.items[1].sentence.words == ("who", "is", "b", "?")
        assert found.items[1].where == "q.json:2"
    assert read(value, None)[0].language == "en"


def test_offsets_count_code_points():
    found, problems = read(squad(asked("a", ("fox", 2)), context="🦊 fox"))
    assert not len(problems)
    assert found.items[0].label.starts == (2,)


def test_what_cannot_be_used_is_told():
    value = squad(
        asked("good", ("fox", 4)), asked("shifted", ("fox", 5)), asked("none"), asked("no", ("fox", 4), is_impossible=True),
        {"id": "silent", "answers": [{"text": "fox", "answer_start": 4}]}, asked("typed", ("fox", "4")),
        asked("half", ("dog", 0), ("dog", 28)), asked("broken", ("\ud800", 0)), "no object",
    )  # fmt: skip
    value["data"] += [{"paragraphs": [{"qas": []}, 5]}, {"title": "empty"}]
    found, problems = read(value)
    assert [one.id for one in found.items] == ["good", "half"]
    told = [(one.source, one.line, one.message) for one in problems]
    wanted = [
        (2, "'shifted': the answer 'fox' does not stand at 5"), (5, "'silent' has no text"), (6, "'typed'"),
        (7, "'half': the answer 'dog' does not stand at 0"), (8, "'broken'"), (9, "'9' has no text"),
        (9, "paragraph 1 of article 2"), (9, "paragraph 2 of article 2"), (9, "article 3"),
        (0, "2 question(s) without an answer"),
    ]  # fmt: skip
    assert len(told) == len(wanted)
    for (source, line, message), (number, part) in zip(told, wanted, strict=True):
        assert (source, line) == ("q.json", number)
        assert part in message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{", "is not JSON"), (b"\xff\xfe{", "is not JSON"), (b"", "is not JSON"), (b"[" * 100_000, "is not JSON"),
        (b"[]", "no list called 'data'"), (b'{"data": []}', "no question with an answer"),
    ],
)  # fmt: skip
def test_other_files_are_refused_in_one_line(raw, message):
    with pytest.raises(InputError, match=message) as error:
        read(raw)
    assert "\n" not in str(error.value)
    assert "q.json" in str(error.value)


def test_the_loss_is_the_mean_of_start_and_end(tiny):
    network = train(tiny, task="qa", data=questions(), max_steps=2, head_lr=0.05)
    network.trains(False)
    items = [*questions().items[:3], question("lazy", CONTEXT, "lazy dog")]
    batch = network.encode(items)
    states = network.view(batch).first.detach().numpy().astype(np.float64)
    linear = network.head.module[1]
    matrix, bias = linear.weight.detach().numpy().astype(np.float64), linear.bias.detach().numpy()
    terms, wide = [], 0
    for row, (item, one) in enumerate(zip(items, batch.first, strict=True)):
        first, past = one.second
        scores = states[row, first:past] @ matrix.T + bias
        begin = item.label.starts[0]
        end = begin + len(item.label.texts[0])
        covered = [n for n, (a, b) in enumerate(one.offsets) if any(a <= at < b for at in range(begin, end))]
        wide += covered[0] != covered[-1]
        for side, place in enumerate((covered[0], covered[-1])):
            terms.append(np.log(np.exp(scores[:, side]).sum()) - scores[place, side])
    assert wide
    assert float(network.loss(batch).detach()) == pytest.approx(np.mean(terms), abs=1e-4)


def test_answers_out_of_reach_are_no_part_of_the_loss(tiny):
    network = train(tiny, task="qa", data=questions(), max_steps=2)
    network.trains(False)
    known = questions().items[0]
    long = "the fox " + "jumps over the " * 40 + "dog"
    lost = question("lazy", long, "dog", "x")
    shifted = Item("y", known.sentence, Answers(("fox",), (5,)), known.other)
    batch = network.encode([known, lost, shifted])
    assert answer_tokens(known, batch.first[0]) is not None
    assert [answer_tokens(item, one) for item, one in zip(batch.items, batch.first, strict=True)][1:] == [None, None]
    alone = float(network.loss(network.encode([known])).detach())
    assert float(network.loss(batch).detach()) == pytest.approx(alone, abs=1e-4)
    assert float(network.loss(network.encode([lost])).detach()) == 0
    assert network.predict([lost])[0] in long
    second = Item("z", lost.sentence, Answers(("dog", "fox"), (long.find("dog"), 4)), lost.other)
    assert answer_tokens(second, network.encode([second]).first[0]) is not None


def sequence(count, start=2):
    """A sequence whose second text has words of one letter each, one a token."""
    offsets = np.array([(2 * n, 2 * n + 1) for n in range(count)]).reshape(-1, 2)
    empty = np.zeros(0, np.int64)
    return Encoded(np.zeros(start + count), empty, empty, np.zeros(0), 0, (1, 1), (start, start + count), offsets)


def test_the_best_stretch():
    text = " ".join("abcdef")
    scores = np.zeros((2, 8))
    scores[0, 5], scores[1, 3], scores[1, 6] = 4, 9, 1  # the best end stands before the best start
    scores[0, 0] = scores[1, 7] = 0
    assert best_span(scores, sequence(6), text) == "a b"
    scores[1, 3] = 2
    assert best_span(scores, sequence(6), text) == "d e"
    assert best_span(np.zeros((2, 2)), sequence(0), "") == ""
    far = np.zeros((2, 102))
    far[0, 10], far[1, 39], far[1, 40] = 5, 1, 3  # columns 10 to 39 are thirty tokens, 40 is one too many
    long = " ".join("x" * 100)
    assert best_span(far, sequence(100), long).count("x") == 30


def test_it_learns_its_training_data(tiny):
    settings = {"max_steps": 80, "epochs": 1000, "batch": 8, "lr": 5e-3, "head_lr": 2e-2, "head_dropout": 0.0}
    network, items = train(tiny, task="qa", data=questions(), dropout=False, **settings), questions().items
    said = network.predict(items)
    assert ANSWER_F1.parts[0][1](ANSWER_F1.stats(items, said), np.ones((1, len(items))))[0] >= 80
    assert [network.predict([item])[0] for item in items] == said
    assert all(one in item.other.text for item, one in zip(items, said, strict=True))


def test_what_gets_a_gradient(tiny):
    for mode in ("all", "probe"):
        network = train(tiny, task="qa", data=questions(), max_steps=1, mode=mode)
        for one in network.parameters.values():
            one.grad = None
        network.loss(network.encode(questions().items[:4])).backward()
        heads = [one for name, one in network.parameters.items() if name.startswith("head.")]
        assert len(heads) == 2
        assert bool(heads[0].grad.abs().sum() > 0)
        body = [one for one in network.trainee.network.parameters() if one.grad is not None]
        assert bool(body) == (mode == "all")


def test_the_same_seed_gives_the_same_weights(tiny):
    one, again, other = (weights(train(tiny, task="qa", data=questions(), seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(one[name], again[name]) and np.isfinite(one[name]).all() for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("The  Lazy-Dog!", "en", ["lazydog"]), ("«der Hund»", "de", ["hund"]), ("la casa", "es", ["casa"]),
        ("la casa", "ro", ["la", "casa"]), ("những con chó", "vi", ["con", "chó"]), ("الثعلب", "ar", ["ثعلب"]),
        ("中国 2008年。", "zh", ["中", "国", "2008", "年"]), ("東京タワー", "ja", list("東京タワー")),
        ("ไทย 5", "th", ["ไ", "ท", "ย", "5"]), ("中国", "en", ["中国"]), ("中国", "zh-Hant", ["中", "国"]), ("the", "en", []),
        ("then", "en", ["then"]), ("$5", "en", ["5"]),
    ],
)  # fmt: skip
def test_words_that_count(text, language, words):
    assert list(normalised(text, language)) == words


def test_exact_match_and_f1():
    assert overlap(("a", "a", "b"), ("a", "c")) == pytest.approx(2 * 1 / 5)
    assert overlap((), ()) == 1
    assert overlap((), ("a",)) == 0
    context = split("the lazy dog sleeps", "en")
    item = Item("1", split("who", "en"), Answers(("lazy dog", "dog"), (4, 9)), context)
    stats = ANSWER_F1.stats([item] * 3, ["The dog.", "lazy dog sleeps", ""])
    np.testing.assert_allclose(stats, [[1, 1, 1], [1, 0, 0.8], [1, 0, 0]])
    assert ANSWER_F1.score(stats) == pytest.approx(60)
    assert ANSWER_F1.parts[0][0] == "exact_match"
    assert ANSWER_F1.parts[0][1](stats, np.ones((1, 3))).tolist() == pytest.approx([100 / 3])


def test_xquad_is_read_whole_and_multi_way(shared_data):
    problems = Problems()
    found = read_labelled("set:xquad:all:test", find("tasks", "qa"), data_dir=shared_data, problems=problems)
    assert [one.language for one in found] == ["en", "ar", "de", "el", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"]
    assert {len(one) for one in found} == {1190}
    assert len({item.id for one in found for item in one.items}) == 1190
    assert not len(problems)
    for one in found:  # the right answers are right
        first = ANSWER_F1.stats(one.items, [item.label.texts[0] for item in one.items])
        assert ANSWER_F1.score(first) == 100
