"""Sentence pairs compared subword by subword, against sums written out one cell after the other."""

import math

import numpy as np
import pytest
import torch

from analysis.training import subwords
from analysis.training.examples import Side

pytestmark = pytest.mark.fast
RNG = np.random.default_rng(3)
# Columns that count, of 5 and 6: the first pair has padding, the second fills its columns, the third has no text.
SPANS = [((1, 3), (1, 4)), ((1, 4), (1, 5)), ((1, 1), (1, 3))]
STATES = RNG.normal(size=(3, 5, 4)), RNG.normal(size=(3, 6, 4))


def side(span, words=()):
    """A sentence whose words are lists of columns."""
    flat = [(column, word) for word, columns in enumerate(words) for column in columns]
    column, word = (np.array([one[n] for one in flat], np.int64) for n in (0, 1))
    return Side(np.arange(span[1] + 1), column, word, np.ones(len(flat), np.float32), len(words),
                np.arange(len(words)), span)  # fmt: skip


def masks():
    return [subwords.content_mask([side(pair[n]) for pair in SPANS], 5 + n) for n in (0, 1)]


def by_hand(kind, temperature):
    """Both softmaxes cell by cell."""
    found = np.zeros((2, 3, 5, 6))
    for pair, ((a, b), (c, d)) in enumerate(SPANS):
        power = {}
        for i in range(a, b):
            for j in range(c, d):
                x, y = STATES[0][pair, i], STATES[1][pair, j]
                scale = math.sqrt(x @ x) * math.sqrt(y @ y) if kind == "cosine" else 1
                power[i, j] = math.exp(x @ y / scale / temperature)
        for (i, j), one in power.items():
            found[0, pair, i, j] = one / sum(value for (k, _), value in power.items() if k == i)
            found[1, pair, i, j] = one / sum(value for (_, k), value in power.items() if k == j)
    return found


def tensors(requires_grad=False):
    """The states, with nonsense in what stands outside the text of the first pair."""
    states = [torch.tensor(one) for one in STATES]
    states[0][0, 3:], states[1][0, 5:] = math.nan, math.inf
    return [one.requires_grad_(requires_grad) for one in states]


@pytest.mark.parametrize(("kind", "temperature"), [("cosine", 0.2), ("dot", 1.0)])
def test_softmaxes_and_losses(kind, temperature):
    wanted = by_hand(kind, temperature)
    found = subwords.two_softmaxes(*tensors(), *masks(), temperature=temperature, cosine=kind == "cosine")
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other, atol=1e-12)
    links = subwords.mutual(*found, 0.3)
    np.testing.assert_array_equal(links.numpy(), (wanted[0] > 0.3) & (wanted[1] > 0.3))
    assert 0 < links.sum() < links.numel()
    loss, agreement = 0.0, 0.0
    for pair, ((a, b), (c, d)) in enumerate(SPANS):
        here = links[pair].numpy()
        loss -= (wanted[0, pair] * here).sum() / max(1, b - a) / 3
        loss -= (wanted[1, pair] * here).sum() / max(1, d - c) / 3
        agreement -= np.trace(wanted[0, pair] @ wanted[1, pair].T) / max(1, min(b - a, d - c)) / 3
    assert float(subwords.self_training(*found, links, *masks())) == pytest.approx(loss)
    assert float(subwords.consistency(*found, *masks())) == pytest.approx(agreement)


def test_each_link_asks_for_its_share_by_hand():
    """Row 0 has two links, row 1 one, row 2 none; of the columns, 0 and 1 have one each from row 0, 1 another from 1."""
    forward = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]])
    backward = torch.tensor([[[0.5, 0.2, 0.3], [0.25, 0.5, 0.3], [0.25, 0.3, 0.4]]])
    links = torch.tensor([[[1.0, 1, 0], [0, 1, 0], [0, 0, 0]]])
    rows = -((np.log(0.5) + np.log(0.25)) / 2 + np.log(0.8)) / 2
    columns = -(np.log(0.5) + (np.log(0.2) + np.log(0.5)) / 2) / 2
    assert float(subwords.shared_links(forward, backward, links)) == pytest.approx((rows + columns) / 2)
    assert float(subwords.shared_links(forward, backward, links * 0)) == 0


def test_gradients_raise_the_links_and_stay_out_of_padding():
    states = tensors(requires_grad=True)
    found = subwords.two_softmaxes(*states, *masks(), temperature=0.5)
    links = torch.zeros_like(found[0])
    links[0, 1, 2] = links[1, 2, 3] = 1
    loss = subwords.self_training(*found, links, *masks())
    loss.backward()
    for one, mask in zip(states, masks(), strict=True):
        assert one.grad.isfinite().all()
        assert not one.grad[~mask].any()
        assert [bool(part.any()) for part in one.grad] == [True, True, False]
    moved = [one.detach() - 0.1 * one.grad for one in states]
    after = subwords.two_softmaxes(*moved, *masks(), temperature=0.5)
    assert after[0][0, 1, 2] > found[0][0, 1, 2]
    assert after[1][1, 2, 3] > found[1][1, 2, 3]


def test_the_teacher_gives_no_gradient():
    states = tensors(requires_grad=True)
    found = subwords.two_softmaxes(*states, *masks(), temperature=0.5)
    assert not subwords.mutual(*found, 0.1).requires_grad


def test_nothing_linked_is_a_loss_of_nothing():
    states = tensors(requires_grad=True)
    found = subwords.two_softmaxes(*states, *masks(), temperature=0.5)
    loss = subwords.self_training(*found, torch.zeros_like(found[0]), *masks())
    loss.backward()
    assert float(loss.detach()) == 0
    assert not states[0].grad.any()


def test_word_links_over_subwords():
    """Column 3 of the first source belongs to two words; a word without subwords has a link that goes nowhere."""
    source = [side((1, 5), [[1, 2], [3], [3, 4]]), side((1, 2), [[1]])]
    target = [side((1, 4), [[1], [2, 3], []]), side((1, 3), [[2]])]
    links = [np.array([[0, 1], [1, 0], [2, 2]]), np.empty((0, 2), np.int64)]
    found = subwords.linked_subwords(links, source, target, (6, 5)).numpy()
    wanted = np.zeros((2, 6, 5))
    for i, j in [(1, 2), (1, 3), (2, 2), (2, 3), (3, 1)]:
        wanted[0, i, j] = 1
    np.testing.assert_array_equal(found, wanted)
