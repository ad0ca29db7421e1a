"""Robust training: noise in the ball, the worst change by hand, synonyms by hand, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.text.dictionary import Dictionary
from analysis.text.segment import split
from analysis.transfer.encoding import Batch, Encoded
from analysis.transfer.item import Item
from analysis.transfer.regime import Extras, Step, Work
from analysis.transfer.regimes.robust import Robust, RobustSettings, in_ball, synonyms
from tests.transfer.material import classes, pairs, scores, tagged, train, weights

pytestmark = pytest.mark.fast

OWN = Dictionary(("en", "en"), (("dog", "hound"), ("quick", "fast"), ("quick", "swift")), "en-en.txt")
BOTH = Dictionary(("de", "en"), (("gross", "big"), ("gross", "large"), ("gross", "tall"), ("riesig", "large"),
                                 ("riesig", "huge"), ("Hund", "dog")), "de-en.txt")  # fmt: skip


class Toy:
    """A network whose loss is |A (e + change)|^2 / 2 summed over the tokens of the texts: it has a known gradient."""

    def __init__(self, embedded, matrix):
        import torch

        self.embedded = torch.tensor(embedded)
        self.matrix = torch.nn.Parameter(torch.tensor(matrix))

    def loss(self, batch, change=None):
        embedded = self.embedded if change is None else change(self.embedded, batch.first)
        return 0.5 * ((embedded @ self.matrix.T) ** 2).sum()


def sequence(length, content):
    nothing = np.zeros(0, np.int64)
    return Encoded(np.zeros(length, np.int64), nothing, nothing, np.zeros(0, np.float32), 0, content)


def toy(seed=0):
    """Two sequences of 4 and 3 tokens, the first and last of which are special, in 5 dimensions."""
    rng = np.random.default_rng(seed)
    network = Toy(rng.normal(size=(2, 4, 5)), rng.normal(size=(3, 5)))
    item = Item("1", split("a", "en"), "x")
    batch = Batch((item, item), (sequence(4, (1, 3)), sequence(3, (1, 2))))
    return network, Step(batch, 1, 1, np.random.default_rng(7), network)


def strategy(radius=0.5, **settings):
    made = Robust(RobustSettings(**settings))
    made.radius = radius
    return made


MASK = np.array([[0, 1, 1, 0], [0, 1, 0, 0]], float)[..., None]


@pytest.mark.parametrize(("steps", "rate"), [(1, 0.5), (3, 0.5), (4, 2.0)])
def test_the_worst_change_by_hand(steps, rate):
    network, step = toy()
    made = strategy(variant="adversarial", inner_steps=steps, inner_lr=rate, clean=0.25)
    terms = made.terms(step)
    base, matrix = network.embedded.numpy(), network.matrix.detach().numpy()
    change = np.zeros_like(base)
    for _ in range(steps):
        slope = (base + change) @ matrix.T @ matrix
        change = change + rate * 0.5 * slope / np.linalg.norm(slope, axis=-1, keepdims=True) * MASK
        change = change * np.minimum(1, 0.5 / np.maximum(np.linalg.norm(change, axis=-1, keepdims=True), 1e-30))
    by_hand = 0.5 * (((base + change) @ matrix.T) ** 2).sum()
    clean = 0.5 * ((base @ matrix.T) ** 2).sum()
    assert by_hand > clean
    assert float(terms["perturbed"].detach()) == pytest.approx(by_hand)
    assert float(terms["task"].detach()) == pytest.approx(0.25 * clean)
    terms["perturbed"].backward()
    disturbed = (base + change).reshape(-1, 5)
    expected = matrix @ disturbed.T @ disturbed  # the change is held still, so it adds nothing of its own
    np.testing.assert_allclose(network.matrix.grad.numpy(), expected, rtol=1e-8)


def test_looking_for_the_worst_change_leaves_no_gradient():
    network, step = toy()
    strategy(variant="adversarial").terms(step)
    assert network.matrix.grad is None


def test_noise_is_new_each_step_the_same_when_resumed_and_spares_special_tokens():
    import torch

    network, step = toy()
    made = strategy(variant="noise")

    def noise(step):
        found = made._noise(step)(network.embedded, step.batch.first) - network.embedded
        return found.numpy()

    one = noise(step)
    again = noise(replace(step, rng=np.random.default_rng(7)))
    other = noise(replace(step, rng=np.random.default_rng(8)))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    sizes = np.linalg.norm(one, axis=-1)
    np.testing.assert_array_equal(sizes > 0, MASK[..., 0] > 0)
    assert sizes.max() <= 0.5 + 1e-6
    terms = made.terms(replace(step, rng=np.random.default_rng(7)))
    by_hand = 0.5 * (((network.embedded.numpy() + one) @ network.matrix.detach().numpy().T) ** 2).sum()
    assert list(terms) == ["perturbed"]
    assert float(terms["perturbed"].detach()) == pytest.approx(by_hand)
    assert torch.is_grad_enabled()


def test_points_are_uniform_in_the_ball():
    """The share within a radius r of the ball is (r / radius)^dim, and no direction is preferred."""
    import torch

    points = in_ball((20000, 3), 2.0, torch.Generator().manual_seed(0)).numpy()
    sizes = np.linalg.norm(points, axis=1)
    assert sizes.max() <= 2
    for radius in (0.5, 1.0, 1.5):
        assert np.mean(sizes <= radius) == pytest.approx((radius / 2) ** 3, abs=0.012)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(points.T), np.eye(3) * 4 / 5, atol=0.03)


def prepared(network, **settings):
    """A strategy that has measured a network's embeddings."""
    made = Robust(RobustSettings(**settings))
    with Job.temporary() as job:
        made.prepare(Work(network, find("tasks", "nli"), pairs(), Extras(), made.settings, 0, job))
    return made


def test_epsilon_is_a_multiple_of_the_mean_norm(tiny):
    table = load_encoder(tiny).model.network.get_input_embeddings().weight.detach().numpy().astype(np.float64)
    norm = np.mean(np.sqrt((table**2).sum(axis=1)))
    network = train(tiny, max_steps=1)
    assert prepared(network, epsilon=0.3).radius == pytest.approx(0.3 * norm, rel=1e-5)
    assert prepared(network).radius == pytest.approx(norm, rel=1e-5)
    assert prepared(network, variant="adversarial").radius == pytest.approx(0.1 * norm, rel=1e-5)


@pytest.mark.parametrize("pair", ["joined", "apart"])
@pytest.mark.parametrize("variant", ["noise", "adversarial"])
def test_what_is_changed_in_a_network(tiny, pair, variant):
    network = train(tiny, task="nli", data=pairs(), max_steps=1, pair=pair)
    network.trains(False)
    made = prepared(network, variant=variant)
    batch = network.encode(pairs().items)
    step = Step(batch, 1, 1, np.random.default_rng(0), network)
    change = (made._noise if variant == "noise" else made._adversary)(step)
    before, after = network.looked_into(batch), network.looked_into(batch, change)
    special = set(network.trainee.base.tokenizer.all_special_ids) - {network.trainee.base.tokenizer.unk_token_id}
    assert len(after.embedded) == (2 if pair == "apart" else 1)
    sides = [side for side in (batch.first, batch.second) if side]
    for side, old, new in zip(sides, before.embedded, after.embedded, strict=True):
        sizes = (new - old).detach().norm(dim=-1).numpy()
        assert sizes.max() <= made.radius * (1 + 1e-5)
        for row, one in enumerate(side):
            inside = [int(token) not in special for token in one.ids] + [False] * (sizes.shape[1] - len(one.ids))
            np.testing.assert_array_equal(sizes[row] > 0, inside)
    if variant == "adversarial":
        assert float(network.loss(batch, change).detach()) > float(network.loss(batch).detach())


def test_which_weights_get_a_gradient(tiny):
    network = train(tiny, task="nli", data=pairs(), max_steps=1)
    for one in network.parameters.values():
        one.grad = None
    for variant in ("noise", "adversarial"):
        made = prepared(network, variant=variant)
        step = Step(network.encode(pairs().items), 1, 1, np.random.default_rng(0), network)
        made.backward(made.terms(step), step)
        assert all(one.grad is not None and float(one.grad.abs().sum()) > 0 for one in network.parameters.values())
        frozen = [one for one in network.trainee.network.parameters() if not one.requires_grad]
        assert frozen
        assert all(one.grad is None for one in frozen)


def test_listed_synonyms_hold_both_ways():
    assert synonyms([OWN], "en", 10) == {
        "dog": ("hound",), "hound": ("dog",), "quick": ("fast", "swift"), "fast": ("quick",), "swift": ("quick",),
    }  # fmt: skip


def test_synonyms_by_way_of_another_language():
    """p(large | big) = 1/3; from large: gross 1/2 x 1/3 each for big and tall, riesig 1/2 x 1/2 for huge."""
    found = synonyms([BOTH], "en", 10)
    assert found["big"] == ("large", "tall")
    assert found["large"] == ("huge", "big", "tall")
    assert found["huge"] == ("large",)
    assert "dog" not in found
    assert synonyms([BOTH], "en", 1)["large"] == ("huge",)
    again = Dictionary(("en", "fr"), (("large", "grand"), ("tall", "grand")), "en-fr.txt")
    assert synonyms([BOTH, again], "en", 10)["large"] == ("tall", "huge", "big")
    own = Dictionary(("en", "en"), (("Large", "ample"),), "en-en.txt")
    assert synonyms([BOTH, own], "en", 2)["large"] == ("ample", "huge")


def with_synonyms(data=None, said=None, task="topics", dictionaries=(OWN,)):
    made = Robust(RobustSettings(variant="synonyms"))
    with Job.temporary(echo=(said if said is not None else []).append) as job:
        extras = Extras(dictionaries=dictionaries)
        made.prepare(Work(None, find("tasks", task), data or classes(), extras, made.settings, 0, job))
    return made


def test_a_word_and_its_synonyms_are_equally_likely():
    said = []
    made = with_synonyms(classes().take([0, 1, 2]), said)
    rng = np.random.default_rng(0)
    item = Item("1", split("The Quick dog jumps", "en"), "animal")
    drawn = [made.items([item], rng)[0].sentence.words for _ in range(3000)]
    for place, word, share in ((1, "Quick", 1 / 3), (1, "fast", 1 / 3), (1, "swift", 1 / 3), (2, "dog", 1 / 2),
                               (2, "hound", 1 / 2), (0, "The", 1), (3, "jumps", 1)):  # fmt: skip
        assert np.mean([words[place] == word for words in drawn]) == pytest.approx(share, abs=0.03)
    # eleven words: quick with two synonyms, dog twice with one
    assert f"{100 * 3 / 11:.1f}% of 11 words have synonyms, 1.3 on average" in said[0]
    assert f"{100 * (2 / 3 + 2 / 2) / 11:.1f}% of all words will be replaced" in said[0]
    made = with_synonyms(tagged())
    for old, new in zip(tagged().items, made.items(tagged().items, rng), strict=True):
        assert (new.label, len(new.sentence.words)) == (old.label, len(old.label))


def test_the_loss_of_synonyms_is_the_cross_entropy_of_the_new_items(tiny):
    network = train(tiny, max_steps=1)
    network.trains(False)
    made = with_synonyms()
    items = made.items(classes().items[:5], np.random.default_rng(0))
    assert [one.sentence.text for one in items] != [one.sentence.text for one in classes().items[:5]]
    batch = network.encode(items)
    terms = made.terms(Step(batch, 1, 1, np.random.default_rng(0), network))
    logits = network.outputs(batch).detach().numpy().astype(np.float64)
    gold = [network.head.labels.index(one.label) for one in items]
    by_hand = np.mean([np.log(np.exp(row).sum()) - row[at] for row, at in zip(logits, gold, strict=True)])
    assert float(terms["task"].detach()) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize(("variant", "task", "data"), [
    ("noise", "sts", scores), ("adversarial", "topics", classes), ("synonyms", "nli", pairs),
])  # fmt: skip
def test_a_run_is_the_same_for_the_same_seed(tiny, variant, task, data):
    extras = Extras(dictionaries=(OWN,) if variant == "synonyms" else ())

    def run(seed, regime="robust"):
        own = {"variant": variant} if regime == "robust" else {}
        return weights(train(tiny, regime, task, data(), extras=extras, seed=seed, **own))

    one, again, other, plain = run(1), run(1), run(2), run(1, "plain")
    assert all(np.isfinite(value).all() for value in one.values())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)
    assert any(not np.array_equal(one[name], plain[name]) for name in one)
    for part in ("layer.0.", "layer.2."):  # the second matrix of LoRA starts at zero
        assert all(np.abs(value).max() > 0 for name, value in one.items() if part in name and "lora_B" in name)


def test_refusals(tiny):
    with pytest.raises(InputError, match="variant='synonyms' needs --dictionary"):
        train(tiny, "robust", variant="synonyms")
    with pytest.raises(InputError, match="variant='noise' does not use --dictionary"):
        train(tiny, "robust", extras=Extras(dictionaries=(OWN,)))
    with pytest.raises(InputError, match="clean=0.5 is not for variant=synonyms"):
        train(tiny, "robust", variant="synonyms", clean=0.5, extras=Extras(dictionaries=(OWN,)))
    french = Dictionary(("de", "fr"), (("Hund", "chien"),), "de-fr.txt")
    with pytest.raises(InputError, match="de-fr.txt is de-fr and lacks 'en'"):
        train(tiny, "robust", variant="synonyms", extras=Extras(dictionaries=(french,)))
    with pytest.raises(InputError, match=r"de-en.txt: no word of en.tsv has a synonym there"):
        train(tiny, "robust", variant="synonyms", extras=Extras(dictionaries=(BOTH,)))
