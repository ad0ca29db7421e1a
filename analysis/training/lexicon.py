"""The entries of dictionaries that a run's text has to do with, as the subwords that its encoder cuts them into."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from analysis.encoders.model import Model
from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.linked import type_of
from analysis.training.examples import Examples, sides_of
from analysis.training.objective import Material
from analysis.training.settings import TrainSettings

if TYPE_CHECKING:
    from analysis.text.dictionary import Dictionary

CARRIER = "a"  # a word in front, for tokenizers that cut a word otherwise where a sentence begins
Types = Mapping[str, AbstractSet[int]]
Spelled = Mapping[str, Mapping[int, tuple[int, ...]]]


@dataclass(frozen=True)
class WordPair:
    """One entry of a dictionary.

    Attributes:
        languages: of the word and of its translation.
        words: both, as the dictionary spells them.
        pieces: the ids of the subwords of both, never empty.
        keys: the word types of both, as `Side.keys` has them.
        seen: whether each of them is in the text of its language; one at least is.
    """

    languages: tuple[str, str]
    words: tuple[str, str]
    pieces: tuple[tuple[int, ...], tuple[int, ...]]
    keys: tuple[int, int]
    seen: tuple[bool, bool]


def covered_by(material: Material, *, single_piece: bool = False) -> tuple[WordPair, ...]:
    """The entries of a run's dictionaries that its text covers; see `covered`.

    Where a step is only timed, on a sample of the text, a dictionary that the sample misses counts whole.

    Args:
        material: dictionaries, text, network and anchor.
        single_piece: whether only words of one subword each count.

    Raises:
        InputError: a dictionary covers no word of the text, or no entry is left.
    """
    types = word_types(material.examples, material.settings.anchor)
    if material.job is not None:
        known = dict.fromkeys(tag for one in material.dictionaries for tag in one.languages)
        for tag in known:
            if tag not in types:
                material.job.say(f"there is no text in {tag}, whose words come from the dictionary alone")
    return covered(
        material.dictionaries, material.trainee.base, types, single_piece=single_piece,
        strict=material.job is not None, spelled=spelled(material.examples, material.settings),
    )  # fmt: skip


def covered(
    dictionaries: "Sequence[Dictionary]", model: Model, types: Types, *, single_piece: bool = False,
    strict: bool = True, spelled: Spelled | None = None,
) -> tuple[WordPair, ...]:  # fmt: skip
    """The entries with a word, or a translation, that occurs in the text of its language, whatever its case.

    Args:
        dictionaries: word translations.
        model: its tokenizer cuts words that the text does not have, as it cuts them inside a sentence.
        types: for each language the word types of its text; see `word_types`.
        single_piece: whether only words of one subword each count.
        strict: whether a dictionary without such an entry is refused; else it counts whole.
        spelled: the subwords of the text's words; see `spelled`.

    Returns:
        Entries in the order of the dictionaries, without those that hold an unknown subword.

    Raises:
        InputError: a dictionary covers no word of the text, or no entry is left.
    """
    found: list[WordPair] = []
    for one in dictionaries:
        tags = (one.languages[0], one.languages[1])
        pairs = [_keyed(tags, entry, types) for entry in one.entries]
        kept = [pair for pair in pairs if any(pair.seen)]
        if not kept and strict:
            raise InputError(
                f"dictionary {one.name or 'given'} ({'-'.join(tags)}) covers no word of the text, which is in "
                f"{', '.join(sorted(types))}; give text with words of it, or another --dictionary"
            )
        found += _cut(kept or pairs, model, single_piece, spelled or {})
    if not found:
        names = ", ".join(one.name or "given" for one in dictionaries) or "no dictionary"
        how = " of one subword each (single_piece=true)" if single_piece else ""
        raise InputError(f"the encoder's tokenizer knows no entry of {names}{how}; give another --dictionary")
    return tuple(found)


def word_types(examples: Examples, anchor: str) -> dict[str, set[int]]:
    """The word types of a run's text by language, as `Side.keys` has them.

    Args:
        examples: sentences, or pairs whose target side is in the anchor's language.
        anchor: that language.
    """
    found: dict[str, set[int]] = {}
    both = examples.source is not examples.target
    for language, source, target in zip(examples.language, examples.source, examples.target, strict=True):
        found.setdefault(language, set()).update(source.keys.tolist())
        if both:
            found.setdefault(anchor, set()).update(target.keys.tolist())
    return found


def spelled(examples: Examples, settings: TrainSettings) -> dict[str, dict[int, tuple[int, ...]]]:
    """For each language and word type the subwords that its words have in the text, of several spellings the commonest.

    Args:
        examples: sentences, or pairs whose target side is in the anchor's language.
        settings: name the anchor; nothing is found where they pool one subword of a word.
    """
    counts: dict[str, dict[int, Counter[tuple[int, ...]]]] = {}
    if settings.pool != "mean":
        return {}
    both = [examples.target] if examples.source is not examples.target else []
    tagged = [*zip(examples.language, examples.source, strict=True)]
    tagged += [(settings.anchor, side) for sides in both for side in sides]
    for tag, side in tagged:
        mine = counts.setdefault(tag, {})
        ids, starts = side.ids[np.asarray(side.column)], np.flatnonzero(np.diff(side.word, prepend=-1))
        for start, stop in zip(starts, [*starts[1:], len(ids)], strict=True):
            key = int(side.keys[side.word[start]])
            mine.setdefault(key, Counter())[tuple(ids[start:stop].tolist())] += 1
    return {tag: {key: one.most_common(1)[0][0] for key, one in words.items()} for tag, words in counts.items()}


def _keyed(tags: tuple[str, str], words: tuple[str, str], types: Types) -> WordPair:
    """An entry with its word types, not cut yet."""
    first, second = (crc32(type_of(word).encode("utf-8", "surrogatepass")) for word in words)
    seen = first in types.get(tags[0], ()), second in types.get(tags[1], ())
    return WordPair(tags, words, ((), ()), (first, second), seen)


def _cut(pairs: Sequence[WordPair], model: Model, single_piece: bool, spelled: Spelled) -> list[WordPair]:
    """The entries with their subwords, those left out that the tokenizer does not know."""
    cut = []
    for side in (0, 1):
        made = _pieces(model, [(pair.words[side], pair.languages[side]) for pair in pairs])
        there = [spelled.get(pair.languages[side], {}).get(pair.keys[side]) for pair in pairs]
        cut.append([known or pieces for known, pieces in zip(there, made, strict=True)])
    unknown = model.tokenizer.unk_token_id
    return [
        WordPair(pair.languages, pair.words, (first, second), pair.keys, pair.seen)
        for pair, first, second in zip(pairs, *cut, strict=True)
        if first and second and unknown not in (*first, *second)
        and not (single_piece and len(first) + len(second) > 2)
    ]  # fmt: skip


def _pieces(model: Model, words: Sequence[tuple[str, str]]) -> list[tuple[int, ...]]:
    """The subwords of each word behind another one, without a bare mark for the space between them."""
    carried = [Sentence(f"{CARRIER} {word}", tag, ((0, 1), (2, 2 + len(word)))) for word, tag in words]
    sides = sides_of(model, carried, "mean")
    return [tuple(side.ids[np.asarray(side.column)[np.asarray(side.word) == 1]].tolist()) for side in sides]
