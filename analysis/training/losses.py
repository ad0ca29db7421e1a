"""The losses of fine-tuning, as functions of vectors: squared distances and contrasts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

OUT = -1e4  # a logit that no softmax notices, finite so that a row without candidates has a gradient of zero


def mse(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    """Squared distance, averaged over rows and dimensions; 0 for no rows.

    Args:
        a: (n, dim).
        b: (n, dim).

    Source: Cao, Kitaev and Klein 2020, section 2, as coded.
    """
    return ((a - b) ** 2).mean() if a.numel() else (a - b).sum()


def sse(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    """Squared distance, summed over dimensions and averaged over rows: `dim` times `mse`.

    Args:
        a: (n, dim).
        b: (n, dim).

    Source: the L2 baseline of Wu and Dredze 2020.
    """
    return ((a - b) ** 2).sum(-1).mean() if a.numel() else (a - b).sum()


def relative_error(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    """Squared distance in units of the target's squared length, averaged over rows.

    Args:
        a: (n, dim).
        b: (n, dim) the target.
    """
    if not a.numel():
        return (a - b).sum()
    return (((a - b) ** 2).sum(-1) / (b**2).sum(-1).clamp(min=1e-6)).mean()


def info_nce(
    queries: "torch.Tensor", candidates: "torch.Tensor", positive: "torch.Tensor", temperature: float,
    ignored: "torch.Tensor | None" = None,
) -> "torch.Tensor":  # fmt: skip
    """Cross-entropy of finding each query's own candidate by cosine.

    Args:
        queries: (n, dim).
        candidates: (m, dim).
        positive: (n,) the index of each query's candidate.
        temperature: divides the cosines.
        ignored: (n, m) candidates that do not count for a query, such as other occurrences of its translation;
            a query's own candidate always counts.

    Source: van den Oord et al. 2018; over words Wu and Dredze 2020, Pan et al. 2021.
    """
    import torch
    from torch.nn.functional import cross_entropy, normalize

    if not len(queries):
        return queries.sum() + candidates.sum() * 0
    logits = normalize(queries, dim=1) @ normalize(candidates, dim=1).T / temperature
    if ignored is not None:
        own = torch.arange(logits.shape[1], device=logits.device)[None] == positive[:, None]
        logits = logits.masked_fill(ignored & ~own, OUT)
    return cross_entropy(logits, positive)


def two_way(
    source: "torch.Tensor", target: "torch.Tensor", temperature: float,
    same: "torch.Tensor | None" = None,
) -> "torch.Tensor":  # fmt: skip
    """One softmax over both languages: a vector finds its translation among all other vectors, itself left out.

    Args:
        source: (n, dim) vectors of linked words.
        target: (n, dim) their translations, row by row.
        temperature: divides the cosines.
        same: (2n, 2n) pairs of rows that are no negatives of each other (source rows first), such as equal words.

    Source: the strong contrastive loss of Wu and Dredze 2020, section 3.
    """
    import torch

    n = len(source)
    both = torch.cat([source, target])
    if not n:
        return both.sum()
    positive = torch.cat([torch.arange(n, 2 * n), torch.arange(n)]).to(both.device)
    ignored = torch.eye(2 * n, dtype=torch.bool, device=both.device)
    return info_nce(both, both, positive, temperature, ignored if same is None else ignored | same)


def relation(live: "torch.Tensor", frozen: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """How far each vector's softmax over its neighbours in the batch has moved, in nats.

    In plain words: vectors may turn and move as long as each keeps the neighbours it had.

    Args:
        live: (n, dim) vectors of the network that trains.
        frozen: (n, dim) the base's vectors of the same words.
        temperature: divides the cosines on both sides.

    Source: after relational knowledge distillation (Park et al. 2019), with the divergence of Fang et al. 2021.
    """
    import torch
    from torch.nn.functional import kl_div, log_softmax, normalize, softmax

    if len(live) < 2:
        return (live - frozen).sum() * 0
    self_mask = torch.eye(len(live), dtype=torch.bool, device=live.device)
    now, before = (
        (normalize(x, dim=1) @ normalize(x, dim=1).T / temperature).masked_fill(self_mask, OUT) for x in (live, frozen)
    )
    return kl_div(log_softmax(now, dim=1), softmax(before, dim=1), reduction="batchmean")
