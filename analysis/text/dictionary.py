"""Bilingual dictionaries: word translations out of a word list, a FreeDict dictionary, a public set or word links."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext
from analysis.text.freedict import is_dictd, read_dictd
from analysis.text.linked import linked_entries, type_of
from analysis.text.load import load_bitexts
from analysis.text.pairs import as_pair
from analysis.text.problems import Problems
from analysis.text.sets import load_set
from analysis.text.wordlist import Entry, Languages, read_wordlist

SETS = ("bli_xling",)  # the public sets whose rows are words


@dataclass(frozen=True)
class Dictionary:
    """Word translations between two languages.

    Attributes:
        languages: tags of the words and of their translations.
        entries: (word, translation) as they are spelled; a word with several translations has several entries.
        name: what the user called it ("en-de.txt"), for records and messages.
        origin: where it comes from, one line, or "".
        licence: SPDX name or a short statement, or "".
    """

    languages: Languages
    entries: tuple[Entry, ...]
    name: str = ""
    origin: str = ""
    licence: str = ""

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.entries)

    @cached_property
    def digest(self) -> str:
        """Hash of languages and entries, for provenance: two dictionaries with one digest translate alike."""
        lines = "\n".join("\t".join(pair) for pair in (self.languages, *self.entries))
        return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()

    def flipped(self) -> "Dictionary":
        """The same entries with words and translations exchanged."""
        return replace(self, languages=self.languages[::-1], entries=tuple((b, a) for a, b in self.entries))

    def oriented(self, anchor: str) -> "Dictionary":
        """The dictionary with the anchor language second, whichever place it had.

        Raises:
            InputError: neither language is the anchor.
        """
        if anchor not in self.languages:
            pair = "-".join(self.languages)
            choice = " or ".join(f"--set anchor={tag}" for tag in self.languages)
            raise InputError(
                f"{self.name} is {pair} and lacks the anchor {anchor!r}; give a dictionary with it, or choose one: {choice}"
            )
        return self if self.languages[1] == anchor else self.flipped()

    def translations(self) -> dict[str, tuple[str, ...]]:
        """The translations of each word: look up `word.casefold()`; what is found is as the dictionary spells it."""
        found: dict[str, dict[str, None]] = {}
        for word, translation in self.entries:
            found.setdefault(type_of(word), {})[translation] = None
        return {word: tuple(translations) for word, translations in found.items()}


def load_dictionary(
    name: str | Path, *, langs: str | Languages | None = None, data_dir: str | Path | None = None,
    problems: Problems | None = None,
) -> Dictionary:  # fmt: skip
    """The dictionary behind one name.

    Args:
        name: a file of two columns (MUSE, XLing; tabs or spaces, packed or not), either file of a FreeDict
            dictionary (`eng-deu.index`, `eng-deu.dict.dz`), `set:bli_xling:en-de:train`, or `links:DATA`: the words
            most often linked with each other in data that bring word links.
        langs: `A-B`, the languages of the columns where the file does not say them by its name (`en-de.txt`,
            `eng-deu.index`); such a name holds, with a warning where it names others.
        data_dir: the folder of the public sets, `ISOGLOSS_DATA` by default.
        problems: takes a note of each line that does not parse; the rest goes on.

    Returns:
        At least one entry, each once, in the order of the source.

    Raises:
        InputError: no such source, no usable line, several language pairs, or nobody says which languages they are.
    """
    name, pair = str(name), as_pair(langs) if langs else None
    problems = Problems() if problems is None else problems
    if name.startswith("set:"):
        return _only(name, set_dictionaries(name, data_dir=data_dir), pair)
    if name.startswith("links:"):
        return _from_links(name, pair, data_dir, problems)
    read = read_dictd if is_dictd(name) else read_wordlist
    found = read(name, pair, problems)
    if not found.entries:
        raise InputError(
            f"dictionary {name} has no entry that can be read; valid: a word and its translation a line, between "
            f"tabs, or the two files of a FreeDict dictionary"
        )
    if found.languages is None:
        raise InputError(f"dictionary {name} does not say its languages; name them in the order of its columns: "
                         f"--langs A-B, or call it en-de.txt")  # fmt: skip
    return Dictionary(found.languages, found.entries, name, found.origin or "given as a file", found.licence)


def set_dictionaries(name: str, *, data_dir: str | Path | None = None) -> list[Dictionary]:
    """The dictionaries of a public set, one for each language pair it names.

    Args:
        name: `set:bli_xling:LANGS:SPLIT`.
        data_dir: the folder of the public sets, `ISOGLOSS_DATA` by default.

    Raises:
        InputError: no such set, split or language, or a set of sentences.
    """
    found = load_set(name, data_dir=data_dir)
    kind = name.split(":")[1]
    if kind not in SETS:
        raise InputError(f"{name} holds sentences and is no dictionary; valid: set:{SETS[0]}:en-de:train, or a file")
    return [
        Dictionary(
            bitext.languages, tuple(dict.fromkeys((a.text, b.text) for a, b in zip(bitext.source, bitext.target, strict=True))),
            bitext.name, f"public set {kind}",
        )
        for bitext in found
    ]  # fmt: skip


def _only(name: str, found: Sequence[Dictionary], pair: Languages | None) -> Dictionary:
    """The dictionary of the pair asked for, or the only one there is.

    Raises:
        InputError: there is no such one, or there are several.
    """
    wanted = [one for one in found if pair is None or set(one.languages) == set(pair)]
    pairs = ["-".join(one.languages) for one in found]
    if not wanted:
        raise unknown(f"language pair of {name}", "-".join(pair or ()), pairs)
    if len(wanted) > 1:
        raise InputError(f"{name} is {len(found)} language pairs ({', '.join(pairs)}); choose one: --langs A-B")
    return wanted[0]


def _from_links(name: str, pair: Languages | None, data_dir: str | Path | None, problems: Problems) -> Dictionary:
    """The dictionary of the word links that some data bring.

    Raises:
        InputError: they bring none, or several language pairs.
    """
    data = name.removeprefix("links:")
    bitexts = load_bitexts(data, langs=pair, data_dir=data_dir, problems=problems)
    linked = [bitext for bitext in bitexts if bitext.links is not None]
    if not linked:
        raise InputError(
            f"{data} brings no word links; make the dictionary first: python -m analysis dictionary --data {data} "
            f"--encoder NAME --out FILE.tsv"
        )
    sole = _only(name, [_of_bitext(bitext, name) for bitext in linked], pair)
    if not len(sole):
        raise InputError(f"{data} has no one-to-one word links to make a dictionary from; give another --dictionary")
    return sole


def _of_bitext(bitext: Bitext, name: str) -> Dictionary:
    """The dictionary of one bitext's links."""
    entries = linked_entries([(bitext, bitext.links or ())])
    return Dictionary(bitext.languages, entries, name, f"word links of {bitext.name}")
