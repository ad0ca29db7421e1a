"""Do neighbours care about language? The share of a unit's nearest neighbours that are in another language."""

from collections.abc import Sequence

import numpy as np

from analysis.neighbours.rows import has_direction, normalise_rows
from analysis.projection.faithfulness import neighbours_of_units
from analysis.records import Result, bootstrap


def language_mixing(
    vectors: np.ndarray, languages: Sequence[str], rows: np.ndarray, *, k: int = 10, seed: int = 0
) -> Result:
    """How many of each unit's nearest neighbours, in the encoder's own space, are in another language.

    100 percent of what chance gives means that language plays no role in who is near whom. It says nothing about
    whether the neighbours are translations.

    Args:
        vectors: (n, dim) vectors of the units shown together.
        languages: the tag of each unit.
        rows: (n,) corpus row of each unit; the bootstrap draws rows.
        k: size of the neighbourhood, lowered where there are fewer units.
        seed: seed of the bootstrap.

    Returns:
        The share in percent with its interval over rows. Parts: `chance`, the share if neighbours were drawn at
        random. No score for fewer than three units, or for one language.
    """
    usable = np.flatnonzero(has_direction(vectors))
    kinds = np.unique(np.asarray(languages), return_inverse=True)[1][usable] if len(languages) else np.empty(0, int)
    k = min(k, len(usable) - 1)
    if k < 2 or len(set(kinds.tolist())) < 2:
        return Result(
            "language_mixing", None, None, None, 0, "percent", True, note="needs at least three units in two languages"
        )
    near = neighbours_of_units(normalise_rows(vectors[usable]), k)
    foreign = (kinds[near] != kinds[:, None]).sum(axis=1)
    counts = np.bincount(kinds)
    chance = 100 * float(np.mean((len(kinds) - counts[kinds]) / (len(kinds) - 1)))
    clusters = np.unique(rows[usable], return_inverse=True)[1]
    sums = np.stack([np.bincount(clusters, minlength=1), np.bincount(clusters, weights=foreign / k)], axis=1)
    share = lambda totals: 100 * totals[..., 1] / np.maximum(totals[..., 0], 1e-9)  # noqa: E731
    point, low, high, replicates = bootstrap(sums.astype(np.float32), share, seed=seed)
    known = len(sums) > 1
    return Result(
        "language_mixing", point, low if known else None, high if known else None, len(usable), "percent", True,
        replicates, len(sums), {"chance": chance}, provenance={"k": k, "seed": seed},
    )  # fmt: skip
