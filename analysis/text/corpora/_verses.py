"""Verses of the Bible beside their English, with word links made by hand, out of wheels of `bible-alignments`."""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus, Sentence
from analysis.text.pharaoh import Links
from analysis.text.splits import Split, split_of
from analysis.text.wheels import fetch_wheel

ENGLISH = "en"
PACKAGE = "bible-alignments"
_OPTIONS = ("--ignore-requires-python",)
_VERSE = slice(1, 9)  # book, chapter and verse within the number of an original word, n40001001001
_WORD = slice(0, 11)  # book, chapter, verse and word of an English one; links into Hebrew add the part, always 1

Words = dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Original:
    """Where a text in its original language, its English and their links lie in a wheel.

    Attributes:
        tag: of the original language.
        version: of the package.
        sha256: of that wheel.
        text: the table of its words; a number ends in the word, or in the part of a word.
        english: the table of the English words.
        links: the records that link both.
        parts: whether a number's last digit counts parts of a written word, which are joined here.
        dropped: characters that are not written in everyday text, such as the points of Hebrew.
    """

    tag: str
    version: str
    sha256: str
    text: str
    english: str
    links: str
    parts: bool = False
    dropped: frozenset[str] = frozenset()

    def wheel(self) -> zipfile.ZipFile:
        """The wheel, fetched on first use.

        Raises:
            IsoglossError: the package cannot be fetched.
        """
        return zipfile.ZipFile(fetch_wheel(PACKAGE, self.version, sha256=self.sha256, options=_OPTIONS))

    def word(self, number: str) -> str:
        """The number of the written word that a numbered word or part belongs to."""
        return number[:-1] if self.parts else number


@lru_cache(maxsize=4)
def load_verses(spec: CorpusSpec, original: Original, tags: tuple[str, ...], split: Split | None) -> Corpus:
    """The corpus in these languages, kept for the next caller; see `read`."""
    with original.wheel() as wheel:
        return read(spec, original, wheel, tags, split)


def read(
    spec: CorpusSpec, original: Original, wheel: zipfile.ZipFile, tags: Sequence[str], split: Split | None
) -> Corpus:
    """The verses that both texts have, with their links.

    Row ids are book, chapter and verse ("40001001" is Matthew 1:1), categories book and chapter. Words are those of the
    package, joined by spaces, so that its links hold. A word that stands for no word of the other text has no link.

    Args:
        spec: of the corpus.
        original: where its parts lie.
        wheel: of the package.
        tags: languages of the rows.
        split: the split wanted, None for all rows; a chapter is on one side as a whole.
    """
    words = {original.tag: read_words(wheel, original), ENGLISH: read_english(wheel, original)}
    linked = read_links(wheel, original)
    verses = [
        verse for verse in words[original.tag]
        if verse in words[ENGLISH] and verse in linked and (split is None or split_of(_chapter(verse)) == split)
    ]  # fmt: skip
    rows: list[Mapping[str, Sentence]] = [
        {tag: Sentence.from_words([text for _, text in words[tag][verse]], tag) for tag in tags} for verse in verses
    ]
    links = [_links(words[original.tag][verse], words[ENGLISH][verse], linked[verse]) for verse in verses]
    return Corpus(
        spec.name, spec.title, tuple(rows), tuple(verses), tuple(_chapter(verse) for verse in verses),
        links={(original.tag, ENGLISH): tuple(links)}, links_origin="gold", source=spec.source, licence=spec.licence,
    )  # fmt: skip


def read_words(wheel: zipfile.ZipFile, original: Original) -> Words:
    """For each verse the numbers and the texts of its written words, in order."""
    whole: dict[str, str] = defaultdict(str)
    for line in _lines(wheel, original.text):
        whole[original.word(line["id"])] += "".join(char for char in line["text"] if char not in original.dropped)
    found: Words = defaultdict(list)
    for number, text in whole.items():
        if text.strip():
            found[number[_VERSE]].append((number, text.strip()))
    return dict(found)


def read_english(wheel: zipfile.ZipFile, original: Original) -> Words:
    """For each verse of the original the numbers and the texts of the English words, in order."""
    found: Words = defaultdict(list)
    for line in _lines(wheel, original.english):
        if line["text"].strip():
            found[line["source_verse"]].append((line["id"], line["text"].strip()))
    return dict(found)


def read_links(wheel: zipfile.ZipFile, original: Original) -> dict[str, list[tuple[str, str]]]:
    """For each verse the linked numbers; a record links each of its original words with each of its English ones."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    records: list[dict[str, Any]] = json.loads(wheel.read(original.links))["records"]
    for record in records:
        for number in record["source"]:
            found[number[_VERSE]] += [(original.word(number), english[_WORD]) for english in record["target"]]
    return dict(found)


def _lines(wheel: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    """The lines of a table by the names in its first one; a quotation mark is a word like any other."""
    with wheel.open(name) as file:
        yield from csv.DictReader(io.TextIOWrapper(file, "utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE)


def _links(original: list[tuple[str, str]], english: list[tuple[str, str]], linked: list[tuple[str, str]]) -> Links:
    """Links of numbers as links of positions; a word of another verse (the texts count differently) has none here."""
    left, right = ({number: at for at, (number, _) in enumerate(side)} for side in (original, english))
    found = frozenset((left[a], right[b]) for a, b in linked if a in left and b in right)
    return Links(found, found)


def _chapter(verse: str) -> str:
    """The book and chapter that a verse belongs to: 40 is Matthew, 66 the Revelation."""
    return verse[:5]
