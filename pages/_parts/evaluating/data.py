"""The text a comparison can be made on: registered corpora, uploads and public sets, and what a request calls each."""

import os
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import InputError
from analysis.registry import registered
from analysis.text.judged import JUDGED
from analysis.text.set_listing import Listed, list_sets
from analysis.text.sets import MULTIWAY, PAIRED
from analysis.text.uploads import MY_TEXT, list_uploads
from pages._parts import data
from pages._parts.training_data import TITLES, Text

SPLITS = (("test",), ("dev", "dev-b"))
FURTHER = {"mcl_wic": "Words in context (MCL-WiC)"}


def texts() -> dict[str, Text]:
    """What can be compared on, by key: corpora first, then uploads, then test and development splits of sets."""
    found = _corpora()
    for upload in list_uploads():
        title = f"My text {upload.id[:6]}" if upload.reader == MY_TEXT else f"{upload.name}, uploaded"
        found.append(Text(f"upload:{upload.id}", title))
    for splits in SPLITS:
        found += [_of_set(one) for one in list_sets(splits)]
    return {text.key: text for text in [*found, *_judged()]}


def _corpora() -> list[Text]:
    """Registered corpora; of those with splits the test and the development split."""
    found = []
    for name, spec in sorted(registered("corpora").items(), key=lambda item: item[0] != "tour"):
        for split in [part for part in ("test", "dev") if part in spec.splits] or [""]:
            key = f"corpus:{name}:{split}" if split else f"corpus:{name}"
            title = f"{spec.title}, {split} split" if split else spec.title
            found.append(Text(key, title, tuple(spec.languages), fetched="fetched" in spec.summary))
    return found


def _of_set(listed: Listed) -> Text:
    """A public set."""
    title = f"{TITLES.get(listed.set, listed.set)}, {listed.split} split"
    return Text(listed.key, title, listed.languages, listed, gold=listed.gold)


def _judged() -> list[Text]:
    """Sets of judged pairs that are no parallel text."""
    root = os.environ.get("ISOGLOSS_DATA")
    found = []
    for name, one in JUDGED.items() if root else ():
        folder = Path(str(root)).expanduser() / name
        if name in MULTIWAY or name in PAIRED or not folder.is_dir():
            continue
        for split in [part for part in ("test", "dev") if part in one.splits]:
            tags = sorted(
                {tag for pair in one.pairs(folder, split) for tag in pair}, key=lambda tag: (tag != "en", tag)
            )
            listed = Listed(name, split, tuple(tags))
            found.append(Text(listed.key, f"{FURTHER.get(name, name)}, {split} split", listed.languages, listed))
    return found


def key_of(corpus_id: str) -> str:
    """What a request calls the corpus of the sidebar, the test split of one that has splits."""
    kind, _, upload = corpus_id.partition("-")
    if kind in ("text", "upload") and upload:
        return f"upload:{upload}"
    splits = registered("corpora")[corpus_id].splits if corpus_id in registered("corpora") else ()
    split = next((part for part in ("test", "dev") if part in splits), "")
    return f"corpus:{corpus_id}:{split}" if split else f"corpus:{corpus_id}"


def languages_of(text: Text) -> tuple[str, ...]:
    """The languages of a text; an upload is read for it, and one that cannot be read has none."""
    if text.languages:
        return text.languages
    try:
        return tuple(data.whole_corpus(f"upload-{text.key.partition(':')[2]}").languages)
    except InputError:
        return ()


def item(text: Text, languages: Sequence[str]) -> str | None:
    """What a request calls a text with these languages; None where it has none of them."""
    here = tuple(tag for tag in languages_of(text) if tag in languages)
    if not here:
        return None
    if text.listed is None:
        return text.key
    # Judged pairs of one language with itself are asked for by a list; parallel text reads it as the same pair.
    name = text.listed
    judged = name.set in JUDGED
    langs = ",".join(here) if len(here) > 1 else f"{here[0]}-{here[0]}"
    return f"set:{name.set}:{langs}:{name.split}" if judged else name.name(here)
