"""The text a training can be given: registered corpora, uploads and public sets, and what each is called in a spec."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import streamlit as st

from analysis.errors import InputError
from analysis.registry import registered
from analysis.store import cache_folder, new_folder
from analysis.text.languages import language
from analysis.text.set_listing import DEV, TRAIN, Listed, list_sets
from analysis.text.uploads import MY_TEXT, list_uploads
from pages._parts import data

TITLES = {
    "tatoeba": "Tatoeba", "wordalign_xlwa": "XL-WA", "wordalign_awesome": "English-French word alignment",
    "multi30k": "Multi30k captions", "lafand_en_sw": "LAFAND English-Swahili", "xnli": "XNLI sentences",
    "sib200": "SIB-200", "stsb_multi": "STS-B", "bli_xling": "XLing dictionaries", "xquad": "XQuAD questions",
}  # fmt: skip
DICTIONARIES = ("bli_xling",)


@dataclass(frozen=True)
class Text:
    """One source of sentence pairs.

    Attributes:
        key: `corpus:NAME`, `corpus:NAME:SPLIT`, `upload:ID` or `set:NAME:SPLIT`, as the link has it.
        title: what the form calls it.
        languages: its tags, () where they are known once it is read.
        listed: the public set, where it is one.
        fetched: whether it is downloaded on first use.
        gold: whether it brings word links made by people.
    """

    key: str
    title: str
    languages: tuple[str, ...] = ()
    listed: Listed | None = None
    fetched: bool = False
    gold: bool = False


def training_texts() -> dict[str, Text]:
    """What can be trained on, by key."""
    found = [Text(f"upload:{one.id}", _upload_title(one)) for one in list_uploads() if len(one.languages) != 1]
    found += [_of_set(one) for one in list_sets(TRAIN)]
    return {text.key: text for text in [*_corpora("train"), *found]}


def monolingual_texts() -> dict[str, Text]:
    """What can be read as text of each language for itself, by key: what can be trained on, but no lists of words."""
    found = training_texts()
    return {key: text for key, text in found.items() if text.listed is None or text.listed.set not in DICTIONARIES}


def dictionary_texts() -> dict[str, Text]:
    """The dictionaries that are here, one a language pair, by what a spec calls them."""
    found = {}
    for one in list_sets(TRAIN):
        for tag in one.languages[1:] if one.set in DICTIONARIES else ():
            pair = (one.languages[0], tag)
            names = "–".join(language(each).name for each in pair)
            found[one.name(pair)] = Text(one.name(pair), names, pair, one)
    return found


def dictionary_files(paths: Sequence[str]) -> list[Text]:
    """Uploaded dictionaries; one that does not say its languages has none, and the two files of FreeDict are one.

    Raises:
        InputError: one of them cannot be read.
    """
    indexed = {path.removesuffix(".index") for path in paths if path.endswith(".index")}
    kept = [path for path in paths if path.removesuffix(".dz").removesuffix(".dict") not in indexed]
    return [Text(path, PurePath(path).name, _stated_languages(path)) for path in kept]


@st.cache_data(max_entries=64, show_spinner="Reading the dictionary ...")
def _stated_languages(path: str) -> tuple[str, ...]:
    """The languages that a dictionary names by its name or its header."""
    from analysis.text.freedict import is_dictd, read_dictd
    from analysis.text.problems import Problems
    from analysis.text.wordlist import read_wordlist

    return (read_dictd if is_dictd(path) else read_wordlist)(path, None, Problems()).languages or ()


def dev_texts() -> dict[str, Text]:
    """What development scores can be made on, by key; sets with gold word links first, test splits never."""
    sets = sorted((_of_set(one) for one in list_sets(DEV)), key=lambda text: not text.gold)
    split = [text for text in _corpora("dev") if text.key.endswith(":dev")]
    uploads = [Text(f"upload:{one.id}", _upload_title(one)) for one in list_uploads()]
    return {text.key: text for text in [*sets, *split, *uploads]}


def _corpora(split: str) -> list[Text]:
    """Registered corpora with two languages or more, at this split where they have splits."""
    found = []
    for name, spec in registered("corpora").items():
        if len(spec.languages) < 2:
            continue
        at = f":{split}" if split in spec.splits else ""
        title = f"{spec.title}, {split} split" if at else spec.title
        found.append(Text(f"corpus:{name}{at}", title, tuple(spec.languages), fetched="fetched" in spec.summary))
    return found


def _of_set(listed: Listed) -> Text:
    """A public set as a text."""
    title = f"{TITLES.get(listed.set, listed.set)}, {listed.split} split"
    return Text(listed.key, title, listed.languages, listed, gold=listed.gold)


def _upload_title(upload: Any) -> str:
    """An upload by its name; pasted text by its id."""
    return f"My text {upload.id[:6]}" if upload.reader == MY_TEXT else f"{upload.name}, uploaded"


def languages_of(text: Text) -> tuple[str, ...]:
    """The languages of a text; an upload is read for it.

    Raises:
        InputError: it cannot be read, or has one language only.
    """
    if text.languages:
        return text.languages
    found = tuple(data.whole_corpus(f"upload-{text.key.partition(':')[2]}").languages)
    if len(found) < 2:
        raise InputError(f"{text.title} has only {', '.join(found)}; sentence pairs need two languages")
    return found


def large_upload(offered: dict[str, Text], rows: int) -> Text | None:
    """The first of the uploads with two languages and at least so many rows; the first few are looked at."""
    for text in [text for key, text in offered.items() if key.startswith("upload:")][:3]:
        with suppress(InputError):
            languages_of(text)
            if len(data.whole_corpus(f"upload-{text.key.partition(':')[2]}")) >= rows:
                return text
    return None


def all_languages(texts: Iterable[Text]) -> tuple[str, ...]:
    """The languages that some of the texts have, English first, then by name."""
    found = {tag for text in texts for tag in languages_of(text)}
    return tuple(sorted(found, key=lambda tag: (tag != "en", language(tag).name)))


def item(text: Text, languages: Sequence[str]) -> str | None:
    """What a spec calls a text with these languages; None where it has fewer than two of them."""
    here = tuple(tag for tag in languages_of(text) if tag in languages)
    if len(here) < 2:
        return None
    return text.key if text.listed is None else text.listed.name(here)


def dev_item(text: Text, languages: Sequence[str], *, everything: bool = False) -> str | None:
    """What a spec calls a development text: the languages trained on that it has, or all of its languages.

    Args:
        text: the text.
        languages: those trained on.
        everything: whether languages that are not trained on are scored too.
    """
    here = languages_of(text)
    both = tuple(tag for tag in here if tag in languages or tag == "en")
    return item(text, here if everything or len(both) < 2 else both)


def keep_files(files: Sequence[tuple[str, bytes]], *, plain: bool = True) -> tuple[str, ...]:
    """Keep uploaded files by their content, under their own names, and give their paths.

    Args:
        files: name and content of each; they lie in one folder, since a dictionary may be several files.
        plain: whether each has to be UTF-8 text.

    Raises:
        InputError: one is empty or, where it has to be text, not UTF-8.
        IsoglossError: the cache folder cannot be written.
    """
    state = hashlib.sha256()
    for name, content in files:
        _check_file(name[:60], content, plain)
        state.update(hashlib.sha256(name.encode("utf-8", "replace") + b"\0" + content).digest())
    if not files:
        return ()
    folder = cache_folder() / "given" / state.hexdigest()[:16]
    names = [_safe_name(name) for name, _ in files]
    if not folder.exists():
        with new_folder(folder) as draft:
            for name, (_, content) in zip(names, files, strict=True):
                (draft / name).write_bytes(content)
    return tuple(str(folder / name) for name in dict.fromkeys(names))


def _check_file(name: str, content: bytes, plain: bool) -> None:
    """Refuse an empty file, or one that is no text where it has to be.

    Raises:
        InputError: either of the two.
    """
    if not content.strip():
        raise InputError(f"{name} is empty; give a file with at least one line")
    if not plain:
        return
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text; save it as UTF-8 and upload it again") from None


def _safe_name(name: str) -> str:
    """A file's own name, which may tell its format and languages, as a name of one in the cache folder."""
    plain = re.sub(r"[^\w.-]", "_", PurePath(name.replace("\\", "/")).name).lstrip(".") or "file"
    return plain if len(plain) <= 80 else plain[:40] + plain[-40:]
