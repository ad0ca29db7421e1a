"""Several senses for each subword: their vectors, which are scored, and their centres, which say who is meant."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

RANDOM_START = 0.02  # standard deviation of random vectors, as BERT's


class Senses:
    """S vectors and S centres for each of V subwords, and the projection in which centres are compared.

    Class `S * y + k` is sense k of subword y.

    Args:
        table: (V, dim) what every sense of a subword starts as; its shape alone counts for a random start.
        bias: (V,) the start of the scores' bias.
        senses: S.
        dims: dimensions of the projection.
        size: states that are kept for the projection.
        rho: how far a centre moves to the mean of its occurrences.
        random: whether the vectors start at random.

    Attributes:
        module: `weight` (V * S, dim) and `bias` (V * S), which train; `centres` (V * S, dim), `basis` (dim, dims),
            `mean` (dim), `states` (size, dim) and `seen` (), which are buffers.
    """

    def __init__(
        self, table: "torch.Tensor", bias: "torch.Tensor", *, senses: int, dims: int, size: int, rho: float,
        random: bool = False,
    ) -> None:  # fmt: skip
        import torch
        from torch import nn

        pieces, dim = table.shape
        self.senses, self.rho = senses, rho
        self.module: Any = nn.Module()
        start = table.detach().float().repeat_interleave(senses, 0)
        if random:
            start = RANDOM_START * torch.randn(start.shape)
        self.module.weight = nn.Parameter(start)
        self.module.bias = nn.Parameter(bias.detach().float().repeat_interleave(senses, 0))
        for name, shape in (
            ("centres", (pieces * senses, dim)), ("basis", (dim, min(dims, dim))), ("mean", (dim,)),
            ("states", (size, dim)),
        ):  # fmt: skip
            self.module.register_buffer(name, torch.zeros(shape))
        self.module.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def scores(self, hidden: "torch.Tensor", *, plain: bool = False) -> "torch.Tensor":
        """(n, V * S) scores of all senses for (n, dim) hidden states, or (n, V) of every first sense (`plain`)."""
        self.module.to(hidden.device)
        weight, bias = self.module.weight, self.module.bias
        if plain:
            weight = weight.unflatten(0, (-1, self.senses))[:, 0]
            bias = bias.unflatten(0, (-1, self.senses))[:, 0]
        return hidden @ weight.T + bias

    def cosines(self, states: "torch.Tensor", own: np.ndarray) -> "torch.Tensor":
        """How near a state is to each centre of a subword, in the projection.

        Args:
            states: (n, dim) hidden states; no gradients.
            own: (n,) the subword of each.

        Returns:
            (n, S) cosines.
        """
        import torch

        centres = self.module.centres.unflatten(0, (-1, self.senses))
        centres = centres.index_select(0, torch.from_numpy(own).to(states.device))
        seen = self._projected(states)[:, None]
        return torch.nn.functional.cosine_similarity(seen, self._projected(centres), dim=2)

    def meant(self, states: "torch.Tensor", own: np.ndarray) -> np.ndarray:
        """(n,) the class of the sense whose centre is nearest, of the subword itself; arguments as `cosines`."""
        if not len(own):
            return np.empty(0, np.int64)
        best = self.cosines(states, own).argmax(1).cpu().numpy()
        return np.asarray(own) * self.senses + best

    def translation(self, states: "torch.Tensor", candidates: list[np.ndarray]) -> np.ndarray:
        """Of all senses of all translations the one whose centre is nearest.

        Args:
            states: (n, dim) hidden states; no gradients.
            candidates: for each state the subwords that translate it, maybe none.

        Returns:
            (n,) classes, -1 without a translation.
        """
        import torch

        found = np.full(len(candidates), -1, np.int64)
        sizes = np.array([len(one) for one in candidates], np.int64)
        if not sizes.sum():
            return found
        owner = np.repeat(np.arange(len(candidates)), sizes)
        flat = np.concatenate(candidates).astype(np.int64)
        near = self.cosines(states.index_select(0, torch.from_numpy(owner).to(states.device)), flat).cpu().numpy()
        start = 0
        for row, size in enumerate(sizes):
            if size:
                which, sense = divmod(int(near[start : start + size].argmax()), self.senses)
                found[row] = flat[start + which] * self.senses + sense
            start += size
        return found

    def move(self, states: "torch.Tensor", classes: np.ndarray) -> None:
        """Draw the centres of the senses that occurred towards the mean of their occurrences; the others stay.

        Args:
            states: (n, dim) hidden states.
            classes: (n,) the sense of each.

        Source: Liu et al. 2022, the released code: c <- (1 - rho) c + rho mean(h), here with the mean of all
        occurrences in the batch and without shrinking the centres of the others.
        """
        import torch

        if not len(classes):
            return
        there, which, times = np.unique(classes, return_inverse=True, return_counts=True)
        device, centres = states.device, self.module.centres
        sums = torch.zeros(len(there), states.shape[1], device=device)
        sums.index_add_(0, torch.from_numpy(which).to(device), states.float())
        means = sums / torch.from_numpy(times.astype(np.float32)).to(device)[:, None]
        rows = torch.from_numpy(there).to(device)
        centres[rows] = (1 - self.rho) * centres[rows] + self.rho * means

    def remember(self, states: "torch.Tensor", rng: np.random.Generator) -> None:
        """Keep an even sample of all states ever seen (reservoir sampling, Vitter 1985, algorithm R)."""
        import torch

        kept = self.module.states
        count = int(self.module.seen) + np.arange(len(states))
        drawn = (rng.random(len(states)) * (count + 1)).astype(np.int64)
        slots = {int(slot): n for n, slot in enumerate(np.where(count < len(kept), count, drawn)) if slot < len(kept)}
        if slots:
            to, of = (torch.tensor(list(one), device=kept.device) for one in (slots.keys(), slots.values()))
            kept[to] = states.to(kept.device).float().index_select(0, of)
        self.module.seen += len(states)

    def refresh(self) -> None:
        """Make the projection anew: the principal components of the states that are kept."""
        import torch

        states = self._filled().double()
        mean = states.mean(0)
        _, vectors = torch.linalg.eigh((states - mean).T @ (states - mean))
        self.module.mean.copy_(mean)
        self.module.basis.copy_(vectors[:, -self.module.basis.shape[1] :])

    def divide(self, rng: np.random.Generator) -> None:
        """End the time of one sense: all start as the first one has become, with states drawn at random as centres."""
        import torch

        filled = self._filled()
        drawn = rng.integers(0, len(filled), len(self.module.centres))
        self.module.centres.copy_(filled.index_select(0, torch.from_numpy(drawn).to(filled.device)))
        for one in (self.module.weight, self.module.bias):
            parts = one.data.unflatten(0, (-1, self.senses))
            parts.copy_(parts[:, :1].expand_as(parts).clone())

    def spread(self, classes: np.ndarray) -> "torch.Tensor":
        """The mean distance of chosen vectors from the mean of their subword's vectors.

        Args:
            classes: (n,) the chosen senses, at least one.
        """
        import torch

        weight = self.module.weight
        chosen = weight.index_select(0, torch.from_numpy(classes).to(weight.device))
        own = torch.from_numpy(np.asarray(classes) // self.senses).to(weight.device)
        means = weight.unflatten(0, (-1, self.senses)).index_select(0, own).mean(1)
        return torch.linalg.vector_norm(chosen - means, dim=1).mean()

    def _filled(self) -> "torch.Tensor":
        """The states that are kept so far, zeros if there are none."""
        return self.module.states[: max(1, min(int(self.module.seen), len(self.module.states)))]

    def _projected(self, vectors: "torch.Tensor") -> "torch.Tensor":
        """(..., dims) the vectors in the projection."""
        return (vectors.float() - self.module.mean) @ self.module.basis


def sense_loss(scores: "torch.Tensor", own: np.ndarray, other: np.ndarray, share: float) -> "torch.Tensor":
    """Cross-entropy against one sense, or against two that share the target.

    Args:
        scores: (n, classes).
        own: (n,) the sense that is meant.
        other: (n,) a translation's sense, -1 where there is none.
        share: what the translation's sense gets of the target, where there is one.

    Returns:
        The mean, in nats.

    Source: Liu et al. 2022, as their code has it: shares of 0.5 and 0.5.
    """
    import torch

    both = torch.from_numpy(np.stack([own, np.where(other < 0, own, other)], 1)).to(scores.device)
    theirs = torch.from_numpy(np.where(other < 0, 0.0, share).astype(np.float32)).to(scores.device)
    found = scores.gather(1, both)
    wanted = (1 - theirs) * found[:, 0] + theirs * found[:, 1]
    return (scores.logsumexp(1) - wanted).mean()
