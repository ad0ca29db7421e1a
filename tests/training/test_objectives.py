"""Whole objectives on a hand-made step against the sums of the papers, written out in numpy."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.alignment.cao import Cao
from analysis.alignment.contrastive import PROJECTED, Contrastive
from analysis.training.objective import RELATION_TEMPERATURE, Step
from tests.training.material import chosen
from tests.training.test_losses import cross_entropy, unit

pytestmark = pytest.mark.fast
DIM, LAYERS = 4, (2, 3)
ENCODER = SimpleNamespace(
    depth=3, dim=DIM, name="hand", check_layers=lambda wanted: tuple(sorted(set(wanted)))
)  # fmt: skip
RNG = np.random.default_rng(7)
# Two sentences. Source words: 0 1 2 | 3 4; the anchor's: 0 1 | 2 3 4 5. Source 1 and 3, target 1 and 4 are one type.
SOURCE, TARGET, FROZEN = ({layer: RNG.normal(size=(n, DIM)) for layer in LAYERS} for n in (5, 6, 6))
MEANS = [{layer: RNG.normal(size=(2, DIM)) for layer in LAYERS} for _ in range(3)]
PAIRS = np.array([[0, 0], [1, 1], [3, 4], [4, 2]])
SOURCE_KEYS, TARGET_KEYS = np.array([10, 11, 12, 11, 13]), np.array([20, 21, 22, 23, 21, 24])
SOURCE_ROWS, TARGET_ROWS = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 1])


def tensors(layers, **options):
    return {layer: torch.tensor(values, **options) for layer, values in layers.items()}


@pytest.fixture
def step():
    return Step(
        tensors(SOURCE, requires_grad=True), tensors(TARGET, requires_grad=True), torch.tensor(PAIRS),
        *(torch.tensor(one) for one in (SOURCE_KEYS, TARGET_KEYS, SOURCE_ROWS, TARGET_ROWS)),
        tensors(MEANS[0]), tensors(MEANS[1]), tensors(FROZEN), tensors(MEANS[2]), lambda: torch.tensor(3.0),
    )  # fmt: skip


def one_way(queries, candidates, pairs, keys, temperature, masked=True, inside=None):
    """Every linked word against all candidates; other occurrences of its translation left out."""
    logits = unit(queries[pairs[:, 0]]) @ unit(candidates).T / temperature
    allowed = np.ones(logits.shape, bool)
    for row, (_, j) in enumerate(pairs):
        for c in range(len(candidates)):
            twin = masked and c != j and keys[c] == keys[j]
            allowed[row, c] = not twin and (inside is None or inside[c] == inside[j])
    return cross_entropy(logits, pairs[:, 1], allowed)


def weak(layer, pairs=PAIRS, source=SOURCE, target=TARGET, keys=(SOURCE_KEYS, TARGET_KEYS), rows=None, **options):
    inside = rows or (None, None)
    there = one_way(source[layer], target[layer], pairs, keys[1], 0.05, inside=inside[1], **options)
    back = one_way(target[layer], source[layer], pairs[:, ::-1], keys[0], 0.05, inside=inside[0], **options)
    return (there + back) / 2


def total(terms):
    return float(sum(terms.values()).detach())


def gradients(step, terms):
    sum(terms.values()).backward()
    norm = lambda side: sum(0.0 if one.grad is None else float(one.grad.abs().sum()) for one in side.values())
    return norm(step.source), norm(step.target)


@pytest.mark.parametrize("reduction", ["mse", "sse"])
@pytest.mark.parametrize("target", ["frozen", "live"])
@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_cao(step, reduction, target, weight):
    objective = Cao(ENCODER, chosen("cao", layers="2,3", reduction=reduction, target=target, regularise=weight))
    assert objective.reads_frozen is (target == "frozen" or weight > 0)
    wanted = 0.0
    for layer in LAYERS:
        goal = FROZEN if target == "frozen" else TARGET
        links = sum(((SOURCE[layer][i] - goal[layer][j]) ** 2).sum() for i, j in PAIRS) / len(PAIRS)
        held = ((TARGET[layer] - FROZEN[layer]) ** 2).sum() / len(TARGET[layer])  # over all words, linked or not
        wanted += (links + weight * held) / (DIM if reduction == "mse" else 1) / len(LAYERS)
    terms = objective(step)
    assert total(terms) == pytest.approx(wanted)
    source, anchor = gradients(step, terms)
    assert source > 0
    assert (anchor > 0) is (target == "live" or weight > 0)


def test_cao_defaults_are_those_of_the_authors_script():
    settings = chosen("cao")
    assert (settings.target, settings.reduction, settings.regularise, settings.pool) == ("frozen", "mse", 1.0, "last")
    assert (settings.specials, settings.one_to_one, settings.dropout) == (True, True, True)
    assert (settings.schedule, settings.betas, settings.layers) == ("constant", (0.9, 0.98), "last")


@pytest.mark.parametrize("masked", [True, False])
def test_weak_contrast_with_all_words(step, masked):
    objective = Contrastive(ENCODER, chosen(layers="2,3", mask_duplicates=masked))
    assert not objective.reads_frozen
    assert total(objective(step)) == pytest.approx(sum(weak(layer, masked=masked) for layer in LAYERS) / 2)


def test_weak_contrast_with_linked_words(step):
    source, target = ({layer: side[layer][PAIRS[:, n]] for layer in LAYERS} for n, side in enumerate((SOURCE, TARGET)))
    keys, order = (SOURCE_KEYS[PAIRS[:, 0]], TARGET_KEYS[PAIRS[:, 1]]), np.stack([np.arange(4)] * 2, 1)
    objective = Contrastive(ENCODER, chosen(layers="3", candidates="linked"))
    assert total(objective(step)) == pytest.approx(weak(3, order, source, target, keys))
    assert total(objective(step)) != pytest.approx(weak(3))


@pytest.mark.parametrize("masked", [True, False])
def test_strong_contrast(step, masked):
    """Of both languages all linked words count but itself, its own type and other occurrences of its translation."""
    objective = Contrastive(ENCODER, chosen(layers="3", negatives="strong", mask_duplicates=masked))
    i, j = PAIRS.T
    both = np.concatenate([SOURCE[3][i], TARGET[3][j]])
    keys, positive = np.concatenate([SOURCE_KEYS[i], TARGET_KEYS[j]]), np.array([4, 5, 6, 7, 0, 1, 2, 3])
    allowed = ~np.eye(8, dtype=bool)
    for row, at in enumerate(positive):
        for c in range(8):
            if masked and c != at and keys[c] in (keys[row], keys[at]):
                allowed[row, c] = False
    # Link 1 and link 2 are the same word pair: each hides the other's two words.
    assert (~allowed).sum() == (8 + 4 * 2 if masked else 8)
    wanted = cross_entropy(unit(both) @ unit(both).T / 0.05, positive, allowed)
    assert total(objective(step)) == pytest.approx(wanted)


@pytest.mark.parametrize("masked", [True, False])
def test_contrast_within_the_sentence(step, masked):
    objective = Contrastive(ENCODER, chosen(layers="3", within=0.5, mask_duplicates=masked))
    inside = weak(3, rows=(SOURCE_ROWS, TARGET_ROWS), masked=masked)
    terms = objective(step)
    assert float(terms["within@3"]) == pytest.approx(0.5 * inside)
    assert float(terms["contrast@3"]) == pytest.approx(weak(3, masked=masked))


def test_contrast_behind_the_projector(step):
    torch.manual_seed(0)
    objective = Contrastive(ENCODER, chosen(layers="3", projector=True))
    first, second = (one.weight.detach().double().numpy() for one in (objective.module[0], objective.module[2]))
    assert (first.shape, second.shape) == ((DIM, DIM), (PROJECTED, DIM))
    objective.module.double()
    through = lambda x: np.maximum(x @ first.T, 0) @ second.T
    found = objective(step)
    assert total(found) == pytest.approx(weak(3, source={3: through(SOURCE[3])}, target={3: through(TARGET[3])}))
    gradients(step, found)
    assert all(float(one.grad.abs().sum()) > 0 for one in objective.module.parameters())


def test_anchors(step):
    weights = {"distil": 0.5, "anchor_words": 2, "anchor_relations": 3, "anchor_weights": 0.1}
    objective = Contrastive(ENCODER, chosen(layers="2,3", **weights))
    assert objective.reads_frozen
    terms = {name: float(term.detach()) for name, term in objective(step).items()}
    relative = lambda x, y: (((x - y) ** 2).sum(1) / (y**2).sum(1)).mean()
    assert terms["distil"] == pytest.approx(0.5 * sum(relative(MEANS[n][3], MEANS[2][3]) for n in (0, 1)))
    assert terms["anchor words"] == pytest.approx(2 * relative(TARGET[3], FROZEN[3]))
    kl = 0.0
    for row in range(6):
        others = [c for c in range(6) if c != row]
        logits = [unit(x)[others] @ unit(x)[row] / RELATION_TEMPERATURE for x in (TARGET[3], FROZEN[3])]
        now, before = (np.exp(x - x.max()) / np.exp(x - x.max()).sum() for x in logits)
        kl += (before * (np.log(before) - np.log(now))).sum() / 6
    assert terms["anchor relations"] == pytest.approx(3 * kl)
    assert terms["anchor weights"] == pytest.approx(0.3)
    for name in weights:
        assert Contrastive(ENCODER, chosen(**{name: 1})).reads_frozen is (name != "anchor_weights")


def test_a_batch_without_links_still_has_gradients(step):
    bare = Step(step.source, step.target, torch.empty(0, 2, dtype=torch.long), step.source_keys, step.target_keys,
                step.source_rows, step.target_rows, frozen=step.frozen)  # fmt: skip
    for objective in (
        Contrastive(ENCODER, chosen(layers="3", within=1)),
        Contrastive(ENCODER, chosen(layers="3", negatives="strong")),
        Cao(ENCODER, chosen("cao", layers="3", regularise=0)),
    ):
        terms = objective(bare)
        assert total(terms) == 0
        sum(terms.values()).backward()
