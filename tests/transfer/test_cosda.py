"""Code-switching by dictionaries: what is replaced, how often, and that labels keep their places."""

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.text.corpus import Sentence
from analysis.text.dictionary import Dictionary
from analysis.text.segment import split
from analysis.transfer.item import Answers, Item, Kind
from analysis.transfer.regime import Extras, Step, Work
from analysis.transfer.regimes.cosda import Cosda, CosdaSettings
from analysis.transfer.switching import switch_item, switch_words
from tests.transfer.material import classes, pairs, tagged, train, weights

pytestmark = pytest.mark.fast

ES = Dictionary(("en", "es"), (("dog", "perro"), ("fox", "zorro"), ("bank", "banco"), ("Bank", "orilla")), "en-es.txt")
DE = Dictionary(("de", "en"), (("Guten Tag", "dog"), ("Guten Tag", "the")), "de-en.txt")


def prepared(tiny, *, data=None, dictionaries=(ES, DE), said=None, task="topics", **settings):
    """A strategy that has read its dictionaries."""
    from analysis.registry import find

    strategy = Cosda(CosdaSettings(**settings))
    with Job.temporary(echo=(said if said is not None else []).append) as job:
        extras = Extras(dictionaries=tuple(dictionaries))
        strategy.prepare(Work(None, find("tasks", task), data or classes(), extras, strategy.settings, 0, job))
    return strategy


def one_item(text):
    return Item("1", split(text, "en"), "animal")


def test_the_text_is_rebuilt_around_the_words():
    spans = ((0, 3), (4, 7), (7, 8), (8, 11), (12, 15), (15, 16), (16, 20), (20, 21))
    tags = ("DET", "NOUN", "PUNCT", "DET", "NOUN", "PUNCT", "NOUN", "PUNCT")
    sentence = Sentence("The dog,the fox-trot!  ", "en", spans, tags=tags)
    new = switch_words(sentence, {"dog": "Guten Tag", "fox": "x"}.get)
    assert new.text == "The Guten Tag,the x-trot!  "
    assert new.words == ("The", "Guten Tag", ",", "the", "x", "-", "trot", "!")
    assert new.tags == sentence.tags
    assert switch_words(sentence, lambda word: None) == sentence


def test_a_new_word_does_not_run_into_its_neighbours():
    new = switch_words(Sentence("我喜欢狗。", "zh", ((0, 1), (1, 3), (3, 4), (4, 5))), {"喜欢": "like"}.get)
    assert new.text == "我 like 狗。"
    assert new.words == ("我", "like", "狗", "。")


def test_words_that_share_characters_stay():
    sentence = Sentence("zum Hund", "de", ((0, 3), (0, 3), (4, 8)))
    new = switch_words(sentence, lambda word: "dog" if word == "Hund" else "XXXX")
    assert new.text == "zum dog"
    assert new.spans == ((0, 3), (0, 3), (4, 7))


def test_of_a_question_only_the_question_changes():
    item = Item("1", split("the dog", "en"), Answers(("dog",), (2,)), split("a dog", "en"))
    new = switch_item(item, {"dog": "perro"}.get, Kind.SPAN)
    assert (new.sentence.text, new.other.text) == ("the perro", "a dog")
    assert switch_item(item, {"dog": "perro"}.get, Kind.PAIR).other.text == "a perro"


def test_every_word_of_the_drawn_language_is_replaced(tiny):
    strategy = prepared(tiny, cross=1.0, languages="es")
    (new,) = strategy.items([one_item("The DOG sees a fox.")], np.random.default_rng(0))
    assert new.sentence.text == "The perro sees a zorro."
    assert new.label == "animal"


def test_the_shares_are_those_of_the_sampling(tiny):
    """Two languages: dog is in both dictionaries, fox in one, the in the other, a in none; no second draw."""
    strategy = prepared(tiny, cross=0.6, ratio=0.5)
    rng = np.random.default_rng(1)
    drawn = [strategy.items([one_item("a dog the fox")], rng)[0].sentence.words for _ in range(4000)]
    assert all(words[0] == "a" for words in drawn)
    for place, word in ((1, "perro"), (1, "Guten Tag"), (2, "Guten Tag"), (3, "zorro")):
        found = np.mean([words[place] == word for words in drawn])
        assert found == pytest.approx(0.5 * 0.6 * 0.5, abs=0.02)
    untouched = np.mean([words == ("a", "dog", "the", "fox") for words in drawn])
    by_hand = 0.5 + 0.5 * (1 - 0.6) * (1 - 0.3) ** 2
    assert untouched == pytest.approx(by_hand, abs=0.03)


def test_translations_are_drawn_uniformly_and_spelled_as_listed(tiny):
    strategy = prepared(tiny, cross=1.0, languages="es")
    rng = np.random.default_rng(2)
    drawn = [strategy.items([one_item("bank")], rng)[0].sentence.text for _ in range(2000)]
    assert np.mean([text == "orilla" for text in drawn]) == pytest.approx(0.5, abs=0.04)
    assert set(drawn) == {"orilla", "banco"}


def test_the_expected_rate_is_told(tiny):
    """Of 11 words 3 are in the Spanish dictionary (fox, dog, dog) and 4 in the German one (the, dog, the, dog)."""
    said = []
    data = classes().take([0, 1, 2])  # the quick fox jumps / a lazy dog jumps / the brown dog: 11 words
    prepared(tiny, data=data, cross=0.5, ratio=0.8, said=said)
    es, de = 3 / 11, 4 / 11
    assert f"{100 * 0.8 * 0.5 * (es + de) / 2:.1f}% of all words will be replaced" in said[0]
    assert "es 27%, de 36%" in said[0]


def test_the_real_rate_is_the_told_one(tiny):
    strategy = prepared(tiny, cross=0.9)
    rng = np.random.default_rng(3)
    items = classes().items
    words = sum(len(item.sentence.words) for item in items)
    changed = [
        sum(a != b for old, new in zip(items, strategy.items(items, rng), strict=True)
            for a, b in zip(old.sentence.words, new.sentence.words, strict=True)) / words
        for _ in range(200)
    ]  # fmt: skip
    every = [word.casefold() for item in items for word in item.sentence.words]
    by_hand = 0.9 * np.mean([np.mean([w in part for w in every]) for part in ({"dog", "fox", "bank"}, {"dog", "the"})])
    assert np.mean(changed) == pytest.approx(by_hand, rel=0.05)


def test_labels_of_words_keep_their_places(tiny):
    data = tagged()
    strategy = prepared(tiny, data=data, task="topics", cross=1.0)
    covered = {word for one in (ES, DE.flipped()) for word in one.translations()}
    for old, new in zip(data.items, strategy.items(data.items, np.random.default_rng(0)), strict=True):
        assert len(new.sentence.words) == len(new.label) == len(old.label)
        assert new.label == old.label
        kept = [a == b for a, b in zip(old.sentence.words, new.sentence.words, strict=True)]
        known = [word.casefold() in covered for word in old.sentence.words]
        assert all(same for same, has in zip(kept, known, strict=True) if not has), "a word moved"


def test_the_loss_is_the_cross_entropy_of_the_new_items(tiny):
    network = train(tiny, max_steps=1)
    network.trains(False)
    strategy = prepared(tiny, cross=1.0)
    items = strategy.items(classes().items[:4], np.random.default_rng(5))
    assert [one.sentence.text for one in items] != [one.sentence.text for one in classes().items[:4]]
    batch = network.encode(items)
    term = strategy.terms(Step(batch, 1, 1, np.random.default_rng(0), network))
    logits = network.outputs(batch).detach().numpy().astype(np.float64)
    gold = [network.head.labels.index(one.label) for one in items]
    by_hand = np.mean([np.log(np.exp(row).sum()) - row[at] for row, at in zip(logits, gold, strict=True)])
    assert list(term) == ["task"]
    assert float(term["task"].detach()) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize(("task", "data"), [("topics", classes), ("nli", pairs)])
def test_a_run_is_the_same_for_the_same_seed(tiny, task, data):
    extras = Extras(dictionaries=(ES, DE))
    one, again, other = (
        weights(train(tiny, "cosda", task, data(), extras=extras, seed=seed)) for seed in (1, 1, 2)
    )  # fmt: skip
    assert all(np.isfinite(value).all() for value in one.values())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)
    for part in ("layer.0.", "layer.2."):  # the second matrix of LoRA starts at zero
        assert all(np.abs(value).max() > 0 for name, value in one.items() if part in name and "lora_B" in name)


def test_it_learns_other_things_than_plain(tiny):
    switched = weights(train(tiny, "cosda", extras=Extras(dictionaries=(ES, DE))))
    plain = weights(train(tiny, "plain"))
    assert any(not np.array_equal(plain[name], switched[name]) for name in plain)
    unswitched = weights(train(tiny, "cosda", extras=Extras(dictionaries=(ES, DE)), ratio=0.0))
    assert all(np.array_equal(plain[name], unswitched[name]) for name in plain)


def test_refusals(tiny):
    with pytest.raises(InputError, match="needs --dictionary"):
        train(tiny, "cosda")
    french = Dictionary(("de", "fr"), (("Hund", "chien"),), "de-fr.txt")
    with pytest.raises(InputError, match="de-fr.txt is de-fr and lacks 'en'"):
        train(tiny, "cosda", extras=Extras(dictionaries=(ES, french)))
    strange = Dictionary(("en", "fr"), (("whale", "baleine"),), "en-fr.txt")
    with pytest.raises(InputError, match="en-fr.txt has none of the .* different words"):
        train(tiny, "cosda", extras=Extras(dictionaries=(ES, strange)))
    own = Dictionary(("en", "en"), (("dog", "hound"),), "en-en.txt")
    with pytest.raises(InputError, match="no other language than 'en'"):
        train(tiny, "cosda", extras=Extras(dictionaries=(own,)))
    with pytest.raises(InputError, match="unknown language of the dictionaries 'fi'"):
        train(tiny, "cosda", extras=Extras(dictionaries=(ES,)), languages="es,fi")
