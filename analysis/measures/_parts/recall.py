"""Recall at k, mean reciprocal rank and what chance gives, from the ranks of what should be found."""

from collections.abc import Sequence

import numpy as np

RECALL_AT = (1, 5, 10, 20, 50, 100)


def distinct(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The index of the first item of each text, ascending, and for every item the number of its text."""
    number: dict[str, int] = {}
    kind = np.array([number.setdefault(text, len(number)) for text in texts], dtype=np.int64)
    return np.unique(kind, return_index=True)[1], kind


def recall_parts(ranks: Sequence[np.ndarray], candidates: Sequence[int]) -> dict[str, float | None]:
    """Recall at 1, 5, 10, 20, 50 and 100 and by chance, and the mean reciprocal rank, each the mean of the directions.

    Args:
        ranks: for each direction the (queries,) ranks of what should be found, 1 for the best; the number of
            candidates where nothing was found.
        candidates: for each direction the number of candidates.

    Returns:
        `recall_at_K` and `chance_at_K` (K / candidates) in percent, None where there are no more than K candidates,
        so that nothing can be missed; `mrr`, 0 to 1.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual
    representations, section 4.
    """
    parts: dict[str, float | None] = {"mrr": float(np.mean([(1 / found).mean() for found in ranks]))}
    for k in RECALL_AT:
        telling = min(candidates) > k
        hits = [100 * np.mean(found <= k) for found in ranks]
        parts[f"recall_at_{k}"] = float(np.mean(hits)) if telling else None
        parts[f"chance_at_{k}"] = float(np.mean([100 * k / size for size in candidates])) if telling else None
    return parts
