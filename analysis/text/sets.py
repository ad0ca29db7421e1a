"""The public evaluation sets: `set:NAME:LANGS:SPLIT` below the folder ISOGLOSS_DATA or `--data-dir`.

They are not part of the project. A set with several ways is read language by language; a set of pairs is read
pair by pair; adding one is one function and one line of `MULTIWAY` or `PAIRED`.
"""

import csv
import gzip
import io
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.text.bitexts import checked_links
from analysis.text.corpus import Bitext, Sentence
from analysis.text.languages import normalise_tag, pairs_of, parse_langs
from analysis.text.lines import read_lines
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems
from analysis.text.segment import split, split_pretokenised

Column = list[str]
_MULTI30K = {"train": "train", "dev": "val", "test": "test_2016_flickr"}
_REPEATING = ("stsb_multi",)
_OTHER = ("mcl_wic", "ner_wikineural", "ud_ewt", "udpos")


@dataclass(frozen=True)
class Aligned:
    """The pairs of one language pair of a word-alignment or dictionary set.

    Attributes:
        source, target: the sentences.
        links: the links of each pair as text, None where a row has none that can be read; None for a set without.
        origin: `gold`, `silver` or "".
        one_based: whether the links count words from 1.
    """

    source: list[Sentence]
    target: list[Sentence]
    links: Sequence[str | None] | None = None
    origin: str = ""
    one_based: bool = False


def _lines(path: Path) -> Column:
    """All lines of a file of the sets, packed or not."""
    return [line or "" for line in read_lines(path, problems=Problems())]


def _text(path: Path) -> str:
    """A packed file as one string."""
    return gzip.decompress(path.read_bytes()).decode("utf-8")


def _sib200(folder: Path, language: str, part: str) -> Column:
    """The third column below the header."""
    return [line.split("\t")[2] for line in _lines(folder / f"{language}.{part}.tsv.gz")[1:]]


def _xnli(folder: Path, language: str, part: str) -> Column:
    """Each premise once (it stands on three lines), then its three hypotheses; dev-a has the even premises."""
    rows = [line.split("\t") for line in _lines(folder / f"{part.split('-')[0]}-{language}.tsv.gz")]
    found: Column = []
    for k in range(len(rows) // 3):
        if part in ("dev", "test") or (k % 2 == 0) == (part == "dev-a"):
            three = rows[3 * k : 3 * k + 3]
            found += [three[0][0], *(row[1] for row in three)]
    return found


def _multi30k(folder: Path, language: str, part: str) -> Column:
    """One caption a line; test is the Flickr test of 2016, the one in four languages that is most used."""
    return _lines(folder / f"{_MULTI30K[part]}.{language}.gz")


def _lafand(folder: Path, language: str, part: str) -> Column:
    """One sentence a line."""
    return _lines(folder / f"{part}.{language}.gz")


def _stsb(folder: Path, language: str, part: str) -> Column:
    """The first and the second sentence of each row; both are translated row by row."""
    rows = csv.reader(io.StringIO(_text(folder / f"stsb-{language}-{part}.csv.gz"), newline=""))
    return [text for row in rows for text in row[:2]]


def _xquad(folder: Path, language: str, part: str) -> Column:
    """The questions, in the order of the file."""
    data = json.loads(_text(folder / f"xquad.{language}.json.gz"))["data"]
    return [qa["question"] for article in data for paragraph in article["paragraphs"] for qa in paragraph["qas"]]


def _tatoeba(folder: Path, pair: tuple[str, str], part: str) -> Aligned:
    """Two files of one line a sentence; the English side differs from pair to pair."""
    name = f"{pair[1]}-en"
    english, other = (_lines(folder / f"{name}.{tag}") for tag in pair)
    return Aligned([split(text, "en") for text in english], [split(text, pair[1]) for text in other])


def _xlwa(folder: Path, pair: tuple[str, str], part: str) -> Aligned:
    """Tokenised pairs with 0-based links; the links of train are automatic."""
    name = "train.tsv.gz" if part == "train" else f"{part}.tsv"
    rows = [line.split("\t") for line in _lines(folder / "-".join(pair) / name)]
    return Aligned(
        [split_pretokenised(row[0], pair[0]) for row in rows],
        [split_pretokenised(row[1] if len(row) > 1 else "", pair[1]) for row in rows],
        [row[2] if len(row) == 3 else None for row in rows],
        "silver" if part == "train" else "gold",
    )


def _awesome(folder: Path, pair: tuple[str, str], part: str) -> Aligned:
    """Tokenised pairs with sure and possible links, 1-based in the file."""
    rows = [line.partition(" ||| ") for line in _lines(folder / "enfr.src-tgt")]
    return Aligned(
        [split_pretokenised(source.strip(), "en") for source, _, _ in rows],
        [split_pretokenised(target.strip(), "fr") for _, _, target in rows],
        list(read_lines(folder / "enfr.gold", problems=Problems())),
        "gold",
        one_based=True,
    )


def _xling(folder: Path, pair: tuple[str, str], part: str) -> Aligned:
    """Single words and their translations."""
    name = f"{'-'.join(pair)}.{part}.freq.{'5k' if part == 'train' else '2k'}.tsv"
    rows = [line.split("\t") for line in _lines(folder / name)]
    return Aligned([split(row[0], "en") for row in rows], [split(row[1], pair[1]) for row in rows])


# Name: (reader of one language, file pattern of a split that names its languages, valid splits).
MULTIWAY: dict[str, tuple[Callable[[Path, str, str], Column], Callable[[str], str], tuple[str, ...]]] = {
    "sib200": (_sib200, lambda part: rf"(\w+)\.{part}\.tsv\.gz", ("train", "dev", "test")),
    "xnli": (_xnli, lambda part: rf"{part.split('-')[0]}-(\w+)\.tsv\.gz", ("dev", "test", "dev-a", "dev-b")),
    "multi30k": (_multi30k, lambda part: rf"{_MULTI30K[part]}\.(\w+)\.gz", ("train", "dev", "test")),
    "lafand_en_sw": (_lafand, lambda part: rf"{part}\.(\w+)\.gz", ("train", "dev", "test")),
    "stsb_multi": (_stsb, lambda part: rf"stsb-(\w+)-{part}\.csv\.gz", ("train", "dev", "test")),
    "xquad": (_xquad, lambda part: r"xquad\.(\w+)\.json\.gz", ("test",)),
}
# Name: (reader of English with one language, file or folder pattern that names it, valid splits).
PAIRED: dict[str, tuple[Callable[[Path, tuple[str, str], str], Aligned], Callable[[str], str], tuple[str, ...]]] = {
    "tatoeba": (_tatoeba, lambda part: r"(\w+)-en\.en", ("test",)),
    "wordalign_xlwa": (_xlwa, lambda part: r"en-(\w+)", ("train", "dev", "test")),
    "wordalign_awesome": (_awesome, lambda part: r"en(fr)\.src-tgt", ("test",)),
    "bli_xling": (_xling, lambda part: rf"en-(\w+)\.{part}\..*", ("train", "test")),
}


def load_set(name: str, *, data_dir: str | Path | None = None, problems: Problems | None = None) -> list[Bitext]:
    """The sentence pairs of `set:NAME:LANGS:SPLIT`.

    Args:
        name: LANGS is `A-B`, `A,B,C` or `all`; the pairs of the latter two are English with each other
            language, or the first with each other where English is not among them.
        data_dir: the folder of the sets; ISOGLOSS_DATA by default.
        problems: takes rows whose links cannot be read or point past their words.

    Raises:
        InputError: no folder, or a set, split or language it does not have.
    """
    parts = name.split(":")
    if len(parts) != 4 or parts[0] != "set":
        raise InputError(f"{name!r} is not set:NAME:LANGS:SPLIT; for example set:tatoeba:en-de:test")
    _, kind, langs, part = parts
    if kind in _OTHER:
        raise InputError(f"set {kind} holds no parallel text; valid here: {', '.join(sorted({**MULTIWAY, **PAIRED}))}")
    if kind not in MULTIWAY and kind not in PAIRED:
        raise unknown("set", kind, {**MULTIWAY, **PAIRED})
    _, pattern, splits = MULTIWAY[kind] if kind in MULTIWAY else PAIRED[kind]
    if part not in splits:
        raise unknown(f"split of set {kind}", part, splits)
    folder = set_folder(kind, data_dir)
    here = sorted({found[1] for path in folder.iterdir() if (found := re.fullmatch(pattern(part), path.name))})
    pairs = _pairs(name, langs, here if kind in MULTIWAY else sorted({"en", *here}))
    problems = Problems() if problems is None else problems
    if kind in MULTIWAY:
        return _multiway(kind, folder, pairs, part)
    return [_paired(kind, folder, pair, part, problems) for pair in pairs]


def set_folder(kind: str, data_dir: str | Path | None) -> Path:
    """The folder of one set.

    Raises:
        InputError: nobody said where the sets lie, or this one is not there.
    """
    root = str(data_dir or os.environ.get("ISOGLOSS_DATA") or "")
    if not root:
        raise InputError(
            f"set:{kind} needs the folder of public sets; name it by --data-dir or ISOGLOSS_DATA (docs/data.md)"
        )
    folder = Path(root).expanduser() / kind
    if not folder.is_dir():
        raise InputError(
            f"no folder {folder}; name the folder of public sets by --data-dir or ISOGLOSS_DATA (docs/data.md)"
        )
    return folder


def _pairs(name: str, langs: str, here: Sequence[str]) -> list[tuple[str, str]]:
    """The language pairs that LANGS asks for.

    Raises:
        InputError: fewer than two languages, or one the set does not have.
    """
    if langs == "all":
        return pairs_of(here)
    asked = [normalise_tag(tag) for tag in langs.split(",")] if "," in langs else list(parse_langs(langs))
    for tag in asked:
        if tag not in here:
            raise unknown(f"language of {name}", tag, here)
    if len(set(asked)) != len(asked):
        raise InputError(f"{name}: {langs} names a language twice; valid: {', '.join(here)}")
    return pairs_of(asked) if "," in langs else [(asked[0], asked[1])]


def _multiway(kind: str, folder: Path, pairs: Sequence[tuple[str, str]], part: str) -> list[Bitext]:
    """The pairs of a set whose languages share their rows; of sets that repeat sentences the first of each is kept."""
    read = MULTIWAY[kind][0]
    tags = {tag: None for pair in pairs for tag in pair}
    texts = {tag: read(folder, tag, part) for tag in tags}
    first = texts["en" if "en" in texts else pairs[0][0]]
    rows = list(range(len(first)))
    if kind in _REPEATING:
        rows = sorted({text: at for at, text in reversed(list(enumerate(first)))}.values())
    sentences = {tag: tuple(split(texts[tag][at].strip(), tag) for at in rows) for tag in tags}
    return [
        Bitext(f"set:{kind}:{a}-{b}:{part}", (a, b), sentences[a], sentences[b], row_ids=tuple(str(at) for at in rows))
        for a, b in pairs
    ]


def _paired(kind: str, folder: Path, pair: tuple[str, str], part: str, problems: Problems) -> Bitext:
    """One pair of a set of pairs, which all have English; turned round if English stands second.

    Raises:
        InputError: neither language is English.
    """
    name = f"set:{kind}:{pair[0]}-{pair[1]}:{part}"
    if "en" not in pair:
        raise InputError(f"{name}: this set pairs each language with en; valid: en-{pair[1]}")
    other = pair[1] if pair[0] == "en" else pair[0]
    found = PAIRED[kind][0](folder, ("en", other), part)
    kept = _kept(found, name, problems)
    bitext = Bitext(
        f"set:{kind}:en-{other}:{part}",
        ("en", other),
        tuple(found.source[at] for at, _ in kept),
        tuple(found.target[at] for at, _ in kept),
        None if found.links is None else tuple(links for _, links in kept),
        found.origin,
        tuple(str(at) for at, _ in kept),
    )
    return bitext if pair[0] == "en" else bitext.flipped()


def _kept(found: Aligned, name: str, problems: Problems) -> list[tuple[int, Links]]:
    """The rows with their links; one whose links cannot be read or point past the words is noted and left out.

    Raises:
        InputError: there are more or fewer lines of links than pairs.
    """
    if found.links is None:
        return [(at, Links()) for at in range(len(found.source))]
    if len(found.links) != len(found.source):
        raise InputError(
            f"{name} has {len(found.links)} lines of links and {len(found.source)} pairs; copy the set's files anew"
        )
    kept = []
    for at, (text, *pair) in enumerate(zip(found.links, found.source, found.target, strict=True)):
        try:
            kept.append((at, checked_links(text, (pair[0], pair[1]), found.one_based)))
        except InputError as error:
            problems.add(name, at + 1, f"{error}; the pair is left out", kind="links")
    return kept
