"""The text a training can be given: registered corpora, uploads and public sets, and what each is called in a spec."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from analysis.errors import InputError
from analysis.registry import registered
from analysis.store import cache_folder, write_text
from analysis.text.languages import language
from analysis.text.set_listing import DEV, TRAIN, Listed, list_sets
from analysis.text.uploads import MY_TEXT, list_uploads
from pages._parts import data

TITLES = {
    "tatoeba": "Tatoeba", "wordalign_xlwa": "XL-WA", "wordalign_awesome": "English-French word alignment",
    "multi30k": "Multi30k captions", "lafand_en_sw": "LAFAND English-Swahili", "xnli": "XNLI sentences",
    "sib200": "SIB-200", "stsb_multi": "STS-B", "bli_xling": "XLing dictionaries", "xquad": "XQuAD questions",
}  # fmt: skip


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


def keep_file(name: str, content: bytes) -> str:
    """Keep an uploaded file of links, word pairs or sentences by its content, and give its path.

    Raises:
        InputError: it is empty or not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name[:60]} is not UTF-8 text; save it as UTF-8 and upload it again") from None
    if not text.strip():
        raise InputError(f"{name[:60]} is empty; give a file with at least one line")
    path = cache_folder() / "given" / f"{hashlib.sha256(content).hexdigest()[:16]}.txt"
    write_text(path, text)
    return str(path)
