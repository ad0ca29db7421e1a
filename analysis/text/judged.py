"""Sentence pairs that are no translations: scored by people, marked for sense, or a question with its paragraph.

The same `set:NAME:LANGS:SPLIT` may be read as parallel text (`sets`) and as judged pairs (here): the measure says
which it needs. Adding a set is one function and one line of `JUDGED`. Scored pairs may also be a file.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, Relation, Sentence
from analysis.text.languages import normalise_tag
from analysis.text.lines import Source
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems
from analysis.text.scored_file import FORMATS, as_score, read_scored
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
    """The judged pairs of `set:NAME:LANGS:SPLIT` or of a file.

    Args:
        name: LANGS is `A-B` (also `A-A`), `A,B,C` (each language with itself and English with each other) or `all`;
            scored pairs may also be a file, see `read_scored`.
        relation: `scored`, `sense` or `answer`.
        langs: one pair of those, None for all.
        data_dir: the folder of the sets; ISOGLOSS_DATA by default.
        problems: takes a note of rows that cannot be used.

    Returns:
        At least one bitext, none of them empty.

    Raises:
        InputError: no folder, a set without such judgements, a split or pair that is not there, or no usable row.
    """
    relation, problems = Relation(relation), Problems() if problems is None else problems
    if not name.startswith("set:"):
        return _of_file(name, relation, langs, problems)
    parts = name.split(":")
    if len(parts) != 4:
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
    found = [bitext for pair in pairs if len(bitext := known[kind].read(folder, pair, part, problems))]
    if not found:
        raise InputError(f"{name} has no usable row; see the warnings, or restore the files of {folder}")
    return found


def _of_file(name: str, relation: Relation, langs: Pair | None, problems: Problems) -> list[Bitext]:
    """The pairs of a file.

    Raises:
        InputError: a corpus, or pairs of a kind that no file format holds.
    """
    if name.startswith("corpus:") or relation is not Relation.SCORED:
        files = f", or a file with {FORMATS}" if relation is Relation.SCORED else ""
        raise InputError(f"{name!r} holds no {TITLES[relation]}; use a set such as {EXAMPLES[relation]}{files}")
    return read_scored(Source.of(name), langs, problems)


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


def _unpacked(path: Path) -> str:
    """A packed file of a set as one string.

    Raises:
        InputError: it is missing, no gzip file or not UTF-8.
    """
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); restore the file") from None


def _json(path: Path, *keys: str) -> list[Any]:
    """The list in a packed JSON file, perhaps below some keys.

    Raises:
        InputError: the file is missing or of another shape.
    """
    try:
        value = json.loads(_unpacked(path))
        for key in keys:
            value = value[key]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not the JSON of this set ({error!r}); restore the file") from None
    if not isinstance(value, list):
        raise InputError(f"{path} is not the JSON of this set (no list); restore the file")
    return value


def _tags(folder: Path, pattern: str) -> list[str]:
    """What a pattern's group finds in the names of a folder's files, English first."""
    found = {match[1] for path in folder.iterdir() if (match := re.fullmatch(pattern, path.name))}
    return sorted(found, key=lambda tag: (tag != "en", tag))


def _every_pair(tags: Sequence[str]) -> list[Pair]:
    """Every ordered pair of languages, also of one with itself, those with itself first."""
    return [*((tag, tag) for tag in tags), *((a, b) for a, b in product(tags, tags) if a != b)]


def _stsb(folder: Path, pair: Pair, part: str, problems: Problems) -> Bitext:
    """The first sentence in one language, the second in another; scores 0 to 5 hold for all languages."""
    name = f"set:stsb_multi:{pair[0]}-{pair[1]}:{part}"
    sides = [list(csv.reader(io.StringIO(_unpacked(folder / f"stsb-{tag}-{part}.csv.gz")))) for tag in pair]
    rows: list[tuple[str, str, str, float]] = []
    for number, (one, other) in enumerate(zip_longest(*sides, fillvalue=()), start=1):
        if len(one) != 3 or len(other) != 3 or one[2] != other[2] or not (one[0].strip() and other[1].strip()):
            problems.add(name, number, f"no row with the same score in {' and '.join(pair)}; the row is left out")
            continue
        score = as_score(one[2])
        if score is None:
            problems.add(name, number, f"the score {one[2][:20]!r} is no finite number; the row is left out")
        else:
            rows.append((str(number - 1), one[0].strip(), other[1].strip(), score))
    return Bitext(
        name, pair, tuple(split(a, pair[0]) for _, a, _, _ in rows), tuple(split(b, pair[1]) for _, _, b, _ in rows),
        row_ids=tuple(row for row, *_ in rows), relation=Relation.SCORED, scores=tuple(score for *_, score in rows),
    )  # fmt: skip


def _wic_pairs(folder: Path, part: str) -> list[Pair]:
    """The pairs of languages with data and gold."""
    names = _tags(folder, rf"{_WIC[part]}\.(\w+-\w+)\.gold\.gz")
    return [(a, b) for a, b in (name.split("-") for name in names)]


def _wic(folder: Path, pair: Pair, part: str, problems: Problems) -> Bitext:
    """Two sentences with one marked word each; a word in several pieces is as many spans, all linked."""
    name, stem = f"set:mcl_wic:{pair[0]}-{pair[1]}:{part}", f"{_WIC[part]}.{'-'.join(pair)}"
    data, gold = (_json(folder / f"{stem}.{kind}.gz") for kind in ("data", "gold"))
    tags = {str(row.get("id")): row.get("tag") for row in gold if isinstance(row, dict)}
    rows: list[tuple[Sentence, Sentence, Links, str, float]] = []
    for number, row in enumerate(data, start=1):
        sides = [_marked_sentence(row, n, tag) for n, tag in zip((1, 2), pair, strict=True)]
        left, right = sides
        label = str(row.get("id")) if isinstance(row, dict) else "no object"
        if left is None or right is None or tags.get(label) not in ("T", "F"):
            why = "no gold T or F" if left and right else "a marked range is not inside its sentence"
            problems.add(name, number, f"{label}: {why}; the row is left out")
            continue
        links = frozenset(product(range(len(left.spans)), range(len(right.spans))))
        rows.append((left, right, Links(links, links), label, float(tags[label] == "T")))
    source, target, marks, ids, scores = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Bitext(name, pair, source, target, marks, "gold", ids, Relation.SENSE, scores)


def _marked_sentence(row: Any, side: int, tag: str) -> Sentence | None:
    """One sentence with its marked word, None where the row does not mark a stretch of it."""
    try:
        text = row[f"sentence{side}"]
        ranges = row.get(f"ranges{side}") or f"{row[f'start{side}']}-{row[f'end{side}']}"
        spans = sorted((int(start), int(end)) for start, end in (piece.split("-") for piece in ranges.split(",")))
        inside = isinstance(text, str) and all(0 <= start < end <= len(text) for start, end in spans)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return Sentence(text, tag, tuple(spans)) if inside else None


def _xquad(folder: Path, pair: Pair, part: str, problems: Problems) -> Bitext:
    """Questions in one language and, for each, the paragraph of the same question's number in another."""
    name = f"set:xquad:{pair[0]}-{pair[1]}:{part}"
    (asked, _), (_, read) = (_questions(folder / f"xquad.{tag}.json.gz") for tag in pair)
    rows = []
    for number, (label, question) in enumerate(asked.items(), start=1):
        if question and read.get(label):
            rows.append((label, question, read[label]))
        else:
            problems.add(name, number, f"{label}: no question or no paragraph in {pair[1]}; the row is left out")
    paragraphs = {text: split(text, pair[1]) for _, _, text in rows}
    return Bitext(
        name, pair, tuple(split(question, pair[0]) for _, question, _ in rows),
        tuple(paragraphs[text] for _, _, text in rows),
        row_ids=tuple(label for label, _, _ in rows), relation=Relation.ANSWER,
    )  # fmt: skip


def _questions(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The questions of a file and their paragraphs, by the number of the question.

    Raises:
        InputError: the file is missing or of another shape.
    """
    questions, paragraphs = {}, {}
    try:
        for article in _json(path, "data"):
            for paragraph in article["paragraphs"]:
                for one in paragraph["qas"]:
                    questions[one["id"]] = one["question"].strip()
                    paragraphs[one["id"]] = paragraph["context"].strip()
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not the JSON of this set ({error!r}); restore the file") from None
    return questions, paragraphs


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
