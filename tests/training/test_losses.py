"""The losses against the same sums written out in numpy."""

import numpy as np
import pytest
import torch

from analysis.training import losses

pytestmark = pytest.mark.fast
A = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
B = np.array([[0.0, 2.0], [2.0, 1.0], [3.0, 1.0]])


def tensor(values, **options):
    return torch.tensor(np.asarray(values), dtype=torch.float64, **options)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def cross_entropy(logits, positive, allowed):
    """Mean over rows of -log softmax at `positive`, over the allowed columns, one row after the other."""
    total = 0.0
    for row, at in enumerate(positive):
        kept = [np.exp(logits[row, c]) for c in range(logits.shape[1]) if allowed[row, c]]
        total -= np.log(np.exp(logits[row, at]) / sum(kept))
    return total / len(positive)


def test_squared_distances():
    # differences: (1, 0), (-2, -2), (0, -.5); squares 1, 8, .25
    assert float(losses.mse(tensor(A), tensor(B))) == pytest.approx(9.25 / 6)
    assert float(losses.sse(tensor(A), tensor(B))) == pytest.approx(9.25 / 3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 7, 5))
    assert float(losses.sse(tensor(x), tensor(y))) == pytest.approx(5 * float(losses.mse(tensor(x), tensor(y))))


def test_relative_error_is_in_units_of_the_target():
    # 1/4, 8/5, .25/10
    assert float(losses.relative_error(tensor(A), tensor(B))) == pytest.approx((1 / 4 + 8 / 5 + 0.025) / 3)
    assert float(losses.relative_error(tensor(7 * A), tensor(7 * B))) == pytest.approx(
        float(losses.relative_error(tensor(A), tensor(B)))
    )
    assert torch.isfinite(losses.relative_error(tensor(A), tensor(0 * B)))


def test_info_nce_by_hand():
    # cosines of (1, 0) with (1, 0), (0, 1), (-1, 0) are 1, 0, -1
    queries, candidates = tensor([[2.0, 0.0]]), tensor([[5.0, 0.0], [0.0, 1.0], [-3.0, 0.0]])
    found = losses.info_nce(queries, candidates, torch.tensor([0]), 0.5)
    assert float(found) == pytest.approx(-2 + np.log(np.exp(2) + 1 + np.exp(-2)))
    found = losses.info_nce(queries, candidates, torch.tensor([1]), 1.0)
    assert float(found) == pytest.approx(np.log(np.e + 1 + 1 / np.e))


def test_info_nce_leaves_out_what_is_ignored_but_never_the_own_candidate():
    rng = np.random.default_rng(1)
    queries, candidates, positive = rng.normal(size=(4, 3)), rng.normal(size=(6, 3)), np.array([5, 0, 2, 0])
    ignored = rng.random((4, 6)) < 0.5
    ignored[0, 5] = ignored[1, 0] = True
    logits = unit(queries) @ unit(candidates).T / 0.3
    allowed = ~ignored
    allowed[np.arange(4), positive] = True
    found = losses.info_nce(tensor(queries), tensor(candidates), torch.tensor(positive), 0.3, torch.tensor(ignored))
    assert float(found) == pytest.approx(cross_entropy(logits, positive, allowed))
    open_ = losses.info_nce(tensor(queries), tensor(candidates), torch.tensor(positive), 0.3)
    assert float(open_) == pytest.approx(cross_entropy(logits, positive, np.ones((4, 6), bool)))
    assert float(open_) > float(found)
    alone = losses.info_nce(
        tensor(queries), tensor(candidates), torch.tensor(positive), 0.3, torch.ones(4, 6, dtype=torch.bool)
    )
    assert float(alone) == pytest.approx(0.0, abs=1e-12)


def test_two_way_has_negatives_of_both_languages_and_not_itself():
    n, rng = 3, np.random.default_rng(2)
    source, target = rng.normal(size=(2, n, 4))
    both = np.concatenate([source, target])
    logits = unit(both) @ unit(both).T / 0.2
    allowed = ~np.eye(2 * n, dtype=bool)
    positive = np.array([3, 4, 5, 0, 1, 2])
    found = losses.two_way(tensor(source), tensor(target), 0.2)
    assert float(found) == pytest.approx(cross_entropy(logits, positive, allowed))
    assert allowed.sum(1).tolist() == [5] * 6  # the translation, two of its own language, two of the other
    same = np.zeros((6, 6), bool)
    same[0, 1] = same[1, 0] = same[0, 3] = True
    allowed[0, 1] = allowed[1, 0] = False  # 3 is the translation of 0 and stays
    found = losses.two_way(tensor(source), tensor(target), 0.2, torch.tensor(same))
    assert float(found) == pytest.approx(cross_entropy(logits, positive, allowed))


def test_relation_is_the_divergence_of_neighbour_distributions():
    rng = np.random.default_rng(3)
    live, frozen = rng.normal(size=(2, 4, 3))
    total = 0.0
    for row in range(4):
        others = [c for c in range(4) if c != row]
        now, before = (np.exp(unit(x)[row] @ unit(x)[others].T / 0.5) for x in (live, frozen))
        now, before = now / now.sum(), before / before.sum()
        total += float((before * np.log(before / now)).sum())
    assert float(losses.relation(tensor(live), tensor(frozen), 0.5)) == pytest.approx(total / 4)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert float(losses.relation(tensor(2 * frozen @ turn), tensor(frozen), 0.5)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("loss", [
    losses.mse, losses.sse, losses.relative_error,
    lambda a, b: losses.info_nce(a, b, torch.empty(0, dtype=torch.long), 0.1),
    lambda a, b: losses.two_way(a, b, 0.1), lambda a, b: losses.relation(a, b, 0.1),
])  # fmt: skip
def test_without_rows_a_loss_is_zero_with_a_gradient_of_zero(loss):
    a, b = (torch.zeros(0, 3, requires_grad=True) for _ in range(2))
    found = loss(a, b)
    found.backward()
    assert float(found.detach()) == 0.0
    assert torch.isfinite(a.grad).all()


def test_one_linked_word_has_no_contrast_and_finite_gradients():
    a, b = (torch.ones(1, 3, requires_grad=True) for _ in range(2))
    (losses.two_way(a, b, 0.1) + losses.relation(a, b, 0.1)).backward()
    assert torch.isfinite(a.grad).all()
    zero = torch.zeros(2, 3, requires_grad=True)
    losses.info_nce(zero, torch.ones(2, 3), torch.tensor([0, 1]), 0.1).backward()
    assert torch.isfinite(zero.grad).all()
