"""Texts swapped for their translations: which, how often, and what is refused."""

from collections import Counter

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.text.corpus import Bitext, Relation
from analysis.text.segment import split
from analysis.transfer.regime import Extras, Step, Work
from analysis.transfer.regimes.ppa_codeswitch import PpaCodeswitch, PpaCodeswitchSettings
from tests.transfer.material import ANIMALS, ANIMALS_ES, MONEY, MONEY_ES, classes, pairs, scores, train, weights

pytestmark = pytest.mark.fast


def bitext(left, right, languages=("en", "es"), name="set:x:en-es:train", relation=Relation.TRANSLATION):
    """Sentence pairs."""
    sides = [tuple(split(text, tag) for text in side) for side, tag in zip((left, right), languages, strict=True)]
    return Bitext(name, languages, *sides, relation=relation)


FULL = bitext(ANIMALS + MONEY, ANIMALS_ES + MONEY_ES)
GERMAN = bitext(("der schnelle Fuchs", "ein Konto"), ("the quick  fox jumps ", "a bank account"), ("de", "en"), "de-en")


def prepared(data=None, bitexts=(FULL,), said=None, task="topics", **settings):
    """A strategy that has looked up its translations."""
    strategy = PpaCodeswitch(PpaCodeswitchSettings(**settings))
    strategy.check(find("tasks", task), None)
    with Job.temporary(echo=(said if said is not None else []).append) as job:
        work = Work(None, find("tasks", task), data or classes(), Extras(bitexts), strategy.settings, 0, job)
        strategy.prepare(work)
    return strategy


def test_a_whole_text_is_swapped_with_its_share():
    strategy = prepared(share=0.3)
    rng = np.random.default_rng(0)
    item = classes().items[1]
    drawn = Counter(strategy.items([item], rng)[0].sentence.text for _ in range(3000))
    assert set(drawn) == {"a lazy dog jumps", "un perro perezoso salta"}
    assert drawn["un perro perezoso salta"] / 3000 == pytest.approx(0.3, abs=0.03)
    (new,) = prepared(share=1.0).items([item], rng)
    assert (new.id, new.label, new.sentence.language) == (item.id, item.label, "es")
    assert new.sentence.words == ("un", "perro", "perezoso", "salta")


def test_languages_are_drawn_uniformly_and_either_side_counts():
    said = []
    strategy = prepared(bitexts=(FULL, FULL, GERMAN), share=1.0, said=said)
    rng = np.random.default_rng(0)
    drawn = Counter(strategy.items(classes().items[:1], rng)[0].sentence.text for _ in range(2000))
    assert set(drawn) == {"der schnelle Fuchs", "el rápido zorro salta"}
    assert drawn["der schnelle Fuchs"] / 2000 == pytest.approx(0.5, abs=0.04)
    assert "12 of 12 items have a translation, in 2 languages: de 2, es 12" in said[0]


@pytest.mark.parametrize(("member", "expected"), [
    ("one", {("es", "en"): 0.5, ("en", "es"): 0.5}), ("first", {("es", "en"): 1.0}), ("second", {("en", "es"): 1.0}),
    ("both", {("es", "es"): 1.0}),
])  # fmt: skip
def test_which_text_of_a_pair(member, expected):
    strategy = prepared(pairs(), task="nli", share=1.0, member=member)
    rng = np.random.default_rng(0)
    drawn = Counter()
    for _ in range(1000):
        (new,) = strategy.items(pairs().items[:1], rng)
        drawn[new.sentence.language, new.other.language] += 1
        assert new.sentence.text in (ANIMALS[0], ANIMALS_ES[0])
        assert new.other.text in (ANIMALS[1], ANIMALS_ES[1])
    assert set(drawn) == set(expected)
    for languages, share in expected.items():
        assert drawn[languages] / 1000 == pytest.approx(share, abs=0.06)


def test_what_has_no_translation_stays():
    part = bitext(ANIMALS[:1], ANIMALS_ES[:1])
    rng = np.random.default_rng(0)
    said = []
    strategy = prepared(pairs(), (part,), said=said, task="nli", share=1.0)
    new = strategy.items(pairs().items, rng)
    first = [n for n, item in enumerate(pairs().items) if item.sentence.text == ANIMALS[0]]
    second = [n for n, item in enumerate(pairs().items) if item.other.text == ANIMALS[0]]
    assert [n for n, item in enumerate(new) if item.sentence.language == "es"] == first
    assert [n for n, item in enumerate(new) if item.other.language == "es"] == second
    assert f"{len(first) + len(second)} of 12 items have a translation, in 1 language: es" in said[0]
    with pytest.raises(InputError, match="no pair translates both texts"):
        prepared(pairs(), (part,), task="nli", member="both")


def test_the_loss_is_the_cross_entropy_of_the_swapped_items(tiny):
    network = train(tiny, max_steps=1)
    network.trains(False)
    strategy = prepared(share=1.0)
    items = strategy.items(classes().items[:5], np.random.default_rng(0))
    assert [one.sentence.text for one in items] == list(ANIMALS_ES[:5])
    batch = network.encode(items)
    terms = strategy.terms(Step(batch, 1, 1, np.random.default_rng(0), network))
    spanish = network.outputs(network.encode(classes("es").items[:5])).detach().numpy().astype(np.float64)
    gold = [network.head.labels.index(one.label) for one in items]
    by_hand = np.mean([np.log(np.exp(row).sum()) - row[at] for row, at in zip(spanish, gold, strict=True)])
    assert float(terms["task"].detach()) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize(("task", "data"), [("nli", pairs), ("sts", scores)])
def test_a_run_is_the_same_for_the_same_seed(tiny, task, data):
    extras = Extras((FULL, GERMAN))
    one, again, other = (weights(train(tiny, "ppa_codeswitch", task, data(), extras=extras, seed=s)) for s in (1, 1, 2))
    assert all(np.isfinite(value).all() for value in one.values())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)
    for part in ("layer.0.", "layer.2."):  # the second matrix of LoRA starts at zero
        assert all(np.abs(value).max() > 0 for name, value in one.items() if part in name and "lora_B" in name)


def test_without_a_share_it_is_plain(tiny):
    plain = weights(train(tiny))
    still = weights(train(tiny, "ppa_codeswitch", extras=Extras((FULL,)), share=0.0))
    moved = weights(train(tiny, "ppa_codeswitch", extras=Extras((FULL,)), share=1.0))
    assert all(np.array_equal(plain[name], still[name]) for name in plain)
    assert any(not np.array_equal(plain[name], moved[name]) for name in plain)


def test_refusals(tiny):
    with pytest.raises(InputError, match="no --data: no pair translates a text of a training item of en.tsv"):
        train(tiny, "ppa_codeswitch")
    strange = bitext(("something else",), ("otra cosa",))
    scored = bitext(ANIMALS, ANIMALS_ES, relation=Relation.SCORED)
    for other in (strange, scored, bitext(ANIMALS, ANIMALS, ("en", "en"))):
        with pytest.raises(InputError, match="such as set:sib200:en,de:train"):
            train(tiny, "ppa_codeswitch", extras=Extras((other,)))
    with pytest.raises(InputError, match="member='both' is for pairs"):
        train(tiny, "ppa_codeswitch", extras=Extras((FULL,)), member="both")
    kinds = {kind.value for kind in find("regimes", "ppa_codeswitch").kinds}
    assert kinds == {"class", "pair", "score"}
