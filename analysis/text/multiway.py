"""The same rows in several languages, from a set, a corpus or a file."""

import re
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.text.languages import normalise_tag
from analysis.text.load import load_corpus
from analysis.text.multitext import Multitext, Text
from analysis.text.problems import Problems
from analysis.text.rows import wanted_tags
from analysis.text.segment import split
from analysis.text.sets import MULTIWAY, PAIRED, load_set, set_folder


def load_multitext(
    data: str, *, languages: Sequence[str] | None = None, data_dir: str | Path | None = None,
    problems: Problems | None = None,
) -> Multitext:  # fmt: skip
    """The rows of `data` in several languages; rows that lack one of them are left out.

    Args:
        data: `set:NAME:LANGS:SPLIT` with LANGS one language, `A-B`, `A,B,C` or `all`; `corpus:NAME`; or a file.
        languages: the languages wanted, None for all.
        data_dir: the folder of the public sets; ISOGLOSS_DATA by default.
        problems: takes a note of bad rows.

    Raises:
        InputError: no such data, a language it does not have, or no row that has all of them.
    """
    if data.startswith("set:"):
        return _of_set(data, languages, data_dir, problems)
    found = Multitext.of_corpus(load_corpus(data, languages=languages, problems=problems))
    tags = wanted_tags(languages) or found.languages
    for tag in tags:
        if tag not in found.languages:
            raise unknown(f"language of {data}", tag, found.languages)
    if not len(found):
        raise InputError(f"{data} has no row in all of {', '.join(found.languages)}; choose fewer with --languages")
    return Multitext(data, {tag: found.sentences[tag] for tag in tags})


def load_texts(
    data: str, *, languages: Sequence[str] | None = None, data_dir: str | Path | None = None,
    problems: Problems | None = None,
) -> list[Text]:  # fmt: skip
    """The sentences of `data` language by language; of a set of pairs the English side is that of the first pair.

    Args:
        data: as for `load_multitext`.
        languages: the languages wanted, None for all.
        data_dir: the folder of the public sets; ISOGLOSS_DATA by default.
        problems: takes a note of bad rows.

    Raises:
        InputError: no such data, or a language it does not have.
    """
    if data.startswith("set:") and data.split(":")[1] in PAIRED:
        pairs = load_set(data, data_dir=data_dir, problems=problems)
        sides: dict[str, Text] = {}
        for pair in pairs:
            for tag, sentences in zip(pair.languages, (pair.source, pair.target), strict=True):
                sides.setdefault(tag, Text(pair.name, tag, sentences))
    elif data.startswith("set:"):
        many = load_multitext(data, data_dir=data_dir, problems=problems)
        sides = {tag: many.text(tag) for tag in many.languages}
    else:
        corpus = load_corpus(data, languages=languages, problems=problems)
        sides = {tag: Text(data, tag, corpus.sentences(tag)) for tag in corpus.languages}
    for tag in languages or ():
        if tag not in sides:
            raise unknown(f"language of {data}", tag, sides)
    return [sides[tag] for tag in languages or sides]


def _of_set(
    data: str, languages: Sequence[str] | None, data_dir: str | Path | None, problems: Problems | None
) -> Multitext:
    """The rows of a public set whose languages share them, or of one pair of a set of pairs.

    Raises:
        InputError: a set, split or language that is not there, or a set of pairs asked for more than two languages.
    """
    parts = data.split(":")
    if len(parts) != 4:
        raise InputError(f"{data!r} is not set:NAME:LANGS:SPLIT; for example set:sib200:en,ar,de:test")
    _, kind, asked, part = parts
    if kind in PAIRED:
        return _of_pairs(data, data_dir, problems)
    if kind not in MULTIWAY:
        raise unknown("set of parallel text", kind, {**MULTIWAY, **PAIRED})
    read, pattern, splits = MULTIWAY[kind]
    if part not in splits:
        raise unknown(f"split of set {kind}", part, splits)
    folder = set_folder(kind, data_dir)
    here = sorted({found[1] for path in folder.iterdir() if (found := re.fullmatch(pattern(part), path.name))})
    tags = _tags(data, asked, here) if languages is None else list(languages)
    for tag in tags:
        if tag not in here:
            raise unknown(f"language of {data}", tag, here)
    try:
        rows = {tag: read(folder, tag, part) for tag in tags}
    except (EOFError, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        raise InputError(f"{data}: a file of {folder} is not that of this set ({error!r}); restore it") from None
    return Multitext(data, {tag: tuple(split(text.strip(), tag) for text in texts) for tag, texts in rows.items()})


def _tags(data: str, asked: str, here: Sequence[str]) -> list[str]:
    """The languages that LANGS asks for, English first in `all`.

    Raises:
        InputError: one named twice.
    """
    if asked == "all":
        return sorted(here, key=lambda tag: (tag != "en", tag))
    tags = [normalise_tag(tag) for tag in re.split(r"[,-]", asked)]
    if len(set(tags)) != len(tags):
        raise InputError(f"{data}: {asked} names a language twice; valid: {', '.join(here)}")
    return tags


def _of_pairs(data: str, data_dir: str | Path | None, problems: Problems | None) -> Multitext:
    """The one pair of a set whose English side differs from pair to pair.

    Raises:
        InputError: more than one pair.
    """
    pairs = load_set(data, data_dir=data_dir, problems=problems)
    if len(pairs) != 1:
        raise InputError(f"{data}: only the rows of one pair are shared in this set; name it, for example en-de")
    sole = pairs[0]
    return Multitext(data, dict(zip(sole.languages, (sole.source, sole.target), strict=True)))
