"""Toy measures, a small file in four languages, and entries made by hand."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from analysis.comparison.plan import Cell
from analysis.comparison.request import Asked
from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.neighbours.rows import normalise_rows
from analysis.records import Result, interval
from analysis.scoring.measure import Measure, Need, scored
from analysis.settings import Setting
from analysis.text.corpus import Bitext, Sentence

ROWS = [
    ("the quick fox", "el rápido zorro", "быстрая лиса", "la volpe veloce"),
    ("a bank account", "un banco", "банк", "un conto"),
    ("the dog jumps", "el perro salta", "собака прыгает", "il cane salta"),
    ("brown bank", "banco marrón", "коричневый банк", "banca marrone"),
    ("over a lazy dog", "sobre un perro", "через собаку", "sopra un cane"),
    ("quick brown dog", "perro rápido", "быстрая собака", "cane veloce"),
    ("river in spring", "río en primavera", "река весной", "fiume in primavera"),
    ("3.5 euros", "3.5 euros", "3.5 евро", "3.5 euro"),
]
TSV = "en\tes\tru\tit\n" + "".join("\t".join(row) + "\n" for row in ROWS)
CALLS: list[tuple[str, tuple, int]] = []  # what the toy measures were asked


@dataclass(frozen=True)
class ToySettings:
    """Settings of a toy."""

    scale: Annotated[float, Setting("what a score is multiplied by", ge=0, le=1000)] = 100.0
    level_up: Annotated[bool, Setting("adds one")] = False


def nearness(space, settings=None, *, seed=0):
    """Mean cosine of translations, times a scale.

    Args:
        space: sentence vectors.
        settings: see `ToySettings`.
        seed: of the bootstrap.

    Returns:
        The mean.

    Raises:
        InputError: never.

    Source: none.
    """
    settings = settings or ToySettings()
    CALLS.append(("toy_near", space.languages, space.provenance["layer"]))
    near = (normalise_rows(space.source) * normalise_rows(space.target)).sum(axis=1)
    sums = np.stack([np.ones(len(near)), near], axis=1)
    items = {"row": list(range(len(near))), "cosine": near.tolist()}
    return scored(
        NEAR, space, settings, seed=seed, sums=sums, n=len(near), parts={"odd": float("nan")}, items=items,
        score=lambda s: settings.scale * s[..., 1] / s[..., 0] + settings.level_up,
    )  # fmt: skip


def picky(space, settings=None, *, seed=0):
    """Fails on Russian in one way and on Italian in another.

    Args:
        space: sentence vectors.
        settings: none.
        seed: of the bootstrap.

    Returns:
        The score of `nearness`.

    Raises:
        InputError: Russian.

    Source: none.
    """
    CALLS.append(("toy_picky", space.languages, space.provenance["layer"]))
    if "ru" in space.languages:
        raise InputError("no Russian today; choose another language")
    if "it" in space.languages:
        raise ZeroDivisionError("no\nItalian")
    near = (normalise_rows(space.source) * normalise_rows(space.target)).sum(axis=1)
    return scored(
        PICKY, space, ToySettings(), seed=seed, sums=near[:, None], n=len(near), parts={}, items={"near": near},
        score=lambda s: s[..., 0] / len(near),
    )  # fmt: skip


NEAR = Measure(
    "toy_near", "Toy, near & far", "A toy.", "percent", True, Need.PAIRS, Unit.SENTENCE, "none", "Anything | at all.",
    nearness, ToySettings,
)  # fmt: skip
PICKY = Measure(
    "toy_picky", "Picky toy", "A toy.", "[-1, 1]", False, Need.PAIRS, Unit.SENTENCE, "none", "Anything.", picky,
)  # fmt: skip


def result(score, *, sd=1.0, seed=0, clusters=20, measure="toy_near", shift=0.0, better=True, note=""):
    """A result with normal replicates; one seed and one sd make two of them differ by their scores alone."""
    if score is None:
        return Result(measure, None, None, None, 0, "percent", better, provenance={"seed": 0}, note=note or "no score")
    noise = np.random.default_rng(seed).standard_normal(1000) * sd
    replicates = score + shift * np.random.default_rng(99).standard_normal(1000) + noise - noise.mean()
    low, high = interval(replicates)
    return Result(
        measure, score, low, high, 10, "percent", better, replicates, clusters, provenance={"seed": 0}, note=note
    )


def cell(encoder="a", label="d en-de", *, measure="toy_near", control=None, layer=3, slot=None, data="d", settings=()):
    """A cell without a text."""
    languages = tuple(label.split()[-1].split("-"))
    empty = tuple(Sentence("x", tag) for tag in ("en", "de"))
    text = Bitext(data, ("en", "de"), empty[:1], empty[1:])
    return Cell(encoder, control, Asked(measure, settings), text, data, label, languages, layer, slot, ToySettings())


def with_layer(made, layer):
    """The same cell at another layer that was asked for."""
    return replace(made, layer=layer, slot=layer)
