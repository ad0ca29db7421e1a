"""Pairs whose two texts are in two languages: the part of Huang et al.'s (2021) generalised setting with the source."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.text.problems import Problems
from analysis.transfer.item import MIXED, Dataset


def mixed_pairs(datasets: Sequence[Dataset], source: str, problems: Problems) -> list[Dataset]:
    """For every language two datasets: its first texts with the source's second ones, and the other way round.

    Args:
        datasets: of pairs, one a language; items of one id are translations of each other.
        source: the language of the labels.
        problems: told of items of one id whose labels differ, which are no translations of each other.

    Returns:
        Datasets called `en+de` and `de+en`; nothing without the source, or for a language that shares no item with it.
    """
    own = next((one for one in datasets if one.language == source), None)
    if own is None:
        return []
    known = {item.id: item for item in own.items}
    found = []
    for one in datasets:
        both = [(known[item.id], item) for item in one.items if item.id in known and item.other is not None]
        if one is own or not both:
            continue
        same = [(a, b) for a, b in both if a.label == b.label]
        if len(same) < len(both):
            problems.add(
                one.name, 0, f"{len(both) - len(same):,} of {len(both):,} items have another label in {source} under their "
                "id, so they are no translations; pairs in two languages leave them out"
            )  # fmt: skip
        both = same
        if not both:
            continue
        there = tuple(replace(a, other=b.other, where=b.where) for a, b in both)
        back = tuple(replace(b, other=a.other) for a, b in both)
        found.append(Dataset(one.name, f"{source}{MIXED}{one.language}", there))
        found.append(Dataset(one.name, f"{one.language}{MIXED}{source}", back))
    return found
