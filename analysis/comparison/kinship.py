"""How far two languages are apart: by family and script, or in Glottolog's tree of languages."""

from enum import StrEnum
from functools import cache
from typing import Any

from analysis.errors import InputError
from analysis.text.languages import language


class Distance(StrEnum):
    """Where a distance comes from."""

    FAMILIES = "families"
    GLOTTOLOG = "glottolog"


# Glottolog's tree holds single languages, not these wide ones: the member that text in them is mostly in.
_MEMBER = {
    "ar": "arb", "az": "azj", "et": "ekk", "fa": "pes", "mg": "plt", "ms": "zsm", "or": "ory", "qu": "quz",
    "sw": "swh", "yi": "ydd", "zh": "cmn",
}  # fmt: skip


def language_distance(a: str, b: str, by: Distance | str = Distance.FAMILIES) -> float | None:
    """The distance of two languages, from 0 to 1.

    Args:
        a: tag of one language.
        b: tag of the other.
        by: `families`: 0 for one family (as in the table of languages: Germanic, Slavic ...) and one script, 0.5
            where one of the two differs, 1 where both do. `glottolog`: 1 - s / sqrt(n m), n and m being how many
            nodes lead from the root of Glottolog's tree to each language, itself included, and s how many of them
            they share: 0 for a language itself, 1 for two that are not related.

    Returns:
        The distance; None where one of the two is not known.

    Raises:
        InputError: `glottolog` without the package that brings its data.

    Source: Littell et al. 2017, URIEL and lang2vec, section 2 (languages as sets of their ancestors in Glottolog).
    """
    if Distance(by) is Distance.FAMILIES:
        one, other = language(a), language(b)
        if not one.family or not other.family:
            return None
        return ((one.family != other.family) + (one.script != other.script)) / 2
    left, right = _ancestors(a), _ancestors(b)
    if not left or not right:
        return None
    return 1 - len(left & right) / (len(left) * len(right)) ** 0.5


@cache
def _ancestors(tag: str) -> frozenset[str]:
    """The nodes of Glottolog's tree that a language lies below, and the language; empty where it is not there."""
    primary = tag.split("-")[0]
    try:
        found = _database().guess(_MEMBER.get(primary, primary))
    except KeyError:
        return frozenset()
    nodes = [node.glottocode for node in (found, *found.family_tree)]
    return frozenset(node for node in nodes if node)


@cache
def _database() -> Any:
    """Glottolog's tree as the package carries it; loading it takes seconds.

    Raises:
        InputError: the package is not installed.
    """
    try:
        from qq import Database
    except ImportError:
        raise InputError(
            "distance glottolog needs a package that is not installed; use families, or: pip install qwanqwa"
        ) from None
    return Database.load()
