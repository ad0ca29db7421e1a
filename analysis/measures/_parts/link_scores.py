"""What link F1 and AER share: decode every pair and count against the gold links."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.links.align import decode_arrays
from analysis.registry import find
from analysis.scoring.measure import Measure, PairSpace, require_unit
from analysis.scoring.pairs import require_links
from analysis.settings import Setting, check, parse_settings
from analysis.text.pharaoh import Links, format_links

FOUND, FOUND_SURE, FOUND_POSSIBLE, SURE = range(4)


@dataclass(frozen=True)
class LinkSettings:
    """Settings of the link measures."""

    decoder: Annotated[str, Setting("how links are read off the similarities; see `decoders`")] = "argmax"
    options: Annotated[str, Setting("settings of the decoder, as `key=value` separated by spaces or commas")] = ""
    level: Annotated[
        str,
        Setting("compare words, or subwords whose links become links of their words", choices=("word", "subword")),
    ] = "word"


@dataclass(frozen=True)
class Counts:
    """Decoded links counted against the gold links.

    Attributes:
        sums: (rows, 4) found links, those of them that are sure, those that are possible, sure gold links.
        scored: (rows,) bool, rows that have gold links; the others count nothing.
        links: the decoded links of each row.
    """

    sums: np.ndarray
    scored: np.ndarray
    links: list[Links]


def count_links(measure: Measure, space: PairSpace, settings: LinkSettings) -> Counts:
    """Decode all pairs of a space and count found, right and gold links.

    Args:
        measure: the measure that asks, for messages.
        space: word or subword vectors of both sides and gold links.
        settings: decoder, its options and the level.

    Raises:
        InputError: no links, an unknown decoder or option, or word vectors where subwords are asked for.
    """
    check(settings)
    gold = require_links(space)
    require_unit(measure, space, Unit.WORD, Unit.SUBWORD)
    if settings.level == Unit.SUBWORD and space.unit is not Unit.SUBWORD:
        raise InputError(f"{measure.name} with level=subword needs subword vectors, got {space.unit}")
    decoder = find("decoders", settings.decoder)
    options = parse_settings(decoder.settings, settings.options.replace(",", " ").split())
    links = decode_arrays(
        space.source, space.source_units, space.target, space.target_units, space.rows,
        decoder=decoder, settings=options,
    )  # fmt: skip
    scored = np.array([bool(pair.possible) for pair in gold], dtype=bool)
    counts = [
        (len(found.sure), len(found.sure & pair.sure), len(found.sure & pair.possible), len(pair.sure))
        for found, pair in zip(links, gold, strict=True)
    ]
    sums = np.array(counts, dtype=np.float64).reshape(-1, 4) * scored[:, None]
    return Counts(sums, scored, links)


def precision_recall(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision against possible links and recall of sure links, 0 to 1, from (..., 4) sums.

    Precision is 0 where nothing was found; recall is NaN where there is no sure link.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(sums[..., FOUND] > 0, sums[..., FOUND_POSSIBLE] / sums[..., FOUND], 0.0)
        return precision, sums[..., FOUND_SURE] / sums[..., SURE]


def f1(sums: np.ndarray) -> np.ndarray:
    """F1 in percent from (..., 4) sums; NaN where there is no sure link."""
    precision, recall = precision_recall(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        harmonic = 2 * precision * recall / (precision + recall)
    return 100 * np.where(precision + recall == 0, 0.0, harmonic)


def error_rate(sums: np.ndarray) -> np.ndarray:
    """Alignment error rate in percent from (..., 4) sums; NaN where nothing was found and nothing is sure."""
    with np.errstate(invalid="ignore", divide="ignore"):
        right = sums[..., FOUND_SURE] + sums[..., FOUND_POSSIBLE]
        return 100 * (1 - right / (sums[..., FOUND] + sums[..., SURE]))


def link_parts(counts: Counts) -> dict[str, float | int | None]:
    """Precision and recall in percent, with the numbers of links behind them."""
    total = counts.sums.sum(axis=0)
    precision, recall = precision_recall(total)
    return {
        "precision": float(100 * precision),
        "recall": float(100 * recall) if np.isfinite(recall) else None,
        "f1": float(f1(total)) if np.isfinite(recall) else None,
        "aer": float(error_rate(total)) if np.isfinite(error_rate(total)) else None,
        "links_found": int(total[FOUND]),
        "links_sure": int(total[SURE]),
    }


def link_items(space: PairSpace, counts: Counts) -> dict[str, list[Any]]:
    """One line a scored row: found and gold links, precision and recall in percent (None where undefined)."""
    rows = np.flatnonzero(counts.scored)
    precision, recall = precision_recall(counts.sums[rows])
    gold = require_links(space)
    return {
        "row": rows.tolist(),
        "found": [format_links(counts.links[row]) for row in rows],
        "gold": [format_links(gold[row]) for row in rows],
        "precision": (100 * precision).tolist(),
        "recall": [100 * float(value) if np.isfinite(value) else None for value in recall],
    }


def link_note(counts: Counts) -> str:
    """How many rows have no gold links and were left out."""
    left_out = int(np.sum(~counts.scored))
    return f"{left_out:,} sentence pairs have no gold links and are left out" if left_out else ""
