"""Sentence pairs that are no translations: scored by people, marked for sense, or a question with its paragraph.

The same `set:NAME:LANGS:SPLIT` may be read as parallel text (`sets`) and as judged pairs (here): the measure says
which it needs. Adding a set is one function and one line of `JUDGED`.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, Relation, Sentence, Span
from analysis.text.languages import normalise_tag
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems
from analysis.text.segment import split
from analysis.text.sets import set_folder

Pair = tuple[str, str]


@dataclass(frozen=True)
class JudgedSet:
    """How a set is read as judged pairs.

    Attributes:
        relation: what its pairs are.
        splits: its splits.
        pairs: which language pairs a folder has in a split; a pair may name one language twice.
        read: the bitext of one pair in one split, before its name is given.
    """

    relation: Relation
    splits: tuple[str, ...]
    pairs: Callable[[Path, str], list[Pair]]
    read: Callable[[Path, Pair, str, Problems], Bitext]


def load_judged(
    name: str, relation: Relation | str, *, langs: Pair | None = None, data_dir: str | Path | None = None,
    problems: Problems | None = None,
) -> list[Bitext]:  # fmt: skip
    """The judged pairs of `set:NAME:LANGS:SPLIT`.

    Args:
        name: LANGS is `A-B` (also `A-A`), `A,B,C` (each language with itself and English with each other) or `all`.
        relation: `scored`, `sense` or `answer`.
        langs: one pair of those, None for all.
        data_dir: the folder of the sets; ISOGLOSS_DATA by default.
        problems: takes a note of rows that cannot be used.

    Raises:
        InputError: no folder, a set without such judgements, or a split or pair that is not there.
    """
    relation = Relation(relation)
    parts = name.split(":")
    if len(parts) != 4 or parts[0] != "set":
        raise InputError(f"{name!r} is not set:NAME:LANGS:SPLIT; for example {EXAMPLES[relation]}")
    _, kind, asked, part = parts
    known = {key: one for key, one in JUDGED.items() if one.relation is relation}
    if kind not in known:
        raise InputError(f"set {kind} has no {TITLES[relation]}; valid here: {', '.join(sorted(known))}")
    if part not in known[kind].splits:
        raise unknown(f"split of set {kind}", part, known[kind].splits)
    folder = set_folder(kind, data_dir)
    pairs = _wanted(name, asked, known[kind].pairs(folder, part))
    if langs is not None:
        pairs = _only(name, langs, pairs)
    problems = Problems() if problems is None else problems
    return [known[kind].read(folder, pair, part, problems) for pair in pairs]


def _wanted(name: str, asked: str, here: Sequence[Pair]) -> list[Pair]:
    """The pairs that LANGS asks for.

    Raises:
        InputError: a pair or language the set does not have.
    """
    if asked == "all":
        return _usual(here, {tag for pair in here for tag in pair})
    if "," in asked:
        tags = [normalise_tag(tag) for tag in asked.split(",")]
        for tag in tags:
            if not any(tag in pair for pair in here):
                raise unknown(f"language of {name}", tag, {tag for pair in here for tag in pair})
        return _usual(here, set(tags))
    return _only(name, tuple(normalise_tag(tag) for tag in asked.split("-")), here)


def _usual(here: Sequence[Pair], tags: set[str]) -> list[Pair]:
    """Each language with itself, then English with each other, as far as they are there."""
    return [pair for pair in here if set(pair) <= tags and (pair[0] == pair[1] or pair[0] == "en")]


def _only(name: str, pair: Sequence[str], here: Sequence[Pair]) -> list[Pair]:
    """One pair.

    Raises:
        InputError: it is not there.
    """
    if tuple(pair) not in here:
        raise unknown(f"language pair of {name}", "-".join(pair), ["-".join(one) for one in here])
    return [(pair[0], pair[1])]


def _json(path: Path) -> Any:
    """A packed JSON file."""
    return json.loads(gzip.decompress(path.read_bytes()).decode("utf-8"))


def _tags(folder: Path, pattern: str) -> list[str]:
    """What a pattern's group finds in the names of a folder's files, English first."""
    found = {match[1] for path in folder.iterdir() if (match := re.fullmatch(pattern, path.name))}
    return sorted(found, key=lambda tag: (tag != "en", tag))


def _every_pair(tags: Sequence[str]) -> list[Pair]:
    """Every ordered pair of languages, also of one with itself, those with itself first."""
    return [*((tag, tag) for tag in tags), *((a, b) for a, b in product(tags, tags) if a != b)]


def _stsb(folder: Path, pair: Pair, part: str, problems: Problems) -> Bitext:
    """The first sentence in one language, the second in another; scores 0 to 5 hold for all languages."""
    sides = [
        list(csv.reader(io.StringIO(gzip.decompress((folder / f"stsb-{tag}-{part}.csv.gz").read_bytes()).decode())))
        for tag in pair
    ]
    rows = [(a[0], b[1], float(a[2])) for a, b in zip(*sides, strict=True)]
    return Bitext(
        f"set:stsb_multi:{pair[0]}-{pair[1]}:{part}", pair,
        tuple(split(a.strip(), pair[0]) for a, _, _ in rows), tuple(split(b.strip(), pair[1]) for _, b, _ in rows),
        relation=Relation.SCORED, scores=tuple(score for _, _, score in rows),
    )  # fmt: skip


def _wic_pairs(folder: Path, part: str) -> list[Pair]:
    """The pairs of languages with data and gold."""
    names = _tags(folder, rf"{_WIC[part]}\.(\w+-\w+)\.gold\.gz")
    return [(a, b) for a, b in (name.split("-") for name in names)]


def _wic(folder: Path, pair: Pair, part: str, problems: Problems) -> Bitext:
    """Two sentences with one marked word each; a word in several pieces is as many spans, all linked."""
    stem = f"{_WIC[part]}.{'-'.join(pair)}"
    data, gold = (_json(folder / f"{stem}.{kind}.gz") for kind in ("data", "gold"))
    tags = {row["id"]: row["tag"] for row in gold}
    rows: list[tuple[Sentence, Sentence, Links, str, float]] = []
    for row in data:
        left, right = (Sentence(row[f"sentence{n}"], tag, _marked(row, n)) for n, tag in zip((1, 2), pair, strict=True))
        inside = all(0 <= a < b <= len(one.text) for one in (left, right) for a, b in one.spans)
        if row["id"] not in tags or not inside:
            problems.add(f"set:mcl_wic:{'-'.join(pair)}:{part}", len(rows) + 1, f"{row['id']}: no gold or a bad span")
            continue
        links = frozenset(product(range(len(left.spans)), range(len(right.spans))))
        rows.append((left, right, Links(links, links), row["id"], float(tags[row["id"]] == "T")))
    source, target, marks, ids, scores = zip(*rows, strict=True)
    return Bitext(
        f"set:mcl_wic:{pair[0]}-{pair[1]}:{part}", pair, source, target, marks, "gold", ids, Relation.SENSE, scores
    )


def _marked(row: Mapping[str, str], side: int) -> tuple[Span, ...]:
    """The marked stretches of one sentence."""
    ranges = row.get(f"ranges{side}") or f"{row[f'start{side}']}-{row[f'end{side}']}"
    pieces = (piece.split("-") for piece in ranges.split(","))
    return tuple(sorted((int(start), int(end)) for start, end in pieces))


def _xquad(folder: Path, pair: Pair, part: str, problems: Problems) -> Bitext:
    """Questions in one language and, for each, its paragraph in another."""
    first, second = (_json(folder / f"xquad.{tag}.json.gz")["data"] for tag in pair)
    rows = [
        (qa["id"], qa["question"], there["context"])
        for one, other in zip(first, second, strict=True)
        for here, there in zip(one["paragraphs"], other["paragraphs"], strict=True)
        for qa in here["qas"]
    ]
    paragraphs = {text: split(text.strip(), pair[1]) for _, _, text in rows}
    return Bitext(
        f"set:xquad:{pair[0]}-{pair[1]}:{part}", pair,
        tuple(split(question.strip(), pair[0]) for _, question, _ in rows),
        tuple(paragraphs[text] for _, _, text in rows),
        row_ids=tuple(name for name, _, _ in rows), relation=Relation.ANSWER,
    )  # fmt: skip


_WIC = {"train": "training", "dev": "dev", "test": "test"}
TITLES = {
    Relation.SCORED: "scored sentence pairs",
    Relation.SENSE: "marked words judged for sense",
    Relation.ANSWER: "questions with their paragraphs",
}
EXAMPLES = {
    Relation.SCORED: "set:stsb_multi:en-de:dev",
    Relation.SENSE: "set:mcl_wic:en-en:dev",
    Relation.ANSWER: "set:xquad:en-de:test",
}
JUDGED: dict[str, JudgedSet] = {
    "stsb_multi": JudgedSet(
        Relation.SCORED, ("train", "dev", "test"),
        lambda folder, part: _every_pair(_tags(folder, rf"stsb-(\w+)-{part}\.csv\.gz")), _stsb,
    ),
    "mcl_wic": JudgedSet(Relation.SENSE, tuple(_WIC), _wic_pairs, _wic),
    "xquad": JudgedSet(
        Relation.ANSWER, ("test",), lambda folder, part: _every_pair(_tags(folder, r"xquad\.(\w+)\.json\.gz")), _xquad,
    ),
}  # fmt: skip
