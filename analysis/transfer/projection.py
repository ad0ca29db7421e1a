"""Gradients that must not point against others: dot products, and the quadratic programme of GEM."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def gradients(
    loss: "torch.Tensor", parameters: "Iterable[torch.nn.Parameter]", *, keep: bool = False
) -> "list[torch.Tensor]":
    """The gradient of a loss, zeros where a parameter has no part in it; `.grad` is not touched.

    Args:
        loss: one number.
        parameters: what the gradient is taken of.
        keep: whether the loss is needed once more.
    """
    import torch

    wanted = list(parameters)
    found = torch.autograd.grad(loss, wanted, retain_graph=keep, allow_unused=True)
    return [torch.zeros_like(one) if part is None else part for one, part in zip(wanted, found, strict=True)]


def dot(a: "Sequence[torch.Tensor]", b: "Sequence[torch.Tensor]") -> float:
    """Dot product of two gradients, each a tensor a parameter: products in float32, summed in float64."""
    import torch

    parts = [(x.float() * y.float()).sum(dtype=torch.float64) for x, y in zip(a, b, strict=True)]
    return float(torch.stack(parts).sum()) if parts else 0.0


def cosine(a: "Sequence[torch.Tensor]", b: "Sequence[torch.Tensor]") -> float | None:
    """Cosine of two gradients, None where one is zero or not finite."""
    size = np.sqrt(dot(a, a) * dot(b, b))
    return float(dot(a, b) / size) if 0 < size < np.inf else None


def dual(gram: np.ndarray, product: np.ndarray) -> np.ndarray:
    """The v >= 0 that minimises v'Qv / 2 + c'v, exactly, by trying every set of entries that may be above 0.

    In plain words: a memory's gradient is added where the step would go against it, as much as is needed and no more.
    With one memory it is max(0, -c / Q). Some best v has support on independent gradients, so that the smallest value
    over all sets is the minimum also where gradients are parallel.

    Args:
        gram: (memories, memories) Q = G G', dot products of the memories' gradients.
        product: (memories,) c = G g, those with the task's gradient.

    Returns:
        (memories,); NaN where a number is not finite.
    """
    count = len(product)
    if not (np.isfinite(gram).all() and np.isfinite(product).all()):
        return np.full(count, np.nan)
    # In units of each memory's length, so that none is lost beside a far longer one; a zero one asks for nothing.
    size = np.sqrt(np.maximum(np.diag(gram), 0))
    usable = np.flatnonzero(size > 0)
    unit = np.where(size > 0, size, 1.0)
    q, c = gram / np.outer(unit, unit), product / unit
    best, lowest = np.zeros(count), 0.0
    for number in range(1, len(usable) + 1):
        for chosen in combinations(usable.tolist(), number):
            rows = list(chosen)
            part = np.linalg.lstsq(q[np.ix_(rows, rows)], -c[rows], rcond=None)[0]
            if (part < 0).any():
                continue
            tried = np.zeros(count)
            tried[rows] = part
            value = float(tried @ q @ tried / 2 + c @ tried)
            if value < lowest:
                best, lowest = tried, value
    return best / unit


def project(
    task: "Sequence[torch.Tensor]", memories: "Sequence[Sequence[torch.Tensor]]"
) -> "tuple[list[torch.Tensor], np.ndarray]":
    """The gradient nearest to the task's that does not go against any memory's.

        g~ = argmin |g~ - g|^2 / 2  subject to  g~'g_k >= 0 for all k;   g~ = g + sum over k of v_k g_k

    Args:
        task: a tensor a parameter.
        memories: likewise for each memory.

    Returns:
        The gradient, and the (memories,) factors v, all 0 where the task's own will do.

    Source: Lopez-Paz and Ranzato 2017, Gradient episodic memory for continual learning, section 3, without their
    margin.
    """
    gram = np.array([[dot(a, b) for b in memories] for a in memories])
    factors = dual(gram, np.array([dot(one, task) for one in memories]))
    if not factors.any():
        return list(task), factors
    found = []
    for at, own in enumerate(task):
        parts = (float(v) * memory[at].float() for v, memory in zip(factors, memories, strict=True) if v != 0)
        found.append(sum(parts, own.float()).to(own.dtype))
    return found, factors
