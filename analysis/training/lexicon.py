"""The entries of dictionaries that a run's text has to do with, as the subwords that its encoder cuts them into."""

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

if TYPE_CHECKING:
    from analysis.text.dictionary import Dictionary

Types = Mapping[str, AbstractSet[int]]


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
    return covered(
        material.dictionaries, material.trainee.base, types, single_piece=single_piece, strict=material.job is not None
    )


def covered(
    dictionaries: "Sequence[Dictionary]", model: Model, types: Types, *, single_piece: bool = False,
    strict: bool = True,
) -> tuple[WordPair, ...]:  # fmt: skip
    """The entries with a word, or a translation, that occurs in the text of its language, whatever its case.

    Args:
        dictionaries: word translations.
        model: its tokenizer cuts the words as it cuts them inside a sentence.
        types: for each language the word types of its text; see `word_types`.
        single_piece: whether only words of one subword each count.
        strict: whether a dictionary without such an entry is refused; else it counts whole.

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
                f"{', '.join(sorted(types))}; give text in its languages, or another --dictionary"
            )
        found += _cut(kept or pairs, model, single_piece)
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


def _keyed(tags: tuple[str, str], words: tuple[str, str], types: Types) -> WordPair:
    """An entry with its word types, not cut yet."""
    first, second = (crc32(type_of(word).encode("utf-8", "surrogatepass")) for word in words)
    seen = first in types.get(tags[0], ()), second in types.get(tags[1], ())
    return WordPair(tags, words, ((), ()), (first, second), seen)


def _cut(pairs: Sequence[WordPair], model: Model, single_piece: bool) -> list[WordPair]:
    """The entries with their subwords, those left out that the tokenizer does not know."""
    cut = [_pieces(model, [(pair.words[side], pair.languages[side]) for pair in pairs]) for side in (0, 1)]
    unknown = model.tokenizer.unk_token_id
    return [
        WordPair(pair.languages, pair.words, (first, second), pair.keys, pair.seen)
        for pair, first, second in zip(pairs, *cut, strict=True)
        if first and second and unknown not in (*first, *second)
        and not (single_piece and len(first) + len(second) > 2)
    ]  # fmt: skip


def _pieces(model: Model, words: Sequence[tuple[str, str]]) -> list[tuple[int, ...]]:
    """The subwords of each word, without a bare mark for the space before it."""
    sides = sides_of(model, [Sentence(word, tag, ((0, len(word)),)) for word, tag in words], "mean")
    return [tuple(side.ids[np.asarray(side.column)].tolist()) for side in sides]
