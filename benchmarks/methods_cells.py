"""What the grid of methods consists of: the cells and their order, the text they share, the command that trains one."""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

HERE = Path(__file__).parent
CELLS = HERE / "results"
BASE = "bundled"
SEEDS = (0, 1, 2)
BEST = 3  # methods that get more placebos and the full sets
STEPS = 35
ROWS = 600  # of the training text, in every language
LANGUAGES = ("en", "de", "es", "fr", "ru", "zh")
TEXT = f"set:xnli:{','.join(LANGUAGES)}:test"
DICTIONARIES = tuple(f"set:bli_xling:en-{tag}:train" for tag in ("de", "fr", "ru"))
# Text and steps are the same for all; the epochs leave the last word to the steps, and nobody looks on the way.
SETTINGS = {"max_steps": str(STEPS), "epochs": "50", "dev_every": "100000"}
SCRATCH = "trains an encoder from scratch, so there is no base to compare with"
EXCLUDED = {"multisense": SCRATCH, "hierarchical": SCRATCH}
# A method once more on other data: the words of a dictionary, averaged over the same text.
VARIANTS = {"rotation-dictionary": ("rotation", ("data", "dictionary"))}


@dataclass(frozen=True)
class Recipe:
    """A line of the table.

    Attributes:
        name: of the line and its files.
        method: registered name.
        kinds: of data it is given: `data`, `dictionary`, `monolingual`.
        known: the settings that the method has.
    """

    name: str
    method: str
    kinds: tuple[str, ...]
    known: frozenset[str] = frozenset()

    @property
    def own_placebo(self) -> bool:
        """Whether the method shuffles its pairs itself; else it is given shuffled files."""
        return "placebo" in self.known


@dataclass(frozen=True)
class Cell:
    """One training: a line of the table, a seed, true or shuffled pairs."""

    recipe: Recipe
    seed: int
    placebo: bool = False

    @property
    def name(self) -> str:
        """`cao-placebo-0`."""
        return f"{self.recipe.name}-{'placebo-' if self.placebo else ''}{self.seed}"

    @property
    def path(self) -> Path:
        """Its committed file."""
        return CELLS / f"method-{self.name}.json"

    @property
    def folder(self) -> Path:
        """The encoder it makes."""
        return encoders_folder() / f"grid-{self.name}"


def recipes(specs: Mapping[str, Any], only: Sequence[str] = ()) -> list[Recipe]:
    """A line for every registered method that can run on an encoder, then the named variants.

    Args:
        specs: registered methods by name.
        only: names of lines, empty for all.
    """
    found = [
        Recipe(name, name, data_kinds(spec), _settings_of(spec))
        for name, spec in specs.items() if name not in EXCLUDED
    ]  # fmt: skip
    found += [
        Recipe(name, method, kinds, _settings_of(specs[method]))
        for name, (method, kinds) in VARIANTS.items() if method in specs
    ]  # fmt: skip
    unknown = set(only) - {recipe.name for recipe in found}
    if unknown:
        names = ", ".join(recipe.name for recipe in found)
        raise SystemExit(f"no line {', '.join(sorted(unknown))}; valid: {names}")
    return [recipe for recipe in found if not only or recipe.name in only]


def data_kinds(spec: Any) -> tuple[str, ...]:
    """The data a method is given: all that it must have, and of several ways to feed it sentence pairs."""
    needs, must = {str(kind) for kind in spec.needs}, {str(kind) for kind in spec.needs_all}
    either = {"data"} if "data" in needs or not needs | must else needs - must
    return tuple(sorted(must | either))


def _settings_of(spec: Any) -> frozenset[str]:
    """The names of a method's settings."""
    from analysis.settings import fields

    return frozenset(one.name for one in fields(spec.settings))


def main_cells(lines: Sequence[Recipe]) -> list[Cell]:
    """Seed 0 of every method, a placebo of every method, then the other seeds: cut off anywhere, the table stands."""
    first = [Cell(recipe, 0) for recipe in lines]
    placebos = [Cell(recipe, 0, placebo=True) for recipe in lines]
    return first + placebos + [Cell(recipe, seed) for seed in SEEDS[1:] for recipe in lines]


def more_placebos(lines: Sequence[Recipe], best: Sequence[str]) -> list[Cell]:
    """The other placebos of the best methods."""
    chosen = [recipe for name in best for recipe in lines if recipe.name == name]
    return [Cell(recipe, seed, placebo=True) for seed in SEEDS[1:] for recipe in chosen]


def best_methods(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the best methods by their mean development score over seeds; test scores have no say.

    Args:
        found: finished cells.
    """
    scores: dict[str, list[float]] = {}
    for cell in found:
        if not cell["placebo"]:
            scores.setdefault(cell["name"], []).append(cell["dev"]["score"])
    return sorted(scores, key=lambda name: (-mean(scores[name]), name))[:BEST]


def finished() -> list[dict[str, Any]]:
    """All cells that are there, without the base."""
    return [
        cell for path in sorted(CELLS.glob("method-*.json"))
        if (cell := json.loads(path.read_text("utf-8")))["name"] != BASE
    ]  # fmt: skip


def work_folder() -> Path:
    """Locks, logs, text and replicates, in the cache folder."""
    from analysis.store import cache_folder

    return cache_folder() / "methods-grid"


def encoders_folder() -> Path:
    """The user's trained encoders."""
    from analysis.encoders.names import encoder_roots

    return encoder_roots()[1]


def train_command(cell: Cell) -> list[str]:
    """The command that makes a cell's encoder."""
    shuffled = cell.seed if cell.placebo and not cell.recipe.own_placebo else None
    words = [sys.executable, "-m", "analysis", "align", cell.recipe.method, "--encoder", BASE]
    for kind in cell.recipe.kinds:
        words += [part for name in _inputs(kind, cell.recipe, shuffled) for part in (f"--{kind}", name)]
    settings = {key: value for key, value in SETTINGS.items() if key in cell.recipe.known}
    if cell.placebo and cell.recipe.own_placebo:
        settings["placebo"] = "true"
    words += [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return [*words, "--seed", str(cell.seed), "--out", str(cell.folder), "--fresh"]


def _inputs(kind: str, recipe: Recipe, shuffled: int | None) -> list[str]:
    """The names of one kind of data; where there is a dictionary, the shuffling is that of its words."""
    folder = work_folder() / "text"
    if kind == "dictionary":
        pairs = [name.split(":")[2] for name in DICTIONARIES]
        return list(DICTIONARIES) if shuffled is None else [str(folder / str(shuffled) / f"{p}.txt") for p in pairs]
    if kind == "monolingual":
        return [str(folder / "sentences.txt")]
    here = folder if shuffled is None or "dictionary" in recipe.kinds else folder / str(shuffled)
    return [str(here / "pairs.tsv")]


def write_text_files() -> str:
    """Write the training text, once shuffled for each seed, and return the hash of what all methods read."""
    rows = _sample()
    folder = work_folder() / "text"
    folder.mkdir(parents=True, exist_ok=True)
    text = _table(rows)
    _write(folder / "pairs.tsv", text)
    _write(folder / "sentences.txt", "".join(f"{one}\n" for tag in LANGUAGES for one in rows[tag]))
    for seed in SEEDS:
        (folder / str(seed)).mkdir(exist_ok=True)
        turned = {tag: side if tag == "en" else _turned(side, seed, n) for n, (tag, side) in enumerate(rows.items())}
        _write(folder / str(seed) / "pairs.tsv", _table(turned))
        for number, (pair, entries) in enumerate(_dictionaries()):
            right = _turned([b for _, b in entries], seed, number)
            lines = "".join(f"{a}\t{b}\n" for (a, _), b in zip(entries, right, strict=True))
            _write(folder / str(seed) / f"{pair}.txt", lines)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def _sample() -> dict[str, list[str]]:
    """The same rows in every language, drawn by seed 0 from what has text in all of them."""
    import numpy as np

    from analysis.text.multiway import load_multitext

    many = load_multitext(TEXT)
    drawn = np.sort(np.random.default_rng(0).choice(len(many), ROWS, replace=False)).tolist()
    return {tag: [" ".join(many.sentences[tag][row].text.split()) for row in drawn] for tag in LANGUAGES}


def _dictionaries() -> list[tuple[str, list[tuple[str, str]]]]:
    """`en-de` and its entries, for each training dictionary."""
    from analysis.text.dictionary import load_dictionary

    return [(name.split(":")[2], list(load_dictionary(name).entries)) for name in DICTIONARIES]


def _turned(side: Sequence[str], seed: int, number: int) -> list[str]:
    """Another order in which nothing stays in its place."""
    import numpy as np

    turn = np.random.default_rng([seed, number]).permutation(len(side))
    other = np.empty_like(turn)
    other[turn] = np.roll(turn, 1)
    return [side[at] for at in other]


def _table(rows: Mapping[str, Sequence[str]]) -> str:
    """Rows as TSV below their languages."""
    return "".join("\t".join(line) + "\n" for line in (tuple(rows), *zip(*rows.values(), strict=True)))


def _write(path: Path, text: str) -> None:
    """A file, unless it is there with this very text."""
    from analysis.store import write_text

    if not path.exists() or path.read_text("utf-8") != text:
        write_text(path, text)


def portable(words: Sequence[str]) -> str:
    """A command as it stands in the results: no paths of this computer."""
    from analysis.store import cache_folder

    line = " ".join("python" if word == sys.executable else word for word in words)
    return line.replace(str(cache_folder()) + os.sep, "CACHE/")
